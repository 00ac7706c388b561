"""Times must not grow because something else runs on the machine: those measured go first."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

PRIORITY = 5
NICE = -20  # a server cannot have SCHED_FIFO: while it is busy, the kernel throttles that


@contextmanager
def urgent() -> Iterator[bool]:
    """Run this thread before all others; says whether the system allows that. Start no threads
    and no processes meanwhile: they would inherit it."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except PermissionError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def favour(pids: Iterable[int]) -> bool:
    """Have all threads of these processes go before others; says whether the system allows it."""
    try:
        for pid in pids:
            # Where sessions share the cores evenly, a priority counts only within one.
            group = Path(f"/proc/{pid}/autogroup")
            if group.exists():
                group.write_text(f"{NICE}\n")
            for task in os.listdir(f"/proc/{pid}/task"):
                os.setpriority(os.PRIO_PROCESS, int(task), NICE)
    except PermissionError:
        return False
    return True
