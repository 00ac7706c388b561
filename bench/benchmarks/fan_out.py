"""CPU per delivered message, side by side, as a ratio to the C floor."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

from bench import calibrate, cpu, peers
from bench.cpu import Cpu
from bench.errors import BenchError
from bench.figures import Figure, figure
from bench.options import Options
from bench.peers.peer import Setting
from bench.report import Report, Table
from bench.stories import REAL, Story
from bench.systems import in_turn, side_by_side

FRAME = 600  # bytes of payload
WARM_UP = 3  # messages per batch that do not count
AGE = 100  # items before the first: see calibrate
PLAIN = (
    "floor",
    "feedserver",
    "nchan",
    "feedserver-uring",
    "feedserver-single",
    "floor-send",
    "ws",
    "picows",
    "websockets",
    "starlette",
)
DEFLATED = (
    "floor",
    "feedserver-deflate",
    "nchan-deflate",
    "websockets-deflate",
    "starlette-deflate",
)
SHORT = 4  # of each list, but for the frame: in a short run

METHOD = """\
All systems of a batch run at once, each with its own readers; its server is pinned to one core,
all load to another. A message goes through the systems one after the other, each round beginning
with the next one. CPU is read from schedstat of every thread once the server sleeps, before the
message and after the last reader has it. A batch's ratio is the median over its messages of (CPU
of the system / CPU of the floor for the same message); the figure is the median over fresh
batches with its order-statistic interval. A batch in which a reader misses a message, gets one
twice or gets another number of bytes is an error. User-space µs come from tick-sampled
proportions over all messages: the total is exact, the split is not. On loopback the receiver's
kernel work is in the sender's account."""


@dataclass(slots=True)
class Costs:
    """Of one system: µs per delivery of each message, by batch."""

    batches: list[list[float]] = field(default_factory=list)
    cpu: Cpu = cpu.NOTHING

    def all(self) -> list[float]:
        return [cost for batch in self.batches for cost in batch]

    def ratio(self, base: "Costs") -> Figure:
        return figure(
            [
                median(mine / its for mine, its in zip(batch, other, strict=True))
                for batch, other in zip(self.batches, base.batches, strict=True)
            ]
        )


def measure(
    names: Sequence[str], story: Story, readers: int, batches: int, messages: int
) -> dict[str, Costs]:
    """Run paired batches of one story."""
    costs: defaultdict[str, Costs] = defaultdict(Costs)
    for _ in range(batches):
        with side_by_side(names, Setting(items=AGE), readers) as systems:
            for name in names:
                costs[name].batches.append([])
            for number in range(WARM_UP + messages):
                for system in in_turn(systems, number):
                    # Ours are compressed for readers who ask: their frames are shorter.
                    done = system.deliver(story, same_size=not system.peer.deflates)
                    if number >= WARM_UP:
                        costs[system.name].batches[-1].append(done.each / 1000)
                        costs[system.name].cpu += done.cpu
    return dict(costs)


def table(title: str, costs: dict[str, Costs]) -> Table:
    floor = costs["floor"]
    nchan = costs.get("nchan")
    columns = ["system", "µs per delivery", "user", "kernel", "ratio to the floor"]
    columns += ["ratio to Nchan"] if nchan else []
    rows = []
    for name, cost in costs.items():
        each = median(cost.all())
        user = each * cost.cpu.user_share
        row = [peers.LABELS[name], f"{each:.2f}", f"{user:.2f}", f"{each - user:.2f}"]
        row.append(str(cost.ratio(floor)))
        rows.append([*row, str(cost.ratio(nchan))] if nchan else row)
    return Table(title, columns, rows)


def numbers(costs: dict[str, Costs]) -> dict[str, object]:
    return {
        name: {
            "us": median(cost.all()),
            "user_us": median(cost.all()) * cost.cpu.user_share,
            "to": {base: asdict(cost.ratio(of)) for base, of in costs.items()},
            "batches": cost.batches,
        }
        for name, cost in costs.items()
    }


def run(options: Options) -> Report:
    readers = options.number(options.readers, 5000, 2000)
    batches = options.number(options.batches, 7, 3)
    messages = options.number(options.messages, 24, 8)
    plain, deflated = options.names(PLAIN), [] if options.systems else list(DEFLATED)
    if options.systems and any(name.endswith("-deflate") for name in plain):
        plain, deflated = [], ["floor", *(n for n in plain if n.endswith("-deflate"))]
    if plain and "floor" not in plain:
        raise BenchError("The floor must be among the systems: all is measured against it.")
    tables, figures, missing = [], dict[str, object](), list[str]()
    for key, names, story in _cases(plain, deflated, short=options.short):
        try:
            costs = measure(names, story, readers, batches, messages)
        except BenchError as error:
            if key != "deflate":
                raise
            missing.append(f"Not measured under compression: {error}")
            continue
        what = {"frame": "a 600-byte frame", "real": f"an item of {REAL} characters of text"}
        title = what.get(key, "the same item, readers that offer compression")
        size = len(story.message)
        tables.append(table(f"{title} ({size} bytes), {readers:,} readers each", costs))
        figures[key] = {"bytes": size, "readers": readers, "systems": numbers(costs)}
    notes = [f"{batches} batches of {messages} messages; intervals: {_sure(batches)} confidence."]
    if "deflate" in figures:
        notes.append("Under compression the floor still sends its plain frame.")
    return Report("fan_out", METHOD, tables, figures, notes + missing)


def _cases(
    plain: Sequence[str], deflated: Sequence[str], *, short: bool
) -> list[tuple[str, list[str], Story]]:
    cases, most = [], SHORT if short else None
    if plain:
        cases.append(("frame", list(plain), calibrate.story_of_frame(FRAME, plain)))
        real = list(plain[:most])
        cases.append(("real", real, calibrate.story_of_text(REAL, real)))
    if deflated:
        packed = list(deflated[:most])
        cases.append(("deflate", packed, calibrate.story_of_text(REAL, packed)))
    return cases


def _sure(batches: int) -> str:
    return f"{100 * figure([0.0] * batches).confidence:.1f} %"
