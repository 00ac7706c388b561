"""Model to JSON and back: nothing changes on the way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedserver import wire
from feedserver.errors import BadRequest
from feedserver.model import (
    Act,
    Content,
    Correction,
    Cursor,
    Feed,
    FeedSettings,
    Item,
    Media,
    Revision,
    Status,
    Verb,
)
from feedserver.rules import shows

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
maybe = st.none() | words
millis = st.integers(-62_135_596_800_000, 253_402_300_799_999)  # the years 1 to 9999
sequences = st.integers(1, 10**15 - 1)
checks = st.text("abcXYZ019", min_size=4, max_size=4)

items = st.builds(
    Item,
    id=sequences,
    feed=words,
    version=sequences,
    check=checks,
    published_at=millis,
    status=st.sampled_from(Status),
    headline=words,
    body=words,
    updated_at=st.none() | millis,
    occurred_at=st.none() | millis,
    byline=maybe,
    source=maybe,
    url=maybe,
    tags=st.lists(words, max_size=3).map(tuple),
    breaking=st.booleans(),
    pinned=st.booleans(),
    language=maybe,
    media=st.lists(
        st.builds(Media, words, maybe, st.none() | sequences, st.none() | sequences, maybe),
        max_size=2,
    ).map(tuple),
    corrections=st.lists(st.builds(Correction, millis, words), max_size=2).map(tuple),
    imported=st.booleans(),
    rid=st.text("abcXYZ019", min_size=16, max_size=16),
    touched_at=millis,
    killed_at=st.none() | millis,
    note=maybe,
)


@given(millis)
def test_a_time_is_written_in_utc_with_milliseconds_whatever_the_year(at: int) -> None:
    text = wire.time_text(at)
    assert len(text) == len("2025-05-17T07:13:00.000Z")
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    assert datetime.fromisoformat(text) == moment


@given(items)
def test_readers_get_nothing_that_is_null_false_or_empty(item: Item) -> None:
    public = wire.item_json(item, body=True)
    assert all(v is not None and v is not False and v != "" and v != [] for v in public.values())
    json.dumps(public, allow_nan=False)


@given(items)
def test_a_tombstone_shows_only_what_the_contract_names(item: Item) -> None:
    if item.status is Status.KILLED:
        allowed = {
            "id", "uid", "feed", "version", "etag", "status", "published_at", "killed_at", "note",
        }  # fmt: skip
        assert wire.item_json(item, body=True).keys() <= allowed
    else:
        assert wire.item_json(item)["etag"] == f"{item.version}-{item.check}"


def test_readers_never_see_the_body_or_the_internal_note() -> None:
    item = Item(1, "world", 2, "abcd", 0, headline="h", body="b", note="x", words_at=2)
    assert wire.item_json(item).keys() == {
        "id", "uid", "feed", "version", "etag", "status", "headline", "blocks", "published_at",
    }  # fmt: skip
    assert wire.item_json(item, body=True)["body"] == "b"


def test_a_body_becomes_paragraphs_of_plain_strings_and_spans() -> None:
    assert wire.blocks_json("plain **bold** [a link](https://a.example)\n\n*x*") == [
        ["plain ", {"text": "bold", "strong": True}, " ",
         {"text": "a link", "href": "https://a.example"}],
        [{"text": "x", "em": True}],
    ]  # fmt: skip


def test_blocks_are_sent_as_they_were_parsed_at_the_write() -> None:
    """What a later program would make of the same body changes no item that stands."""
    item = Item(1, "world", 2, "abcd", 0, headline="h", body="*b*", blocks=b'[["as it was"]]')
    assert json.loads(wire.dumps(wire.item_json(item)))["blocks"] == [["as it was"]]
    unparsed = replace(item, blocks=None)
    assert wire.item_json(unparsed)["blocks"] == [[{"text": "b", "em": True}]]
    assert "blocks" not in wire.item_json(replace(item, body="", blocks=b"[]"))


def test_an_item_has_one_lasting_id_wherever_it_goes() -> None:
    item = Item(1, "world", 2, "abcd", 0, rid="abcdXYZ019abcdXY")
    uid = "urn:uuid:" + str(uuid5(UUID("6f0e1c52-3d0b-4a5e-9b8a-2f1d7c4e9a10"), item.rid))
    moved = replace(item, id=77, feed="sport", version=80, check="zzzz")
    for one in (item, moved, replace(moved, status=Status.KILLED, killed_at=5)):
        assert wire.item_json(one)["uid"] == uid


def test_a_feed_carries_the_cursor_it_is_given_and_no_more_than_the_contract_names() -> None:
    feed = Feed(
        "world",
        "World",
        0,
        version=7,
        head=9,
        check="abcd",
        closed_at=5,
        rid="abcdXYZ019abcdXY",
        version_check="efgh",
        words_at=7,
    )
    told = wire.feed_json(feed, "https://a.example/feeds/world", "c")
    assert told == {
        "slug": "world",
        "uid": feed.uid,
        "title": "World",
        "url": "https://a.example/feeds/world",
        "created_at": "1970-01-01T00:00:00.000Z",
        "closed_at": "1970-01-01T00:00:00.005Z",
        "version": 7,
        "etag": "7-efgh",
        "cursor": "c",
    }
    summed = replace(feed, summary="**Two** are hurt", summary_at=5)
    assert wire.feed_json(summed, "https://a.example/feeds/world", "c") == told | {
        "summary": [[{"text": "Two", "strong": True}, " are hurt"]],
        "summary_at": "1970-01-01T00:00:00.005Z",
    }


def revision(version: int, act: Verb | Act, item: Item | None = None, **more: object) -> Revision:
    shown = {"words_at": item.words_at, "item": item} if item is not None else {}
    made = Revision(version, "abcd", act, version * 1000, version * 1000, "anna")
    return replace(made, **shown | more)  # type: ignore[arg-type]


POSTED = Item(3, "world", 3, "abcd", 0, headline="h", body="b", words_at=3)


def test_a_revision_says_who_did_what_when_and_the_true_time_beside_a_claimed_one() -> None:
    content = Content("h", occurred_at=0, tags=("a",), media=(Media("https://a.example", "alt"),))
    before = replace(POSTED, body="", byline="Ann")
    after = replace(shows(before, content), version=7, words_at=7)
    post = revision(3, Verb.POST, before)
    update = revision(7, Verb.UPDATE, after, at=2000, claimed_at=1000, note="n")
    assert wire.revisions_json([post, update]) == [
        {
            "version": 3,
            "verb": "post",
            "at": "1970-01-01T00:00:03.000Z",
            "editor": "anna",
            "fields": {"headline": "h", "byline": "Ann"},
        },
        {
            "version": 7,
            "verb": "update",
            "at": "1970-01-01T00:00:02.000Z",
            "claimed_at": "1970-01-01T00:00:01.000Z",
            "editor": "anna",
            "note": "n",
            "fields": {
                "byline": None,
                "tags": ["a"],
                "media": [{"url": "https://a.example", "alt": "alt"}],
                "occurred_at": "1970-01-01T00:00:00.000Z",
            },
        },
    ]


def test_the_fields_of_a_revision_are_what_its_verb_changed_whatever_came_between() -> None:
    pinned = replace(POSTED, version=4, pinned=True)
    fixed = replace(POSTED, version=5, words_at=5, headline="i")
    told = wire.revisions_json(
        [
            revision(3, Verb.POST, POSTED),
            revision(4, Verb.PIN, pinned),
            revision(5, Verb.FIX, fixed),
            revision(6, Verb.HOLD, replace(fixed, version=6, status=Status.HELD), note="doubt"),
        ]
    )
    assert [line.get("fields") for line in told] == [
        {"headline": "h", "body": "b"},
        None,
        {"headline": "i"},
        None,
    ]
    assert told[3]["note"] == "doubt"


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ({"effective_at": 3000}, None),
        ({"effective_at": 1000}, "1970-01-01T00:00:01.000Z"),  # it was set, to the past
        ({"effective_at": 0}, "1970-01-01T00:00:00.000Z"),
        ({"effective_at": 5000}, "1970-01-01T00:00:05.000Z"),  # not below older news
        ({"effective_at": 1000, "claimed_at": 1000}, None),  # an import
    ],
)
def test_a_post_tells_when_it_is_published_where_nothing_else_does(
    times: dict[str, int], told: str | None
) -> None:
    posted = replace(POSTED, published_at=times["effective_at"])
    post = revision(3, Verb.POST, posted, **times)
    fix = revision(6, Verb.FIX, replace(posted, version=6, words_at=6, headline="i"))
    first, second = wire.revisions_json([post, fix])
    assert first["fields"].get("published_at") == told
    assert second["fields"] == {"headline": "i"}
    [erased, _] = wire.revisions_json([replace(post, item=None, erased_at=9000), fix])
    assert "fields" not in erased


def test_an_erased_revision_says_that_it_was_and_the_next_one_not_what_it_changed() -> None:
    fixed = replace(POSTED, version=6, words_at=6, headline="i")
    told = wire.revisions_json(
        [
            revision(3, Verb.POST, words_at=3, erased_at=9000),
            revision(4, Verb.PIN, words_at=3, note="its own note stays"),
            revision(5, Verb.UNPIN, words_at=3),
            revision(6, Verb.FIX, fixed),
            revision(7, Verb.FIX, replace(fixed, version=7, words_at=7, body="c")),
            revision(9, Verb.REDACT, replace(fixed, version=9, words_at=7, body="c"), note="name"),
        ]
    )
    assert told[0] == {
        "version": 3,
        "verb": "post",
        "at": "1970-01-01T00:00:03.000Z",
        "editor": "anna",
        "redacted_at": "1970-01-01T00:00:09.000Z",
    }
    assert told[1]["note"] == "its own note stays"
    assert [line.get("fields") for line in told[1:]] == [None, None, None, {"body": "c"}, None]
    assert not any("redacted_at" in line for line in told[1:])


def test_a_verb_without_words_of_its_own_may_lose_its_note() -> None:
    told = wire.revisions_json(
        [
            revision(3, Verb.POST, POSTED),
            revision(4, Verb.HOLD, replace(POSTED, version=4), erased_at=9000),
            revision(5, Verb.FIX, replace(POSTED, version=5, words_at=5, headline="i")),
        ]
    )
    assert told[1].keys() == {"version", "verb", "at", "editor", "redacted_at"}
    assert told[2]["fields"] == {"headline": "i"}


def test_a_kill_is_told_with_its_public_note_and_what_it_erased_without_words() -> None:
    tombstone = Item(3, "world", 5, "abcd", 0, status=Status.KILLED, killed_at=5, words_at=5)
    told = wire.revisions_json(
        [
            revision(3, Verb.POST, words_at=3, erased_at=5000),
            revision(5, Verb.KILL, tombstone, note="It was not so."),
        ]
    )
    assert told[0]["redacted_at"] == "1970-01-01T00:00:05.000Z"
    assert told[1].keys() == {"version", "verb", "at", "editor", "note"}


def test_readers_history_shows_what_was_and_says_where_words_were_redacted() -> None:
    shown = revision(3, Verb.POST, replace(POSTED, blocks=b'[["b"]]'), effective_at=0, note="n")
    assert json.loads(wire.dumps(wire.shown_json(shown))) == {
        "version": 3,
        "verb": "post",
        "at": "1970-01-01T00:00:00.000Z",
        "headline": "h",
        "blocks": [["b"]],
    }
    assert wire.shown_json(revision(4, Verb.UPDATE, words_at=4, erased_at=5000)) == {
        "version": 4,
        "verb": "update",
        "at": "1970-01-01T00:00:04.000Z",
        "redacted": True,
    }


def test_the_revisions_of_a_feed_say_what_each_changed_of_it() -> None:
    first = FeedSettings("World", language="en")
    told = wire.feed_revisions_json(
        [
            revision(1, Act.FEED, settings=first, words_at=1),
            revision(2, Act.FEED, settings=replace(first, summary="One"), words_at=2),
            revision(3, Act.FEED, words_at=3, erased_at=9000),
            revision(4, Act.FEED, settings=replace(first, closed=True), words_at=4),
            revision(5, Act.FEED, settings=replace(first, is_typo=True), words_at=5),
            revision(9, Verb.REDACT, words_at=5, note="a name"),
        ]
    )
    assert [line.get("fields") for line in told] == [
        {"title": "World", "language": "en"},
        {"summary": "One"},
        None,
        None,
        {"closed": False},
        None,
    ]
    assert told[2].keys() == {"version", "verb", "at", "editor", "redacted_at"}
    assert told[5]["note"] == "a name"


@given(st.text("abcXYZ019", min_size=8, max_size=8), sequences, checks)
def test_a_cursor_comes_back_as_it_was_and_fits_the_contract(
    epoch: str, sequence: int, check: str
) -> None:
    cursor = Cursor(epoch, sequence, check)
    assert Cursor.parse(str(cursor)) == cursor
    assert len(str(cursor)) <= 64


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"a":1', "line 1"),
        (b"", "not JSON"),
        (b'{"a":NaN}', "not JSON"),
        (b'{"a":Infinity}', "not JSON"),
        (b'{"a":1e999}', "not JSON"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b'\xef\xbb\xbf{"a":1}', "not JSON"),
        ('{"a":1}'.encode("utf-16"), "not JSON"),
        (b'{"a":"\\ud800"}', "not JSON"),
        (b'{"a":"\n"}', "not JSON"),
        (b'{"a":1} {"a":2}', "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b'{"a":1,"a":2}', "a more than once"),
        (b'{"a":{"b":[{"c":1,"c":1}]}}', "c more than once"),
        (b"[" * 500 + b"]" * 500, "nested"),
        (b"[" * 1000 + b"]" * 1000, "nested"),
        (b'{"a":' * 100_000, "not JSON"),
    ],
)
def test_broken_json_is_refused_with_what_is_wrong_and_never_quoted(text: bytes, says: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        wire.loads_once(text)
    assert says in refusal.value.detail
    assert len(refusal.value.detail) < 200


@given(st.recursive(st.none() | st.booleans() | words | st.integers(-(2**63), 2**64 - 1),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(words, inner, max_size=3)))  # fmt: skip
def test_good_json_is_read_as_it_is(value: object) -> None:
    assert wire.loads_once(json.dumps(value).encode()) == value
