"""What the project set out for, beside what was measured last."""

from collections.abc import Callable, Iterator, Mapping

from bench.archive import goals as archive
from bench.goal import Figures, Goal
from bench.report import Report, Table

OURS, DEFLATED, URING = "feedserver", "feedserver-deflate", "feedserver-uring"
CROWD = 100_000


def _ratio(case: str, name: str, base: str) -> Callable[[Figures], tuple[float, str]]:
    """A ratio reaches a goal where its interval does."""

    def read(figures: Figures) -> tuple[float, str]:
        of = figures[case]["systems"][name]["to"][base]
        return of["low"], f"{of['median']:.2f} [{of['low']:.2f}, {of['high']:.2f}]"

    return read


def _user(figures: Figures) -> tuple[float, str]:
    used = figures["frame"]["systems"][OURS]["user_us"]
    return used, f"{used:.2f} µs"


def _memory(figures: Figures) -> tuple[float, str]:
    idle = figures["systems"][OURS]["idle"]
    return idle, f"{idle:,.0f} bytes at {figures['readers']:,} readers"


def _handshake(figures: Figures) -> tuple[float, str]:
    of = figures[OURS]["ms"]
    return of["low"], f"{of['median']:.3f} ms [{of['low']:.3f}, {of['high']:.3f}]"


def _last_of_many(figures: Figures) -> tuple[float, str]:
    of = _many(figures)
    return of["worst"], f"{of['last']:.2f} s; the slowest message {of['worst']:.2f} s"


def _memory_of_many(figures: Figures) -> tuple[float, str]:
    of = _many(figures)
    gib, kernel = of["pss"] / 2**30, of["kernel"] / 2**20
    return gib, f"{gib:.2f} GiB; the kernel's, both ends: {kernel:,.0f} MiB"


def _many(figures: Figures) -> Figures:
    if figures["crowd"] < CROWD:
        raise KeyError("a smaller crowd says nothing about this one")
    of: Figures = figures["many"][OURS]
    return of


def _posts(figures: Figures) -> tuple[float, str]:
    rate = figures["connections-64"]["rate"]
    one = figures["connections-1"]["rate"]
    return rate, f"{rate:,.0f}/s over 64 connections, {one:,.0f}/s over one"


def _burst(figures: Figures) -> tuple[float, str]:
    of = figures["awaited"]
    said = f"{of['rate']:,.0f}/s, {of['items_per_frame']:.0f} items a frame"
    return of["rate"], f"{said}, {figures['readers']:,} readers"


def _waited(key: str) -> Callable[[Figures], tuple[float, str]]:
    def read(figures: Figures) -> tuple[float, str]:
        middle, late, latest = (figures["on top, ms"][f"{key}_p{p}"] for p in (50, 99, 100))
        said = f"p50 {middle:.1f}, p99 {late:.1f}, slowest {latest:.1f} ms"
        return latest, f"{said}, {figures['readers']:,} readers"

    return read


def _crossing(figures: Figures) -> tuple[float, str]:
    middle, late, latest = figures["crossing"]
    return latest, f"p50 {middle:.1f}, p99 {late:.1f}, slowest {latest:.1f} ms"


def _idle(figures: Figures) -> tuple[float, str]:
    shares = [100 * part for part in figures["idle"]]
    return max(shares), " and ".join(f"{share:.2f} %" for share in shares)


def _slow(figures: Figures) -> tuple[float, str]:
    """p50 and memory beside a hundred stalled readers, over those beside none: the larger."""
    alone, beside = (figures[f"{OURS}: {n} stalled"] for n in (0, 100))
    times, grown = beside["p50"] / alone["p50"], beside["growth"] / max(1, alone["growth"])
    said = f"p50 {beside['p50']:.1f} ms and {alone['p50']:.1f} ms; memory {grown:.2f} ×"
    return max(times, grown), said


GOALS = (
    Goal(
        "CPU per delivery, 600-byte frame, over the C floor",
        1.10,
        "≤ 1.10",
        "fan_out",
        _ratio("frame", OURS, "floor"),
    ),
    Goal("the same over Nchan", 0.90, "≤ 0.90", "fan_out", _ratio("frame", OURS, "nchan")),
    Goal("its user-space part", 1.0, "≤ 1.0 µs", "fan_out", _user),
    Goal(
        "CPU per delivery, an item of 530 characters, over the C floor",
        1.10,
        "≤ 1.10",
        "fan_out",
        _ratio("real", OURS, "floor"),
    ),
    Goal("the same over Nchan", 0.90, "≤ 0.90", "fan_out", _ratio("real", OURS, "nchan")),
    Goal(
        "the same item as one shared compressed frame, over the floor's plain one",
        1.15,
        "≤ 1.15",
        "fan_out",
        _ratio("deflate", DEFLATED, "floor"),
    ),
    Goal(
        "stretch, `--io-uring on`: CPU per delivery, 600-byte frame, over the C floor",
        0.95,
        "≤ 0.95",
        "fan_out",
        _ratio("frame", URING, "floor"),
    ),
    Goal("memory per idle reader", 2300, "≤ 2,300 bytes", "memory", _memory),
    Goal("CPU per handshake with a snapshot of ten items", 0.25, "≤ 0.25 ms", "storm", _handshake),
    Goal("100,000 readers: one item to the last", 1.5, "≤ 1.5 s", "growth", _last_of_many),
    Goal("100,000 readers: the servers' memory", 0.6, "≤ 0.6 GiB", "growth", _memory_of_many),
    Goal("durable posts without readers", 1000, "≥ 1,000/s", "publish", _posts, at_least=True),
    Goal("durable posts beside a crowd", None, "reported", "publish", _burst),
    Goal("an editor's POST during rounds, on top, slowest", 20, "≤ 20 ms", "wait", _waited("post")),
    Goal("a new reader during rounds, on top, slowest", 20, "≤ 20 ms", "wait", _waited("join")),
    Goal("news from one worker to another, slowest", 10, "≤ 10 ms", "workers", _crossing),
    Goal("CPU of an idle worker", 0.999, "< 1 %", "workers", _idle),
    Goal(
        "healthy crowd beside 100 stalled readers, and beside none", 1.1, "≤ 1.10 ×", "slow", _slow
    ),
    *archive.GOALS,
)


def table(reports: list[Report]) -> Table:
    """Every goal whose figure is among the reports."""
    return Table(
        "As measured last",
        ["figure", "goal", "measured", "met"],
        list(_rows({r.name: r for r in reports})),
    )


def _rows(reports: Mapping[str, Report]) -> Iterator[list[str]]:
    for goal in GOALS:
        report = reports.get(goal.report)
        try:
            row = goal.row(report.figures if report else {})
        except KeyError:  # not measured, or not in a way that says anything
            row = [goal.what, goal.said, "not measured", "-"]
        if report and report.short and row[2] != "not measured":
            row[2] += " (short run)"
        yield row
