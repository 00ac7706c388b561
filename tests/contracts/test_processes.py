"""What a journal promises to several processes at once: over one file, and over one log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support import records
from support.records import (
    Open,
    Opened,
    assert_readable,
    edit,
    feed,
    followed,
    item_of,
    key,
    kill,
    level,
    made,
    post,
    revoke,
    token,
)

from feedserver.errors import Stale, Unauthorized
from feedserver.model import Verb
from feedserver.rules import Change, Duplicate

pytestmark = pytest.mark.anyio

Both = tuple[Opened, Opened]


@pytest.fixture(params=["sqlite", "memory-0", "memory-1", "memory-2"])
async def both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Both]:
    """Two processes, with the feed world and the editor anna."""
    _, _, seed = request.param.partition("-")
    opening: Open = records.in_memory(int(seed)) if seed else records.in_sqlite(tmp_path)
    async with opening() as one, opening() as other:
        await made(one.journal, feed(), token())
        await level(one, other)
        yield one, other


async def test_each_follows_what_all_append_once_and_in_order(both: Both) -> None:
    head = await both[0].journal.head()
    appending = [both[n % 2].journal.append(post(f"News {n}")) for n in range(40)]
    sequences = sorted([change.sequence for change in await asyncio.gather(*appending)])
    for one in both:
        changes = await followed(one.journal, head, sequences[-1])
        assert [change.sequence for change in changes] == sequences


async def test_each_can_read_a_change_of_another_before_it_is_yielded(both: Both) -> None:
    one, other = both
    head = await other.journal.head()
    appending = asyncio.gather(*(one.journal.append(post(f"News {n}")) for n in range(40)))
    count = 0
    async for group in other.journal.follow(head):
        for change in group:
            await assert_readable(other, change)
        count += len(group)
        if count == 40:
            break
    await appending


async def test_of_two_edits_of_one_version_one_is_done(both: Both) -> None:
    item = item_of(await both[0].journal.append(post()))
    await level(*both)
    for number in range(20):
        edits = [edit(item, Verb.FIX, headline=f"{number} by {n}") for n in range(2)]
        answers = await asyncio.gather(
            *(one.journal.append(record) for one, record in zip(both, edits, strict=True)),
            return_exceptions=True,
        )
        assert {type(answer) for answer in answers} == {Change, Stale}
        [done] = [answer for answer in answers if isinstance(answer, Change)]
        item = item_of(done)


async def test_a_key_that_two_use_at_once_is_used_once(both: Both) -> None:
    for number in range(20):
        twice = [post(editor="anna", retry_key=key(f"{number}")) for _ in both]
        answers = await asyncio.gather(
            *(one.journal.append(record) for one, record in zip(both, twice, strict=True)),
            return_exceptions=True,
        )
        assert {type(answer) for answer in answers} == {Change, Duplicate}
        [sequence] = {a.sequence for a in answers if isinstance(a, Change | Duplicate)}
        for one, answer in zip(both, answers, strict=True):
            if isinstance(answer, Duplicate):  # it has what the other made, to answer with
                retry = await one.mirror.retry(key(f"{number}").mac)
                assert retry is not None
                assert retry.revision.version == sequence


async def test_who_is_shut_out_at_one_appends_nothing_at_the_other(both: Both) -> None:
    one, other = both
    await one.journal.append(revoke())
    with pytest.raises(Unauthorized):
        await other.journal.append(post(editor="anna"))


async def test_what_one_withdrew_no_later_follower_of_another_is_told(both: Both) -> None:
    one, other = both
    head = await one.journal.head()
    item = item_of(await one.journal.append(post("Grivna", body="Zolotnik")))
    await level(other)
    killed = await other.journal.append(kill(item))
    for each in both:
        await followed(each.journal, head, killed.sequence)  # now each has heard of it
        changes = await followed(each.journal, head, killed.sequence)
        assert [item_of(change).headline for change in changes] == ["", ""]


async def test_another_goes_on_with_what_one_that_died_had_appended(both: Both) -> None:
    one, other = both
    head = await other.journal.head()
    changes = await made(one.journal, *(post(f"News {n}") for n in range(5)))
    await one.die()
    last = await other.journal.append(post("After"))
    sequences = [change.sequence for change in (*changes, last)]
    found = await followed(other.journal, head, last.sequence)
    assert [change.sequence for change in found] == sequences
