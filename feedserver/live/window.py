"""A feed's newest state, in memory: all that any live message is made of.

The changed items that a reader may need are the `CATCH_UP_MAX` changed last; who is further behind
gets a snapshot. Only who was level when a burst came gets all of it, up to a bound. So every
catch-up and every snapshot is answered from here, and ten thousand reconnecting readers cost no
database reads.
"""

from __future__ import annotations

import sys
from bisect import bisect_right, insort
from dataclasses import replace

import orjson

from feedserver import wire
from feedserver.journal import InitialState
from feedserver.model import CATCH_UP_MAX, SNAPSHOT_ITEMS, Cursor, Feed, Item, Millis
from feedserver.rules import Change

RECENT = CATCH_UP_MAX + 1  # one more, to know that there are more
LIVE_MAX = 4096  # items of a burst for those who were level, and …
LIVE_BYTES = 4 * 1024 * 1024  # … how large they may be together; beyond, a snapshot is kinder
CHECKS = 4096  # records whose cursors are known without a look into the database


class View:
    """The live part of one feed. Changes only by `apply`."""

    def __init__(self, stock: InitialState) -> None:
        self.feed: Feed = stock.feed
        self._checks = dict(sorted(stock.checks.items()))
        self._items: dict[int, Item] = {
            item.id: item for part in (stock.newest, stock.pinned, stock.recent) for item in part
        }
        # Both sorted, oldest first. One more than is shown of the newest: is there a next page?
        self._newest: list[tuple[Millis, int]] = sorted(item.order for item in stock.newest)
        self._recent: list[tuple[int, int]] = sorted((i.version, i.id) for i in stock.recent)
        self._forgotten = self._recent[0][0] - 1 if len(self._recent) >= RECENT else 0
        self._pinned: set[int] = {item.id for item in stock.pinned}
        self._json: dict[int, bytes] = {}
        self._level_at = self.head  # where readers stand who are to get all that came since

    @property
    def head(self) -> int:
        """The sequence of the newest record taken in."""
        return self.feed.head

    @property
    def ended(self) -> bool:
        """Whether the feed is closed, and all that came before that is taken in."""
        return self.feed.closed_at is not None and self.feed.version <= self.head

    def cursor(self, epoch: str) -> str:
        """Return the cursor of the head."""
        return str(Cursor(epoch, self.feed.head, self.feed.check))

    def check(self, sequence: int) -> str | None:
        """Return the check of a record, if it is among the newest."""
        return self._checks.get(sequence)

    def apply(self, change: Change) -> bool:
        """Take a change in; False if it was in already."""
        if change.feed is None or change.sequence <= self.head:
            return False
        # Read back from the file, feed and item may be newer than the change that names them.
        self.feed = replace(change.feed, head=change.sequence, check=change.check)
        self._checks[change.sequence] = change.check
        if len(self._checks) > CHECKS:
            del self._checks[next(iter(self._checks))]
        if change.item is not None:
            self._take(change.item)
        return True

    def all_level_at(self, sequence: int) -> None:
        """Forget what was kept only for readers who were level before `sequence`."""
        self._level_at = sequence
        self._forget()

    def changed_since(self, sequence: int) -> list[Item] | None:
        """List the items changed after `sequence`, oldest change first; None: too many.

        For those who are level a burst is not too many until it reaches `LIVE_MAX` or `LIVE_BYTES`.
        """
        if sequence < self._forgotten:
            return None
        found = self._recent[bisect_right(self._recent, (sequence, sys.maxsize)) :]
        items = [self._items[i] for _, i in found]
        if len(items) <= CATCH_UP_MAX:
            return items
        if sequence < self._level_at:
            return None
        room = LIVE_BYTES
        for item in items:
            room -= len(self.json(item))
            if room < 0:
                return None
        return items

    def snapshot(self) -> tuple[list[Item], bool]:
        """List the newest items and any older pinned ones, newest first; and: are there more?"""
        shown = {item_id for _, item_id in self._newest[-SNAPSHOT_ITEMS:]} | self._pinned
        items = sorted((self._items[i] for i in shown), key=lambda item: item.order, reverse=True)
        return items, len(self._newest) > SNAPSHOT_ITEMS

    def floor(self) -> tuple[Millis, int] | None:
        """Return the order of the last of the newest items that is not pinned, else of the last.

        What stands there for its pin alone may come loose. None in an empty feed.
        """
        newest = self._newest[-SNAPSHOT_ITEMS:]
        unpinned = (order for order in newest if order[1] not in self._pinned)
        return next(unpinned, newest[0] if newest else None)

    def json(self, item: Item) -> bytes:
        """Return an item's JSON, encoded once a change."""
        known = self._json.get(item.id)
        if known is None:
            known = self._json[item.id] = orjson.dumps(wire.item_json(item))
        return known

    def _take(self, item: Item) -> None:
        known = self._items.get(item.id)
        if known is not None and known.version >= item.version:
            return
        if known is not None and (entry := (known.version, known.id)) in self._recent:
            self._recent.remove(entry)
        if known is not None and known.order != item.order and known.order in self._newest:
            self._newest.remove(known.order)  # it was stamped in the future, and was restamped
        self._items[item.id] = item
        self._json.pop(item.id, None)
        insort(self._recent, (item.version, item.id))
        if item.pinned:
            self._pinned.add(item.id)
        else:
            self._pinned.discard(item.id)
        if item.order not in self._newest:
            insort(self._newest, item.order)
        self._forget()

    def _forget(self) -> None:
        level = bisect_right(self._recent, (self._level_at, sys.maxsize))
        count = min(len(self._recent) - RECENT, max(level, len(self._recent) - LIVE_MAX))
        if count > 0:
            self._forgotten = self._recent[count - 1][0]
            del self._recent[:count]
        del self._newest[: max(0, len(self._newest) - SNAPSHOT_ITEMS - 1)]
        shown = SNAPSHOT_ITEMS + len(self._pinned)
        if len(self._items) > max(RECENT, len(self._recent)) + shown + 64:
            kept = self._pinned.union(i for _, i in self._recent).union(i for _, i in self._newest)
            for item_id in self._items.keys() - kept:
                del self._items[item_id]
                self._json.pop(item_id, None)
