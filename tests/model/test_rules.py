"""What a record does to the state, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedserver.draft import Draft
from feedserver.errors import (
    FeedClosed,
    FeedError,
    FeedStale,
    Forbidden,
    Invalid,
    Killed,
    NotFound,
    Stale,
    Unauthorized,
    WrongState,
)
from feedserver.model import (
    CORRECTIONS_MAX,
    Act,
    Content,
    Correction,
    Feed,
    FeedSettings,
    Item,
    Origin,
    Record,
    Redaction,
    Status,
    Token,
    TokenSettings,
    Verb,
)
from feedserver.rules import WRITES_WORDS, Change, Duplicate, Known, decide, steady, time_of

FEED = Feed("world", "World", 0, 1, 5, "head", rid="feed", version_check="feed", words_at=1)
ITEM = Item(
    3, "world", 5, "abcd", 100, rid="first", headline="h", body="b", words_at=5, touched_at=100
)
ANNA = Token("anna", "digest", importer=True)
OTHERS = [verb for verb in Verb if verb is not Verb.POST]
KNOWN = Known(FEED, ITEM, ANNA, redacted=Verb.POST)
"""Version 3 of the item is the post, whose words are superseded."""


def record(
    verb: Verb | Act,
    at: int = 1000,
    fields: dict[str, Any] | None = None,
    of: Item | None = None,
    **rest: Any,
) -> Record:
    """Make a record, with the content that `fields` make of the item `of`."""
    base: dict[str, Any] = {"feed": "world", "editor": "anna"}
    if verb is not Verb.POST and isinstance(verb, Verb):
        base |= {"item": 3}
    if verb in WRITES_WORDS:
        before = of.content if of is not None else Content("h")
        content = Draft(fields or {}).applied_to(before)
        if verb is Verb.CORRECT and of is not None:
            shown = Correction(time_of(at, rest.get("claimed_at"), of), rest.get("note") or "")
            content = replace(content, corrections=(*content.corrections, shown))
        base |= {"content": content}
    if verb is Verb.REDACT:
        base |= {"redaction": Redaction(3, (3,))}
    if verb is Act.FEED:
        base |= {"settings": replace(FEED.settings, **fields or {}), "base": (1, "feed")}
    if "origin" in rest:
        base |= {"origin_mac": b"origin"}
    return Record("rid-" + "x" * 12, verb, at, **(base | rest))


def do(verb: Verb | Act, sequence: int = 9, *, known: Known = KNOWN, **rest: Any) -> Change:
    of = known.item if verb is not Verb.POST else None
    return decide(record(verb, of=of, **rest), sequence, known)


def knowing(item: Item | None = ITEM, feed: Feed | None = FEED, **more: Any) -> Known:
    return replace(KNOWN, item=item, feed=feed, **more)


def state(change: Change) -> Item:
    assert change.item is not None
    return change.item


def fitting(verb: Verb) -> Item:
    """Return an item that takes the verb."""
    return replace(
        ITEM,
        status=Status.HELD if verb is Verb.RELEASE else Status.LIVE,
        pinned=verb is Verb.UNPIN,
    )


@pytest.mark.parametrize(
    ("verb", "updated_at", "corrections"),
    [
        (Verb.FIX, None, ()),
        (Verb.UPDATE, 1000, ()),
        (Verb.CORRECT, 1000, (Correction(1000, "n"),)),
        (Verb.HOLD, None, ()),
        (Verb.RELEASE, None, ()),
        (Verb.PIN, None, ()),
        (Verb.UNPIN, None, ()),
        (Verb.REDACT, None, ()),
    ],
)
def test_only_update_and_correct_say_updated_and_only_correct_leaves_a_note(
    verb: Verb, updated_at: int | None, corrections: tuple[Correction, ...]
) -> None:
    item = state(do(verb, known=knowing(fitting(verb)), note="n"))
    assert (item.updated_at, item.corrections) == (updated_at, corrections)
    assert (item.version, item.check, item.published_at) == (9, "rid-", 100)
    assert item.note is None


def test_correction_notes_accumulate_and_stay() -> None:
    item = replace(ITEM, corrections=(Correction(1, "one"),))
    corrected = state(do(Verb.CORRECT, known=knowing(item), note="two"))
    assert corrected.corrections == (Correction(1, "one"), Correction(1000, "two"))
    fixed = state(do(Verb.FIX, known=knowing(corrected), fields={"body": "x"}))
    assert fixed.corrections == corrected.corrections


def test_a_held_item_keeps_its_text_and_an_edit_does_not_release_it() -> None:
    held = state(do(Verb.HOLD))
    assert (held.status, held.headline) == (Status.HELD, "h")
    updated = state(do(Verb.UPDATE, known=knowing(held), fields={"headline": "i"}))
    assert (updated.status, updated.headline) == (Status.HELD, "i")


def test_a_verb_that_writes_words_takes_all_of_them_from_its_record() -> None:
    content = Content("i", "c", b"[]", "by", "s", "https://a.example", ("t",), language="en")
    for verb in (Verb.FIX, Verb.UPDATE, Verb.CORRECT):
        item = state(do(verb, content=content, note="n"))
        assert item.content == content
        assert item.words_at == item.version == 9
        assert item.rid == "first"


@pytest.mark.parametrize("verb", [Verb.HOLD, Verb.RELEASE, Verb.PIN, Verb.UNPIN, Verb.REDACT])
def test_a_verb_that_writes_no_words_shows_those_that_were_shown(verb: Verb) -> None:
    item = state(do(verb, known=knowing(fitting(verb)), note="n"))
    assert item.content == ITEM.content
    assert (item.version, item.words_at) == (9, 5)


def test_a_post_begins_the_item_with_a_lasting_id_of_its_own() -> None:
    item = state(do(Verb.POST, known=knowing(None)))
    assert (item.id, item.version, item.words_at, item.rid) == (9, 9, 9, "rid-" + "x" * 12)
    assert item.uid == state(do(Verb.POST, 77, known=knowing(None))).uid
    assert item.uid != ITEM.uid


def test_a_kill_leaves_only_what_a_tombstone_shows() -> None:
    item = replace(ITEM, pinned=True, imported=True, corrections=(Correction(1, "c"),))
    killed = state(do(Verb.KILL, known=knowing(item), note="wrong"))
    assert killed == Item(
        3,
        "world",
        9,
        "rid-",
        100,
        rid="first",
        status=Status.KILLED,
        words_at=9,
        touched_at=1000,
        killed_at=1000,
        note="wrong",
    )


@pytest.mark.parametrize("verb", OTHERS)
def test_a_killed_item_takes_no_further_verb(verb: Verb) -> None:
    """A redact of what it once said neither: nothing of that is left."""
    killed = state(do(Verb.KILL, note="n"))
    with pytest.raises(Killed) as refusal:
        do(verb, known=knowing(killed), note="n")
    assert refusal.value.tombstone == killed


@pytest.mark.parametrize("verb", Verb)
def test_a_closed_feed_refuses_news_and_takes_responsibility(verb: Verb) -> None:
    known = knowing(fitting(verb), replace(FEED, closed_at=500))
    if verb in {Verb.POST, Verb.UPDATE, Verb.PIN}:
        with pytest.raises(FeedClosed, match="reopen"):
            do(verb, known=known, note="n")
    else:
        assert do(verb, known=known, note="n").sequence == 9


@pytest.mark.parametrize(
    ("verb", "item"),
    [
        (Verb.HOLD, replace(ITEM, status=Status.HELD)),
        (Verb.RELEASE, ITEM),
        (Verb.PIN, replace(ITEM, pinned=True)),
        (Verb.UNPIN, ITEM),
    ],
)
def test_a_verb_that_would_change_nothing_is_refused(verb: Verb, item: Item) -> None:
    with pytest.raises(WrongState):
        do(verb, known=knowing(item))


@pytest.mark.parametrize("verb", OTHERS)
def test_a_verb_on_an_older_version_is_refused_with_the_current_one(verb: Verb) -> None:
    known = knowing(fitting(verb))
    for base in ((4, "abcd"), (5, "zzzz"), (6, "abcd")):
        with pytest.raises(Stale) as refusal:
            do(verb, known=known, base=base, note="n")
        assert refusal.value.current == known.item
    assert do(verb, known=known, base=(5, "abcd"), note="n").sequence == 9


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="feed “world”"):
        do(Verb.POST, known=knowing(None, None))
    with pytest.raises(NotFound, match="item 3"):
        do(Verb.FIX, known=knowing(None))
    with pytest.raises(NotFound, match="item 3"):
        do(Verb.FIX, known=knowing(replace(ITEM, feed="sport")))


@pytest.mark.parametrize("act", [*Verb, Act.FEED])
def test_a_token_that_was_revoked_meanwhile_decides_nothing(act: Verb | Act) -> None:
    for token in (None, replace(ANNA, revoked_at=5)):
        with pytest.raises(Unauthorized):
            do(act, known=knowing(token=token), note="n")


def test_a_token_with_feeds_edits_those_and_makes_none() -> None:
    world, sport = replace(ANNA, feeds=("world",)), replace(ANNA, feeds=("sport",))
    assert do(Verb.POST, known=Known(FEED, None, world)).item is not None
    with pytest.raises(Forbidden):
        do(Verb.POST, known=Known(FEED, None, sport))
    with pytest.raises(Forbidden, match="--feed"):
        do(Act.FEED, known=Known(FEED, None, world), fields={"closed": True})


@pytest.mark.parametrize("rest", [{"claimed_at": 0}, {"origin": Origin("u", "i")}])
def test_only_a_token_that_may_import_claims_times_and_origins(rest: dict[str, Any]) -> None:
    with pytest.raises(Forbidden, match="--import"):
        do(Verb.POST, known=Known(FEED, None, replace(ANNA, importer=False)), **rest)


def test_a_used_key_is_a_duplicate_before_any_rule_but_the_tokens() -> None:
    for known in (
        Known(token=ANNA, used_at=4),
        knowing(state(do(Verb.KILL, note="n")), used_at=4),
    ):
        with pytest.raises(Duplicate) as found:
            do(Verb.UPDATE, known=known, base=(1, "zzzz"))
        assert found.value.sequence == 4
    for token in (None, replace(ANNA, revoked_at=1)):
        with pytest.raises(Unauthorized):
            do(Verb.UPDATE, known=Known(FEED, ITEM, token, used_at=4))


def test_another_token_of_the_same_name_is_not_the_one_that_was_let_in() -> None:
    with pytest.raises(Unauthorized):
        do(Verb.UPDATE, token_digest="another")
    assert state(do(Verb.UPDATE, token_digest=ANNA.digest)).version


def test_an_import_by_its_origin_alone_is_marked_as_one() -> None:
    known = knowing(None)
    assert state(do(Verb.POST, known=known, origin=Origin("u", "i"))).imported
    assert not state(do(Verb.POST, known=known)).imported


# Times


@pytest.mark.parametrize("asked", [{"claimed_at": 0}, {"published_at": 0}])
def test_the_first_moment_of_1970_is_a_time_like_any_other(asked: dict[str, Any]) -> None:
    posted = do(Verb.POST, known=knowing(None), **asked)
    assert (state(posted).published_at, posted.effective_at) == (0, 0)


def test_an_import_may_claim_the_first_moment_of_1970_for_an_edit_too() -> None:
    item = replace(ITEM, published_at=-5, touched_at=-5)
    updated = state(do(Verb.UPDATE, known=knowing(item), claimed_at=0))
    assert (updated.updated_at, updated.imported) == (0, True)


def test_a_time_set_ahead_becomes_now_and_a_past_one_stays() -> None:
    for asked, expected in ((2000, 1000), (1000, 1000), (7, 7), (-7, -7)):
        posted = do(Verb.POST, known=knowing(None), published_at=asked)
        assert state(posted).published_at == expected


def test_a_clock_that_steps_back_does_not_file_news_below_older_items() -> None:
    ahead = replace(FEED, stamped_at=1500)
    assert state(do(Verb.POST, known=knowing(None, ahead))).published_at == 1500
    # A time that an editor sets is not the server's, and moves nothing.
    posted = do(Verb.POST, known=knowing(None, ahead), published_at=7)
    assert posted.feed is not None
    assert posted.feed.stamped_at == 1500
    # A little ahead becomes now, and that is the server's.
    posted = do(Verb.POST, known=knowing(None, ahead), published_at=1400)
    assert state(posted).published_at == 1500


def test_a_clock_that_was_wrong_by_ten_minutes_is_not_followed() -> None:
    assert steady(1000, 1000 + 599_999) == 1000 + 599_999
    assert steady(1000, 1000 + 600_000) == 1000
    assert steady(1000, 5) == 1000


def test_the_newest_time_of_the_servers_own_does_not_go_back_with_the_clock() -> None:
    ahead = replace(FEED, stamped_at=1000 + 600_000)
    posted = do(Verb.POST, known=knowing(None, ahead))
    assert state(posted).published_at == 1000
    assert posted.feed is not None
    assert posted.feed.stamped_at == 1000 + 600_000
    later = do(Verb.POST, 10, known=knowing(None, posted.feed), at=2000)
    assert state(later).published_at == 1000 + 600_000  # under ten minutes ahead by now


def test_an_import_does_not_change_an_item_before_its_previous_change() -> None:
    with pytest.raises(Invalid, match="previous"):
        do(Verb.UPDATE, claimed_at=99)
    assert state(do(Verb.UPDATE, claimed_at=100)).updated_at == 100


@pytest.mark.parametrize("verb", [Verb.UPDATE, Verb.CORRECT, Verb.KILL])
def test_an_import_sets_the_time_that_readers_are_shown(verb: Verb) -> None:
    change = do(verb, claimed_at=500, note="n")
    item = state(change)
    assert change.effective_at == 500
    assert item.imported
    assert 500 in (item.updated_at, item.killed_at)


def test_corrections_end_before_an_item_outgrows_its_message() -> None:
    many = tuple(Correction(1, "n") for _ in range(CORRECTIONS_MAX))
    item = replace(ITEM, corrections=many)
    with pytest.raises(WrongState, match="50 corrections"):
        do(Verb.CORRECT, known=knowing(item), note="n")


def test_an_origin_is_imported_once() -> None:
    known = knowing(None, origin_item=3)
    with pytest.raises(WrongState, match="item 3"):
        do(Verb.POST, known=known, origin=Origin("u", "i"))


def test_an_item_is_never_updated_before_it_was_published() -> None:
    """As where a clock was ahead when it was posted, and is right again."""
    item = replace(ITEM, published_at=5000)
    for verb in (Verb.UPDATE, Verb.CORRECT):
        assert state(do(verb, known=knowing(item), note="n")).updated_at == 5000
        assert state(do(verb, known=knowing(item), claimed_at=700, note="n")).updated_at == 5000


# Redacts


def test_a_redact_of_superseded_words_moves_the_version_and_nothing_else_that_readers_see() -> None:
    item = replace(
        ITEM,
        status=Status.HELD,
        pinned=True,
        imported=True,
        updated_at=400,
        corrections=(Correction(400, "c"),),
    )
    change = do(Verb.REDACT, known=knowing(item), note="a name")
    redacted = state(change)
    assert redacted == replace(item, version=9, check="rid-", touched_at=1000)
    assert redacted.etag != item.etag
    assert (change.act, change.effective_at) == (Verb.REDACT, 1000)
    assert change.feed is not None
    assert (change.feed.head, change.feed.check, change.feed.version) == (9, "rid-", 1)


@pytest.mark.parametrize("redaction", [Redaction(5, (5,)), Redaction(3, (3, 5)), Redaction(5)])
def test_words_that_readers_are_shown_are_not_redacted(redaction: Redaction) -> None:
    known = knowing(redacted=Verb.FIX)
    with pytest.raises(WrongState, match="words of version 5"):
        do(Verb.REDACT, known=known, redaction=redaction, note="n")


def test_a_redact_names_a_version_of_the_item() -> None:
    with pytest.raises(Invalid, match="4 is no version of item 3") as refusal:
        do(Verb.REDACT, known=knowing(redacted=None), redaction=Redaction(4, (4,)), note="n")
    assert [error.pointer for error in refusal.value.errors] == ["/version"]


@pytest.mark.parametrize("erases", [(7, 9), (9,)])
def test_a_redact_of_a_correction_shows_the_words_with_its_new_note(
    erases: tuple[int, ...],
) -> None:
    """Whether the correct's own words are still shown or not."""
    item = replace(
        ITEM,
        imported=True,
        updated_at=400,
        corrections=(Correction(300, "old"), Correction(400, "other")),
    )
    anew = replace(item.content, corrections=(Correction(300, "new"), Correction(400, "other")))
    redacted = state(
        do(
            Verb.REDACT,
            11,
            known=knowing(item, redacted=Verb.CORRECT),
            redaction=Redaction(7, (*erases, item.words_at)),
            content=anew,
            note="new",
        )
    )
    assert redacted.corrections == anew.corrections
    assert redacted == replace(
        item, version=11, check="rid-", words_at=11, touched_at=1000, corrections=anew.corrections
    )


