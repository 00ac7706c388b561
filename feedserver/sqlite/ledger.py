"""Apply records to the tables: what is known, what was decided, what a kill erases.

Plain functions of a connection, called inside the journal's transaction.
"""

from __future__ import annotations

import sqlite3
from dataclasses import astuple, fields
from typing import Any

import orjson

from feedserver import markup, wire
from feedserver.model import Act, Feed, Item, Key, Logged, Record, Status, Token, Verb
from feedserver.rules import Change, Known, decide

FEED_COLUMNS = ", ".join(f'"{column.name}"' for column in fields(Feed))
# As Feed lists its fields: slug, title, created_at, version, head, check, …
_FEED_SLOTS = ", ".join("?" for _ in fields(Feed))


def apply(connection: sqlite3.Connection, record: Record, sequence: int) -> Change:
    """Decide on `record` at `sequence` and store what follows. Raises Refused or Duplicate."""
    change = decide(record, sequence, _known(connection, record))
    connection.execute(
        "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            sequence,
            record.rid,
            record.act,
            record.feed,
            change.item.id if change.item else None,
            record.editor,
            record.at,
            change.effective_at,
            wire.dump_record(record),
        ),
    )
    if change.token is not None:
        _store_token(connection, change.token)
    if change.feed is not None:
        connection.execute(
            f"INSERT OR REPLACE INTO feeds ({FEED_COLUMNS}) VALUES ({_FEED_SLOTS})",  # noqa: S608
            astuple(change.feed),
        )
    if change.item is not None:
        _store_item(connection, record, change.item)
    return change


def find_feed(connection: sqlite3.Connection, slug: str | None) -> Feed | None:
    """Return a feed by its slug."""
    row = connection.execute(
        f"SELECT {FEED_COLUMNS} FROM feeds WHERE slug = ?",  # noqa: S608
        (slug,),
    ).fetchone()
    return Feed(*row) if row else None


def find_item(connection: sqlite3.Connection, item: int | None) -> Item | None:
    """Return an item's latest state."""
    row = connection.execute("SELECT state FROM items WHERE id = ?", (item,)).fetchone()
    return wire.load_item(row[0]) if row else None


def load_token(row: tuple[Any, ...]) -> Token:
    """Read a row of the table tokens."""
    name, digest, feeds, importer, created_at, revoked_at = row
    return Token(name, digest, tuple(orjson.loads(feeds)), bool(importer), created_at, revoked_at)


def load_logged(row: tuple[Any, ...]) -> Logged:
    """Read a row of the table records; erased ones come without fields, note and key."""
    sequence, rid, act, feed, item, editor, at, effective_at, payload = row
    verb = Act(act) if act in _ACTS else Verb(act)
    rest = wire.load_record(payload) if payload is not None else {}
    record = Record(rid=rid, act=verb, at=at, feed=feed, item=item, editor=editor, **rest)
    return Logged(sequence, record, effective_at)


_ACTS = frozenset(Act)


def _known(connection: sqlite3.Connection, record: Record) -> Known:
    token = used = origin = None
    token_name = record.editor if record.editor is not None else record.fields.get("name")
    if token_name is not None:
        row = connection.execute("SELECT * FROM tokens WHERE name = ?", (token_name,)).fetchone()
        token = load_token(row) if row else None
    if record.key is not None:
        used = connection.execute(
            "SELECT sequence FROM keys WHERE feed = ? AND editor = ? AND mac = ?",
            (record.feed, record.editor, record.key.mac),
        ).fetchone()
    if record.origin is not None:
        origin = connection.execute(
            "SELECT item FROM origins WHERE feed = ? AND uri = ? AND id = ?",
            (record.feed, record.origin.uri, record.origin.id),
        ).fetchone()
    return Known(
        feed=find_feed(connection, record.feed) if record.feed is not None else None,
        item=find_item(connection, record.item) if record.item is not None else None,
        token=token,
        used_at=used[0] if used else None,
        origin_item=origin[0] if origin else None,
    )


def _store_token(connection: sqlite3.Connection, token: Token) -> None:
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


def _store_item(connection: sqlite3.Connection, record: Record, item: Item) -> None:
    killed = item.status is Status.KILLED
    connection.execute(
        "INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            item.id,
            item.feed,
            item.version,
            item.published_at,
            killed,
            item.pinned,
            wire.dump_item(item),
        ),
    )
    if record.key is not None:
        _store_key(connection, record, record.key, item)
    if record.origin is not None:
        connection.execute(
            "INSERT INTO origins VALUES (?, ?, ?, ?)",
            (item.feed, record.origin.uri, record.origin.id, item.id),
        )
    if killed:
        _erase(connection, item)
    elif record.act is Verb.POST or record.fields.keys() & {"headline", "body", "tags"}:
        _index(connection, item, new=record.act is Verb.POST)


def _store_key(connection: sqlite3.Connection, record: Record, key: Key, item: Item) -> None:
    connection.execute(
        "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?)",
        (item.feed, record.editor, key.mac, item.version, item.id, key.salt, key.body_mac),
    )


def _index(connection: sqlite3.Connection, item: Item, *, new: bool) -> None:
    if not new:
        _unindex(connection, item.id)
    connection.executemany(
        "INSERT INTO tags VALUES (?, ?, ?)", [(item.feed, tag, item.id) for tag in item.tags]
    )
    connection.execute(
        "INSERT INTO words (rowid, headline, body, tags) VALUES (?, ?, ?, ?)",
        (item.id, item.headline, markup.plain(item.body), " ".join(item.tags)),
    )


def _unindex(connection: sqlite3.Connection, item: int) -> None:
    connection.execute("DELETE FROM tags WHERE item = ?", (item,))
    connection.execute("DELETE FROM words WHERE rowid = ?", (item,))


def _erase(connection: sqlite3.Connection, item: Item) -> None:
    _unindex(connection, item.id)
    connection.execute(
        "UPDATE records SET payload = NULL WHERE item = ? AND sequence < ?",
        (item.id, item.version),
    )
    connection.execute(
        "UPDATE keys SET salt = '', body_mac = '' WHERE item = ? AND sequence < ?",
        (item.id, item.version),
    )
    connection.execute("INSERT OR IGNORE INTO purges VALUES (?)", (item.id,))
