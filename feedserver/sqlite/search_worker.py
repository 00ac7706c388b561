"""The work on the search file: in a thread of its own, step by step, for as long as we run."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import suppress
from functools import partial
from pathlib import Path

import aiosqlite

from feedserver.sqlite import search_file as files
from feedserver.sqlite.connecting import code_of, run
from feedserver.sqlite.database import Database
from feedserver.sqlite.search_index import Index

log = logging.getLogger("feedserver.search")

GATHER_SECONDS = 0.05  # from a commit to its indexing, so that others share it, unless in a hurry
LOCKED_SECONDS = 0.01  # until a step is tried again that another process kept out
RETRY_SECONDS = (0.1, 1.0, 10.0)  # between tries after a fault; the last one as long as it takes
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Worker:
    """Lets the search file follow the journal, and erases from it."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path
        self._woken = asyncio.Event()
        self._woken.set()  # something may be left from before a restart
        self._hurried = asyncio.Event()
        self._is_suspect = True
        self._is_damaged = False

    def wake(self) -> None:
        """Do soon what there is to do."""
        self._woken.set()

    def hurry(self) -> None:
        """Do at once what there is to do: somebody waits for it."""
        self._hurried.set()
        self._woken.set()

    def suspect(self) -> None:
        """Look whether all partitions still have their keys."""
        self._is_suspect = True
        self.hurry()

    def damaged(self) -> None:
        """Make the whole file anew."""
        self._is_damaged = True
        self.hurry()

    async def work(self) -> None:
        """Work until cancelled. Faults are logged, and tried again."""
        faults = 0
        while True:
            try:
                # An empty file is made where there is none.
                async with aiosqlite.Connection(partial(files.open_file, self._path), 64) as search:
                    await self._steps(search)
            except (sqlite3.Error, OSError) as fault:
                log.error("the search index cannot be written, will retry: %s", fault)
                if isinstance(fault, sqlite3.Error) and code_of(fault) in DAMAGE:
                    self._is_damaged = True
            await asyncio.sleep(RETRY_SECONDS[min(faults, len(RETRY_SECONDS) - 1)])
            faults += 1

    async def _steps(self, search: aiosqlite.Connection) -> None:
        database = self._database
        index = await run(search, lambda c: Index(c, database.path, database.keys, database.reader))
        try:
            while True:
                self._woken.clear()
                self._hurried.clear()
                rest = await self._step(search, index)
                if rest is None:
                    await self._woken.wait()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(GATHER_SECONDS):
                            await self._hurried.wait()
                elif rest > 0:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(rest):
                            await self._hurried.wait()
        finally:
            await run(search, lambda _: index.close())

    async def _step(self, search: aiosqlite.Connection, index: Index) -> float | None:
        is_damaged, is_suspect = self._is_damaged, self._is_suspect
        self._is_damaged = self._is_suspect = False

        def step(_: sqlite3.Connection) -> float | None:
            if is_damaged:
                index.wipe()
            if is_suspect:
                index.suspect()
            return index.step()

        try:
            return await run(search, step)
        except sqlite3.OperationalError as fault:
            if code_of(fault) != sqlite3.SQLITE_BUSY:
                raise
            return LOCKED_SECONDS  # by another process, which does the work meanwhile