def killed_at_7() -> Item:
    return state(do(Verb.KILL, 7, at=500, known=knowing(replace(ITEM, imported=True)), note="old"))


def test_a_redact_of_a_kills_version_gives_the_tombstone_another_note_and_keeps_its_time() -> None:
    killed = killed_at_7()
    known = knowing(killed, redacted=Verb.KILL)
    redacted = state(do(Verb.REDACT, known=known, redaction=Redaction(7, (7,)), note="new"))
    assert redacted == replace(
        killed, version=9, check="rid-", note="new", words_at=9, touched_at=1000
    )
    assert (redacted.status, redacted.killed_at, redacted.words_at) == (Status.KILLED, 500, 9)
    # And again: by the kill's version, or by that of the redact which holds the note now.
    for version, act in ((7, Verb.KILL), (9, Verb.REDACT)):
        known = knowing(redacted, redacted=act)
        again = state(
            do(Verb.REDACT, 12, known=known, redaction=Redaction(version, (9,)), note="newer")
        )
        assert (again.version, again.words_at, again.note) == (12, 12, "newer")


@pytest.mark.parametrize("verb", [verb for verb in OTHERS if verb is not Verb.REDACT])
def test_a_killed_item_whose_note_was_redacted_still_takes_no_other_verb(verb: Verb) -> None:
    redaction = Redaction(7, (7,))
    known = knowing(killed_at_7(), redacted=Verb.KILL)
    redacted = state(do(Verb.REDACT, known=known, redaction=redaction, note="new"))
    with pytest.raises(Killed):
        do(verb, 12, known=knowing(redacted), note="n")


