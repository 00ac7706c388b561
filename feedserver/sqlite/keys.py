"""The keys of a journal's records: one file of fixed slots, where a key can be overwritten.

The header takes the first 4,096 bytes, each slot 64. The slot of sequence n is number
n + 2 · (n div 32,768) + 2; the two slots before each 32,768 are the keys of that partition of the
search file, old and new by turns.

A slot: key 32, checksum of its number and key 8, kind 4, hash of the record's rid 12, spare 8.
Where the key was destroyed, the first 32 bytes say which record destroyed it, and when.

Three rules keep this safe:
- A key serves one attempt to write one record. The slot is marked as taken before anything is
  encrypted, and a slot that was taken without becoming a record is drawn anew before it is used.
- Filled is not synced. A process uses only slots that its own fdatasync has covered: another may
  have died between filling and syncing. The header counts redraws, for the same reason.
- A slot that is gone is never zeros: a hole or a lost block must not look like a kill.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import struct
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from feedserver.errors import SetupError
from feedserver.model import Millis

FILE = "feed.keys"
HEADER = 4096  # bytes
SLOT = 64  # bytes
PARTITION = 32_768  # sequences
AHEAD = 1024  # slots that are filled ahead of the newest record; filling takes some 1.5 ms
REFILL_BELOW = AHEAD // 2  # refilled beside the work once so few are left
RESERVED = 64  # the last slots of a disk that is full are for kills, redacts and revokes
RANGES_MAX = 47

FRESH = b"free"
TAKEN = b"used"
GONE = b"gone"
KINDS = (FRESH, TAKEN, GONE)

_MAGIC = b"NFKEYS1\n"
_FORMAT = 1
_START = struct.Struct("<8sII16s8s")  # magic, format, spare, keyring, checksum
_CELL = struct.Struct("<Q8s")  # a number and its checksum
_COMMITTED_AT, _ERASED_AT, _REDRAWS_AT, _RANGES_AT = 64, 128, 192, 256
REDRAWS = slice(_REDRAWS_AT, _REDRAWS_AT + _CELL.size)  # of the header: how often, for processes
_RANGES_BYTES = 8 + 16 * RANGES_MAX
_GONE_BY = struct.Struct("<QqB15x")  # sequence, time and act of the record that destroyed the key
_SCANNED = 16_384  # slots read at once: 1 MiB
_EMPTY, _NOT_EMPTY, _NOT_FRESH = re.compile(b"\0+"), re.compile(b"[^\0]"), re.compile(b"[^\0f]")
_ACTS = ("", "kill", "redact", "remake", "unused")


class Gone(Exception):
    """The key was destroyed, by the record `by` (its act `act`) at the time `at`."""

    def __init__(self, by: int, act: str, at: Millis) -> None:
        super().__init__(f"destroyed by the {act} {by}")
        self.by, self.act, self.at = by, act, at


class Unreadable(Exception):
    """The slot or the record cannot be read, and no kill says why: `str` names the reason."""


class NotFresh(Exception):
    """A slot was taken by an attempt that did not become a record: draw it anew first."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What one slot says. `key` is empty unless the kind is fresh or taken."""

    kind: bytes
    key: bytes
    owner: bytes  # the hash of the record's rid
    gone: Gone | None = None


def hash_of(rid: str) -> bytes:
    """Return what a slot keeps of the record that took it: 12 bytes of its rid's SHA-256."""
    return hashlib.sha256(rid.encode()).digest()[:12]


