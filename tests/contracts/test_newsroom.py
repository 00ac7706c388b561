"""What the newsroom makes of submissions, over each journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from support.records import NOON, Open, Opened

from feedserver import newsroom
from feedserver.errors import Forbidden, KeyReused, Killed, Stale, Unauthorized, Unavailable
from feedserver.model import Feed, Item, Logged, Record, Token, Verb
from feedserver.newsroom import Condition, Newsroom, Submission
from feedserver.rules import Change

pytestmark = pytest.mark.anyio


@dataclass
class Noting:
    """A journal that notes what it is given."""

    opened: Opened
    records: list[Record] = field(default_factory=list)

    async def append(self, record: Record) -> Change:
        self.records.append(record)
        return await self.opened.journal.append(record)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.opened.journal, name)


@dataclass
class Lagging:
    """A mirror that has not heard of what came after it was made, until it is level."""

    opened: Opened
    known: tuple[Feed, ...]
    old: Item | None
    entries: tuple[Logged, ...]
    level: bool = False

    async def feeds(self) -> tuple[Feed, ...]:
        return await self.opened.mirror.feeds() if self.level else self.known

    async def item(self, slug: str, item: int) -> Item | None:
        return await self.opened.mirror.item(slug, item) if self.level else self.old

    async def log(self, slug: str, item: int) -> tuple[Logged, ...]:
        return await self.opened.mirror.log(slug, item) if self.level else self.entries

    def __getattr__(self, name: str) -> Any:
        return getattr(self.opened.mirror, name)


@dataclass
class Desk:
    """An editor, anna, at the feed world."""

    opened: Opened
    journal: Noting
    room: Newsroom
    anna: Token

    async def submit(self, verb: Verb, item: Item | None = None, **rest: Any) -> Item:
        return (await self.room.submit(self.submission(verb, item, **rest))).item

    def submission(
        self,
        verb: Verb,
        item: Item | None = None,
        *,
        condition: Condition = None,
        key: str | None = None,
        **raw: Any,
    ) -> Submission:
        if item is None:
            return Submission("world", verb, raw, self.anna, key=key)
        condition = ((item.version, item.check),) if condition is None else condition
        return Submission("world", verb, raw, self.anna, item.id, condition, key)

    async def lagging(self, item: Item) -> Lagging:
        mirror = self.opened.mirror
        log = await mirror.log("world", item.id)
        return Lagging(self.opened, await mirror.feeds(), await mirror.item("world", item.id), log)

    def behind(self, mirror: Lagging) -> Newsroom:
        """Return the newsroom of a machine whose mirror lags."""
        return Newsroom(self.journal, mirror, lambda: NOON)


@pytest.fixture
async def desk(opening: Open) -> AsyncIterator[Desk]:
    async with opening() as opened:
        journal = Noting(opened)
        room = Newsroom(journal, opened.mirror, lambda: NOON)
        for slug in ("world", "sport"):
            await room.configure(slug, {"title": slug.title()}, None)
        yield Desk(opened, journal, room, await room.add_token("anna", "a" * 8, (), importer=False))


def erased(record: Record) -> list[tuple[int, str]]:
    return [(one.sequence, one.check) for one in record.erased]


async def test_a_kill_names_its_base_and_every_record_that_it_erases(desk: Desk) -> None:
    for condition in (None, ()):
        desk.journal.records.clear()
        post = await desk.submit(Verb.POST, headline="One", key=f"post {condition}")
        fix = await desk.submit(Verb.FIX, post, headline="Two")
        pin = await desk.submit(Verb.PIN, fix, key=f"pin {condition}")
        await desk.submit(Verb.KILL, pin, condition=condition, note="withdrawn")
        posted, _, pinned, killed = desk.journal.records
        assert killed.base == (pin.version, pin.check)
        assert erased(killed) == [(item.version, item.check) for item in (post, fix, pin)]
        assert posted.key
        assert pinned.key
        assert [one.key for one in killed.erased] == [posted.key.mac, None, pinned.key.mac]


async def test_a_kill_of_any_version_that_loses_a_race_is_made_again_from_the_new_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await desk.submit(Verb.POST, headline="One")
    updates: list[Item] = []
    log = desk.opened.mirror.log

    async def slow(slug: str, item: int) -> tuple[Logged, ...]:
        found = await log(slug, item)
        if len(updates) < 2:
            last = updates[-1] if updates else post
            updates.append(await desk.submit(Verb.UPDATE, last, headline="Two"))
        return found

    monkeypatch.setattr(desk.opened.mirror, "log", slow)
    tombstone = await desk.submit(Verb.KILL, post, condition=(), note="withdrawn")
    killed = desk.journal.records[-1]
    assert tombstone.version > updates[-1].version
    assert killed.base == (updates[-1].version, updates[-1].check)
    assert erased(killed) == [(item.version, item.check) for item in (post, *updates)]


async def test_a_kill_that_names_a_version_and_loses_a_race_is_stale(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await desk.submit(Verb.POST, headline="One")
    log = desk.opened.mirror.log

    async def slow(slug: str, item: int) -> tuple[Logged, ...]:
        monkeypatch.undo()
        found = await log(slug, item)
        await desk.submit(Verb.UPDATE, post, headline="Two")
        return found

    monkeypatch.setattr(desk.opened.mirror, "log", slow)
    with pytest.raises(Stale) as stale:
        await desk.submit(Verb.KILL, post, note="withdrawn")
    assert stale.value.current.headline == "Two"
    with pytest.raises(Stale) as stale:
        await desk.submit(Verb.KILL, post, note="withdrawn")
    assert stale.value.current.headline == "Two"


async def test_a_kill_waits_for_a_mirror_that_has_not_heard_of_its_base(desk: Desk) -> None:
    post = await desk.submit(Verb.POST, headline="One")
    mirror = await desk.lagging(post)
    update = await desk.submit(Verb.UPDATE, post, headline="Two")
    submission = desk.submission(Verb.KILL, update, note="withdrawn")
    killing = asyncio.create_task(desk.behind(mirror).submit(submission))
    done, _ = await asyncio.wait({killing}, timeout=4 * newsroom.BEHIND_POLL)
    assert not done
    mirror.level = True
    await killing
    killed = desk.journal.records[-1]
    assert killed.base == (update.version, update.check)
    assert erased(killed) == [(item.version, item.check) for item in (post, update)]


async def test_a_kill_of_an_item_that_the_mirror_has_not_heard_of_waits_too(desk: Desk) -> None:
    mirror = replace(
        await desk.lagging(await desk.submit(Verb.POST, headline="Other")), old=None, entries=()
    )
    post = await desk.submit(Verb.POST, headline="One")
    submission = desk.submission(Verb.KILL, post, note="withdrawn")
    killing = asyncio.create_task(desk.behind(mirror).submit(submission))
    done, _ = await asyncio.wait({killing}, timeout=4 * newsroom.BEHIND_POLL)
    assert not done
    mirror.level = True
    assert (await killing).item.id == post.id


async def test_a_kill_whose_base_does_not_arrive_in_time_is_not_made(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newsroom, "BEHIND_PATIENCE", 0.01)
    post = await desk.submit(Verb.POST, headline="One")
    mirror = await desk.lagging(post)
    update = await desk.submit(Verb.UPDATE, post, headline="Two")
    head = await desk.opened.journal.head()
    with pytest.raises(Unavailable, match="retry"):
        await desk.behind(mirror).submit(desk.submission(Verb.KILL, update, note="withdrawn"))
    assert await desk.opened.journal.head() == head


async def test_a_version_that_never_was_is_stale_and_not_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newsroom, "BEHIND_PATIENCE", 1_000.0)
    post = await desk.submit(Verb.POST, headline="One")
    other = await desk.submit(Verb.POST, headline="Other")
    elsewhere = replace(desk.submission(Verb.POST, headline="Of sport"), feed="sport")
    sport = (await desk.room.submit(elsewhere)).item
    head = await desk.opened.journal.head()
    async with asyncio.timeout(20):
        for base in (
            (post.version, "none"),
            (other.version, other.check),
            (sport.version, sport.check),
            (head + 1_000, post.check),
        ):
            with pytest.raises(Stale) as stale:
                await desk.submit(Verb.KILL, post, condition=(base,), note="withdrawn")
            assert stale.value.current == post


async def test_one_key_and_body_for_two_items_is_refused(desk: Desk) -> None:
    one, two = [await desk.submit(Verb.POST, headline=headline) for headline in ("One", "Two")]
    await desk.submit(Verb.PIN, one, key="k")
    with pytest.raises(KeyReused):
        await desk.submit(Verb.PIN, two, key="k")


async def test_a_retry_is_not_answered_once_its_token_was_revoked_or_lost_the_feed(
    desk: Desk,
) -> None:
    first = desk.submission(Verb.POST, headline="One", key="k")
    made = await desk.room.submit(first)
    assert await desk.room.submit(first) == replace(made, replayed=True)
    await desk.room.revoke_token("anna")
    with pytest.raises(Unauthorized):
        await desk.room.submit(first)
    other = await desk.room.add_token("anna", "b" * 8, ("sport",), importer=False)
    with pytest.raises(Unauthorized):  # let in by the old token, at a door that has not heard yet
        await desk.room.submit(first)
    with pytest.raises(Forbidden):
        await desk.room.submit(replace(first, editor=other))


async def test_a_kill_of_any_version_that_was_made_already_is_not_made_again(desk: Desk) -> None:
    post = await desk.submit(Verb.POST, headline="One")
    kill = desk.submission(Verb.KILL, post, condition=(), key="k", note="withdrawn")
    made = await desk.room.submit(kill)
    assert await desk.room.submit(kill) == replace(made, replayed=True)
    with pytest.raises(Killed):
        await desk.room.submit(replace(kill, key="other"))
