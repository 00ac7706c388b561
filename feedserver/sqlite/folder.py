"""The data folder: which files are ours, who is in it, and whether they are still the same files.

`lock` is held shared by every process that works on the folder, and exclusively by whoever makes
or migrates its files. Its bytes are the ballast.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feedserver.errors import SetupError, Unavailable
from feedserver.sqlite import keys, slots
from feedserver.sqlite.ballast import Ballast

DATABASE = "feed.db"
LOCK = "lock"
SEARCH = "search.db"
RESTORE = "restore.json"  # while it stands, a restore is under way
BEFORE = "before-restore-"  # begins the names of the folders that restores set aside
OURS = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", keys.FILE)
LOCK_SECONDS = 10.0  # how long the making of a newsroom by another process is waited for


class NoNewsroom(SetupError):
    """The folder holds none of our files."""


class Restoring(SetupError):
    """A restore is under way in the folder, or was cut short."""


class Files:
    """The database and the keys as they were opened; tells when they are no longer in place."""

    def __init__(self, database: Path, key_file: keys.KeyFile) -> None:
        self.database = database
        self.ballast = Ballast(database.with_name(LOCK))
        self._expected = {database: _identity(database), key_file.path: key_file.identity}

    def moved(self) -> str | None:
        """Say which file was moved, replaced or deleted since it was opened; None if none was."""
        for path, expected in self._expected.items():
            try:
                if _identity(path) != expected:
                    return f"{path} was replaced while the server ran: restart it"
            except OSError:
                return f"{path} was moved or deleted while the server ran: put it back"
        return None

    def check(self) -> None:
        """Raise Unavailable if a file was moved or is being restored: a record would be lost."""
        if moved := self.moved():
            raise Unavailable(f"nothing can be written: {moved}", retry_after=10)
        if unfinished := unfinished_restore(self.database.parent):
            raise Unavailable(f"nothing can be written: {unfinished}", retry_after=10)


def check(folder: Path) -> None:
    """Look at the folder before anything is opened in it.

    Raises NoNewsroom, Restoring, SetupError.
    """
    if folder.is_file():
        raise SetupError(f"{folder} is a file; --data takes the folder that holds {DATABASE}")
    if not_folder := next((path for path in folder.parents if path.is_file()), None):
        raise SetupError(
            f"cannot use {folder}: {not_folder} is not a folder; choose another one with --data"
        )
    if unfinished := unfinished_restore(folder):
        raise Restoring(unfinished)
    path = folder / DATABASE
    if path.exists() and (path.is_dir() or path.stat().st_size):
        return
    found = [name for name in OURS[1:] if (folder / name).exists()]
    if found and not _is_leftover(folder, found):
        raise SetupError(
            f"{folder} holds {' and '.join(found)} but no {DATABASE}: put {DATABASE} back in its "
            "place; nothing was touched"
        )
    raise NoNewsroom(f"there is no newsroom in {folder}")


def unfinished_restore(folder: Path) -> str | None:
    """Say what to do where a restore is under way or was cut short; None where none was."""
    try:
        raw = (folder / RESTORE).read_bytes()
    except OSError:
        return None
    source = "DIR"
    with contextlib.suppress(ValueError, KeyError, TypeError):
        source = str(json.loads(raw)["source"])
    command = f"feedserver restore {shlex.quote(source)} --data {shlex.quote(str(folder))}"
    return f"a restore is under way or was cut short; to finish it: {command}"


@contextmanager
def occupied(folder: Path, *, exclusive: bool = False) -> Iterator[int]:
    """Hold the folder's lock; shared, unless `exclusive`. Raises SetupError if others are there.

    Yields its descriptor, -1 where the file system is read-only.
    """
    path = folder / LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        if exclusive:
            raise SetupError(f"cannot write to {folder}: {fault.strerror}") from None
        yield -1
        return
    try:
        _lock(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH, folder)
        yield descriptor
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove what an attempt to make a newsroom left that was cut short."""
    for name in (keys.FILE, f"{DATABASE}.part", f"{DATABASE}.part-journal"):
        with contextlib.suppress(FileNotFoundError):
            (folder / name).unlink()


def _is_leftover(folder: Path, found: list[str]) -> bool:
    """Say whether only keys without slots are there: a newsroom that was not made to its end."""
    return found == [keys.FILE] and (folder / keys.FILE).stat().st_size <= slots.HEADER


def _lock(descriptor: int, how: int, folder: Path) -> None:
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise SetupError(
                    f"another process works in {folder}; end it, then try again"
                ) from None
            time.sleep(0.02)
        else:
            return


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
