"""A lock on a file that ends with the process that holds it, on any system.

Python has no such lock for all systems but SQLite's, which locks an empty file as well.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path


class FileLock:
    """A lock that is held until `release`, or until the process ends."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def release(self) -> None:
        """Let others have it. May be called twice."""
        self._connection.close()

    def remove(self) -> None:
        """Remove the file while nobody else holds it, and release it."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self.release()
        if os.name == "nt":  # where an open file cannot be removed
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


def lock_file(path: Path, *, patience: float = 0) -> FileLock | None:
    """Lock a file that exists; None where it cannot be, or is held for `patience` seconds."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error:
            connection.close()
            return None
        return FileLock(path, connection)
    return None
