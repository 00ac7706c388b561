"""How a reader applies live messages: the client's rules, free of I/O."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from publisher.failures import NotReached
from publisher.text.items import what_changed

if TYPE_CHECKING:
    from feedserver.wire import Json

FIRST_WAIT = 1.0  # seconds; the least before a reader reconnects
LONGEST_WAIT = 30.0  # seconds
LATE = 2.5  # heartbeats without a message, after which a connection counts as dead
GOODBYE_MAX = 300.0  # seconds; a server that asks for more is asked again all the same
HEARTBEATS = (
    1.0,
    300.0,
)  # seconds between them, at least and at most; a server may name other numbers
HEARTBEATS_ASTRAY = 2  # in a row with a cursor that is not ours, after which a reader reconnects


class ConnectionLost(Exception):
    """The connection broke or could not be opened.

    `blocked`: something on the way lets no WebSocket through. `final`: the failure to end with
    unless this server was reached before, as another try would end alike.
    """

    def __init__(
        self, detail: str, *, blocked: bool = False, final: NotReached | None = None
    ) -> None:
        super().__init__(detail)
        self.blocked = blocked
        self.final = final


class Next(Enum):
    """What to do after a message."""

    STAY = auto()
    COME_BACK = auto()
    ASK_AGAIN = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class News:
    """An item that is newer than what was shown of it before, and in a few words how."""

    item: Json
    what: str
    at: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one message led to. `wait` is what the server asks for, in seconds."""

    news: tuple[News, ...] = ()
    then: Next = Next.STAY
    wait: float | None = None


@dataclass(slots=True)
class ReaderState:
    """A reader's cursor, and the latest state of every item it was ever sent in this epoch."""

    cursor: str | None = None
    epoch: str | None = None
    heartbeat: float = 25.0  # seconds, until the snapshot says
    items: dict[int, Json] = field(default_factory=dict)
    _astray: int = 0

    def apply(self, message: Json) -> Step:
        """Apply one message that fits its schema. One of an unknown kind changes nothing."""
        match message.get("type"):
            case "snapshot":
                return self._snapshot(message)
            case "changes":
                return self._changes(message)
            case "heartbeat":
                self._astray = 0 if message.get("cursor") == self.cursor else self._astray + 1
                return Step(then=Next.ASK_AGAIN if self._astray >= HEARTBEATS_ASTRAY else Next.STAY)
            case "goodbye":
                wait = (message.get("retry_ms") or 0) / 1000
                return Step(then=Next.COME_BACK, wait=min(max(0.0, wait), GOODBYE_MAX))
            case "ended":
                return Step(then=Next.END)
            case _:
                return Step()

    def _snapshot(self, message: Json) -> Step:
        fresh = message["epoch"] != self.epoch
        if fresh:
            self.items.clear()
            self.epoch = message["epoch"]
        least, most = HEARTBEATS
        self.heartbeat = min(max(least, message.get("heartbeat") or self.heartbeat), most)
        self._move(message)
        news = self._take(message)
        # What a new reader is handed is no news yet.
        return Step(() if fresh else news)

    def _changes(self, message: Json) -> Step:
        if message["since"] != self.cursor or message["epoch"] != self.epoch:
            return Step(then=Next.ASK_AGAIN)
        self._move(message)
        return Step(self._take(message))

    def _move(self, message: Json) -> None:
        self.cursor = message["cursor"]
        self._astray = 0

    def _take(self, message: Json) -> tuple[News, ...]:
        news = []
        for item in message.get("items", ()):
            known = self.items.get(item["id"])
            if known is None or item["version"] > known["version"]:
                self.items[item["id"]] = item
                news.append(News(item, what_changed(known, item), message.get("now", "")))
        news.sort(key=lambda one: int(one.item["version"]))
        return tuple(news)


def wait_to_come_back(missed: int, chance: float | None = None) -> float:
    """Return the seconds to wait after so many connections in a row without a message."""
    most = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(missed + 1, 10))
    share = random.random() if chance is None else chance  # noqa: S311
    return FIRST_WAIT + share * (most - FIRST_WAIT)
