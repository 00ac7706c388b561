"""The hub: the channels of all feeds, how many readers may join, and the heartbeats."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from feedserver.errors import Behind
from feedserver.journal import InitialState, Journal, Mirror
from feedserver.live.channel import Channel
from feedserver.live.encoded import EncodedCache
from feedserver.live.feeds import Feeds
from feedserver.live.messages import Message, Messages
from feedserver.live.readers import Count, Position
from feedserver.live.receipts import Receipt
from feedserver.live.sending import SendAll, Sender
from feedserver.live.waiting import Signal
from feedserver.live.window import CHECKS, RECENT, Window
from feedserver.model import Cursor, Millis
from feedserver.rules import Change

log = logging.getLogger("feedserver.live.hub")

CHANNELS_IDLE_MAX = 128  # feeds without readers that stay in memory, …
IDLE_SECONDS = 30.0  # … how long one stays at least, for a reader that is about to join, …
IDLE_BYTES = 32 * 1024 * 1024  # … and how large they may be together, however young
LOADS_MAX = 1  # windows that are loaded at once: it takes a connection and much of the core
BEHIND_TIMEOUT = 2.0  # seconds to wait for a record that another process has seen already


def now_millis() -> Millis:
    """Return the time by this machine's clock."""
    return time.time_ns() // 1_000_000


