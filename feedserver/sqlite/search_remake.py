"""Partitions of the search file are made anew without what was erased, then lose their old keys.

What is to do is derived: kills and redacts above the file's `cleaned_to`, the records whose words
they erased, and the partitions that may hold terms of these. A partition is made anew beside the
one that is searched, step by step, under a key of its own; then it takes its place; then the old
key is destroyed. It does not matter whether terms were found there: a process that died may have
left some in the log.
"""

from __future__ import annotations

import sqlite3
import time

from feedserver.sqlite import erasing
from feedserver.sqlite import search_batch as batches
from feedserver.sqlite import search_file as files
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.rows import Reader
from feedserver.sqlite.search_file import NoIndex, Partition, Remake
from feedserver.sqlite.search_terms import Terms
from feedserver.sqlite.slots import PARTITION

ERASURES_MAX = 1000  # kills and redacts looked at in one transaction
# How long a partition is left alone then, so that further kills share the work: so many times what
# it took, and so many seconds at most.
REST_TIMES, REST_MAX = 4, 1.0

_ERASURES = (
    "SELECT sequence, act, item, settings FROM records"
    " WHERE act IN ('kill', 'redact') AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?"
)
_HAS_WORDS = "SELECT 1 FROM records WHERE sequence = ? AND words_at = sequence AND item IS NOT NULL"


class Remaker:
    """Does it step by step, over connections that are its owner's."""

    def __init__(
        self,
        search: sqlite3.Connection,
        journal: sqlite3.Connection,
        keys: KeyFile,
        reader: Reader,
    ) -> None:
        self.is_suspicious = True  # whether keys may be other than those of the partitions' terms
        self._search = search
        self._journal = journal
        self._keys = keys
        self._reader = reader
        self._terms: tuple[bytes, Terms] | None = None  # of the partition that is made anew
        self._begun_at = 0.0
        self._rests: dict[int, float] = {}  # until when a partition is left alone

    def step(self) -> float | None:
        """Do a little. Returns in how many seconds there is more; None: nothing is to do."""
        try:
            cleaned_to = int(files.meta_of(self._search)["cleaned_to"])
        except NoIndex:
            return None
        remake = files.remake_of(self._search)
        if (
            remake is None
            and not self.is_suspicious
            and newest_erasure(self._journal, self._keys) <= cleaned_to
        ):
            return None
        # Durable before the old key is destroyed.
        durable = remake is not None and self._is_whole(remake)
        with files.locked(self._search, self._journal, durable=durable):
            remake = files.remake_of(self._search)
            if remake is None:
                return self._begin()
            if durable and self._is_whole(remake):
                self._finish(remake)
            else:
                self._continue(remake)
        return 0

    def _begin(self) -> float | None:
        """Begin to make the next partition anew; where there is none left, end the work."""
        erased_to = self._keys.erased_to or 0
        due, clean_to = self._due(erased_to)
        if not due or clean_to > int(files.meta_of(self._search)["cleaned_to"]):
            # Kills may come without end: each is finished by the remake that was begun after it.
            self._end(clean_to)
            self.is_suspicious = self.is_suspicious and bool(due)
            return 0
        rests = {part.number: self._rests.get(part.number, 0) - time.monotonic() for part in due}
        part = min(due, key=lambda one: rests[one.number])
        if rests[part.number] > 0:
            return rests[part.number]
        turn = 1 - part.turn
        key = self._keys.begin_partition(part.number, turn)
        first = part.number * PARTITION
        files.begin_remake(
            self._search, Remake(part.number, turn, files.proof_of(key), erased_to, first - 1)
        )
        self._begun_at = time.monotonic()
        return 0

    def _due(self, erased_to: int) -> tuple[list[Partition], int]:
        """Return the partitions to make anew, and up to which kill or redact none has to be."""
        parts = {part.number: part for part in files.partitions_of(self._search)}
        due = {n: part for n, part in parts.items() if files.key_of(self._keys, part) is None}
        cleaned_to = int(files.meta_of(self._search)["cleaned_to"])
        clean_to = cleaned_to
        for sequence, act, item, settings in self._journal.execute(
            _ERASURES, (cleaned_to, erased_to, ERASURES_MAX)
        ).fetchall():
            for erased in erasing.erased_by(self._journal, sequence, act, item, settings):
                part = parts.get(erased // PARTITION)
                if part is not None and part.clean_to < sequence and self._had_words(erased):
                    due[part.number] = part
            if not due:
                clean_to = sequence
        return list(due.values()), clean_to

    def _had_words(self, sequence: int) -> bool:
        return self._journal.execute(_HAS_WORDS, (sequence,)).fetchone() is not None

    def _continue(self, remake: Remake) -> None:
        """Make a little more of a partition."""
        terms = self._terms_of(remake)
        if terms is None:  # its key is not there any more: begin again
            files.begin_remake(self._search, self._drawn_anew(remake))
            return
        until = self._end_of(remake)
        batch = batches.read(self._journal, self._reader, terms, remake.position, until)
        batches.store_terms(self._search, remake.table, batch)
        batches.forget_rows(self._search, batch)
        files.note_remade(self._search, remake, batch.last)

    def _is_whole(self, remake: Remake) -> bool:
        """Say whether a partition is made anew as far as it has come."""
        return (
            remake.position >= self._end_of(remake) and files.key_of(self._keys, remake) is not None
        )

    def _end_of(self, remake: Remake) -> int:
        last = (remake.number + 1) * PARTITION - 1
        return min(last, int(files.meta_of(self._search)["position"]))

    def _finish(self, remake: Remake) -> None:
        """Let a partition's new table take the place of the old one."""
        old = files.partition_of(self._search, remake.number)
        assert old is not None
        files.finish_remake(self._search, remake, old)
        self._terms = None
        now = time.monotonic()
        self._rests[remake.number] = now + min(REST_MAX, REST_TIMES * (now - self._begun_at))

    def _drawn_anew(self, remake: Remake) -> Remake:
        key = self._keys.begin_partition(remake.number, remake.turn)
        proof, first = files.proof_of(key), remake.number * PARTITION
        return Remake(remake.number, remake.turn, proof, self._keys.erased_to or 0, first - 1)

    def _terms_of(self, remake: Remake) -> Terms | None:
        key = files.key_of(self._keys, remake)
        if key is None:
            return None
        if self._terms is None or self._terms[0] != remake.proof:
            self._terms = (remake.proof, Terms(key))
        return self._terms[1]

    def _end(self, cleaned_to: int) -> None:
        """Destroy all keys that no partition has any more, and note up to where that is done."""
        used = {(part.number, part.turn) for part in files.partitions_of(self._search)}
        unused = [slot for slot in files.live_keys(self._keys) if slot not in used]
        self._keys.end_partitions(unused, files.now())
        files.note(self._search, "cleaned_to", cleaned_to)


def newest_erasure(journal: sqlite3.Connection, keys: KeyFile) -> int:
    """Return the newest kill or redact whose words cannot be read any more; 0: none."""
    return erasing.newest_erasure(journal, keys.erased_to or 0)
