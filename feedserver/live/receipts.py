"""Receipts: how many readers took a change, and how long that took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from feedserver.live.chains import Chains
from feedserver.live.listeners import Listeners
from feedserver.live.readers import Position
from feedserver.live.rounds import Cohorts, Rounds
from feedserver.live.waiting import Signal

CAUGHT_UP_SECONDS = 0.25  # a listener that was caught up so long ago is waited for


@dataclass(frozen=True, slots=True)
class Receipt:
    """How far a change got: `took` of `readers` in `ms` milliseconds."""

    took: int
    readers: int
    ms: int


class Receipts:
    """Waits until the readers of a feed have taken a change, and counts them."""

    def __init__(
        self,
        chains: Chains,
        cohorts: Cohorts,
        listeners: Listeners,
        rounds: Rounds,
        progress: Signal,
        readers: Callable[[], int],
    ) -> None:
        self._chains = chains
        self._cohorts = cohorts
        self._listeners = listeners
        self._rounds = rounds
        self._progress = progress
        self._readers = readers
        self._lowest = 0  # sequence of the listeners that are waited for, …
        self._lowest_of: tuple[int, Position] | None = None  # … as of this progress and position

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
        return Receipt(self._count_at(sequence), self._readers(), elapsed)

    def _is_delivered(self, sequence: int) -> bool:
        if self._rounds.completed.sequence < sequence:
            return False
        state = self._progress.count, self._chains.newest
        if self._lowest_of != state:
            self._lowest, self._lowest_of = self._find_lowest(), state
        return self._lowest >= sequence

    def _find_lowest(self) -> int:
        # A listener that has been behind for longer, or has not begun, is not waited for.
        lately = time.monotonic() - CAUGHT_UP_SECONDS
        waited_for = [
            one.position.sequence
            for one in self._listeners
            if one.position is not None and (one.behind_since is None or one.behind_since > lately)
        ]
        return min(waited_for, default=self._chains.newest.sequence)

    def _count_at(self, sequence: int) -> int:
        """Count the readers that have come as far as this."""
        counts = [(cohort.position, len(cohort.readers)) for cohort in self._cohorts] + [
            (listener.position, 1) for listener in self._listeners
        ]
        return sum(
            count for position, count in counts if position and position.sequence >= sequence
        )