# Feeds and tokens


def feed(known: Feed | None, at: int = 1000, by: Token = ANNA, **fields: Any) -> Feed:
    """Change a feed as an editor who has seen it does; None: make it."""
    before = known.settings if known is not None else FeedSettings("")
    change = do(
        Act.FEED,
        at=at,
        known=Known(known, None, by),
        settings=replace(before, **fields),
        base=(known.version, known.version_check) if known is not None else None,
    )
    assert change.feed is not None
    assert change.item is None
    return change.feed


def test_a_feed_is_made_changed_closed_and_reopened_by_records() -> None:
    made = feed(None, title="World", language="en")
    assert made == Feed(
        "world",
        "World",
        1000,
        9,
        9,
        "rid-",
        language="en",
        rid="rid-" + "x" * 12,
        version_check="rid-",
        words_at=9,
    )
    assert made.etag == "9-rid-"
    changed = feed(made, language=None, description="d")
    assert (changed.title, changed.language, changed.description) == ("World", None, "d")
    assert (changed.rid, changed.uid, changed.created_at) == (made.rid, made.uid, 1000)
    closed = feed(changed, closed=True)
    assert closed.closed_at == 1000
    assert feed(closed, title="Welt").closed_at == 1000
    assert feed(replace(closed, closed_at=7), closed=True).closed_at == 7
    assert feed(closed, closed=False).closed_at is None


