"""What the writer does while it is recorded: each verb, kills, redacts, retries, faults, a restart.

After each step that was acknowledged a mark says so: the newest record, the hash of the state, the
records whose words are gone, the last request that can be sent again, and the words that the search
must have forgotten. Another mark is made before words are sealed, and names the key.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from power.recording import mark
from support.archive import Archive, hash_of, open_archive
from support.records import NOON, post

from feedserver.model import Item, Verb
from feedserver.sqlite import erasing, journal, keys, rows, writer
from feedserver.sqlite.backup import back_up
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.folder import DATABASE, Files
from feedserver.sqlite.ledger import Ledger
from feedserver.sqlite.opening import open_keys

DATA, BACKUP = "data", "backup"  # the newsroom's folder and a backup, in the one that is recorded
AHEAD = 16  # keys drawn ahead, so that the story crosses the end of them more than once
LOG_PAGES = 16  # of SQLite's log, after which it is written into the database


def note_keys() -> None:
    """Make a mark before each sealing; call once."""
    stored = rows.store_record

    def noting(connection: Any, record: Any, change: Any, key: bytes) -> None:
        mark(sealed=change.sequence, key=key.hex())
        stored(connection, record, change, key)

    rows.store_record = noting


def draw_few_ahead() -> None:
    """Have few keys drawn ahead."""
    keys.AHEAD = journal.AHEAD = AHEAD
    keys.REFILL_BELOW = AHEAD // 2
    keys.RESERVED = AHEAD // 8


class Desk:
    """Does the steps and marks them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._archive: Archive | None = None
        self._gone: set[int] = set()
        self._forgotten: list[str] = []
        self._retry: dict[str, Any] = {}
        self._backup = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Open the newsroom, which is made where there is none."""
        async with open_archive(self.folder) as self._archive:
            set_log = f"PRAGMA wal_autocheckpoint = {LOG_PAGES}"
            await self.archive.storage.database.write(lambda c: c.execute(set_log).fetchall())
            await self.acked()
            yield

    @property
    def archive(self) -> Archive:
        assert self._archive is not None
        return self._archive

    async def acked(self) -> None:
        """Mark that all so far was acknowledged."""
        journal = self.archive.storage.journal
        mark(
            acked=await journal.head(),
            hash=hash_of(self.folder),
            epoch=journal.identity.epoch,
            gone=sorted(self._gone),
            forgotten=self._forgotten,
            retry=self._retry,
            backup=self._backup,
        )

    async def item(self, verb: Verb, item: Item | None = None, **raw: Any) -> Item:
        outcome = await self.archive.do(verb, item, **raw)
        if verb is Verb.POST and "key" in raw:
            self._retry = {"at": outcome.item.version, "raw": raw}
        if verb is Verb.KILL:
            revisions = await self.archive.storage.mirror.revisions("world", outcome.item.id)
            self._gone |= {one.version for one in revisions} - {outcome.item.version}
        self._gone |= set(outcome.redacted)
        await self.acked()
        return outcome.item

    async def forgotten(self, *words: str) -> None:
        """Wait until the search has forgotten these words, and mark it."""
        await self.archive.purged()
        self._forgotten = [*self._forgotten, *words]
        await self.acked()

    async def backed_up(self) -> None:
        """Make a backup, and mark it."""
        target = self.folder.with_name(BACKUP)
        made = await asyncio.to_thread(back_up, self.folder, target, NOON)
        self._backup = made.newest
        await self.acked()


async def write(folder: Path) -> None:
    desk = Desk(folder)
    async with desk.opened():
        await _every_verb(desk)
        await _a_full_disk(desk)
        await desk.backed_up()
        await desk.item(Verb.POST, headline="Not in the first backup")
        await desk.backed_up()
    async with desk.opened():  # after a clean end: its log is gone
        await _others_that_die(desk)


async def _every_verb(desk: Desk) -> None:
    archive = desk.archive
    item = await desk.item(Verb.POST, headline="Bus hit", body="Seven hurt", key="bus")
    item = await desk.item(Verb.FIX, item, tags=["bus"])
    item = await desk.item(Verb.UPDATE, item, body="Four hurt", key="four")
    item = await desk.item(Verb.CORRECT, item, headline="Bus was hit", note="It was four")
    item = await desk.item(Verb.PIN, item)
    item = await desk.item(Verb.HOLD, item, note="denied")
    item = await desk.item(Verb.RELEASE, item)
    wrong = await desk.item(Verb.POST, headline="Grivna falls", body="Zolotnik")
    wrong = await desk.item(Verb.FIX, wrong, body="Arshin")
    named = await desk.item(Verb.POST, headline="Ivan Secretov won", key="named")
    version = named.version
    named = await desk.item(Verb.UPDATE, named, headline="A man won")
    await archive.feed(summary="- One\n- Two")
    await archive.feed(summary="- Two", description="The world")
    await desk.acked()
    await desk.item(Verb.KILL, wrong, note="It was wrong", key="kill")
    await desk.item(Verb.REDACT, named, version=version, note="a name")
    await desk.forgotten("grivna", "zolotnik", "arshin", "secretov")
    retried = await archive.do(Verb.POST, headline="Ivan Secretov won", key="named")
    assert retried.replayed
    for group in range(2):
        await asyncio.gather(
            *(
                archive.do(Verb.POST, headline=f"News {group} {number}", body="x" * 300)
                for number in range(12)
            )
        )
        await desk.acked()
    await archive.room.revoke_token("ida")
    await desk.item(Verb.POST, headline="After many", key="many")


async def _a_full_disk(desk: Desk) -> None:
    stored = rows.store_record

    def failing(*given: Any) -> None:
        stored(*given)
        raise sqlite3.OperationalError("database or disk is full")

    rows.store_record = failing
    with pytest.raises(Exception, match="cannot be written"):
        await desk.item(Verb.POST, headline="Lost")
    rows.store_record = stored
    await desk.item(Verb.POST, headline="There is room again")


async def _others_that_die(desk: Desk) -> None:
    folder = desk.folder
    item = await desk.item(Verb.POST, headline="Living words")
    for number in (1, 4):
        await asyncio.to_thread(_dies, "seal", folder, number)
        await desk.item(Verb.POST, headline=f"After {number} dead ones", key=f"dead {number}")
    await asyncio.to_thread(_dies, "fill", folder)
    for number in range(AHEAD + 3):  # with keys that the dead one has drawn
        item = await desk.item(Verb.POST, headline=f"filled{number}")
    await asyncio.to_thread(_dies, "seal", folder, 2)
    await desk.item(Verb.KILL, item, note="Withdrawn")
    await asyncio.to_thread(_dies, "kill", folder, item.id - 1)
    await desk.item(Verb.POST, headline="The last", key="last")
    await desk.forgotten(f"filled{AHEAD + 2}")


def _dies(how: str, *words: object) -> None:
    done = subprocess.run([sys.executable, "-m", "power.story", how, *map(str, words)], check=False)
    assert done.returncode == -signal.SIGKILL


def _die(*_: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def seal_and_die(folder: Path, count: int) -> None:
    """Seal words, and let some into SQLite's log, but die before the COMMIT."""
    key_file = open_keys(folder, read_only=False)
    connection = connect(folder / DATABASE, read_only=False)
    connection.execute("PRAGMA cache_spill = 1")
    connection.execute("PRAGMA cache_size = 1")
    decide = writer._decide

    def dying(*given: Any) -> Any:
        decide(*given)
        _die()

    writer._decide = dying
    group = [post(f"Dead {number}", body="x" * 5000) for number in range(count)]
    ledger = Ledger(key_file, rows.Reader(key_file))
    writer.transact(connection, ledger, Files(folder / DATABASE, key_file), group)


def fill_and_die(folder: Path) -> None:
    """Draw keys ahead, and die before they are synced."""
    key_file = open_keys(folder, read_only=False)
    os.fdatasync = _die
    key_file.fill(key_file.end, 2 * AHEAD)


def kill_and_die(folder: Path, item: int) -> None:
    """Withdraw an item, and die right behind the COMMIT."""
    erasing.destroy_keys = _die

    async def kill() -> None:
        async with open_archive(folder) as archive:
            found = await archive.storage.mirror.item("world", item)
            await archive.do(Verb.KILL, found, note="Withdrawn")

    asyncio.run(kill())


if __name__ == "__main__":
    draw_few_ahead()
    note_keys()
    match sys.argv[1:]:
        case ["write", folder]:
            asyncio.run(write(Path(folder)))
        case ["seal", folder, count]:
            seal_and_die(Path(folder), int(count))
        case ["fill", folder]:
            fill_and_die(Path(folder))
        case ["kill", folder, item]:
            kill_and_die(Path(folder), int(item))
