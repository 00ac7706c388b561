"""Connections to a SQLite file, set up as every connection here must be, behind aiosqlite."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite

T = TypeVar("T")

BUSY_SECONDS = 5.0  # how long a commit waits for another process's
FETCHED = 64  # rows that aiosqlite takes at once
PRIMARY = 0xFF  # the part of SQLite's error codes that names the kind


class _Answer:
    """What a function returned, in the form of a cursor that aiosqlite fetches all of."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def fetchall(self) -> Any:
        """Return what the function returned."""
        return self._value


class Connection(sqlite3.Connection):
    """A connection that also runs functions of itself, in place of statements.

    So a transaction of twenty statements takes one hop to aiosqlite's thread, not twenty.
    """

    def execute(self, statement: Any, parameters: Any = (), /) -> Any:
        """Execute a statement, or call a function with this connection."""
        if callable(statement):
            return _Answer(statement(self))
        return super().execute(statement, parameters)


async def run(connection: aiosqlite.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Run `work` in the connection's thread, in one hop."""
    return cast("T", await connection.execute_fetchall(cast("str", work)))


async def open_in_thread(opening: Callable[[], sqlite3.Connection]) -> aiosqlite.Connection:
    """Open a connection in a thread of its own, and return it. Raises what `opening` does.

    Where this is cancelled, the thread has ended before that is told: it would answer a loop that
    may be closed by then.
    """
    connection = aiosqlite.Connection(opening, FETCHED)
    task = asyncio.ensure_future(connection)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if task.exception() is None:
            await connection.close()
        raise


def connect(path: Path, *, read_only: bool, wal: bool = True) -> Connection:
    """Open one connection. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        uri_of(path, read_only=read_only),
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
    connection.execute("PRAGMA temp_store = MEMORY")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    elif wal:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    return connection


def uri_of(path: Path, *, read_only: bool) -> str:
    """Return how SQLite is told to open a file."""
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    log = path.with_name(path.name + "-wal")
    if (
        read_only
        and not os.access(path.parent, os.W_OK)
        and not (log.exists() and log.stat().st_size)
    ):
        # On a read-only file system SQLite cannot make the shared memory that it wants here.
        uri += "&immutable=1"
    return uri


def connect_patiently(path: Path, *, wal: bool = True) -> Connection:
    """Open the writing connection; the journal mode is set without SQLite's own waiting."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return connect(path, read_only=False, wal=wal)
        except sqlite3.OperationalError as fault:
            if code_of(fault) != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.02)


def code_of(fault: sqlite3.Error) -> int:
    """Return SQLite's code for the kind of fault; 0 for Python's own."""
    return (getattr(fault, "sqlite_errorcode", None) or 0) & PRIMARY
