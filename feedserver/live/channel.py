"""One feed's readers, and the rounds that bring them news.

A round costs a reader no more than its send: it takes block after block from the last announced
place to the newest one, with one frame. What is committed meanwhile goes into the next round,
coalesced.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from feedserver.live.messages import Encode, Message, Messages
from feedserver.live.readers import Block, Place, Reader, SendAll
from feedserver.live.window import View
from feedserver.model import Cursor, Millis, Status
from feedserver.rules import Change

log = logging.getLogger("feedserver.live.channel")

SLICE = 128  # readers of a block, written to before others get a turn: about 0.7 ms, …
SLICE_BYTES = 1024 * 1024  # … unless what they get is longer than this together
LISTENERS_TOGETHER = 32  # woken before others get a turn
LEVEL_SECONDS = 0.25  # a listener that was level so long ago is waited for
STALL_SECONDS = 30.0  # without any progress a reader is given up; a slow one that moves is not
KEPT_MAX = 64  # answers of a feed that others encoded
CHAINS_MAX = 256  # catch-ups kept encoded until the next change, and …
CHAINS_BYTES = 16 * 1024 * 1024  # … how large they may be together
DROPPED_MAX = 512  # of these at once: some 5 ms
REPEAT_SECONDS = 1.0  # after which a round that failed is repeated
RETRY_MS = (500, 5_000)  # spread of a goodbye for a small crowd …
RETRY_MS_PER_READER = 1  # … and what each reader adds to it,
RETRY_MS_MAX = 30_000  # up to this

CLOSE_RESTART = 1012
CLOSE_FULL = 1013
CLOSE_NO_FEED = 4404
CLOSE_ENDED = 4410


@dataclass(slots=True)
class Stall:
    """A reader that is behind: from where, how much was pending, and since when it stays so."""

    place: Place
    pending: int
    since: float


@dataclass(slots=True, eq=False)
class Listener:
    """A reader that takes messages at its own pace, in a task of its own."""

    is_socket: bool
    place: Place | None = None
    behind_since: float | None = None  # when news came that it has not taken
    news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Count:
    """How many readers several channels have."""

    readers: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """How far a change got: `took` of `readers` in `ms` milliseconds."""

    took: int
    readers: int
    ms: int


class _Frames(dict[Encode, bytes]):
    """A chain of messages in each encoding that is asked for, made once."""

    def __init__(self, chain: list[Message], now: Millis) -> None:
        self._chain = chain
        self._now = now

    def __missing__(self, encode: Encode) -> bytes:
        frame = self[encode] = b"".join([encode(message, self._now) for message in self._chain])
        return frame


class Channel:
    """The live side of one feed."""

    def __init__(
        self,
        view: View,
        messages: Messages,
        heartbeat: int,
        clock: Callable[[], Millis],
        send_all: SendAll | None = None,
        count: Count | None = None,
    ) -> None:
        self.view = view
        self.messages = messages
        self.place = Place(view.head, view.feed.check)
        self._announced = self._completed = self.place
        self.caught_up = 0  # sockets that get the shared frame
        self.behind: dict[Reader, Stall] = {}
        self.listeners: set[Listener] = set()
        self.leaving = False
        self.wanted_at = time.monotonic()  # when somebody last asked for this channel
        self._kept: dict[Hashable, Any] = {}
        self.articles: dict[int, Any] = {}  # what others encoded of an item, until it changes
        self._clock = clock
        self._heartbeat = heartbeat
        self._send_all = send_all
        self._count = count or Count()
        # In the order of joining: a round then walks through memory, the kernel's too, forward.
        self._blocks: dict[Block, None] = {}
        self._open: dict[Encode, Block] = {}  # where the next to join may stand
        self._phases = 0
        self._withdrawals = 0
        self._refused = 0  # of late: they come back too
        self._chains: dict[Place, list[Message]] = {}
        self._chains_room = CHAINS_BYTES
        self._snapshot: Message | None = None
        self._moved = asyncio.Event()
        self._progress = asyncio.Event()
        self._last_round = time.monotonic()
        self._rounds: asyncio.Task[None] | None = None
        self._waking: asyncio.Task[None] | None = None
        self._calls = 0
        self._lowest: int | None = None  # of the listeners that are waited for; None: not known

    @property
    def sockets(self) -> int:
        """How many readers come by WebSocket."""
        return self.caught_up + len(self.behind) + sum(one.is_socket for one in self.listeners)

    @property
    def streams(self) -> int:
        """How many readers come by SSE."""
        return sum(not one.is_socket for one in self.listeners)

    @property
    def readers(self) -> int:
        """How many readers of any kind are connected."""
        return self.caught_up + len(self.behind) + len(self.listeners)

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Take in changes of this feed; a round follows."""
        if not any([self.view.apply(change) for change in changes]):
            return
        if any(change.item and change.item.status is Status.KILLED for change in changes):
            self._withdrawals += 1
        self.place = Place(self.view.head, self.view.feed.check)
        self._chains.clear()
        self._chains_room = CHAINS_BYTES
        self._snapshot = None
        self._kept.clear()
        for change in changes:
            if change.item is not None:
                self.articles.pop(change.item.id, None)
        self._call_listeners()
        self._start_rounds()

    def kept(self, question: Hashable) -> Any:
        """Return what others encoded of this state to answer a question; None if it is not kept."""
        return self._kept.get(question)

    def keep(self, question: Hashable, answer: Any) -> None:
        """Keep what others encoded of this state, until it changes or others push it out."""
        if len(self._kept) >= KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[question] = answer

    def chain(self, place: Place | None) -> list[Message]:
        """Return what brings a reader from `place` to the newest one; shared until it moves."""
        if place is None:
            self._snapshot = self._snapshot or self.messages.snapshot()
            return [self._snapshot]
        known = self._chains.get(place)
        if known is None:
            known = self.messages.since(place.sequence, place.check)
            size = sum(len(message.stem) for message in known)
            if len(self._chains) < CHAINS_MAX and size <= self._chains_room:
                self._chains_room -= size
                self._chains[place] = known
        return known

    def join(self, reader: Reader, place: Place | None) -> None:
        """Bring a socket up to date from `place` (None: from nothing) and keep it so."""
        block, now = Block(reader, None), self._clock()
        chain = self.chain(place)
        for message in chain:
            block.place = self.place if message is chain[-1] else _place_after(message)
            reader.push(reader.encode(message, now))
            if reader.block is None:
                return  # behind: the rest follows when this much has drained
        self._settle(reader)

    def turn_away(self, reader: Reader) -> None:
        """Tell a socket that there is no room, and when to try again."""
        reader.push(reader.encode(self.refusal(), self._clock()))
        reader.finish(CLOSE_FULL)

    def refusal(self) -> Message:
        """Make the goodbye for one more who finds no room."""
        self._refused += 1
        return self.messages.goodbye(self._retry_ms())

    def leave(self, reader: Reader) -> None:
        """Forget a socket."""
        if self.behind.pop(reader, None) is not None:
            self._count.readers -= 1
        block = reader.block
        if block is None:
            return
        block.remove(reader)
        if block in self._blocks:  # it is not on its way to one
            self.caught_up -= 1
            self._count.readers -= 1
            if not block.readers:
                self._forget(block)

    def fall_behind(self, reader: Reader) -> None:
        """Stop sending to a socket whose buffer is above its mark."""
        place = reader.place
        if place is None:
            return
        self.leave(reader)
        self.behind[reader] = Stall(place, reader.pending(), time.monotonic())
        self._count.readers += 1

    def catch_up(self, reader: Reader) -> None:
        """Take a socket back that has drained, with all that it missed as one batch."""
        stall = self.behind.pop(reader, None)
        if stall is None:
            return
        self._count.readers -= 1
        if stall.place is not self.place:
            self.join(reader, stall.place)
        else:
            Block(reader, stall.place)
            self._settle(reader)

    def drop_stalled(self) -> None:
        """Abort sockets that have not moved for `STALL_SECONDS`, some of them each second."""
        now, left = time.monotonic(), DROPPED_MAX
        for reader, stall in list(self.behind.items()):
            pending = reader.pending()
            if pending < stall.pending:
                stall.pending, stall.since = pending, now
            elif now - stall.since > STALL_SECONDS and left:
                left -= 1
                self.leave(reader)
                reader.abort()

    async def beat(self, tick: int) -> None:
        """Send this second's share of the sockets a heartbeat, unless they just had news."""
        self.drop_stalled()
        self._refused //= 2
        if time.monotonic() - self._last_round < self._heartbeat / 2:
            return
        phase = tick % self._heartbeat
        frames = _Frames([self.messages.heartbeat()], self._clock())
        for block in [block for block in self._blocks if block.phase == phase]:
            self._write_or_drop(block, frames[block.encode])
            await asyncio.sleep(0)

    @contextmanager
    def listener(self, *, is_socket: bool = False) -> Iterator[Listener]:
        """Count a reader that takes messages in a task of its own, for as long as it does."""
        listener = Listener(is_socket)
        self.listeners.add(listener)
        self._count.readers += 1
        try:
            yield listener
        finally:
            self.listeners.discard(listener)
            self._count.readers -= 1
            self._announce_progress()

    async def listen(
        self, listener: Listener, place: Place | None
    ) -> AsyncGenerator[Message, None]:
        """Yield what a listener from `place` needs, as fast as it asks, to the end."""
        while True:
            listener.news.clear()
            target = self.place
            if listener.place is None or listener.place is not target:
                for message in self.chain(listener.place or place):
                    yield message
                    if self.place is not target:  # the rest may hold what was withdrawn since
                        listener.place = _place_after(message)
                        break
                else:
                    listener.place, listener.behind_since = target, None
                self._announce_progress()
            elif self.view.ended:
                yield self.messages.ended()
                return
            elif self.leaving:
                yield self.messages.goodbye(self._retry_ms())
                return
            else:
                # Not all at once, after news that all got at once.
                patience = self._heartbeat * random.uniform(0.5, 1)  # noqa: S311
                try:
                    async with asyncio.timeout(patience):
                        await listener.news.wait()
                except TimeoutError:
                    yield self.messages.heartbeat()

    async def delivered(self, sequence: int, patience: float) -> Receipt:
        """Wait until readers took the change at `sequence`, `patience` seconds at most."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(patience):
                while not self._is_delivered(sequence):
                    await self._progress.wait()
        except TimeoutError:
            pass
        elapsed = round((time.monotonic() - started) * 1000)
        return Receipt(self._standing_at(sequence), self.readers, elapsed)

    async def reach(self, sequence: int, patience: float) -> bool:
        """Wait until this channel has seen `sequence`, `patience` seconds at most."""
        try:
            async with asyncio.timeout(patience):
                while self.place.sequence < sequence:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Say goodbye to everybody."""
        self.leaving = True
        self._call_listeners()
        for count, reader in enumerate(self._seated(), 1):
            if reader.block is not None:
                self._let_go(reader)
            if count % SLICE == 0:
                await asyncio.sleep(0)
        for reader in list(self.behind):
            self.leave(reader)
            reader.abort()  # it cannot take a goodbye; it comes back with its own cursor

    def _call_listeners(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        self._calls += 1
        if self.listeners and (self._waking is None or self._waking.done()):
            self._waking = asyncio.create_task(self._wake_listeners())

    async def _wake_listeners(self) -> None:
        calls = 0
        while calls != self._calls:
            calls, now = self._calls, time.monotonic()
            for count, listener in enumerate(list(self.listeners), 1):
                if listener.behind_since is None:
                    listener.behind_since = now
                listener.news.set()
                if count % LISTENERS_TOGETHER == 0:
                    await asyncio.sleep(0)

    def _start_rounds(self) -> None:
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._run_rounds())
            self._rounds.add_done_callback(self._repeat_if_failed)

    def _repeat_if_failed(self, rounds: asyncio.Task[None]) -> None:
        if not rounds.cancelled() and (fault := rounds.exception()) is not None:
            log.error("a round of %s failed; it is repeated", self.view.feed.slug, exc_info=fault)
            asyncio.get_running_loop().call_later(REPEAT_SECONDS, self._start_rounds)

    async def _run_rounds(self) -> None:
        while self._announced is not self.place:
            since, target = self._announced, self.place
            self._announced, self._lowest = target, None
            try:
                await self._run_round(since, target)
            except BaseException:
                self._announced = since  # those who were told stand at the target already
                raise
            self._last_round = time.monotonic()
            self._completed = target
            self.view.all_level_at(target.sequence)
            self._announce_progress()
            if self._announced is self.place and self.view.ended:
                await self._end()  # what comes meanwhile has its round after it

    async def _run_round(self, since: Place, target: Place) -> None:
        # Made now also for the listeners who stand there: once all sockets have it, it is too old.
        chain = self.chain(since) if self.caught_up or self.listeners else []
        frames = _Frames(chain, self._clock())
        withdrawals, written = self._withdrawals, 0
        last: dict[Encode, Block] = {}
        todo = deque(self._blocks)
        while todo:
            block = todo.popleft()
            if not block.readers or block.place is None:
                continue
            if withdrawals != self._withdrawals:  # the frame may hold what was withdrawn since
                withdrawals, target = self._withdrawals, self.place
                frames = _Frames(self.chain(since), self._clock())
            if block.place is since:
                frame, place = frames[block.encode], target
            elif block.place.sequence < target.sequence:  # begun while the last round was under way
                frame = _Frames(self.chain(block.place), self._clock())[block.encode]
                place = self.place
            else:
                continue
            weight = max(1, len(frame) * SLICE // SLICE_BYTES)  # in readers who get little
            fitting = max(1, SLICE // weight)
            if len(block.readers) > fitting:
                rest = block.split(fitting)
                self._blocks[rest] = None
                todo.appendleft(rest)
            if written and written + len(block.readers) * weight > SLICE:
                await asyncio.sleep(0)
                written = 0
                todo.appendleft(block)
                continue
            written += len(block.readers) * weight
            block.place = place
            self._write_or_drop(block, frame)
            if not block.readers:
                continue
            before = last.get(block.encode)
            if before is None or not self._merge(before, block):
                last[block.encode] = block

    def _write_or_drop(self, block: Block, frame: bytes) -> None:
        try:
            self._write(block, frame)
        except Exception:
            log.exception("readers of %s are dropped, to come back", self.view.feed.slug)
            self._drop(block)

    def _write(self, block: Block, frame: bytes) -> None:
        """Send a frame to a block: what all else is arranged for."""
        size = len(frame)
        readers = block.readers.copy()  # one whose transport is full at once leaves its seat
        slow: list[tuple[Reader, int]] = []
        if self._send_all is None:
            for reader in readers:
                send = reader.send  # not reader.send(…): Python finds a slot faster than a method
                try:
                    taken = send(frame)
                except OSError:
                    taken = 0
                if taken != size:
                    slow.append((reader, taken))
        else:
            short = self._send_all(block.descriptors, frame)
            slow = [(readers[seat], taken) for seat, taken in short]
        for reader, taken in slow:
            reader.keep(memoryview(frame)[taken:])  # shared, not copied

    def _settle(self, reader: Reader) -> None:
        """Let a reader who has come up to the newest place stand among others there."""
        self._part_if_over(reader)
        alone = reader.block
        if alone is None:
            return
        self.caught_up += 1
        self._count.readers += 1
        block = self._open.get(reader.encode)
        if block is not None and block.place is self.place and len(block.readers) < SLICE:
            block.add(reader)
        else:
            alone.phase = self._phases % self._heartbeat
            self._phases += 1
            self._blocks[alone] = None
            self._open[reader.encode] = alone

    def _merge(self, block: Block, other: Block) -> bool:
        """Join two blocks, where there is room: readers come and go, and leave gaps."""
        fits = len(block.readers) + len(other.readers) <= SLICE
        if not (fits and block.place is other.place and {block, other} <= self._blocks.keys()):
            return False
        block.join(other)
        is_open = self._open.get(other.encode) is other
        self._forget(other)
        if is_open:
            self._open[block.encode] = block
        return True

    def _forget(self, block: Block) -> None:
        del self._blocks[block]
        if self._open.get(block.encode) is block:
            del self._open[block.encode]

    def _drop(self, block: Block) -> None:
        """Abort all who stand in a block: who of them has the frame cannot be told."""
        for reader in block.readers.copy():
            self.leave(reader)
            reader.abort()

    def _seated(self) -> list[Reader]:
        return [reader for block in self._blocks for reader in block.readers]

    def _part_if_over(self, reader: Reader) -> None:
        if self.view.ended:
            reader.push(reader.encode(self.messages.ended(), self._clock()))
            self._finish(reader, CLOSE_ENDED)
        elif self.leaving:
            self._let_go(reader)

    async def _end(self) -> None:
        frames = _Frames([self.messages.ended()], self._clock())
        for count, reader in enumerate(self._seated(), 1):
            if not self.view.ended:
                return  # reopened meanwhile
            if reader.block is not None:
                reader.push(frames[reader.encode])
                self._finish(reader, CLOSE_ENDED)
            if count % SLICE == 0:
                await asyncio.sleep(0)

    def _let_go(self, reader: Reader) -> None:
        goodbye = self.messages.goodbye(self._retry_ms())
        reader.push(reader.encode(goodbye, self._clock()))
        self._finish(reader, CLOSE_RESTART)

    def _finish(self, reader: Reader, code: int) -> None:
        self.leave(reader)
        reader.finish(code)

    def _is_delivered(self, sequence: int) -> bool:
        if self._completed.sequence < sequence:
            return False
        if self._lowest is None:
            # Who is behind for longer, or has not begun, is not waited for.
            lately = time.monotonic() - LEVEL_SECONDS
            waited_for = [
                one.place.sequence
                for one in self.listeners
                if one.place is not None and (one.behind_since is None or one.behind_since > lately)
            ]
            self._lowest = min(waited_for, default=self.place.sequence)
        return self._lowest >= sequence

    def _standing_at(self, sequence: int) -> int:
        """Count the readers who have come as far as this."""
        seats = [(block.place, len(block.readers)) for block in self._blocks] + [
            (listener.place, 1) for listener in self.listeners
        ]
        return sum(count for place, count in seats if place and place.sequence >= sequence)

    def _announce_progress(self) -> None:
        self._lowest = None
        progress, self._progress = self._progress, asyncio.Event()
        progress.set()

    def _retry_ms(self) -> int:
        low, high = RETRY_MS
        crowd = self.readers + self._refused
        spread = min(high + crowd * RETRY_MS_PER_READER, RETRY_MS_MAX)
        return random.randint(low, spread)  # noqa: S311


def _place_after(message: Message) -> Place:
    cursor = Cursor.parse(message.cursor)
    assert cursor is not None
    return Place(cursor.sequence, cursor.check)
