"""What the kernel knows of time: how long it runs, and whether its clock is synchronised."""

from __future__ import annotations

import ctypes
import time

from feedserver.model import Millis

_UNSYNCHRONISED = 0x40  # STA_UNSYNC of linux/timex.h
_STATUS = 4 + 4 + 8 + 8 + 8 + 8  # bytes before `status` in struct timex, on machines of 64 bits
_SIZE = 256  # bytes; the struct has 208


def wall_millis() -> Millis:
    """Return the time by this machine's clock."""
    return time.time_ns() // 1_000_000


def boot_millis() -> Millis:
    """Return the time since the machine was started, sleep included: it only runs forward."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def is_synchronised() -> bool:
    """Say whether the kernel's clock is kept right by NTP or PTP; False where nothing tells."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return False
    timex = ctypes.create_string_buffer(_SIZE)  # modes 0: only asked
    if adjtimex(timex) < 0:
        return False
    status = int.from_bytes(timex.raw[_STATUS : _STATUS + 4], "little")
    return not status & _UNSYNCHRONISED
