"""What workers tell each other, when all goes well and when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from feedserver.live.hub import Hub
from feedserver.live.receipts import Receipt
from feedserver.workers.siblings import Siblings, mailboxes

pytestmark = pytest.mark.anyio

PATIENCE = 20.0


@dataclass
class Readers:
    """A worker's own readers, as its hub counts them."""

    receipt: Receipt
    sockets: int = 0
    streams: int = 0
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    news: int = 0

    def __post_init__(self) -> None:
        self.go_on.set()

    async def delivered(self, slug: str, sequence: int, timeout: float) -> Receipt:
        await self.go_on.wait()
        return self.receipt

    async def count(self, slug: str) -> tuple[int, int]:
        await self.go_on.wait()
        return self.sockets, self.streams

    def woken(self) -> None:
        self.news += 1


@asynccontextmanager
async def together(*crowds: Readers, deaf: int | None = None) -> AsyncIterator[list[Siblings]]:
    """Run one worker's siblings for each crowd; the one that is `deaf` reads nothing."""
    boxes = mailboxes(len(crowds))
    siblings = [
        Siblings(number, boxes, cast("Hub", crowd), crowd.woken)
        for number, crowd in enumerate(crowds)
    ]
    tasks = [
        asyncio.create_task(one.run()) for number, one in enumerate(siblings) if number != deaf
    ]
    try:
        yield siblings
    finally:
        died = [task.exception() for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for box in boxes:
            for end in box:
                end.close()
        assert died == []


async def answered(asking: Any) -> Any:
    async with asyncio.timeout(PATIENCE):
        return await asking


async def test_counts_are_the_sum_of_all_and_the_time_is_the_longest() -> None:
    crowds = Readers(Receipt(1, 2, 30), 1, 10), Readers(Receipt(5, 5, 7), 2, 20)
    async with together(*crowds, Readers(Receipt(0, 3, 40), 4, 40)) as (one, *_):
        assert await answered(one.delivered("world", 9, PATIENCE)) == Receipt(6, 10, 40)
        assert await answered(one.count("world")) == (7, 70)


async def test_news_is_told_to_all_others() -> None:
    crowds = [Readers(Receipt(0, 0, 0)) for _ in range(3)]
    async with together(*crowds) as (one, *_):
        one.announce()
        await answered(one.count("world"))  # packets arrive in order
        assert [crowd.news for crowd in crowds] == [0, 1, 1]


async def test_an_answer_that_comes_too_late_is_left_out_and_harms_nothing() -> None:
    own, slow = Readers(Receipt(1, 1, 0), 1, 0), Readers(Receipt(5, 5, 0), 5, 0)
    async with together(own, slow) as (one, _):
        slow.go_on.clear()
        assert await answered(one.delivered("world", 9, 0.01)) == Receipt(1, 1, 0)
        assert await answered(one.count("world")) == (1, 0)
        slow.go_on.set()
        assert await answered(one.count("world")) == (6, 0)
        assert await answered(one.delivered("world", 9, PATIENCE)) == Receipt(6, 6, 0)


async def test_who_does_not_read_its_box_is_not_waited_for_once_it_is_full() -> None:
    own, other = Readers(Receipt(1, 1, 0), 1, 0), Readers(Receipt(5, 5, 0), 5, 0)
    async with together(own, other, Readers(Receipt(9, 9, 0)), deaf=2) as (one, *_):
        for _ in range(10_000):
            one.announce()
            await asyncio.sleep(0)
        assert await answered(one.delivered("world", 9, 10 * PATIENCE)) == Receipt(6, 6, 0)
        assert other.news > 0
