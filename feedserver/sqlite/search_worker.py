"""The work on the search file: in a thread of its own, step by step, for as long as we run."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiosqlite

from feedserver.errors import Unavailable
from feedserver.sqlite import search_file as files
from feedserver.sqlite.connecting import code_of, open_in_thread, run
from feedserver.sqlite.database import Database
from feedserver.sqlite.rows import Newer
from feedserver.sqlite.search_index import Index

log = logging.getLogger("feedserver.search")

GATHER_SECONDS = 0.05  # from a commit to its indexing, so that others share it, unless in a hurry
REST_TIMES = 3  # what a step took: news comes before search, unless somebody waits for that
LOCKED_SECONDS = 0.01  # until a step is tried again that another process kept out
RETRY_SECONDS = (0.1, 1.0, 10.0)  # between tries after a fault; the last one as long as it takes


class Worker:
    """Lets the search file follow the journal, and erases from it."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path
        self._woken = asyncio.Event()
        self._woken.set()  # something may be left from before a restart
        self._hurried = asyncio.Event()
        self._waiting = 0  # who waits for the work
        self._is_suspect = True
        self._damaged: files.Identity | None = None  # the file that is to be made anew
        self._faults = 0  # one after the other

    def wake(self) -> None:
        """Do soon what there is to do."""
        self._woken.set()

    def hurry(self) -> None:
        """Do at once what there is to do."""
        self._hurried.set()
        self._woken.set()

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Do without pauses what there is to do: somebody waits for it."""
        self._waiting += 1
        self.hurry()
        try:
            yield
        finally:
            self._waiting -= 1

    def suspect(self) -> None:
        """Look whether all partitions still have their keys."""
        self._is_suspect = True
        self.hurry()

    def replace(self, damaged: files.Identity | None) -> None:
        """Make the file of this identity anew, as it is damaged."""
        self._damaged = damaged
        self.hurry()

    async def work(self) -> None:
        """Work until cancelled. Faults are logged, and tried again: the news does not need this."""
        keys = self._database.keys
        while True:
            here = files.identity_of(self._path)
            try:
                self._database.files.check()  # or a file would be made where no newsroom is
                if self._damaged is not None:
                    await self._remove_damaged()
                search = await open_in_thread(lambda: files.open_file(self._path, keys))
                try:
                    await self._steps(search)
                finally:
                    await search.close()
                continue  # with another file
            except Exception as fault:
                self._report(fault)
                if isinstance(fault, sqlite3.Error) and code_of(fault) in files.DAMAGE:
                    self._damaged = here
            await asyncio.sleep(RETRY_SECONDS[min(self._faults, len(RETRY_SECONDS)) - 1])

    async def _remove_damaged(self) -> None:
        log.error("the search file is damaged and is made anew")
        keys, damaged = self._database.keys, self._damaged
        await asyncio.to_thread(files.replace_file, self._path, keys, damaged)
        self._damaged = None

    def _report(self, fault: Exception) -> None:
        self._faults += 1
        if self._faults == 1:  # and not again with each try
            expected = isinstance(fault, (sqlite3.Error, OSError, Newer, Unavailable))
            log.error(
                "the search index is not kept up to date, will retry: %s",
                fault,
                exc_info=None if expected else fault,
            )

    async def _steps(self, search: aiosqlite.Connection) -> None:
        """Take steps until the file is damaged, or another one is in its place."""
        database, opened = self._database, files.identity_of(self._path)
        index = await run(search, lambda c: Index(c, database.path, database.keys, database.reader))
        try:
            while self._damaged is None and files.identity_of(self._path) == opened:
                self._woken.clear()
                self._hurried.clear()
                began = time.monotonic()
                rest = await self._step(search, index)
                took = time.monotonic() - began
                if rest is None:
                    self._faults = 0
                    await self._woken.wait()
                    rest = 0 if self._waiting else GATHER_SECONDS
                if not self._waiting:
                    rest = max(rest, REST_TIMES * took)
                with suppress(TimeoutError):
                    async with asyncio.timeout(rest):
                        await self._hurried.wait()
        finally:
            await run(search, lambda _: index.close())

    async def _step(self, search: aiosqlite.Connection, index: Index) -> float | None:
        is_suspect, self._is_suspect = self._is_suspect, False

        def step(_: sqlite3.Connection) -> float | None:
            if is_suspect:
                index.suspect()
            return index.step()

        try:
            return await run(search, step)
        except sqlite3.OperationalError as fault:
            if code_of(fault) != sqlite3.SQLITE_BUSY:
                raise
            return LOCKED_SECONDS  # by another process, which does the work meanwhile
