"""A client's rules, to the letter of the contract, without I/O: the reader that tests believe."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Order = tuple[str, int]

MESSAGE_MAX = 1024 * 1024


def parse(text: bytes | str, longest: int = MESSAGE_MAX) -> Json:
    """Read a live message and hold it to its form."""
    data = text.encode() if isinstance(text, str) else text
    assert len(data) <= longest, f"a message of {len(data)} bytes"
    message: Json = json.loads(data)
    assert message["epoch"]
    assert message["cursor"]
    assert list(message)[-1] == "now"
    match message["type"]:
        case "snapshot":
            assert message["feed"]["cursor"] == message["cursor"]
            assert message["heartbeat"] > 0
            orders = [order(item) for item in message["items"]]
            assert orders == sorted(orders, reverse=True)
        case "changes":
            assert message["since"]
            versions = [item["version"] for item in message["items"]]
            assert versions == sorted(set(versions))
            assert sequence_of(message["cursor"]) >= sequence_of(message["since"])
        case "goodbye":
            assert message["retry_ms"] > 0
        case kind:
            assert kind in {"heartbeat", "ended"}
    ids = [item["id"] for item in message.get("items", ())]
    assert len(ids) == len(set(ids)), "an item twice in one message"
    return message


def order(item: Json) -> Order:
    """Return an item's place in time; times are of one width, so text sorts like time."""
    return item["published_at"], item["id"]


@dataclass
class Client:
    """What a reader of one feed knows and shows."""

    epoch: str = ""
    cursor: str = ""
    versions: dict[int, int] = field(default_factory=dict)
    rows: dict[int, Json] = field(default_factory=dict)
    floor: Order | None = None
    feed: Json = field(default_factory=dict)
    next: str | None = None
    strays: int = 0
    ended: bool = False
    retry_ms: int | None = None

    def take(self, message: Json) -> bool:
        """Apply a message; True: it does not fit, ask again from your own cursor."""
        match message["type"]:
            case "snapshot":
                self._take_snapshot(message)
            case "changes":
                if message["since"] != self.cursor:
                    return True
                self._move(message)
            case "heartbeat":
                self.strays = 0 if message["cursor"] == self.cursor else self.strays + 1
                return self.strays > 1
            case "ended":
                self.ended = True
            case "goodbye":
                self.retry_ms = message["retry_ms"]
        return False

    @property
    def shown(self) -> list[Json]:
        """The rows as they stand on the screen."""
        by_time = sorted(self.rows.values(), key=order, reverse=True)
        return sorted(by_time, key=lambda item: not item.get("pinned"))

    def take_page(self, items: list[Json], next_: str | None) -> None:
        """Put a page fetched by `next`, complete up to now, under what is shown."""
        self.next = next_
        if next_ is None:
            self.floor = None  # there are no older pages
        elif items:
            self.floor = order(items[-1])  # pins do not reorder pages: all above it is known
        for item in items:
            self._take_item(item)

    def _take_snapshot(self, message: Json) -> None:
        if message["epoch"] != self.epoch:
            self.epoch = message["epoch"]
            self.versions.clear()
            self.rows.clear()
        self.floor = floor_of(message)
        self.next = message.get("next")
        in_it = {item["id"] for item in message["items"]}
        self.rows = {id_: row for id_, row in self.rows.items() if id_ in in_it}
        self._move(message)

    def _move(self, message: Json) -> None:
        self.cursor = message["cursor"]
        self.strays = 0
        self.feed = message.get("feed", self.feed)
        for item in message["items"]:
            self._take_item(item)

    def _take_item(self, item: Json) -> None:
        id_ = item["id"]
        if item["version"] < self.versions.get(id_, 0):
            return
        self.versions[id_] = item["version"]
        if self.floor is not None and self.floor[1] == id_:
            self.floor = order(item)  # a time that the operator has set right takes it along
        if item.get("pinned") or self.floor is None or order(item) >= self.floor:
            self.rows[id_] = item
        else:
            self.rows.pop(id_, None)


@dataclass
class Line:
    """What one connection has carried, before any client chose from it, held to what is promised.

    Each message goes on from the one before, the first from the cursor `asked` for. No place and
    no version of an item is older than one that went over it before.
    """

    asked: str = ""
    cursor: str = ""
    versions: dict[int, int] = field(default_factory=dict)
    is_over: bool = False

    def take(self, message: Json) -> None:
        kind = message["type"]
        assert not self.is_over, f"{kind} after the last message"
        self.is_over = kind in {"goodbye", "ended"}
        if kind in {"heartbeat", "ended"}:
            assert self.cursor, f"{kind} before anything else"
        if self.cursor:
            assert sequence_of(message["cursor"]) >= sequence_of(self.cursor), "back in place"
        if kind == "changes":
            assert message["since"] == (self.cursor or self.asked), "it does not go on"
            since = sequence_of(message["since"])
            assert all(item["version"] > since for item in message["items"]), "no change"
        for item in message.get("items", ()):
            assert item["version"] >= self.versions.get(item["id"], 0), "back in version"
            self.versions[item["id"]] = item["version"]
        if kind in {"snapshot", "changes"}:
            self.cursor = message["cursor"]


def sequence_of(cursor: str) -> int:
    """Read a cursor, which is opaque to clients; a test may look."""
    return int(cursor.split(".")[1])


def floor_of(snapshot: Json) -> Order | None:
    """Return the order of the lowest item that is shown without being pinned.

    None: there are no older pages, so that all there is is shown.
    """
    if "next" not in snapshot:
        return None
    items = snapshot["items"]
    unpinned = [order(item) for item in items if not item.get("pinned")]
    # Where all are pinned, all that is newer than what is known is shown.
    return min(unpinned, default=order(items[0]))


def due(items: list[Json], floor: Order | None) -> list[Json]:
    """Return what a reader with this floor should show of all the items there are."""
    shown = [item for item in items if item.get("pinned") or floor is None or order(item) >= floor]
    by_time = sorted(shown, key=order, reverse=True)
    return sorted(by_time, key=lambda item: not item.get("pinned"))
