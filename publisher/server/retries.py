"""When to try again, and for how long. Pure: chance comes in as an argument.

Only what carries the same Idempotency-Key, or changes nothing, is tried again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

TRIES = 5  # of what is only read, and can be asked for again; an edit is tried while time is left
TRY_SECONDS = 10.0  # the most that one try takes, so that one that hangs leaves time for another
FIRST_WAIT = 0.2  # seconds; doubles with each try, and is drawn between once and twice that
WAIT_MAX = 3.2  # seconds; a server that is back is found soon
_DAY = 24 * 3600  # seconds


def wait_before(
    try_number: int, retry_after: float | None, chance: float, left: float
) -> float | None:
    """Return the seconds to wait before another try; None when it is time to give up.

    `try_number` counts the tries made so far, `chance` is from 0 to 1, `left` are the seconds that
    are left for all that follows.
    """
    jitter = (0.5 + chance / 2) * min(WAIT_MAX, FIRST_WAIT * 2.0 ** min(try_number, 10))
    wait = jitter + (retry_after or 0.0)
    return wait if wait < left else None


def read_retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Read a Retry-After header, seconds or a date, as seconds from now; None if it is neither."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        then = parsedate_to_datetime(text)
        if then.tzinfo is None:
            then = then.replace(tzinfo=UTC)
        return max(0.0, (then - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, OverflowError):
        return None


def tries(number: int) -> str:
    """Say how many tries."""
    return "1 try" if number == 1 else f"{number} tries"


def duration(seconds: float) -> str:
    """Say how long, as far as anybody would wait for it."""
    return f"{seconds:.0f} s" if seconds <= _DAY else "more than a day"
