"""`python -m bench NAME [--short] [--json FILE]`; README.md beside this file says what each is."""

import argparse
import signal
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import FrameType

from bench import document, machine
from bench.errors import BenchError, Ended
from bench.options import Options
from bench.places import REPORTS
from bench.report import Report

NAMES = (
    *("fan_out", "memory", "storm", "publish", "wait", "workers"),
    *("growth", "slow", "wire", "archive"),
)
MOST_SECONDS = 14_400  # of one command, if --limit says nothing else


def main() -> int:
    given = _arguments()
    options = Options(
        given.short,
        given.systems,
        given.readers,
        given.batches,
        given.messages,
        given.workers,
        given.items,
        given.feeds,
        given.parts,
    )
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, _end)
    signal.alarm(given.limit)
    failed = False
    try:
        machine.prepare()
        facts = machine.describe()
        machine.pin_here()
        for name in _chosen(given.name):
            try:
                report = _run(name, options, facts)
            except BenchError as error:
                if given.name != "all":
                    raise
                print(f"bench {name}: {error}", file=sys.stderr)
                failed = True
            else:
                report.save(given.json or REPORTS / f"{name}.json")
        if given.name in ("all", "document"):
            print(f"Wrote {document.write()}")
    except (BenchError, Ended) as error:
        print(f"bench: {error}", file=sys.stderr)
        failed = True
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=(*NAMES, "all", "document"))
    parser.add_argument("--short", action="store_true", help="smaller and quicker")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the report there")
    parser.add_argument("--systems", type=_names, metavar="A,B", help="only these")
    parser.add_argument("--readers", type=int, metavar="N")
    parser.add_argument("--batches", type=int, metavar="N")
    parser.add_argument("--messages", type=int, metavar="N", help="per batch")
    parser.add_argument("--workers", type=int, metavar="N", help="processes of our server")
    parser.add_argument("--items", type=int, metavar="N", help="of an archive")
    parser.add_argument("--feeds", type=int, metavar="N", help="of long items, in archive")
    parser.add_argument("--parts", type=_names, metavar="A,B", help="only these, of archive")
    parser.add_argument("--limit", type=int, default=MOST_SECONDS, metavar="SECONDS")
    given = parser.parse_args()
    if given.json and given.name in ("all", "document"):
        parser.error(f"--json is for one benchmark; {given.name} keeps its reports in {REPORTS}")
    return given


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _chosen(name: str) -> tuple[str, ...]:
    return NAMES if name == "all" else () if name == "document" else (name,)


def _run(name: str, options: Options, facts: dict[str, str]) -> Report:
    began = time.monotonic()
    bare: Report = import_module(f"bench.benchmarks.{name}").run(options)
    took = time.monotonic() - began
    report = replace(bare, short=options.short, machine=facts, took=took)
    print(f"\n== {name} ({took:.0f} s) ==\n\n{report.text()}\n", flush=True)
    return report


def _end(number: int, _: FrameType | None) -> None:
    """Unwind, so that every child process is ended."""
    raise Ended("Out of time." if number == signal.SIGALRM else "Told to stop.")


if __name__ == "__main__":
    sys.exit(main())
