"""The time that news is stamped with: the machine's clock, unless it has just made a step.

A clock that runs a year ahead for a minute would file the news of that minute above all that
follows, for a year. So wall time is watched against time that only runs forward. While they differ
by more than minutes, stamps go on as if there had been no step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from feedserver.model import Millis

log = logging.getLogger("feedserver.clock")

STEP_MAX: Millis = 120_000  # that wall time may differ from time that only runs forward
SETTLED: Millis = 600_000  # without another step, after which a clock that came back is trusted


class Clock:
    """Tells the time in milliseconds. `step` says by how much wall time is not trusted."""

    def __init__(
        self,
        wall: Callable[[], Millis],
        since_boot: Callable[[], Millis],
        is_synchronised: Callable[[], bool],
        newest: Millis = 0,
    ) -> None:
        """`newest` is when the newest record was made: time does not run back behind it."""
        self._wall = wall
        self._since_boot = since_boot
        self._is_synchronised = is_synchronised
        self._newest = newest
        self._boot_at = max(wall(), newest - STEP_MAX) - since_boot()  # what is trusted
        self._distrusted: Millis | None = None  # the wall's own idea of it, since `_stepped_at`
        self._stepped_at: Millis = 0
        self.now()

    @property
    def step(self) -> Millis:
        """How far wall time is ahead of the time that is told; 0 while it is trusted."""
        return 0 if self._distrusted is None else self._distrusted - self._boot_at

    def now(self) -> Millis:
        """Return the time."""
        running = self._since_boot()
        by_wall = self._wall() - running
        if abs(by_wall - self._boot_at) <= STEP_MAX:
            if self._distrusted is not None:
                log.warning("the clock is right again")
            self._boot_at, self._distrusted = by_wall, None
        elif self._distrusted is None or abs(by_wall - self._distrusted) > STEP_MAX:
            self._distrusted, self._stepped_at = by_wall, running
            log.error(
                "the clock made a step of %+d s; news is stamped without it until the clock is "
                "synchronised (or: feedserver check --accept-clock)",
                self.step // 1000,
            )
            self._settle(running)
        else:
            self._settle(running)
        return self._boot_at + running

    def note(self, at: Millis) -> None:
        """Remember when the newest record was made."""
        self._newest = max(self._newest, at)

    def accept(self) -> None:
        """Trust wall time as it is: the operator says so."""
        self._boot_at, self._distrusted = self._wall() - self._since_boot(), None
        log.warning("the clock is taken as it is")

    def _settle(self, running: Millis) -> None:
        """Trust wall time again where there is a reason for it."""
        by_wall = self._distrusted
        assert by_wall is not None
        told, asked = self._boot_at + running, by_wall + running
        is_settled = running - self._stepped_at >= SETTLED
        comes_back = abs(asked - self._newest) < abs(told - self._newest)
        if self._is_synchronised() or (is_settled and comes_back):
            log.warning("the clock is trusted again, with a step of %+d s", self.step // 1000)
            self._boot_at, self._distrusted = by_wall, None
