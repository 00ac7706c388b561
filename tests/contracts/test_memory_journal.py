"""The journal in memory is as awkward as it says, or the contract's suite would prove nothing."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from support.records import (
    Open,
    Opened,
    edit,
    feed,
    followed,
    in_memory,
    item_of,
    level,
    made,
    post,
)

from feedserver.errors import Refused
from feedserver.model import Verb
from feedserver.rules import Change

pytestmark = pytest.mark.anyio

TRIES = 40


@pytest.fixture(params=range(3), ids=lambda seed: f"seed-{seed}")
def opening(request: pytest.FixtureRequest) -> Open:
    return in_memory(request.param)


class Follower:
    """Keeps what a journal has yielded so far."""

    def __init__(self, opened: Opened, after: int) -> None:
        self.changes: list[Change] = []
        self._opened = opened
        self._after = after

    async def follow(self) -> None:
        async for group in self._opened.journal.follow(self._after):
            self.changes += group

    @property
    def head(self) -> int:
        return self.changes[-1].sequence if self.changes else self._after


async def test_its_sequences_have_gaps_of_several_sizes(opening: Open) -> None:
    async with opening() as here:
        changes = await made(here.journal, feed(), *(post() for _ in range(TRIES)))
    numbers = [change.sequence for change in changes]
    assert len({after - before for before, after in pairwise(numbers)}) > 2


async def test_what_it_refuses_takes_a_number_too(opening: Open) -> None:
    async with opening() as here:
        before = await here.journal.append(feed())
        for _ in range(TRIES):
            with pytest.raises(Refused):
                await here.journal.append(post(slug="nowhere"))
        after = await here.journal.append(post())
    assert after.sequence > before.sequence + TRIES


async def test_its_follow_is_now_behind_its_append_and_now_ahead(opening: Open) -> None:
    async with opening() as here:
        await here.journal.append(feed())
        follower = Follower(here, await here.journal.head())
        following = asyncio.create_task(follower.follow())
        behind = []
        for _ in range(TRIES):
            change = await here.journal.append(post())
            behind.append(follower.head < change.sequence)
        following.cancel()
    assert TRIES / 10 < sum(behind) < TRIES * 9 / 10


async def test_it_yields_now_one_change_and_now_several(opening: Open) -> None:
    async with opening() as here:
        await made(here.journal, feed(), *(post() for _ in range(TRIES)))
        head = await here.journal.head()
    async with opening() as here:
        sizes, after = set(), 0
        async for group in here.journal.follow(0):
            sizes.add(len(group))
            after = group[-1].sequence
            if after == head:
                break
    assert len(sizes) > 2


async def test_one_machine_is_behind_another_and_comes_level(opening: Open) -> None:
    behind = 0
    async with opening() as one, opening() as other:
        await one.journal.append(feed())
        for _ in range(TRIES):
            item = item_of(await one.journal.append(post()))
            behind += await other.mirror.item("world", item.id) is None
        await level(other)
        assert await other.mirror.page("world", 1_000) == await one.mirror.page("world", 1_000)
    assert behind > TRIES / 10


async def test_what_another_machine_appended_is_read_back_as_it_is_now(opening: Open) -> None:
    newer = 0
    async with opening() as one, opening() as other:
        await one.journal.append(feed())
        item = item_of(await one.journal.append(post()))
        await level(other)
        follower = Follower(other, await other.journal.head())
        following = asyncio.create_task(follower.follow())
        for number in range(TRIES):
            item = item_of(await one.journal.append(edit(item, Verb.FIX, headline=f"{number}")))
        while follower.head < item.version:
            await asyncio.sleep(0)
        following.cancel()
        assert len(follower.changes) == TRIES
        newer = sum(item_of(change).version > change.sequence for change in follower.changes)
        own = await followed(one.journal, item.id, item.version)
    assert newer > TRIES / 10
    assert [item_of(change).version for change in own] == [change.sequence for change in own]


async def test_a_machine_that_died_goes_on_from_where_its_disk_was(opening: Open) -> None:
    async with opening() as one:
        await one.journal.append(feed())
        await made(one.journal, *(post() for _ in range(TRIES)))
        async with opening() as other:
            await other.die()
            missed = item_of(await one.journal.append(post()))
            assert await other.mirror.item("world", missed.id) is None
            async with opening() as again:
                assert again.mirror._disk is other.mirror._disk  # type: ignore[attr-defined]
                assert await again.mirror.item("world", missed.id) == missed
