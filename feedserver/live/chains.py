"""Chains of messages, each made once for all readers that need it.

A chain brings a reader from its position to the newest one; each of its messages goes on from where
the one before it ended. A snapshot is a chain of one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import partial

from feedserver.live.encoded import EncodedCache
from feedserver.live.messages import Chain, Encode, Message, Messages
from feedserver.live.readers import Position
from feedserver.live.window import Window
from feedserver.model import Cursor, Millis

# A message in memory, in lengths of its JSON: the JSON, its compressed form, the items.
MESSAGE_SIZE = 3
CHAIN_BYTES = 1024  # of a chain itself, about, and …
ITEM_BYTES = 128  # … for each item: its messages are kept apart
TOO_FAR = Chain(())  # is kept in place of a chain where a snapshot is shorter


class Frames(dict[Encode, bytes]):
    """A chain in each encoding that is asked for, made once and in one piece."""

    def __init__(self, chain: Iterable[Message], now: Millis) -> None:
        self._chain = list(chain)  # as of now: later its items may have been withdrawn
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

    def move_on(self, *, withdrawn: bool) -> None:
        """Follow the window to its head."""
        self.newest = Position(self._window.head, self._window.feed.check, self._messages.epoch)
        self.withdrawals += withdrawn

    def is_kept(self, position: Position | None) -> bool:
        """Say whether the chain from there is made already."""
        chain = self._cache.get(self._key(position), self._window.moment)
        return self.is_kept(None) if chain is TOO_FAR else chain is not None

    def since(self, position: Position | None) -> Chain:
        """Return the chain that brings a reader from `position` (None: from nothing) up to date."""
        if position is not None and position.epoch != self._messages.epoch:
            position = None  # what readers know of another journal is void
        key, moment = self._key(position), self._window.moment
        kept: Chain | None = self._cache.get(key, moment)
        if kept is not None:
            return self.since(None) if kept is TOO_FAR else kept
        slug = self._window.feed.slug
        if position is None:
            snapshot = self._messages.snapshot()
            chain = Chain([lambda: snapshot], snapshot.items)
            size = MESSAGE_SIZE * len(snapshot.stem)
        else:
            found = self._messages.since(position.sequence, position.check)
            if found is None:
                self._cache.put(key, TOO_FAR, 0, since=moment)
                return self.since(None)  # one for all readers that are too far behind
            chain = found.kept(partial(self._message, key, moment))
            size = CHAIN_BYTES + ITEM_BYTES * len(chain.items)
        self._cache.put(key, chain, size, since=moment, items=chain.items, feed=slug)
        return chain

    def _message(
        self, chain: Hashable, moment: int, number: int, make: Callable[[], Message]
    ) -> Message:
        # As of the moment of the chain: its items may have been withdrawn since.
        key = (chain, number)
        kept: Message | None = self._cache.get(key, moment)
        if kept is not None:
            return kept
        message = make()
        items = [item.id for item in message.items]
        size = MESSAGE_SIZE * len(message.stem)
        self._cache.put(key, message, size, since=moment, items=items, feed=self._window.feed.slug)
        return message

    def _key(self, position: Position | None) -> Hashable:
        feed = self._window.feed
        return ("chain", feed.slug, feed.head, position.sequence if position else None)


def position_after(message: Message) -> Position:
    """Return the position of a reader that has taken a message that moves its cursor."""
    cursor = Cursor.parse(message.cursor)
    assert cursor is not None
    return Position(cursor.sequence, cursor.check, cursor.epoch)
