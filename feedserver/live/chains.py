"""Chains of messages, each made once for all readers that need it.

A chain brings a reader from its position to the newest one; each of its messages goes on from where
the one before it ended. A snapshot is a chain of one.
"""

from __future__ import annotations

from feedserver.live.messages import Encode, Message, Messages
from feedserver.live.readers import Position
from feedserver.live.window import Window
from feedserver.model import Cursor, Millis

CHAINS_MAX = 256  # chains kept until the next change, and …
CHAINS_BYTES = 16 * 1024 * 1024  # … how large they may be together


class Frames(dict[Encode, bytes]):
    """A chain in each encoding that is asked for, made once and in one piece."""

    def __init__(self, chain: list[Message], now: Millis) -> None:
        self._chain = chain
        self._now = now

    def __missing__(self, encode: Encode) -> bytes:
        parts = [part for message in self._chain for part in encode(message, self._now)]
        frame = self[encode] = b"".join(parts)
        return frame


class Chains:
    """The chains of one feed, all of which lead to its newest position."""

    def __init__(self, window: Window, messages: Messages) -> None:
        self.newest = Position(window.head, window.feed.check)
        self.withdrawals = 0  # how often an item was withdrawn: older frames may hold its words
        self._window = window
        self._messages = messages
        self._snapshot: Message | None = None
        self._kept: dict[Position, list[Message]] = {}
        self._room = CHAINS_BYTES

    def move_on(self, *, withdrawn: bool) -> None:
        """Follow the window to its head, and forget the chains that led to the former one."""
        self.newest = Position(self._window.head, self._window.feed.check)
        self.withdrawals += withdrawn
        self._snapshot = None
        self._kept.clear()
        self._room = CHAINS_BYTES

    def since(self, position: Position | None) -> list[Message]:
        """Return the chain that brings a reader from `position` (None: from nothing) up to date."""
        if position is None:
            self._snapshot = self._snapshot or self._messages.snapshot()
            return [self._snapshot]
        known = self._kept.get(position)
        if known is None:
            known = self._messages.since(position.sequence, position.check)
            if known is None:
                return self.since(None)  # one for all readers that are too far behind
            size = sum(len(message.stem) for message in known)
            if len(self._kept) < CHAINS_MAX and size <= self._room:
                self._room -= size
                self._kept[position] = known
        return known


def position_after(message: Message) -> Position:
    """Return the position of a reader that has taken a message that moves its cursor."""
    cursor = Cursor.parse(message.cursor)
    assert cursor is not None
    return Position(cursor.sequence, cursor.check)
