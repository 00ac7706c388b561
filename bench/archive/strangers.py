"""How long news and one item take while strangers ask for the worst that is public."""

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import mean

from bench import folders, process, prose
from bench.archive import Part, Sizes
from bench.archive.newsroom import Newsroom, open_newsroom
from bench.errors import BenchError
from bench.figures import percentile
from bench.machine import load_core
from bench.report import Table
from bench.urgent import urgent
from bench.witness import Witness

STRANGERS = 4
ITEMS = "/v1/feeds/bench/items"
PAUSE = 0.02  # seconds at most between two probes
SETTLE = 0.5  # seconds of asking before the first
EDITS, EDITED = 60, 15_000  # revisions of one item, and characters of each
LONG_ITEMS, LONG = 200, 60_000  # items of one feed, and characters of each
LIMITS = range(200, 136, -1)
MANY, MANY_ITEMS = 12, 60  # feeds of long items: more than what is kept of feeds without readers
LETTERS = "abcdefghijklmnopqrstuvwxyz"
CALM = "/healthz"


@dataclass(slots=True)
class Waits:
    """Seconds from a post to its reader, and for one item; and what the strangers were told."""

    news: list[float] = field(default_factory=list)
    item: list[float] = field(default_factory=list)
    answers: str = ""


def measure(sizes: Sizes) -> Part:
    with open_newsroom(folders.archive(sizes.items), sizes.items) as newsroom:
        loads = _prepared(newsroom)
        waits = {name: _probe(newsroom, paths, sizes.rounds) for name, paths in loads.items()}
    calm, figures = waits[CALM], dict[str, object]()
    columns = [f"{STRANGERS} strangers ask for"]
    for what in ("post → reader", "GET of an item"):
        columns += [f"{what}, p50, ms", "p99", "mean over /healthz"]
    columns.append("answered")
    rows, worst = [], dict[str, dict[str, object]]()
    highest = dict.fromkeys(("news", "item"), 0.0)
    for name, of in waits.items():
        row = [name]
        for key in highest:
            mine, its = getattr(of, key), getattr(calm, key)
            ratio = mean(mine) / mean(its)
            row += [f"{1e3 * percentile(mine, percent):.1f}" for percent in (50, 99)]
            row.append(f"{ratio:.2f}")
            if ratio > highest[key]:
                highest[key], worst[key] = ratio, {"ratio": ratio, "of": name}
        rows.append([*row, of.answers])
        figures[name] = {"news": of.news, "item": of.item}
    title = f"{sizes.items:,} items, {sizes.rounds} probes of each"
    return Part([Table(title, columns, rows)], figures | {"worst": worst})


def _prepared(newsroom: Newsroom) -> dict[str, list[str]]:
    """Post what makes public answers large; return the loads: what to ask for, by name."""
    item = newsroom.posted_item()
    for number in range(EDITS):
        body = prose.item(number, EDITED)["body"]
        item = newsroom.revised(item, "update", body=body)
    newsroom.server.command("feed", "add", "long", "--title", "Long")
    for number in range(LONG_ITEMS):
        long = {"headline": f"Long {number}", "body": prose.long_text(LONG)}
        newsroom.post(long, "long")
    for feed in range(MANY):
        newsroom.server.command("feed", "add", f"many-{feed}", "--title", f"Many {feed}")
        for number in range(MANY_ITEMS):
            newsroom.post({"headline": f"{number}", "body": prose.long_text(LONG)}, f"many-{feed}")
    return {
        CALM: [CALM],
        "one history": [f"{ITEMS}/{item['id']}/history"],
        "histories": [f"{ITEMS}/{newsroom.any_item()}/history" for _ in range(1_000)],
        "items": [f"{ITEMS}/{newsroom.any_item()}" for _ in range(1_000)],
        "one letter": [f"{ITEMS}?q={letter}" for letter in LETTERS],
        "the commonest word": [f"{ITEMS}?q={prose.COMMONEST}&limit={limit}" for limit in LIMITS],
        "long pages": [f"/v1/feeds/long/items?limit={limit}" for limit in LIMITS],
        "feeds' pages": ["/feeds/long", "/feeds/bench", f"/feeds/bench?q={prose.COMMONEST}"],
        "changes": ["/v1/feeds/long/changes"],
        "changes of many feeds": [f"/v1/feeds/many-{feed}/changes" for feed in range(MANY)],
        "lists of feeds": [f"/v1/feeds?limit={limit}" for limit in range(MANY, 0, -1)],
        "the sitemap": ["/sitemap-news.xml"],
    }


@contextmanager
def _asking(port: int, paths: list[str], waits: Waits) -> Iterator[None]:
    """Have strangers ask for these meanwhile."""
    command = [sys.executable, "-m", "bench.strangers", str(port), str(STRANGERS)]
    child = process.start(command, load_core())
    assert child.stdin
    assert child.stdout
    try:
        child.stdin.write("\n".join([*paths, "", ""]))
        child.stdin.flush()
        if child.stdout.readline() != "asking\n":
            raise BenchError("The strangers do not begin.")
        time.sleep(SETTLE)
        yield
        child.stdin.close()
        waits.answers = ", ".join(child.stdout.readline().split())
        if not waits.answers:
            raise BenchError(f"The strangers ended before: {paths[0]}")
    finally:
        process.stop(child)


def _probe(newsroom: Newsroom, paths: list[str], count: int) -> Waits:
    waits = Waits()
    reader = Witness(newsroom.connection.port, newsroom.server.path, wait=60.0)
    reader.next("snapshot")
    with _asking(newsroom.connection.port, paths, waits), urgent():
        for _ in range(count):
            words, path = newsroom.words(), f"{ITEMS}/{newsroom.any_item()}"
            began = time.monotonic()
            newsroom.post(words)  # answered without waiting for readers
            reader.next("changes")
            waits.news.append(time.monotonic() - began)
            time.sleep(random.uniform(0, PAUSE))
            began = time.monotonic()
            newsroom.ask(path)
            waits.item.append(time.monotonic() - began)
            time.sleep(random.uniform(0, PAUSE))
    reader.close()
    return waits
