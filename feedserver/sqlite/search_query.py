"""What is found: rows of the search file, newest first, and the items that they stand for.

The search file is asked first, and only as far back as a page needs: its rows are taken in the
order of what may be newest, a partition at a time, or 1,024 sequences where a partition has many.
Then each item is looked up, decrypted and checked. All this runs in one thread.
"""

from __future__ import annotations

import heapq
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from feedserver.errors import Unavailable
from feedserver.folding import fold_tag
from feedserver.journal import Page
from feedserver.model import CATCH_UP_MAX, Feed, Item, Millis, Status
from feedserver.sqlite import rows
from feedserver.sqlite import search_file as files
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.rows import ITEM, ITEMS, Overtaken, Reader
from feedserver.sqlite.search_batch import BLOCK
from feedserver.sqlite.search_file import NoIndex, Partition
from feedserver.sqlite.search_terms import Query, Terms, parse

CANDIDATES_MAX = 2000  # items decrypted for one page
SPELLINGS_MAX = 20  # rows looked at for a tag's first spelling
FEW = 512  # rows of a partition that are taken at once, without asking its blocks one by one
OPCODES = 2000  # of SQLite's between looks at the time, some 0.1 ms
TOO_LONG = "this search takes too long; ask for rarer words, or try again"

Order = tuple[Millis, int]


class Behind(Exception):
    """The search file does not have all of the feed's records yet."""


class Suspect(Exception):
    """A partition's key is gone: it was made anew since this moment, or is to be."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and until when (by the monotonic clock) it must be answered."""

    slug: str
    limit: int
    before: Order | None
    tag: str | None
    query: Query
    deadline: float