def number_of(sequence: int) -> int:
    """Return the number of a sequence's slot."""
    return sequence + 2 * (sequence // PARTITION) + 2


def sequence_of(number: int) -> int:
    """Return the sequence that a slot is for; not of a partition's keys."""
    partition, rest = divmod(number, PARTITION + 2)
    return partition * PARTITION + rest - 2


def partition_slot(partition: int, turn: int) -> int:
    """Return the number of the slot of a partition's key: `turn` is 0 or 1."""
    return partition * (PARTITION + 2) + turn


class KeyFile:
    """The open file. All methods may be called from any thread."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open an existing file. Raises SetupError with what is wrong with it."""
        self.path = path
        self.read_only = read_only
        self._lock = threading.Lock()
        flags = os.O_RDONLY if read_only else os.O_RDWR
        try:
            self._fd = os.open(path, flags | os.O_CLOEXEC)
        except FileNotFoundError:
            raise SetupError(
                f"{path} is missing: without it no word of {path.parent} can be read; put back "
                "the newest copy of it"
            ) from None
        except OSError as fault:
            raise SetupError(f"cannot open {path}: {fault.strerror}") from None
        try:
            self._look_at_header()
            if not read_only:
                self._covered = self._size()
                os.fdatasync(self._fd)
                self._redraws_seen = self._cell(_REDRAWS_AT) or 0
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def identity(self) -> tuple[int, int]:
        """The device and inode of the open file."""
        found = os.fstat(self._fd)
        return found.st_dev, found.st_ino

    @property
    def keyring(self) -> bytes:
        """Which journal the keys are for; a restore changes it in the open file. Raises OSError."""
        start = os.pread(self._fd, _START.size, 0)
        if len(start) < _START.size or start[-8:] != _checksum(start[:-8]):
            raise self._damaged()
        keyring: bytes = _START.unpack(start)[3]
        return keyring

    @property
    def skipped(self) -> list[tuple[int, int]]:
        """The ranges of sequences that no record has, each its first and last. Raises OSError."""
        raw = os.pread(self._fd, _RANGES_BYTES + 8, _RANGES_AT)
        if raw == bytes(len(raw)):
            return []
        raw, checksum = raw[:_RANGES_BYTES], raw[_RANGES_BYTES:]
        if checksum != _checksum(raw):
            raise self._damaged()
        (count,) = struct.unpack_from("<Q", raw)
        return [struct.unpack_from("<QQ", raw, 8 + 16 * at) for at in range(count)]

    @property
    def committed_to(self) -> int | None:
        """The newest sequence that was committed, as far as the header knows; None: damaged.

        It may be too low after a power cut, but never too high.
        """
        return self._cell(_COMMITTED_AT)

    @property
    def erased_to(self) -> int | None:
        """The newest kill or redact whose keys are destroyed; None: damaged."""
        return self._cell(_ERASED_AT)

    @property
    def end(self) -> int:
        """The first sequence that has no slot yet."""
        return _sequences_below(max(0, self._size() - HEADER) // SLOT)

    def note_committed(self, sequence: int) -> None:
        """Remember how far the journal has come, unless it has come farther. Not synced."""
        self._raise_cell(_COMMITTED_AT, sequence)

    def note_erased(self, sequence: int) -> None:
        """Remember that all kills and redacts up to this one are executed. Not synced."""
        self._raise_cell(_ERASED_AT, sequence)

    def begin_at(self, committed_to: int, erased_to: int) -> None:
        """Say how far a journal has come in a file that nobody uses yet. Not synced."""
        self._write_cell(_COMMITTED_AT, committed_to)
        self._write_cell(_ERASED_AT, erased_to)

    def skip(self, first: int, last: int) -> None:
        """Remember that no record has these sequences, durably; of too many, the newest."""
        ranges = [*self.skipped, (first, last)][-RANGES_MAX:]
        raw = struct.pack("<Q", len(ranges)) + b"".join(struct.pack("<QQ", *r) for r in ranges)
        raw = raw.ljust(_RANGES_BYTES, b"\0")
        self._pwrite(raw + _checksum(raw), _RANGES_AT)
        os.fdatasync(self._fd)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other threads and processes from filling, and from whatever else takes this lock."""
        with self._lock:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    def fill(self, first: int, count: int) -> None:
        """Have slots for `count` sequences from `first` on, and sync them. Raises OSError.

        Safe beside the work: it changes no slot that exists.
        """
        with self.locked():
            # Behind a jump of the sequence the file has a hole.
            start = max(_numbers(self._size()), _first_of(first))
            want = number_of(first + count - 1) + 1
            if want > start:
                slots = b"".join(drawn(number) for number in range(start, want))
                self._pwrite(slots, HEADER + SLOT * start)
            self._draw_partition(first // PARTITION)
        self._sync()  # beside the work: a commit waits for the lock

    def is_low(self, next_sequence: int) -> bool:
        """Say whether it is time to fill again, ahead of the next sequence."""
        return self._slots_from(next_sequence) < REFILL_BELOW

    def ensure(self, first: int, count: int, *, reserved: bool = False) -> int:
        """Return how many of `count` slots from `first` on may be used now, synced by this process.

        Fills where there are not enough. Where that fails for want of room, the last `RESERVED`
        slots are only for those who may use what is `reserved`.
        """
        if self._cell(_REDRAWS_AT) != self._redraws_seen:
            self._sync()
        kept = 0 if reserved else RESERVED
        if self._slots_from(first) < count + kept:
            with contextlib.suppress(OSError):  # what there is may do
                self.fill(first, max(count + RESERVED, AHEAD))
        usable = min(count, max(0, self._slots_from(first) - kept))
        if usable and number_of(first + usable - 1) >= _numbers(self._covered):
            self._sync()
        return usable

    def take(self, sequence: int, owner: bytes) -> bytes:
        """Mark a slot as taken by the record of this rid's hash; return its key.

        Raises NotFresh where another attempt has taken it.
        """
        number = number_of(sequence)
        try:
            slot = self._slot(number)
        except Unreadable as fault:  # a power cut amid a fill may leave this
            raise NotFresh(str(fault)) from None
        if slot.kind != FRESH:
            raise NotFresh(f"slot {number} is taken")
        self._pwrite(TAKEN + owner, HEADER + SLOT * number + 40)
        return slot.key

    def key(self, sequence: int, owner: bytes) -> bytes:
        """Return the key of a record. Raises Gone, Unreadable.

        A power cut may have lost the mark that it was taken: then the seal tells whether it is the
        right one.
        """
        slot = self._slot(number_of(sequence))
        if slot.gone is not None:
            raise slot.gone
        if slot.kind == TAKEN and slot.owner != owner:
            raise Unreadable(f"the key at record {sequence} belongs to another record")
        return slot.key

    def gone(self, sequence: int) -> Gone | None:
        """Say by what a record's key was destroyed; None if it was not, or cannot be read."""
        try:
            return self._slot(number_of(sequence)).gone
        except Unreadable:
            return None

    def all_gone(self, newest: int) -> Iterator[tuple[int, Gone]]:
        """Yield the sequences up to `newest` whose keys were destroyed, and by what."""
        end = min(number_of(newest) + 1, _numbers(self._size()))
        for first in range(0, end, _SCANNED):
            raw = os.pread(self._fd, min(_SCANNED, end - first) * SLOT, HEADER + SLOT * first)
            kinds = raw[40::SLOT]  # the first letter of each slot's kind
            at = kinds.find(GONE[:1])
            while at >= 0:
                number = first + at
                if not _is_partition(number) and (gone := self.gone(sequence_of(number))):
                    yield sequence_of(number), gone
                at = kinds.find(GONE[:1], at + 1)

    def owner(self, sequence: int) -> bytes | None:
        """Return the hash of the rid that the slot was taken for; None where it cannot be read."""
        try:
            return self._slot(number_of(sequence)).owner
        except Unreadable:
            return None

    def redraw(self, newest: int, *, only_taken: bool) -> int:
        """Draw the slots beyond the newest record anew, and sync. Only under the write lock.

        `only_taken`: those that an attempt has taken which did not become a record. Returns how
        many.
        """
        first = number_of(newest + 1)
        end = _numbers(self._size())
        if end <= first:
            return 0
        numbers = list(self._to_redraw(first, end, only_taken=only_taken))
        self._draw_anew(numbers)
        return len(numbers)

    def draw_anew(self, sequence: int) -> None:
        """Draw one slot anew, whatever it says, and sync. Only under the write lock.

        It must lie above the newest record.
        """
        self._draw_anew([number_of(sequence)])

    def count_redraw(self) -> None:
        """Have every process sync this file before it uses a slot again."""
        self._write_cell(_REDRAWS_AT, (self._cell(_REDRAWS_AT) or 0) + 1)

    def destroy(
        self, sequences: Iterable[int], by: int, act: str, at: Millis, *, synced: bool = True
    ) -> None:
        """Overwrite the keys of these records, sync, and read that they are gone. Raises OSError.

        Safe to repeat. One that is gone already stays as it is. Without a sync in a file that
        nobody uses yet.
        """
        numbers = [number_of(sequence) for sequence in sequences]
        self._destroy(numbers, by, act, at, synced=synced)

    def sync(self) -> None:
        """Make all that was changed durable."""
        self._sync()

    def partition_key(self, partition: int, turn: int) -> bytes:
        """Return a key of a partition of the search file. Raises Gone, Unreadable."""
        slot = self._slot(partition_slot(partition, turn))
        if slot.gone is not None:
            raise slot.gone
        if slot.kind != TAKEN:
            raise Unreadable(f"partition {partition} of the search file has no key {turn}")
        return slot.key

    def begin_partition(self, partition: int, turn: int) -> bytes:
        """Draw a key of a partition, durably, and return it. Only under the search file's lock."""
        number = partition_slot(partition, turn)
        key = secrets.token_bytes(32)
        raw = key + _checksum(_number_bytes(number) + key) + TAKEN + bytes(20)
        self._pwrite(raw, HEADER + SLOT * number)
        os.fdatasync(self._fd)
        return key

    def redraw_partitions(self) -> None:
        """Draw the keys of all partitions anew: what they opened must be made anew. Not synced."""
        for partition in range(_numbers(self._size()) // (PARTITION + 2) + 1):
            for turn in (0, 1):
                number = partition_slot(partition, turn)
                if os.pread(self._fd, SLOT, HEADER + SLOT * number) not in {b"", bytes(SLOT)}:
                    self._pwrite(drawn(number), HEADER + SLOT * number)

    def end_partitions(self, slots: Iterable[tuple[int, int]], at: Millis) -> None:
        """Destroy keys of partitions, each named by its partition and turn."""
        self._destroy([partition_slot(*slot) for slot in slots], 0, "remake", at)

    def copy_to(self, path: Path, newest: int) -> None:
        """Write a copy whose keys end at the record `newest`: those ahead are keys of the future.

        It has none of the search file's keys, which is in no backup either. Durable on return. The
        copy is made under another name and then renamed.
        """
        size = HEADER + SLOT * (number_of(newest) + 1)
        partial = path.with_name(path.name + ".part")
        with open(partial, "wb", opener=_private) as copy:
            at = 0
            while at < size:
                part = os.pread(self._fd, min(1 << 20, size - at), at)
                if not part:
                    break
                if part.count(0) < len(part):
                    copy.write(part)
                else:  # a jump of the sequence left a hole
                    copy.seek(len(part), os.SEEK_CUR)
                at += len(part)
            copy.truncate()
            for number in range(0, number_of(newest), PARTITION + 2):
                copy.seek(HEADER + SLOT * number)
                copy.write(drawn(number) + drawn(number + 1))
            copy.flush()
            os.fsync(copy.fileno())
        partial.replace(path)
        sync_folder(path.parent)

    def _destroy(
        self, numbers: list[int], by: int, act: str, at: Millis, *, synced: bool = True
    ) -> None:
        told = _GONE_BY.pack(by, at, _ACTS.index(act))
        left = [number for number in numbers if not self._is_gone(number)]
        for tries in (2, 1, 0):
            for number in left:
                raw = told + _checksum(_number_bytes(number) + told) + GONE
                self._pwrite(raw, HEADER + SLOT * number)
            if not synced:
                break
            try:
                os.fdatasync(self._fd)
                break
            except OSError:  # after which Linux may call the same pages clean: write them again
                if not tries:
                    raise
        if not all(map(self._is_gone, numbers)):
            raise OSError(f"keys in {self.path} could not be overwritten")

    def _draw_anew(self, numbers: list[int]) -> None:
        if not numbers:
            return
        # Counted first: whoever finds another count syncs before it uses a slot, so that a process
        # that dies right here leaves no key that may get lost.
        self.count_redraw()
        for number in numbers:
            self._pwrite(drawn(number), HEADER + SLOT * number)
        self._sync()

    def _to_redraw(self, first: int, end: int, *, only_taken: bool) -> Iterator[int]:
        """Yield the numbers of slots that a redraw concerns, also those that were lost."""
        skipped = self.skipped
        concerned = _NOT_FRESH if only_taken else _NOT_EMPTY
        for start in range(first, end, _SCANNED):
            raw = os.pread(self._fd, min(_SCANNED, end - start) * SLOT, HEADER + SLOT * start)
            kinds = raw[40::SLOT]  # the first letter of each slot's kind
            numbers = [start + found.start() for found in concerned.finditer(kinds)]
            for empty in _EMPTY.finditer(kinds):
                lost = range(start + empty.start(), start + empty.end())
                # At its ends may be the two slots of a partition.
                own = [one for one in (*lost[:3], *lost[-3:]) if not _is_partition(one)]
                if not own:
                    continue
                # A jump leaves a hole, and no record will ever need the slots there.
                for one, other in without(sequence_of(own[0]), sequence_of(own[-1]), skipped):
                    numbers += range(number_of(one), number_of(other) + 1)
            yield from (number for number in numbers if not _is_partition(number))

    def _is_gone(self, number: int) -> bool:
        try:
            return self._slot(number).gone is not None
        except Unreadable:
            return False

    def _slot(self, number: int) -> Slot:
        for last in (False, True):
            raw = os.pread(self._fd, SLOT, HEADER + SLOT * number)
            key, checksum, kind = raw[:32], raw[32:40], raw[40:44]
            if (
                len(raw) == SLOT
                and kind in KINDS
                and checksum == _checksum(_number_bytes(number) + key)
            ):
                break
            if last:  # not merely in the middle of being written
                raise Unreadable(
                    f"slot {number} of {self.path.name} is damaged or was never written"
                )
        if kind == GONE:
            by, at, act = _GONE_BY.unpack(key)
            name = _ACTS[act] if act < len(_ACTS) else "unknown act"
            return Slot(GONE, b"", raw[44:56], Gone(by, name, at))
        return Slot(kind, key, raw[44:56])

    def _slots_from(self, first: int) -> int:
        return max(0, _sequences_below(_numbers(self._size())) - first)

    def _draw_partition(self, partition: int) -> None:
        """Have fresh slots for a partition's keys, where a jump left a hole."""
        for turn in (0, 1):
            number = partition_slot(partition, turn)
            place = HEADER + SLOT * number
            if os.pread(self._fd, SLOT, place) in {b"", bytes(SLOT)}:
                self._pwrite(drawn(number), place)

    def _sync(self) -> None:
        size, redraws = self._size(), self._cell(_REDRAWS_AT)
        os.fdatasync(self._fd)
        self._covered, self._redraws_seen = size, redraws or 0

    def _size(self) -> int:
        return os.fstat(self._fd).st_size

    def _cell(self, at: int) -> int | None:
        raw = os.pread(self._fd, _CELL.size, at)
        if raw == bytes(_CELL.size):
            return 0
        if len(raw) < _CELL.size:
            return None
        number, checksum = _CELL.unpack(raw)
        return number if checksum == _checksum(struct.pack("<QQ", at, number)) else None

    def _write_cell(self, at: int, number: int) -> None:
        self._pwrite(_CELL.pack(number, _checksum(struct.pack("<QQ", at, number))), at)

    def _raise_cell(self, at: int, number: int) -> None:
        # Another process, or this one's purge, may be ahead of the one that comes here late.
        with self.locked():
            if (self._cell(at) or 0) < number:
                self._write_cell(at, number)

    def _look_at_header(self) -> None:
        """Raise SetupError with what is wrong with the header, if anything is."""
        start = os.pread(self._fd, _START.size, 0)
        if len(start) < _START.size or not start.startswith(_MAGIC):
            raise SetupError(f"{self.path} is not a feedserver's keys: put back a copy of it")
        try:
            _ = self.keyring, self.skipped
        except OSError as fault:
            raise SetupError(str(fault)) from None
        found = _START.unpack(start)[1]
        if found != _FORMAT:
            raise SetupError(
                f"{self.path} was written by a newer feedserver (format {found}): install that "
                "again"
            )

    def _damaged(self) -> OSError:
        return OSError(f"{self.path} is damaged (its header): put back a copy of it")

    def _pwrite(self, data: bytes, at: int) -> None:
        done = 0
        while done < len(data):
            done += os.pwrite(self._fd, data[done:], at + done)


def create(path: Path, keyring: bytes) -> None:
    """Make a file without slots, durably. Raises FileExistsError where there is one."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _keep_in_place(fd)
        start = _START.pack(_MAGIC, _FORMAT, 0, keyring, bytes(8))[:-8]
        os.pwrite(fd, (start + _checksum(start)).ljust(HEADER, b"\0"), 0)
        os.fsync(fd)
    finally:
        os.close(fd)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


_FS_IOC_GETFLAGS, _FS_IOC_SETFLAGS, _NOCOW = 0x80086601, 0x40086602, 0x00800000


def _keep_in_place(fd: int) -> None:
    """Ask a file system that copies on write (btrfs) not to, while the file is empty."""
    with contextlib.suppress(OSError):
        flags = struct.unpack("l", fcntl.ioctl(fd, _FS_IOC_GETFLAGS, struct.pack("l", 0)))[0]
        fcntl.ioctl(fd, _FS_IOC_SETFLAGS, struct.pack("l", flags | _NOCOW))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


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


def _numbers(size: int) -> int:
    """Return how many whole slots a file of this size has."""
    return max(0, size - HEADER) // SLOT


def _sequences_below(numbers: int) -> int:
    """Return the first sequence whose slot is not among so many."""
    partition, rest = divmod(numbers, PARTITION + 2)
    return partition * PARTITION + max(0, rest - 2)


def _first_of(sequence: int) -> int:
    """Return where filling begins for a sequence: at its own slot, or its partition's keys."""
    return number_of(sequence) - (2 if sequence % PARTITION == 0 else 0)


def _is_partition(number: int) -> bool:
    return number % (PARTITION + 2) < 2


def drawn(number: int) -> bytes:
    """Return a slot with a new key."""
    key = secrets.token_bytes(32)
    return key + _checksum(_number_bytes(number) + key) + FRESH + bytes(20)


def _number_bytes(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8).digest()
