"""The open files: one writing connection, read-only readers, each in a thread of aiosqlite."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiosqlite

from feedserver.errors import Unavailable
from feedserver.journal import Identity
from feedserver.sqlite import opening, redoing
from feedserver.sqlite.ballast import Ballast
from feedserver.sqlite.connecting import (
    code_of,
    connect,
    connect_patiently,
    open_in_thread,
    run,
)
from feedserver.sqlite.folder import DATABASE, LOCK, Files, NoNewsroom, occupied
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.opening import GLANCED_MAX
from feedserver.sqlite.rows import Newer, Overtaken, Reader, newest_sequence

T = TypeVar("T")

log = logging.getLogger("feedserver.database")

# One for each kind of long work for readers (a window, a newest page, an older one), which is done
# one at a time, and one that none of them takes: for items, retries and how far purges are.
READERS = 4
OVERTAKEN_MAX = 20  # reads of one answer that kills may overtake
OLDER = (
    "words were erased that the data still has: start the server, or change something, so that the "
    "data forgets them too, then try again"
)
READ_ONLY = "the file system is read-only: readers are served, and nothing can be written"


@dataclass(frozen=True, slots=True)
class MetaChanges:
    """What became of the file while it was open."""

    epoch: bool  # another journal is in it, after a restore
    clock_accepted: bool  # the operator takes the machine's clock as it is


class Database:
    """The open files. Made by `open_database`."""

    def __init__(
        self,
        path: Path,
        identity: Identity,
        keys: KeyFile,
        writer: aiosqlite.Connection | None,
        readers: tuple[aiosqlite.Connection, ...],
        watcher: sqlite3.Connection,
    ) -> None:
        self.path = path
        self.identity = identity
        self.keys = keys
        self.files = Files(path, keys)
        self.reader = Reader(keys)
        self.damage: str | None = None  # a broken page, or a record of a newer format
        self.fault: str | None = None  # what the disk said at the last read; it may pass
        self._writer = writer
        self._watcher = watcher
        self._clock_accepted = opening.clock_accepted(watcher)
        self._free: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        for reader in readers:
            self._free.put_nowait(reader)

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be written through this."""
        return self._writer is None

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the writer's thread, in one hop."""
        if self._writer is None:
            raise Unavailable(READ_ONLY, retry_after=30)
        return await run(self._writer, work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a reader's thread, as one transaction: all it sees is of one moment.

        It runs again at a later moment where words that it needs were erased meanwhile.
        """
        reader = await self._free.get()
        try:
            for _ in range(OVERTAKEN_MAX):
                try:
                    answer = await run(reader, lambda c: _at_one_moment(c, work))
                except Overtaken:
                    continue
                self.fault = None
                return answer
            if self._writer is None:
                raise Unavailable(OLDER)
            raise Unavailable("the news is being changed too often to be read; try again")
        except Newer as fault:
            if self.fault != str(fault):
                log.critical("%s", fault)
            self.fault = str(fault)
            raise Unavailable("the news cannot be read here at the moment") from None
        except sqlite3.Error as fault:
            log.error("the database cannot be read: %s", fault)
            if code_of(fault) == sqlite3.SQLITE_CORRUPT:
                self.damage = str(fault)
            elif code_of(fault) == sqlite3.SQLITE_IOERR:
                self.fault = str(fault)
            raise Unavailable("the news cannot be read at the moment; try again later") from fault
        finally:
            self._free.put_nowait(reader)

    def data_version(self) -> int:
        """Return a number that changes with each commit of any process. Takes about 8 µs."""
        version: int = self._watcher.execute("PRAGMA data_version").fetchone()[0]
        return version

    def newest_sequence(self) -> int:
        """Return the sequence of the newest record. Takes about 10 µs."""
        return newest_sequence(self._watcher)

    def refresh_identity(self) -> MetaChanges:
        """Read which journal this is anew, and what the operator said; return what changed."""
        found, accepted = opening.identity_of(self._watcher), opening.clock_accepted(self._watcher)
        changes = MetaChanges(found.epoch != self.identity.epoch, accepted != self._clock_accepted)
        if changes.epoch:  # what was wrong was of other data
            self.damage = None
            self.reader.unreadable.clear()
        self.identity, self._clock_accepted = found, accepted
        return changes


@asynccontextmanager
async def open_database(
    folder: Path, *, begins: bool = False, reads_only: bool = False, checked_max: int = GLANCED_MAX
) -> AsyncIterator[Database]:
    """Open the files in `folder`. Only where it `begins` one a newsroom is made.

    One that `reads_only` waits for no writer and changes nothing.

    Raises NoNewsroom where there is none, SetupError for all else that the operator has to mend.
    """
    async with AsyncExitStack() as opened:
        ballast = Ballast(folder / LOCK)
        try:
            if begins:
                try:
                    await asyncio.to_thread(opening.prepare, folder, 0)
                except NoNewsroom:
                    await asyncio.to_thread(opening.begin, folder)
            await asyncio.to_thread(opening.prepare, folder, checked_max, reads_only=reads_only)
            database = await _open(folder, opened, ballast, reads_only=reads_only)
        except sqlite3.Error as fault:
            raise opening.unreadable(folder / DATABASE, fault) from None
        yield database


async def _open(
    folder: Path, opened: AsyncExitStack, ballast: Ballast, *, reads_only: bool
) -> Database:
    opened.enter_context(occupied(folder))
    path = folder / DATABASE
    read_only = reads_only or not opening.is_writable(path)
    keys = opening.open_keys(folder, read_only=read_only)
    opened.callback(keys.close)
    writer = None
    if not read_only:
        writer = await open_in_thread(lambda: connect_patiently(path))
        opened.push_async_callback(writer.close)
        await run(writer, lambda c: redoing.before_the_first_answer(c, keys))
        await asyncio.to_thread(ballast.make)
    # Closed before the writer, which can then checkpoint and remove the WAL.
    readers = []
    for _ in range(READERS):
        readers.append(await open_in_thread(lambda: connect(path, read_only=True)))
        opened.push_async_callback(readers[-1].close)
    watcher = connect(path, read_only=True)
    opened.callback(watcher.close)
    return Database(path, opening.identity_of(watcher), keys, writer, tuple(readers), watcher)


def _at_one_moment(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN")
    try:
        return work(connection)
    finally:
        connection.execute("COMMIT")
