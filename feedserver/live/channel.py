"""One feed's readers, and the rounds that bring them news.

A round costs a reader no more than its send: it takes cohort after cohort from the last announced
position to the newest one, with one frame. What is committed meanwhile goes into the next round,
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
from feedserver.live.readers import Cohort, Position, Reader, SendAll
from feedserver.live.window import Window
from feedserver.model import Cursor, Millis, Status
from feedserver.rules import Change

log = logging.getLogger("feedserver.live.channel")

SLICE = 128  # readers of a cohort, written to before others get a turn: about 0.7 ms, …
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

    position: Position
    pending: int
    since: float


@dataclass(slots=True, eq=False)
class Listener:
    """A reader that takes messages at its own pace, in a task of its own."""

    is_socket: bool
    position: Position | None = None
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
        window: Window,
        messages: Messages,
        heartbeat: int,
        clock: Callable[[], Millis],
        send_all: SendAll | None = None,
        count: Count | None = None,
    ) -> None:
        self.window = window
        self.messages = messages
        self.position = Position(window.head, window.feed.check)
        self._announced = self._completed = self.position
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
        self._cohorts: dict[Cohort, None] = {}
        self._open: dict[Encode, Cohort] = {}  # where the next to join may stand
        self._phases = 0
        self._withdrawals = 0
        self._refused = 0  # of late: they come back too
        self._chains: dict[Position, list[Message]] = {}
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
        if not any([self.window.apply(change) for change in changes]):
            return
        if any(change.item and change.item.status is Status.KILLED for change in changes):
            self._withdrawals += 1
        self.position = Position(self.window.head, self.window.feed.check)
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

    def chain(self, position: Position | None) -> list[Message]:
        """Return what brings a reader from `position` to the newest one; shared until it moves."""
        if position is None:
            self._snapshot = self._snapshot or self.messages.snapshot()
            return [self._snapshot]
        known = self._chains.get(position)
        if known is None:
            known = self.messages.since(position.sequence, position.check)
            size = sum(len(message.stem) for message in known)
            if len(self._chains) < CHAINS_MAX and size <= self._chains_room:
                self._chains_room -= size
                self._chains[position] = known
        return known

    def join(self, reader: Reader, position: Position | None) -> None:
        """Bring a socket up to date from `position` (None: from nothing) and keep it so."""
        cohort, now = Cohort(reader, None), self._clock()
        chain = self.chain(position)
        for message in chain:
            cohort.position = self.position if message is chain[-1] else _position_after(message)
            reader.push(reader.encode(message, now))
            if reader.cohort is None:
                return  # behind: the rest follows when this much has drained
        self._settle(reader)

    def reject(self, reader: Reader) -> None:
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
        cohort = reader.cohort
        if cohort is None:
            return
        cohort.remove(reader)
        if cohort in self._cohorts:  # it is not on its way to one
            self.caught_up -= 1
            self._count.readers -= 1
            if not cohort.readers:
                self._forget(cohort)

    def fall_behind(self, reader: Reader) -> None:
        """Stop sending to a socket whose buffer is above its mark."""
        position = reader.position
        if position is None:
            return
        self.leave(reader)
        self.behind[reader] = Stall(position, reader.pending(), time.monotonic())
        self._count.readers += 1

    def catch_up(self, reader: Reader) -> None:
        """Take a socket back that has drained, with all that it missed as one batch."""
        stall = self.behind.pop(reader, None)
        if stall is None:
            return
        self._count.readers -= 1
        if stall.position is not self.position:
            self.join(reader, stall.position)
        else:
            Cohort(reader, stall.position)
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

    async def send_heartbeats(self, tick: int) -> None:
        """Send this second's share of the sockets a heartbeat, unless they just had news."""
        self.drop_stalled()
        self._refused //= 2
        if time.monotonic() - self._last_round < self._heartbeat / 2:
            return
        phase = tick % self._heartbeat
        frames = _Frames([self.messages.heartbeat()], self._clock())
        for cohort in [cohort for cohort in self._cohorts if cohort.phase == phase]:
            self._write_or_drop(cohort, frames[cohort.encode])
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
        self, listener: Listener, position: Position | None
    ) -> AsyncGenerator[Message, None]:
        """Yield what a listener from `position` needs, as fast as it asks, to the end."""
        while True:
            listener.news.clear()
            target = self.position
            if listener.position is None or listener.position is not target:
                for message in self.chain(listener.position or position):
                    yield message
                    if self.position is not target:  # the rest may hold what was withdrawn since
                        listener.position = _position_after(message)
                        break
                else:
                    listener.position, listener.behind_since = target, None
                self._announce_progress()
            elif self.window.ended:
                yield self.messages.ended()
                return
            elif self.leaving:
                yield self.messages.goodbye(self._retry_ms())
                return
            else:
                # Not all at once, after news that all got at once.
                timeout = self._heartbeat * random.uniform(0.5, 1)  # noqa: S311
                try:
                    async with asyncio.timeout(timeout):
                        await listener.news.wait()
                except TimeoutError:
                    yield self.messages.heartbeat()

    async def delivered(self, sequence: int, timeout: float) -> Receipt:
        """Wait until readers took the change at `sequence`, `timeout` seconds at most."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                while not self._is_delivered(sequence):
                    await self._progress.wait()
        except TimeoutError:
            pass
        elapsed = round((time.monotonic() - started) * 1000)
        return Receipt(self._standing_at(sequence), self.readers, elapsed)

    async def wait_for(self, sequence: int, timeout: float) -> bool:
        """Wait until this channel has seen `sequence`, `timeout` seconds at most."""
        try:
            async with asyncio.timeout(timeout):
                while self.position.sequence < sequence:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Say goodbye to everybody."""
        self.leaving = True
        self._call_listeners()
        for count, reader in enumerate(self._seated(), 1):
            if reader.cohort is not None:
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
            log.error("a round of %s failed; it is repeated", self.window.feed.slug, exc_info=fault)
            asyncio.get_running_loop().call_later(REPEAT_SECONDS, self._start_rounds)

    async def _run_rounds(self) -> None:
        while self._announced is not self.position:
            since, target = self._announced, self.position
            self._announced, self._lowest = target, None
            try:
                await self._run_round(since, target)
            except BaseException:
                self._announced = since  # those who were told stand at the target already
                raise
            self._last_round = time.monotonic()
            self._completed = target
            self.window.all_level_at(target.sequence)
            self._announce_progress()
            if self._announced is self.position and self.window.ended:
                await self._end()  # what comes meanwhile has its round after it

    async def _run_round(self, since: Position, target: Position) -> None:
        # Made now also for the listeners who stand there: once all sockets have it, it is too old.
        chain = self.chain(since) if self.caught_up or self.listeners else []
        frames = _Frames(chain, self._clock())
        withdrawals, written = self._withdrawals, 0
        last: dict[Encode, Cohort] = {}
        todo = deque(self._cohorts)
        while todo:
            cohort = todo.popleft()
            if not cohort.readers or cohort.position is None:
                continue
            if withdrawals != self._withdrawals:  # the frame may hold what was withdrawn since
                withdrawals, target = self._withdrawals, self.position
                frames = _Frames(self.chain(since), self._clock())
            if cohort.position is since:
                frame, position = frames[cohort.encode], target
            elif (
                cohort.position.sequence < target.sequence
            ):  # begun while the last round was under way
                frame = _Frames(self.chain(cohort.position), self._clock())[cohort.encode]
                position = self.position
            else:
                continue
            weight = max(1, len(frame) * SLICE // SLICE_BYTES)  # in readers who get little
            fitting = max(1, SLICE // weight)
            if len(cohort.readers) > fitting:
                rest = cohort.split(fitting)
                self._cohorts[rest] = None
                todo.appendleft(rest)
            if written and written + len(cohort.readers) * weight > SLICE:
                await asyncio.sleep(0)
                written = 0
                todo.appendleft(cohort)
                continue
            written += len(cohort.readers) * weight
            cohort.position = position
            self._write_or_drop(cohort, frame)
            if not cohort.readers:
                continue
            before = last.get(cohort.encode)
            if before is None or not self._merge(before, cohort):
                last[cohort.encode] = cohort

    def _write_or_drop(self, cohort: Cohort, frame: bytes) -> None:
        try:
            self._write(cohort, frame)
        except Exception:
            log.exception("readers of %s are dropped, to come back", self.window.feed.slug)
            self._drop(cohort)

    def _write(self, cohort: Cohort, frame: bytes) -> None:
        """Send a frame to a cohort: what all else is arranged for."""
        size = len(frame)
        readers = cohort.readers.copy()  # one whose transport is full at once leaves its seat
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
            short = self._send_all(cohort.descriptors, frame)
            slow = [(readers[seat], taken) for seat, taken in short]
        for reader, taken in slow:
            reader.keep(memoryview(frame)[taken:])  # shared, not copied

    def _settle(self, reader: Reader) -> None:
        """Let a reader who has come up to the newest position stand among others there."""
        self._part_if_over(reader)
        alone = reader.cohort
        if alone is None:
            return
        self.caught_up += 1
        self._count.readers += 1
        cohort = self._open.get(reader.encode)
        if cohort is not None and cohort.position is self.position and len(cohort.readers) < SLICE:
            cohort.add(reader)
        else:
            alone.phase = self._phases % self._heartbeat
            self._phases += 1
            self._cohorts[alone] = None
            self._open[reader.encode] = alone

    def _merge(self, cohort: Cohort, other: Cohort) -> bool:
        """Join two cohorts, where there is room: readers come and go, and leave gaps."""
        fits = len(cohort.readers) + len(other.readers) <= SLICE
        if not (
            fits and cohort.position is other.position and {cohort, other} <= self._cohorts.keys()
        ):
            return False
        cohort.join(other)
        is_open = self._open.get(other.encode) is other
        self._forget(other)
        if is_open:
            self._open[cohort.encode] = cohort
        return True

    def _forget(self, cohort: Cohort) -> None:
        del self._cohorts[cohort]
        if self._open.get(cohort.encode) is cohort:
            del self._open[cohort.encode]

    def _drop(self, cohort: Cohort) -> None:
        """Abort all who stand in a cohort: who of them has the frame cannot be told."""
        for reader in cohort.readers.copy():
            self.leave(reader)
            reader.abort()

    def _seated(self) -> list[Reader]:
        return [reader for cohort in self._cohorts for reader in cohort.readers]

    def _part_if_over(self, reader: Reader) -> None:
        if self.window.ended:
            reader.push(reader.encode(self.messages.ended(), self._clock()))
            self._finish(reader, CLOSE_ENDED)
        elif self.leaving:
            self._let_go(reader)

    async def _end(self) -> None:
        frames = _Frames([self.messages.ended()], self._clock())
        for count, reader in enumerate(self._seated(), 1):
            if not self.window.ended:
                return  # reopened meanwhile
            if reader.cohort is not None:
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
                one.position.sequence
                for one in self.listeners
                if one.position is not None
                and (one.behind_since is None or one.behind_since > lately)
            ]
            self._lowest = min(waited_for, default=self.position.sequence)
        return self._lowest >= sequence

    def _standing_at(self, sequence: int) -> int:
        """Count the readers who have come as far as this."""
        seats = [(cohort.position, len(cohort.readers)) for cohort in self._cohorts] + [
            (listener.position, 1) for listener in self.listeners
        ]
        return sum(count for position, count in seats if position and position.sequence >= sequence)

    def _announce_progress(self) -> None:
        self._lowest = None
        progress, self._progress = self._progress, asyncio.Event()
        progress.set()

    def _retry_ms(self) -> int:
        low, high = RETRY_MS
        crowd = self.readers + self._refused
        spread = min(high + crowd * RETRY_MS_PER_READER, RETRY_MS_MAX)
        return random.randint(low, spread)  # noqa: S311


def _position_after(message: Message) -> Position:
    cursor = Cursor.parse(message.cursor)
    assert cursor is not None
    return Position(cursor.sequence, cursor.check)
