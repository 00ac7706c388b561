"""Apply records to the tables: look up what is known, decide, seal, store.

Called inside the journal's transaction, under the write lock.
"""

from __future__ import annotations

import sqlite3

from feedserver.model import Act, Feed, Item, Record, TokenSettings, Verb
from feedserver.rules import Change, Known, decide
from feedserver.sqlite import rows
from feedserver.sqlite.keys import KeyFile, NotFresh
from feedserver.sqlite.rows import Overtaken, Reader
from feedserver.sqlite.slots import hash_of


class Ledger:
    """The tables and the keys, written together."""

    def __init__(self, keys: KeyFile, reader: Reader) -> None:
        self.keys = keys
        self.reader = reader
        self._feeds: dict[str, Feed] = {}  # of the transaction under way

    def begin(self) -> None:
        """Forget what the last transaction knew: another process may have changed it since."""
        self._feeds.clear()

    def apply(self, connection: sqlite3.Connection, record: Record, sequence: int) -> Change:
        """Decide on `record` at `sequence` and store what follows. Raises Refused or Duplicate.

        Refusals are raised before a key is taken or a row is written.
        """
        change = decide(record, sequence, self._known(connection, record))
        self.store(connection, record, change)
        return change

    def store(self, connection: sqlite3.Connection, record: Record, change: Change) -> None:
        """Store an accepted record and the state it leads to."""
        sequence = change.sequence
        rows.store_record(connection, record, change, self._take(sequence, hash_of(record.rid)))
        if change.token is not None:
            rows.store_token(connection, change.token)
        if change.feed is not None:
            rows.store_feed(connection, change.feed)
            self._feeds[change.feed.slug] = change.feed
        if change.item is not None:
            rows.store_item(connection, change.item)
        if record.retry_key is not None:
            connection.execute(
                "INSERT INTO retry_keys VALUES (?, ?)", (record.retry_key.mac, sequence)
            )
        if record.origin_mac is not None and change.item is not None:
            connection.execute(
                "INSERT INTO origins VALUES (?, ?)", (record.origin_mac, change.item.id)
            )

    def _take(self, sequence: int, owner: bytes) -> bytes:
        try:
            return self.keys.take(sequence, owner)
        except NotFresh:
            # Some process died after it had sealed words with this key: it must seal no others. Or
            # the slot is damaged: it lies above the newest record, so no words depend on it.
            self.keys.redraw(sequence - 1, only_taken=True)
            self.keys.draw_anew(sequence)
        try:
            return self.keys.take(sequence, owner)
        except NotFresh as fault:
            raise OSError(str(fault)) from None

    def _known(self, connection: sqlite3.Connection, record: Record) -> Known:
        token, used, origin, redacted = None, None, None, None
        name = record.editor
        if isinstance(record.settings, TokenSettings):
            name = record.settings.name
        if name is not None:
            token = rows.find_token(connection, name)
        if record.retry_key is not None:
            used = connection.execute(
                "SELECT sequence FROM retry_keys WHERE mac = ?", (record.retry_key.mac,)
            ).fetchone()
        if record.origin_mac is not None:
            origin = connection.execute(
                "SELECT item FROM origins WHERE mac = ?", (record.origin_mac,)
            ).fetchone()
        if record.redaction is not None:
            redacted = connection.execute(
                "SELECT act FROM records WHERE sequence = ? AND feed = ? AND item IS ?",
                (record.redaction.version, record.feed, record.item),
            ).fetchone()
        return Known(
            feed=self._feed(connection, record.feed) if record.feed is not None else None,
            item=self._item(connection, record),
            token=token,
            used_at=used[0] if used else None,
            origin_item=origin[0] if origin else None,
            redacted=_act(redacted[0]) if redacted else None,
        )

    def _item(self, connection: sqlite3.Connection, record: Record) -> Item | None:
        if record.item is None:
            return None
        try:
            item = rows.find_item(connection, self.reader, record.item)
        except Overtaken:
            item = None
        if item is None and record.act is Verb.KILL:  # which needs no words
            item = rows.find_bare_item(connection, record.item)
        return item

    def _feed(self, connection: sqlite3.Connection, slug: str) -> Feed | None:
        known = self._feeds.get(slug)
        if known is None:
            known = rows.find_feed(connection, self.reader, slug)
            if known is not None:
                self._feeds[slug] = known
        return known


def _act(name: str) -> Verb | Act:
    return Act(name) if name in frozenset(Act) else Verb(name)
