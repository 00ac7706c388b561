"""Memory of processes, and of the kernel on their behalf."""

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
STEADY = 64 * 1024  # bytes: two looks that differ by less are one
LOOK = 0.3  # seconds between two looks
LOOKS = 20
ESTABLISHED = "01"


def pss(pids: Iterable[int]) -> int:
    """Proportional set size of these processes, in bytes, from /proc/PID/smaps_rollup."""
    total = 0
    for pid in pids:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
        total += int(found[1]) * 1024 if found else 0
    return total


def settled_pss(pids: Iterable[int]) -> int:
    """Wait until it stays the same (6 s at most), then answer it."""
    pids = list(pids)
    before = pss(pids)
    for _ in range(LOOKS):
        time.sleep(LOOK)
        now = pss(pids)
        if abs(now - before) < STEADY:
            return now
        before = now
    return before


def kernel() -> int:
    """Bytes of slab and of TCP buffers in the whole machine; differences mean something only
    while nothing else opens sockets or files."""
    slab = re.search(r"^Slab:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    stat = Path("/proc/net/sockstat").read_text()
    buffers = re.search(r"^TCP:.* mem (\d+)", stat, re.MULTILINE)
    pages = int(buffers[1]) if buffers else 0
    return (int(slab[1]) * 1024 if slab else 0) + pages * PAGE


def queued(port: int) -> list[int]:
    """Bytes that the kernel holds back per connection of a server on that port, where it holds
    any, from /proc/net/tcp."""
    held = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, queues, *_ = line.split()
        if state == ESTABLISHED and int(local.rpartition(":")[2], 16) == port:
            held.append(int(queues.partition(":")[0], 16))
    return [size for size in held if size]
