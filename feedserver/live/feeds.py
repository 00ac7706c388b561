"""The newest record of each feed, in memory: whether an answer is still true costs no read."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable

from feedserver.journal import Mirror
from feedserver.model import Feed
from feedserver.rules import Change


class Feeds:
    """All feeds that were asked for or changed, kept level with the journal by `apply`."""

    def __init__(self, mirror: Mirror) -> None:
        self.newest = 0  # the sequence of the newest record of any feed, once all are known
        self.newest_own = 0  # the same of a feed's own records, not counting news
        self._mirror = mirror
        self._feeds: dict[str, Feed] = {}
        self._slugs: list[str] = []  # sorted
        self._all_known = False
        self._clearings = 0  # what was read before the last one is of another journal

    def apply(self, changes: Iterable[Change]) -> None:
        """Take in changes from the journal, in order."""
        for change in changes:
            if (feed := change.moved_feed) is not None:
                self._take(feed)
                if change.item is None:
                    self.newest_own = change.sequence

    def clear(self) -> None:
        """Forget all: another journal is here."""
        self.newest = self.newest_own = 0
        self._feeds.clear()
        self._slugs.clear()
        self._all_known = False
        self._clearings += 1

    async def find(self, slug: str) -> Feed | None:
        """Return a feed as of its newest record; None where there is no such feed."""
        while (known := self._feeds.get(slug)) is None:
            clearings = self._clearings
            read = await self._mirror.feed(slug)
            if clearings != self._clearings:
                continue
            if read is None:
                return None
            self._take(read)
        return known

    async def load_all(self) -> None:
        """Read all feeds, unless that was done."""
        while not self._all_known:
            clearings = self._clearings
            feeds = await self._mirror.feeds()
            if clearings != self._clearings:
                continue
            for feed in feeds:
                self._take(feed)
            self._all_known = True

    def all(self) -> list[Feed]:
        """List all feeds by slug. Needs `load_all`."""
        return [self._feeds[slug] for slug in self._slugs]

    def page(self, limit: int, after: str = "") -> tuple[int, list[Feed], bool]:
        """List feeds by slug, those behind `after`. Needs `load_all`.

        Return how many are before them, the feeds, and whether there are more.
        """
        start = bisect_right(self._slugs, after) if after else 0
        slugs = self._slugs[start : start + limit]
        return start, [self._feeds[slug] for slug in slugs], len(self._slugs) > start + limit

    def _take(self, feed: Feed) -> None:
        known = self._feeds.get(feed.slug)
        if known is None:
            insort(self._slugs, feed.slug)
        elif known.head >= feed.head:
            return
        self._feeds[feed.slug] = feed
        self.newest = max(self.newest, feed.head)
