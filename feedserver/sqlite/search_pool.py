"""The connections that searches run on: a few, each in a thread of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

import aiosqlite

from feedserver.errors import Unavailable
from feedserver.journal import Page
from feedserver.sqlite import search_file as files
from feedserver.sqlite.connecting import code_of, connect, open_in_thread, run
from feedserver.sqlite.database import Database
from feedserver.sqlite.search_query import Behind, Finder, Question

FINDERS = 2  # searches at once in one process
BUSY = "too many searches at once; try again soon"


class Damaged(Exception):
    """The search file of this identity is damaged."""

    def __init__(self, identity: files.Identity | None) -> None:
        self.identity = identity


@dataclass(eq=False, slots=True)
class _Opened:
    """A finder, with its connection to the search file of this identity."""

    identity: files.Identity
    connection: aiosqlite.Connection
    finder: Finder

    async def close(self) -> None:
        await run(self.connection, lambda _: self.finder.close())
        await self.connection.close()


class Finders:
    """Answers questions, so many at once; opened when they are first needed."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path
        self._turns = asyncio.Semaphore(FINDERS)
        self._idle: list[_Opened] = []

    async def page(self, question: Question, *, settles: bool) -> Page | None:
        """Return what a Finder does. Raises what it raises, and Damaged."""
        try:
            async with asyncio.timeout(question.deadline - time.monotonic()):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable(BUSY) from None
        identity = files.identity_of(self._path)
        try:
            opened = await self._take(identity)
            try:
                return await run(
                    opened.connection, lambda _: opened.finder.page(question, settles=settles)
                )
            finally:
                self._idle.append(opened)
        except sqlite3.DatabaseError as fault:
            if code_of(fault) not in files.DAMAGE:
                raise
            raise Damaged(identity) from fault
        finally:
            self._turns.release()

    async def close(self) -> None:
        """Close all that is open."""
        while self._idle:
            await self._idle.pop().close()

    async def _take(self, identity: files.Identity | None) -> _Opened:
        while self._idle:
            opened = self._idle.pop()
            if opened.identity == identity:
                return opened
            await opened.close()  # another file is in its place
        if identity is None:
            raise Behind
        database = self._database
        connection = await open_in_thread(lambda: connect(self._path, read_only=True))
        try:
            finder = await run(
                connection, lambda c: Finder(c, database.path, database.keys, database.reader)
            )
        except BaseException:
            await connection.close()
            raise
        return _Opened(identity, connection, finder)
