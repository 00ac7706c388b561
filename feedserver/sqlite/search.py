"""Search by words and tags: pages of what the index finds, which follows the journal."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from feedserver.errors import Unavailable
from feedserver.journal import Page
from feedserver.sqlite import search_file as files
from feedserver.sqlite.connecting import connect, connect_patiently
from feedserver.sqlite.database import Database
from feedserver.sqlite.folder import SEARCH
from feedserver.sqlite.rows import Newer
from feedserver.sqlite.search_file import NoIndex
from feedserver.sqlite.search_pool import Damaged, Finders
from feedserver.sqlite.search_query import Behind, Question, Suspect
from feedserver.sqlite.search_remake import newest_erasure
from feedserver.sqlite.search_terms import parse
from feedserver.sqlite.search_worker import Worker

log = logging.getLogger("feedserver.search")

ANSWER_SECONDS = 0.25  # for a whole search; then it is given up
LEVEL_SECONDS = 0.15  # of these, for the index to become level with the feed
POLL_SECONDS = 0.003  # between looks at how far the index is
CLEANED_POLL_SECONDS = 0.01
CLEAN_SECONDS = 60.0  # until whoever waits for the cleaning looks at all that is due again
BEHIND = "the search index is not up to date yet; try again soon"
BROKEN = "search does not work at the moment; try again later"


class Search:
    """Finds items by tag and words. Made by `open_search`."""

    def __init__(self, database: Database) -> None:
        self.path = database.path.with_name(SEARCH)
        self.worker = Worker(database, self.path)
        self.finders = Finders(database, self.path)
        self._database = database
        self._glance: tuple[files.Identity | None, sqlite3.Connection] | None = None
        self._cleaned_to = 0

    @property
    def position(self) -> int:
        """The newest record that is indexed. Takes some 10 µs."""
        return self._fact("position", 0)

    @property
    def cleaned_to(self) -> int:
        """The newest kill or redact of whose words no terms are left. Takes some 10 µs."""
        self._cleaned_to = self._fact("cleaned_to", self._cleaned_to)
        return self._cleaned_to

    def wake(self) -> None:
        """Index new records soon, whoever committed them."""
        self.worker.wake()

    async def clean(self) -> None:
        """Wait until no terms are left of all that is erased by now. Raises Unavailable."""
        keys = self._database.keys
        newest = await self._database.read(lambda c: newest_erasure(c, keys))
        try:
            async with asyncio.timeout(CLEAN_SECONDS):
                with self.worker.awaited():
                    while self.cleaned_to < newest:  # noqa: ASYNC110
                        await asyncio.sleep(CLEANED_POLL_SECONDS)
        except TimeoutError:
            raise Unavailable("the search file still holds terms of withdrawn words") from None

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
        question = Question(slug, limit, before, tag, parse(tag, words), began + ANSWER_SECONDS)
        while True:
            settles = time.monotonic() >= began + LEVEL_SECONDS
            try:
                return await self.finders.page(question, settles=settles)
            except (Behind, Suspect) as fault:
                if isinstance(fault, Suspect):
                    self.worker.suspect()
                if settles:
                    raise Unavailable(BEHIND) from None
                await self._become_level(began + LEVEL_SECONDS)
            except Damaged as damage:
                self.worker.replace(damage.identity)
                raise Unavailable(BROKEN) from None
            except Newer:
                raise Unavailable(BROKEN) from None
            except sqlite3.Error as fault:
                log.error("the search file cannot be read: %s", fault)
                raise Unavailable(BROKEN) from fault

    async def close(self) -> None:
        """Close all that is open."""
        await self.finders.close()
        self._close_glance()

    async def _become_level(self, deadline: float) -> None:
        newest = self._database.newest_sequence()
        with self.worker.awaited():
            while True:
                await asyncio.sleep(POLL_SECONDS)
                if self.position >= newest or time.monotonic() >= deadline:
                    return

    def _fact(self, name: str, otherwise: int) -> int:
        """Read a fact of the search file in the loop's own thread: it is one small page."""
        try:
            here = files.identity_of(self.path)
            if self._glance is not None and self._glance[0] != here:
                self._close_glance()
            if self._glance is None:
                self._glance = here, connect(self.path, read_only=True)
            return int(files.meta_of(self._glance[1])[name])
        except (sqlite3.Error, OSError, NoIndex, KeyError):
            return otherwise

    def _close_glance(self) -> None:
        if self._glance is not None:
            self._glance[1].close()
            self._glance = None


@asynccontextmanager
async def open_search(database: Database, *, serves: bool = True) -> AsyncIterator[Search]:
    """Open search over `database`. Its file may be missing, or behind: it is made in time.

    One that does not serve leaves that to those that do.
    """
    search = Search(database)
    task = None
    if serves and not database.is_read_only:
        task = asyncio.create_task(search.worker.work())
    try:
        yield search
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await search.close()
        if task is not None:
            # Those who only read closed last: they cannot put the log away.
            await asyncio.to_thread(_fold_log, search.path)


def _fold_log(path: Path) -> None:
    with suppress(sqlite3.Error, OSError):
        if path.exists():
            connect_patiently(path).close()
