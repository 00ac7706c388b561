"""Do again what the keys know and the data does not: kills and redacts that came after the data.

Old data beside newer keys is welcome, since that is how old copies forget. Each item whose slots
say kill gets a kill record; where they say redact, it shows its newest earlier revision whose key
is there, held. The records bear no editor, and the time of the slot.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import orjson

from feedserver.errors import SetupError
from feedserver.model import (
    Act,
    Content,
    Feed,
    Item,
    Millis,
    Record,
    Redaction,
    Status,
    Verb,
    random_id,
)
from feedserver.records import Words
from feedserver.rules import Known, decide
from feedserver.sqlite import erasing, rows, writer
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.ledger import Ledger
from feedserver.sqlite.rows import Reader, newest_sequence
from feedserver.sqlite.slots import Gone, Unreadable, hash_of

log = logging.getLogger("feedserver.journal")

WITHDRAWN = {
    "ar": "سُحب قبل استعادة هذه النسخة",
    "de": "Zurückgezogen, bevor diese Kopie wiederhergestellt wurde",
    "en": "Withdrawn before this copy was restored",
    "es": "Retirado antes de restaurar esta copia",
    "fr": "Retiré avant la restauration de cette copie",
    "uk": "Знято до відновлення цієї копії",
}
REDACTED = "Redacted before this copy was restored"
HELD = "Shows an earlier text: the later one was redacted before this copy was restored"

Lost = list[tuple[int, Gone]]
"""Records of one item or feed whose keys are gone, and the journal does not say why."""


@dataclass(slots=True)
class Redone:
    """What was done again: items withdrawn, items and feeds redacted, names of editors revoked."""

    killed: list[int] = field(default_factory=list)
    redacted: list[int] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)


class Appending:
    """Adds records at the journal's end; in the caller's transaction, under the write lock."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyFile, following: int) -> None:
        self.following = following
        self._connection = connection
        self._ledger = Ledger(keys, Reader(keys))

    def append(self, record: Record, known: Known) -> None:
        """Decide on a record and store it. Raises SetupError where there is no room for its key."""
        if not self._ledger.keys.ensure(self.following, 1, reserved=True):
            raise SetupError(writer.NO_ROOM)
        change = decide(record, self.following, known)
        self._ledger.store(self._connection, record, change)
        self.following += 1


def before_the_first_answer(connection: sqlite3.Connection, keys: KeyFile) -> Redone:
    """Bring data and keys level with each other, whichever of them is older. Raises SetupError.

    Opens a transaction of its own. Safe in several processes at once.
    """
    redone = Redone()
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Some ahead may have sealed words that a power cut left in a log.
        keys.redraw(newest_sequence(connection), only_taken=False)
        committed = keys.committed_to
        following = writer.next_sequence(connection, keys)
        if committed is None:
            log.error(
                "%s is damaged, so nobody knows how far the journal had come: it gets a new epoch "
                "and goes on at another hundred thousand",
                keys.path,
            )
            following = writer.begin_epoch(connection, keys, above=keys.end)
        if committed is None or committed > newest_sequence(connection):
            redone = redo(connection, keys, following)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    if committed is None or redone != Redone():
        writer.note_committed(keys, newest_sequence(connection))
    if redone != Redone():
        log.warning(
            "the data is older than its keys: %d items were withdrawn again, %d items and %d feeds "
            "redacted again",
            len(redone.killed),
            len(redone.redacted),
            len(redone.feeds),
        )
    erasing.destroy_keys(connection, keys)
    return redone


def redo(connection: sqlite3.Connection, keys: KeyFile, following: int) -> Redone:
    """Add a record for each kill and redact that only the keys know; `following` is its sequence.

    In the caller's transaction.
    """
    redone, added = Redone(), Appending(connection, keys, following)
    feeds, items = _unexplained(connection, keys)
    for slug, lost in feeds.items():  # first, as all others name their feed
        _redact_feed(connection, keys, added, slug, lost)
        redone.feeds.append(slug)
    for item_id, lost in sorted(items.items()):
        item = rows.find_bare_item(connection, item_id)
        assert item is not None
        if any(gone.act == Verb.KILL for _, gone in lost) and item.status is not Status.KILLED:
            _kill(connection, added, item, lost)
            redone.killed.append(item_id)
        elif _redact(connection, keys, added, item, lost):
            redone.redacted.append(item_id)
        else:
            redone.killed.append(item_id)
    return redone


def withdrawn_in(language: str | None) -> str:
    """Return the public note of a kill that is done again, in a feed's language."""
    return WITHDRAWN.get((language or "en").partition("-")[0].lower(), WITHDRAWN["en"])


def _unexplained(
    connection: sqlite3.Connection, keys: KeyFile
) -> tuple[dict[str, Lost], dict[int, Lost]]:
    """Find the records whose keys are gone without a kill or redact here that says so."""
    feeds: dict[str, Lost] = {}
    items: dict[int, Lost] = {}
    for sequence, gone in keys.all_gone(newest_sequence(connection)):
        row = connection.execute(
            "SELECT feed, item, rid FROM records WHERE sequence = ?", (sequence,)
        ).fetchone()
        if row is None or _is_explained(connection, sequence, row[1], gone):
            continue
        slug, item, rid = row
        if keys.owner(sequence) not in {hash_of(rid), bytes(12)}:
            continue  # the slot of another record: unreadable, and no kill
        if item is not None:
            items.setdefault(item, []).append((sequence, gone))
        elif slug is not None:
            feeds.setdefault(slug, []).append((sequence, gone))
    return feeds, items


