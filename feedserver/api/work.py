"""Long work for readers: one at a time, once for all who ask, and only so much of it waiting.

A reader may ask for what takes long to make. Whoever asks for the same waits for the same work;
other work waits in its lane, and what finds a lane full, or waits too long, is told to come back.
So no crowd of strangers takes more than one core's share from the rest, or the memory for more than
one answer under way in each lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from feedserver.errors import Unavailable

T = TypeVar("T")

WAIT_SECONDS = 5.0  # that work may wait for its turn
NEWEST_MAX = 256  # newest pages that wait: each takes milliseconds
ARCHIVE_MAX = 32  # older pages, searches, histories that wait


@dataclass(slots=True)
class Lane:
    """Work of one kind: one piece at a time, at most `waiting_max` others waiting."""

    waiting_max: int
    waiting: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Work:
    """What one process is making for readers."""

    def __init__(self) -> None:
        self.newest = Lane(NEWEST_MAX)  # what most readers ask for, and what is made in a moment
        self.archive = Lane(ARCHIVE_MAX)
        self.search = Lane(ARCHIVE_MAX)
        self.sitemap = Lane(ARCHIVE_MAX)  # which reads in many turns of the archive's lane
        self.checks = Lane(ARCHIVE_MAX)  # of editors' drafts
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}

    async def once(self, lane: Lane, name: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return what `make` makes, in its turn, or what it is making under this name already.

        Raises Unavailable.
        """
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.create_task(self.run(lane, make))
            task.add_done_callback(partial(self._end, name))
        # Shielded: the others still wait for the answer when this caller is cancelled.
        made: T = await asyncio.shield(task)
        return made

    async def run(self, lane: Lane, make: Callable[[], Awaitable[T]]) -> T:
        """Return what `make` makes, in its turn. Raises Unavailable."""
        if lane.waiting >= lane.waiting_max:
            raise _too_much()
        lane.waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await lane.turn.acquire()
        except TimeoutError:
            raise _too_much() from None
        finally:
            lane.waiting -= 1
        try:
            return await make()
        finally:
            lane.turn.release()

    def _end(self, name: Hashable, task: asyncio.Task[Any]) -> None:
        del self._under_way[name]
        if not task.cancelled():
            task.exception()  # that nobody may be left to see


def _too_much() -> Unavailable:
    return Unavailable("too much is being asked for at the moment; try again in a few seconds")
