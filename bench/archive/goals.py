"""What the project set out for in archives, erasures, and in what strangers may ask."""

from collections.abc import Callable

from bench.goal import Figures, Goal
from bench.peers.reference import COMMIT

ARCHIVE = 1_000_000  # items
FEEDS = 500


def _part(figures: Figures, name: str, items: int = ARCHIVE) -> Figures:
    """The figures of a part of `archive`; of a smaller archive they say nothing."""
    if figures["items"] < items:
        raise KeyError("a smaller archive says nothing about this one")
    of: Figures = figures[name]
    return of


def _worst_of(what: str) -> Callable[[Figures], tuple[float, str]]:
    """The ratio of the time and that of the CPU: the larger."""

    def read(figures: Figures) -> tuple[float, str]:
        times, work = (_part(figures, "costs")[what][key] for key in ("time", "cpu"))
        said = f"time {times['median']:.2f} [{times['low']:.2f}, {times['high']:.2f}]"
        said += f", CPU {work['median']:.2f} [{work['low']:.2f}, {work['high']:.2f}]"
        return max(times["median"], work["median"]), said

    return read


def _posts_over(connections: str) -> Callable[[Figures], tuple[float, str]]:
    def read(figures: Figures) -> tuple[float, str]:
        of = figures["posts"][connections]["ratio"]
        return of["median"], f"{of['median']:.2f} [{of['low']:.2f}, {of['high']:.2f}]"

    return read


def _bytes(figures: Figures) -> tuple[float, str]:
    each = _part(figures, "size")["each"]
    return each, f"{each:,.0f} bytes"


def _ready(figures: Figures) -> tuple[float, str]:
    seconds = _part(figures, "size")["ready"]
    return seconds, f"{seconds:.2f} s"


def _strangers(key: str) -> Callable[[Figures], tuple[float, str]]:
    def read(figures: Figures) -> tuple[float, str]:
        worst = _part(figures, "strangers")["worst"][key]
        return worst["ratio"], f"{worst['ratio']:.2f} ×, {worst['of']}"

    return read


def _on_top(verb: str) -> Callable[[Figures], tuple[float, str]]:
    def read(figures: Figures) -> tuple[float, str]:
        ms = 1e3 * _part(figures, "erasure")[verb]["on_top"]
        return ms, f"{ms:.1f} ms"

    return read


def _purged(verb: str) -> Callable[[Figures], tuple[float, str]]:
    def read(figures: Figures) -> tuple[float, str]:
        of = _part(figures, "erasure")[f"{verb} beside full work"]
        return of["done"], f"{of['done']:.1f} s"

    return read


def _keys(figures: Figures) -> tuple[float, str]:
    ms = 1e3 * _part(figures, "erasure")["keys"]
    return ms, f"{ms:.1f} ms"


def _feeds(figures: Figures) -> tuple[float, str]:
    of = figures["feeds"]
    if of["feeds"] < FEEDS:
        raise KeyError("fewer feeds say nothing about so many")
    return of["growth"], f"{of['growth']:,.0f} MB"


GOALS = (
    *(
        Goal(f"{what}, at 1,000,000 items over 1,000", 1.5, "≤ 1.5 ×", "archive", _worst_of(what))
        for what in ("post", "first page, not kept", "one item", "history")
    ),
    Goal(
        "search of a rare word over the first page, 1,000,000 items",
        1.5,
        "≤ 1.5 ×",
        "archive",
        _worst_of("search of a rare word over the page"),
    ),
    Goal(
        "search of the commonest word over the first page",
        5,
        "≤ 5 ×",
        "archive",
        _worst_of("search of the commonest word over the page"),
    ),
    Goal("bytes in all files for an item", 1_400, "≤ 1,400", "archive", _bytes),
    Goal("start to ready, 1,000,000 items", 1, "≤ 1 s", "archive", _ready),
    *(
        Goal(
            f"durable posts over {connections}, against {COMMIT}",
            1.0,
            "no fewer",
            "archive",
            _posts_over(key),
            at_least=True,
        )
        for key, connections in (("64", "64 connections"), ("1", "one connection"))
    ),
    *(
        Goal(
            f"4 strangers asking for the worst, over /healthz: {what}",
            3,
            "≤ 3 ×",
            "archive",
            _strangers(key),
        )
        for key, what in (("news", "post to reader"), ("item", "GET of an item"))
    ),
    *(
        goal
        for verb in ("kill", "redact")
        for goal in (
            Goal(
                f"{verb} at 1,000,000 items: longest wait of another's post, on top",
                50,
                "≤ 50 ms",
                "archive",
                _on_top(verb),
            ),
            Goal(
                f"{verb} beside full work: words gone, the index's included",
                60,
                "≤ 60 s",
                "archive",
                _purged(verb),
            ),
        )
    ),
    Goal("keys of 201 revisions destroyed", 10, "≤ 10 ms", "archive", _keys),
    Goal(
        "500 feeds of 120 items of 60 KB touched once: memory's growth",
        150,
        "≤ 150 MB",
        "archive",
        _feeds,
    ),
)
