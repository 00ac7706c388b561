"""Fill a newsroom's folder with many items: `python -m bench.fill DATA --items N`.

It runs our own server's parts in this process, without a socket, and submits as its API does, so
that the folder is what a server would have made of the same posts. Times run up to now.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import prose
from bench.prose import feed_name
from feedserver.errors import Unavailable
from feedserver.model import Verb
from feedserver.newsroom import Newsroom
from feedserver.service import open_context
from feedserver.settings import read_settings
from feedserver.submission import Submission

FEED = "bench"
TOGETHER = 1_024  # submissions under way: several full transactions
APART = 30_000  # ms from one item to the next
INDEX_WAIT = 600  # seconds for the search index to be level


@dataclass(frozen=True, slots=True)
class Filling:
    """What to put in: `items` prose-like ones into one feed, and `feeds` feeds of long ones."""

    items: int
    feeds: int
    each: int  # items of each of these feeds
    characters: int  # of each of these items

    def posts(self) -> Iterator[tuple[str, dict[str, str]]]:
        """All of them, with the feed of each."""
        for number in range(self.items):
            yield FEED, prose.item(number)
        body = prose.long_text(self.characters)
        for feed in range(self.feeds):
            for number in range(self.each):
                headline = f"Item {number} of feed {feed}"
                yield feed_name(feed), {"headline": headline, "body": body}


async def fill(data: Path, filling: Filling) -> None:
    """Fill a folder in which there is the feed `bench` and one token."""
    settings = read_settings({"data": str(data)}, {})
    count = filling.items + filling.feeds * filling.each
    now = time.time_ns() // 1_000_000 - APART * count

    def clock() -> int:
        nonlocal now
        now += APART
        return now

    async with open_context(settings, "http://127.0.0.1", _fail) as here:
        [editor] = await here.mirror.tokens()
        newsroom = Newsroom(here.journal, here.mirror, clock)
        for feed in range(filling.feeds):
            await newsroom.configure(feed_name(feed), {"title": feed_name(feed)}, None)
        posts = enumerate(filling.posts())

        async def submit() -> None:
            for number, (feed, raw) in posts:
                words: dict[str, Any] = dict(raw)
                await newsroom.submit(
                    Submission(feed, Verb.POST, words, editor, key=f"fill-{number}")
                )

        async with asyncio.TaskGroup() as group:
            for _ in range(min(TOGETHER, count)):
                group.create_task(submit())
        await _until_indexed(here.mirror)


async def _until_indexed(mirror: Any) -> None:
    async with asyncio.timeout(INDEX_WAIT):
        while True:
            try:
                await mirror.page(FEED, 1, words=prose.COMMONEST)
            except Unavailable:
                await asyncio.sleep(0.5)
            else:
                return


def _fail(fault: BaseException) -> None:
    raise SystemExit(f"a part of the journal died: {fault!r}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fill", description=__doc__)
    parser.add_argument("data", type=Path)
    for name in ("items", "feeds", "each", "characters"):
        parser.add_argument(f"--{name}", type=int, default=0)
    given = parser.parse_args()
    filling = Filling(given.items, given.feeds, given.each, given.characters)
    asyncio.run(fill(given.data, filling))


if __name__ == "__main__":
    main()
