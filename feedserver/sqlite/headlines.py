"""Headlines across all feeds: which items are the newest, and what stands above them.

Plain functions of a connection and the keys, called inside a transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from feedserver.model import Item, Millis
from feedserver.sqlite.rows import BARE_ITEM, ITEM, ITEMS, Reader, load_bare_item

# Each feed's items come from the index in the wanted order, so SQLite leaves a feed at the first
# one that is older than all it has: what is read hardly grows with what there is.
_NEWEST_LIVE = f"""
    SELECT {BARE_ITEM} FROM feeds CROSS JOIN items
    WHERE items.feed = feeds.slug AND items.published_at > ?
    AND items.killed_at IS NULL AND items.held IS NULL
    ORDER BY items.published_at DESC, items.id DESC LIMIT ?
"""  # noqa: S608


def newest_live(connection: sqlite3.Connection, after: Millis, limit: int) -> tuple[Item, ...]:
    """Return the newest live items of all feeds that were published after that, without words."""
    return tuple(map(load_bare_item, connection.execute(_NEWEST_LIVE, (after, limit)).fetchall()))


def headlines(
    connection: sqlite3.Connection, reader: Reader, ids: Sequence[int]
) -> tuple[Item, ...]:
    """Return items without words but their headline; those that cannot be read are left out."""
    found = connection.execute(
        f"SELECT {ITEM} FROM {ITEMS} WHERE items.id IN ({', '.join('?' * len(ids))})",  # noqa: S608
        ids,
    ).fetchall()
    read = map(reader.headline, found)
    return tuple(item for item in read if item is not None)
