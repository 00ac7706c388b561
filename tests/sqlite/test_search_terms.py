"""What a text is indexed under, and what a question finds of it."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedserver import wire
from feedserver.model import Item
from feedserver.sqlite import search_terms
from feedserver.sqlite.search_terms import Terms, Text, parse, text_of

KEY = bytes(range(32))


def terms(text: str, tags: Sequence[str] = (), feed: str = "world", key: bytes = KEY) -> set[str]:
    [told] = Terms(key).of_items([Text(feed, text, tags)])
    return set(told.split())


def finds(words: str | None, text: str, tag: str | None = None, tags: tuple[str, ...] = ()) -> bool:
    """Say whether a question finds an item with this text as its headline."""
    query = parse(tag, words)
    if not query.terms:
        return False
    there = terms(text_of(text, "", None, tags), tags=tags)
    asked = Terms(KEY).match("world", query.terms)
    for term in asked.replace('" *', "*").replace('"', "").split():
        if not any(one == term or (term[-1] == "*" and one.startswith(term[:-1])) for one in there):
            return False
    return query.fits(Item(1, "world", 1, "", 0, headline=text, tags=tags))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("記者会見", "首相、東京で記者会見へ"), ("会見", "首相、東京で記者会見へ"),
        ("首", "首相、東京で"),
        ("東京 記者会見", "首相、東京で記者会見へ"), ("NATO 首脳会議", "NATO首脳会議が開幕"),
        ("ウクライナ", "露軍、ウクライナに侵攻"), ("ｳｸﾗｲﾅ", "露軍、ウクライナに侵攻"),
        ("กรุงเทพ", "ผู้ว่าฯกรุงเทพมหานครแถลง"), ("ປະເທດ", "ສປປລາວເປັນປະເທດ"),
        ("ភ្នំពេញ", "រាជធានីភ្នំពេញនៅថ្ងៃ"),
        ("ရန်ကုန်", "မြန်မာနိုင်ငံရန်ကုန်မြို့"), ("서울", "서울에서 열린 회담"), ("울에서", "서울에서 열린"),
        ("대통령", "우크라이나대통령이"), ("п'ятеро", "Пʼятеро поранених"),
        ("П’ЯТЕРО", "п'ятеро людей"),
        ("п'яте", "П`ятеро поранених"), ("ятеро", "п'ятеро"), ("ukraine", "L’Ukraine résiste"),
        ("putin", "Putin's war"), ("putin's", "PUTIN’S war"), ("don't look", "Don’t look up"),
        ("cooperation", "co\u00adoper\u00adation"), ("co\u00adoperation", "cooperation"),
        ("ceasefire", "cease\u200bfire"), ("zelen", "Zelensky in Kyiv"), ("cafe", "CAFÉ"),
        ("йод", "Йод"), ("київ", "Киї\u0301в"), ("елка", "Ёлка"), ("محمد", "مُحَمَّد"),
        ("किताब", "नई किताबें"),
        ("7", "7 injured"), ("covid-19", "Covid 19 wave"), ("2024", "In 2024"), ("3.5", "3.5 %"),
        ("straße", "STRASSE"), ("hurt four", "Four were hurt"), ('"four hurt"', "Four were hurt"),
        ("news 😀", "news"), ("snake", "snake_case"), ("iphone15", "iPhone15発売"),
    ],
)  # fmt: skip
def test_what_a_reader_would_expect_is_found(words: str, text: str) -> None:
    assert finds(words, text)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("見会", "首相、東京で記者会見へ"), ("東京会見", "首相、東京で記者会見へ"),
        ("記会見", "記者会見へ、会見記"), ("東で", "東京で"), ("か", "が"), ("มา", "กา"),
        ("fel", "A tree fell"), ("п'ят", "п'ятеро"), ("sum", "Sumy"), ("7", "17 injured"),
        ("tree fel", "A tree fell"), ("zele kyiv", "Zelensky in Kyiv"), ("elensky", "Zelensky"),
        ("commun", "commission"), ("и", "й"), ("інод", "їнод"), ("dont", "don't"),
        ("😀", "😀 news"),
        ("storm calm", "storm"), ("...", "..."), ("_", "snake_case"),
    ],
)  # fmt: skip
def test_and_nothing_else(words: str, text: str) -> None:
    assert not finds(words, text)


def test_tags_are_compared_as_tags_and_searched_as_words() -> None:
    tags = ("New\u00a0York", "Київ")
    assert finds(None, "x", tag="new york", tags=tags)
    assert finds(None, "x", tag="КИЇВ", tags=tags)
    assert finds("york", "x", tags=tags)
    assert finds("headline", "A headline", tag="київ", tags=tags)
    for tag in ("york", "new", "Киев", "x"):
        assert not finds(None, "x", tag=tag, tags=tags), tag
    assert not finds("other", "x", tag="київ", tags=tags)
    assert not finds(None, "new york", tag="new york")


@given(st.text(), st.text(max_size=20))
def test_whatever_is_written_finds_itself(text: str, more: str) -> None:
    if parse(None, text).terms:
        assert finds(text, f"{more} {text}") or finds(text, f"{text} {more}")


@given(st.text(max_size=300))
def test_a_text_has_the_same_terms_when_its_parts_are_known(text: str) -> None:
    made = Terms(KEY)
    one = Text("world", text, ())
    assert len({frozenset(told.split()) for _ in range(2) for told in made.of_items([one])}) == 1
    other = Text("world", f"{text[:10]} and {text[10:]}", ())
    first, second = Terms(KEY).of_items([one, other])
    assert set(first.split()) == terms(text)
    assert set(second.split()) == terms(other.text)


def test_terms_tell_neither_words_nor_that_feeds_or_keys_share_them() -> None:
    one = terms("Drone over Sumy")
    assert len(one) == 3
    assert not one & terms("Drone over Sumy", feed="sport")
    assert not one & terms("Drone over Sumy", key=KEY[::-1])
    assert not one & {"drone", "over", "sumy"}
    # A word and a tag that look the same are two terms.
    tagged = Terms(KEY).match("world", parse("sumy", None).terms).strip('"')
    assert tagged not in one


def test_memory_for_terms_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_terms, "KNOWN_MAX", 100)
    made = Terms(KEY)
    for number in range(1000):
        text = f"word{number} 東京都{number}区 {'長' * 100}{number} often"
        made.of_items([Text(f"feed-{number % 3}", text, ())])
        kept = made._feeds.values()
        assert sum(one.known + len(one._older) for one in kept) < 600
        assert all(len(part) <= search_terms.PART_MAX for one in kept for part in one._parts)


def test_what_readers_see_of_a_body_is_what_is_searched() -> None:
    body = "Four **hurt** at the [station](https://example.org/secret)\n\nMore *soon*"
    blocks = orjson.dumps(wire.blocks_json(body))
    text = text_of("Headline", body, blocks, ("tag",))
    assert text.split("\n") == ["Headline", "Four hurt at the station", "More soon", "tag"]


def test_lists_and_quotes_are_searched_too() -> None:
    blocks = orjson.dumps(
        [
            {"list": [["first ", {"text": "thing", "strong": True}], ["second"]], "ordered": True},
            {"quote": [["said so"], ["twice"]], "cite": "Ann Lee"},
            {"something": {"new": ["of later"]}},
            ["plain"],
        ]
    )
    assert text_of("", "", blocks, ()).split("\n") == [
        "", "first thing", "second", "said so", "twice", "Ann Lee", "of later", "plain",
    ]  # fmt: skip
