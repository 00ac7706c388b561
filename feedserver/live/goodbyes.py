"""How readers are told to leave: close codes, and when to come back."""

from __future__ import annotations

import random
from collections.abc import Callable

from feedserver.live.messages import Message, Messages

CLOSE_RESTART = 1012
CLOSE_FULL = 1013
CLOSE_NO_FEED = 4404
CLOSE_ENDED = 4410

RETRY_MS = (500, 5_000)  # range of `retry_ms` for a small crowd …
RETRY_MS_PER_READER = 1  # … by which each reader extends it,
RETRY_MS_MAX = 30_000  # up to this


class Goodbyes:
    """Makes the goodbyes of one feed, each with a `retry_ms` of its own.

    The larger the crowd that has to come back, the longer the time over which it is spread.
    """

    def __init__(self, messages: Messages, readers: Callable[[], int]) -> None:
        self._messages = messages
        self._readers = readers
        self._leaving: int | None = None  # how many the server says goodbye to; None: it does not
        self._rejected = 0  # readers rejected of late: they come back too

    @property
    def has_begun(self) -> bool:
        """Whether the server shuts down and says goodbye to all."""
        return self._leaving is not None

    def begin(self, crowd: int) -> None:
        """Say goodbye to a crowd of so many, however few of them are still connected."""
        self._leaving = crowd

    def rejection(self) -> Message:
        """Make the goodbye for one more reader that finds no room."""
        self._rejected += 1
        return self.goodbye()

    def goodbye(self) -> Message:
        """Make the goodbye for a reader that has to leave."""
        return self._messages.goodbye(self.retry_ms())

    def retry_ms(self) -> int:
        """Draw the milliseconds after which a reader comes back."""
        low, high = RETRY_MS
        # Not counted anew for each goodbye: the last ones would all be told to come back soon.
        crowd = (self._readers() if self._leaving is None else self._leaving) + self._rejected
        spread = min(high + crowd * RETRY_MS_PER_READER, RETRY_MS_MAX)
        return random.randint(low, spread)  # noqa: S311

    def forget_half(self) -> None:
        """Count half of those that were rejected; to be called once a second."""
        self._rejected //= 2
