"""One number for a whole state: equal wherever feeds, items, tokens and retry keys are.

Keys, epoch and the order of the records do not count, so it is the same for an original, for its
restored backup, for its migrated copy, and for a mirror rebuilt from its journal.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import orjson

from feedserver.model import Feed, Item, Token
from feedserver.sqlite import rows
from feedserver.sqlite.rows import Reader


def state_hash(connection: sqlite3.Connection, reader: Reader) -> str:
    """Return the hash of the state in a database, in hex. Reads it at one moment."""
    connection.execute("BEGIN")
    try:
        return hash_of_state(
            (reader.feed(row) for row in _all(connection, rows.FEED, rows.FEEDS, "feeds.slug")),
            _items(connection, reader),
            (rows.load_token(row) for row in _all(connection, "*", "tokens", "name")),
            _all(connection, "mac, sequence", "retry_keys", "mac"),
        )
    finally:
        connection.execute("COMMIT")


def hash_of_state(
    feeds: Iterable[Feed],
    items: Iterable[Item],
    tokens: Iterable[Token],
    retries: Iterable[tuple[bytes, int]],
) -> str:
    """Return the SHA-256 of these as canonical JSON, in hex; each kind in the order of its key."""
    digest = hashlib.sha256()
    for kind, values in (
        ("feed", (_plain(feed) for feed in feeds)),
        ("item", (_plain(item) for item in items)),
        ("token", (_plain(token) for token in tokens)),
        ("retry", ([mac.hex(), sequence] for mac, sequence in retries)),
    ):
        for value in values:
            digest.update(orjson.dumps([kind, value], option=orjson.OPT_SORT_KEYS) + b"\n")
    return digest.hexdigest()


def _plain(value: Feed | Item | Token) -> dict[str, Any]:
    plain = asdict(value)
    plain.pop("head_at", None)  # which the journal tells
    if plain.get("blocks") is not None:
        plain["blocks"] = orjson.loads(plain["blocks"])
    return plain


def _all(connection: sqlite3.Connection, what: str, table: str, order: str) -> Iterator[Any]:
    return connection.execute(f"SELECT {what} FROM {table} ORDER BY {order}")  # noqa: S608


def _items(connection: sqlite3.Connection, reader: Reader) -> Iterator[Item]:
    for row in _all(connection, rows.ITEM, rows.ITEMS, "items.id"):
        item = reader.item(row)
        if item is not None:
            yield item