def test_a_feed_may_be_made_closed_and_not_without_a_title() -> None:
    assert feed(None, title="Old", closed=True).closed_at == 1000
    with pytest.raises(Invalid, match="title"):
        feed(None, closed=True)


def test_news_moves_a_feeds_head_and_not_its_own_version() -> None:
    for verb in (Verb.POST, Verb.FIX, Verb.KILL):
        moved = do(verb, known=knowing(fitting(verb)), note="n").feed
        stamped_at = 1000 if verb is Verb.POST else 0
        assert moved == replace(FEED, head=9, check="rid-", stamped_at=stamped_at)


@pytest.mark.parametrize("base", [None, (2, "feed"), (1, "zzzz"), (5, "head")])
def test_a_feed_that_was_changed_meanwhile_is_not_changed_over(
    base: tuple[int, str] | None,
) -> None:
    with pytest.raises(FeedStale) as refusal:
        do(Act.FEED, base=base, fields={"title": "Welt"})
    assert refusal.value.current == FEED
    assert refusal.value.status == 412


def test_a_feed_is_not_made_twice_nor_changed_before_it_is_made() -> None:
    with pytest.raises(FeedStale):
        do(Act.FEED, settings=FeedSettings("World"), base=None)
    with pytest.raises(FeedStale) as refusal:
        do(Act.FEED, known=knowing(None, None))
    assert refusal.value.current is None


