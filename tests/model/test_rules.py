"""What a record does to the state, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedserver.errors import (
    FeedClosed,
    FeedError,
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
    Correction,
    Feed,
    Item,
    Logged,
    Origin,
    Record,
    Status,
    Token,
    Verb,
)
from feedserver.rules import Change, Duplicate, Known, decide, fold, steady

FEED = Feed("world", "World", 0, 1, 5, "head")
ITEM = Item(3, "world", 5, "abcd", 100, headline="h", body="b", touched_at=100)
ANNA = Token("anna", "digest", importer=True)
OTHERS = [verb for verb in Verb if verb is not Verb.POST]


def record(verb: Verb | Act, at: int = 1000, **rest: Any) -> Record:
    base: dict[str, Any] = {"feed": "world", "editor": "anna"}
    if verb is not Verb.POST and isinstance(verb, Verb):
        base |= {"item": 3}
    if verb is Verb.POST:
        base |= {"fields": {"headline": "h"}}
    return Record("rid-" + "x" * 12, verb, at, **(base | rest))


def do(verb: Verb | Act, sequence: int = 9, *, known: Known | None = None, **rest: Any) -> Change:
    return decide(record(verb, **rest), sequence, known or Known(FEED, ITEM, ANNA))


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
    ],
)
def test_only_update_and_correct_say_updated_and_only_correct_leaves_a_note(
    verb: Verb, updated_at: int | None, corrections: tuple[Correction, ...]
) -> None:
    item = state(do(verb, known=Known(FEED, fitting(verb), ANNA), note="n"))
    assert (item.updated_at, item.corrections) == (updated_at, corrections)
    assert (item.version, item.check, item.published_at) == (9, "rid-", 100)
    assert item.note is None


def test_correction_notes_accumulate_and_stay() -> None:
    item = replace(ITEM, corrections=(Correction(1, "one"),))
    corrected = state(do(Verb.CORRECT, known=Known(FEED, item, ANNA), note="two"))
    assert corrected.corrections == (Correction(1, "one"), Correction(1000, "two"))
    fixed = state(do(Verb.FIX, known=Known(FEED, corrected, ANNA), fields={"body": "x"}))
    assert fixed.corrections == corrected.corrections


def test_a_held_item_keeps_its_text_and_an_edit_does_not_release_it() -> None:
    held = state(do(Verb.HOLD))
    assert (held.status, held.headline) == (Status.HELD, "h")
    updated = state(do(Verb.UPDATE, known=Known(FEED, held, ANNA), fields={"headline": "i"}))
    assert (updated.status, updated.headline) == (Status.HELD, "i")


def test_null_clears_and_absent_keeps() -> None:
    item = replace(ITEM, tags=("a",), breaking=True, byline="x")
    fields = {"body": None, "tags": None, "breaking": None, "byline": None}
    cleared = state(do(Verb.FIX, known=Known(FEED, item, ANNA), fields=fields))
    assert (cleared.body, cleared.tags, cleared.breaking, cleared.byline) == ("", (), False, None)
    assert cleared.headline == "h"


def test_a_kill_leaves_only_what_a_tombstone_shows() -> None:
    item = replace(ITEM, pinned=True, origin=Origin("u", "i"), corrections=(Correction(1, "c"),))
    killed = state(do(Verb.KILL, known=Known(FEED, item, ANNA), note="wrong"))
    assert killed == Item(
        3, "world", 9, "rid-", 100, Status.KILLED, touched_at=1000, killed_at=1000, note="wrong"
    )


@pytest.mark.parametrize("verb", OTHERS)
def test_a_killed_item_takes_no_further_verb(verb: Verb) -> None:
    killed = state(do(Verb.KILL, note="n"))
    with pytest.raises(Killed) as refusal:
        do(verb, known=Known(FEED, killed, ANNA), note="n")
    assert refusal.value.tombstone == killed


@pytest.mark.parametrize("verb", Verb)
def test_a_closed_feed_refuses_news_and_takes_responsibility(verb: Verb) -> None:
    known = Known(replace(FEED, closed_at=500), fitting(verb), ANNA)
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
        do(verb, known=Known(FEED, item, ANNA))


@pytest.mark.parametrize("verb", OTHERS)
def test_a_verb_on_an_older_version_is_refused_with_the_current_one(verb: Verb) -> None:
    known = Known(FEED, fitting(verb), ANNA)
    for base in ((4, "abcd"), (5, "zzzz"), (6, "abcd")):
        with pytest.raises(Stale) as refusal:
            do(verb, known=known, base=base, note="n")
        assert refusal.value.current == known.item
    assert do(verb, known=known, base=(5, "abcd"), note="n").sequence == 9


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="feed “world”"):
        do(Verb.POST, known=Known(None, None, ANNA))
    with pytest.raises(NotFound, match="item 3"):
        do(Verb.FIX, known=Known(FEED, None, ANNA))
    with pytest.raises(NotFound, match="item 3"):
        do(Verb.FIX, known=Known(FEED, replace(ITEM, feed="sport"), ANNA))


@pytest.mark.parametrize("act", [*Verb, Act.FEED])
def test_a_token_that_was_revoked_meanwhile_decides_nothing(act: Verb | Act) -> None:
    for token in (None, replace(ANNA, revoked_at=5)):
        with pytest.raises(Unauthorized):
            do(act, known=Known(FEED, ITEM, token), fields={})


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
        Known(FEED, state(do(Verb.KILL, note="n")), ANNA, used_at=4),
    ):
        with pytest.raises(Duplicate) as found:
            do(Verb.UPDATE, known=known, base=(1, "zzzz"))
        assert found.value.sequence == 4
    for token in (None, replace(ANNA, revoked_at=1)):
        with pytest.raises(Unauthorized):
            do(Verb.UPDATE, known=Known(FEED, ITEM, token, used_at=4))


def test_another_token_of_the_same_name_is_not_the_one_that_was_let_in() -> None:
    with pytest.raises(Unauthorized):
        do(Verb.UPDATE, digest="another")
    assert state(do(Verb.UPDATE, digest=ANNA.digest)).version


def test_an_import_by_its_origin_alone_is_marked_as_one() -> None:
    known = Known(FEED, None, ANNA)
    assert state(do(Verb.POST, known=known, origin=Origin("u", "i"))).imported
    assert not state(do(Verb.POST, known=known)).imported


# Times


@pytest.mark.parametrize("asked", [{"claimed_at": 0}, {"fields": {"published_at": 0}}])
def test_the_first_moment_of_1970_is_a_time_like_any_other(asked: dict[str, Any]) -> None:
    posted = do(Verb.POST, known=Known(FEED, None, ANNA), **asked)
    assert (state(posted).published_at, posted.effective_at) == (0, 0)


def test_an_import_may_claim_the_first_moment_of_1970_for_an_edit_too() -> None:
    item = replace(ITEM, touched_at=-5)
    updated = state(do(Verb.UPDATE, known=Known(FEED, item, ANNA), claimed_at=0))
    assert (updated.updated_at, updated.imported) == (0, True)


def test_a_time_set_ahead_becomes_now_and_a_past_one_stays() -> None:
    for asked, expected in ((2000, 1000), (1000, 1000), (7, 7), (-7, -7)):
        posted = do(Verb.POST, known=Known(FEED, None, ANNA), fields={"published_at": asked})
        assert state(posted).published_at == expected


def test_a_clock_that_steps_back_does_not_file_news_below_older_items() -> None:
    ahead = replace(FEED, stamped_at=1500)
    assert state(do(Verb.POST, known=Known(ahead, None, ANNA))).published_at == 1500
    # A time that an editor sets is not the server's, and moves nothing.
    posted = do(Verb.POST, known=Known(ahead, None, ANNA), fields={"published_at": 7})
    assert posted.feed is not None
    assert posted.feed.stamped_at == 1500
    # A little ahead becomes now, and that is the server's.
    posted = do(Verb.POST, known=Known(ahead, None, ANNA), fields={"published_at": 1400})
    assert state(posted).published_at == 1500


def test_a_clock_that_was_wrong_by_ten_minutes_is_not_followed() -> None:
    assert steady(1000, 1000 + 599_999) == 1000 + 599_999
    assert steady(1000, 1000 + 600_000) == 1000
    assert steady(1000, 5) == 1000


def test_the_newest_time_of_the_servers_own_does_not_go_back_with_the_clock() -> None:
    ahead = replace(FEED, stamped_at=1000 + 600_000)
    posted = do(Verb.POST, known=Known(ahead, None, ANNA))
    assert state(posted).published_at == 1000
    assert posted.feed is not None
    assert posted.feed.stamped_at == 1000 + 600_000
    later = do(Verb.POST, 10, known=Known(posted.feed, None, ANNA), at=2000)
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
        do(Verb.CORRECT, known=Known(FEED, item, ANNA), note="n")


def test_an_origin_is_imported_once() -> None:
    known = Known(FEED, None, ANNA, origin_item=3)
    with pytest.raises(WrongState, match="item 3"):
        do(Verb.POST, known=known, origin=Origin("u", "i"))


# Feeds and tokens


def feed(known: Feed | None, **fields: Any) -> Feed:
    change = do(Act.FEED, known=Known(known, None, ANNA), fields=fields)
    assert change.feed is not None
    return change.feed


def test_a_feed_is_made_changed_closed_and_reopened_by_records() -> None:
    made = feed(None, title="World", language="en")
    assert made == Feed("world", "World", 1000, 9, 9, "rid-", language="en")
    changed = feed(made, language=None, description="d")
    assert (changed.title, changed.language, changed.description) == ("World", None, "d")
    closed = feed(changed, closed=True)
    assert closed.closed_at == 1000
    assert feed(closed, title="Welt").closed_at == 1000
    assert feed(replace(closed, closed_at=7), closed=True).closed_at == 7
    assert feed(closed, closed=False).closed_at is None


def test_a_feed_may_be_made_closed_and_not_without_a_title() -> None:
    assert feed(None, title="Old", closed=True).closed_at == 1000
    with pytest.raises(Invalid, match="title"):
        feed(None, closed=True)


def token(act: Act, known: Token | None, **fields: Any) -> Token:
    rest = {"name": "ben", "digest": "d", "feeds": ["world"], "importer": False} | fields
    change = decide(record(act, feed=None, editor=None, fields=rest), 9, Known(token=known))
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
def test_the_log_folds_to_the_state_and_a_refusal_changes_nothing(
    steps: list[tuple[Verb, int, dict[str, str]]],
) -> None:
    """As the journal keeps it: what is decided step by step is what the records add up to."""
    first = decide(record(Verb.POST), 9, Known(FEED, None, ANNA))
    item, feed, log = state(first), first.feed, [Logged(9, record(Verb.POST), first.effective_at)]
    for sequence, (verb, at, fields) in enumerate(steps, 10):
        if verb is Verb.POST:
            continue
        step = record(verb, at, item=9, fields=fields, note="n")
        try:
            change = decide(step, sequence, Known(feed, item, ANNA))
        except FeedError:
            continue
        log.append(Logged(sequence, step, change.effective_at))
        changed = state(change)
        assert changed.version > item.version
        assert changed.published_at == item.published_at
        assert change.effective_at >= item.touched_at
        assert len(changed.corrections) >= len(item.corrections) or changed.status is Status.KILLED
        item, feed = changed, change.feed
    assert fold(log) == item
