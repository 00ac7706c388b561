"""Rows to values and back: what stands in clear comes from the row, words are unsealed.

Plain functions of a connection and the keys, called inside a transaction.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

import orjson

from feedserver import records
from feedserver.errors import SetupError
from feedserver.model import (
    Act,
    Content,
    Feed,
    FeedSettings,
    Item,
    Record,
    RetryKey,
    Status,
    Token,
    TokenSettings,
    Verb,
)
from feedserver.records import Words
from feedserver.rules import WRITES_WORDS, Change, shows
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.sealing import seal, unseal
from feedserver.sqlite.slots import Gone, Unreadable, hash_of

T = TypeVar("T")

log = logging.getLogger("feedserver.database")

Row = tuple[Any, ...]
"""A row of `RECORD`, `ITEM` or `FEED`, in the order of its columns."""

LEFT_OUT = "is left out"
UNREADABLE_MAX = 1000  # records that are remembered as unreadable, for reports

_RECORD_COLUMNS = (
    "sequence",
    "v",
    "rid",
    "act",
    "feed",
    "item",
    "editor",
    "at",
    "claimed_at",
    "base_version",
    "base_check",
    "breaking",
    "language",
    "occurred_at",
    "retry_mac",
    "origin_mac",
    "settings",
    "sealed",
    "effective_at",
    "words_at",
    "status",
    "pinned",
    "published_at",
    "updated_at",
)
_ITEM_COLUMNS = (
    "id",
    "feed",
    "rid",
    "version",
    "check",
    "words_at",
    "published_at",
    "touched_at",
    "updated_at",
    "killed_at",
    "held",
    "pinned",
    "breaking",
    "imported",
    "language",
    "occurred_at",
)
_FEED_COLUMNS = (
    "slug",
    "rid",
    "version",
    "version_check",
    "words_at",
    "head",
    "check",
    "language",
    "timezone",
    "created_at",
    "closed_at",
    "stamped_at",
    "summary_at",
)


def _listed(table: str, columns: Iterable[str]) -> str:
    return ", ".join(f'{table}."{name}"' for name in columns)


def _storing(table: str, columns: tuple[str, ...], how: str = "INSERT") -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f"{how} INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"


RECORD = _listed("records", _RECORD_COLUMNS)
BARE_ITEM = _listed("items", _ITEM_COLUMNS)
ITEM = f"{BARE_ITEM}, {RECORD}"
ITEMS = "items JOIN records ON records.sequence = items.words_at"
_HEAD_AT = "(SELECT at FROM records AS newest WHERE newest.sequence = feeds.head)"
FEED = f"{_listed('feeds', _FEED_COLUMNS)}, {RECORD}, {_HEAD_AT}"
FEEDS = "feeds JOIN records ON records.sequence = feeds.words_at"
_STORE_RECORD = _storing("records", _RECORD_COLUMNS)
_STORE_ITEM = _storing("items", _ITEM_COLUMNS, "INSERT OR REPLACE")
_STORE_FEED = _storing("feeds", _FEED_COLUMNS, "INSERT OR REPLACE")
_ITEM_END = len(_ITEM_COLUMNS)
_FEED_END = len(_FEED_COLUMNS)
ACTS: dict[str, Verb | Act] = {str(act): act for act in (*Verb, *Act)}


class Overtaken(Exception):
    """Words that this moment's rows name were erased since: read again, at a later moment."""


class Newer(SetupError):
    """A record is of a newer format than this program knows."""


