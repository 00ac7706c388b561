"""CPU per delivery from a hundred readers to as many as the machine holds."""

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median

from bench import calibrate, cpu, memory, peers
from bench.crowd import PER_PROCESS
from bench.errors import BenchError
from bench.figures import percentile
from bench.options import Options
from bench.peers.peer import Setting
from bench.report import Report, Table
from bench.stories import Story
from bench.systems import in_turn, side_by_side, start

DEFAULT = ("floor", "feedserver", "nchan", "ws")
MANY = ("floor", "feedserver")  # those that can share readers among processes
SIZES = (100, 1_000, 10_000, PER_PROCESS - 100)
SHORT_SIZES = (100, 1_000, 4_000)
CROWD, SHORT_CROWD = 100_000, 24_000  # readers of several processes
PER_WORKER = 17_000  # readers; the kernel's hash does not share them out quite evenly
FRAME = 600  # bytes
AGE = 100  # items: see calibrate
WARM_UP = 2  # messages at least
WARM_UP_DELIVERIES = 3_000  # at least: Node compiles what it does often
DELIVERIES = 50_000  # per size at least, as far as MOST_MESSAGES goes
MOST_MESSAGES = 60

METHOD = """\
As in fan_out, at each number of readers: all systems at once, one message after the other through
each. What a message costs however many read it (an HTTP request, a durable commit) is measured
with one reader; the second table and the plot leave it out. Beyond one process's limit of open
files, one system at a time with several processes on the server's core, readers from several
loopback addresses, load on the other core; "last reader" is the time from publishing to the last
of all of them."""


@dataclass(frozen=True, slots=True)
class Many:
    """Several processes: CPU in µs per delivery, seconds to the last reader, bytes."""

    workers: int
    us: float
    half: float
    last: float
    worst: float
    pss: int
    kernel: int
    opening: float


def measure(names: list[str], readers: int, story: Story, messages: int) -> dict[str, float]:
    """Median µs per delivery of each system, side by side."""
    costs: dict[str, list[float]] = {name: [] for name in names}
    warm_up = max(WARM_UP, min(MOST_MESSAGES, WARM_UP_DELIVERIES // readers))
    with side_by_side(names, Setting(items=AGE), readers) as systems:
        for number in range(warm_up + messages):
            for system in in_turn(systems, number):
                each = system.deliver(story).each / 1000
                if number >= warm_up:
                    costs[system.name].append(each)
    return {name: median(cost) for name, cost in costs.items()}


def measure_many(name: str, readers: int, workers: int, story: Story, messages: int) -> Many:
    kernel = memory.kernel()
    with ExitStack() as stack:
        system = start(name, Setting(items=AGE, workers=workers), 0, stack)
        began = time.monotonic()
        system.crowd.open(readers)
        opening = time.monotonic() - began
        system.peer.look()
        done = [system.deliver(story) for _ in range(WARM_UP + messages)][WARM_UP:]
        cpu.settled(system.peer.pids)
        return Many(
            workers,
            median(one.each for one in done) / 1000,
            median(one.half for one in done),
            median(one.last for one in done),
            percentile([one.last for one in done], 100),
            memory.settled_pss(system.peer.pids),
            memory.kernel() - kernel,
            opening,
        )


def run(options: Options) -> Report:
    names = options.names(DEFAULT)
    story = calibrate.story_of_frame(FRAME, names)
    lines: dict[str, list[tuple[float, float]]] = {peers.LABELS[name]: [] for name in names}
    rows, further = [], []
    alone = measure(names, 1, story, 30 if options.short else MOST_MESSAGES)
    sizes = SHORT_SIZES if options.short else SIZES
    for readers in sizes:
        most = 30 if options.short else MOST_MESSAGES
        messages = options.messages or max(6, min(most, DELIVERIES // readers))
        costs = measure(names, readers, story, messages)
        net = {name: (costs[name] * readers - alone[name]) / (readers - 1) for name in names}
        for name, cost in net.items():
            lines[peers.LABELS[name]].append((readers, cost))
        further.append([f"{readers:,}", *(_against(net, name) for name in names)])
        rows.append([f"{readers:,}", *(f"{costs[name]:.2f}" for name in names)])
    columns = ["readers", *(peers.LABELS[name] for name in names)]
    size = len(story.message)
    rows.insert(0, ["1", *(f"{alone[name]:.2f}" for name in names)])
    tables = [
        Table(f"µs of CPU per delivery, {size} bytes, everything included", columns, rows),
        Table(
            "µs of CPU for each further reader: less a message to one; times the floor",
            columns,
            further,
        ),
    ]
    figures: dict[str, object] = {"one reader": alone, "further": lines, "crowd": _crowd(options)}
    several, notes = _several(options, names, story)
    if several:
        figures["many"] = {name: asdict(of) for name, of in several.items()}
        readers = _crowd(options)
        tables.append(_table(f"{readers:,} readers of several processes", several))
        for name, of in several.items():
            net_of_one = of.us - alone[name] * of.workers / readers
            lines[peers.LABELS[name]].append((readers, net_of_one))
    return Report("growth", METHOD, tables, figures, notes, lines)


def _against(costs: dict[str, float], name: str) -> str:
    """A cost, and how many times the floor's it is."""
    floor = costs.get("floor")
    times = f" ({costs[name] / floor:.2f} ×)" if floor and name != "floor" else ""
    return f"{costs[name]:.2f}{times}"


def _crowd(options: Options) -> int:
    return options.number(options.readers, CROWD, SHORT_CROWD)


def _several(options: Options, names: list[str], story: Story) -> tuple[dict[str, Many], list[str]]:
    """What each system that can do it makes of more readers than one process holds."""
    readers = _crowd(options)
    workers = options.workers or -(-readers // PER_WORKER)
    messages = options.number(options.messages, 7, 3)
    done, notes = dict[str, Many](), list[str]()
    for name in names:
        if name not in MANY:
            continue
        try:
            done[name] = measure_many(name, readers, workers, story, messages)
        except BenchError as error:
            notes.append(f"{peers.LABELS[name]} with {workers} processes: {error}")
    return done, notes


def _table(title: str, several: dict[str, Many]) -> Table:
    columns = ["system", "processes", "µs per delivery", "half of the readers, s", "last reader, s"]
    columns += ["slowest message, s", "PSS in all, MiB", "kernel, MiB", "opening, s"]
    rows = [
        [
            peers.LABELS[name],
            str(of.workers),
            f"{of.us:.2f}",
            f"{of.half:.2f}",
            f"{of.last:.2f}",
            f"{of.worst:.2f}",
            f"{of.pss / 2**20:,.0f}",
            f"{of.kernel / 2**20:,.0f}",
            f"{of.opening:.1f}",
        ]
        for name, of in several.items()
    ]
    return Table(title, columns, rows)
