"""Several workers over one database: how fast news crosses between them, and what waiting costs."""

import json
import os
import random
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from socket import socket
from typing import TypeVar

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


Place = TypeVar("Place", Witness, Connection)


@dataclass(slots=True)
class Times:
    """Seconds from POST to each of the two."""

    same: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)

    def crossing(self) -> list[float]:
        """How much later the other worker's reader had it, post by post."""
        return [other - same for same, other in zip(self.same, self.other, strict=True)]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two workers, a reader at each, and the editor's connection to the first."""

    pids: tuple[int, int]
    same: Witness
    other: Witness
    newsroom: Connection


def pair(server: Feedserver) -> Pair:
    """Put the workers on one core each, and connect."""
    # The parent only waits for them; it has no connection.
    workers = [pid for pid in server.pids if pid not in {p.pid for p in server.processes}]
    if len(workers) != WORKERS:
        raise BenchError(f"There are {len(workers)} workers, not {WORKERS}: {server.pids}")
    first, second = workers
    for pid, core in ((first, server_core()), (second, load_core())):
        for task in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(task), {core})

    def reader() -> tuple[Witness, socket]:
        witness = Witness(server.ports[0], server.path, WAIT)
        witness.next("snapshot")
        return witness, witness.connection

    def newsroom() -> tuple[Connection, socket]:
        connection = Connection(server.ports[0])
        connection.get("/v1/feeds/bench", {})
        return connection, connection.open()

    return Pair(
        (first, second),
        _placed(reader, first, workers),
        _placed(reader, second, workers),
        _placed(newsroom, first, workers),
    )


def _placed(connect: Callable[[], tuple[Place, socket]], pid: int, workers: Sequence[int]) -> Place:
    """Connect until the kernel gives the connection to that worker."""
    for _ in range(TRIES):
        made, connection = connect()
        if owner(connection, workers) == pid:
            return made
        made.close()
    raise BenchError(f"No connection of {TRIES} came to worker {pid}.")


def crossings(server: Feedserver, two: Pair, count: int) -> Times:
    """Post so often, and see when each reader has it."""
    times, body = Times(), json.dumps(item(REAL)).encode()
    headers = server.headers(respond_async=True)
    for number in range(WARM_UP + count):
        if number == WARM_UP:
            times = Times()
        began = time.monotonic()
        two.newsroom.send("POST", server.posts, headers, body)
        arrived = _first_bytes(two)
        times.same.append(arrived[two.same.connection.fileno()] - began)
        times.other.append(arrived[two.other.connection.fileno()] - began)
        version = json.loads(two.newsroom.answer().body)["version"]
        for reader in (two.same, two.other):
            if reader.next("changes").parsed["items"][-1]["version"] != version:
                raise BenchError("A reader was sent another item than the one just posted.")
        time.sleep(random.uniform(0, PAUSE))
    return times


def _first_bytes(two: Pair) -> dict[int, float]:
    """When each reader's socket had something to read."""
    waiting = {two.same.connection.fileno(), two.other.connection.fileno()}
    arrived: dict[int, float] = {}
    while waiting:
        ready, _, _ = select.select(waiting, [], [], WAIT)
        if not ready:
            raise BenchError(f"A reader had no message within {WAIT:.0f} s.")
        arrived |= dict.fromkeys(ready, time.monotonic())
        waiting -= set(ready)
    return arrived


def idle(pids: Sequence[int], seconds: float) -> list[float]:
    """The part of a core that each process takes while nothing happens."""
    time.sleep(1)
    before = [cpu.total([pid]) for pid in pids]
    time.sleep(seconds)
    return [(cpu.total([pid]) - was) / 1e9 / seconds for pid, was in zip(pids, before, strict=True)]


def run(options: Options) -> Report:
    count = options.number(options.messages, 500, 150)
    seconds = SHORT_IDLE if options.short else IDLE
    server = peers.start("feedserver", Setting(workers=WORKERS))
    assert isinstance(server, Feedserver)
    try:
        two = pair(server)
        favoured = favour(server.pids)
        with urgent() as allowed:
            times = crossings(server, two, count)
        busy = idle(two.pids, seconds)
    finally:
        server.stop()
    rows, figures = [], dict[str, object]()
    for label, key, taken in (
        ("POST to the reader of the same worker", "same", times.same),
        ("POST to the reader of the other worker", "other", times.other),
        ("the other's after the first's: the wake-up", "crossing", times.crossing()),
    ):
        points = [1e3 * percentile(taken, percent) for percent in PERCENTS]
        rows.append([label, *(f"{point:.2f}" for point in points)])
        figures[key] = points
    figures["idle"] = busy
    shares = " and ".join(f"{100 * part:.2f} %" for part in busy)
    notes = [f"Idle for {seconds:.0f} s, the workers took {shares} of a core."]
    if not (allowed and favoured):
        notes.append("Not allowed to go before others (only root is): times may be too long.")
    table = Table(f"{count} lone posts", ["ms", "p50", "p99", "slowest"], rows)
    return Report("workers", METHOD, [table], figures, notes)