class Reader:
    """Reads words with the keys, and remembers what could not be read."""

    def __init__(self, keys: KeyFile) -> None:
        self.keys = keys
        self.unreadable: OrderedDict[tuple[int, str], str] = OrderedDict()  # record and outcome

    def words(self, row: tuple[Any, ...]) -> Words:
        """Return what was sealed of the record in a row. Raises Gone, Unreadable, Newer."""
        return self._loaded(row, records.load_words)

    def unsealed(self, row: tuple[Any, ...]) -> bytes:
        """Return the same as it was written.

        Every record is sealed, also one without words, so that none can be cut or changed unseen.
        """
        record, sealed = load_record(row), row[17]
        key = self.keys.key(row[0], hash_of(record.rid))
        if not sealed:
            raise Unreadable("its sealed part is missing")
        return unseal(key, sealed, records.bound(record, _bytes(row[16])))

    def item(self, row: tuple[Any, ...]) -> Item | None:
        """Return the item of a row of `ITEM`; None where its words cannot be read.

        Raises Overtaken where they were erased after the moment that is being read.
        """
        return self._item(row, lambda bare, record: with_words(bare, self.words(record)))

    def headline(self, row: Row) -> Item | None:
        """Return the same without its words but the headline: of a long item that is far quicker.

        Raises Overtaken.
        """
        return self._item(
            row,
            lambda bare, record: replace(bare, headline=self._loaded(record, records.load_text)[0]),
        )

    def feed(self, row: tuple[Any, ...]) -> Feed:
        """Return the feed of a row of `FEED`. One whose words cannot be read is named by its slug.

        Raises Overtaken.
        """
        try:
            words = self.words(row[_FEED_END:-1]).feed
        except Gone:
            raise Overtaken from None
        except Unreadable as fault:
            self.note(row[_FEED_END], fault, f"the feed {row[0]}")
            words = {}
        settings = dict(zip(_FEED_COLUMNS, row, strict=False))
        return Feed(**settings | {"title": row[0], "head_at": row[-1] or 0} | words)

    def note(self, sequence: int, fault: Unreadable, what: str, outcome: str = LEFT_OUT) -> None:
        """Log a record that cannot be read, once, and remember it for reports."""
        text = f"{what}: {fault}"
        if (
            self.unreadable.setdefault((sequence, outcome), text) is not text
        ):  # threads come here at once
            return
        log.error("record %d of %s cannot be read and %s: %s", sequence, what, outcome, fault)
        if len(self.unreadable) > UNREADABLE_MAX:
            self.unreadable.popitem(last=False)

    def _loaded(self, row: Row, load: Callable[[bytes], T]) -> T:
        try:
            words = load(self.unsealed(row))
        except Gone:
            self.unreadable.pop((row[0], LEFT_OUT), None)
            raise
        self.unreadable.pop((row[0], LEFT_OUT), None)  # it was mended
        return words

    def _item(self, row: Row, read: Callable[[Item, Row], Item]) -> Item | None:
        bare, record = load_bare_item(row), row[_ITEM_END:]
        try:
            return read(bare, record)
        except Gone:
            raise Overtaken from None
        except Unreadable as fault:
            self.note(record[0], fault, f"item {bare.id} of {bare.feed}")
            return None


def with_words(item: Item, words: Words) -> Item:
    """Return an item with the words that it shows: its content, or a withdrawn one's note."""
    if item.status is Status.KILLED or words.content is None:
        return replace(item, note=words.note) if item.status is Status.KILLED else item
    content = replace(
        words.content,
        breaking=item.breaking,
        language=item.language,
        occurred_at=item.occurred_at,
    )
    return shows(item, content)


def find_feed(connection: sqlite3.Connection, reader: Reader, slug: str | None) -> Feed | None:
    """Return a feed by its slug."""
    row = connection.execute(
        f"SELECT {FEED} FROM {FEEDS} WHERE feeds.slug = ?",  # noqa: S608
        (slug,),
    ).fetchone()
    return reader.feed(row) if row else None


def find_item(connection: sqlite3.Connection, reader: Reader, item: int | None) -> Item | None:
    """Return an item's latest state."""
    row = connection.execute(
        f"SELECT {ITEM} FROM {ITEMS} WHERE items.id = ?",  # noqa: S608
        (item,),
    ).fetchone()
    return reader.item(row) if row else None


def find_bare_item(connection: sqlite3.Connection, item: int | None) -> Item | None:
    """Return an item's latest state without its words, which may be gone or unreadable."""
    row = connection.execute(
        f"SELECT {BARE_ITEM} FROM items WHERE id = ?",  # noqa: S608
        (item,),
    ).fetchone()
    return load_bare_item(row) if row else None


def find_token(connection: sqlite3.Connection, name: str) -> Token | None:
    """Return a token by its owner's name."""
    row = connection.execute(
        "SELECT name, digest, feeds, importer, created_at, revoked_at FROM tokens WHERE name = ?",
        (name,),
    ).fetchone()
    return load_token(row) if row else None


def newest_sequence(connection: sqlite3.Connection) -> int:
    """Return the sequence of the newest record; 0 when there is none."""
    newest: int = connection.execute("SELECT coalesce(max(sequence), 0) FROM records").fetchone()[0]
    return newest


def load_record(row: tuple[Any, ...]) -> Record:
    """Return the part of a record that stands in clear and is bound to its seal.

    Raises Newer, and Unreadable where it says what no record says.
    """
    if row[1] > records.VERSION:
        raise Newer(
            f"record {row[0]} has the format {row[1]}, of a newer feedserver: install that again"
        )
    act = ACTS.get(row[3])
    if act is None:
        raise Unreadable(f"no record has the act {row[3]}")
    content = None
    if act in WRITES_WORDS or (act is Verb.REDACT and row[19] == row[0] and row[20] != "killed"):
        content = Content(breaking=bool(row[11]), language=row[12], occurred_at=row[13])
    return Record(
        row[2],
        act,
        row[7],
        feed=row[4],
        item=row[5],
        editor=row[6],
        content=content,
        base=(row[9], row[10]) if row[9] is not None else None,
        claimed_at=row[8],
        retry_key=RetryKey(row[14], "") if row[14] is not None else None,
        origin_mac=row[15],
    )


