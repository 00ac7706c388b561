"""Bytes of the server's own memory per idle reader, and of the kernel's."""

import time
from contextlib import ExitStack
from dataclasses import dataclass

from bench import calibrate, cpu, memory, peers
from bench.crowd import PER_PROCESS
from bench.figures import slope
from bench.options import Options
from bench.peers.peer import Setting
from bench.report import Report, Table
from bench.stories import REAL, Story
from bench.systems import start

DEFAULT = ("floor", "feedserver", "nchan", "ws", "picows", "websockets", "starlette")
COMPRESSED = ("feedserver-deflate", "starlette-deflate")
WARM_UP = 200  # readers that come and go first, so that pools and caches are filled
STEPS = (0.1, 0.25, 0.5, 0.75, 1.0)  # parts of all readers
IDLE = 3.0  # seconds of watching the CPU of an idle server
NEWS = 3  # messages to all, after which it is measured again

METHOD = """\
One system at a time. Some readers come and go, then readers are opened in steps and left idle;
once it stays the same, the PSS of all the server's processes is read from smaps_rollup. "Per
reader" is its growth over all readers; the slope is the least-squares one over the steps. Then a
few messages go to everybody, and it is read again. Kernel memory is what slab and TCP buffers of
the whole machine grew by: both ends of each connection, the load client's too."""


@dataclass(frozen=True, slots=True)
class Grown:
    """Bytes per reader; `empty` is the server's PSS with no readers, `busy` the part of a core that
    it takes while nothing is published."""

    empty: int
    idle: float
    slope: float
    after_news: float
    kernel: float
    busy: float
    points: list[tuple[int, int]]


def measure(name: str, readers: int, story: Story) -> Grown:
    with ExitStack() as stack:
        system = start(name, Setting(), WARM_UP, stack)
        system.crowd.close()
        system.peer.look()
        pids = system.peer.pids
        empty, kernel = memory.settled_pss(pids), memory.kernel()
        points = []
        for part in STEPS:
            system.crowd.open(round(readers * part) - system.crowd.size)
            points.append((system.crowd.size, memory.settled_pss(pids)))
        grown = memory.kernel() - kernel
        before = cpu.total(pids)
        time.sleep(IDLE)
        busy = (cpu.total(pids) - before) / 1e9 / IDLE
        for _ in range(NEWS):
            system.deliver(story, same_size=False)
        after = memory.settled_pss(pids)
        return Grown(
            empty,
            (points[-1][1] - empty) / readers,
            slope(points),
            (after - empty) / readers,
            grown / readers,
            busy,
            points,
        )


def run(options: Options) -> Report:
    readers = min(options.number(options.readers, PER_PROCESS, 5000), PER_PROCESS)
    names = options.names(DEFAULT[:4] if options.short else (*DEFAULT, *COMPRESSED))
    story = calibrate.story_of_text(REAL, names)
    grown = {name: measure(name, readers, story) for name in names}
    columns = ["system", "empty, MiB", "bytes per idle reader", "slope"]
    columns += ["after news", "kernel, both ends", "idle CPU, %"]
    rows = [
        [
            peers.LABELS[name],
            f"{of.empty / 2**20:.1f}",
            f"{of.idle:,.0f}",
            f"{of.slope:,.0f}",
            f"{of.after_news:,.0f}",
            f"{of.kernel:,.0f}",
            f"{100 * of.busy:.2f}",
        ]
        for name, of in grown.items()
    ]
    table = Table(f"{readers:,} idle readers", columns, rows)
    figures: dict[str, object] = {
        name: {
            "empty": of.empty,
            "idle": of.idle,
            "slope": of.slope,
            "after_news": of.after_news,
            "kernel": of.kernel,
            "busy": of.busy,
            "points": of.points,
        }
        for name, of in grown.items()
    }
    return Report("memory", METHOD, [table], {"readers": readers, "systems": figures})
