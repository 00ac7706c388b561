"""A redact reaches readers as the same state, and is told as such for ever after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.records import MINUTE, Open, in_memory, in_sqlite
from support.witness import json_of
from support.world import World, world

from feedserver import wire
from feedserver.model import Item, Verb

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "memory"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    return in_sqlite(tmp_path) if request.param == "sqlite" else in_memory()


@pytest.fixture
async def here(opening: Open) -> AsyncIterator[World]:
    async with world(opening) as made:
        yield made


async def did(here: World, verb: Verb, item: Item | None = None, **raw: object) -> Item:
    here.now += MINUTE
    done = await here.submit("world", verb, item, **raw)
    assert done is not None
    return done


async def test_each_revision_is_read_back_as_it_was_told_also_of_imports_and_after_a_kill(
    here: World,
) -> None:
    past = wire.time_text(here.now - MINUTE)
    told = [await did(here, Verb.POST, headline="Jane Roe", at=past)]
    told.append(await did(here, Verb.FIX, told[-1], headline="A man", at=past))
    told.append(await did(here, Verb.REDACT, told[-1], version=told[0].version, note="a name"))
    assert told[-1].imported
    told.append(await did(here, Verb.CORRECT, told[-1], note="It was 4."))
    told.append(await did(here, Verb.PIN, told[-1]))
    told.append(await did(here, Verb.REDACT, told[-1], version=told[3].version, note="It was 5."))
    await here.reopen()
    read = await here.opened.mirror.revisions("world", told[0].id)
    assert [one.version for one in read] == [one.version for one in told]
    shown = {one.version: one.item for one in read}
    gone = {told[0].version, told[3].version, told[4].version}
    assert {version for version, item in shown.items() if item is None} == gone
    for one in told:
        if one.version not in gone:
            assert shown[one.version] == one
    killed = await did(here, Verb.KILL, told[-1], note="It was not so.")
    renamed = await did(here, Verb.REDACT, killed, version=killed.version, note="Not so.")
    assert (renamed.killed_at, renamed.note) == (killed.killed_at, "Not so.")
    await here.reopen()
    *before, last = await here.opened.mirror.revisions("world", told[0].id)
    assert last.item == renamed == await here.opened.mirror.item("world", renamed.id)
    assert not any(one.item or one.note for one in before)


async def test_who_reads_along_gets_the_same_state_under_a_new_version(here: World) -> None:
    posted = await did(here, Verb.POST, headline="Jane Roe")
    fixed = await did(here, Verb.FIX, posted, headline="A man")
    watcher = here.watcher("world")
    await here.connected(watcher)
    await here.settle()
    before = watcher.client.rows[posted.id]
    redacted = await did(here, Verb.REDACT, fixed, version=posted.version, note="a name")
    await here.settle()
    after = watcher.client.rows[posted.id]
    assert after == before | {"version": redacted.version, "etag": redacted.etag}
    assert after == json_of(redacted)
    await here.check(watcher)


async def test_a_retry_of_what_was_redacted_is_answered_with_the_item_as_it_is(
    here: World,
) -> None:
    first = here.submission("world", Verb.POST, None, "key", headline="Jane Roe")
    posted = await here.send(first)
    fixed = await did(here, Verb.FIX, posted, headline="A man")
    redacted = await did(here, Verb.REDACT, fixed, version=fixed.id, note="a name")
    other = here.submission("world", Verb.POST, None, "key", headline="John Doe")
    for again in (first, other):  # nothing is left to tell them apart by
        assert await here.send(again) == redacted


async def test_key_points_that_were_redacted_are_in_no_revision_and_readers_keep_theirs(
    here: World,
) -> None:
    for summary in ("Jane Roe", "Jane Roe.", "A man"):
        here.now += MINUTE
        await here.configure("world", summary=summary)
    watcher = here.watcher("world")
    await here.connected(watcher)
    await here.settle()
    before = watcher.client.feed
    for _ in range(2):
        assert await here.redact_summary("world", 0)
    assert not await here.redact_summary("world", 0)
    await here.settle()
    await here.check(watcher)
    after = watcher.client.feed
    moving = ("version", "etag", "cursor")
    assert {n: v for n, v in after.items() if n not in moving} == {
        n: v for n, v in before.items() if n not in moving
    }
    assert after["version"] > before["version"]
    await here.reopen()
    own = await here.opened.mirror.feed_revisions("world")
    assert "Jane" not in repr(own)
    assert [one.settings is None for one in own] == [False, True, True, False, True, True]
