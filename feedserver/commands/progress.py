"""How far long work has come, on a line of its own at a terminal; elsewhere nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY_SECONDS = 0.2


@contextmanager
def shown_progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Yield what shows progress on stderr: what is done, how much of it, of how much."""
    is_shown = not quiet and sys.stderr is not None and sys.stderr.isatty()
    next_at, written = time.monotonic() + EVERY_SECONDS, False

    def show(what: str, done: int, whole: int) -> None:
        nonlocal next_at, written
        if is_shown and (now := time.monotonic()) >= next_at:
            next_at, written = now + EVERY_SECONDS, True
            print(f"\r{what}: {100 * done // max(whole, 1)} %\x1b[K", end="", file=sys.stderr)
            sys.stderr.flush()

    try:
        yield show
    finally:
        if written:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
