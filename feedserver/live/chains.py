"""Chains of messages, each made once for all readers that need it.

A chain brings a reader from its position to the newest one; each of its messages goes on from where
the one before it ended. A snapshot is a chain of one.
"""

from __future__ import annotations

from collections.abc import Hashable

from feedserver.live.encoded import EncodedCache
from feedserver.live.messages import Encode, Message, Messages
from feedserver.live.readers import Position
from feedserver.live.window import Window
from feedserver.model import Cursor, Millis

# A message in memory, in lengths of its JSON: the JSON, its compressed form, the items.
MESSAGE_SIZE = 3
TOO_FAR: list[Message] = []  # is kept in place of a chain where a snapshot is shorter


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
    """The chains of one feed, all of which lead to its newest position. The cache keeps them."""

    def __init__(
        self, window: Window, messages: Messages, cache: EncodedCache | None = None
    ) -> None:
        self.newest = Position(window.head, window.feed.check, messages.epoch)
        self.withdrawals = 0  # how often an item was withdrawn: older frames may hold its words
        self._window = window
        self._messages = messages
        self._cache = cache or EncodedCache()
        self._of_round: tuple[Position, list[Message]] | None = None

    def move_on(self, *, withdrawn: bool) -> None:
        """Follow the window to its head."""
        self.newest = Position(self._window.head, self._window.feed.check, self._messages.epoch)
        self.withdrawals += withdrawn
        self._of_round = None

    def begin_round(self, since: Position) -> list[Message]:
        """Return the chain for all who were level before a round; hold it until that ends.

        It may be larger than the cache keeps, and there may be many who ask for it.
        """
        chain = self.since(since)
        self._of_round = (since, chain)
        return chain

    def end_round(self) -> None:
        """Hold the chain of a round no longer."""
        self._of_round = None

    def is_kept(self, position: Position | None) -> bool:
        """Say whether the chain from there is made already."""
        chain = self._cache.get(self._key(position), self._window.moment)
        return self.is_kept(None) if chain is TOO_FAR else chain is not None

    def since(self, position: Position | None) -> list[Message]:
        """Return the chain that brings a reader from `position` (None: from nothing) up to date."""
        if position is not None and position.epoch != self._messages.epoch:
            position = None  # what readers know of another journal is void
        if self._of_round is not None and position == self._of_round[0]:
            return self._of_round[1]
        key, moment = self._key(position), self._window.moment
        chain: list[Message] | None = self._cache.get(key, moment)
        if chain is TOO_FAR:
            return self.since(None)
        if chain is None:
            if position is None:
                chain = [self._messages.snapshot()]
            else:
                chain = self._messages.since(position.sequence, position.check)
                if chain is None:
                    self._cache.put(key, TOO_FAR, 0, since=moment)
                    return self.since(None)  # one for all readers that are too far behind
            size = MESSAGE_SIZE * sum(len(message.stem) for message in chain)
            items = {item.id for message in chain for item in message.items}
            self._cache.put(
                key, chain, size, since=moment, items=items, feed=self._window.feed.slug
            )
        return chain

    def _key(self, position: Position | None) -> Hashable:
        feed = self._window.feed
        return ("chain", feed.slug, feed.head, position.sequence if position else None)


def position_after(message: Message) -> Position:
    """Return the position of a reader that has taken a message that moves its cursor."""
    cursor = Cursor.parse(message.cursor)
    assert cursor is not None
    return Position(cursor.sequence, cursor.check, cursor.epoch)
