"""What an item or a feed was at each of its revisions, told from the records.

Plain functions of a connection and the keys, called inside a transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from feedserver.model import Act, Content, FeedSettings, Item, Record, Revision, Status, Verb
from feedserver.records import Words
from feedserver.rules import SHOWN, shows
from feedserver.sqlite.rows import RECORD, Reader, find_bare_item, load_record, load_settings
from feedserver.sqlite.slots import Gone, Unreadable

_SHOWN = ", ".join(f"'{verb}'" for verb in sorted(SHOWN))


def all_revisions(
    connection: sqlite3.Connection, reader: Reader, where: str, values: tuple[Any, ...]
) -> Iterator[Revision]:
    """Yield the revisions of an item or a feed's own, oldest first, as `where` chooses them.

    A record that says what no record says is left out.
    """
    rows = connection.execute(
        f"SELECT {RECORD} FROM records WHERE {where} ORDER BY sequence",  # noqa: S608
        values,
    ).fetchall()
    past = _Past()
    for row in rows:
        past.rid = past.rid or row[2]
        if (revision := _known_revision(reader, row, past)) is not None:
            yield revision


def shown_newest_first(
    connection: sqlite3.Connection, reader: Reader, item: int
) -> Iterator[Revision]:
    """Yield what readers were shown of an item, the newest first, read one by one."""
    bare = find_bare_item(connection, item)
    if bare is None or bare.status is Status.KILLED:
        return
    for row in connection.execute(
        f"SELECT {RECORD} FROM records WHERE item = ? AND act IN ({_SHOWN})"  # noqa: S608
        " ORDER BY sequence DESC",
        (item,),
    ):
        # Each of them holds all its words itself.
        if (revision := _known_revision(reader, row, _Past(bare.rid))) is not None:
            yield revision


def find_revision(connection: sqlite3.Connection, reader: Reader, sequence: int) -> Revision | None:
    """Return one revision of an item, or of a feed's own, without reading all others.

    None if the record says what no record says.
    """
    pointers = connection.execute(
        "SELECT words_at, item FROM records WHERE sequence = ?", (sequence,)
    ).fetchone()
    if pointers is None or pointers[0] is None:
        return None
    words_at, item = pointers
    needed, past = {sequence}, _Past()
    if item is not None:
        # A redact leaves what the record before it says of withdrawal and import.
        (unchanged,) = connection.execute(
            "SELECT max(sequence) FROM records"
            " WHERE item = ? AND sequence <= ? AND act != 'redact'",
            (item, sequence),
        ).fetchone()
        needed |= {item, words_at, unchanged}
    found = None
    for number in sorted(needed):
        row = connection.execute(
            f"SELECT {RECORD} FROM records WHERE sequence = ?",  # noqa: S608
            (number,),
        ).fetchone()
        past.rid = past.rid or row[2]
        found = _known_revision(reader, row, past)
    return found


@dataclass
class _Past:
    """What a revision takes from those before it, as they are read one by one."""

    rid: str = ""
    contents: dict[int, Content] = field(default_factory=dict)  # of the records that wrote words
    status: Status = Status.LIVE
    imported: bool = False
    killed_at: int | None = None


def _known_revision(reader: Reader, row: tuple[Any, ...], past: _Past) -> Revision | None:
    """Return the revision of a record; None if the record says what no record says."""
    try:
        record = load_record(row)
    except Unreadable as fault:
        reader.note(row[0], fault, _of(row))
        return None
    return _revision(reader, row, record, past)


def _revision(reader: Reader, row: tuple[Any, ...], record: Record, past: _Past) -> Revision:
    sequence, words_at = row[0], row[19]
    erased_at, unreadable, words = None, False, Words()
    try:
        words = reader.words(row)
    except Gone as gone:
        erased_at = gone.at
    except Unreadable as fault:
        reader.note(sequence, fault, _of(row))
        unreadable = True
    settings, item = None, None
    if row[5] is None:
        if record.act is Act.FEED and erased_at is None and not unreadable:
            settings = load_settings(row, words)
    else:
        past.status = _status_then(reader, row, record, past.status)
        item = _item_then(row, past, words, row[7] if unreadable else erased_at)
    return Revision(
        sequence,
        record.check,
        record.act,
        row[7],
        row[18],
        row[6],
        row[8],
        words.note,
        item,
        settings if isinstance(settings, FeedSettings) else None,
        words_at,
        erased_at,
        unreadable,
    )


def _status_then(reader: Reader, row: tuple[Any, ...], record: Record, before: Status) -> Status:
    """Return the status that a record led to.

    One that is damaged follows from the verbs: the revision's words can still be read, and must
    be found by a redact.
    """
    try:
        return Status(row[20])
    except ValueError:
        fault = Unreadable(f"no item has the status {row[20]!r}")
        reader.note(row[0], fault, _of(row), "has its status from its verb")
    by_verb: dict[Verb | Act, Status] = {
        Verb.KILL: Status.KILLED,
        Verb.HOLD: Status.HELD,
        Verb.RELEASE: Status.LIVE,
    }
    return by_verb.get(record.act, before)


def _of(row: tuple[Any, ...]) -> str:
    return f"item {row[5]}" if row[5] else f"the feed {row[4]}"


def _item_then(
    row: tuple[Any, ...], past: _Past, words: Words, erased_at: int | None
) -> Item | None:
    """Return the state that a record led to; None where the words that it showed are gone."""
    sequence, words_at, status = row[0], row[19], past.status
    killed = status is Status.KILLED
    if row[3] != Verb.REDACT:  # which leaves both as they were
        past.imported = row[8] is not None or row[15] is not None
        past.killed_at = row[18] if killed else None
    if words_at == sequence:
        if erased_at is not None or (words.content is None and not killed):
            return None
        if words.content is not None:
            past.contents[sequence] = replace(
                words.content, breaking=bool(row[11]), language=row[12], occurred_at=row[13]
            )
    content = past.contents.get(words_at)
    if content is None and not killed:
        return None
    item = Item(
        row[5],
        row[4],
        sequence,
        row[2][:4],
        row[22],
        rid=past.rid,
        status=status,
        updated_at=None if killed else row[23],
        pinned=bool(row[21]),
        imported=past.imported,
        words_at=words_at,
        touched_at=row[18],
    )
    if killed:
        note = words.note if words_at == sequence else None
        return replace(item, killed_at=past.killed_at, note=note)
    assert content is not None
    return shows(item, content)
