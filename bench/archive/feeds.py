"""What it costs in memory that strangers ask for many feeds of long items, once each."""

from dataclasses import replace

from bench import folders, memory
from bench.archive import Part, Sizes
from bench.archive.newsroom import open_newsroom
from bench.prose import feed_name
from bench.report import Table

EACH, CHARACTERS = 120, 60_000  # items of a feed, and characters of an item
PATHS = ("/v1/feeds/{}/items?limit=1", "/v1/feeds/{}", "/feeds/{}")


def measure(sizes: Sizes) -> Part:
    made = folders.long_feeds(sizes.feeds, EACH, CHARACTERS)
    steps = []
    with open_newsroom(replace(made, is_read_only=True), 0) as newsroom:
        pids = newsroom.server.pids
        newsroom.ask("/v1/feeds/bench/items")
        steps.append(memory.settled_pss(pids))
        for path in PATHS:
            for number in range(sizes.feeds):
                newsroom.ask(path.format(feed_name(number)))
            steps.append(memory.settled_pss(pids))
    start, *after = (step / 1e6 for step in steps)
    growths = [step - start for step in after]
    rows = [
        [f"GET {path.format('…')}", f"{step:,.0f}", f"{growth:,.0f}"]
        for path, step, growth in zip(PATHS, after, growths, strict=True)
    ]
    columns = [f"then, of each of {sizes.feeds} feeds", "PSS, MB", "over the start, MB"]
    rows.insert(0, ["at the start", f"{start:,.0f}", "-"])
    title = f"Feeds of {EACH} items of {CHARACTERS:,} characters"
    return Part(
        [Table(title, columns, rows)],
        {"start": start, "growth": max(growths), "feeds": sizes.feeds, "growths": growths},
    )
