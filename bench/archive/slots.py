"""Watches the keys of an item's records in the file of keys, from outside of the server."""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from bench.archive import NotMeasured
from bench.errors import BenchError

FILE = "feed.keys"
HEADER, SLOT, PARTITION = 4_096, 64, 32_768  # bytes, bytes, sequences
KIND = slice(40, 44)  # of a slot: behind its key and its checksum
GONE = b"gone"
WAIT = 60.0  # seconds for a kill


class Watch:
    """The slots of these sequences, and the commits of the journal beside them."""

    def __init__(self, keys: int, journal: sqlite3.Connection, sequences: Sequence[int]) -> None:
        self._keys = keys
        self._journal = journal
        self._left = list(sequences)

    def seconds(self) -> float:
        """Wait for a commit, then until all are gone: the time between the two."""
        end = time.monotonic() + WAIT
        before = self._version()
        while self._version() == before:
            self._still_in_time(end)
        committed = time.monotonic()
        while self._left:
            self._left = [sequence for sequence in self._left if self._kind(sequence) != GONE]
            self._still_in_time(end)
        return time.monotonic() - committed

    def _version(self) -> int:
        version: int = self._journal.execute("PRAGMA data_version").fetchone()[0]
        return version

    def _kind(self, sequence: int) -> bytes:
        number = sequence + 2 * (sequence // PARTITION) + 2
        return os.pread(self._keys, SLOT, HEADER + SLOT * number)[KIND]

    def _still_in_time(self, end: float) -> None:
        if time.monotonic() > end:
            raise BenchError(f"{len(self._left)} keys are still there after {WAIT:.0f} s.")


@contextmanager
def watched(data: Path, sequences: Sequence[int]) -> Iterator[Watch]:
    """Watch a newsroom's folder. Raises NotMeasured where it has no file of keys."""
    try:
        keys = os.open(data / FILE, os.O_RDONLY)
    except FileNotFoundError:
        raise NotMeasured(f"this server keeps no {FILE}.") from None
    try:
        address = f"{(data / 'feed.db').as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as journal:
            yield Watch(keys, journal, sequences)
    finally:
        os.close(keys)