class Hub:
    """The channels of all feeds."""

    def __init__(
        self,
        journal: Journal,
        mirror: Mirror,
        *,
        page_url: Callable[[str], str],
        heartbeat: int = 25,
        readers_max: int = 18_000,
        reader_rate: float = 2_000.0,
        clock: Callable[[], Millis] = now_millis,
        send_all: SendAll | None = None,
        cache: EncodedCache | None = None,
    ) -> None:
        self.cache = cache or EncodedCache()  # of all that this process encodes for readers
        self.feeds = Feeds(mirror)
        self.epoch = journal.identity.epoch
        self.heartbeat = heartbeat
        self.readers_max = readers_max
        # Sockets that are still open, those too that have left their feed: they hold descriptors.
        self.open_sockets: Callable[[], int] = lambda: 0
        self._reader_rate = reader_rate
        self._admissions = reader_rate
        self._admitted_at = time.monotonic()
        self.applied_to = 0  # the sequence of the newest change that was taken in
        self._applied = Signal()
        self._journal = journal
        self._mirror = mirror
        self._page_url = page_url
        self._clock = clock
        self._sender = Sender(send_all)
        self._count = Count()
        self._channels: dict[str, Channel] = {}
        self._loading: dict[str, asyncio.Task[Channel | None]] = {}
        self._missed: dict[str, list[Change]] = {}
        self._held: Counter[str] = Counter()  # feeds whose channel somebody is about to use
        self._loads = asyncio.Semaphore(LOADS_MAX)
        self._leaving: int | None = None  # how many readers `close` says goodbye to

    @property
    def readers(self) -> int:
        """How many readers are connected to any feed."""
        return self._count.readers

    def now(self) -> Millis:
        """Return the server's time, as messages carry it."""
        return self._clock()

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Take in changes from the journal, in order."""
        by_feed: dict[str, list[Change]] = {}
        for change in changes:
            if change.item is not None:
                self.cache.forget_item(change.item.id)
            elif change.feed is not None:
                self.cache.forget_feed(change.feed.slug)
            if change.feed is not None:
                by_feed.setdefault(change.feed.slug, []).append(change)
        self.feeds.apply(changes)
        if changes:
            self.applied_to = max(self.applied_to, changes[-1].sequence)
            self._applied.send()
        for slug, part in by_feed.items():
            if slug in self._loading:
                self._missed.setdefault(slug, []).extend(part)
            elif slug in self._channels:
                self._channels[slug].apply(tuple(part))

    async def run(self) -> None:
        """Send heartbeats and drop stalled readers once a second, until cancelled."""
        tick = 0
        while True:
            started = time.monotonic()
            for channel in list(self._channels.values()):
                await channel.send_heartbeats(tick)
            self._forget_idle()
            tick += 1
            await asyncio.sleep(max(0.0, 1 - (time.monotonic() - started)))

    async def channel(self, slug: str) -> Channel | None:
        """Return a feed's channel, loaded at its first use; None where there is no such feed.

        Use it before the next await: without readers it may be forgotten at any time.
        """
        channel = self.loaded(slug)
        if channel is not None:
            return channel
        loading = self._loading.get(slug) or self._begin_to_load(slug)
        with self._hold(slug):
            # Shielded: the others still wait for the channel when this caller is cancelled.
            return await asyncio.shield(loading)

    def loaded(self, slug: str) -> Channel | None:
        """Return a feed's channel if it is loaded, and not of a journal that is gone."""
        channel = self._channels.get(slug) if slug not in self._loading else None
        if channel is not None:
            channel.wanted_at = time.monotonic()
        return channel

    async def arrive(self, slug: str, text: str | None) -> tuple[Channel, Position | None] | None:
        """Return a feed's channel, and the position that a cursor names; None without such a feed.

        A position of None needs a snapshot. Join before the next await, as with `channel`.
        """
        with self._hold(slug):
            while True:
                channel = await self.channel(slug)
                if channel is None:
                    return None
                position = await self.position_of(channel, text)
                if self.loaded(slug) is channel:  # no other journal came meanwhile
                    return channel, position

    async def position_of(self, channel: Channel, text: str | None) -> Position | None:
        """Return the position that a cursor names; None if the reader needs a snapshot.

        If the cursor is ahead of this process, wait until this process has its record: another
        process may be a few milliseconds ahead. Raises Behind if it does not come in time; only a
        sequence that the journal never gave is answered with a snapshot.
        """
        cursor = Cursor.parse(text) if text else None
        if cursor is None or cursor.epoch != self.epoch:
            return None
        if cursor.sequence == channel.position.sequence:
            return channel.position if cursor.check == channel.position.check else None
        known = channel.window.check(cursor.sequence)
        if known is None:
            known = await self._check_of(channel.window.feed.slug, cursor.sequence)
        if known != cursor.check:
            return None
        if cursor.sequence > channel.position.sequence and not await channel.wait_for(
            cursor.sequence, BEHIND_TIMEOUT
        ):
            raise Behind
        return Position(cursor.sequence, cursor.check, cursor.epoch)

    async def _check_of(self, slug: str, sequence: int) -> str | None:
        """Return the check of a record of the feed; wait for one that is not applied here yet."""
        if (
            sequence > await self._journal.head()
            and await self._journal.given(sequence)
            # Of a refused record nothing is ever applied; once this process is level, it shows.
            and not await self._journal.level()
        ):
            raise Behind
        return await self._mirror.check(slug, sequence)

    async def applied(self, sequence: int, timeout: float) -> bool:
        """Wait until changes up to `sequence` are taken in here; False after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                while self.applied_to < sequence:
                    await self._applied.wait()
        except TimeoutError:
            return False
        return True

    def restart(self) -> None:
        """Forget all of the journal that was here: it has a new epoch, after a restore."""
        self.epoch = self._journal.identity.epoch
        self.cache.clear()
        self.feeds.clear()
        self._missed.clear()
        for slug in self._channels:
            if slug not in self._loading:  # what is loading now notices it by itself
                self._begin_to_load(slug)

    async def delivered(self, slug: str, sequence: int, timeout: float) -> Receipt:
        """Return how many readers took the change at `sequence`; wait `timeout` seconds at most."""
        channel = self._channels.get(slug)
        return await channel.delivered(sequence, timeout) if channel else Receipt(0, 0, 0)

    async def count(self, slug: str) -> tuple[int, int]:
        """Return how many read a feed by WebSocket and by SSE."""
        channel = self._channels.get(slug)
        return (channel.sockets, channel.streams) if channel else (0, 0)

    def admit(self) -> bool:
        """Say whether another reader may join now: so many at once, and so many a second."""
        if not self._has_room():
            return False
        self._admissions -= 1
        return True

    def rejection(self, slug: str) -> Message | None:
        """Return the goodbye for one more reader of a feed; None if there may be room for it."""
        channel = self._channels.get(slug)
        return None if channel is None or self._has_room() else channel.goodbyes.rejection()

    async def close(self) -> None:
        """Say goodbye to all readers; together they are the crowd that is told to come back."""
        self._leaving = self.readers
        for channel in list(self._channels.values()):
            await channel.close(self._leaving)

    def _has_room(self) -> bool:
        now = time.monotonic()
        self._admissions = min(
            self._reader_rate, self._admissions + (now - self._admitted_at) * self._reader_rate
        )
        self._admitted_at = now
        connected = max(self.readers, self.open_sockets())
        return self._admissions >= 1 and connected < self.readers_max

    def _begin_to_load(self, slug: str) -> asyncio.Task[Channel | None]:
        task = self._loading[slug] = asyncio.create_task(self._load(slug))
        # Of a failure who waits is told, and it may be that nobody waits.
        task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return task

    async def _load(self, slug: str) -> Channel | None:
        """Load a channel, or load one anew that has readers of a journal that is gone."""
        try:
            initial, loaded_at = await self._read(slug)
            channel = self._channels.get(slug)
            if initial is None:
                await self._send_readers_away(slug)
                return None
            if channel is not None:
                channel.restart(initial, self.epoch, loaded_at)
            else:
                window = Window(initial, self.cache, loaded_at)
                messages = Messages(window, self.epoch, self._page_url(slug), self.heartbeat)
                channel = Channel(
                    window,
                    messages,
                    self.heartbeat,
                    self._clock,
                    self._sender,
                    self._count,
                    self.cache,
                )
            if self._leaving is not None:
                channel.goodbyes.begin(self._leaving)
            channel.apply(tuple(self._missed.get(slug, ())))
            self._channels[slug] = channel
            self._forget_idle()
            return channel
        except Exception:
            await self._send_readers_away(slug)
            raise
        finally:
            del self._loading[slug]
            self._missed.pop(slug, None)

    async def _read(self, slug: str) -> tuple[InitialState | None, int]:
        """Return what a window starts from, and the cache's moment before that was read.

        It is read again if another journal came meanwhile.
        """
        while True:
            epoch, loaded_at = self.epoch, self.cache.moment
            async with self._loads:
                initial = await self._mirror.initial_state(slug, RECENT, CHECKS)
            if epoch == self.epoch:
                return initial, loaded_at

    async def _send_readers_away(self, slug: str) -> None:
        """Say goodbye to the readers of a channel whose journal is gone; they come back."""
        channel = self._channels.pop(slug, None)
        if channel is not None:
            await channel.close()

    def _forget_idle(self) -> None:
        """Forget channels without readers, those wanted least recently first.

        Beyond a number of them those that were not wanted of late go, beyond a number of bytes any.
        """
        idle = [item for item in self._channels.items() if not item[1].readers]
        idle.sort(key=lambda item: item[1].wanted_at)
        count, size = len(idle), sum(channel.window.memory for _, channel in idle)
        since = time.monotonic() - IDLE_SECONDS
        for slug, channel in idle:
            is_surplus = count > CHANNELS_IDLE_MAX and channel.wanted_at < since
            if slug not in self._held and (size > IDLE_BYTES or is_surplus):
                del self._channels[slug]
                count, size = count - 1, size - channel.window.memory
                channel.window.release()  # a channel's parts refer to one another

    @contextmanager
    def _hold(self, slug: str) -> Iterator[None]:
        self._held[slug] += 1
        try:
            yield
        finally:
            self._held[slug] -= 1
            if not self._held[slug]:
                del self._held[slug]
