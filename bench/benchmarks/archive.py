"""What a newsroom's age costs: its archive, what is erased from it, and what strangers may ask."""

from importlib import import_module

from bench.archive import NotMeasured, Sizes
from bench.errors import BenchError
from bench.options import Options
from bench.peers.reference import COMMIT
from bench.prose import CHARACTERS
from bench.report import Report, Table

PARTS = ("size", "costs", "posts", "strangers", "erasure", "feeds")
ITEMS, SHORT_ITEMS = 1_000_000, 20_000
FEEDS, SHORT_FEEDS = 500, 40

METHOD = f"""\
Items of {CHARACTERS} characters, with as many distinct words as prose has; folders are filled by
our own newsroom, kept, and copied for each part. A large and a small newsroom run at once and are
asked in turn, each question after a post to both, so that no answer is one that was kept; a ratio
is the median over the rounds, with its order-statistic interval, of the time and of the server's
CPU. Posts are held against commit {COMMIT}, in the same environment, by turns. Strangers ask
without a pause over keep-alive connections; what they cost others is told by a client that goes
before all others on the load's core, and is held against the same strangers asking for /healthz.
An erasure is timed from its request; beside it an editor posts every 20 ms, and the longest wait
is held against the longest without. Its words are gone when /readyz names no unfinished purge."""


def run(options: Options) -> Report:
    short = options.short
    sizes = Sizes(
        items=options.number(options.items, ITEMS, SHORT_ITEMS),
        rounds=options.number(options.messages, 60, 20),
        feeds=options.number(options.feeds, FEEDS, SHORT_FEEDS),
        posts=1_000 if short else 3_000,
        batches=options.number(options.batches, 7, 3),
        kills=2 if short else 5,
    )
    tables, figures, notes = list[Table](), dict[str, object](), list[str]()
    for name in options.parts or PARTS:
        try:
            part = import_module(f"bench.archive.{name}").measure(sizes)
        except (BenchError, NotMeasured) as missing:
            notes.append(f"{name}: not measured. {missing}")
            continue
        tables += part.tables
        figures[name] = part.figures
        notes += part.notes
    if not tables:
        raise BenchError(" ".join(notes))
    return Report("archive", METHOD, tables, figures | {"items": sizes.items}, notes)
