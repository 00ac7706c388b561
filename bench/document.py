"""Write docs/performance.md and its plot from the reports that were kept last."""

from pathlib import Path

from bench import goals, machine, plot
from bench.errors import BenchError
from bench.machine import LOAD
from bench.places import BENCH, DOCUMENT, PLOT, REPORTS, ROOT
from bench.report import Report

ORDER = (
    *("fan_out", "memory", "storm", "growth", "publish", "wait"),
    *("workers", "slow", "wire", "archive"),
)
TITLES = {
    "fan_out": "Fan-out: CPU per delivered message",
    "memory": "Memory per idle reader",
    "storm": "Connect storms: handshakes and first snapshots",
    "publish": "Publishing: durable posts, and from POST to the last reader",
    "wait": "Waiting while rounds are under way",
    "workers": "Several workers: news between them, and idle cost",
    "growth": "Growth: CPU per delivery from a hundred readers on",
    "slow": "Slow readers beside a healthy crowd",
    "wire": "Bytes on the wire",
    "archive": "Archives: what a newsroom's age costs",
}
INTRODUCTION = """\
# Performance

<!-- Written by `python -m bench all` (or `document`); change bench/, not this page. -->

What the server costs, measured side by side with others on one machine by
[`bench/`](../bench/README.md). `make bench` runs the short version of everything and writes this
page anew. Ratios within one run mean more than absolute figures, which differ between machines.
"""
GOALS = """\
## Goals

A ratio is the median of paired batches with its interval; a goal is met where the interval
reaches it. "On top" is beside the same without readers; where a line says "slowest", the goal is
held against the slowest of all. Everything else in this page is the method and the tables behind
these lines.
"""


def write() -> Path:
    """Write the page and the plot; answer the page's path."""
    reports = [Report.load(file) for name in ORDER if (file := REPORTS / f"{name}.json").exists()]
    if not reports:
        raise BenchError("No report is kept yet: run a benchmark first.")
    DOCUMENT.parent.mkdir(exist_ok=True)
    parts = [INTRODUCTION, GOALS, goals.table(reports).markdown() + "\n", _facts(reports[0])]
    for report in reports:
        parts.append(_section(report))
        if report.lines:
            PLOT.write_text(
                plot.lines(report.lines, plot.Axes("readers", "µs of CPU for each further reader"))
            )
            parts.append(
                f"![CPU for each further reader, over the number of readers]({PLOT.name})\n"
            )
    DOCUMENT.write_text("\n".join(parts))
    return DOCUMENT.relative_to(ROOT)


def _facts(report: Report) -> str:
    lines = ["## Machine and versions", "", "| what | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in report.machine.items() if name != LOAD]
    pinned = (BENCH / "peers" / "requirements.txt").read_text().splitlines()
    peers = [line.replace("==", " ") for line in pinned if "==" in line]
    peers += [f"{name} {version}" for name, version in machine.packaged().items()]
    return "\n".join([*lines, f"| peers | {', '.join(peers)} |", ""])


def _section(report: Report) -> str:
    length = "A short run" if report.short else "A full run"
    parts = [f"## {TITLES[report.name]}", report.method]
    parts += [table.markdown() for table in report.tables]
    notes = [*report.notes, f"{length} of {report.took:.0f} s: `python -m bench {report.name}"]
    notes[-1] += " --short`" if report.short else "`"
    notes[-1] += f"; load average before it {report.machine[LOAD]}."
    parts.append("\n".join(f"- {' '.join(note.split())}" for note in notes))
    return "\n\n".join(parts) + "\n"