def test_key_points_have_the_time_of_their_last_change_and_a_typo_leaves_it() -> None:
    made = feed(None, title="World", summary="One")
    assert (made.summary, made.summary_at) == ("One", 1000)
    assert feed(made, at=2000, title="Welt").summary_at == 1000  # they are the same
    assert feed(made, at=2000, summary="Two").summary_at == 2000
    mended = feed(made, at=2000, summary="One.", is_typo=True)
    assert (mended.summary, mended.summary_at) == ("One.", 1000)
    cleared = feed(made, at=2000, summary=None)
    assert (cleared.summary, cleared.summary_at) == (None, None)
    # What is written for the first time, or after it was cleared, is no typo's mending.
    assert feed(cleared, at=3000, summary="Three", is_typo=True).summary_at == 3000


def test_a_token_that_lists_the_feed_changes_its_key_points_alone() -> None:
    lists = replace(ANNA, feeds=("world",))
    changed = feed(replace(FEED, closed_at=500), by=lists, summary="What is so")
    assert (changed.summary, changed.closed_at) == ("What is so", 500)
    assert feed(changed, by=lists, summary=None).summary is None
    assert feed(changed, by=lists, summary="What is so.", is_typo=True).summary == "What is so."
    other: dict[str, Any]
    for other in (
        {"title": "Welt"},
        {"language": "de"},
        {"timezone": "UTC"},
        {"description": "d"},
        {"closed": True},
    ):
        with pytest.raises(Forbidden, match="--feed"):
            feed(FEED, by=lists, summary="What is so", **other)
    with pytest.raises(Forbidden, match="--feed"):
        feed(None, by=lists, title="World", summary="What is so")
    with pytest.raises(Forbidden, match="does not edit"):
        feed(FEED, by=replace(ANNA, feeds=("sport",)), summary="What is so")


