"""When to try again, and for how long. Pure: chance comes in as an argument.

Only what carries the same Idempotency-Key, or changes nothing, is tried again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

TRIES = 5
FIRST_WAIT = 0.2  # seconds; doubles with each try, and is drawn between once and twice that
RETRY_AFTER_MAX = 30.0  # seconds; a server that asks for more is not waited for
_DAY = 24 * 3600  # seconds


def wait_before(try_number: int, retry_after: float | None, chance: float) -> float | None:
    """Return the seconds to wait before another try; None when it is time to give up.

    `try_number` counts the tries made so far, `chance` is from 0 to 1.
    """
    if try_number >= TRIES:
        return None
    jitter = (0.5 + chance / 2) * FIRST_WAIT * 2.0**try_number
    if retry_after is None:
        return jitter
    return retry_after + jitter if retry_after <= RETRY_AFTER_MAX else None


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
