"""What the newsroom makes of submissions, over each journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from support.records import NOON, Open, Opened

from feedserver import newsroom
from feedserver.errors import (
    FeedStale,
    Forbidden,
    Invalid,
    KeyReused,
    Killed,
    Stale,
    Unauthorized,
    Unavailable,
    WrongState,
)
from feedserver.model import Item, Record, Status, Token, Verb
from feedserver.newsroom import Newsroom
from feedserver.rules import Change
from feedserver.submission import Condition, FeedOutcome, Submission
from feedserver.wire import feed_json

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
    """A machine that has not heard of what came after it was made, until it is level."""

    opened: Opened
    noting: Noting
    head_then: int
    old: Item | None
    is_level: bool = False

    async def head(self) -> int:
        return await self.opened.journal.head() if self.is_level else self.head_then

    async def item(self, slug: str, item: int) -> Item | None:
        return await self.opened.mirror.item(slug, item) if self.is_level else self.old

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.opened.mirror, name, None)
        return found if found is not None else getattr(self.noting, name)


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
        old = await self.opened.mirror.item("world", item.id)
        return Lagging(self.opened, self.journal, await self.opened.journal.head(), old)

    def behind(self, machine: Lagging) -> Newsroom:
        """Return the newsroom of a machine that lags."""
        return Newsroom(machine, machine, lambda: NOON)  # type: ignore[arg-type]


@pytest.fixture
async def desk(opening: Open) -> AsyncIterator[Desk]:
    async with opening() as opened:
        journal = Noting(opened)
        room = Newsroom(journal, opened.mirror, lambda: NOON)
        for slug in ("world", "sport"):
            await room.configure(slug, {"title": slug.title()}, None)
        yield Desk(opened, journal, room, await room.add_token("anna", "a" * 8, (), importer=False))


async def test_a_record_that_writes_words_holds_all_of_them_and_names_its_base(
    desk: Desk,
) -> None:
    for condition in (None, ()):
        desk.journal.records.clear()
        post = await desk.submit(Verb.POST, headline="One", body="*Text*", tags=["a"])
        fix = await desk.submit(Verb.FIX, post, condition=condition, headline="Two")
        correct = await desk.submit(Verb.CORRECT, fix, condition=condition, note="not One")
        posted, fixed, corrected = [record for record in desk.journal.records]
        assert posted.content == post.content
        assert (fixed.content, fixed.base) == (fix.content, (post.version, post.check))
        assert fixed.content is not None
        assert (fixed.content.body, fixed.content.tags) == ("*Text*", ("a",))
        assert (corrected.content, corrected.base) == (correct.content, (fix.version, fix.check))


async def test_a_record_that_changes_no_words_repeats_none(desk: Desk) -> None:
    item = await desk.submit(Verb.POST, headline="One")
    desk.journal.records.clear()
    for verb in (Verb.HOLD, Verb.RELEASE, Verb.PIN, Verb.UNPIN):
        item = await desk.submit(verb, item, condition=())
    await desk.submit(Verb.KILL, item, condition=(), note="withdrawn")
    assert [(one.content, one.base) for one in desk.journal.records] == [(None, None)] * 5


async def test_a_change_of_any_version_that_loses_a_race_is_made_again_from_the_new_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await desk.submit(Verb.POST, headline="One")
    updates: list[Item] = []
    read = desk.opened.mirror.item

    async def slow(slug: str, item: int) -> Item | None:
        found = await read(slug, item)
        if len(updates) < 2:
            updates.append(post)  # not again within this one
            last = updates[-2] if len(updates) > 1 else post
            updates[-1] = await desk.submit(Verb.UPDATE, last, body=f"Text {len(updates)}")
        return found

    monkeypatch.setattr(desk.opened.mirror, "item", slow)
    fixed = await desk.submit(Verb.FIX, post, condition=(), headline="Two")
    last = desk.journal.records[-1]
    assert last.base == (updates[-1].version, updates[-1].check)
    assert (fixed.headline, fixed.body) == ("Two", updates[-1].body)  # nobody's words are lost


async def test_a_change_that_names_a_version_and_loses_a_race_is_stale(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await desk.submit(Verb.POST, headline="One")
    read = desk.opened.mirror.item

    async def slow(slug: str, item: int) -> Item | None:
        monkeypatch.undo()
        found = await read(slug, item)
        await desk.submit(Verb.UPDATE, post, headline="Two")
        return found

    monkeypatch.setattr(desk.opened.mirror, "item", slow)
    for verb, fields in ((Verb.FIX, {"body": "x"}), (Verb.KILL, {"note": "withdrawn"})):
        with pytest.raises(Stale) as stale:
            await desk.submit(verb, post, **fields)
        assert stale.value.current.headline == "Two"


async def test_a_change_waits_for_a_mirror_that_has_not_heard_of_its_base(desk: Desk) -> None:
    post = await desk.submit(Verb.POST, headline="One")
    machine = await desk.lagging(post)
    update = await desk.submit(Verb.UPDATE, post, headline="Two")
    submission = desk.submission(Verb.FIX, update, body="Text")
    fixing = asyncio.create_task(desk.behind(machine).submit(submission))
    done, _ = await asyncio.wait({fixing}, timeout=4 * newsroom.BEHIND_POLL)
    assert not done
    machine.is_level = True
    item = (await fixing).item
    assert (item.headline, item.body) == ("Two", "Text")
    assert desk.journal.records[-1].base == (update.version, update.check)


async def test_a_change_of_an_item_that_the_mirror_has_not_heard_of_waits_too(desk: Desk) -> None:
    other = await desk.submit(Verb.POST, headline="Other")
    machine = replace(await desk.lagging(other), old=None)
    post = await desk.submit(Verb.POST, headline="One")
    submission = desk.submission(Verb.FIX, post, body="Text")
    fixing = asyncio.create_task(desk.behind(machine).submit(submission))
    done, _ = await asyncio.wait({fixing}, timeout=4 * newsroom.BEHIND_POLL)
    assert not done
    machine.is_level = True
    assert (await fixing).item.id == post.id


async def test_a_change_whose_base_does_not_arrive_in_time_is_not_made(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newsroom, "BEHIND_SECONDS", 0.01)
    post = await desk.submit(Verb.POST, headline="One")
    machine = await desk.lagging(post)
    update = await desk.submit(Verb.UPDATE, post, headline="Two")
    head = await desk.opened.journal.head()
    with pytest.raises(Unavailable, match="retry"):
        await desk.behind(machine).submit(desk.submission(Verb.FIX, update, body="x"))
    assert await desk.opened.journal.head() == head


async def test_a_version_that_never_was_is_stale_and_not_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newsroom, "BEHIND_SECONDS", 1_000.0)
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
            for verb, fields in ((Verb.FIX, {"body": "x"}), (Verb.KILL, {"note": "withdrawn"})):
                with pytest.raises(Stale) as stale:
                    await desk.submit(verb, post, condition=(base,), **fields)
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


async def test_a_kill_takes_an_item_of_any_version_while_others_change_it(desk: Desk) -> None:
    item = await desk.submit(Verb.POST, headline="Zero")

    async def keeps_changing() -> None:
        last = item
        for number in range(20):
            last = await desk.submit(Verb.FIX, last, headline=f"Version {number}")

    changing = asyncio.create_task(keeps_changing())
    await asyncio.sleep(0)
    tombstone = await desk.submit(Verb.KILL, item, condition=(), note="withdrawn")
    with pytest.raises(Killed):
        await changing
    assert tombstone.status is Status.KILLED


async def test_a_redact_names_all_that_repeats_the_words_and_is_made_again_after_a_race(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await desk.submit(Verb.POST, headline="Ivan said", body="Text")
    update = await desk.submit(Verb.UPDATE, post, headline="A witness said")
    read = desk.opened.mirror.revisions

    async def slow(slug: str, item: int) -> Any:
        monkeypatch.undo()
        found = await read(slug, item)
        await desk.submit(Verb.PIN, update)
        return found

    monkeypatch.setattr(desk.opened.mirror, "revisions", slow)
    raw = {"version": post.version, "note": "a name"}
    outcome = await desk.room.submit(desk.submission(Verb.REDACT, update, condition=(), **raw))
    assert outcome.redacted == (post.version,)
    assert (outcome.item.headline, outcome.item.pinned) == ("A witness said", True)
    with pytest.raises(WrongState, match="already"):
        await desk.submit(Verb.REDACT, outcome.item, **raw)
    with pytest.raises(Invalid, match="no version"):
        await desk.submit(Verb.REDACT, outcome.item, version=10_000, note="n")


async def test_a_retry_of_what_was_redacted_is_answered_with_the_item_as_it_is(
    desk: Desk,
) -> None:
    first = desk.submission(Verb.POST, headline="Ivan said", key="k")
    post = (await desk.room.submit(first)).item
    item = await desk.submit(Verb.UPDATE, post, headline="A witness said")
    item = await desk.submit(Verb.REDACT, item, version=post.version, note="a name")
    for submission in (first, replace(first, raw={"headline": "Other"})):  # whatever its body
        outcome = await desk.room.submit(submission)
        assert (outcome.item, outcome.replayed) == (item, True)


async def test_feeds_are_changed_from_the_version_that_was_seen(desk: Desk) -> None:
    room = desk.room
    first = (await room.configure("world", {"summary": "One"}, desk.anna)).feed
    seen = ((first.version, first.version_check),)
    second = (await room.configure("world", {"title": "News"}, desk.anna, seen)).feed
    assert (second.title, second.summary) == ("News", "One")
    with pytest.raises(FeedStale) as stale:
        await room.configure("world", {"title": "Old"}, desk.anna, seen)
    assert stale.value.current == second
    answers = await asyncio.gather(
        *(room.configure("world", {name: name}, desk.anna) for name in ("title", "description"))
    )
    feed = await desk.opened.mirror.feed("world")
    assert feed is not None
    assert (feed.title, feed.description, feed.summary) == ("title", "description", "One")
    assert len({answer.feed.version for answer in answers}) == 2


async def test_of_two_that_create_a_feed_at_once_one_did(desk: Desk) -> None:
    answers = await asyncio.gather(
        *(desk.room.configure("new", {"title": f"By {n}"}, desk.anna) for n in range(5))
    )
    assert sorted(answer.created for answer in answers) == [False] * 4 + [True]


async def test_a_retry_of_a_feeds_change_does_nothing_twice(desk: Desk) -> None:
    raw = {"summary": "Three hurt"}
    first = await desk.room.configure("world", raw, desk.anna, key="k")
    await desk.room.configure("world", {"summary": "Four hurt"}, desk.anna)
    again = await desk.room.configure("world", raw, desk.anna, key="k")
    assert again.replayed
    assert again.feed.summary == "Three hurt"
    with pytest.raises(KeyReused):
        await desk.room.configure("world", {"summary": "Other"}, desk.anna, key="k")
    with pytest.raises(KeyReused):
        await desk.submit(Verb.POST, headline="One", key="k")
    assert not first.replayed


def public(outcome: FeedOutcome) -> object:
    return feed_json(outcome.feed, "https://news.example", f"{outcome.feed.head}")


async def test_a_retry_of_a_feeds_change_is_answered_as_the_first_try_was(desk: Desk) -> None:
    async def put(key: str, **raw: object) -> FeedOutcome:
        return await desk.room.configure("world", raw, desk.anna, key=key)

    async def redact(version: int) -> FeedOutcome:
        raw = {"verb": "redact", "version": version, "note": "a name"}
        return await desk.room.redact_feed("world", raw, desk.anna, (), key="redact")

    sent: dict[str, dict[str, object]] = {
        "close": {"closed": True, "summary": "One"},
        "title": {"title": "Closed", "language": "uk"},
        "typo": {"summary": "Two", "typo": True},
        "open": {"closed": False, "timezone": "Europe/Kyiv"},
        "last": {"summary": "Three", "description": "d"},
    }
    first = {key: public(await put(key, **raw)) for key, raw in sent.items()}
    await desk.submit(Verb.POST, headline="One")
    for key, raw in sent.items():
        again = await put(key, **raw)
        assert (again.replayed, public(again)) == (True, first[key]), key
    typo = (await put("typo", **sent["typo"])).feed.version
    redacted = public(await redact(typo))
    await put("again", title="New")
    now = await desk.opened.mirror.feed("world")
    assert now is not None
    assert public(await redact(typo)) == redacted
    for key in ("typo", "open"):  # whose words are erased
        assert public(await put(key, **sent[key])) == public(FeedOutcome(now)), key
    assert public(await put("title", **sent["title"])) == first["title"]


async def test_earlier_key_points_can_be_redacted_and_those_shown_cannot(desk: Desk) -> None:
    room = desk.room
    first = (await room.configure("world", {"summary": "Ivan was hurt"}, desk.anna)).feed
    await room.configure("world", {"title": "News"}, desk.anna)
    now = (await room.configure("world", {"summary": "A man was hurt"}, desk.anna)).feed
    seen = ((now.version, now.version_check),)
    raw = {"verb": "redact", "version": now.version, "note": "a name"}
    with pytest.raises(WrongState, match="shown now"):
        await room.redact_feed("world", raw, desk.anna, seen)
    outcome = await room.redact_feed("world", raw | {"version": first.version}, desk.anna, seen)
    assert len(outcome.redacted) == 2  # the change of title repeated them
    assert outcome.feed.summary == "A man was hurt"
    revisions = await desk.opened.mirror.feed_revisions("world")
    told = [one.settings.summary if one.settings else None for one in revisions[1:4]]
    assert told == [None, None, "A man was hurt"]
    with pytest.raises(FeedStale):
        await room.redact_feed("world", raw, desk.anna, seen)
