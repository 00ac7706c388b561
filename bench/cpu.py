"""CPU time of processes, exact to the nanosecond while they sleep."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SETTLE = 0.002  # seconds between two looks
SETTLED = 30_000  # ns: two looks that differ by less find the server asleep
LOOKS = 50
TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cpu:
    """Nanoseconds of CPU since the start. `user` and `system` are sampled by the tick (4 ms or
    so), so only their proportion over many messages means something; `total` is exact."""

    total: int
    user: int
    system: int

    def __sub__(self, before: "Cpu") -> "Cpu":
        return Cpu(self.total - before.total, self.user - before.user, self.system - before.system)

    def __add__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.total + other.total, self.user + other.user, self.system + other.system)

    @property
    def user_share(self) -> float:
        """Part of the time spent in user space, 0 to 1."""
        return self.user / max(1, self.user + self.system)


NOTHING = Cpu(0, 0, 0)


def total(pids: Iterable[int]) -> int:
    """CPU of all threads of these processes, in ns, from /proc/PID/task/TID/schedstat."""
    spent = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                spent += int(file.read().split()[0])
    return spent


def read(pids: Iterable[int]) -> Cpu:
    """CPU of these processes now; wait with `settled` first for an exact figure."""
    user = system = 0
    pids = list(pids)
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        user += int(fields[11]) * TICK
        system += int(fields[12]) * TICK
    return Cpu(total(pids), user, system)


def settled(pids: Iterable[int]) -> Cpu:
    """Wait until the processes have gone to sleep (100 ms at most), then read."""
    pids = list(pids)
    before = total(pids)
    for _ in range(LOOKS):
        time.sleep(SETTLE)
        now = total(pids)
        if now - before < SETTLED:
            break
        before = now
    return read(pids)
