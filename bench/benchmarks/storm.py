"""CPU per handshake when many readers come at once, first snapshot included."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from statistics import median

from bench import calibrate, cpu, peers
from bench.errors import BenchError
from bench.figures import Figure, figure
from bench.options import Options
from bench.peers.peer import Setting
from bench.report import Report, Table
from bench.systems import System, frame_size, in_turn, side_by_side

DEFAULT = ("floor", "feedserver", "nchan", "ws", "picows", "websockets", "starlette")
ITEMS = 10  # in the first snapshot
WARM_UP = 2  # waves that do not count
SLACK = 64  # bytes: a snapshot's cursors and times differ in length

METHOD = """\
All systems of a batch run at once and take each wave of readers in turn. A wave connects, 64
handshakes at a time, and ends when each reader has its first message: for us the snapshot of ten
items as a new reader gets it, for the others a fixed text of the same length. CPU of the server
is read before and after the wave, and again after all have said goodbye. The figure is the median
over fresh batches of the batch's median wave. The client's connect() pays for the kernel's part
of the TCP handshake, the same for all."""


@dataclass(slots=True)
class Waves:
    """ms of CPU per reader, by batch; readers per second of wall time."""

    coming: list[list[float]] = field(default_factory=list)
    going: list[list[float]] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)

    def each(self, which: list[list[float]]) -> Figure:
        return figure([median(batch) for batch in which])


def wave(system: System, readers: int, greeting: int) -> tuple[float, float, float]:
    """ms of CPU per reader that comes, per one that goes, and readers per second."""
    before = cpu.settled(system.peer.pids)
    opened = system.crowd.open(readers)
    come = cpu.settled(system.peer.pids)
    if opened.bytes / readers < greeting - SLACK:
        raise BenchError(
            f"{system.name} greets with {opened.bytes / readers:.0f} bytes, not {greeting}."
        )
    system.crowd.close()
    gone = cpu.settled(system.peer.pids)
    each = 1e-6 / readers
    coming, going = (come - before).total * each, (gone - come).total * each
    return coming, going, readers / opened.took


def run(options: Options) -> Report:
    readers = options.number(options.readers, 1000, 500)
    batches = options.number(options.batches, 7, 3)
    waves = options.number(options.messages, 5, 3)
    names = options.names(DEFAULT)
    text = calibrate.snapshot(ITEMS, names)
    done: defaultdict[str, Waves] = defaultdict(Waves)
    for _ in range(batches):
        with side_by_side(names, Setting(ITEMS, text), 0) as systems:
            for name in names:
                done[name].coming.append([])
                done[name].going.append([])
            for number in range(WARM_UP + waves):
                for system in in_turn(systems, number):
                    coming, going, rate = wave(system, readers, frame_size(text))
                    if number >= WARM_UP:
                        done[system.name].coming[-1].append(coming)
                        done[system.name].going[-1].append(going)
                        done[system.name].rate.append(rate)
    columns = ["system", "ms CPU per handshake", "per CPU second", "ms CPU per goodbye"]
    columns += ["readers/s, wall"]
    rows, figures = [], dict[str, object]()
    for name, of in done.items():
        coming_, going_ = of.each(of.coming), of.each(of.going)
        rows.append(
            [
                peers.LABELS[name],
                f"{coming_.median:.3f} [{coming_.low:.3f}, {coming_.high:.3f}]",
                f"{1000 / coming_.median:,.0f}",
                f"{going_.median:.3f}",
                f"{median(of.rate):,.0f}",
            ]
        )
        figures[name] = {"ms": asdict(coming_), "goodbye_ms": asdict(going_), "rate": of.rate}
    title = f"Waves of {readers:,} readers, first message of {len(text.encode()):,} bytes"
    notes = [f"{batches} batches of {waves} waves."]
    return Report("storm", METHOD, [Table(title, columns, rows)], figures, notes)
