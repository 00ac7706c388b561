"""The format before this one (schema 1) as it is read: records and states of today's kind.

There a record held only what an editor changed, and a kill emptied the records before its own. Here
each record gets the whole state that it led to, folded oldest first.
"""

from __future__ import annotations

import sqlite3
import sys
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from feedserver.draft import Draft
from feedserver.journal import Identity
from feedserver.model import (
    Act,
    Content,
    Correction,
    Feed,
    FeedSettings,
    Item,
    Millis,
    Origin,
    Record,
    RetryKey,
    Token,
    TokenSettings,
    Verb,
)
from feedserver.retries import keyed_hash
from feedserver.rules import WRITES_WORDS, Change, evolve
from feedserver.sqlite.connecting import connect

SCHEMA = 1
MAC = 16  # bytes of a retry key's MAC that are kept today, of 32
STATES_MAX = 64 * 1024 * 1024  # bytes of items kept in memory, by estimate; others are folded anew
_BARE = 2048  # bytes of an item without its long texts

_RECORDS = "SELECT sequence, rid, act, feed, item, editor, at, effective_at, payload FROM records"
_VERSION = "SELECT version FROM items WHERE id = ?"
_ACTS = {str(act): act for act in (*Verb, *Act)}

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """An old record as one of today's. `killed` is the sequence and time of the kill that emptied
    it; `is_last` says that no later record changes its item."""

    record: Record
    change: Change
    killed: tuple[int, Millis] | None = None
    is_last: bool = False


