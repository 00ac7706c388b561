"""After a kill: get the words out of the files, however long a reader may stand in the way."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

from feedserver.errors import Unavailable
from feedserver.sqlite.database import BUSY_SECONDS, Database

log = logging.getLogger("feedserver.purge")

CHECKPOINT_MS = 100  # that a checkpoint waits for readers who still look into the WAL
RETRY_SECONDS = (0.01, 0.05, 0.2, 1.0)  # the last one for as long as it takes


class Purge:
    """The work that a kill leaves behind, durable in the table `purges` until it is done."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rewritten: set[int] = set()
        self._wanted = asyncio.Event()
        self._wanted.set()  # something may be left from before a restart
        self._done = asyncio.Event()

    def start(self) -> None:
        """Begin, or begin again: an item was killed."""
        self._done.clear()
        self._wanted.set()

    async def done_within(self, patience: float) -> bool:
        """Wait up to `patience` seconds until nothing is left to purge, by any process."""
        try:
            async with asyncio.timeout(patience):
                await self._done.wait()
                while await self._database.read(unfinished):  # noqa: ASYNC110
                    await asyncio.sleep(RETRY_SECONDS[0])
        except (TimeoutError, Unavailable):
            return False
        return True

    async def work(self) -> None:
        """Purge whenever it is wanted, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            attempt = 0
            while not await self._attempt():
                await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
                attempt += 1
            if not self._wanted.is_set():
                self._done.set()

    async def _attempt(self) -> bool:
        try:
            return await self._database.write(lambda c: purge(c, self._rewritten))
        except sqlite3.Error as fault:
            log.warning("words of a killed item are still in a file, will retry: %s", fault)
            return False


def unfinished(connection: sqlite3.Connection) -> int:
    """Count the killed items whose words may still be in a file."""
    count: int = connection.execute("SELECT count(*) FROM purges").fetchone()[0]
    return count


def purge(connection: sqlite3.Connection, rewritten: set[int]) -> bool:
    """Rewrite the file and empty the WAL if anything was killed; say whether that is done.

    `rewritten` keeps what the file was rewritten for already, when only the WAL is left to do.
    secure_delete overwrites what is deleted, but not the copies that rebalancing a page leaves in
    its free space (seen in 1 of 120 kills). Only VACUUM is certain: some 5 s a GB.
    """
    killed = [row[0] for row in connection.execute("SELECT item FROM purges")]
    if not killed:
        return True
    if not rewritten.issuperset(killed):
        _rewrite(connection)
        rewritten.update(killed)
    if not _empty_wal(connection):
        return False
    connection.executemany("DELETE FROM purges WHERE item = ?", [(item,) for item in killed])
    return True


def _rewrite(connection: sqlite3.Connection) -> None:
    # Deleted words live on in FTS5's segments until these are merged into one. Not within the kill:
    # it takes a second at 100,000 items, and room that a full disk has not.
    connection.execute("INSERT INTO words (words) VALUES ('optimize')")
    try:
        connection.execute("PRAGMA temp_store = FILE")  # it holds what stays, and is as large
        connection.execute("VACUUM")
    finally:
        connection.execute("PRAGMA temp_store = MEMORY")


def _empty_wal(connection: sqlite3.Connection) -> bool:
    # News waits as long. But without a wait, many readers and posts would keep it out for long.
    connection.execute(f"PRAGMA busy_timeout = {CHECKPOINT_MS}")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
