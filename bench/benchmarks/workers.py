"""Several workers over one database: how fast news crosses between them, and what waiting costs."""

import json
import os
import random
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bench import cpu, peers
from bench.errors import BenchError
from bench.figures import percentile
from bench.http import Connection
from bench.machine import load_core, server_core
from bench.options import Options
from bench.owners import owner
from bench.peers.feedserver import Feedserver
from bench.peers.peer import Setting
from bench.report import Report, Table
from bench.stories import REAL, item
from bench.urgent import NICE, favour, urgent
from bench.witness import Witness

WORKERS = 2
TRIES = 64  # connections until one is at the right worker
WARM_UP = 20  # posts
PAUSE = 0.02  # seconds at most between posts
IDLE, SHORT_IDLE = 20.0, 5.0  # seconds of watching
WAIT = 5.0  # seconds for one message
PERCENTS = (50, 99, 100)

METHOD = f"""\
Two workers, each on its own core, and no load. A post of {REAL} characters (`Prefer:
respond-async`, durable as ever) goes to the first; one reader is at the same worker, one at the
other; who is where is read from /proc. Times are from sending the request to the first byte of
the message, for one client that goes before other programs on its core (SCHED_FIFO); so do the
workers (nice {NICE}). Idle CPU is each worker's schedstat over time in which nothing happens."""


class Line(Protocol):
    """A connection to a worker."""

    def close(self) -> None: ...


@dataclass(slots=True)
class Times:
    """Seconds from POST to each of the two."""

    same: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)

    def crossing(self) -> list[float]:
        """How much later the other worker's reader had it, post by post."""
        return [other - same for same, other in zip(self.same, self.other, strict=True)]


def spread(pids: Sequence[int]) -> None:
    """Put the workers on one core each."""
    for number, pid in enumerate(pids):
        core = (server_core(), load_core())[number % 2]
        for task in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(task), {core})


def reader_at(server: Feedserver, pid: int, workers: Sequence[int]) -> Witness:
    def connect() -> Witness:
        reader = Witness(server.ports[0], server.path, WAIT)
        reader.next("snapshot")
        return reader

    return _placed(connect, lambda reader: owner(reader.connection, workers) == pid)


def newsroom_at(server: Feedserver, pid: int, workers: Sequence[int]) -> Connection:
    def connect() -> Connection:
        connection = Connection(server.ports[0])
        connection.get("/v1/feeds/bench", {})
        return connection

    return _placed(connect, lambda line: owner(line.open(), workers) == pid)


def _placed[T: Line](connect: Callable[[], T], is_right: Callable[[T], bool]) -> T: ...
