"""The work that a kill or redact leaves behind, done beside the posts until it is finished."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable

from feedserver.errors import Unavailable
from feedserver.journal import Purge
from feedserver.sqlite.database import Database
from feedserver.sqlite.erasing import NEWEST, destroy_keys, is_due, newest_erasure, unfinished
from feedserver.sqlite.rows import newest_sequence

log = logging.getLogger("feedserver.purge")

RETRY_SECONDS = (0.02, 0.1, 0.5, 2.0, 10.0)  # between tries; the last one for as long as it takes
POLL_SECONDS = 0.01  # between looks at what another process still has to do


class Eraser:
    """The work that a kill or redact leaves behind, done beside the posts."""

    def __init__(
        self,
        database: Database,
        clean: Callable[[], Awaitable[None]],
        cleaned_to: Callable[[], int],
    ) -> None:
        """`clean` cleans what is derived from words; `cleaned_to` says up to which record."""
        self._database = database
        self._clean = clean
        self._cleaned_to = cleaned_to
        self._wanted = asyncio.Event()
        self._wanted.set()  # something may be left from before a restart

    def start(self) -> None:
        """Begin, or begin again: words were withdrawn."""
        self._wanted.set()

    async def unfinished(self) -> tuple[Purge, ...]:
        """Return what is not done yet, by any process."""
        keys = self._database.keys
        done = self._cleaned_to()
        return tuple(await self._database.read(lambda c: unfinished(c, keys, done)))

    async def done_within(self, timeout: float, version: int = NEWEST) -> bool:
        """Wait until nothing is left to do, by any process; False after `timeout` seconds.

        With a version: nothing of the kills and redacts up to it; others may go on and on.
        """
        keys = self._database.keys
        try:
            async with asyncio.timeout(timeout):
                last = await self._database.read(lambda c: newest_erasure(c, version))
                # Many may wait at once: a look costs them no read of the database.
                while min(keys.erased_to or 0, self._cleaned_to()) < last:  # noqa: ASYNC110
                    await asyncio.sleep(POLL_SECONDS)
        except (TimeoutError, Unavailable):
            return False
        return True

    async def work(self) -> None:
        """Erase whenever it is wanted, until cancelled. Backs off while it fails."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            attempt = 0
            while not await self._attempt():
                await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
                attempt += 1

    async def _attempt(self) -> bool:
        try:
            if not await self._database.write(self._destroy):
                return False
            await self._clean()
        except (sqlite3.Error, OSError, Unavailable) as fault:
            log.warning("withdrawn words are not all erased, will retry: %s", fault)
            return False
        return True

    def _destroy(self, connection: sqlite3.Connection) -> bool:
        keys = self._database.keys
        if not is_due(connection, keys):
            return True
        connection.execute("BEGIN IMMEDIATE")
        try:
            # A restore puts another journal's keys in place before its data.
            self._database.files.check()
            keys.redraw(newest_sequence(connection), only_taken=True)
        finally:
            connection.execute("ROLLBACK")
        return destroy_keys(connection, keys)
