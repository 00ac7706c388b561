"""Room on the disk that is kept for kills, redacts and revocations: the bytes of the file `lock`.

While it is whole, anybody writes. On a full disk it is given up for those who must not wait, and
until it can be allocated again nobody else writes, so that no news takes the room.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

SIZE = 2 * 1024 * 1024  # bytes: a kill's commit takes some 40 KB of the log
OPENING = 256 * 1024  # bytes that SQLite may need to open its files
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Ballast:
    """The room that is kept in one folder; several processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def is_whole(self) -> bool:
        """Say whether the room is kept. Takes about 1 µs."""
        try:
            return self._path.stat().st_size >= SIZE
        except OSError:
            return False

    def make(self) -> bool:
        """Keep the room if it is not kept; False where there is too little of it."""
        if self.is_whole():
            return True
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            return fault.errno not in FULL
        try:
            if _free(fd) < SIZE:
                return False
            os.posix_fallocate(fd, 0, SIZE)
        except OSError as fault:
            if fault.errno in FULL:
                os.ftruncate(fd, 0)
                return False
            # Where none can be kept, as on some file systems, that is no reason to write nothing.
        finally:
            os.close(fd)
        return True

    def release(self) -> None:
        """Give the room up. Safe to repeat."""
        with suppress(OSError):
            os.truncate(self._path, 0)

    def release_to_open(self) -> None:
        """Give the room up if the files cannot be opened without it."""
        with suppress(OSError):
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                is_full = _free(fd) < OPENING
            finally:
                os.close(fd)
            if is_full:
                self.release()


def _free(fd: int) -> int:
    found = os.fstatvfs(fd)
    return found.f_bavail * found.f_frsize
