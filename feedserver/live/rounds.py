"""Rounds: how news is fanned out to the sockets of a feed that are caught up.

A round is one pass over these sockets with one frame: all that changed between the position that
they were brought to last and the newest one. It goes from cohort to cohort and lets other tasks run
in between, and a reader costs it no more than its send. What is committed during a round goes into
the next one, coalesced. Readers that are behind are no part of a round.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sized

from feedserver.live.chains import Chains, Frames
from feedserver.live.messages import Encode, Message
from feedserver.live.readers import Cohort, Count, Position, Reader
from feedserver.live.sending import Sender
from feedserver.model import Millis

log = logging.getLogger("feedserver.live.rounds")

SLICE = 128  # readers of a cohort, sent to before other tasks run: about 0.7 ms, …
SLICE_BYTES = 1024 * 1024  # … unless what they get is longer than this together
REPEAT_SECONDS = 1.0  # after which a failed round is repeated


class Cohorts:
    """The cohorts of a feed: all sockets that are caught up.

    In the order of joining: a round then walks forward through memory, the kernel's too.
    """

    def __init__(self, heartbeat: int, count: Count) -> None:
        self.readers = 0
        self._heartbeat = heartbeat
        self._count = count
        self._all: dict[Cohort, None] = {}
        self._open: dict[Encode, Cohort] = {}  # which the next to join may belong to
        self._phases = 0

    def __iter__(self) -> Iterator[Cohort]:
        return iter(self._all)

    def list_readers(self) -> list[Reader]:
        """Return all readers, as of now."""
        return [reader for cohort in self._all for reader in cohort.readers]

    def add(self, alone: Cohort) -> None:
        """Add a reader that comes in a cohort of its own; it joins another where there is room."""
        [reader] = alone.readers
        self.readers += 1
        self._count.readers += 1
        cohort = self._open.get(alone.encode)
        if cohort is not None and cohort.position is alone.position and len(cohort.readers) < SLICE:
            cohort.add(reader)
        else:
            alone.phase = self._phases % self._heartbeat
            self._phases += 1
            self._all[alone] = None
            self._open[alone.encode] = alone

    def remove(self, reader: Reader) -> None:
        """Take a reader out of its cohort; that may be one that was not added."""
        cohort = reader.cohort
        if cohort is None:
            return
        cohort.remove(reader)
        if cohort in self._all:
            self.readers -= 1
            self._count.readers -= 1
            if not cohort.readers:
                self._forget(cohort)

    def split(self, cohort: Cohort, count: int) -> Cohort:
        """Keep `count` readers in a cohort; return a new one of the others."""
        rest = cohort.split(count)
        self._all[rest] = None
        return rest

    def merge(self, cohort: Cohort, other: Cohort) -> bool:
        """Put two cohorts together if they fit: readers come and go, and leave gaps."""
        fits = len(cohort.readers) + len(other.readers) <= SLICE
        if not (fits and cohort.position is other.position and {cohort, other} <= self._all.keys()):
            return False
        cohort.join(other)
        is_open = self._open.get(other.encode) is other
        self._forget(other)
        if is_open:
            self._open[cohort.encode] = cohort
        return True

    def _forget(self, cohort: Cohort) -> None:
        del self._all[cohort]
        if self._open.get(cohort.encode) is cohort:
            del self._open[cohort.encode]


class Rounds:
    """The rounds of one feed, one after the other."""

    def __init__(
        self,
        slug: str,
        chains: Chains,
        cohorts: Cohorts,
        listeners: Sized,
        sender: Sender,
        clock: Callable[[], Millis],
        *,
        drop: Callable[[Reader], None],
        on_completed: Callable[[Position], Awaitable[None]],
    ) -> None:
        self.completed = chains.newest  # all sockets that were caught up have been sent this
        self.task: asyncio.Task[None] | None = None
        self.ended_at = time.monotonic()  # when the last round was over
        self._announced = self.completed
        self._slug = slug
        self._chains = chains
        self._cohorts = cohorts
        self._listeners = listeners
        self._sender = sender
        self._clock = clock
        self._drop = drop
        self._on_completed = on_completed

    def start(self) -> None:
        """Begin a round, unless one is under way, which another one then follows."""
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._run())
            self.task.add_done_callback(self._repeat_if_failed)

    async def send_heartbeats(self, phase: int, heartbeat: Message) -> None:
        """Send a heartbeat to the cohorts of a phase."""
        frames = Frames([heartbeat], self._clock())
        for cohort in [cohort for cohort in self._cohorts if cohort.phase == phase]:
            self._send_or_drop(cohort, frames[cohort.encode])
            await asyncio.sleep(0)

    async def for_each(self, act: Callable[[Reader], None]) -> None:
        """Call `act` for each reader that is caught up now, `SLICE` of them at a time."""
        for count, reader in enumerate(self._cohorts.list_readers(), 1):
            if reader.cohort is not None:
                act(reader)
            if count % SLICE == 0:
                await asyncio.sleep(0)

    def _repeat_if_failed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("a round of %s failed; it is repeated", self._slug, exc_info=fault)
            asyncio.get_running_loop().call_later(REPEAT_SECONDS, self.start)

    async def _run(self) -> None:
        while self._announced is not self._chains.newest:
            since, target = self._announced, self._chains.newest
            self._announced = target
            try:
                await self._run_round(since, target)
            except BaseException:
                self._announced = since  # readers that were sent to are at the target already
                raise
            self.ended_at = time.monotonic()
            self.completed = target
            await self._on_completed(target)  # news that comes meanwhile goes into the next round

    async def _run_round(self, since: Position, target: Position) -> None:
        # Made now, for listeners too: after the round the window may have forgotten these changes.
        has_readers = self._cohorts.readers or self._listeners
        frames = Frames(self._chains.since(since) if has_readers else (), self._clock())
        withdrawals, sent = self._chains.withdrawals, 0
        last: dict[Encode, Cohort] = {}
        todo = deque(self._cohorts)
        while todo:
            cohort = todo.popleft()
            if not cohort.readers or cohort.position is None:
                continue
            if withdrawals != self._chains.withdrawals:  # the frame may hold withdrawn words
                withdrawals, target = self._chains.withdrawals, self._chains.newest
                frames = Frames(self._chains.since(since), self._clock())
            if cohort.position is since:
                frame, position = frames[cohort.encode], target
            elif cohort.position.is_before(target):  # joined during the last round
                chain = self._chains.since(cohort.position)
                frame = Frames(chain, self._clock())[cohort.encode]
                position = self._chains.newest
            else:
                continue
            weight = max(1, len(frame) * SLICE // SLICE_BYTES)  # 1 for a short frame
            fitting = max(1, SLICE // weight)
            if len(cohort.readers) > fitting:
                todo.appendleft(self._cohorts.split(cohort, fitting))
            if sent and sent + len(cohort.readers) * weight > SLICE:
                await asyncio.sleep(0)
                sent = 0
                todo.appendleft(cohort)
                continue
            sent += len(cohort.readers) * weight
            cohort.position = position
            self._send_or_drop(cohort, frame)
            if not cohort.readers:
                continue
            before = last.get(cohort.encode)
            if before is None or not self._cohorts.merge(before, cohort):
                last[cohort.encode] = cohort

    def _send_or_drop(self, cohort: Cohort, frame: bytes) -> None:
        try:
            self._sender.send(cohort, frame)
        except Exception:
            # Which of them took the frame is not known; each comes back with its own cursor.
            log.exception("%d readers of %s are dropped", len(cohort.readers), self._slug)
            for reader in cohort.readers.copy():
                self._drop(reader)
