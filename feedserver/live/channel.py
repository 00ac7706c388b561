"""The live side of one feed: takes its changes, and owns the parts that bring them to readers.

There are two kinds of readers. Sockets that are caught up belong to cohorts, which rounds send to;
a socket whose buffer is full is behind, and gets all that it missed as one batch once it has sent
the rest. Listeners take messages at their own pace.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager

from feedserver.journal import InitialState
from feedserver.live.chains import Chains, Frames, position_after
from feedserver.live.encoded import EncodedCache
from feedserver.live.goodbyes import CLOSE_ENDED, CLOSE_FULL, CLOSE_RESTART, Goodbyes
from feedserver.live.listeners import Listener, Listeners
from feedserver.live.messages import Chain, Message, Messages
from feedserver.live.readers import Cohort, Count, Position, Reader, Stall
from feedserver.live.receipts import Receipt, Receipts
from feedserver.live.rounds import Cohorts, Rounds
from feedserver.live.sending import Sender
from feedserver.live.waiting import Signal
from feedserver.live.window import Window
from feedserver.model import Millis, Status, Verb
from feedserver.rules import Change

STALL_SECONDS = 30.0  # a reader without any progress for so long is dropped; a slow one is not
DROPPED_MAX = 512  # stalled readers dropped at once: some 5 ms


class Channel:
    """The live side of one feed."""

    def __init__(
        self,
        window: Window,
        messages: Messages,
        heartbeat: int,
        clock: Callable[[], Millis],
        sender: Sender | None = None,
        count: Count | None = None,
        cache: EncodedCache | None = None,
    ) -> None:
        count = count or Count()
        progress = Signal()
        self.window = window
        self.messages = messages
        self.wanted_at = time.monotonic()  # when somebody last asked for this channel
        self.behind: dict[Reader, Stall] = {}
        self.chains = Chains(window, messages, cache)
        self.cohorts = Cohorts(heartbeat, count)
        self.goodbyes = Goodbyes(messages, lambda: self.readers)
        self.listeners = Listeners(
            window, messages, self.chains, self.goodbyes, heartbeat, count, progress
        )
        self.rounds = Rounds(
            window.feed.slug,
            self.chains,
            self.cohorts,
            self.listeners,
            sender or Sender(),
            clock,
            drop=self._drop,
            on_completed=self._complete_round,
        )
        self._receipts = Receipts(
            self.chains, self.cohorts, self.listeners, self.rounds, progress, lambda: self.readers
        )
        self._clock = clock
        self._count = count
        self._heartbeat = heartbeat
        self._moved = Signal()
        self._progress = progress

    @property
    def position(self) -> Position:
        """The newest position, which all readers are brought to."""
        return self.chains.newest

    @property
    def sockets(self) -> int:
        """How many readers come by WebSocket."""
        return (
            self.cohorts.readers
            + len(self.behind)
            + sum(listener.is_socket for listener in self.listeners)
        )

    @property
    def streams(self) -> int:
        """How many readers come by SSE."""
        return sum(not listener.is_socket for listener in self.listeners)

    @property
    def readers(self) -> int:
        """How many readers of any kind are connected."""
        return self.cohorts.readers + len(self.behind) + len(self.listeners)

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Take in changes of this feed; a round follows."""
        if not any([self.window.apply(change) for change in changes]):
            return
        withdrawn = any(
            change.act is Verb.REDACT
            or (change.item is not None and change.item.status is Status.KILLED)
            for change in changes
        )
        self._move_on(withdrawn=withdrawn)

    def restart(self, initial: InitialState, epoch: str, loaded_at: int) -> None:
        """Go on with another journal: all readers get a snapshot, whatever they knew is void."""
        self.window.restart(initial, loaded_at)
        self.messages.epoch = epoch
        self._move_on(withdrawn=True)

    def chain(self, position: Position | None) -> Chain:
        """Return the chain that brings a reader from `position` (None: from nothing) up to date."""
        return self.chains.since(position)

    def _move_on(self, *, withdrawn: bool) -> None:
        self.chains.move_on(withdrawn=withdrawn)
        self._moved.send()
        self.listeners.wake()
        self.rounds.start()

    async def wait_for(self, sequence: int, timeout: float) -> bool:
        """Wait until this channel has taken in `sequence`, `timeout` seconds at most."""
        try:
            async with asyncio.timeout(timeout):
                while self.position.sequence < sequence:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    # Sockets.

    def join(self, reader: Reader, position: Position | None) -> None:
        """Bring a socket up to date from `position` (None: from nothing) and keep it so."""
        alone, now = Cohort(reader, None), self._clock()
        chain = self.chains.since(position)
        for number, message in enumerate(chain, 1):
            is_last = number == len(chain)
            alone.position = self.position if is_last else position_after(message)
            reader.push(*reader.encode(message, now))
            if reader.cohort is None:
                return  # behind: the rest follows once this much is sent
        self._add_caught_up(reader)

    def reject(self, reader: Reader) -> None:
        """Tell a socket that there is no room, and when to try again."""
        reader.push(*reader.encode(self.goodbyes.rejection(), self._clock()))
        reader.finish(CLOSE_FULL)

    def send_back(self, reader: Reader) -> None:
        """Say goodbye to a socket whose cursor is ahead of this process: it is to come back."""
        self._say_goodbye(reader)

    def leave(self, reader: Reader) -> None:
        """Forget a socket."""
        if self.behind.pop(reader, None) is not None:
            self._count.readers -= 1
        self.cohorts.remove(reader)

    def fall_behind(self, reader: Reader) -> None:
        """Send no more to a socket whose buffer is full."""
        position = reader.position
        if position is None:
            return
        self.leave(reader)
        self.behind[reader] = Stall(position, reader.pending(), time.monotonic())
        self._count.readers += 1

    def catch_up(self, reader: Reader) -> None:
        """Take a socket back that has sent all, with what it missed as one batch."""
        stall = self.behind.pop(reader, None)
        if stall is None:
            return
        self._count.readers -= 1
        if stall.position is not self.position:
            self.join(reader, stall.position)
        else:
            Cohort(reader, stall.position)
            self._add_caught_up(reader)

    def drop_stalled(self) -> None:
        """Abort sockets that have not moved for `STALL_SECONDS`, some of them each second."""
        now, left = time.monotonic(), DROPPED_MAX
        for reader, stall in list(self.behind.items()):
            pending = reader.pending()
            if pending < stall.pending:
                stall.pending, stall.since = pending, now
            elif now - stall.since > STALL_SECONDS and left:
                left -= 1
                self._drop(reader)

    async def send_heartbeats(self, tick: int) -> None:
        """Send this second's share of the sockets a heartbeat, unless they just had news."""
        self.drop_stalled()
        self.goodbyes.forget_half()
        if time.monotonic() - self.rounds.ended_at >= self._heartbeat / 2:
            heartbeat = self.messages.heartbeat()
            await self.rounds.send_heartbeats(tick % self._heartbeat, heartbeat)

    # Listeners.

    def listener(self, *, is_socket: bool = False) -> AbstractContextManager[Listener]:
        """Count a reader that takes messages in a task of its own, for as long as it does."""
        return self.listeners.add(is_socket=is_socket)

    def listen(
        self, listener: Listener, position: Position | None
    ) -> AsyncGenerator[Message, None]:
        """Yield what a listener at `position` needs, as fast as it asks, to the end."""
        return self.listeners.listen(listener, position)

    # All readers.

    async def delivered(self, sequence: int, timeout: float) -> Receipt:
        """Wait until readers took the change at `sequence`, `timeout` seconds at most."""
        return await self._receipts.delivered(sequence, timeout)

    async def close(self, crowd: int | None = None) -> None:
        """Say goodbye to all readers; `crowd` is how many leave at the same time, if others do."""
        self.goodbyes.begin(self.readers if crowd is None else crowd)
        self.listeners.wake()
        await self.rounds.for_each(self._say_goodbye)
        for reader in list(self.behind):
            self._drop(reader)  # it cannot take a goodbye; it comes back with its own cursor

    async def _complete_round(self, position: Position) -> None:
        self.window.forget_burst(position.sequence)
        self._progress.send()
        if position is self.position and self.window.ended:
            await self._end()

    async def _end(self) -> None:
        frames = Frames([self.messages.ended()], self._clock())

        def end(reader: Reader) -> None:
            if self.window.ended:  # and not reopened meanwhile
                reader.push(frames[reader.encode])
                self._finish(reader, CLOSE_ENDED)

        await self.rounds.for_each(end)

    def _add_caught_up(self, reader: Reader) -> None:
        """Add a reader at the newest position to the cohorts, or close it if all is over."""
        if self.window.ended:
            reader.push(*reader.encode(self.messages.ended(), self._clock()))
            self._finish(reader, CLOSE_ENDED)
        elif self.goodbyes.has_begun:
            self._say_goodbye(reader)
        if reader.cohort is not None:
            self.cohorts.add(reader.cohort)

    def _say_goodbye(self, reader: Reader) -> None:
        reader.push(*reader.encode(self.goodbyes.goodbye(), self._clock()))
        self._finish(reader, CLOSE_RESTART)

    def _finish(self, reader: Reader, code: int) -> None:
        self.leave(reader)
        reader.finish(code)

    def _drop(self, reader: Reader) -> None:
        self.leave(reader)
        reader.abort()