def _is_explained(
    connection: sqlite3.Connection, sequence: int, item: int | None, gone: Gone
) -> bool:
    if item is not None:
        shown = connection.execute(
            "SELECT words_at, killed_at FROM items WHERE id = ?", (item,)
        ).fetchone()
        if shown is None:
            return True
        if shown[0] == sequence:  # what readers are shown must be there
            return False
        if shown[1] is not None:
            return True
    row = connection.execute(
        "SELECT settings FROM records WHERE sequence = ? AND act = 'redact'", (gone.by,)
    ).fetchone()
    return row is not None and sequence in orjson.loads(row[0])["erases"]


def _kill(connection: sqlite3.Connection, added: Appending, item: Item, lost: Lost) -> None:
    feed = _feed(connection, item.feed)
    at = max(gone.at for _, gone in lost)
    note = withdrawn_in(feed.language)
    record = Record(random_id(), Verb.KILL, at, feed=item.feed, item=item.id, note=note)
    added.append(record, Known(feed=feed, item=item))


def _redact(
    connection: sqlite3.Connection, keys: KeyFile, added: Appending, item: Item, lost: Lost
) -> bool:
    """Redact an item again; where nothing is left to show, withdraw it, and return False."""
    erases, at = tuple(sorted(sequence for sequence, _ in lost)), _latest(lost)
    shown = item.words_at in erases
    version = item.words_at if shown else erases[-1]
    record = Record(
        random_id(),
        Verb.REDACT,
        at,
        feed=item.feed,
        item=item.id,
        note=REDACTED,
        redaction=Redaction(version, erases),
    )
    feed = _feed(connection, item.feed)
    known = Known(feed=feed, item=item, redacted=_act_of(connection, version))
    if item.status is Status.KILLED:
        added.append(replace(record, note=withdrawn_in(feed.language)), known)
        return True
    if not shown:
        added.append(record, known)
        return True
    content = next(_earlier(connection, keys, item), None)
    if content is None:
        _kill(connection, added, item, lost)
        return False
    added.append(replace(record, content=content), known)
    item = rows.find_bare_item(connection, item.id) or item
    if item.status is Status.LIVE:
        hold = Record(random_id(), Verb.HOLD, at, feed=item.feed, item=item.id, note=HELD)
        added.append(hold, Known(feed=_feed(connection, item.feed), item=item))
    return True


def _redact_feed(
    connection: sqlite3.Connection, keys: KeyFile, added: Appending, slug: str, lost: Lost
) -> None:
    """Redact a feed's own words again; it shows the newest earlier ones whose key is there."""
    erases, at = tuple(sorted(sequence for sequence, _ in lost)), _latest(lost)
    feed = _feed(connection, slug)
    if feed.words_at in erases:
        words = next(_earlier_of_feed(connection, keys, slug), Words())
        settings = replace(
            feed.settings,
            title=words.feed.get("title", slug),
            description=words.feed.get("description"),
            summary=words.feed.get("summary"),
        )
        base = feed.version, feed.version_check
        added.append(
            Record(random_id(), Act.FEED, at, feed=slug, settings=settings, base=base),
            Known(feed=feed),
        )
        feed = _feed(connection, slug)
    redaction = Redaction(erases[-1], erases)
    added.append(
        Record(random_id(), Verb.REDACT, at, feed=slug, note=REDACTED, redaction=redaction),
        Known(feed=feed, redacted=Act.FEED),
    )


def _earlier(connection: sqlite3.Connection, keys: KeyFile, item: Item) -> Iterator[Content]:
    """Yield the contents of an item's earlier revisions that can be read, newest first."""
    reader = Reader(keys)
    for row in connection.execute(
        f"SELECT {rows.RECORD} FROM records WHERE item = ? AND sequence < ?"  # noqa: S608
        " ORDER BY sequence DESC",
        (item.id, item.words_at),
    ):
        words = _words(reader, row)
        if words is not None and words.content is not None:
            clear = rows.load_record(row).content
            assert clear is not None
            yield replace(
                words.content,
                breaking=clear.breaking,
                language=clear.language,
                occurred_at=clear.occurred_at,
            )


def _earlier_of_feed(connection: sqlite3.Connection, keys: KeyFile, slug: str) -> Iterator[Words]:
    reader = Reader(keys)
    for row in connection.execute(
        f"SELECT {rows.RECORD} FROM records"  # noqa: S608
        " WHERE feed = ? AND feed IS NOT NULL AND item IS NULL AND act = 'feed'"
        " ORDER BY sequence DESC",
        (slug,),
    ):
        words = _words(reader, row)
        if words is not None:
            yield words


def _words(reader: Reader, row: rows.Row) -> Words | None:
    try:
        return reader.words(row)
    except (Gone, Unreadable):
        return None


def _latest(lost: Iterable[tuple[int, Gone]]) -> Millis:
    return max(gone.at for _, gone in lost)


def _act_of(connection: sqlite3.Connection, sequence: int) -> Verb | Act:
    found = connection.execute("SELECT act FROM records WHERE sequence = ?", (sequence,))
    return rows.ACTS[found.fetchone()[0]]


def _feed(connection: sqlite3.Connection, slug: str) -> Feed:
    feed = rows.find_bare_feed(connection, slug)
    assert feed is not None
    return feed
