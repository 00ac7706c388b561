"""Stretches of a feed in its order: newest first, by (`published_at`, `id`)."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from feedserver.journal import Page
from feedserver.model import Item, Millis
from feedserver.sqlite import rows
from feedserver.sqlite.rows import ITEM, ITEMS, Reader

Order = tuple[Millis, int]

DOWN = "ORDER BY items.published_at DESC, items.id DESC LIMIT ?"
_UP = "ORDER BY items.published_at, items.id LIMIT ?"
_BELOW = "AND (items.published_at, items.id) < (?, ?)"
_HELD = "AND items.held"
_ABOVE = "AND (items.published_at, items.id) > (?, ?)"


class Found(NamedTuple):
    """A row of the table of items; without an `item` where that cannot be read."""

    order: Order
    version: int
    item: Item | None


def find_items(
    connection: sqlite3.Connection, reader: Reader, slug: str, rest: str, *values: Any
) -> list[Found]:
    """Return the items of a feed that `rest` of the statement leaves, in its order."""
    found = connection.execute(
        f"SELECT {ITEM} FROM {ITEMS} WHERE items.feed = ? {rest}",  # noqa: S608
        (slug, *values),
    ).fetchall()
    return [Found((row[6], row[0]), row[3], reader.item(row)) for row in found]


def readable(found: list[Found]) -> tuple[Item, ...]:
    """Return the items that can be read."""
    return tuple(one.item for one in found if one.item is not None)


def page(
    connection: sqlite3.Connection,
    reader: Reader,
    slug: str,
    limit: int,
    before: Order | None,
    *,
    held: bool = False,
) -> Page | None:
    """Return the newest items, or the next ones below an order; `held`: of those held alone."""
    feed = rows.find_feed(connection, reader, slug)
    if feed is None:
        return None
    below = () if before is None else before
    where = f"{_HELD if held else ''} {_BELOW if below else ''} {DOWN}"
    items = find_items(connection, reader, slug, where, *below, limit + 1)
    shown = items[:limit]
    return Page(feed, readable(shown), shown[-1].order if len(items) > limit else None)


def page_after(
    connection: sqlite3.Connection, reader: Reader, slug: str, limit: int, after: Order
) -> Page | None:
    """Return the next items above an order."""
    feed = rows.find_feed(connection, reader, slug)
    if feed is None:
        return None
    upwards = find_items(connection, reader, slug, f"{_ABOVE} {_UP}", *after, limit + 1)
    shown = upwards[:limit][::-1]
    if not shown:
        return Page(feed, (), None)
    following = shown[-1].order
    is_last = not find_items(connection, reader, slug, f"{_BELOW} {DOWN}", *following, 1)
    return Page(
        feed,
        readable(shown),
        None if is_last else following,
        previous=shown[0].order if len(upwards) > limit else None,
    )


def page_around(
    connection: sqlite3.Connection, reader: Reader, slug: str, limit: int, item: int
) -> Page | None:
    """Return items with that one in their middle; None where it is not in that feed."""
    feed = rows.find_feed(connection, reader, slug)
    row = connection.execute(
        "SELECT published_at, feed FROM items WHERE id = ?", (item,)
    ).fetchone()
    if feed is None or row is None or row[1] != slug:
        return None
    order, most = (row[0], item), (limit - 1) // 2
    upwards = find_items(connection, reader, slug, f"{_ABOVE} {_UP}", *order, most + 1)
    above = upwards[:most][::-1]
    # From that item itself on: the order behind it is the first one that it is below.
    rest = limit - len(above)
    below = find_items(
        connection, reader, slug, f"{_BELOW} {DOWN}", order[0], order[1] + 1, rest + 1
    )
    shown = above + below[:rest]
    return Page(
        feed,
        readable(shown),
        shown[-1].order if len(below) > rest else None,
        previous=shown[0].order if len(upwards) > most else None,
    )


def neighbours(
    connection: sqlite3.Connection, slug: str, item: int
) -> tuple[int | None, int | None]:
    """Return the ids of the next newer and the next older item that are not withdrawn."""
    row = connection.execute(
        "SELECT published_at FROM items WHERE id = ? AND feed = ?", (item, slug)
    ).fetchone()
    if row is None:
        return None, None

    def next_to(side: str, order: str) -> int | None:
        found = connection.execute(
            f"SELECT id FROM items WHERE feed = ? AND killed_at IS NULL {side} {order}",  # noqa: S608
            (slug, row[0], item, 1),
        ).fetchone()
        return found[0] if found else None

    return next_to(_ABOVE, _UP), next_to(_BELOW, DOWN)
