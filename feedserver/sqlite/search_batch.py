"""A batch of the journal's records on its way into a partition of the search file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from feedserver.model import Millis, Status
from feedserver.records import load_text
from feedserver.sqlite.rows import RECORD, Reader
from feedserver.sqlite.search_terms import Terms, Text, text_of
from feedserver.sqlite.slots import PARTITION, Gone, Unreadable

# In one transaction, some 30 ms: others wait for its end.
BATCH_RECORDS = 1000
BATCH_BYTES = 256 * 1024  # of words, encrypted
BLOCK = 1024  # sequences for which the file knows the earliest and latest publishing times
EARLIEST, LATEST = -(1 << 62), 1 << 62

_RECORDS = (
    f"SELECT {RECORD} FROM records WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?"  # noqa: S608
)


@dataclass(slots=True)
class Batch:
    """What was read, up to the record `last`: rows with their terms, and what has none any more."""

    last: int
    rows: list[tuple[int, int, Millis]] = field(default_factory=list)  # as in the table rows
    terms: list[tuple[int, str]] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    times: list[tuple[int, Millis]] = field(default_factory=list)  # of rows of earlier records


def read(
    journal: sqlite3.Connection, reader: Reader, terms: Terms, after: int, until: int
) -> Batch:
    """Read records after `after` up to `until`, as many as a batch takes.

    Under the search file's write lock, so that no words come back that were erased meanwhile.
    """
    batch, texts = Batch(after), list[Text]()
    records = size = 0
    for row in journal.execute(_RECORDS, (after, until, BATCH_RECORDS)):
        if size > BATCH_BYTES:
            break
        records += 1
        batch.last = row[0]
        sequence, item, words_at, status, published_at = row[0], row[5], row[19], row[20], row[22]
        if item is None or status == Status.KILLED:
            continue
        if words_at != sequence:
            batch.times.append((words_at, published_at))
            continue
        try:
            headline, body, blocks, tags = load_text(reader.unsealed(row))
        except Gone:
            batch.erased.append(sequence)
        except Unreadable as fault:
            reader.note(sequence, fault, f"item {item} of {row[4]}")
        else:
            batch.rows.append((sequence, item, published_at))
            texts.append(Text(row[4], text_of(headline, body, blocks, tags), tags))
        size += len(row[17] or b"")
    else:
        if records < BATCH_RECORDS:
            batch.last = until
    batch.terms = list(zip((row[0] for row in batch.rows), terms.of_items(texts), strict=True))
    return batch


def store_terms(search: sqlite3.Connection, table: str, batch: Batch) -> None:
    """Put the terms of a batch into a partition's table."""
    search.executemany(
        f"INSERT INTO {table} (rowid, t) VALUES (?, ?)",  # noqa: S608
        batch.terms,
    )


def store_rows(search: sqlite3.Connection, batch: Batch) -> None:
    """Put the rows of a batch beside their terms."""
    search.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", batch.rows)
    _widen(search, ((sequence, published_at) for sequence, _, published_at in batch.rows))
    moved = [
        (sequence, published_at)
        for sequence, published_at in batch.times
        if search.execute(
            "UPDATE rows SET published_at = ? WHERE sequence = ? AND published_at <> ?",
            (published_at, sequence, published_at),
        ).rowcount
    ]
    _widen(search, moved)


def forget_rows(search: sqlite3.Connection, batch: Batch) -> None:
    """Remove the rows of what was erased."""
    search.executemany("DELETE FROM rows WHERE sequence = ?", [(one,) for one in batch.erased])


def _widen(search: sqlite3.Connection, times: Iterable[tuple[int, Millis]]) -> None:
    """Let partitions and their blocks know the times of these rows."""
    blocks: dict[int, tuple[Millis, Millis]] = {}
    for sequence, at in times:
        smallest, largest = blocks.get(sequence // BLOCK, (LATEST, EARLIEST))
        blocks[sequence // BLOCK] = (min(at, smallest), max(at, largest))
    for block, (smallest, largest) in blocks.items():
        search.execute(
            "INSERT INTO blocks VALUES (?, ?, ?) ON CONFLICT (block) DO UPDATE"
            " SET smallest = min(smallest, excluded.smallest),"
            " largest = max(largest, excluded.largest)",
            (block, smallest, largest),
        )
        search.execute(
            "UPDATE partitions SET smallest = min(smallest, ?), largest = max(largest, ?)"
            " WHERE partition = ?",
            (smallest, largest, block * BLOCK // PARTITION),
        )
