"""What the records say: the rows of items, feeds and tokens, derived from the journal alone.

No words are needed for it, so it works for records whose keys are destroyed. `check` compares, a
repair and a journal that is cut short store what is derived here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

import orjson

from feedserver.model import Act, Feed, FeedSettings, Item, Millis, Token, TokenSettings, Verb
from feedserver.rules import evolve
from feedserver.sqlite import rows
from feedserver.sqlite.rows import Row

_ITEM_RECORDS = f"SELECT {rows.RECORD} FROM records WHERE item IS NOT NULL"  # noqa: S608


class Unfounded(Exception):
    """A record changes something that no record before it has made."""


def item_records(connection: sqlite3.Connection) -> Iterator[tuple[int, Iterator[Row]]]:
    """Yield each item's id with its records, oldest first, by item."""
    found = connection.execute(f"{_ITEM_RECORDS} ORDER BY item, sequence")
    return groupby(found, key=itemgetter(5))


def item_after(item: Item | None, row: Row) -> Item:
    """Return the item, without its words, that a record in a row of `RECORD` leads to.

    Raises Unfounded, Newer.
    """
    record = rows.load_record(row)
    if item is None:
        if record.act is not Verb.POST:
            raise Unfounded(f"record {row[0]} is the first of item {row[5]}, and no post")
        item = Item(row[0], row[4], 0, "", published_at=row[18], rid=record.rid)
    return evolve(item, record, row[0], row[18])


def is_derived(item: Item, row: Row) -> bool:
    """Say whether a record bears what the rules derived for it, if it leads to `item`."""
    derived = (
        item.words_at,
        item.status,
        item.pinned or None,
        item.published_at,
        item.updated_at,
    )
    return tuple(row[19:24]) == derived


def item_of(connection: sqlite3.Connection, item: int) -> Item | None:
    """Return an item without its words; None where it has no records. Raises Unfounded, Newer."""
    found = None
    for row in connection.execute(f"{_ITEM_RECORDS} AND item = ? ORDER BY sequence", (item,)):
        found = item_after(found, row)
    return found


def slugs(connection: sqlite3.Connection) -> list[str]:
    """List the feeds that there are, or that a record names."""
    return [
        slug
        for (slug,) in connection.execute(
            "SELECT slug FROM feeds UNION SELECT feed FROM records WHERE feed IS NOT NULL"
        )
    ]


def feed_of(connection: sqlite3.Connection, slug: str) -> Feed | None:
    """Return a feed without its words; None where it has no records. Raises Newer."""
    feed: Feed | None = None
    own = connection.execute(
        f"SELECT {rows.RECORD} FROM records"  # noqa: S608
        " WHERE feed = ? AND feed IS NOT NULL AND item IS NULL ORDER BY sequence",
        (slug,),
    )
    for row in own:
        feed = _feed_after(feed, row)
    if feed is None:
        return None
    head, check = connection.execute(
        "SELECT sequence, substr(rid, 1, 4) FROM records WHERE feed = ?"
        " ORDER BY sequence DESC LIMIT 1",
        (slug,),
    ).fetchone()
    return replace(feed, head=head, check=check, stamped_at=_stamped_at(connection, slug))


def tokens(connection: sqlite3.Connection) -> dict[str, Token]:
    """Return all tokens by name; of several with one name the newest."""
    return {token.name: token for token in every_token(connection)}


def every_token(connection: sqlite3.Connection) -> list[Token]:
    """Return all tokens that were ever made, oldest first: a name may be given anew."""
    former: list[Token] = []
    found: dict[str, Token] = {}
    for row in connection.execute(
        f"SELECT {rows.RECORD} FROM records WHERE feed IS NULL ORDER BY sequence"  # noqa: S608
    ):
        record = rows.load_record(row)
        settings = rows.load_settings(row)
        assert isinstance(settings, TokenSettings)
        if record.act is Act.TOKEN:
            if settings.name in found:
                former.append(found[settings.name])
            found[settings.name] = Token(
                settings.name, settings.digest, settings.feeds, settings.importer, record.at
            )
        elif settings.name in found:
            found[settings.name] = replace(found[settings.name], revoked_at=record.at)
    return [*former, *found.values()]


def rebuild(connection: sqlite3.Connection) -> None:
    """Make all that is derived from the records anew; in the caller's transaction."""
    for table in ("items", "feeds", "tokens", "retry_keys", "origins"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608
    for _, group in item_records(connection):
        item = None
        for row in group:
            item = item_after(item, row)
        assert item is not None
        rows.store_item(connection, item)
    for slug in slugs(connection):
        if (feed := feed_of(connection, slug)) is not None:
            rows.store_feed(connection, feed)
    for token in tokens(connection).values():
        rows.store_token(connection, token)
    rebuild_look_ups(connection)


def rebuild_look_ups(connection: sqlite3.Connection) -> None:
    """Make the tables anew that find a record by its retry key, or an item by its origin."""
    connection.execute("DELETE FROM retry_keys")
    connection.execute("DELETE FROM origins")
    connection.execute(
        "INSERT INTO retry_keys SELECT retry_mac, sequence FROM records WHERE retry_mac IS NOT NULL"
    )
    connection.execute(
        "INSERT INTO origins SELECT origin_mac, item FROM records WHERE origin_mac IS NOT NULL"
    )


def _feed_after(feed: Feed | None, row: Row) -> Feed | None:
    record, sequence = rows.load_record(row), row[0]
    if record.act is not Act.FEED:  # the redact of earlier key points
        if feed is None:
            return None
        return replace(feed, version=sequence, version_check=record.check)
    settings = rows.load_settings(row)
    assert isinstance(settings, FeedSettings)
    if feed is None:
        feed = Feed(row[4], "", row[7], sequence, sequence, record.check, rid=record.rid)
    closed_at = (row[7] if feed.closed_at is None else feed.closed_at) if settings.closed else None
    return replace(
        feed,
        language=settings.language,
        timezone=settings.timezone,
        closed_at=closed_at,
        version=sequence,
        version_check=record.check,
        words_at=sequence,
        summary_at=row[23],
    )


def _stamped_at(connection: sqlite3.Connection, slug: str) -> Millis:
    """Return the newest time that the server itself stamped in a feed."""
    stamped_at = 0
    for act, at, shown_at, claimed_at, settings in connection.execute(
        "SELECT act, at, effective_at, claimed_at, settings FROM records"
        " WHERE feed = ? AND act IN ('post', 'restamp') ORDER BY sequence",
        (slug,),
    ):
        if act == Act.RESTAMP:
            stamped_at = min(stamped_at, at)
            continue
        asked = claimed_at
        if asked is None and settings is not None:
            asked = orjson.loads(settings).get("published_at")
        if asked is None or asked > at:
            stamped_at = max(stamped_at, shown_at)
    return stamped_at
