"""Listeners: readers that take messages at their own pace, each in a task of its own.

They are server-sent event streams, and sockets under another ASGI server. They get the same
messages as other sockets: each asks for the next chain once it has sent the last one.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from feedserver.live.chains import Chains, position_after
from feedserver.live.goodbyes import Goodbyes
from feedserver.live.messages import Message, Messages
from feedserver.live.readers import Count, Position
from feedserver.live.waiting import Signal
from feedserver.live.window import Window

LISTENERS_TOGETHER = 32  # woken before other tasks run


@dataclass(slots=True, eq=False)
class Listener:
    """A reader that takes messages at its own pace."""

    is_socket: bool
    position: Position | None = None
    behind_since: float | None = None  # when news came that it has not taken
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Listeners:
    """The listeners of one feed. Sends `progress` when one of them has taken a chain, or left."""

    def __init__(
        self,
        window: Window,
        messages: Messages,
        chains: Chains,
        goodbyes: Goodbyes,
        heartbeat: int,
        count: Count,
        progress: Signal,
    ) -> None:
        self.waking: asyncio.Task[None] | None = None
        self._all: set[Listener] = set()
        self._window = window
        self._messages = messages
        self._chains = chains
        self._goodbyes = goodbyes
        self._heartbeat = heartbeat
        self._count = count
        self._progress = progress
        self._calls = 0  # of `wake`

    def __iter__(self) -> Iterator[Listener]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @contextmanager
    def add(self, *, is_socket: bool) -> Iterator[Listener]:
        """Count a reader as a listener for as long as the context lasts."""
        listener = Listener(is_socket)
        self._all.add(listener)
        self._count.readers += 1
        try:
            yield listener
        finally:
            self._all.discard(listener)
            self._count.readers -= 1
            self._progress.send()

    def wake(self) -> None:
        """Wake all listeners, a few at a time: there is news, or the server shuts down."""
        self._calls += 1
        if self._all and (self.waking is None or self.waking.done()):
            self.waking = asyncio.create_task(self._wake_all())

    async def listen(
        self, listener: Listener, position: Position | None
    ) -> AsyncGenerator[Message, None]:
        """Yield what a listener at `position` needs, as fast as it asks, to the end."""
        while True:
            listener.news.clear()
            target = self._chains.newest
            if listener.position is None or listener.position is not target:
                for message in self._chains.since(listener.position or position):
                    yield message
                    if self._chains.newest is not target:  # the rest may hold withdrawn words
                        listener.position = position_after(message)
                        break
                else:
                    listener.position, listener.behind_since = target, None
                self._progress.send()
            elif self._window.ended:
                yield self._messages.ended()
                return
            elif self._goodbyes.has_begun:
                yield self._goodbyes.goodbye()
                return
            else:
                # Spread, or all heartbeats would follow at once the news that all got at once.
                silence = self._heartbeat * random.uniform(0.5, 1)  # noqa: S311
                try:
                    async with asyncio.timeout(silence):
                        await listener.news.wait()
                except TimeoutError:
                    yield self._messages.heartbeat()

    async def _wake_all(self) -> None:
        calls = 0
        while calls != self._calls:
            calls, now = self._calls, time.monotonic()
            for count, listener in enumerate(list(self._all), 1):
                if listener.behind_since is None:
                    listener.behind_since = now
                listener.news.set()
                if count % LISTENERS_TOGETHER == 0:
                    await asyncio.sleep(0)
