"""One SQLite file: one writing connection, read-only readers, each in a thread of aiosqlite."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import aiosqlite

from feedserver.errors import SetupError, Unavailable
from feedserver.journal import Identity
from feedserver.model import random_id
from feedserver.sqlite.schema import APPLICATION_ID, MIGRATIONS

T = TypeVar("T")

log = logging.getLogger("feedserver.database")

FILE = "feed.db"
SMALLEST = 512  # bytes: no database has fewer
CHECKED_MAX = 64 * 1024 * 1024  # bytes of a file that a server looks through first: some 0.2 s, …
GLANCED_MAX = 1024 * 1024  # … and that a command does
PRIMARY = 0xFF  # the part of SQLite's error codes that names the kind
READERS = 2
BUSY_SECONDS = 5.0  # how long a commit waits for another process's


class Database:
    """The open file. Made by `open_database`."""

    def __init__(
        self,
        path: Path,
        identity: Identity,
        writer: aiosqlite.Connection,
        readers: tuple[aiosqlite.Connection, ...],
        watcher: sqlite3.Connection,
    ) -> None:
        self.path = path
        self.identity = identity
        self.damage: str | None = None  # what SQLite said when it met a broken page
        self._writer = writer
        self._readers = readers
        self._watcher = watcher
        self._free: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        for reader in readers:
            self._free.put_nowait(reader)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the writer's thread, in one hop."""
        return await _run(self._writer, work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a reader's thread, as one transaction: all it sees is of one moment."""
        reader = await self._free.get()
        try:
            return await _run(reader, lambda connection: _at_one_moment(connection, work))
        except sqlite3.Error as fault:
            log.error("the database cannot be read: %s", fault)
            if _code(fault) == sqlite3.SQLITE_CORRUPT:
                self.damage = str(fault)
            raise Unavailable("the news cannot be read at the moment; try again later") from fault
        finally:
            self._free.put_nowait(reader)

    def data_version(self) -> int:
        """Return a number that changes with each commit of any process. Takes about 8 µs."""
        version: int = self._watcher.execute("PRAGMA data_version").fetchone()[0]
        return version

    def newest_sequence(self) -> int:
        """Return the sequence of the newest record. Takes about 10 µs."""
        newest: int = self._watcher.execute(
            "SELECT coalesce(max(sequence), 0) FROM records"
        ).fetchone()[0]
        return newest


@asynccontextmanager
async def open_database(folder: Path, *, checked_max: int = GLANCED_MAX) -> AsyncIterator[Database]:
    """Open the file in `folder` as `prepare` leaves it. Raises SetupError."""
    path = folder / FILE
    identity = await asyncio.to_thread(prepare, folder, checked_max)
    connections: list[aiosqlite.Connection] = []
    watcher = _connect_to_read(path)
    try:
        for opening in (_connect_patiently, *[_connect_to_read] * READERS):
            connections.append(await aiosqlite.Connection(partial(opening, path), 1))
        writer, *readers = connections
        yield Database(path, identity, writer, tuple(readers), watcher)
    finally:
        watcher.close()
        # Readers first: the writer, closing last, can then checkpoint and remove the WAL.
        for connection in reversed(connections):
            await connection.close()


def prepare(folder: Path, checked_max: int) -> Identity:
    """Make and migrate the file as needed. Raises SetupError.

    One of up to `checked_max` bytes is looked through: a broken page is found now, rather than when
    a reader asks for it.
    """
    path = folder / FILE
    try:
        if folder.is_file():
            raise SetupError(f"{folder} is a file; --data takes the folder that holds {FILE}")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise SetupError(f"cannot make the folder {folder}: {fault.strerror}") from None
    try:
        path.touch(mode=0o600)
        _check_owner(path)
        connection = _connect_patiently(path)
    except (OSError, sqlite3.OperationalError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise SetupError(
            f"cannot write to {path} ({reason}): give this user the right to write there and "
            f"in {folder}, or choose another folder with --data"
        ) from None
    except sqlite3.DatabaseError as fault:
        raise _unreadable(path, fault) from None
    try:
        _migrate(connection, path)
        if path.stat().st_size <= checked_max:
            _look_through(connection, path)
        rows = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        return Identity(rows["epoch"], rows["salt"])
    except sqlite3.OperationalError as fault:
        raise SetupError(f"cannot open {path}: {fault}") from None
    except sqlite3.DatabaseError as fault:
        raise _unreadable(path, fault) from None
    finally:
        connection.close()


def connect(path: Path, read_only: bool) -> sqlite3.Connection:
    """Open one connection, set up as every connection here must be."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA temp_store = MEMORY")  # no text in files we do not know of
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    else:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
    return connection


def fold_log(folder: Path) -> None:
    """Leave one file where the last processes ended at the same moment: neither put its log away,
    as each saw the other."""
    with suppress(sqlite3.Error, OSError):
        _connect_patiently(folder / FILE).close()


def damaged(path: Path, what: str) -> SetupError:
    """Return the error that says so; `what` are SQLite's words."""
    return SetupError(f"{path} is damaged ({what}): put a copy of the folder in its place")


async def _run(connection: aiosqlite.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    # aiosqlite's public calls make one hop between threads a statement; a transaction of twenty
    # statements would pay twenty. This is the hop that they are all made of.
    return await connection._execute(work, connection._conn)  # type: ignore[no-any-return,no-untyped-call]  # noqa: SLF001


def _at_one_moment(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN")
    try:
        return work(connection)
    finally:
        connection.execute("COMMIT")


def _connect_patiently(path: Path) -> sqlite3.Connection:
    """Open the writing connection; the journal mode is set without SQLite's own waiting."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return connect(path, read_only=False)
        except sqlite3.OperationalError as fault:
            if _code(fault) != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.02)


def _connect_to_read(path: Path) -> sqlite3.Connection:
    return connect(path, read_only=True)


def _check_owner(path: Path) -> None:
    """Look before `connect` writes its journal mode into another program's file."""
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "it is read-only")
    if 0 < path.stat().st_size < SMALLEST:  # SQLite would take it for empty, and overwrite it
        raise _not_ours(path)
    stranger = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    with closing(stranger):
        stranger.execute("BEGIN")  # another process may be making the tables right now
        owner = stranger.execute("PRAGMA application_id").fetchone()[0]
        if owner != APPLICATION_ID and stranger.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise _not_ours(path)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")  # two processes may open a new file at once
    try:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > len(MIGRATIONS):
            raise SetupError(
                f"{path} was written by a newer feedserver (schema {found}, this one knows "
                f"{len(MIGRATIONS)}): install the newer version again"
            )
        for step in MIGRATIONS[found:]:
            for statement in _statements(step):
                connection.execute(statement)
        if found == 0:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("epoch", random_id(8)), ("salt", random_id(32))],
            )
        if found < len(MIGRATIONS):
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _look_through(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise damaged(path, found.splitlines()[-1])


def _statements(script: str) -> list[str]:
    # executescript would commit the transaction that the migration runs in.
    statements, rest = [], ""
    for part in script.split(";"):
        rest += part
        if sqlite3.complete_statement(rest + ";"):
            statements.append(rest)
            rest = ""
        else:
            rest += ";"
    return [statement for statement in statements if statement.strip()]


def _unreadable(path: Path, fault: sqlite3.DatabaseError) -> SetupError:
    if _code(fault) == sqlite3.SQLITE_CORRUPT:
        return damaged(path, str(fault))
    return _not_ours(path)


def _code(fault: sqlite3.Error) -> int:
    """Return SQLite's code for the kind of fault; 0 for Python's own."""
    return (getattr(fault, "sqlite_errorcode", None) or 0) & PRIMARY


def _not_ours(path: Path) -> SetupError:
    return SetupError(
        f"{path} is not a feedserver database: move it away, or choose another folder with --data"
    )