FEED_LATER = replace(
    FEED, version=4, version_check="late", words_at=4, summary="New", summary_at=400
)


def redact_feed(known: Known, version: int = 1, **rest: Any) -> Change:
    named = {"redaction": Redaction(version, (version,))}
    return do(Verb.REDACT, known=known, item=None, note="a name", **named | rest)


def test_a_redact_of_earlier_key_points_moves_the_feeds_version_and_leaves_those_shown() -> None:
    for editor in (ANNA, replace(ANNA, feeds=("world",))):
        known = Known(FEED_LATER, None, editor, redacted=Act.FEED)
        change = redact_feed(known, base=(4, "late"))
        assert change.feed == replace(
            FEED_LATER, version=9, version_check="rid-", head=9, check="rid-"
        )
        assert change.item is None
        assert change.feed.etag == "9-rid-"
    closed = Known(replace(FEED_LATER, closed_at=500), None, ANNA, redacted=Act.FEED)
    assert redact_feed(closed).feed is not None


def test_key_points_that_are_shown_or_unknown_are_not_redacted() -> None:
    known = Known(FEED_LATER, None, ANNA, redacted=Act.FEED)
    with pytest.raises(WrongState, match="shown now"):
        redact_feed(known, 4)
    with pytest.raises(WrongState, match="shown now"):
        redact_feed(known, redaction=Redaction(1, (1, 4)))
    for act in (None, Verb.REDACT):  # no version of the feed's own, or a redact, which has none
        with pytest.raises(Invalid, match="no version of the feed world"):
            redact_feed(replace(known, redacted=act))
    with pytest.raises(FeedStale) as refusal:
        redact_feed(known, base=(1, "feed"))
    assert refusal.value.current == FEED_LATER
    with pytest.raises(NotFound, match="feed “world”"):
        redact_feed(Known(None, None, ANNA))
    with pytest.raises(Forbidden):
        redact_feed(replace(known, token=replace(ANNA, feeds=("sport",))))