class Finder:
    """Two connections, to the search file and the database, that answer one question at a time."""

    def __init__(
        self, search: sqlite3.Connection, database: Path, keys: KeyFile, reader: Reader
    ) -> None:
        """Open the second one. Raises sqlite3.Error."""
        self._search = search
        self._journal = connect(database, read_only=True)
        self._keys = keys
        self._reader = reader

    def close(self) -> None:
        """Close what was opened."""
        self._journal.close()

    def page(self, question: Question, *, settles: bool) -> Page | None:
        """Return a page of what is found; None if there is no such feed.

        Raises Behind where the search file is not level with the feed, unless it `settles` for a
        page as of the record that the file has come to; Suspect; Unavailable at the deadline.
        """
        try:
            with _limited(self._search, question), _limited(self._journal, question):
                return self._page(question, settles)
        except sqlite3.OperationalError as fault:
            if time.monotonic() >= question.deadline:
                raise Unavailable(TOO_LONG) from None
            raise fault
        except Overtaken:
            raise Behind from None  # words were erased meanwhile: ask again, at a later moment

    def _page(self, question: Question, settles: bool) -> Page | None:
        feed = rows.find_feed(self._journal, self._reader, question.slug)
        if feed is None:
            return None
        if not question.query.terms:
            return Page(feed, (), None)
        try:
            meta = files.meta_of(self._search)
        except NoIndex:
            raise Behind from None
        if meta["journal"] != files.journal_of(self._journal):
            raise Behind
        position = int(meta["position"])
        if position < feed.head:
            if not settles:
                raise Behind
            feed = self._as_of(feed, position)
        found, following = self._found(question)
        spelling = self._spelling(question) if question.tag is not None and found else None
        return Page(feed, tuple(found), following, spelling)

    def _found(self, question: Question) -> tuple[list[Item], Order | None]:
        """Return the items of a page, and what comes after them if there is more."""
        found: list[Item] = []
        decrypted = 0
        last: Order | None = None
        for order, sequence in self._candidates(question):
            # Several rows may stand for one item: all or none of them are passed.
            if decrypted >= CANDIDATES_MAX and order != last:
                return found, last
            item, was_decrypted = self._item(order[1], sequence, question)
            decrypted += was_decrypted
            last = order
            if item is not None:
                found.append(item)
                if len(found) > question.limit:  # to know whether there is more
                    return found[:-1], found[-2].order
        return found, None

    def _spelling(self, question: Question) -> str | None:
        """Return the tag that is asked for as the oldest of the feed's items write it."""
        asked = replace(question, query=parse(question.tag, None))
        left = SPELLINGS_MAX
        for part in files.partitions_of(self._search):
            match = Terms(self._key(part)).match(question.slug, asked.query.terms)
            for sequence, item_id in self._search.execute(
                f"SELECT rows.sequence, item FROM {part.table} CROSS JOIN rows"  # noqa: S608
                f" ON rows.sequence = {part.table}.rowid WHERE {part.table} MATCH ?"
                f" ORDER BY {part.table}.rowid LIMIT ?",
                (match, left),
            ):
                left -= 1
                item, _ = self._item(item_id, sequence, asked)
                for tag in item.tags if item is not None else ():
                    if fold_tag(tag) == fold_tag(question.tag or ""):
                        return tag
        return None

    def _as_of(self, feed: Feed, position: int) -> Feed:
        """Return the feed with an earlier head, from which its readers can catch up."""
        row = self._journal.execute(
            "SELECT sequence, substr(rid, 1, 4) FROM records WHERE feed = ? AND sequence <= ?"
            " ORDER BY sequence DESC LIMIT 1",
            (feed.slug, position),
        ).fetchone()
        missing = self._journal.execute(
            "SELECT count(*) FROM (SELECT 1 FROM records WHERE feed = ? AND sequence > ? LIMIT ?)",
            (feed.slug, position, CATCH_UP_MAX + 1),
        ).fetchone()[0]
        if row is None or missing > CATCH_UP_MAX:
            raise Behind
        return replace(feed, head=row[0], check=row[1])

    def _item(self, item: int, sequence: int, question: Question) -> tuple[Item | None, bool]:
        """Return an item, if this row has its words and they fit; and whether it was decrypted."""
        if time.monotonic() >= question.deadline:
            raise Unavailable(TOO_LONG)
        row = self._journal.execute(
            f"SELECT {ITEM} FROM {ITEMS} WHERE items.id = ? AND items.words_at = ?"  # noqa: S608
            " AND items.feed = ? AND items.killed_at IS NULL",
            (item, sequence, question.slug),
        ).fetchone()
        if row is None:
            return None, False
        found = self._reader.item(row)
        if found is None or found.status is Status.KILLED or not question.query.fits(found):
            return None, True
        return found, True

    def _key(self, part: Partition) -> bytes:
        key = files.key_of(self._keys, part)
        if key is None:
            raise Suspect
        return key

    def _candidates(self, question: Question) -> Iterator[tuple[Order, int]]:
        """Yield rows with all terms, as the item's order and the sequence, newest first."""
        before = question.before
        # What is still to be asked, and what was found there, the newest first in both.
        sources: list[tuple[Millis, int, _Source]] = []
        found: list[tuple[Millis, int, int]] = []

        def add(source: _Source, smallest: Millis, largest: Millis) -> None:
            if smallest <= largest and (before is None or smallest <= before[0]):
                newest = largest if before is None else min(largest, before[0])
                heapq.heappush(sources, (-newest, -source.first, source))

        for part in files.partitions_of(self._search):
            match = Terms(self._key(part)).match(question.slug, question.query.terms)
            add(_Source(part, match, part.first, part.last), part.smallest, part.largest)
        while sources or found:
            while found and (not sources or -found[0][0] > -sources[0][0]):
                published_at, item, sequence = heapq.heappop(found)
                yield (-published_at, -item), sequence
            if not sources:
                continue
            source = heapq.heappop(sources)[2]
            hits = source.hits(self._search)
            if len(hits) > FEW and not source.is_block:
                for block, smallest, largest in source.blocks(self._search):
                    first = block * BLOCK
                    add(replace(source, first=first, last=first + BLOCK - 1), smallest, largest)
                continue
            for sequence, item, published_at in hits:
                if before is None or (published_at, item) < before:
                    heapq.heappush(found, (-published_at, -item, sequence))


@dataclass(frozen=True, slots=True)
class _Source:
    """A stretch of a partition, and the expression that finds rows in it."""

    part: Partition
    match: str
    first: int
    last: int

    @property
    def is_block(self) -> bool:
        return self.last - self.first < BLOCK

    def hits(self, search: sqlite3.Connection) -> list[tuple[int, int, Millis]]:
        """Return the rows of a block; of a whole partition one more than a few at most."""
        table = self.part.table
        limit = BLOCK if self.is_block else FEW + 1
        return search.execute(
            f"SELECT rows.sequence, item, published_at FROM {table}"  # noqa: S608
            f" CROSS JOIN rows ON rows.sequence = {table}.rowid WHERE {table} MATCH ?"
            f" AND {table}.rowid BETWEEN ? AND ? LIMIT ?",
            (self.match, self.first, self.last, limit),
        ).fetchall()

    def blocks(self, search: sqlite3.Connection) -> list[tuple[int, Millis, Millis]]:
        """Return the blocks of the stretch, with their times."""
        return search.execute(
            "SELECT block, smallest, largest FROM blocks WHERE block BETWEEN ? AND ?",
            (self.first // BLOCK, self.last // BLOCK),
        ).fetchall()


@contextmanager
def _limited(connection: sqlite3.Connection, question: Question) -> Iterator[None]:
    """See one moment, and stop whatever runs at the deadline."""
    connection.set_progress_handler(lambda: time.monotonic() >= question.deadline, OPCODES)
    try:
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.set_progress_handler(None, 0)
            connection.execute("COMMIT")
    finally:
        connection.set_progress_handler(None, 0)