def load_settings(
    row: tuple[Any, ...], words: Words | None = None
) -> FeedSettings | TokenSettings | None:
    """Return the settings that a record in a row holds, a feed's with these words of it."""
    return records.load_settings(ACTS[row[3]], _bytes(row[16]), words or Words())[0]


def find_bare_feed(connection: sqlite3.Connection, slug: str | None) -> Feed | None:
    """Return a feed without its words: its title is empty, like its description and summary."""
    row = connection.execute(
        f"SELECT {_listed('feeds', _FEED_COLUMNS)} FROM feeds WHERE slug = ?",  # noqa: S608
        (slug,),
    ).fetchone()
    return Feed(**{"title": ""} | dict(zip(_FEED_COLUMNS, row, strict=True))) if row else None


def load_token(row: tuple[Any, ...]) -> Token:
    """Read a row of the table tokens."""
    name, digest, feeds, importer, created_at, revoked_at = row
    return Token(name, digest, tuple(orjson.loads(feeds)), bool(importer), created_at, revoked_at)


def store_record(
    connection: sqlite3.Connection, record: Record, change: Change, key: bytes
) -> None:
    """Seal a record's words with the key of its sequence, and store it."""
    settings, words = records.dump_settings(record), records.dump_words(record)
    sealed = seal(key, words, records.bound(record, settings))
    insert_record(connection, record, change, sealed)


def insert_record(
    connection: sqlite3.Connection, record: Record, change: Change, sealed: bytes | None
) -> None:
    """Store a record whose words are sealed already; None: they are gone."""
    settings = records.dump_settings(record)
    text = settings.decode() if settings else None
    item, content, base = change.item, record.content, record.base or (None, None)
    updated_at = item.updated_at if item else change.feed.summary_at if change.feed else None
    words_at = item.words_at if item else change.feed.words_at if change.feed else None
    connection.execute(
        _STORE_RECORD,
        (
            change.sequence,
            records.VERSION,
            record.rid,
            record.act,
            record.feed,
            item.id if item else None,
            record.editor,
            record.at,
            record.claimed_at,
            *base,
            (content.breaking or None) if content else None,
            content.language if content else None,
            content.occurred_at if content else None,
            record.retry_key.mac if record.retry_key else None,
            record.origin_mac,
            text,
            sealed,
            change.effective_at,
            words_at,
            item.status if item else None,
            (item.pinned or None) if item else None,
            item.published_at if item else None,
            updated_at,
        ),
    )


def store_item(connection: sqlite3.Connection, item: Item) -> None:
    """Store an item's latest state, without its words."""
    connection.execute(
        _STORE_ITEM,
        (
            item.id,
            item.feed,
            item.rid,
            item.version,
            item.check,
            item.words_at,
            item.published_at,
            item.touched_at,
            item.updated_at,
            item.killed_at,
            (item.status is Status.HELD) or None,
            item.pinned or None,
            item.breaking or None,
            item.imported or None,
            item.language,
            item.occurred_at,
        ),
    )


def store_feed(connection: sqlite3.Connection, feed: Feed) -> None:
    """Store a feed, without its words."""
    connection.execute(_STORE_FEED, tuple(getattr(feed, name) for name in _FEED_COLUMNS))


def store_token(connection: sqlite3.Connection, token: Token) -> None:
    """Store a token."""
    connection.execute(
        "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?)",
        (
            token.name,
            token.digest,
            orjson.dumps(token.feeds).decode(),
            token.importer,
            token.created_at,
            token.revoked_at,
        ),
    )


def load_bare_item(row: Row) -> Item:
    """Read a row of `BARE_ITEM`, or the beginning of one of `ITEM`."""
    killed_at = row[9]
    status = Status.LIVE
    if killed_at is not None:
        status = Status.KILLED
    elif row[10]:
        status = Status.HELD
    return Item(
        row[0],
        row[1],
        row[3],
        row[4],
        row[6],
        rid=row[2],
        status=status,
        updated_at=row[8],
        occurred_at=row[15],
        breaking=bool(row[12]),
        pinned=bool(row[11]),
        language=row[14],
        imported=bool(row[13]),
        words_at=row[5],
        touched_at=row[7],
        killed_at=killed_at,
    )


def _bytes(text: str | None) -> bytes | None:
    return text.encode() if text is not None else None
