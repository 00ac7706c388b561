"""The header of the file of keys: whose journal's they are, and how far that has come.

The first 4,096 bytes: magic 8, format 4, spare 4, keyring 16, checksum 8; then, each in a place of
its own and with a checksum, three numbers (see COMMITTED, ERASED, REDRAWS) and the ranges of
sequences that no record has.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from feedserver.errors import SetupError
from feedserver.sqlite.copying import sync_folder, write_all
from feedserver.sqlite.slots import HEADER

RANGES_MAX = 47
COMMITTED = 64  # where it says which sequence was committed last
ERASED = 128  # where it says which kill or redact was executed last
REDRAWS = 192  # where it says how often slots were drawn anew
NUMBER = 16  # bytes of a number with its checksum

_MAGIC = b"NFKEYS1\n"
_FORMAT = 1
_START = struct.Struct("<8sII16s8s")  # magic, format, spare, keyring, checksum
_CELL = struct.Struct("<Q8s")  # a number and its checksum
_RANGES_AT = 256
_RANGES_BYTES = 8 + 16 * RANGES_MAX


class KeyHeader:
    """The header of an open file. All methods may be called from any thread, and raise OSError."""

    def __init__(self, fd: int, path: Path) -> None:
        """Look at it. Raises SetupError with what is wrong with it."""
        self._fd, self._path = fd, path
        start = os.pread(fd, _START.size, 0)
        if len(start) < _START.size or not start.startswith(_MAGIC):
            raise SetupError(f"{path} is not a feedserver's keys: put back a copy of it")
        try:
            _ = self.keyring, self.skipped
        except OSError as fault:
            raise SetupError(str(fault)) from None
        found = _START.unpack(start)[1]
        if found != _FORMAT:
            raise SetupError(
                f"{path} was written by a newer feedserver (format {found}): install that again"
            )

    @property
    def keyring(self) -> bytes:
        """Which journal the keys are for; a restore changes it in the open file."""
        start = os.pread(self._fd, _START.size, 0)
        if len(start) < _START.size or start[-8:] != _checksum(start[:-8]):
            raise self._damaged()
        keyring: bytes = _START.unpack(start)[3]
        return keyring

    @property
    def skipped(self) -> list[tuple[int, int]]:
        """The ranges of sequences that no record has, each its first and last."""
        raw = os.pread(self._fd, _RANGES_BYTES + 8, _RANGES_AT)
        if raw == bytes(len(raw)):
            return []
        raw, checksum = raw[:_RANGES_BYTES], raw[_RANGES_BYTES:]
        if checksum != _checksum(raw):
            raise self._damaged()
        (count,) = struct.unpack_from("<Q", raw)
        return [struct.unpack_from("<QQ", raw, 8 + 16 * at) for at in range(count)]

    def skip(self, first: int, last: int) -> None:
        """Add a range that no record has; of too many, the newest stay. Not synced."""
        ranges = [*self.skipped, (first, last)][-RANGES_MAX:]
        raw = struct.pack("<Q", len(ranges)) + b"".join(struct.pack("<QQ", *r) for r in ranges)
        raw = raw.ljust(_RANGES_BYTES, b"\0")
        write_all(self._fd, raw + _checksum(raw), _RANGES_AT)

    def cell(self, at: int) -> int | None:
        """Return the number that stands there; 0 if none was written, None if it is damaged."""
        raw = os.pread(self._fd, _CELL.size, at)
        if raw == bytes(_CELL.size):
            return 0
        if len(raw) < _CELL.size:
            return None
        number, checksum = _CELL.unpack(raw)
        return number if checksum == _checksum(struct.pack("<QQ", at, number)) else None

    def write_cell(self, at: int, number: int) -> None:
        """Write a number there. Not synced."""
        write_all(self._fd, _CELL.pack(number, _checksum(struct.pack("<QQ", at, number))), at)

    def _damaged(self) -> OSError:
        return OSError(f"{self._path} is damaged (its header): put back a copy of it")


def create(path: Path, keyring: bytes) -> None:
    """Make a file without slots, durably. Raises FileExistsError where there is one."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        keep_in_place(fd)
        start = _START.pack(_MAGIC, _FORMAT, 0, keyring, bytes(8))[:-8]
        os.pwrite(fd, (start + _checksum(start)).ljust(HEADER, b"\0"), 0)
        os.fsync(fd)
    finally:
        os.close(fd)
    sync_folder(path.parent)


_FS_IOC_GETFLAGS, _FS_IOC_SETFLAGS, _NOCOW = 0x80086601, 0x40086602, 0x00800000


def keep_in_place(fd: int) -> None:
    """Ask a file system that copies on write (btrfs) not to, while the file is empty."""
    with contextlib.suppress(OSError):
        flags = struct.unpack("l", fcntl.ioctl(fd, _FS_IOC_GETFLAGS, struct.pack("l", 0)))[0]
        fcntl.ioctl(fd, _FS_IOC_SETFLAGS, struct.pack("l", flags | _NOCOW))


def without(first: int, last: int, ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what is left of a range of sequences without others; each has its first and last."""
    left = [(first, last)]
    for start, end in ranges:
        left = [
            part
            for one, other in left
            for part in ((one, min(other, start - 1)), (max(one, end + 1), other))
            if part[0] <= part[1]
        ]
    return left


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8).digest()