class Former:
    """An old database, open. Reads only; closed with its connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        self.identity = Identity(meta["epoch"], meta["salt"])
        self._feeds: dict[str, FeedSettings] = {}
        self._items = _Items()

    def newest(self) -> tuple[int, str]:
        """Return the sequence and the rid of the newest record."""
        row = self._connection.execute(
            "SELECT sequence, rid FROM records ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
        return (row[0], row[1]) if row else (0, "")

    def records(self) -> Iterator[Moved]:
        """Yield all records, oldest first, in bounded memory."""
        for row in self._connection.execute(f"{_RECORDS} ORDER BY sequence"):
            if row[4] is None:
                yield self._feed_or_token(row)
                continue
            moved, item = self._item_record(self._before(row), row)
            found = self._connection.execute(_VERSION, (row[4],)).fetchone()
            if found is not None and found[0] == row[0]:
                moved = Moved(moved.record, moved.change, moved.killed, is_last=True)
                self._items.forget(item.id)
            else:
                self._items.keep(item)
            yield moved

    def feeds(self) -> Iterator[Feed]:
        """Yield all feeds as they are now."""
        for (
            slug,
            title,
            language,
            timezone,
            description,
            created_at,
            closed_at,
            version,
            head,
            check,
            stamped_at,
        ) in self._connection.execute("SELECT * FROM feeds"):
            rid, version_check = self._connection.execute(
                "SELECT (SELECT rid FROM records WHERE feed = ? AND act = 'feed'"
                " ORDER BY sequence LIMIT 1),"
                " (SELECT substr(rid, 1, 4) FROM records WHERE sequence = ?)",
                (slug, version),
            ).fetchone()
            yield Feed(
                slug,
                title,
                created_at,
                version,
                head,
                check,
                language,
                timezone,
                description,
                closed_at,
                stamped_at,
                rid,
                version_check,
                words_at=version,
            )

    def tokens(self) -> Iterator[Token]:
        """Yield all tokens as they are now."""
        for name, digest, feeds, importer, created_at, revoked_at in self._connection.execute(
            "SELECT * FROM tokens"
        ):
            yield Token(
                name, digest, tuple(orjson.loads(feeds)), bool(importer), created_at, revoked_at
            )

    def counts(self) -> tuple[int, int]:
        """Return how many items and retry keys there are."""
        items, used = self._connection.execute(
            "SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM keys)"
        ).fetchone()
        return items, used

    def _before(self, row: Row) -> Item | None:
        """Return the item as it was before a record."""
        if row[2] == Verb.POST:
            return None
        item = self._items.known(row[4])
        if item is None:
            earlier = self._connection.execute(
                f"{_RECORDS} WHERE item = ? AND sequence < ? ORDER BY sequence", (row[4], row[0])
            )
            for one in earlier:
                item = self._item_record(item, one)[1]
        return item

    def _item_record(self, item: Item | None, row: Row) -> tuple[Moved, Item]:
        sequence, rid, verb, feed, item_id, _, _, shown_at, payload = row
        killed = None
        if payload is None:
            record, killed = self._emptied(row), self._killed(item_id)
        else:
            record = self._filled(row, item, orjson.loads(payload))
        if item is None:
            item = Item(item_id, feed, 0, "", published_at=shown_at, rid=rid)
        item = evolve(item, record, sequence, shown_at)
        change = Change(sequence, rid[:4], shown_at, Verb(verb), item=item)
        return Moved(record, change, killed), item

    def _filled(self, row: Row, item: Item | None, raw: Any) -> Record:
        _, rid, verb, feed, item_id, editor, at, shown_at, _ = row
        sent = raw["fields"]
        published_at = sent.pop("published_at", None)
        content = None
        if verb in WRITES_WORDS:
            content = Draft(sent).applied_to(item.content if item else Content())
            if verb == Verb.CORRECT:
                correction = Correction(shown_at, raw["note"] or "")
                content = replace(content, corrections=(*content.corrections, correction))
        origin = Origin(**raw["origin"]) if raw["origin"] else None
        key = raw["key"]
        return Record(
            rid,
            Verb(verb),
            at,
            feed=feed,
            item=None if verb == Verb.POST else item_id,
            editor=editor,
            content=content,
            note=raw["note"],
            base=tuple(raw["base"]) if raw["base"] else None,
            published_at=published_at,
            claimed_at=raw["claimed_at"],
            origin=origin,
            origin_mac=self._origin_mac(feed, origin.uri, origin.id) if origin else None,
            retry_key=_retry_key(key["mac"], key["salt"], key["body_mac"]) if key else None,
        )

    def _emptied(self, row: Row) -> Record:
        """Give back to a record that a kill emptied what other tables kept of it."""
        sequence, rid, verb, feed, item_id, editor, at, shown_at, _ = row
        used = self._connection.execute(
            "SELECT mac FROM keys WHERE item = ? AND sequence = ?", (item_id, sequence)
        ).fetchone()
        record = Record(
            rid,
            Verb(verb),
            at,
            feed=feed,
            item=None if verb == Verb.POST else item_id,
            editor=editor,
            content=Content() if verb in WRITES_WORDS else None,
            retry_key=_retry_key(used[0], "", "") if used else None,
        )
        if verb != Verb.POST:
            return record
        origin = self._connection.execute(
            "SELECT uri, id FROM origins WHERE feed = ? AND item = ?", (feed, item_id)
        ).fetchone()
        return replace(
            record,
            origin_mac=self._origin_mac(feed, *origin) if origin else None,
            # The server's own stamp is never before the record: this time was asked for.
            published_at=shown_at if shown_at < at else None,
        )

    def _origin_mac(self, feed: str, uri: str, origin: str) -> bytes:
        return keyed_hash(self.identity.salt, (feed, uri, origin))

    def _killed(self, item: int) -> tuple[int, Millis] | None:
        row = self._connection.execute(
            "SELECT sequence, at FROM records WHERE item = ? AND act = 'kill'", (item,)
        ).fetchone()
        return (row[0], row[1]) if row else None

    def _feed_or_token(self, row: Row) -> Moved:
        sequence, rid, name, slug, _, editor, at, shown_at, payload = row
        act = _ACTS[name]
        sent: dict[str, Any] = orjson.loads(payload)["fields"]
        record = Record(rid, act, at, feed=slug, editor=editor)
        if act is Act.FEED:
            known = self._feeds.get(slug, FeedSettings(""))
            settings = replace(known, **sent | {"closed": bool(sent.get("closed", known.closed))})
            self._feeds[slug] = settings
            feed = Feed(slug, settings.title, at, sequence, sequence, rid[:4], words_at=sequence)
            change = Change(sequence, rid[:4], shown_at, act, feed=feed)
            return Moved(replace(record, settings=settings), change)
        feeds = tuple(sent.get("feeds", ()))
        token = TokenSettings(
            sent["name"], sent.get("digest", ""), feeds, bool(sent.get("importer"))
        )
        return Moved(replace(record, settings=token), Change(sequence, rid[:4], shown_at, act))


class _Items:
    """The items whose next record is probably near, within a bound on memory."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Item] = OrderedDict()
        self._bytes = 0

    def known(self, item: int) -> Item | None:
        return self._kept.get(item)

    def keep(self, item: Item) -> None:
        self.forget(item.id)
        self._kept[item.id] = item
        self._bytes += _size(item)
        while self._bytes > STATES_MAX:
            self._bytes -= _size(self._kept.popitem(last=False)[1])

    def forget(self, item: int) -> None:
        if (known := self._kept.pop(item, None)) is not None:
            self._bytes -= _size(known)


def open_former(path: Path) -> sqlite3.Connection:
    """Open an old database that nobody else has open, and keep others out while it is.

    What its log holds is moved into the file. Raises sqlite3.OperationalError.
    """
    connection = connect(path, read_only=False, wal=False)
    try:
        # With anybody else there SQLite refuses to leave its log behind.
        mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        if mode != "delete":
            raise sqlite3.OperationalError("database is locked")
        connection.execute("BEGIN EXCLUSIVE")
    except BaseException:
        connection.close()
        raise
    return connection


def _retry_key(mac: str, salt: str, body_mac: str) -> RetryKey:
    return RetryKey(bytes.fromhex(mac)[:MAC], f"{salt}${body_mac}")


def _size(item: Item) -> int:
    return _BARE + sys.getsizeof(item.headline) + 2 * sys.getsizeof(item.body)
