"""A server process, of which each step is taken only when told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from feedserver.api.access import Tokens
from feedserver.live.hub import Hub
from feedserver.newsroom import Newsroom
from feedserver.rules import Change
from feedserver.sqlite.journal import SQLiteJournal
from feedserver.submission import Submission
from support.records import Opened


@dataclass(eq=False)
class Station:
    """A server process: its open journal, its hub, and how far it has followed."""

    opened: Opened
    stack: AsyncExitStack  # that closes the journal
    hub: Hub
    newsroom: Newsroom
    tokens: Tokens
    changes: AsyncIterator[tuple[Change, ...]]
    followed: int
    backlog: deque[Change] = field(default_factory=deque)
    ticks: int = 0
    editors: dict[asyncio.Task[Any], Submission] = field(default_factory=dict)  # who wait

    async def announce(self, most: int | None = None) -> bool:
        """Tell the hub so many changes; False if there is nothing to tell."""
        if not self.backlog:
            if await self.opened.journal.head() <= self.followed:
                return False
            if isinstance(self.opened.journal, SQLiteJournal):
                self.opened.journal.nudge()  # rather than wait for its next look at the file
            self.backlog.extend(await anext(self.changes))
        count = min(most or len(self.backlog), len(self.backlog))
        part = tuple(self.backlog.popleft() for _ in range(count))
        self.followed = part[-1].sequence
        self.tokens.apply(part)
        self.hub.apply(part)
        return True

    @property
    def is_busy(self) -> bool:
        return any(not task.done() for task in self._works())

    async def beat(self) -> None:
        for one in list(self.hub._channels.values()):
            one.rounds.ended_at = float("-inf")  # however long ago that was
            await one.send_heartbeats(self.ticks)
        self.ticks += 1

    async def end(self) -> None:
        """Stop what runs here beside the journal."""
        running = [*self._works(), *self.hub._loading.values()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _works(self) -> list[asyncio.Task[None]]:
        pairs = [(c.rounds.task, c.listeners.waking) for c in self.hub._channels.values()]
        return [task for pair in pairs for task in pair if task is not None]
