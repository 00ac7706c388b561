"""What every journal promises, told of the one in SQLite and of one that lags and has gaps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from support import records
from support.records import (
    MINUTE,
    NOON,
    SECOND,
    Open,
    Opened,
    assert_readable,
    content,
    edit,
    feed,
    followed,
    item_of,
    key,
    kill,
    made,
    post,
    revoke,
    token,
)

from feedserver.errors import (
    FeedClosed,
    Forbidden,
    Invalid,
    Killed,
    NotFound,
    Refused,
    Stale,
    Unauthorized,
    WrongState,
)
from feedserver.journal import History
from feedserver.model import Item, Origin, Record, Redaction, Status, Verb, random_id
from feedserver.rules import Change, Duplicate
from feedserver.wire import shown_bytes

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(opening: Open):
    """A journal with the feed world."""
    async with opening() as opened:
        await opened.journal.append(feed())
        yield opened


async def state(opened: Opened, slug: str = "world") -> object:
    """Return everything that a mirror knows of a feed."""
    mirror = opened.mirror
    page = await mirror.page(slug, 1_000)
    assert page is not None
    revisions = [await mirror.revisions(slug, item.id) for item in page.items]
    initial = await mirror.initial_state(slug, 1_000, 1_000)
    own = await mirror.feed_revisions(slug)
    return page, revisions, own, initial, await mirror.feeds(), await mirror.tokens()


async def test_a_feed_is_empty_until_its_first_item(here: Opened) -> None:
    await here.journal.append(feed("other"))
    assert await here.mirror.empty_feeds() == {"world", "other"}
    change = await here.journal.append(post("Bridge reopens"))
    assert change.item is not None
    assert await here.mirror.empty_feeds() == {"other"}


async def test_an_append_answers_with_what_was_decided_at_its_sequence(here: Opened) -> None:
    record = post("Bridge reopens", tags=["sumy"])
    change = await here.journal.append(record)
    assert change.check == record.rid[:4]
    assert change.effective_at == NOON
    item = item_of(change)
    assert (item.id, item.version, item.headline, item.tags) == (
        change.sequence,
        change.sequence,
        "Bridge reopens",
        ("sumy",),
    )
    assert change.feed is not None
    assert (change.feed.head, change.feed.check) == (change.sequence, change.check)
    assert await here.mirror.item("world", item.id) == item
    assert await here.mirror.feed("world") == change.feed
    assert await here.journal.head() == change.sequence


async def test_sequences_only_grow(here: Opened) -> None:
    changes = await made(here.journal, *(post(f"News {n}") for n in range(20)))
    sequences = [change.sequence for change in changes]
    assert sequences == sorted(set(sequences))


async def test_a_refused_record_changes_nothing_and_moves_no_head(here: Opened) -> None:
    item = item_of(await here.journal.append(post()))
    before, head = await state(here), await here.journal.head()
    for refused in (
        post(slug="nowhere"),
        edit(item, Verb.RELEASE),
        Record(random_id(), Verb.FIX, NOON, feed="world", item=99_999, content=content("x")),
        edit(item, Verb.UPDATE, headline="By nobody", editor="nobody"),
        feed("untitled", title=""),
    ):
        with pytest.raises(Refused):
            await here.journal.append(refused)
    assert await state(here) == before
    assert await here.journal.head() == head
    last = await here.journal.append(post("After"))
    assert [c.sequence for c in await followed(here.journal, head, last.sequence)] == [
        last.sequence
    ]


async def test_follow_yields_every_accepted_change_once_and_in_order_from_any_point(
    here: Opened,
) -> None:
    head = await here.journal.head()
    changes = await made(here.journal, *(post(f"News {n}") for n in range(30)))
    sequences = [change.sequence for change in changes]
    last = sequences[-1]
    assert [c.sequence for c in await followed(here.journal, head, last)] == sequences
    for start in (0, 7, 28):
        found = await followed(here.journal, sequences[start], last)
        assert [c.sequence for c in found] == sequences[start + 1 :]


async def test_who_follows_while_news_is_appended_misses_and_repeats_nothing(here: Opened) -> None:
    head = await here.journal.head()
    early = asyncio.create_task(_collect(here, head, 60))
    first = await made(here.journal, *(post(f"News {n}") for n in range(20)))
    late = asyncio.create_task(_collect(here, first[9].sequence, 50))
    rest = await asyncio.gather(
        *(here.journal.append(post(f"More {n}")) for n in range(40))  # a burst, grouped
    )
    sequences = [c.sequence for c in first] + sorted(c.sequence for c in rest)
    assert [c.sequence for c in await early] == sequences
    assert [c.sequence for c in await late] == sequences[10:]


async def _collect(here: Opened, after: int, count: int) -> list[Change]:
    found: list[Change] = []
    async for group in here.journal.follow(after):
        assert group
        found += group
        if len(found) >= count:
            break
    return found


async def test_a_change_can_be_read_before_it_is_yielded(here: Opened) -> None:
    head = await here.journal.head()
    appending = asyncio.gather(*(here.journal.append(post(f"News {n}")) for n in range(50)))
    count = 0
    async for group in here.journal.follow(head):
        for change in group:
            await assert_readable(here, change)
        count += len(group)
        if count == 50:
            break
    await appending


async def test_what_is_followed_is_never_older_than_the_change_that_names_it(
    opening: Open,
) -> None:
    async with opening() as opened:
        await opened.journal.append(feed())
        item = item_of(await opened.journal.append(post("One")))
        for headline in ("Two", "Three"):
            item = item_of(await opened.journal.append(edit(item, Verb.FIX, headline=headline)))
        await opened.journal.append(edit(item, Verb.PIN))
        head = await opened.journal.head()
    async with opening() as opened:
        for change in await followed(opened.journal, 0, head):
            assert change.feed is not None
            assert change.feed.head >= change.sequence
            if change.item is not None:
                assert change.item.version >= change.sequence


async def test_everything_is_there_when_it_is_opened_again(opening: Open) -> None:
    async with opening() as opened:
        await made(opened.journal, feed(), token("anna", "world"), token("ben", importer=True))
        item = item_of(
            await opened.journal.append(post(editor="anna", retry_key=key(), tags=["a"]))
        )
        await made(opened.journal, edit(item, Verb.CORRECT, note="4, not 7"), revoke("ben"))
        before, identity = await state(opened), opened.journal.identity
        head = await opened.journal.head()
    async with opening() as opened:
        assert opened.journal.identity == identity
        assert await opened.journal.head() == head
        assert await state(opened) == before


async def test_another_journal_has_another_identity(tmp_path: Path) -> None:
    identities = set()
    for opening in (
        records.in_sqlite(tmp_path / "one"),
        records.in_sqlite(tmp_path / "two"),
        records.in_memory(),
    ):
        async with opening() as opened:
            identities |= {opened.journal.identity.epoch, opened.journal.identity.salt}
    assert len(identities) == 6


async def test_a_key_used_before_is_a_duplicate_also_after_reopening(opening: Open) -> None:
    async with opening() as opened:
        await made(opened.journal, feed(), feed("sport"), token("anna"), token("ben"))
        first = await opened.journal.append(post("First", editor="anna", retry_key=key()))
    async with opening() as opened:
        with pytest.raises(Duplicate) as duplicate:
            await opened.journal.append(post("Again", editor="anna", retry_key=key()))
        assert duplicate.value.sequence == first.sequence
        retry = await opened.mirror.retry(key().mac)
        assert retry is not None
        assert (retry.revision.version, retry.digest) == (first.sequence, key().digest)
        assert retry.current == retry.revision.item == first.item
        await opened.journal.append(post(editor="anna", retry_key=key("other")))


async def test_a_duplicate_is_told_before_any_rule_of_items_and_feeds(here: Opened) -> None:
    await here.journal.append(token())
    item = item_of(await here.journal.append(post()))
    held = await here.journal.append(edit(item, Verb.HOLD, editor="anna", retry_key=key()))
    posted = await here.journal.append(post(editor="anna", retry_key=key("post")))
    await here.journal.append(feed(before=await here.mirror.feed("world"), closed=True))
    for again, sequence in (
        (edit(item, Verb.HOLD, editor="anna", retry_key=key()), held.sequence),  # stale, and held
        (post(editor="anna", retry_key=key("post")), posted.sequence),  # to a closed feed
    ):
        with pytest.raises(Duplicate) as duplicate:
            await here.journal.append(again)
        assert duplicate.value.sequence == sequence


async def test_of_appends_with_one_key_at_the_same_time_one_is_made(here: Opened) -> None:
    await here.journal.append(token())
    answers = await asyncio.gather(
        *(here.journal.append(post(editor="anna", retry_key=key())) for _ in range(10)),
        return_exceptions=True,
    )
    [made_one] = [answer for answer in answers if isinstance(answer, Change)]
    told = [answer.sequence for answer in answers if isinstance(answer, Duplicate)]
    assert told == [made_one.sequence] * 9
    page = await here.mirror.page("world", 10)
    assert page is not None
    assert len(page.items) == 1


async def test_of_edits_of_one_version_at_the_same_time_one_wins(here: Opened) -> None:
    item = item_of(await here.journal.append(post()))
    answers = await asyncio.gather(
        *(here.journal.append(edit(item, Verb.FIX, headline=f"By {n}")) for n in range(10)),
        return_exceptions=True,
    )
    [winner] = [item_of(answer) for answer in answers if isinstance(answer, Change)]
    losers = [answer for answer in answers if isinstance(answer, Stale)]
    assert len(losers) == 9
    assert {loser.current for loser in losers} == {winner}


async def test_the_same_version_number_of_another_journal_is_stale(here: Opened) -> None:
    item = item_of(await here.journal.append(post()))
    record = Record(
        random_id(), Verb.HOLD, NOON, feed="world", item=item.id, base=(item.version, "none")
    )
    with pytest.raises(Stale):
        await here.journal.append(record)


async def test_a_closed_feed_refuses_new_news_and_takes_what_responsibility_asks(
    here: Opened,
) -> None:
    first, second, third = [
        item_of(change) for change in await made(here.journal, post(), post(), post())
    ]
    third = item_of(await here.journal.append(edit(third, Verb.PIN)))
    world = await here.mirror.feed("world")
    closed = await here.journal.append(feed(at=NOON + MINUTE, before=world, closed=True))
    assert closed.feed is not None
    assert closed.feed.closed_at == NOON + MINUTE
    for refused in (post(), edit(first, Verb.UPDATE, headline="x"), edit(first, Verb.PIN)):
        with pytest.raises(FeedClosed):
            await here.journal.append(refused)
    first = item_of(await here.journal.append(edit(first, Verb.FIX, headline="x")))
    first = item_of(await here.journal.append(edit(first, Verb.HOLD)))
    first = item_of(await here.journal.append(edit(first, Verb.RELEASE)))
    await made(
        here.journal,
        edit(first, Verb.CORRECT, note="4, not 7"),
        kill(second),
        edit(third, Verb.UNPIN),
    )
    again = await here.journal.append(feed(at=NOON + 2 * MINUTE, before=closed.feed, closed=True))
    assert again.feed is not None
    assert again.feed.closed_at == NOON + MINUTE  # it was closed then
    reopened = await here.journal.append(feed(before=again.feed, closed=False))
    assert reopened.feed is not None
    assert reopened.feed.closed_at is None
    await here.journal.append(post())


async def test_an_editor_whose_token_is_revoked_meanwhile_is_refused(here: Opened) -> None:
    await here.journal.append(token())
    item = item_of(await here.journal.append(post(editor="anna")))
    await here.journal.append(revoke())
    for record in (post(editor="anna"), edit(item, Verb.HOLD, editor="anna")):
        with pytest.raises(Unauthorized):
            await here.journal.append(record)
    with pytest.raises(WrongState, match="already"):
        await here.journal.append(revoke())
    await here.journal.append(token())  # the name may be given again
    await here.journal.append(post(editor="anna"))


async def test_a_token_does_what_it_was_made_for(here: Opened) -> None:
    await made(here.journal, feed("sport"), token("anna", "sport"))
    await here.journal.append(post(slug="sport", editor="anna"))
    for record in (
        post(editor="anna"),
        post(slug="sport", editor="anna", claimed_at=NOON - MINUTE),
        post(slug="sport", editor="anna", origin=Origin("https://a.example", "1")),
        feed("new", editor="anna"),
        feed("sport", before=await here.mirror.feed("sport"), editor="anna", closed=True),
    ):
        with pytest.raises(Forbidden):
            await here.journal.append(record)
    with pytest.raises(WrongState):
        await here.journal.append(token("anna"))


async def test_an_item_is_found_only_in_its_own_feed(here: Opened) -> None:
    await here.journal.append(feed("sport"))
    change = await here.journal.append(post())
    item = item_of(change)
    assert await here.mirror.item("sport", item.id) is None
    assert await here.mirror.revisions("sport", item.id) == ()
    assert await here.mirror.check("sport", change.sequence) is None
    assert await here.mirror.item("world", item.id + 100) is None
    assert await here.mirror.page("nowhere", 1) is None
    assert await here.mirror.initial_state("nowhere", 1, 1) is None
    record = Record(random_id(), Verb.HOLD, NOON, feed="sport", item=item.id)
    with pytest.raises(NotFound):
        await here.journal.append(record)


async def test_one_feeds_news_does_not_move_the_head_of_another(here: Opened) -> None:
    sport = (await here.journal.append(feed("sport"))).feed
    await made(here.journal, post(), post())
    assert await here.mirror.feed("sport") == sport


async def test_a_time_a_little_ahead_becomes_now_and_a_past_one_stays(here: Opened) -> None:
    ahead = await here.journal.append(post(published_at=NOON + MINUTE))
    assert item_of(ahead).published_at == NOON
    past = await here.journal.append(post(published_at=NOON - 90 * MINUTE))
    assert item_of(past).published_at == NOON - 90 * MINUTE
    at_the_epoch = await here.journal.append(post(published_at=0))
    assert item_of(at_the_epoch).published_at == 0


async def test_a_clock_that_steps_back_does_not_file_news_below_older_news(here: Opened) -> None:
    await here.journal.append(post(at=NOON))
    stepped = await here.journal.append(post(at=NOON - 9 * MINUTE))
    assert item_of(stepped).published_at == NOON
    # What an editor dated himself is no reason to move the next one's time.
    await here.journal.append(post(at=NOON + 5 * SECOND, published_at=NOON + 5 * SECOND))
    after = await here.journal.append(post(at=NOON + SECOND))
    assert item_of(after).published_at == NOON + SECOND


async def test_a_clock_that_was_ahead_by_ten_minutes_is_not_followed(here: Opened) -> None:
    await here.journal.append(post(at=NOON))
    put_right = await here.journal.append(post(at=NOON - 10 * MINUTE))
    assert item_of(put_right).published_at == NOON - 10 * MINUTE
    # But it is not forgotten: from then on what is new stands on top.
    later = await here.journal.append(post(at=NOON - 5 * MINUTE))
    assert item_of(later).published_at == NOON


async def test_times_of_one_item_do_not_run_backwards(here: Opened) -> None:
    item = item_of(await here.journal.append(post(at=NOON)))
    update = edit(item, Verb.UPDATE, at=NOON - MINUTE, headline="x")
    assert item_of(await here.journal.append(update)).updated_at == NOON


async def test_an_import_comes_at_its_own_times_but_not_before_the_previous_one(
    here: Opened,
) -> None:
    await here.journal.append(token(importer=True))
    then = NOON - 60 * MINUTE
    item = item_of(await here.journal.append(post(editor="anna", claimed_at=then)))
    assert (item.published_at, item.imported) == (then, True)
    early = edit(item, Verb.UPDATE, editor="anna", claimed_at=then - 1, headline="x")
    with pytest.raises(Invalid):
        await here.journal.append(early)
    later = edit(item, Verb.CORRECT, editor="anna", claimed_at=then + MINUTE, note="4, not 7")
    item = item_of(await here.journal.append(later))
    assert item.updated_at == item.corrections[0].at == then + MINUTE
    revisions = await here.mirror.revisions("world", item.id)
    assert [one.effective_at for one in revisions] == [then, then + MINUTE]
    assert [one.at for one in revisions] == [NOON, NOON]  # the true time beside it


async def test_an_import_may_date_from_the_first_second_of_1970(here: Opened) -> None:
    await here.journal.append(token(importer=True))
    item = item_of(await here.journal.append(post(editor="anna", claimed_at=0)))
    assert item.published_at == 0
    hold = edit(item, Verb.UPDATE, editor="anna", claimed_at=0, headline="x")
    assert item_of(await here.journal.append(hold)).updated_at == 0


async def test_what_was_imported_once_is_not_imported_again(here: Opened) -> None:
    await made(here.journal, feed("sport"), token(importer=True))
    origin = Origin("https://old.example/feed", "17")
    imported = {"editor": "anna", "claimed_at": NOON - MINUTE, "origin": origin}
    await here.journal.append(post(**imported))
    with pytest.raises(WrongState):
        await here.journal.append(post(**imported))
    await here.journal.append(post(slug="sport", **imported))


async def test_each_verb_leads_to_a_whole_state_that_can_be_read_again(here: Opened) -> None:
    media = [{"url": "https://a.example/p.jpg", "alt": "A bridge"}]
    states = [
        item_of(await here.journal.append(post("One", tags=["a"], body="*Text*", media=media)))
    ]

    async def do(verb: Verb, at: int, **more: object) -> Item:
        states.append(item_of(await here.journal.append(edit(states[-1], verb, at, **more))))
        return states[-1]

    item = await do(Verb.FIX, NOON, headline="Two", body=None)
    assert (item.headline, item.body, item.updated_at) == ("Two", "", None)
    item = await do(Verb.UPDATE, NOON + 1, tags=["b", "c"])
    assert (item.tags, item.updated_at) == (("b", "c"), NOON + 1)
    await do(Verb.CORRECT, NOON + 2, note="first")
    item = await do(Verb.CORRECT, NOON + 3, note="second")
    assert [(c.at, c.note) for c in item.corrections] == [(NOON + 2, "first"), (NOON + 3, "second")]
    item = await do(Verb.HOLD, NOON + 4)
    assert (item.status, item.updated_at) == (Status.HELD, NOON + 3)
    item = await do(Verb.RELEASE, NOON + 5)
    assert item.status is Status.LIVE
    item = await do(Verb.PIN, NOON + 6)
    assert item.pinned
    assert item.published_at == NOON
    revisions = await here.mirror.revisions("world", item.id)
    assert [one.item for one in revisions] == states
    assert await here.mirror.item("world", item.id) == item


async def test_a_history_is_read_from_the_newest_on_as_far_as_there_is_room(here: Opened) -> None:
    item = item_of(await here.journal.append(post("One", body="ä" * 500)))
    for at, verb in enumerate((Verb.FIX, Verb.UPDATE, Verb.HOLD, Verb.CORRECT, Verb.PIN), 1):
        change = edit(item, verb, NOON + at, note="n", headline=f"{verb}", body="ä" * 500)
        item = item_of(await here.journal.append(change))
    revisions = await here.mirror.revisions("world", item.id)
    lines = [one for one in revisions if one.act in {Verb.POST, Verb.UPDATE, Verb.CORRECT}]
    sizes = list(map(shown_bytes, lines))
    assert min(sizes) > 1000  # bytes, not letters
    for count in range(4):
        for room in (sum(sizes[3 - count :]), sum(sizes[3 - count :]) + sizes[0] // 2):
            history = await here.mirror.history("world", item.id, room)
            expected = History(item, tuple(lines[3 - count :]), is_whole=count == 3)
            assert history == expected, (count, room)
    assert await here.mirror.history("sport", item.id, 1_000_000) is None
    assert await here.mirror.history("world", 999_999, 1_000_000) is None
    tombstone = item_of(await here.journal.append(kill(item)))
    assert await here.mirror.history("world", item.id, 1_000_000) == History(tombstone, ())


async def test_a_retry_key_leads_to_the_revision_as_all_revisions_have_it(here: Opened) -> None:
    await made(here.journal, token(importer=True))
    imported = {"editor": "anna", "claimed_at": NOON - MINUTE, "retry_key": key("post")}
    item = item_of(await here.journal.append(post("One", **imported)))
    verbs = (Verb.PIN, Verb.UPDATE, Verb.HOLD, Verb.FIX, Verb.REDACT, Verb.CORRECT, Verb.KILL)
    used = ["post", *map(str, verbs), "note"]
    for at, verb in enumerate(verbs, 1):
        more = {"redaction": Redaction(item.id, (item.id,))} if verb is Verb.REDACT else {}
        change = edit(
            item, verb, NOON + at, note="n", headline=f"{verb}", editor="anna",
            retry_key=key(str(verb)), **more,
        )  # fmt: skip
        item = item_of(await here.journal.append(change))
        await same_by_key(here, item, used[: at + 1])
    redact = Redaction(item.version, (item.version,))
    change = edit(
        item, Verb.REDACT, NOON + 9, note="N", editor="anna", redaction=redact,
        retry_key=key("note"),
    )  # fmt: skip
    await same_by_key(here, item_of(await here.journal.append(change)), used)


async def same_by_key(here: Opened, item: Item, used: list[str]) -> None:
    """Compare all revisions of an item with those that the keys lead to."""
    revisions = await here.mirror.revisions("world", item.id)
    assert len(revisions) == len(used)
    for name, revision in zip(used, revisions, strict=True):
        retry = await here.mirror.retry(key(name).mac)
        assert retry is not None
        assert retry.revision == revision, name


@pytest.mark.parametrize("verb", [v for v in Verb if v is not Verb.POST])
async def test_a_killed_item_takes_no_further_verb(here: Opened, verb: Verb) -> None:
    item = item_of(await here.journal.append(post()))
    tombstone = item_of(await here.journal.append(kill(item)))
    more = {"redaction": Redaction(item.id, (item.id,))} if verb is Verb.REDACT else {}
    with pytest.raises(Killed) as killed:
        await here.journal.append(edit(tombstone, verb, note="x", **more))
    assert killed.value.tombstone == tombstone


async def test_a_kill_leaves_nothing_of_the_text(here: Opened) -> None:
    await here.journal.append(token())
    item = item_of(
        await here.journal.append(
            post("Grivna", body="Zolotnik", tags=["pud"], editor="anna", retry_key=key("post"))
        )
    )
    checks = {item.version: item.check}
    item = item_of(
        await here.journal.append(
            edit(item, Verb.CORRECT, headline="Arshin", note="not Grivna", editor="anna")
        )
    )
    checks[item.version] = item.check
    other = item_of(await here.journal.append(post("Arshin", body="Zolotnik", tags=["pud"])))
    record = kill(item, NOON + MINUTE, editor="anna", retry_key=key("kill"))
    tombstone = item_of(await here.journal.append(record))

    assert (tombstone.status, tombstone.headline, tombstone.note, tombstone.killed_at) == (
        Status.KILLED,
        "",
        "withdrawn",
        NOON + MINUTE,
    )
    assert await here.mirror.item("world", item.id) == tombstone
    revisions = await here.mirror.revisions("world", item.id)
    assert [one.act for one in revisions] == [Verb.POST, Verb.CORRECT, Verb.KILL]
    assert [(one.item, one.note, one.erased_at) for one in revisions[:2]] == [
        (None, None, NOON + MINUTE)
    ] * 2
    assert [one.check for one in revisions[:2]] == [checks[one.version] for one in revisions[:2]]
    assert (revisions[2].note, revisions[2].item) == ("withdrawn", tombstone)

    posted = await here.mirror.retry(key("post").mac)
    killed = await here.mirror.retry(key("kill").mac)
    assert posted is not None
    assert (posted.current, posted.digest, posted.killed_at) == (
        tombstone,
        None,
        tombstone.version,
    )
    assert killed is not None
    assert killed.digest == key("kill").digest

    initial = await here.mirror.initial_state("world", 10, 10)
    plain = await here.mirror.page("world", 10)
    assert initial is not None
    assert plain is not None
    assert plain.items == initial.newest == (other, tombstone)
    assert initial.recent == (tombstone, other)
    for question in ({"tag": "pud"}, {"words": "zolotnik"}, {"words": "arsh"}):
        page = await here.mirror.page("world", 10, **question)
        assert page is not None
        assert page.items == (other,), question
    page = await here.mirror.page("world", 10, words="grivna")
    assert page is not None
    assert page.items == ()


async def test_who_follows_from_before_a_kill_is_not_told_the_text(here: Opened) -> None:
    head = await here.journal.head()
    item = item_of(await here.journal.append(post("Grivna", body="Zolotnik")))
    item = item_of(await here.journal.append(edit(item, Verb.FIX, headline="Arshin")))
    other = await here.journal.append(post("Other"))
    killed = await here.journal.append(kill(item))
    changes = await followed(here.journal, head, killed.sequence)
    assert len(changes) == 4
    assert [item_of(change).headline for change in changes] == ["", "", "Other", ""]
    assert item_of(changes[2]) == item_of(other)


async def test_the_key_of_a_killed_item_is_still_a_duplicate(opening: Open) -> None:
    async with opening() as opened:
        await made(opened.journal, feed(), token())
        item = item_of(await opened.journal.append(post(editor="anna", retry_key=key())))
        await opened.journal.append(kill(item))
    async with opening() as opened:
        with pytest.raises(Duplicate):
            await opened.journal.append(post(editor="anna", retry_key=key()))
        assert await opened.mirror.check("world", item.version) == item.check


async def test_pages_walk_through_a_whole_feed_without_gap_or_overlap(here: Opened) -> None:
    # Three items to each time, so that a page's edge falls among equals.
    changes = await made(
        here.journal,
        *(post(f"News {n}", published_at=NOON - (n // 3) * SECOND) for n in range(20)),
    )
    due = sorted((item_of(c) for c in changes), key=lambda item: item.order, reverse=True)
    for limit in (1, 2, 7, 20):
        found, before = [], None
        while True:
            page = await here.mirror.page("world", limit, before)
            assert page is not None
            assert len(page.items) <= limit
            found += page.items
            if page.next is None:
                break
            before = page.next
        assert found == due


async def test_pages_of_held_items_have_all_of_them_and_no_others(here: Opened) -> None:
    changes = await made(
        here.journal,
        *(post(f"News {n}", published_at=NOON - (n // 3) * SECOND) for n in range(12)),
    )
    items = sorted((item_of(c) for c in changes), key=lambda item: item.order, reverse=True)
    for item in items[::2]:
        assert item_of(await here.journal.append(edit(item, Verb.HOLD))).status is Status.HELD
    freed, gone = items[2], items[4]
    for verb, item in ((Verb.RELEASE, freed), (Verb.KILL, gone)):
        now = await here.mirror.item("world", item.id)
        assert now is not None
        await made(here.journal, kill(now) if verb is Verb.KILL else edit(now, verb))
    due = [item.id for item in items[::2] if item not in (freed, gone)]
    found, before = [], None
    while True:
        page = await here.mirror.page("world", 3, before, held=True)
        assert page is not None
        found += [item.id for item in page.items]
        if page.next is None:
            break
        before = page.next
    assert found == due


async def test_a_page_around_an_item_has_it_in_its_middle_and_leads_both_ways(here: Opened) -> None:
    changes = await made(
        here.journal,
        *(post(f"News {n}", published_at=NOON - (n // 3) * SECOND) for n in range(11)),
    )
    items = sorted((item_of(c) for c in changes), key=lambda item: item.order, reverse=True)
    gone = item_of(await here.journal.append(kill(items[4])))
    items[4] = gone
    for limit in (1, 2, 3, 6, 20):
        for place, item in enumerate(items):
            page = await here.mirror.page_around("world", limit, item.id)
            assert page is not None
            start = max(0, place - (limit - 1) // 2)
            assert list(page.items) == items[start : start + limit]
            assert (page.previous is None) == (start == 0)
            assert (page.next is None) == (start + limit >= len(items))
            above, before = [], page.previous
            while before:
                up = await here.mirror.page_after("world", limit, before)
                assert up is not None
                assert up.next == up.items[-1].order
                above[:0], before = up.items, up.previous
            assert above == items[:start]
    assert await here.mirror.page_around("world", 3, 999) is None
    assert await here.mirror.page_around("nowhere", 3, items[0].id) is None
    assert await here.mirror.page_after("nowhere", 3, items[0].order) is None
    ids = [item.id for item in items if item is not gone]
    for place, item in enumerate(ids):
        newer = ids[place - 1] if place else None
        assert await here.mirror.neighbours("world", item) == (
            newer,
            (ids[place + 1 :] or [None])[0],
        )
    assert await here.mirror.neighbours("world", gone.id) == (ids[3], ids[4])
    assert await here.mirror.neighbours("nowhere", gone.id) == (None, None)


async def test_words_and_tags_find_what_the_items_say_now(here: Opened) -> None:
    item = item_of(await here.journal.append(post("Storm in Sumy", body="A *tree* fell")))
    calm = item_of(await here.journal.append(post("Calm", tags=["weather"])))

    async def found(**question: str) -> list[int]:
        page = await here.mirror.page("world", 10, **question)
        assert page is not None
        return [item.id for item in page.items]

    for words in ("storm", "SUMY storm", "tree", "fell", "storm tree", "STOR", "tree sumy"):
        assert await found(words=words) == [item.id], words
    # What begins like a word is found from four letters on, and only where nothing follows it.
    for words in ("fel", "storm tre", "stor sumy"):
        assert await found(words=words) == [], words
    assert await found(words="storm calm") == []
    assert await found(tag="weather") == await found(tag="Weather") == [calm.id]
    await here.journal.append(edit(item, Verb.UPDATE, headline="Gale in Sumy", tags=["weather"]))
    assert await found(words="storm") == []
    assert await found(words="gale") == [item.id]
    assert await found(tag="weather") == [calm.id, item.id]
    assert await found(tag="weather", words="calm") == [calm.id]
    # One field changed is enough.
    calm = item_of(await here.journal.append(edit(calm, Verb.FIX, tags=["sea"])))
    assert await found(tag="sea") == await found(words="sea") == [calm.id]
    calm = item_of(await here.journal.append(edit(calm, Verb.FIX, body="Not a breeze")))
    assert await found(words="breeze") == [calm.id]
    calm = item_of(await here.journal.append(edit(calm, Verb.FIX, headline="Lull")))
    assert await found(words="lull") == await found(words="breeze", tag="sea") == [calm.id]
    assert await found(words="calm") == []


async def test_an_initial_state_has_what_a_window_starts_from(here: Opened) -> None:
    changes = await made(
        here.journal, *(post(f"News {n}", published_at=NOON - n * SECOND) for n in range(60))
    )
    items = [item_of(change) for change in changes]
    pinned = item_of(await here.journal.append(edit(items[59], Verb.PIN)))
    last = item_of(await here.journal.append(edit(items[58], Verb.HOLD)))
    initial = await here.mirror.initial_state("world", 5, 4)
    assert initial is not None
    assert initial.newest == tuple(items[:51])  # one more than a snapshot shows
    assert initial.pinned == (pinned,)
    assert initial.recent == (last, pinned, *items[57:54:-1])
    assert initial.checks == {i.version: i.check for i in (last, pinned, items[59], items[58])}
    assert (initial.feed.head, initial.feed.check) == (last.version, last.check)
    assert initial.oldest == items[50].order
    assert initial.complete_after == items[55].version - 1


async def test_an_initial_state_knows_when_a_fact_changed_last(here: Opened) -> None:
    old, hoax, story = [
        item_of(await here.journal.append(post(published_at=NOON + n * SECOND))) for n in range(3)
    ]
    killed_at, later = NOON + 9 * SECOND, NOON + 20 * SECOND
    await here.journal.append(kill(hoax, killed_at))
    for verb in (Verb.HOLD, Verb.RELEASE, Verb.PIN):
        story = item_of(await here.journal.append(edit(story, verb, later)))
    await here.journal.append(edit(old, Verb.FIX, later, headline="Older"))
    initial = await here.mirror.initial_state("world", 1, 10)
    assert initial is not None
    assert initial.changed_at == killed_at
    assert [item.id for item in initial.recent] == [old.id], "which do not tell"
    feed = await here.mirror.feed("world")
    assert feed is not None
    assert feed.head_at == initial.feed.head_at == later


async def test_the_newest_live_items_of_all_feeds_are_told_without_their_words(
    here: Opened,
) -> None:
    await here.journal.append(feed("other"))
    items = [
        item_of(
            await here.journal.append(
                post(
                    f"News {n}", slug=slug, published_at=NOON - n * SECOND, body="b", breaking=True
                )
            )
        )
        for n, slug in enumerate(["world", "other", "world", "other", "world", "other"])
    ]
    held = item_of(await here.journal.append(edit(items[1], Verb.HOLD)))
    killed = item_of(await here.journal.append(kill(items[2])))
    fixed = item_of(await here.journal.append(edit(items[3], Verb.FIX, headline="Fixed")))
    newest = await here.mirror.newest_live(NOON - 5 * SECOND, 10)
    assert [(item.id, item.version) for item in newest] == [
        (items[0].id, items[0].version),
        (fixed.id, fixed.version),
        (items[4].id, items[4].version),
    ]
    assert [item.feed for item in newest] == ["world", "other", "world"]
    assert all((item.headline, item.body, item.breaking) == ("", "", True) for item in newest)
    assert await here.mirror.newest_live(NOON - 5 * SECOND, 2) == newest[:2]
    told = await here.mirror.headlines([killed.id, fixed.id, held.id, 999])
    assert {item.id: item.headline for item in told} == {
        held.id: "News 1",
        fixed.id: "Fixed",
        killed.id: "",
    }
    assert replace(next(i for i in told if i.id == fixed.id), headline="") == newest[1]


async def test_an_initial_state_of_a_short_feed_says_that_it_is_all(here: Opened) -> None:
    items = [item_of(change) for change in await made(here.journal, *(post() for _ in range(50)))]
    initial = await here.mirror.initial_state("world", 51, 4)
    assert initial is not None
    assert len(initial.newest) == len(initial.recent) == len(items)
    assert (initial.oldest, initial.complete_after) == (None, 0)
