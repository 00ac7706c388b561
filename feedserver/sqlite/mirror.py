"""What readers and editors ask of the tables; every answer is of one moment."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from feedserver.errors import Unavailable
from feedserver.journal import History, InitialState, Page, Purge, Retry
from feedserver.model import (
    SNAPSHOT_ITEMS,
    Feed,
    FeedSettings,
    Item,
    Millis,
    Revision,
    Status,
    Token,
)
from feedserver.sqlite import pages, rows
from feedserver.sqlite.database import Database
from feedserver.sqlite.headlines import headlines, newest_live
from feedserver.sqlite.journal import SQLiteJournal
from feedserver.sqlite.pages import Found, find_items, readable
from feedserver.sqlite.revisions import all_revisions, find_revision, shown_newest_first
from feedserver.sqlite.rows import FEED, FEEDS, RECORD, Reader
from feedserver.sqlite.slots import Gone, Unreadable
from feedserver.wire import shown_bytes

UNREADABLE_SECONDS = 60  # after which whoever asked for an unreadable item may ask again


class SQLiteMirror:
    """A Mirror over a Database."""

    def __init__(self, database: Database, journal: SQLiteJournal) -> None:
        self._database = database
        self._reader = database.reader
        self._journal = journal

    @property
    def unreadable(self) -> int:
        """How many records were met that cannot be read, and are left out."""
        return len(self._reader.unreadable)

    async def feeds(self) -> tuple[Feed, ...]:
        """Return every feed, by slug."""
        return await self._database.read(lambda c: _feeds(c, self._reader))

    async def empty_feeds(self) -> frozenset[str]:
        """Return the slugs of the feeds that never had an item."""
        return await self._database.read(_empty_feeds)

    async def feed(self, slug: str) -> Feed | None:
        """Return a feed."""
        return await self._database.read(lambda c: rows.find_feed(c, self._reader, slug))

    async def feed_revisions(self, slug: str) -> tuple[Revision, ...]:
        """Return the accepted records of a feed's own settings, oldest first."""
        where = "feed = ? AND feed IS NOT NULL AND item IS NULL"
        return await self._database.read(
            lambda c: tuple(all_revisions(c, self._reader, where, (slug,)))
        )

    async def tokens(self) -> tuple[Token, ...]:
        """Return every token, revoked ones too."""
        return await self._database.read(_tokens)

    async def item(self, slug: str, item: int) -> Item | None:
        """Return the latest state of an item of that feed."""
        return await self._database.read(
            lambda c: _item(c, self._reader, item) if _is_in(c, slug, item) else None
        )

    async def history(self, slug: str, item: int, bytes_max: int) -> History | None:
        """Return an item with what readers were shown of it, the newest that fits."""
        return await self._database.read(
            lambda c: _history(c, self._reader, item, bytes_max) if _is_in(c, slug, item) else None
        )

    async def revisions(self, slug: str, item: int) -> tuple[Revision, ...]:
        """Return an item's accepted records, oldest first, with the state that each led to."""
        return await self._database.read(
            lambda c: (
                tuple(all_revisions(c, self._reader, "item = ?", (item,)))
                if _is_in(c, slug, item)
                else ()
            )
        )

    async def page(
        self,
        slug: str,
        limit: int,
        before: tuple[int, int] | None = None,
        tag: str | None = None,
        words: str | None = None,
        *,
        held: bool = False,
    ) -> Page | None:
        """Return a stretch of a feed."""
        if tag is not None or words is not None:
            return await self._journal.search.page(slug, limit, before, tag, words)
        return await self._database.read(
            lambda c: pages.page(c, self._reader, slug, limit, before, held=held)
        )

    async def page_after(self, slug: str, limit: int, after: tuple[int, int]) -> Page | None:
        """Return the stretch of a feed above an order."""
        return await self._database.read(
            lambda c: pages.page_after(c, self._reader, slug, limit, after)
        )

    async def page_around(self, slug: str, limit: int, item: int) -> Page | None:
        """Return the stretch of a feed with that item in its middle."""
        return await self._database.read(
            lambda c: pages.page_around(c, self._reader, slug, limit, item)
        )

    async def neighbours(self, slug: str, item: int) -> tuple[int | None, int | None]:
        """Return the ids of the next newer and the next older item that are not withdrawn."""
        return await self._database.read(lambda c: pages.neighbours(c, slug, item))

    async def newest_live(self, after: Millis, limit: int) -> tuple[Item, ...]:
        """Return the newest live items of all feeds, without their words."""
        return await self._database.read(lambda c: newest_live(c, after, limit))

    async def headlines(self, ids: Sequence[int]) -> tuple[Item, ...]:
        """Return items with their headlines alone."""
        return await self._database.read(lambda c: headlines(c, self._reader, ids))

    async def initial_state(self, slug: str, recent: int, checks: int) -> InitialState | None:
        """Return what a window starts from."""
        return await self._database.read(
            lambda c: _initial_state(c, self._reader, slug, recent, checks)
        )

    async def check(self, slug: str, sequence: int) -> str | None:
        """Return the check of the feed's record at `sequence`."""
        return await self._database.read(lambda c: _check(c, slug, sequence))

    async def retry(self, mac: bytes) -> Retry | None:
        """Return what a retry key was used for."""
        return await self._database.read(lambda c: _retry(c, self._reader, mac))

    async def purges(self) -> tuple[Purge, ...]:
        """Return the kills and redacts whose words may still be in a file."""
        return await self._journal.eraser.unfinished()


