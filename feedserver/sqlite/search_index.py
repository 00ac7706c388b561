"""The search file follows the journal, and loses what was erased: small steps, each a transaction.

Any process may take the next step: what is done stands in the file, and its write lock keeps the
others out. All this runs in one thread of each process, beside the work.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from feedserver.sqlite import search_batch as batches
from feedserver.sqlite import search_file as files
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.rows import Reader, newest_sequence
from feedserver.sqlite.search_file import NoIndex
from feedserver.sqlite.search_remake import Remaker
from feedserver.sqlite.search_terms import Terms
from feedserver.sqlite.slots import PARTITION

PAGES = 128  # merged in one transaction


class Index:
    """The connections that write the search file and read the journal for it."""

    def __init__(
        self, search: sqlite3.Connection, database: Path, keys: KeyFile, reader: Reader
    ) -> None:
        """Open the second one. Raises sqlite3.Error."""
        self._search = search
        self._journal = connect(database, read_only=True)
        self._keys = keys
        self._reader = reader
        self._terms: tuple[bytes, Terms] | None = None  # the newest partition's, by their proof
        self._remaker = Remaker(search, self._journal, keys, reader)

    def close(self) -> None:
        """Close what was opened."""
        self._journal.close()

    def suspect(self) -> None:
        """See whether all partitions still have their keys, and make anew those that have not."""
        self._remaker.is_suspicious = True

    def step(self) -> float | None:
        """Do a little of what is to do. Returns in how many seconds there is more; None: nothing.

        Raises sqlite3.Error, OSError; nothing is lost then.
        """
        waits = [self._follow(), self._remaker.step(), self._merge()]
        return min((wait for wait in waits if wait is not None), default=None)

    def _follow(self) -> float | None:
        position = self._position()
        if position is None:
            self._begin()
        elif position >= newest_sequence(self._journal):
            return None
        else:
            with files.locked(self._search, self._journal):
                position = self._position()
                if position is not None:
                    self._add(position)
        return 0

    def _position(self) -> int | None:
        """Return up to which record the file has come; None if it is not one of this journal."""
        try:
            meta = files.meta_of(self._search)
        except NoIndex:
            return None
        is_ours = meta["journal"] == files.journal_of(self._journal)
        return int(meta["position"]) if is_ours else None

    def _begin(self) -> None:
        """Make the tables, empty, and destroy the keys of all that may have been there before."""
        search, keys = self._search, self._keys
        search.execute("PRAGMA secure_delete = OFF")  # terms whose keys are gone tell nothing
        try:
            with files.locked(search, self._journal):
                if self._position() is not None:  # another process was faster
                    return
                files.create(search)
                keys.end_partitions(files.live_keys(keys), files.now())
                files.note(search, "journal", files.journal_of(self._journal))
                files.note(search, "position", 0)
                files.note(search, "cleaned_to", keys.erased_to or 0)
        finally:
            search.execute("PRAGMA secure_delete = ON")

    def _add(self, position: int) -> None:
        following = self._journal.execute(
            "SELECT min(sequence) FROM records WHERE sequence > ?", (position,)
        ).fetchone()[0]
        if following is None:
            return
        number = following // PARTITION
        terms = self._terms_of(number)
        if terms is None:
            self.suspect()
            return
        until = min(newest_sequence(self._journal), (number + 1) * PARTITION - 1)
        batch = batches.read(self._journal, self._reader, terms[1], following - 1, until)
        batches.store_terms(self._search, terms[0], batch)
        batches.store_rows(self._search, batch)
        files.note(self._search, "position", batch.last)

    def _terms_of(self, number: int) -> tuple[str, Terms] | None:
        """Return a partition's table and terms, begun if it is new; None if its key is gone."""
        part = files.partition_of(self._search, number)
        if part is None:
            key = self._keys.begin_partition(number, 0)
            part = files.begin_partition(self._search, number, key, self._keys.erased_to or 0)
        else:
            known = files.key_of(self._keys, part)
            if known is None:
                return None
            key = known
        if self._terms is None or self._terms[0] != part.proof:
            self._terms = (part.proof, Terms(key))
        return part.table, self._terms[1]

    def _merge(self) -> float | None:
        """Merge what a finished partition's table consists of, which makes it smaller and quick."""
        number = files.unmerged_of(self._search)
        if number is None:
            return None
        with files.locked(self._search, self._journal):
            part = files.partition_of(self._search, number)
            if part is not None:
                files.merge(self._search, part, PAGES)
        return 0
