"""One deadline around everything that an exchange does, however slowly its bytes come in."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class _Over(BaseException):
    """The time is over. No library takes it for an error of its own, and swallows it."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise TimeoutError once what runs inside has taken so long. For the main thread."""

    def ring(*_: object) -> None:
        raise _Over

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    except _Over:
        raise TimeoutError(f"not done in {seconds:g} s") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
