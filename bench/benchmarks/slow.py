"""A healthy crowd beside readers that stop reading: nothing of it may move."""

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from bench import memory, peers
from bench.crowd import Crowd, Manner
from bench.errors import BenchError
from bench.figures import percentile
from bench.options import Options
from bench.peers.peer import Setting
from bench.report import Report, Table
from bench.stories import Story, item, typical
from bench.systems import System, start

DEFAULT = ("feedserver", "nchan", "ws", "websockets", "starlette")
STALLED = (0, 1, 10, 100)
TEXT = 8_000  # characters: a stalled socket is full after a few dozen
RECEIVE = 4_096  # bytes of the slow readers' receive buffers
SEGMENT = 1_400  # bytes, as on the internet
FULL = 0.5  # part of what was sent that the kernel may hold: above, no server has noticed yet
DRIP = (200, 100)  # bytes, ms: what a slow phone takes
GAP = 0.005  # seconds between messages

METHOD = f"""\
One system at a time: a healthy crowd, beside it readers that take the handshake and then never
read again, or read {DRIP[0]} bytes every {DRIP[1]} ms. Items of {TEXT:,} characters follow one
another; each must reach the whole healthy crowd before the next is sent. A system that cannot do
that is said to have stopped. A case is an error unless each stalled socket is full for more than
half of the messages. Times are from publishing to the last healthy reader; memory is what the PSS
of the server's processes grew by during the messages."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the healthy crowd saw: ms, and bytes that the server grew by."""

    p50: float
    p99: float
    most: float
    growth: int
    stopped_after: int | None = None


def measure(name: str, healthy: int, beside: int, manner: Manner, messages: int) -> Seen:
    """Messages to a crowd, beside so many readers of another manner."""
    story = Story(item(TEXT), typical(TEXT).message)
    with ExitStack() as stack:
        system = start(name, Setting(), healthy, stack)
        if beside:
            others = Crowd(system.peer.ports, system.peer.path, manner)
            stack.callback(others.stop)
            others.open(beside)
        system.peer.look()
        _warm(system, story)
        before = memory.settled_pss(system.peer.pids)
        times = []
        for number in range(messages):
            try:
                done = system.deliver(story, same_size=False)
            except BenchError:
                return Seen(0, 0, 0, 0, number)
            times.append(done.last * 1e3)
            time.sleep(GAP)
        if manner.stall:
            _check_stalled(system, beside, messages)
        growth = memory.settled_pss(system.peer.pids) - before
    return Seen(percentile(times, 50), percentile(times, 99), max(times), growth)


def _check_stalled(system: System, stalled: int, messages: int) -> None:
    """An error unless so many sockets are full, and have long been."""
    held = [size for size in memory.queued(system.peer.ports[0]) if size > TEXT]
    sent = messages * TEXT
    full = [size for size in held if size < sent * FULL]
    if len(held) > stalled or len(full) < stalled:
        raise BenchError(
            f"{system.name}: {len(held)} of {stalled} stalled sockets hold bytes, {len(full)} are "
            f"full; of {sent} bytes sent the kernel holds up to {max(held, default=0)} for one."
        )


def _warm(system: System, story: Story) -> None:
    """One message: a first one fills pools that stay."""
    system.deliver(story, same_size=False)


def run(options: Options) -> Report:
    healthy = options.number(options.readers, 2000, 500)
    messages = options.number(options.messages, 150, 60)
    names = options.names(DEFAULT[:1] if options.short else DEFAULT)
    stalled = Manner(stall=True, receive=RECEIVE, segment=SEGMENT)
    dripping = Manner(drip=DRIP, receive=RECEIVE, segment=SEGMENT)
    cases = [(f"{n} stalled", n, stalled) for n in STALLED] + [("100 dripping", 100, dripping)]
    columns = [
        "last healthy reader, beside",
        "p50, ms",
        "p99, ms",
        "slowest, ms",
        "memory grew by, KiB",
    ]
    rows, figures = [], dict[str, object]()
    for name in names:
        for label, beside, manner in cases:
            seen = measure(name, healthy, beside, manner, messages)
            figures[f"{name}: {label}"] = asdict(seen)
            rows.append([f"{peers.LABELS[name]}, {label}", *_cells(seen)])
    title = f"{healthy:,} healthy readers, {messages} messages of {TEXT:,} characters"
    return Report("slow", METHOD, [Table(title, columns, rows)], figures)


def _cells(seen: Seen) -> list[str]:
    if seen.stopped_after is not None:
        return [f"stopped after {seen.stopped_after}", "-", "-", "-"]
    times = [f"{time:.1f}" for time in (seen.p50, seen.p99, seen.most)]
    return [*times, f"{seen.growth / 1024:,.0f}"]
