"""A record as bytes: what is sealed comes back as it was, and what stands in clear is bound."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedserver import markup, records, wire
from feedserver.model import (
    Act,
    Content,
    Correction,
    FeedSettings,
    Media,
    Origin,
    Record,
    Redaction,
    RetryKey,
    TokenSettings,
    Verb,
)
from feedserver.records import Words

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
maybe = st.none() | words.filter(bool)
millis = st.integers(-30_610_224_000_000, 253_402_300_799_999)
sequences = st.integers(1, 10**15 - 1)
contents = st.builds(
    Content,
    headline=words,
    body=words | st.sampled_from(["*a* b", "a\n\nb", "[a](https://b.c)", "\n"]),
    blocks=st.sampled_from([None, b"[]", b'[["as it was"]]']),
    byline=maybe,
    source=maybe,
    url=maybe,
    tags=st.lists(words, max_size=3).map(tuple),
    media=st.lists(
        st.builds(Media, words, maybe, st.none() | sequences, st.none() | sequences, maybe),
        max_size=2,
    ).map(tuple),
    corrections=st.lists(st.builds(Correction, millis, words), max_size=2).map(tuple),
    breaking=st.booleans(),
    language=maybe,
    occurred_at=st.none() | millis,
)
feeds = st.builds(
    FeedSettings, words, maybe, maybe, maybe, maybe, closed=st.booleans(), is_typo=st.booleans()
)
tokens = st.builds(
    TokenSettings, words.filter(bool), words, st.lists(words, max_size=3).map(tuple), st.booleans()
)
keys = st.none() | st.builds(RetryKey, st.binary(min_size=16, max_size=16), words)
origins = st.none() | st.builds(Origin, words, words)


def record(act: Verb | Act = Verb.UPDATE, **rest: Any) -> Record:
    return replace(Record("rid-" + "x" * 12, act, 1000, feed="world", item=3), **rest)


@given(contents, maybe, keys, origins)
def test_words_come_back_as_they_were_sealed(
    content: Content, note: str | None, key: RetryKey | None, origin: Origin | None
) -> None:
    made = record(content=content, note=note, retry_key=key, origin=origin)
    blocks = content.blocks
    if blocks is None:  # nobody had parsed it yet: now it is
        blocks = wire.dumps(wire.blocks_json(content.body))
    assert records.load_words(records.dump_words(made)) == Words(
        note,
        key.digest if key else None,
        origin,
        replace(
            content,
            blocks=blocks if content.body else None,
            breaking=False,  # these three stand in clear
            language=None,
            occurred_at=None,
        ),
    )


@given(feeds, maybe, keys)
def test_a_feeds_settings_come_back_from_both_their_parts(
    settings: FeedSettings, note: str | None, key: RetryKey | None
) -> None:
    made = record(Act.FEED, item=None, settings=settings, note=note, retry_key=key)
    sealed = records.load_words(records.dump_words(made))
    assert (sealed.note, sealed.content) == (note, None)
    clear = records.dump_settings(made)
    assert records.load_settings(Act.FEED, clear, sealed) == (settings, None, None)
    erased, _, _ = records.load_settings(Act.FEED, clear, Words())
    assert erased == replace(settings, title="", description=None, summary=None)


@given(tokens, st.sampled_from([Act.TOKEN, Act.REVOKE]))
def test_a_tokens_settings_stand_in_clear(settings: TokenSettings, act: Act) -> None:
    made = record(act, feed=None, item=None, settings=settings)
    assert records.dump_words(made) == b""
    clear = records.dump_settings(made)
    assert records.load_settings(act, clear, Words()) == (settings, None, None)


@given(sequences, st.lists(sequences, max_size=3).map(tuple))
def test_a_redacts_list_stands_in_clear_and_its_note_does_not(
    version: int, erases: tuple[int, ...]
) -> None:
    made = record(Verb.REDACT, redaction=Redaction(version, erases), note="Jane Roe")
    clear = records.dump_settings(made)
    assert clear is not None
    assert b"Jane" not in clear
    assert records.load_settings(Verb.REDACT, clear, Words()) == (None, made.redaction, None)


@given(millis)
def test_the_time_that_a_post_asked_for_stands_in_clear(at: int) -> None:
    clear = records.dump_settings(record(Verb.POST, published_at=at))
    assert records.load_settings(Verb.POST, clear, Words()) == (None, None, at)


def test_what_nobody_wrote_is_neither_sealed_nor_kept() -> None:
    for verb in (Verb.HOLD, Verb.RELEASE, Verb.PIN, Verb.UNPIN):
        made = record(verb)
        assert (records.dump_words(made), records.dump_settings(made)) == (b"", None)
    assert records.load_words(b"") == Words()
    assert records.load_settings(Verb.PIN, None, Words()) == (None, None, None)


WRITTEN = "Jane Roe"


def test_whatever_a_person_wrote_is_sealed() -> None:
    """But the names of feeds and editors, and of languages and zones."""
    media = (Media(WRITTEN, WRITTEN, credit=WRITTEN),)
    content = Content(
        WRITTEN,
        WRITTEN,
        None,
        WRITTEN,
        WRITTEN,
        WRITTEN,
        (WRITTEN,),
        media,
        (Correction(1, WRITTEN),),
    )
    told = {
        "note": WRITTEN,
        "origin": Origin(WRITTEN, WRITTEN),
        "retry_key": RetryKey(b"m", WRITTEN),
    }
    for made in (
        record(content=content, **told),
        record(Verb.KILL, note=WRITTEN),
        record(Act.FEED, settings=FeedSettings(WRITTEN, description=WRITTEN, summary=WRITTEN)),
        record(Verb.REDACT, redaction=Redaction(3, (3,)), content=content, **told),
    ):
        settings = records.dump_settings(made)
        assert WRITTEN.encode() not in (settings or b"") + records.bound(made, settings)
        assert WRITTEN.encode() in records.dump_words(made)


# The body as it was parsed


@pytest.mark.parametrize("body", ["plain", "a\n\nb", "**b** and *e*", "[a](https://b.c)"])
def test_the_body_is_parsed_once_at_the_write(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = wire.dumps(wire.blocks_json(body))
    sealed = records.dump_words(record(content=Content("h", body, parsed)))

    def never(_: str) -> Any:
        raise AssertionError("parsed again")

    monkeypatch.setattr(markup, "blocks", never)
    loaded = records.load_words(sealed).content
    assert loaded is not None
    assert loaded.blocks == parsed


def test_blocks_stay_as_they_were_parsed_whatever_a_later_program_makes_of_the_body() -> None:
    old = b'[["what ","an older program made of it"]]'
    sealed = records.dump_words(record(content=Content("h", "- a\n- b", old)))
    loaded = records.load_words(sealed).content
    assert loaded is not None
    assert loaded.blocks == old


def test_a_body_without_markup_is_not_kept_twice() -> None:
    body = "x" * 5000 + "\n\n" + "y" * 5000
    sealed = records.dump_words(record(content=Content("h", body)))
    assert len(sealed) < len(body) + 100
    loaded = records.load_words(sealed).content
    assert loaded is not None
    assert loaded.blocks is not None
    assert json.loads(loaded.blocks) == [["x" * 5000], ["y" * 5000]]


# What is bound


BOUND: dict[str, dict[str, Any]] = {
    "rid": {"rid": "rid-" + "y" * 12},
    "act": {"act": Verb.FIX},
    "feed": {"feed": "sport"},
    "item": {"item": 4},
    "editor": {"editor": "ben"},
    "at": {"at": 1001},
    "claimed_at": {"claimed_at": 999},
    "base": {"base": (3, "abcd")},
    "retry key": {"retry_key": RetryKey(b"another", "digest")},
    "no retry key": {"retry_key": None},
    "origin": {"origin_mac": b"origin"},
    "breaking": {"content": Content("h", breaking=True)},
    "language": {"content": Content("h", language="en")},
    "occurred_at": {"content": Content("h", occurred_at=0)},
    "no content": {"content": None},
}


@pytest.mark.parametrize("what", BOUND)
def test_what_comes_in_clear_with_a_record_is_bound_to_what_is_sealed(what: str) -> None:
    made = record(content=Content("h"), editor="anna", retry_key=RetryKey(b"mac", "digest"))
    changed = replace(made, **BOUND[what])
    assert records.bound(changed, None) != records.bound(made, None)


def test_everything_that_a_record_has_is_bound_or_sealed_or_not_kept() -> None:
    """Of a new field of records it must be decided what it is."""
    settings = {"settings", "redaction", "published_at"}  # bound as `dump_settings` wrote them
    sealed = {"note", "origin", "content"}
    clear = {name for change in BOUND.values() for name in change} - {"content"}
    assert {one.name for one in fields(Record)} == settings | sealed | clear | {"token_digest"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            record(Act.FEED, settings=FeedSettings("World")),
            record(Act.FEED, settings=FeedSettings("World", closed=True)),
        ),
        (
            record(Act.FEED, settings=FeedSettings("World", language="en")),
            record(Act.FEED, settings=FeedSettings("World", language="de")),
        ),
        (
            record(Act.TOKEN, settings=TokenSettings("ben", "d")),
            record(Act.TOKEN, settings=TokenSettings("ben", "d", importer=True)),
        ),
        (
            record(Verb.REDACT, redaction=Redaction(3, (3,))),
            record(Verb.REDACT, redaction=Redaction(3, (3, 4))),
        ),
        (record(Verb.POST, published_at=1), record(Verb.POST, published_at=2)),
    ],
)
def test_settings_and_a_redacts_list_are_bound(one: Record, other: Record) -> None:
    first, second = (records.bound(made, records.dump_settings(made)) for made in (one, other))
    assert first != second


def test_the_version_of_the_format_is_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    before = records.bound(record(), None)
    monkeypatch.setattr(records, "VERSION", records.VERSION + 1)
    assert records.bound(record(), None) != before


def test_what_the_journal_gives_later_is_not_bound() -> None:
    """A post's item is the sequence that it will get; its words are sealed before."""
    made = record(Verb.POST, item=None, content=Content("h"))
    assert records.bound(replace(made, item=9), None) == records.bound(made, None)
    sealed = replace(made, note="n", content=Content("another"), token_digest="digest")
    assert records.bound(sealed, None) == records.bound(made, None)
