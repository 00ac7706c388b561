"""Live messages, encoded once and sent to many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import orjson

from feedserver import wire
from feedserver.live.window import Window
from feedserver.model import Cursor, Item, Millis

MESSAGE_MAX = 1024 * 1024  # bytes of one message
_ENVELOPE = 16 * 1024  # bytes reserved for everything but the items

Parts = tuple[bytes, bytes, bytes]
"""A frame: its head, its body, which all readers share and nobody copies, and its end."""

Encode = Callable[["Message", Millis], Parts]
"""Turns a message, and the time it is sent at, into a frame."""

Keep = Callable[[int, Callable[[], "Message"]], "Message"]
"""Returns the message of this number in a chain, made by the function if it is not kept."""


class Message:
    """One live message. Its last member, `now`, is added when it is sent."""

    __slots__ = ("cursor", "items", "moves", "packed", "retry_ms", "stem")

    def __init__(
        self,
        stem: bytes,
        cursor: str,
        *,
        items: Iterable[Item] = (),
        moves: bool = True,
        retry_ms: int | None = None,
    ) -> None:
        self.stem = stem  # the JSON up to `now`
        self.cursor = cursor
        self.items = tuple(items)  # that it holds
        self.moves = moves  # whether it moves a client's cursor
        self.retry_ms = retry_ms  # of a goodbye: when to come back
        self.packed: bytes | None = None  # the stem as a codec compressed it, once for all readers

    def json(self, now: Millis) -> bytes:
        """Return the whole message."""
        return self.stem + tail(now)


class Chain:
    """Messages of which each goes on from where the one before it ended, made when asked for.

    `items` are those that they hold.
    """

    def __init__(self, makes: Sequence[Callable[[], Message]], items: Iterable[Item] = ()) -> None:
        self.items = frozenset(item.id for item in items)
        self._makes = makes

    def kept(self, keep: Keep) -> Chain:
        """Return the same chain, each message of which is made once, as far as `keep` keeps it."""
        made = Chain([partial(keep, number, make) for number, make in enumerate(self._makes)])
        made.items = self.items
        return made

    def __len__(self) -> int:
        return len(self._makes)

    def __iter__(self) -> Iterator[Message]:
        return (make() for make in self._makes)

    def __getitem__(self, at: int) -> Message:
        return self._makes[at]()


class Messages:
    """Makes one feed's messages from its window."""

    def __init__(self, window: Window, epoch: str, page_url: str, heartbeat: int) -> None:
        self._window = window
        self.epoch = epoch
        self._page_url = page_url
        self._heartbeat = heartbeat

    def snapshot(self) -> Message:
        """Make the message that starts a reader from nothing."""
        window = self._window
        items, last = window.snapshot(), window.following
        fitting = self._fitting(items)
        left_out = {item.order for item in items} - {item.order for item in fitting}
        if left_out:  # the next page begins with the newest of these, and repeats some items
            at, item_id = max(left_out)
            last = max((at, item_id + 1), last or (at, 0))
        follow = b""
        if last is not None:
            follow = b',"next":"%b"' % next_text(last).encode()
        stem = b'{"type":"snapshot",%b,"feed":%b,"items":[%b]%b,"heartbeat":%d' % (
            self._members(),
            self._feed(),
            b",".join(window.json(item) for item in fitting),
            follow,
            self._heartbeat,
        )
        return Message(stem, window.cursor(self.epoch), items=fitting)

    def since(self, sequence: int, check: str) -> Chain | None:
        """Return the chain of messages that brings a reader from a record to the head.

        None if too many items changed since that record: a snapshot is shorter.
        """
        window = self._window
        items = window.changed_since(sequence)
        if items is None:
            return None
        feed = b',"feed":%b' % self._feed()
        after = Cursor(self.epoch, sequence, check)
        makes = []
        for part, is_last in _parts(items, window):
            since, after = after, self._cursor_after(part, is_last=is_last)
            # A reader that is cut off after this part must not have passed the feed's record.
            has_feed = window.feed.version > since.sequence or window.feed.closed_at is not None
            told = feed if has_feed else b""
            makes.append(partial(self._changes, part, since, after, told))
        return Chain(makes, items)

    def heartbeat(self) -> Message:
        """Make the message that says only that the connection is alive."""
        return self._plain(b"heartbeat")

    def ended(self) -> Message:
        """Make the last message of a closed feed."""
        return self._plain(b"ended")

    def goodbye(self, retry_ms: int) -> Message:
        """Make the message before a close after which the reader comes back."""
        return self._plain(b"goodbye", b',"retry_ms":%d' % retry_ms, retry_ms)

    def _changes(self, part: list[Item], since: Cursor, after: Cursor, feed: bytes) -> Message:
        stem = b'{"type":"changes","epoch":"%b","since":"%b","cursor":"%b"%b,"items":[%b]' % (
            after.epoch.encode(),
            str(since).encode(),
            str(after).encode(),
            feed,
            b",".join(self._window.json(item) for item in part),
        )
        return Message(stem, str(after), items=part)

    def _plain(self, kind: bytes, rest: bytes = b"", retry_ms: int | None = None) -> Message:
        stem = b'{"type":"%b",%b%b' % (kind, self._members(), rest)
        cursor = self._window.cursor(self.epoch)
        return Message(stem, cursor, moves=False, retry_ms=retry_ms)

    def _members(self) -> bytes:
        cursor = self._window.cursor(self.epoch)
        return b'"epoch":"%b","cursor":"%b"' % (self.epoch.encode(), cursor.encode())

    def _feed(self) -> bytes:
        window = self._window
        return orjson.dumps(wire.feed_json(window.feed, self._page_url, window.cursor(self.epoch)))

    def _cursor_after(self, part: list[Item], *, is_last: bool) -> Cursor:
        feed = self._window.feed
        # An item that was read back may be newer than the head: its version as a cursor would skip
        # changes of other items that the window has not taken in yet.
        if is_last or part[-1].version >= feed.head:
            return Cursor(self.epoch, feed.head, feed.check)
        return Cursor(self.epoch, part[-1].version, part[-1].check)

    def _fitting(self, items: list[Item]) -> list[Item]:
        """Choose what fits in one message: the newest not pinned, the pinned, the newest others."""
        room = MESSAGE_MAX - _ENVELOPE
        kept = set()
        # However much is pinned, one unpinned item is needed: the next page begins below it.
        first = next((item for item in items if not item.pinned), None)
        for item in sorted(items, key=lambda item: (item is not first, not item.pinned)):
            room -= len(self._window.json(item)) + 1
            if room < 0:
                break
            kept.add(item.id)
        return [item for item in items if item.id in kept]


def tail(now: Millis) -> bytes:
    """Return the end of a message: the server's time, and the closing brace."""
    return b',"now":"%b"}' % wire.time_text(now).encode()


def next_text(order: tuple[Millis, int]) -> str:
    """Write the `next` that continues a page below the item of this order."""
    return f"{order[0]}.{order[1]}"


def _parts(items: Iterable[Item], window: Window) -> list[tuple[list[Item], bool]]:
    parts: list[list[Item]] = [[]]
    room = full = MESSAGE_MAX - _ENVELOPE
    for item in items:
        size = len(window.json(item)) + 1
        if size > room and parts[-1]:
            parts.append([])
            room = full
        room -= size
        parts[-1].append(item)
    return [(part, part is parts[-1]) for part in parts]