def _feeds(connection: sqlite3.Connection, reader: Reader) -> tuple[Feed, ...]:
    found = connection.execute(f"SELECT {FEED} FROM {FEEDS} ORDER BY slug")  # noqa: S608
    return tuple(reader.feed(row) for row in found.fetchall())


def _empty_feeds(connection: sqlite3.Connection) -> frozenset[str]:
    found = connection.execute(
        "SELECT slug FROM feeds WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.feed = slug)"
    )
    return frozenset(slug for (slug,) in found.fetchall())


def _tokens(connection: sqlite3.Connection) -> tuple[Token, ...]:
    found = connection.execute(
        "SELECT name, digest, feeds, importer, created_at, revoked_at FROM tokens ORDER BY name"
    )
    return tuple(rows.load_token(row) for row in found.fetchall())


def _is_in(connection: sqlite3.Connection, slug: str, item: int) -> bool:
    row = connection.execute("SELECT feed FROM items WHERE id = ?", (item,)).fetchone()
    return row is not None and row[0] == slug


def _item(connection: sqlite3.Connection, reader: Reader, item: int) -> Item:
    """Return an item that there is. Raises Unavailable where its record cannot be read."""
    found = rows.find_item(connection, reader, item)
    if found is None:
        # Not that there is none, which is final: its record may be mended or replaced.
        raise Unavailable(
            f"item {item} cannot be read: its record or the record's key is damaged; it can be "
            "withdrawn, or restored from a backup",
            UNREADABLE_SECONDS,
        )
    return found


def _history(connection: sqlite3.Connection, reader: Reader, item: int, bytes_max: int) -> History:
    shown, room = [], bytes_max
    for revision in shown_newest_first(connection, reader, item):
        room -= shown_bytes(revision)
        if room < 0:
            break
        shown.append(revision)
    # Read last: if the words of all were erased meanwhile, so were these, and all is read again.
    current = _item(connection, reader, item)
    if current.status is Status.KILLED:
        return History(current, ())
    return History(current, tuple(reversed(shown)), is_whole=room >= 0)


def _initial_state(
    connection: sqlite3.Connection, reader: Reader, slug: str, recent: int, checks: int
) -> InitialState | None:
    feed = rows.find_feed(connection, reader, slug)
    if feed is None:
        return None

    def items(rest: str, *values: Any) -> list[Found]:
        return find_items(connection, reader, slug, rest, *values)

    by_time = "ORDER BY items.published_at DESC, items.id DESC"
    # One more than is shown, to know whether there is more.
    newest = items(f"{by_time} LIMIT ?", SNAPSHOT_ITEMS + 1)
    changed = items("ORDER BY items.version DESC LIMIT ?", recent)
    return InitialState(
        feed,
        newest=readable(newest),
        pinned=readable(items(f"AND items.pinned {by_time}")),
        recent=readable(changed),
        checks=dict(
            connection.execute(
                "SELECT sequence, substr(rid, 1, 4) FROM records"
                " WHERE feed = ? ORDER BY sequence DESC LIMIT ?",
                (slug, checks),
            ).fetchall()
        ),
        oldest=newest[-1].order if len(newest) > SNAPSHOT_ITEMS else None,
        complete_after=changed[-1].version - 1 if len(changed) >= recent else 0,
        changed_at=_changed_at(connection, slug, checks, feed.head_at),
    )


