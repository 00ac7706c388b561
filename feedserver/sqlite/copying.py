"""Copy a database while others use it, open a copy, overwrite a file before it is removed."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from feedserver.errors import SetupError
from feedserver.sqlite.connecting import BUSY_SECONDS

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""

PAGES = 4096  # copied at once: 16 MiB, between two reports of the progress
CHUNK = 1 << 20  # bytes overwritten at once
BUSY_PAGES = 1000  # tries of one step of a copy while others hold the write lock, 10 ms each


def quiet(what: str, done: int, whole: int) -> None:
    """Report nothing."""


def copy_database(source: sqlite3.Connection, path: Path, progress: Progress = quiet) -> None:
    """Write what `source` sees to a new file, durably. In a transaction, it is of one moment."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # it is synced once, at the end
        copy.execute("PRAGMA journal_mode = OFF")
        copy_pages(source, copy, progress)
    sync_file(path)


def copy_pages(
    source: sqlite3.Connection, target: sqlite3.Connection, progress: Progress = quiet
) -> None:
    """Make the content of `target` that of `source`, in one transaction."""
    waits = 0

    def step(status: int, remaining: int, pages: int) -> None:
        nonlocal waits
        waits = waits + 1 if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} else 0
        if waits > BUSY_PAGES:
            raise SetupError(
                f"another process has held the database for {waits * 0.01:.0f} s: end it, "
                "then try again"
            )
        progress("copied", pages - remaining, pages)

    source.backup(target, pages=PAGES, progress=step, sleep=0.01)


def open_copy(path: Path) -> sqlite3.Connection:
    """Open a database that nobody uses, to read it; nothing beside it is made."""
    log = path.with_name(f"{path.name}-wal")
    # With a log beside it SQLite must make its index there; without one, nothing is needed.
    how = "" if log.exists() and log.stat().st_size else "&immutable=1"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro{how}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def overwrite(path: Path, progress: Progress = quiet) -> None:
    """Overwrite a file with zeros in its place, durably, and remove it."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        size, at = os.fstat(fd).st_size, 0
        while at < size:
            at += os.pwrite(fd, bytes(min(CHUNK, size - at)), at)
            progress("overwritten", at, size)
        os.fsync(fd)
    finally:
        os.close(fd)
    path.unlink()
    sync_folder(path.parent)


def write_file(path: Path, data: bytes) -> None:
    """Write a small file under its name, whole or not at all, durably."""
    partial = path.with_name(f"{path.name}.part")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)
    os.replace(partial, path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make what a file holds durable."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes, at: int) -> None:
    """Write at a place of an open file, however often the system takes only a part."""
    done = 0
    while done < len(data):
        done += os.pwrite(fd, data[done:], at + done)


@contextmanager
def alone(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder's own lock; raises SetupError where another process does `what` there."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"another process {what} {folder} right now") from None
        yield
    finally:
        os.close(fd)
