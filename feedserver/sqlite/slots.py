"""What a slot of the file of keys says, and where it stands.

The header takes the first 4,096 bytes, each slot 64. The slot of sequence n is number
n + 2 · (n div 32,768) + 2; the two slots before each 32,768 are the keys of that partition of the
search file, old and new by turns.

A slot: key 32, checksum of its number and key 8, kind 4, hash of the record's rid 12, spare 8.
Where the key was destroyed, the first 32 bytes say which record destroyed it, and when: a slot that
is gone is never zeros, as a hole or a lost block must not look like a kill.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from dataclasses import dataclass

from feedserver.model import Millis

HEADER = 4096  # bytes
SLOT = 64  # bytes
PARTITION = 32_768  # sequences

FRESH = b"free"
TAKEN = b"used"
GONE = b"gone"
KINDS = (FRESH, TAKEN, GONE)
KIND, OWNER = slice(40, 44), slice(44, 56)  # of a slot

_GONE_BY = struct.Struct("<QqB15x")  # sequence, time and act of the record that destroyed the key
_ACTS = ("", "kill", "redact", "remake", "unused")


class Gone(Exception):
    """The key was destroyed, by the record `by` (its act `act`) at the time `at`."""

    def __init__(self, by: int, act: str, at: Millis) -> None:
        super().__init__(f"destroyed by the {act} {by}")
        self.by, self.act, self.at = by, act, at


class Unreadable(Exception):
    """The slot or the record cannot be read, and no kill says why: `str` names the reason."""


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


def slots_in(size: int) -> int:
    """Return how many whole slots a file of this size has."""
    return max(0, size - HEADER) // SLOT


def place_of(number: int) -> int:
    """Return at which byte of the file a slot begins."""
    return HEADER + SLOT * number


def sequences_below(numbers: int) -> int:
    """Return the first sequence whose slot is not among so many."""
    partition, rest = divmod(numbers, PARTITION + 2)
    return partition * PARTITION + max(0, rest - 2)


def fill_from(sequence: int) -> int:
    """Return where filling begins for a sequence: at its own slot, or its partition's keys."""
    return number_of(sequence) - (2 if sequence % PARTITION == 0 else 0)


def is_partition(number: int) -> bool:
    """Say whether a slot is for a key of a partition."""
    return number % (PARTITION + 2) < 2


def drawn(number: int) -> bytes:
    """Return a slot with a new key that no record has taken."""
    return _slot(number, secrets.token_bytes(32), FRESH) + bytes(20)


def begun(number: int, key: bytes) -> bytes:
    """Return the slot of a partition's key that is used from now on."""
    return _slot(number, key, TAKEN) + bytes(20)


def destroyed(number: int, by: int, act: str, at: Millis) -> bytes:
    """Return what overwrites a key: which record destroys it, by which act, when."""
    return _slot(number, _GONE_BY.pack(by, at, _ACTS.index(act)), GONE)


def read_slot(raw: bytes, number: int) -> Slot | None:
    """Return what the 64 bytes of a slot say; None if they are damaged or were never written."""
    key, checksum, kind = raw[:32], raw[32:40], raw[KIND]
    if len(raw) != SLOT or kind not in KINDS or checksum != _checksum(number, key):
        return None
    if kind == GONE:
        by, at, act = _GONE_BY.unpack(key)
        name = _ACTS[act] if act < len(_ACTS) else "unknown act"
        return Slot(GONE, b"", raw[OWNER], Gone(by, name, at))
    return Slot(kind, key, raw[OWNER])


def _slot(number: int, key: bytes, kind: bytes) -> bytes:
    return key + _checksum(number, key) + kind


def _checksum(number: int, key: bytes) -> bytes:
    return hashlib.blake2b(number.to_bytes(8, "little") + key, digest_size=8).digest()
