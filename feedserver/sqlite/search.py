"""Search, by a scan: to be replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from feedserver.journal import Page
from feedserver.model import Item, Status
from feedserver.sqlite import rows
from feedserver.sqlite.database import Database


class Search:
    """Finds items by tag and words."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.cleaned_to = 1 << 60

    async def clean(self) -> None:
        """Forget withdrawn words."""

    async def page(
        self,
        slug: str,
        limit: int,
        before: tuple[int, int] | None,
        tag: str | None,
        words: str | None,
    ) -> Page | None:
        """Return a page of what is found."""
        database = self._database
        feed = await database.read(lambda c: rows.find_feed(c, database.reader, slug))
        if feed is None:
            return None
        found = await database.read(
            lambda c: [
                database.reader.item(row)
                for row in c.execute(
                    f"SELECT {rows.ITEM} FROM {rows.ITEMS} WHERE items.feed = ?"
                    " ORDER BY items.published_at DESC, items.id DESC",
                    (slug,),
                ).fetchall()
            ]
        )

        def fits(item: Item) -> bool:
            text = f"{item.headline} {item.body} {' '.join(item.tags)}".lower().split()
            *whole, last = (words or "").lower().split() or [""]
            return (
                (before is None or item.order < before)
                and item.status is not Status.KILLED
                and (tag is None or tag in item.tags)
                and all(word in text for word in whole)
                and any(word.startswith(last) for word in text)
            )

        items = [item for item in found if item is not None and fits(item)]
        shown = tuple(items[:limit])
        return Page(feed, shown, shown[-1].order if len(items) > limit else None)


@asynccontextmanager
async def open_search(database: Database) -> AsyncIterator[Search]:
    """Open it."""
    yield Search(database)
