"""Whatever stands in an item, each document is well-formed and says exactly that."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree
from reading_back import ATOM as ATOM_NAMESPACE
from reading_back import parse, read, words_of

from feedserver.api.context import Site
from feedserver.model import Correction, Feed, Item, Media, Status
from feedserver.syndication.documents import Format, Stretch, write
from feedserver.syndication.elements import clean, element
from feedserver.syndication.routes import FORMATS

SITE = Site("https://news.example", 'News "&" <more>')
FEED = Feed("world", "World", 0, 1, 9, "abcd", rid="feed", language="en")
ATOM, RSS = (
    next(form for form in FORMATS if form.suffix == suffix) for suffix in (".atom", ".rss")
)
XML = [ATOM, RSS]
JSON = [form for form in FORMATS if form.suffix in {".json", ".ninjs"}]
OTHERS = [form for form in FORMATS if form.suffix in {".jsonld", ".md"}]
GRAMMAR = Path(__file__).with_name("atom.rng")

HOSTILE = [
    "]]>",
    "<![CDATA[ x ]]>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&lt;b&gt; &amp;amp; &#0; &nbsp; &unknown;",
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
    "a\x00b\x0bc\x1f",
    "\ufffe\uffff",
    "lone \ud800 surrogate",
    "\u202eright to left\u2066isolate",
    "a\rb\r\nc",
    "tab\tand  blanks",
    "\U0001f68c\u200d\U0001f525",
    "a\u0085b\u2028c",
    "--><!--",
    "{{ 7*7 }} ${x} %s",
]
WORDS = st.one_of(
    st.sampled_from(HOSTILE), st.text(st.characters(codec=None, categories=None), min_size=1)
).filter(lambda text: bool(text.strip()))


def written(form: Format, *items: Item, feed: Feed = FEED, **given: Any) -> bytes:
    return write(form, SITE, Stretch(feed, items, "cursor", **given))


def everywhere(words: str, status: Status = Status.LIVE) -> Item:
    """Make an item that says these words wherever it can say anything."""
    return Item(
        3,
        "world",
        9,
        "abcd",
        1_000,
        rid="item",
        status=status,
        headline=words,
        body=words,
        blocks=orjson.dumps([[clean(words), {"text": clean(words), "em": True}]]),
        byline=words,
        source=words,
        tags=(words,),
        media=(Media("https://news.example/a.png", alt=words, credit=words),),
        corrections=(Correction(2_000, words),),
        updated_at=2_000,
    )


def tombstone(words: str) -> Item:
    return Item(
        4, "world", 9, "abcd", 1_000, rid="gone", status=Status.KILLED, killed_at=2_000, note=words
    )


def texts(body: bytes, name: str) -> list[str]:
    return [
        "".join(found.itertext())
        for found in parse(body).iter(name if name[0] == "{" else "{*}" + name)
    ]


@given(WORDS)
def test_words_come_through_xml_as_they_are(words: str) -> None:
    said = clean(words)
    for form in XML:
        body = written(form, everywhere(words), tombstone(words))
        assert said in texts(body, "title")
        told = texts(body, f"{ATOM_NAMESPACE}content" if form is ATOM else "encoded")
        assert html.escape(said, quote=False).replace("\n", "<br>") in told[0]
        assert html.escape(said, quote=False).replace("\n", "<br>") in told[-1]
        tags = [found.get("term") or found.text for found in parse(body).iter("{*}category")]
        assert said in tags
        assert said in texts(body, "description")
        assert said in texts(body, "credit")
    assert said in texts(written(ATOM, tombstone(words)), "comment")


@given(WORDS)
def test_words_come_through_json_as_they_are(words: str) -> None:
    try:
        words.encode()
        said = words
    except UnicodeEncodeError:
        said = clean(words)
    for form in JSON:
        told = orjson.loads(written(form, everywhere(words), tombstone(words)))
        found = list(strings(told))
        assert said in found
        assert any(text.endswith(f" {said}") for text in found), "the note"


@given(WORDS)
def test_every_other_document_can_be_written_and_has_no_forbidden_character(words: str) -> None:
    for form in OTHERS:
        body = written(form, everywhere(words), tombstone(words)).decode()
        assert form.suffix == ".jsonld" or clean(body) == body
        assert form.suffix == ".md" or orjson.loads(body)["liveBlogUpdate"]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from strings(part)


@given(WORDS)
@example("\ud800")
def test_an_attribute_and_a_text_are_read_back_as_they_were(words: str) -> None:
    found = parse(element("a", words, b=words).encode())
    assert found.text == clean(words)
    assert found.get("b") == clean(words)


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("status", [Status.LIVE, Status.HELD])
def test_a_reader_shows_hostile_words_as_words(words: str, status: Status) -> None:
    for form in XML:
        (told,) = read(form.suffix, written(form, everywhere(words, status))).values()
        assert "<script" not in told.html
        assert "<img" not in told.html
        if "\x85" in words:
            continue  # which feedparser reads as a letter of Windows-1252
        shown = " ".join(words_of(told.html).split())
        assert " ".join(clean(words).split()) in shown


@pytest.mark.parametrize("words", HOSTILE)
def test_a_feeds_own_words_and_the_sites_come_through(words: str) -> None:
    feed = replace(FEED, title=words, description=words)
    for form in XML:
        assert clean(words) in texts(written(form, feed=feed), "title")


def test_links_to_anything_but_the_web_are_no_links() -> None:
    blocks = orjson.dumps([[{"text": "click", "href": "javascript:alert(1)"}]])
    item = replace(everywhere("x"), blocks=blocks)
    for form in XML:
        assert b"javascript" not in written(form, item)


def test_every_kind_of_block_is_written() -> None:
    blocks = orjson.dumps(
        [
            ["a\nb ", {"text": "c", "strong": True, "em": True}],
            {"list": [["one"], ["two"]], "ordered": True},
            {"list": [["dot"]]},
            {"quote": [["said"], ["more"]], "cite": "Ann & Co"},
        ]
    )
    item = replace(everywhere("x"), blocks=blocks, corrections=(), source=None)
    (told,) = read(".atom", written(ATOM, item)).values()
    assert told.html == (
        "<p>a<br>b <strong><em>c</em></strong></p><ol><li>one</li><li>two</li></ol>"
        "<ul><li>dot</li></ul>"
        "<blockquote><p>said</p><p>more</p><p><cite>Ann &amp; Co</cite></p></blockquote>"
    )


def grammar() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(str(GRAMMAR)))


def test_atom_follows_its_grammar() -> None:
    held = everywhere("held", Status.HELD)
    sized = replace(
        everywhere("sized"), media=(Media("https://x.example/b.mp4", width=9, height=9),)
    )
    body = written(
        ATOM, held, sized, tombstone("A hoax."), next="1.2", feed=replace(FEED, description="All")
    )
    grammar().assertValid(parse(body))
    grammar().assertValid(parse(written(ATOM)))


@pytest.mark.parametrize("form", [*XML, *JSON])
def test_what_stands_below_a_picture_is_told_and_else_what_it_shows(form: Format) -> None:
    medium = Media("https://x.example/clip", "What it shows", caption="Below", type="video/webm")
    told = written(form, replace(everywhere("x"), media=(medium,)))
    assert b"Below" in told
    assert b"video/webm" in told
    without = replace(everywhere("x"), media=(replace(medium, caption=None),))
    assert b"What it shows" in written(form, without)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"<author><name>]]&gt;</name></author>", b"<author/>"),
        (b"urn:uuid:", b"tag:"),
        (b".000Z</published>", b"</published>"),
        (b' type="html"', b""),
        (b"at:deleted-entry ref=", b"at:deleted-entry id="),
    ],
)
def test_the_grammar_refuses_what_is_wrong(right: bytes, wrong: bytes) -> None:
    body = written(ATOM, everywhere("]]>"), tombstone("A hoax."))
    assert right in body
    assert not grammar().validate(parse(body.replace(right, wrong)))