def token(act: Act, known: Token | None, **fields: Any) -> Token:
    settings = replace(TokenSettings("ben", "d", ("world",)), **fields)
    made = record(act, feed=None, editor=None, settings=settings)
    change = decide(made, 9, Known(token=known))
    assert change.token is not None
    return change.token


def test_a_token_is_made_once_revoked_once_and_may_be_made_anew() -> None:
    made = token(Act.TOKEN, None)
    assert made == Token("ben", "d", ("world",), created_at=1000)
    with pytest.raises(WrongState, match="revoke"):
        token(Act.TOKEN, made)
    revoked = token(Act.REVOKE, made)
    assert revoked.revoked_at == 1000
    assert token(Act.TOKEN, revoked, digest="e").digest == "e"
    with pytest.raises(NotFound):
        token(Act.REVOKE, None)
    with pytest.raises(WrongState, match="already"):
        token(Act.REVOKE, revoked)


# Properties


entries = st.lists(
    st.tuples(
        st.sampled_from(list(Verb)),
        st.integers(900, 1100),
        st.dictionaries(st.sampled_from(["headline", "body"]), st.text(max_size=3), max_size=2),
    ),
    max_size=12,
)


@given(entries)
def test_an_item_shows_the_words_that_its_record_names_and_a_refusal_changes_nothing(
    steps: list[tuple[Verb, int, dict[str, str]]],
) -> None:
    """As the journal keeps it: the state without its words, and which record has these."""
    first = record(Verb.POST)
    item, feed = state(decide(first, 9, knowing(None))), FEED
    contents = {9: first.content}
    for sequence, (verb, at, fields) in enumerate(steps, 10):
        if verb is Verb.POST:
            continue
        step = record(verb, at, fields, item, item=9, note="n")
        known = knowing(item, feed)
        try:
            change = decide(step, sequence, known)
        except FeedError:
            continue
        assert decide(step, sequence, known) == change
        changed = state(change)
        contents[sequence] = step.content
        assert changed.version == sequence
        assert (changed.published_at, changed.rid) == (item.published_at, item.rid)
        assert change.effective_at >= item.touched_at
        if changed.status is Status.KILLED:
            assert (changed.words_at, changed.content) == (sequence, Content())
        else:
            assert changed.content == contents[changed.words_at]
            assert len(changed.corrections) >= len(item.corrections)
        assert change.feed is not None
        item, feed = changed, change.feed
