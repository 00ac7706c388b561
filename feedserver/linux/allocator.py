"""The C library's allocator: what long texts took goes back to the system as they are freed."""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD = -3  # of mallopt
LONG_BYTES = 32 * 1024


def return_long_texts() -> None:
    """Have glibc keep what is longer than `LONG_BYTES` apart, in memory of its own.

    By itself it raises that limit up to 32 MiB, and what short-lived objects leave between
    long-lived ones is never returned: a process that has read a few large pages kept twice as much.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return  # another C library
    mallopt(M_MMAP_THRESHOLD, LONG_BYTES)