def _changed_at(connection: sqlite3.Connection, slug: str, items: int, now: Millis) -> Millis:
    """Return the newest time of a fact that an item changed last has, but none after `now`.

    A time of the future is the item's own to tell. Not read from the records, where the times stand
    behind the sealed words: a long one would be walked through to its end.
    """
    row = connection.execute(
        "SELECT max("
        " max(iif(published_at <= :now, published_at, 0)),"
        " max(iif(updated_at <= :now, updated_at, 0)),"
        " max(iif(killed_at <= :now, killed_at, 0)))"
        " FROM (SELECT published_at, updated_at, killed_at FROM items"
        " WHERE feed = :slug ORDER BY version DESC LIMIT :items)",
        {"slug": slug, "items": items, "now": now},
    ).fetchone()
    return row[0] or 0


def _check(connection: sqlite3.Connection, slug: str, sequence: int) -> str | None:
    row = connection.execute(
        "SELECT feed, substr(rid, 1, 4) FROM records WHERE sequence = ?", (sequence,)
    ).fetchone()
    return row[1] if row and row[0] == slug else None


def _retry(connection: sqlite3.Connection, reader: Reader, mac: bytes) -> Retry | None:
    found = connection.execute("SELECT sequence FROM retry_keys WHERE mac = ?", (mac,)).fetchone()
    if found is None:
        return None
    row = connection.execute(
        f"SELECT {RECORD} FROM records WHERE sequence = ?",  # noqa: S608
        found,
    ).fetchone()
    digest = None
    with contextlib.suppress(Gone, Unreadable):
        digest = reader.words(row).digest
    revision = find_revision(connection, reader, found[0])
    if revision is None:
        raise Unavailable(f"what this key did, record {found[0]}, cannot be read any more")
    if (item := row[5]) is None:
        return Retry(revision, digest, feed=_feed_then(connection, reader, row))
    killed = connection.execute(
        "SELECT min(sequence) FROM records WHERE item = ? AND act = 'kill'", (item,)
    ).fetchone()
    # What was changed since may be unreadable: the answer is what the first try made.
    current = rows.find_item(connection, reader, item)
    if current is None and revision.item is not None:
        current = rows.find_bare_item(connection, item)
    return Retry(revision, digest, current or _item(connection, reader, item), killed[0])


def _feed_then(connection: sqlite3.Connection, reader: Reader, row: rows.Row) -> Feed | None:
    """Return a feed as a record of its own left it; as it is now if those words were erased."""
    current = rows.find_feed(connection, reader, row[4])
    then = find_revision(connection, reader, row[19])
    settings = then.settings if then is not None else None
    if current is None or settings is None:
        return current
    closed_at = None
    for own in connection.execute(
        f"SELECT {RECORD} FROM records WHERE feed = ? AND feed IS NOT NULL AND item IS NULL"  # noqa: S608
        " AND act = 'feed' AND sequence <= ? ORDER BY sequence DESC",
        (row[4], row[0]),
    ):
        own_settings = rows.load_settings(own)
        if not isinstance(own_settings, FeedSettings) or not own_settings.closed:
            break
        closed_at = own[7]
    return replace(
        current,
        title=settings.title,
        language=settings.language,
        timezone=settings.timezone,
        description=settings.description,
        summary=settings.summary,
        summary_at=row[23],
        closed_at=closed_at,
        version=row[0],
        version_check=row[2][:4],
        head=row[0],
        check=row[2][:4],
        words_at=row[19],
    )
