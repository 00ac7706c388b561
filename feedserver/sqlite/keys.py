"""The keys of a journal's records: one file of fixed slots, where a key can be overwritten.

What the bytes say is known to key_header.py and slots.py. Three rules keep this safe:
- A key serves one attempt to write one record. The slot is marked as taken before anything is
  encrypted, and a slot that was taken without becoming a record is drawn anew before it is used.
- Filled is not synced. A process uses only slots that its own fdatasync has covered: another may
  have died between filling and syncing. The header counts redraws, for the same reason.
- A slot that is gone is never zeros: a hole or a lost block must not look like a kill.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from feedserver.errors import SetupError
from feedserver.model import Millis
from feedserver.sqlite import slots
from feedserver.sqlite.copying import sync_folder, write_all
from feedserver.sqlite.key_header import (
    COMMITTED,
    ERASED,
    REDRAWS,
    KeyHeader,
    keep_in_place,
    without,
)
from feedserver.sqlite.slots import (
    FRESH,
    GONE,
    KIND,
    OWNER,
    PARTITION,
    SLOT,
    TAKEN,
    Gone,
    Slot,
    Unreadable,
    fill_from,
    is_partition,
    number_of,
    partition_slot,
    place_of,
    sequence_of,
    sequences_below,
    slots_in,
)

FILE = "feed.keys"
AHEAD = 1024  # slots that are filled ahead of the newest record; filling takes some 1.5 ms
REFILL_BELOW = AHEAD // 2  # refilled beside the work once so few are left
RESERVED = 64  # the last slots of a disk that is full are for kills, redacts and revokes
_SCANNED = 16_384  # slots read at once: 1 MiB
_EMPTY, _NOT_EMPTY, _NOT_FRESH = re.compile(b"\0+"), re.compile(b"[^\0]"), re.compile(b"[^\0f]")


class NotFresh(Exception):
    """A slot was taken by an attempt that did not become a record: draw it anew first."""


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
            self.header = KeyHeader(self._fd, path)
            if not read_only:
                self._covered = self._size()
                os.fdatasync(self._fd)
                self._redraws_seen = self.header.cell(REDRAWS) or 0
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
        return self.header.keyring

    @property
    def skipped(self) -> list[tuple[int, int]]:
        """The ranges of sequences that no record has, each its first and last. Raises OSError."""
        return self.header.skipped

    @property
    def committed_to(self) -> int | None:
        """The newest sequence that was committed, as far as the header knows; None: damaged.

        It may be too low after a power cut, but never too high.
        """
        return self.header.cell(COMMITTED)

    @property
    def erased_to(self) -> int | None:
        """The newest kill or redact whose keys are destroyed; None: damaged."""
        return self.header.cell(ERASED)

    @property
    def end(self) -> int:
        """The first sequence that has no slot yet."""
        return sequences_below(slots_in(self._size()))

    def note_committed(self, sequence: int) -> None:
        """Remember how far the journal has come, unless it has come farther. Not synced."""
        self._raise_cell(COMMITTED, sequence)

    def note_erased(self, sequence: int) -> None:
        """Remember that all kills and redacts up to this one are executed. Not synced."""
        self._raise_cell(ERASED, sequence)

    def begin_at(self, committed_to: int, erased_to: int) -> None:
        """Say how far a journal has come in a file that nobody uses yet. Not synced."""
        self.header.write_cell(COMMITTED, committed_to)
        self.header.write_cell(ERASED, erased_to)

    def skip(self, first: int, last: int) -> None:
        """Remember that no record has these sequences, durably; of too many, the newest."""
        self.header.skip(first, last)
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
            start = max(slots_in(self._size()), fill_from(first))
            want = number_of(first + count - 1) + 1
            if want > start:
                filled = b"".join(slots.drawn(number) for number in range(start, want))
                write_all(self._fd, filled, place_of(start))
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
        if self.header.cell(REDRAWS) != self._redraws_seen:
            self._sync()
        kept = 0 if reserved else RESERVED
        if self._slots_from(first) < count + kept:
            with contextlib.suppress(OSError):  # what there is may do
                self.fill(first, max(count + RESERVED, AHEAD))
        usable = min(count, max(0, self._slots_from(first) - kept))
        if usable and number_of(first + usable - 1) >= slots_in(self._covered):
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
        write_all(self._fd, TAKEN + owner, place_of(number) + KIND.start)
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
        end = min(number_of(newest) + 1, slots_in(self._size()))
        for first in range(0, end, _SCANNED):
            raw = os.pread(self._fd, min(_SCANNED, end - first) * SLOT, place_of(first))
            kinds = raw[KIND.start :: SLOT]  # the first letter of each slot's kind
            at = kinds.find(GONE[:1])
            while at >= 0:
                number = first + at
                if not is_partition(number) and (gone := self.gone(sequence_of(number))):
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
        end = slots_in(self._size())
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
        self.header.write_cell(REDRAWS, (self.header.cell(REDRAWS) or 0) + 1)

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
        write_all(self._fd, slots.begun(number, key), place_of(number))
        os.fdatasync(self._fd)
        return key

    def redraw_partitions(self) -> None:
        """Draw the keys of all partitions anew: what they opened must be made anew. Not synced."""
        for partition in range(slots_in(self._size()) // (PARTITION + 2) + 1):
            for turn in (0, 1):
                number = partition_slot(partition, turn)
                if os.pread(self._fd, SLOT, place_of(number)) not in {b"", bytes(SLOT)}:
                    write_all(self._fd, slots.drawn(number), place_of(number))

    def end_partitions(self, slots: Iterable[tuple[int, int]], at: Millis) -> None:
        """Destroy keys of partitions, each named by its partition and turn."""
        self._destroy([partition_slot(*slot) for slot in slots], 0, "remake", at)

    def copy_to(self, path: Path, newest: int) -> None:
        """Write a copy whose keys end at the record `newest`: those ahead are keys of the future.

        It has none of the search file's keys, which is in no backup either. Durable on return. The
        copy is made under another name and then renamed.
        """
        size = place_of(number_of(newest) + 1)
        partial = path.with_name(path.name + ".part")
        with open(partial, "wb", opener=_private) as copy:
            keep_in_place(copy.fileno())
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
                copy.seek(place_of(number))
                copy.write(slots.drawn(number) + slots.drawn(number + 1))
            copy.flush()
            os.fsync(copy.fileno())
        partial.replace(path)
        sync_folder(path.parent)

    def _destroy(
        self, numbers: list[int], by: int, act: str, at: Millis, *, synced: bool = True
    ) -> None:
        left = [number for number in numbers if not self._is_gone(number)]
        _overwrite(self._fd, left, by, act, at, synced=synced)
        if not all(map(self._is_gone, numbers)):
            raise OSError(f"keys in {self.path} could not be overwritten")

    def _draw_anew(self, numbers: list[int]) -> None:
        if not numbers:
            return
        # Counted first: whoever finds another count syncs before it uses a slot, so that a process
        # that dies right here leaves no key that may get lost.
        self.count_redraw()
        for number in numbers:
            write_all(self._fd, slots.drawn(number), place_of(number))
        self._sync()

    def _to_redraw(self, first: int, end: int, *, only_taken: bool) -> Iterator[int]:
        """Yield the numbers of slots that a redraw concerns, also those that were lost."""
        skipped = self.header.skipped
        concerned = _NOT_FRESH if only_taken else _NOT_EMPTY
        for start in range(first, end, _SCANNED):
            raw = os.pread(self._fd, min(_SCANNED, end - start) * SLOT, place_of(start))
            kinds = raw[KIND.start :: SLOT]  # the first letter of each slot's kind
            numbers = [start + found.start() for found in concerned.finditer(kinds)]
            for empty in _EMPTY.finditer(kinds):
                lost = range(start + empty.start(), start + empty.end())
                # At its ends may be the two slots of a partition.
                own = [one for one in (*lost[:3], *lost[-3:]) if not is_partition(one)]
                if not own:
                    continue
                # A jump leaves a hole, and no record will ever need the slots there.
                for one, other in without(sequence_of(own[0]), sequence_of(own[-1]), skipped):
                    numbers += range(number_of(one), number_of(other) + 1)
            yield from (number for number in numbers if not is_partition(number))

    def _is_gone(self, number: int) -> bool:
        try:
            return self._slot(number).gone is not None
        except Unreadable:
            return False

    def _slot(self, number: int) -> Slot:
        for _ in range(2):  # it may be in the middle of being written
            found = slots.read_slot(os.pread(self._fd, SLOT, place_of(number)), number)
            if found is not None:
                return found
        raise Unreadable(f"slot {number} of {self.path.name} is damaged or was never written")

    def _slots_from(self, first: int) -> int:
        return max(0, sequences_below(slots_in(self._size())) - first)

    def _draw_partition(self, partition: int) -> None:
        """Have fresh slots for a partition's keys, where a jump left a hole."""
        for turn in (0, 1):
            number = partition_slot(partition, turn)
            place = place_of(number)
            if os.pread(self._fd, SLOT, place) in {b"", bytes(SLOT)}:
                write_all(self._fd, slots.drawn(number), place)

    def _sync(self) -> None:
        size, redraws = self._size(), self.header.cell(REDRAWS)
        os.fdatasync(self._fd)
        self._covered, self._redraws_seen = size, redraws or 0

    def _size(self) -> int:
        return os.fstat(self._fd).st_size

    def _raise_cell(self, at: int, number: int) -> None:
        # Another process, or this one's purge, may be ahead of the one that comes here late.
        with self.locked():
            if (self.header.cell(at) or 0) < number:
                self.header.write_cell(at, number)


def destroy_in_copy(path: Path, owners: Mapping[int, bytes], by: int, act: str, at: Millis) -> None:
    """Overwrite the keys of records in a copy of the file, and sync it. Raises OSError.

    `owners` has the hash of each record's rid: the slot of another record stays. Neither the copy's
    header nor a slot's checksum is asked: what is damaged may still hold the key.
    """
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        left = []
        for sequence, owner in owners.items():
            number = number_of(sequence)
            raw = os.pread(fd, SLOT, place_of(number))
            if raw[OWNER] == owner and raw[KIND] != GONE:
                left.append(number)
        _overwrite(fd, left, by, act, at, synced=True)
    finally:
        os.close(fd)


def _overwrite(fd: int, numbers: list[int], by: int, act: str, at: Millis, *, synced: bool) -> None:
    for tries in (2, 1, 0):
        for number in numbers:
            write_all(fd, slots.destroyed(number, by, act, at), place_of(number))
        if not synced:
            break
        try:
            os.fdatasync(fd)
            break
        except OSError:  # after which Linux may call the same pages clean: write them again
            if not tries:
                raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
