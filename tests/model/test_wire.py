"""Model to JSON and back: nothing changes on the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedserver import wire
from feedserver.errors import BadRequest
from feedserver.model import (
    Act,
    Correction,
    Cursor,
    Erased,
    Feed,
    Item,
    Key,
    Logged,
    Media,
    Origin,
    Record,
    Status,
    Verb,
)

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
    origin=st.none() | st.builds(Origin, words, words),
    touched_at=millis,
    killed_at=st.none() | millis,
    note=maybe,
)
records = st.builds(
    Record,
    rid=st.text("abcXYZ019", min_size=16, max_size=16),
    act=st.sampled_from([*Verb, *Act]),
    at=millis,
    fields=st.dictionaries(words, st.none() | words | st.booleans() | millis, max_size=4),
    note=maybe,
    base=st.none() | st.tuples(sequences, checks),
    claimed_at=st.none() | millis,
    origin=st.none() | st.builds(Origin, words, words),
    key=st.none() | st.builds(Key, words, words, words),
    erased=st.lists(st.builds(Erased, sequences, checks, maybe), max_size=2).map(tuple),
)


@given(items)
def test_an_item_comes_back_from_its_table_as_it_went_in(item: Item) -> None:
    assert wire.load_item(wire.dump_item(item)) == item


@given(records)
def test_a_record_comes_back_with_all_that_the_journal_asks_of_it(record: Record) -> None:
    loaded = wire.load_record(wire.dump_record(record))
    for name in ("fields", "note", "base", "claimed_at", "origin", "key"):
        assert loaded[name] == getattr(record, name)


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
        allowed = {"id", "feed", "version", "etag", "status", "published_at", "killed_at", "note"}
        assert wire.item_json(item, body=True).keys() <= allowed
    else:
        assert wire.item_json(item)["etag"] == f"{item.version}-{item.check}"


def test_readers_never_see_the_body_the_origin_or_the_internal_note() -> None:
    item = Item(1, "world", 2, "abcd", 0, headline="h", body="b", note="x", origin=Origin("u", "i"))
    assert wire.item_json(item).keys() == {
        "id", "feed", "version", "etag", "status", "headline", "blocks", "published_at",
    }  # fmt: skip
    assert wire.item_json(item, body=True)["body"] == "b"


def test_a_body_becomes_paragraphs_of_plain_strings_and_spans() -> None:
    assert wire.blocks_json("plain **bold** [a link](https://a.example)\n\n*x*") == [
        ["plain ", {"text": "bold", "strong": True}, " ",
         {"text": "a link", "href": "https://a.example"}],
        [{"text": "x", "em": True}],
    ]  # fmt: skip


def test_a_feed_carries_the_cursor_it_is_given_and_no_more_than_the_contract_names() -> None:
    feed = Feed("world", "World", 0, 1, 9, "abcd", closed_at=5)
    assert wire.feed_json(feed, "https://a.example/feeds/world", "c") == {
        "slug": "world",
        "title": "World",
        "url": "https://a.example/feeds/world",
        "created_at": "1970-01-01T00:00:00.000Z",
        "closed_at": "1970-01-01T00:00:00.005Z",
        "cursor": "c",
    }


def test_a_revision_says_who_did_what_when_and_the_true_time_beside_a_claimed_one() -> None:
    record = Record(
        "r" * 16,
        Verb.UPDATE,
        2000,
        editor="anna",
        fields={"headline": "h", "occurred_at": 0, "byline": None},
        note="n",
        claimed_at=1000,
    )
    assert wire.revision_json(Logged(7, record, 1000)) == {
        "version": 7,
        "verb": "update",
        "at": "1970-01-01T00:00:02.000Z",
        "claimed_at": "1970-01-01T00:00:01.000Z",
        "editor": "anna",
        "note": "n",
        "fields": {"headline": "h", "occurred_at": "1970-01-01T00:00:00.000Z", "byline": None},
    }


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
