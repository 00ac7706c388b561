"""Long work is made once for all who ask for it, in turn, and only so much of it waits."""

from __future__ import annotations

import asyncio

import pytest

from feedserver.api import work
from feedserver.api.work import Lane, Work
from feedserver.errors import Unavailable

pytestmark = pytest.mark.anyio


class Making:
    """Work that ends when it is told to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.end = asyncio.Event()

    async def make(self, name: str) -> str:
        self.begun.append(name)
        await self.end.wait()
        return f"made {name}"


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_asks_for_the_same_gets_the_same_and_one_of_them_may_leave() -> None:
    shared, making = Work(), Making()
    asking = [
        asyncio.create_task(shared.once(shared.archive, "a", lambda: making.make("a")))
        for _ in range(16)
    ]
    await turns()
    asking[0].cancel()
    await turns()
    making.end.set()
    assert set(await asyncio.gather(*asking[1:])) == {"made a"}
    assert making.begun == ["a"]
    assert not shared._under_way


async def test_one_piece_of_work_is_made_at_a_time_in_each_lane() -> None:
    shared, making = Work(), Making()
    asking = [
        asyncio.create_task(shared.once(lane, name, lambda name=name: making.make(name)))
        for name, lane in [("a", shared.archive), ("b", shared.archive), ("c", shared.newest)]
    ]
    await turns()
    assert making.begun == ["a", "c"]
    making.end.set()
    assert await asyncio.gather(*asking) == ["made a", "made b", "made c"]


async def test_work_that_finds_too_much_waiting_is_refused() -> None:
    shared, making = Work(), Making()
    lane = Lane(waiting_max=2)
    asking = [asyncio.create_task(shared.run(lane, lambda: making.make("a"))) for _ in range(3)]
    await turns()
    with pytest.raises(Unavailable) as refused:
        await shared.run(lane, lambda: making.make("b"))
    assert refused.value.retry_after > 0
    making.end.set()
    assert await asyncio.gather(*asking) == ["made a"] * 3
    assert await shared.run(lane, lambda: making.make("b")) == "made b"


async def test_work_that_waits_too_long_is_refused_and_leaves_the_lane(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "WAIT_SECONDS", 0.01)
    shared, making = Work(), Making()
    first = asyncio.create_task(shared.once(shared.archive, "a", lambda: making.make("a")))
    await turns()
    with pytest.raises(Unavailable):
        await shared.once(shared.archive, "b", lambda: making.make("b"))
    assert shared.archive.waiting == 0
    making.end.set()
    assert await first == "made a"
    assert making.begun == ["a"]


async def test_work_that_fails_says_so_to_all_who_wait_and_to_nobody_else() -> None:
    shared = Work()

    async def fail() -> str:
        raise Unavailable("the news cannot be read")

    asking = [shared.once(shared.archive, "a", fail) for _ in range(2)]
    failed = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(fault) for fault in failed] == [Unavailable, Unavailable]
    making = Making()
    making.end.set()
    assert await shared.once(shared.archive, "a", lambda: making.make("a")) == "made a"
