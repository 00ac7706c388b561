"""Mend what `check` found and can be mended from the records: rows, and times of the future."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from feedserver.errors import FeedError
from feedserver.model import Act, Item, Millis, Record, random_id
from feedserver.rules import is_future
from feedserver.sqlite import replaying, rows
from feedserver.sqlite.database import Database
from feedserver.sqlite.findings import CONTRADICTION, FUTURE, Finding
from feedserver.sqlite.storage import Storage, open_storage

TOGETHER = 200  # items mended in one transaction


async def repair(
    folder: Path, findings: Iterable[Finding], clock: Callable[[], Millis]
) -> tuple[int, int]:
    """Return how many items were re-stamped, and how many rows made anew. Raises FeedError."""
    known = list(findings)
    wrong = sorted({one.item for one in known if one.kind == CONTRADICTION and one.item})
    others = any(one.kind == CONTRADICTION and one.item is None for one in known)
    future = sorted({one.item for one in known if one.kind == FUTURE and one.item})
    async with open_storage(folder, serves=False) as storage:
        made = 0
        for first in range(0, len(wrong), TOGETHER):
            part = wrong[first : first + TOGETHER]
            made += await storage.database.write(lambda c, part=part: _rebuild_items(c, part))  # type: ignore[misc]
        if others:
            made += await storage.database.write(_rebuild_others)
        return await _restamp(storage, future, clock), made


async def _restamp(storage: Storage, items: list[int], clock: Callable[[], Millis]) -> int:
    """Give items of the future the time of now, in the order in which they stood."""
    found = await _bare(storage.database, items)
    stamped = 0
    for item in sorted(found, key=lambda one: one.order):
        at = clock()
        if not is_future(item, at):
            continue
        record = Record(random_id(), Act.RESTAMP, at, feed=item.feed, item=item.id)
        await storage.journal.append(record)
        stamped += 1
        await asyncio.sleep(0.001)  # or two would bear one time, and stand by their ids
    return stamped


async def _bare(database: Database, items: list[int]) -> list[Item]:
    def read(connection: sqlite3.Connection) -> list[Item]:
        found = (rows.find_bare_item(connection, item) for item in items)
        return [item for item in found if item is not None]

    return await database.read(read)


def _rebuild_items(connection: sqlite3.Connection, items: list[int]) -> int:
    def work() -> int:
        for item_id in items:
            connection.execute("DELETE FROM items WHERE id = ?", (item_id,))
            if (item := replaying.item_of(connection, item_id)) is not None:
                rows.store_item(connection, item)
        return len(items)

    return _in_transaction(connection, work)


def _rebuild_others(connection: sqlite3.Connection) -> int:
    def work() -> int:
        connection.execute("DELETE FROM feeds")
        feeds = [replaying.feed_of(connection, slug) for slug in replaying.slugs(connection)]
        for feed in feeds:
            if feed is not None:
                rows.store_feed(connection, feed)
        connection.execute("DELETE FROM tokens")
        tokens = replaying.tokens(connection)
        for token in tokens.values():
            rows.store_token(connection, token)
        replaying.rebuild_look_ups(connection)
        return len(feeds) + len(tokens)

    return _in_transaction(connection, work)


def _in_transaction(connection: sqlite3.Connection, work: Callable[[], int]) -> int:
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = work()
    except (replaying.Unfounded, rows.Newer) as fault:
        connection.execute("ROLLBACK")
        raise FeedError(f"what the records say cannot be made out: {fault}") from None
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return done
