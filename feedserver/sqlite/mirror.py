"""What readers and editors ask of the tables; every answer is of one moment."""

from __future__ import annotations

import sqlite3
from typing import Any

from feedserver import wire
from feedserver.journal import Page, Stock, Use
from feedserver.model import SNAPSHOT_ITEMS, Feed, Item, Key, Logged, Token
from feedserver.sqlite import ledger
from feedserver.sqlite.database import Database
from feedserver.sqlite.purge import unfinished


class SQLiteMirror:
    """A Mirror over a Database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def feeds(self) -> tuple[Feed, ...]:
        """Return every feed, by slug."""
        return await self._database.read(_feeds)

    async def empty_feeds(self) -> frozenset[str]:
        """Return the slugs of the feeds that never had an item."""
        return await self._database.read(_empty_feeds)

    async def feed(self, slug: str) -> Feed | None:
        """Return a feed."""
        return await self._database.read(lambda c: ledger.find_feed(c, slug))

    async def tokens(self) -> tuple[Token, ...]:
        """Return every token, revoked ones too."""
        return await self._database.read(_tokens)

    async def item(self, slug: str, item: int) -> Item | None:
        """Return the latest state of an item of that feed."""
        found = await self._database.read(lambda c: ledger.find_item(c, item))
        return found if found is not None and found.feed == slug else None

    async def log(self, slug: str, item: int) -> tuple[Logged, ...]:
        """Return an item's records, oldest first."""
        return await self._database.read(lambda c: _log(c, slug, item))

    async def page(
        self,
        slug: str,
        limit: int,
        before: tuple[int, int] | None = None,
        tag: str | None = None,
        words: str | None = None,
    ) -> Page | None:
        """Return a stretch of a feed."""
        return await self._database.read(lambda c: _page(c, slug, limit, before, tag, words))

    async def stock(self, slug: str, recent: int, checks: int) -> Stock | None:
        """Return what a live view starts from."""
        return await self._database.read(lambda c: _stock(c, slug, recent, checks))

    async def check(self, slug: str, sequence: int) -> str | None:
        """Return the check of the feed's record at `sequence`."""
        return await self._database.read(lambda c: _check(c, slug, sequence))

    async def use(self, slug: str, editor: str, mac: str) -> Use | None:
        """Return the use of an idempotency key."""
        return await self._database.read(lambda c: _use(c, slug, editor, mac))

    async def unfinished(self) -> int:
        """Count the killed items that are still being purged."""
        return await self._database.read(unfinished)


def _feeds(connection: sqlite3.Connection) -> tuple[Feed, ...]:
    rows = connection.execute(
        f"SELECT {ledger.FEED_COLUMNS} FROM feeds ORDER BY slug"  # noqa: S608
    )
    return tuple(Feed(*row) for row in rows.fetchall())


def _empty_feeds(connection: sqlite3.Connection) -> frozenset[str]:
    rows = connection.execute(
        "SELECT slug FROM feeds WHERE NOT EXISTS (SELECT 1 FROM items WHERE feed = slug)"
    )
    return frozenset(slug for (slug,) in rows.fetchall())


def _tokens(connection: sqlite3.Connection) -> tuple[Token, ...]:
    rows = connection.execute("SELECT * FROM tokens ORDER BY name").fetchall()
    return tuple(ledger.load_token(row) for row in rows)


def _log(connection: sqlite3.Connection, slug: str, item: int) -> tuple[Logged, ...]:
    rows = connection.execute(
        "SELECT * FROM records WHERE item = ? AND feed = ? ORDER BY sequence", (item, slug)
    ).fetchall()
    return tuple(ledger.load_logged(row) for row in rows)


def _page(
    connection: sqlite3.Connection,
    slug: str,
    limit: int,
    before: tuple[int, int] | None,
    tag: str | None,
    words: str | None,
) -> Page | None:
    feed = ledger.find_feed(connection, slug)
    if feed is None:
        return None
    wheres: list[str] = ["feed = ?"]
    values: list[Any] = [slug]
    if before is not None:
        wheres.append("(published_at, id) < (?, ?)")
        values += before
    if tag is not None:
        wheres.append("id IN (SELECT item FROM tags WHERE feed = ? AND tag = ?)")
        values += [slug, tag]
    if words is not None:
        wheres.append("id IN (SELECT rowid FROM words WHERE words MATCH ?)")
        values.append(_match(words))
    if tag is not None or words is not None:
        wheres.append("NOT killed")
    rows = connection.execute(
        f"SELECT state FROM items WHERE {' AND '.join(wheres)}"  # noqa: S608
        " ORDER BY published_at DESC, id DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    items = tuple(wire.load_item(row[0]) for row in rows[:limit])
    return Page(feed, items, items[-1].order if len(rows) > limit else None)


def _match(words: str) -> str:
    # Each word quoted: what a reader types is never FTS5's own syntax. The last may be unfinished.
    # FTS5 takes a NUL for the end of the query.
    quoted = ['"' + w.replace('"', '""') + '"' for w in words.replace("\0", " ").split()]
    return " ".join(quoted) + "*" if quoted else '""'


def _stock(connection: sqlite3.Connection, slug: str, recent: int, checks: int) -> Stock | None:
    feed = ledger.find_feed(connection, slug)
    if feed is None:
        return None

    def items(rest: str, *values: Any) -> tuple[Item, ...]:
        rows = connection.execute(
            f"SELECT state FROM items WHERE feed = ? {rest}",  # noqa: S608
            (slug, *values),
        )
        return tuple(wire.load_item(row[0]) for row in rows.fetchall())

    return Stock(
        feed,
        # One more than is shown, to know whether there is more.
        newest=items("ORDER BY published_at DESC, id DESC LIMIT ?", SNAPSHOT_ITEMS + 1),
        pinned=items("AND pinned ORDER BY published_at DESC, id DESC"),
        recent=items("ORDER BY version DESC LIMIT ?", recent),
        checks=dict(
            connection.execute(
                "SELECT sequence, substr(rid, 1, 4) FROM records"
                " WHERE feed = ? ORDER BY sequence DESC LIMIT ?",
                (slug, checks),
            ).fetchall()
        ),
    )


def _check(connection: sqlite3.Connection, slug: str, sequence: int) -> str | None:
    row = connection.execute(
        "SELECT substr(rid, 1, 4) FROM records WHERE sequence = ? AND feed = ?", (sequence, slug)
    ).fetchone()
    return row[0] if row else None


def _use(connection: sqlite3.Connection, slug: str, editor: str, mac: str) -> Use | None:
    row = connection.execute(
        "SELECT sequence, item, salt, body_mac FROM keys WHERE feed = ? AND editor = ? AND mac = ?",
        (slug, editor, mac),
    ).fetchone()
    return Use(row[0], row[1], Key(mac, row[2], row[3])) if row else None
