"""Hold the rows of feeds, items, tokens and look-ups against what the records say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import fields

from feedserver.model import Feed, Item, Token
from feedserver.sqlite import replaying, rows
from feedserver.sqlite.findings import CONTRADICTION, Finding
from feedserver.sqlite.rows import Newer
from feedserver.sqlite.slots import Unreadable


def all_but_items(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Yield what is wrong in the rows; those of items that have records are compared one by one."""
    yield from _items_without_records(connection)
    yield from _feeds(connection)
    yield from _tokens(connection)
    yield from _look_ups(connection)


def compare(
    said: Item | Feed | Token | None,
    stored: Item | Feed | Token | None,
    what: str,
    item: int | None = None,
) -> Iterator[Finding]:
    """Yield in what a row differs from what the records say."""
    if said == stored:
        return
    if said is None or stored is None:
        missing = "records" if said is None else "row"
        yield Finding(CONTRADICTION, f"{what} has no {missing}", None, item)
        return
    names = [
        one.name
        for one in fields(said)
        if getattr(said, one.name) != getattr(stored, one.name, None)
    ]
    detail = f"the row of {what} is not what its records say: {', '.join(names)}"
    yield Finding(CONTRADICTION, detail, None, item)


def _items_without_records(connection: sqlite3.Connection) -> Iterator[Finding]:
    for (item,) in connection.execute(
        "SELECT id FROM items WHERE NOT EXISTS (SELECT 1 FROM records WHERE item = items.id)"
    ):
        yield Finding(CONTRADICTION, f"item {item} has no records", None, item)


def _feeds(connection: sqlite3.Connection) -> Iterator[Finding]:
    for slug in replaying.slugs(connection):
        try:
            feed = replaying.feed_of(connection, slug)
        except (Newer, Unreadable) as fault:
            yield Finding(CONTRADICTION, str(fault))
            continue
        yield from compare(feed, rows.find_bare_feed(connection, slug), f"the feed {slug}")


def _tokens(connection: sqlite3.Connection) -> Iterator[Finding]:
    said = replaying.tokens(connection)
    stored = {
        token.name: token
        for token in map(rows.load_token, connection.execute("SELECT * FROM tokens"))
    }
    for name in sorted(said.keys() | stored.keys()):
        yield from compare(said.get(name), stored.get(name), f"the token {name}")


def _look_ups(connection: sqlite3.Connection) -> Iterator[Finding]:
    for table, column, what, name in (
        ("retry_keys", "retry_mac", "sequence", "retry key"),
        ("origins", "origin_mac", "item", "origin"),
    ):
        wrong = connection.execute(
            f"SELECT count(*) FROM records LEFT JOIN {table} ON mac = {column}"  # noqa: S608
            f" WHERE {column} IS NOT NULL AND {table}.{what} IS NOT records.{what}"
        ).fetchone()[0]
        extra = connection.execute(
            f"SELECT (SELECT count(*) FROM {table}) -"  # noqa: S608
            f" (SELECT count({column}) FROM records)"
        ).fetchone()[0]
        if wrong or extra:
            count = max(wrong, abs(extra))
            detail = f"{count} rows of the table {table} are wrong: a {name} is not found, or "
            yield Finding(CONTRADICTION, f"{detail}finds another record")
