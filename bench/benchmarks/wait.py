"""How long an editor and a new reader wait while rounds over a large crowd run back to back."""

import random
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench import cpu
from bench.crowd import PER_PROCESS
from bench.figures import percentile
from bench.options import Options
from bench.peers.feedserver import Feedserver
from bench.peers.peer import Setting
from bench.report import Report, Table
from bench.stories import REAL, item
from bench.systems import System, start
from bench.urgent import NICE, favour, urgent
from bench.witness import Witness

CROWD, SHORT_CROWD = PER_PROCESS - 900, 8_000  # readers
AGE = 100  # items before the first: a new reader's snapshot is a full page
WARM_UP = 20  # of each
PAUSE = 0.02  # seconds at most between two: they meet every part of a round
QUIET, MOST = 700, 120_000  # ms: when the crowd has everything, and when it is given up
PERCENTS = (50, 99, 100)

METHOD = f"""\
An editor and a new reader come in turn, with random pauses of up to {PAUSE * 1e3:.0f} ms, first
without readers, then with a crowd. The editor posts an item of {REAL} characters with `Prefer:
respond-async`, over a connection that stays open; the new reader connects, shakes hands, and has
waited until its snapshot is complete. These posts alone keep the server busy with rounds over the
crowd; how busy is measured. "On top" is each time less the median without readers. The client
goes before all others on the load's core (SCHED_FIFO), so that the crowd's own work is not
counted, and the server before other programs on its core (nice {NICE})."""


@dataclass(slots=True)
class Times:
    """Seconds that each took, and the part of a core that the server used meanwhile."""

    post: list[float] = field(default_factory=list)
    join: list[float] = field(default_factory=list)
    busy: float = 0.0


def probe(server: Feedserver, count: int) -> Times:
    """Let an editor and a new reader come so many times each."""
    times, posted = Times(), item(REAL)
    for number in range(WARM_UP + count):
        if number == WARM_UP:
            times, spent, began = Times(), cpu.total(server.pids), time.monotonic()
        times.post.append(_timed_post(server, posted))
        time.sleep(random.uniform(0, PAUSE))
        times.join.append(_timed_join(server))
        time.sleep(random.uniform(0, PAUSE))
    times.busy = (cpu.total(server.pids) - spent) / 1e9 / (time.monotonic() - began)
    return times


def _timed_post(server: Feedserver, posted: dict[str, str]) -> float:
    began = time.monotonic()
    server.post(posted, respond_async=True)
    return time.monotonic() - began


def _timed_join(server: Feedserver) -> float:
    began = time.monotonic()
    reader = Witness(server.ports[0], server.path)
    reader.next("snapshot")
    took = time.monotonic() - began
    reader.close()
    return took


def beside(system: System, count: int) -> tuple[Times, float]:
    """The same beside the crowd; also messages per reader meanwhile. None may be lost."""
    assert isinstance(system.peer, Feedserver)
    system.crowd.await_quiet(QUIET, MOST)
    with urgent():
        times = probe(system.peer, count)
    drained = system.crowd.drained()
    return times, drained.messages / system.crowd.size


def _rows(without: Times, crowded: Times, readers: int) -> tuple[list[list[str]], dict[str, float]]:
    rows, figures = [], dict[str, float]()
    for key, what in {"post": "POST to its answer", "join": "connect to first message"}.items():
        base: list[float] = getattr(without, key)
        loaded: list[float] = getattr(crowded, key)
        middle = percentile(base, 50)
        for label, times, less in (
            (f"{what}, no readers", base, 0.0),
            (f"{what}, {readers:,} readers", loaded, 0.0),
            ("… on top", loaded, middle),
        ):
            points = [1e3 * (percentile(times, percent) - less) for percent in PERCENTS]
            rows.append([label, *(f"{point:.1f}" for point in points)])
        figures |= {f"{key}_p{p}": point for p, point in zip(PERCENTS, points, strict=True)}
    return rows, figures


def run(options: Options) -> Report:
    readers = options.number(options.readers, CROWD, SHORT_CROWD)
    count = options.number(options.messages, 500, 120)
    with ExitStack() as stack:
        system = start("feedserver", Setting(items=AGE), 0, stack)
        assert isinstance(system.peer, Feedserver)
        favoured = favour(system.peer.pids)
        with urgent() as allowed:
            without = probe(system.peer, count)
        system.crowd.open(readers)
        crowded, rounds = beside(system, count)
    rows, figures = _rows(without, crowded, readers)
    table = Table(f"{count} of each", ["ms", "p50", "p99", "slowest"], rows)
    notes = [
        f"""The server used {100 * crowded.busy:.0f} % of its core beside the crowd,
        {100 * without.busy:.0f} % without it; each reader got {rounds:,.0f} messages of
        {WARM_UP + count:,} posts."""
    ]
    if not (allowed and favoured):
        notes.append("Not allowed to go before others (only root is): times may be too long.")
    numbers: dict[str, object] = {"readers": readers, "busy": crowded.busy, "on top, ms": figures}
    return Report("wait", METHOD, [table], numbers, notes)
