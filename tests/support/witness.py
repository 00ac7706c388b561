"""What was ever so, by the answers that editors got, and whether what was sent agrees with it."""

from __future__ import annotations

import json
from bisect import bisect_right, insort

from feedserver import wire
from feedserver.live import messages, window
from feedserver.model import Cursor, Feed, Item
from support.client import Json, Order, order, sequence_of


class Witness:
    """Knows every state of every item, and every place in every feed, of one journal."""

    def __init__(self) -> None:
        self.states: dict[tuple[int, int], Json] = {}
        self.places: dict[str, list[str]] = {}
        self._versions: dict[str, dict[int, list[int]]] = {}

    def saw(self, epoch: str, item: Item) -> None:
        """Take in what an editor was told of an item."""
        state = json_of(item)
        known = self.states.setdefault((item.id, item.version), state)
        assert known == state, "one version, two states"
        versions = self._versions.setdefault(item.feed, {}).setdefault(item.id, [])
        if item.version not in versions:
            insort(versions, item.version)
            self._saw_place(item.feed, Cursor(epoch, item.version, item.check))

    def saw_feed(self, epoch: str, feed: Feed) -> None:
        """Take in what the operator was told of a feed."""
        self._saw_place(feed.slug, Cursor(epoch, feed.version, feed.check))

    def versions(self, item: Item | Json) -> list[int]:
        """Return every version that an item had, oldest first."""
        slug, id_ = (item.feed, item.id) if isinstance(item, Item) else (item["feed"], item["id"])
        return self._versions[slug][id_]

    def check(self, slug: str, message: Json) -> None:
        """Hold a message as it was sent against all that was ever so."""
        assert message["cursor"] in self.places[slug], "a place that never was"
        items = message.get("items", [])
        for item in items:
            known = self.states.get((item["id"], item["version"]))
            assert item == known, "a state that never was"
            assert item["feed"] == slug, "an item of another feed"
        cursor = sequence_of(message["cursor"])
        sent = {item["id"]: item["version"] for item in items}
        for id_, version in sent.items():
            versions = self._versions[slug][id_]
            before = bisect_right(versions, cursor)
            assert not before or versions[before - 1] <= version, "older than the message's cursor"
        if message["type"] == "changes":
            self._check_changes(slug, message, sent.keys())
        elif message["type"] == "snapshot":
            self._check_snapshot(slug, message, cursor)

    def _check_changes(self, slug: str, message: Json, sent: set[int]) -> None:
        assert message["since"] in self.places[slug], "since a place that never was"
        since, cursor = sequence_of(message["since"]), sequence_of(message["cursor"])
        # What has changed again after the cursor comes with a later message.
        due = {i for i, known in self._versions[slug].items() if since < known[-1] <= cursor}
        assert due <= sent, "a change was left out"

    def _check_snapshot(self, slug: str, message: Json, cursor: int) -> None:
        items = message["items"]
        there = {id_: self._order(slug, id_) for id_ in self._versions[slug] if id_ <= cursor}
        newest = set(sorted(there, key=lambda i: there[i])[-window.SNAPSHOT_ITEMS :])
        pinned = {id_ for id_ in there if self._is_pinned(slug, id_, cursor)}
        sent = {item["id"] for item in items}
        assert all(item["id"] in newest or item.get("pinned") for item in items), "too old"
        missing = (newest | pinned) - sent
        if missing:
            room = messages.MESSAGE_MAX - messages._ENVELOPE
            largest = max(self._size(slug, id_) for id_ in missing)
            assert sum(map(_size, items)) + largest > room, "an item was left out"
        hidden = [there[id_] for id_ in there.keys() - sent]
        if hidden:
            assert max(hidden) < _order_of(message["next"]), "an item on no page"

    def _order(self, slug: str, id_: int) -> Order:
        return order(self.states[id_, self._versions[slug][id_][-1]])  # which never changes

    def _is_pinned(self, slug: str, id_: int, cursor: int) -> bool:
        newest = self._versions[slug][id_][-1]
        return newest <= cursor and bool(self.states[id_, newest].get("pinned"))

    def _size(self, slug: str, id_: int) -> int:
        return max(_size(self.states[id_, version]) for version in self._versions[slug][id_])

    def _saw_place(self, slug: str, cursor: Cursor) -> None:
        places = self.places.setdefault(slug, [])
        self._versions.setdefault(slug, {})
        if str(cursor) not in places:
            places.append(str(cursor))


def json_of(item: Item) -> Json:
    """Return what readers are sent of an item."""
    return dict(json.loads(wire.dumps(wire.item_json(item))))


def _order_of(next_: str) -> Order:
    at, id_ = next_.split(".")
    return wire.time_text(int(at)), int(id_)


def _size(item: Json) -> int:
    return len(json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode()) + 1
