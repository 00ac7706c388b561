"""A feed's newest state, in memory: all that any live message is made of.

The window holds the items that were changed last, `CATCH_UP_MAX` of them; a reader further behind
gets a snapshot. A reader that was caught up when a burst began gets all of it, up to a bound. So
every catch-up and every snapshot is made from the window, and ten thousand reconnecting readers
cost no database reads.
"""

from __future__ import annotations

import sys
from bisect import bisect_right, insort

from feedserver.journal import InitialState
from feedserver.live.encoded import EncodedCache, encode_item, item_json
from feedserver.model import CATCH_UP_MAX, SNAPSHOT_ITEMS, Cursor, Feed, Item, Millis, Status
from feedserver.rules import Change

RECENT = CATCH_UP_MAX + 1  # one more, to know that there are more
LIVE_MAX = 4096  # items of a burst for readers that were caught up before it, and …
LIVE_BYTES = 4 * 1024 * 1024  # … how large they may be together; beyond, a snapshot is shorter
CHECKS = 4096  # records whose cursors are known without reading the database
CHECK_BYTES = 150  # of memory for one of them, about
ITEM_BYTES = 2_000  # of memory for an item beside its body, about


class Window:
    """The live part of one feed. Changes only by `apply`."""

    def __init__(
        self,
        initial: InitialState,
        cache: EncodedCache | None = None,
        loaded_at: int | None = None,
    ) -> None:
        self.feed: Feed = initial.feed
        self._cache = cache or EncodedCache()
        self._loaded_at = self._cache.moment if loaded_at is None else loaded_at
        self._checks = dict(sorted(initial.checks.items()))
        self._items: dict[int, Item] = {
            item.id: item
            for part in (initial.newest, initial.pinned, initial.recent)
            for item in part
        }
        # Both sorted, oldest first.
        self._newest: list[tuple[Millis, int]] = sorted(item.order for item in initial.newest)
        self._recent: list[tuple[int, int]] = sorted((i.version, i.id) for i in initial.recent)
        # All that can be read down to this order are in `_newest`; None: all there are.
        self._oldest = initial.oldest
        self._forgotten = initial.complete_after
        self._pinned: set[int] = {item.id for item in initial.pinned}
        self._items_bytes = sum(map(_memory, self._items.values()))
        self._changed_at = max(initial.changed_at, self._newest_change())
        self._caught_up_at = self.head  # readers at this sequence or later get the whole of a burst

    def restart(self, initial: InitialState, loaded_at: int) -> None:
        """Start anew from the state of another journal, read at this moment of the cache's."""
        self.__init__(initial, self._cache, loaded_at)  # type: ignore[misc]

    @property
    def head(self) -> int:
        """The sequence of the newest record taken in."""
        return self.feed.head

    @property
    def moment(self) -> int:
        """The cache's moment that all this is of: now, unless another journal is here by now."""
        is_current = self._cache.is_of_this_journal(self._loaded_at)
        return self._cache.moment if is_current else self._loaded_at

    @property
    def ended(self) -> bool:
        """Whether the feed is closed, and all that came before that is taken in."""
        return self.feed.closed_at is not None and self.feed.version <= self.head

    @property
    def memory(self) -> int:
        """How many bytes of memory the window takes, about."""
        return self._items_bytes + CHECK_BYTES * len(self._checks)

    @property
    def changed_at(self) -> Millis | None:
        """When a fact last changed that readers see, a withdrawal too; None in an empty feed.

        It never goes back, whatever the window forgets, but where an item's times are mended.
        """
        return self._changed_at or None

    def cursor(self, epoch: str) -> str:
        """Return the cursor of the head."""
        return str(Cursor(epoch, self.feed.head, self.feed.check))

    def check(self, sequence: int) -> str | None:
        """Return the check of a record, if it is among the newest."""
        return self._checks.get(sequence)

    def apply(self, change: Change) -> bool:
        """Take in a change; return False if the window has it already."""
        feed = change.moved_feed
        if feed is None or change.sequence <= self.head:
            return False
        self.feed = feed
        self._checks[change.sequence] = change.check
        if len(self._checks) > CHECKS:
            del self._checks[next(iter(self._checks))]
        if change.item is not None:
            self._take(change.item)
        return True

    def forget_burst(self, sequence: int) -> None:
        """Forget what was kept only for readers that were caught up before `sequence`."""
        self._caught_up_at = sequence
        self._forget()

    def release(self) -> None:
        """Free the memory of a window that nobody uses any more, whoever still refers to it."""
        # Not only cleared: whoever did use it must not be told that there is no news.
        del self._items, self._checks

    def changed_since(self, sequence: int) -> list[Item] | None:
        """List the items changed after `sequence`, oldest change first; None: too many.

        For readers that were caught up before a burst, too many means `LIVE_MAX` or `LIVE_BYTES`.
        """
        if sequence < self._forgotten:
            return None
        found = self._recent[bisect_right(self._recent, (sequence, sys.maxsize)) :]
        items = [self._items[i] for _, i in found]
        if len(items) <= CATCH_UP_MAX:
            return items
        if sequence < self._caught_up_at:
            return None
        room = LIVE_BYTES
        for item in items:
            room -= len(self.json(item))
            if room < 0:
                return None
        return items

    def snapshot(self) -> list[Item]:
        """List the newest items and all pinned ones, newest first."""
        shown = {item_id for _, item_id in self._newest[-SNAPSHOT_ITEMS:]} | self._pinned
        return sorted((self._items[i] for i in shown), key=lambda item: item.order, reverse=True)

    @property
    def following(self) -> tuple[Millis, int] | None:
        """The order below which the next page begins; None where these are all items."""
        return self.floor() if self._oldest is not None else None

    def for_documents(self) -> list[Item]:
        """List what a document that is polled must have, newest first.

        The newest items, those changed last, and of the `CATCH_UP_MAX` changed last all that are
        withdrawn, held or corrected: a poller learns of these whatever came after them.
        """
        recent = [self._items[i] for _, i in self._recent[-CATCH_UP_MAX:]]
        marked = (i for i in recent if i.status is not Status.LIVE or i.corrections)
        newest = (self._items[i] for _, i in self._newest[-SNAPSHOT_ITEMS:])
        found = {
            item.order: item for part in (newest, recent[-SNAPSHOT_ITEMS:], marked) for item in part
        }
        return [found[order] for order in sorted(found, reverse=True)]

    def floor(self) -> tuple[Millis, int] | None:
        """Return the order of the oldest unpinned one of the newest items, else of the oldest.

        A pinned item may be below it once it is unpinned. None in an empty feed.
        """
        newest = self._newest[-SNAPSHOT_ITEMS:]
        unpinned = (order for order in newest if order[1] not in self._pinned)
        return next(unpinned, newest[0] if newest else self._oldest)

    def json(self, item: Item) -> bytes:
        """Return an item's JSON for readers; that of a former state is not kept."""
        if self._items.get(item.id) is not item:
            return encode_item(item)
        return item_json(self._cache, item, since=self.moment)

    def _take(self, item: Item) -> None:
        known = self._items.get(item.id)
        if known is not None and known.version >= item.version:
            return
        if known is not None and (entry := (known.version, known.id)) in self._recent:
            self._recent.remove(entry)
        # It was stamped in the future, and was restamped.
        is_mended = known is not None and known.order != item.order
        if known is not None and is_mended and known.order in self._newest:
            self._newest.remove(known.order)
        self._items[item.id] = item
        self._changed_at = (
            self._newest_change() if is_mended else max(self._changed_at, _changed_at(item))
        )
        self._items_bytes += _memory(item) - (_memory(known) if known is not None else 0)
        insort(self._recent, (item.version, item.id))
        if item.pinned:
            self._pinned.add(item.id)
        else:
            self._pinned.discard(item.id)
        is_below = self._oldest is not None and item.order < self._oldest
        if not is_below and item.order not in self._newest:
            insort(self._newest, item.order)
        self._forget()

    def _newest_change(self) -> Millis:
        return max(map(_changed_at, self._items.values()), default=0)

    def _forget(self) -> None:
        seen = bisect_right(self._recent, (self._caught_up_at, sys.maxsize))
        count = min(len(self._recent) - RECENT, max(seen, len(self._recent) - LIVE_MAX))
        if count > 0:
            self._forgotten = self._recent[count - 1][0]
            del self._recent[:count]
        if len(self._newest) > SNAPSHOT_ITEMS:
            del self._newest[: len(self._newest) - SNAPSHOT_ITEMS - 1]
            self._oldest = self._newest[0]
        shown = SNAPSHOT_ITEMS + len(self._pinned)
        if len(self._items) > max(RECENT, len(self._recent)) + shown + 64:
            kept = self._pinned.union(i for _, i in self._recent).union(i for _, i in self._newest)
            for item_id in self._items.keys() - kept:
                self._items_bytes -= _memory(self._items.pop(item_id))


def _changed_at(item: Item) -> Millis:
    return max(item.published_at, item.updated_at or 0, item.killed_at or 0)


def _memory(item: Item) -> int:
    """Return the bytes that an item takes in memory, about."""
    return sys.getsizeof(item.body) + len(item.blocks or b"") + ITEM_BYTES
