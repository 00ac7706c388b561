"""What was encoded, kept for all who ask: one cache for messages, pages, lists, histories, items.

It is bounded by bytes, and what was used least recently goes first. Each entry names the items and
feeds whose words it holds, so that a withdrawal drops all of them at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from feedserver import wire
from feedserver.model import Item

CACHE_BYTES = 64 * 1024 * 1024
ENTRY_BYTES = 500  # what an entry takes beside its value, about
SHARE_MAX = 4  # an entry larger than this part of the cache is not kept: it would empty it
ALL_FEEDS = "*"  # whose words a list of feeds holds; no feed has this slug
FORGOTTEN_MAX = 4096  # of the items forgotten last it is known when


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    size: int
    owners: tuple[Hashable, ...]


class EncodedCache:
    """A cache of `bytes_max` bytes. For one thread alone."""

    def __init__(self, bytes_max: int = CACHE_BYTES) -> None:
        self.bytes = 0
        self._bytes_max = bytes_max
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()  # least recently used first
        self._owned: dict[Hashable, set[Hashable]] = {}  # keys of the entries of an item or feed
        self._moment = 0
        self._forgotten: OrderedDict[Hashable, int] = OrderedDict()  # when, the oldest first
        self._known_since = 0  # older moments are no longer compared, but refused
        self._cleared_at = 0  # before this another journal was here

    @property
    def moment(self) -> int:
        """Return a number for `put`: what is read from now on is no older than this."""
        return self._moment

    def is_of_this_journal(self, moment: int) -> bool:
        """Say whether what was read at this moment is of the journal that is here now."""
        return moment >= self._cleared_at

    def get(self, key: Hashable, since: int | None = None) -> Any:
        """Return what is kept under a key, and count that as a use; None if nothing is.

        `since` is when that was read of which the key is made. In another journal the same key may
        have named something else.
        """
        if since is not None and not self.is_of_this_journal(since):
            return None
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry.value

    def put(
        self,
        key: Hashable,
        value: Any,
        size: int,
        *,
        since: int,
        items: Iterable[int] = (),
        feed: str | None = None,
    ) -> None:
        """Keep a value of `size` bytes that holds words of these items and of this feed.

        It is not kept if any of them was forgotten after the moment `since`, when the value's
        source was read, or if another journal was here then.
        """
        owners: tuple[Hashable, ...] = tuple(items) if feed is None else (*items, feed)
        size += ENTRY_BYTES
        if size * SHARE_MAX > self._bytes_max or self._is_outdated(owners, since):
            return
        self._drop(key)
        self._entries[key] = _Entry(value, size, owners)
        self.bytes += size
        for owner in owners:
            self._owned.setdefault(owner, set()).add(key)
        while self.bytes > self._bytes_max:
            self._drop(next(iter(self._entries)))

    def forget_item(self, item: int) -> None:
        """Drop all that holds words of an item, as it was changed or withdrawn."""
        self._forget(item)

    def forget_feed(self, slug: str) -> None:
        """Drop all that holds words of a feed's own: its title, its description."""
        self._forget(slug)
        self._forget(ALL_FEEDS)

    def clear(self) -> None:
        """Drop everything: another journal is here."""
        self._entries.clear()
        self._owned.clear()
        self._forgotten.clear()
        self.bytes = 0
        self._moment += 1
        self._known_since = self._cleared_at = self._moment

    def _forget(self, owner: Hashable) -> None:
        for key in list(self._owned.get(owner, ())):
            self._drop(key)
        self._moment += 1
        self._forgotten[owner] = self._moment
        self._forgotten.move_to_end(owner)
        if len(self._forgotten) > FORGOTTEN_MAX:
            _, self._known_since = self._forgotten.popitem(last=False)

    def _is_outdated(self, owners: tuple[Hashable, ...], since: int) -> bool:
        if since == self._moment:
            return False
        if since < self._known_since:
            return True
        return any(self._forgotten.get(owner, 0) > since for owner in owners)

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.bytes -= entry.size
        for owner in entry.owners:
            keys = self._owned[owner]
            keys.discard(key)
            if not keys:
                del self._owned[owner]


def item_key(item: Item) -> Hashable:
    """Return the key of an item's JSON for readers."""
    return ("item", item.id, item.version)


def item_json(cache: EncodedCache, item: Item, *, since: int) -> bytes:
    """Return an item's JSON for readers, encoded once for each version while it is kept."""
    key = item_key(item)
    known: bytes | None = cache.get(key, since)
    if known is None:
        known = encode_item(item)
        cache.put(key, known, len(known), items=(item.id,), since=since)
    return known


def encode_item(item: Item) -> bytes:
    """Encode an item for readers."""
    return orjson.dumps(wire.item_json(item))
