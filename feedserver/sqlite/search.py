"""Search by words and tags: pages of what the index finds, which follows the journal."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiosqlite

from feedserver.errors import Unavailable
from feedserver.journal import Page
from feedserver.sqlite import search_file as files
from feedserver.sqlite.connecting import code_of, connect, connect_patiently, open_in_thread, run
from feedserver.sqlite.database import Database
from feedserver.sqlite.folder import SEARCH
from feedserver.sqlite.search_file import NoIndex
from feedserver.sqlite.search_query import Behind, Finder, Question, Suspect
from feedserver.sqlite.search_remake import newest_erasure
from feedserver.sqlite.search_terms import parse
from feedserver.sqlite.search_worker import DAMAGE, Worker

log = logging.getLogger("feedserver.search")

FINDERS = 2  # searches at once in one process
ANSWER_SECONDS = 0.25  # for a whole search; then it is given up
LEVEL_SECONDS = 0.15  # of these, for the index to become level with the feed
POLL_SECONDS = 0.003  # between looks at how far the index is
CLEANED_POLL_SECONDS = 0.01
BEHIND = "the search index is not up to date yet; try again soon"
BUSY = "too many searches at once; try again soon"
BROKEN = "search does not work at the moment; try again later"


class Search:
    """Finds items by tag and words. Made by `open_search`."""

    def __init__(self, database: Database, opened: AsyncExitStack) -> None:
        """What is opened later is closed by `opened`."""
        self._database = database
        self.path = database.path.with_name(SEARCH)
        self.worker = Worker(database, self.path)
        self._opened = opened
        self._finders = 0
        self._free: asyncio.LifoQueue[tuple[aiosqlite.Connection, Finder]] = asyncio.LifoQueue()
        self._facts: sqlite3.Connection | None = None
        self._cleaned_to = 0

    @property
    def cleaned_to(self) -> int:
        """The newest kill or redact of whose words no terms are left. Takes some 10 µs."""
        self._cleaned_to = self._fact("cleaned_to", self._cleaned_to)
        return self._cleaned_to

    def wake(self) -> None:
        """Index new records soon, whoever committed them."""
        self.worker.wake()

    async def clean(self) -> None:
        """Wait until no terms are left of all that is erased by now."""
        keys = self._database.keys
        newest = await self._database.read(lambda c: newest_erasure(c, keys))
        while self.cleaned_to < newest:
            self.worker.hurry()
            await asyncio.sleep(CLEANED_POLL_SECONDS)

    async def page(
        self,
        slug: str,
        limit: int,
        before: tuple[int, int] | None,
        tag: str | None,
        words: str | None,
    ) -> Page | None:
        """Return a page of what is found, complete; None if there is no such feed.

        It is as of the feed's head, or of a little earlier where the index does not become level
        in time. Raises Unavailable where there is no complete answer in time.
        """
        began = time.monotonic()
        question = Question(slug, limit, before, parse(tag, words), began + ANSWER_SECONDS)
        while True:
            settles = time.monotonic() >= began + LEVEL_SECONDS
            try:
                return await self._ask(question, settles=settles)
            except Behind:
                if settles:
                    raise Unavailable(BEHIND) from None
                await self._become_level(began + LEVEL_SECONDS)
            except Suspect:
                self.worker.suspect()
                raise Unavailable(BEHIND) from None

    async def _become_level(self, deadline: float) -> None:
        self.worker.hurry()
        newest = self._database.newest_sequence()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if self._fact("position", 0) >= newest or time.monotonic() >= deadline:
                return

    def _fact(self, name: str, otherwise: int) -> int:
        try:
            if self._facts is None:
                self._facts = connect(self.path, read_only=True)
                self._opened.callback(self._facts.close)
            return int(files.meta_of(self._facts)[name])
        except (sqlite3.Error, NoIndex, KeyError):
            return otherwise

    async def _ask(self, question: Question, *, settles: bool) -> Page | None:
        try:
            async with asyncio.timeout(question.deadline - time.monotonic()):
                connection, finder = await self._finder()
        except TimeoutError:
            raise Unavailable(BUSY) from None
        try:
            return await run(connection, lambda _: finder.page(question, settles=settles))
        except sqlite3.Error as fault:
            log.error("the search file cannot be read: %s", fault)
            if code_of(fault) in DAMAGE:
                self.worker.damaged()
            raise Unavailable(BROKEN) from fault
        finally:
            self._free.put_nowait((connection, finder))

    async def _finder(self) -> tuple[aiosqlite.Connection, Finder]:
        if not self._free.empty() or self._finders == FINDERS:
            return await self._free.get()
        if not self.path.exists():
            raise Behind
        self._finders += 1
        try:
            connection = await self._opened.enter_async_context(
                open_in_thread(self.path, read_only=True)
            )
            database = self._database
            finder = await run(
                connection, lambda c: Finder(c, database.path, database.keys, database.reader)
            )
        except BaseException:
            self._finders -= 1
            raise
        self._opened.push_async_callback(run, connection, lambda _: finder.close())
        return connection, finder


@asynccontextmanager
async def open_search(database: Database, *, serves: bool = True) -> AsyncIterator[Search]:
    """Open search over `database`. Its file may be missing, or behind: it is made in time.

    One that does not serve leaves that to those that do.
    """
    async with AsyncExitStack() as opened:
        search = Search(database, opened)
        if database.is_read_only or not serves:
            yield search
            return
        task = asyncio.create_task(search.worker.work())
        try:
            yield search
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    # Those who only read closed last: they cannot put the log away.
    await asyncio.to_thread(_fold_log, search.path)


def _fold_log(path: Path) -> None:
    with suppress(sqlite3.Error, OSError):
        if path.exists():
            connect_patiently(path).close()
