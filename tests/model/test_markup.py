"""Body text to blocks: nothing that an editor wrote is lost, whatever was written."""

from __future__ import annotations

import re
from itertools import pairwise
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from steps import count as steps_of

from feedserver import markup
from feedserver.addresses import is_link
from feedserver.markup import Span, bad_links, blocks, plain
from feedserver.model import BODY_MAX

texts = st.text(alphabet="ab *\\[]()\n\t,.5", max_size=60) | st.text(max_size=60)
pieces = st.lists(
    st.sampled_from(
        ["*", "**", "\\", "[", "]", "(", ")", "](", "https://a.example", "a", " ", "\n\n", ","]
    ),
    max_size=30,
).map("".join)


def test_a_blank_line_makes_a_paragraph_and_a_line_feed_a_line_break() -> None:
    assert blocks("one\ntwo\n \t\n\n three ") == ((Span("one\ntwo"),), (Span("three"),))


def test_emphasis_links_and_escapes_become_spans() -> None:
    assert blocks(r"a **b *c* d** [e *f*](https://g.example/h_(i)) \*j\* \[k\]") == (
        (
            Span("a "),
            Span("b ", strong=True),
            Span("c", strong=True, em=True),
            Span(" d", strong=True),
            Span(" "),
            Span("e ", href="https://g.example/h_(i)"),
            Span("f", em=True, href="https://g.example/h_(i)"),
            Span(" *j* [k]"),
        ),
    )


@pytest.mark.parametrize(
    "text",
    ["5*3*2", "* * *", "****", "***", "*a", "a*", "**a*b", "a [b", "[a](", "[](https://a.b)", "\\"],
)
def test_a_marker_that_marks_nothing_is_text(text: str) -> None:
    assert blocks(text) == ((Span(text),),)


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/path",
        "ftp://a.example",
        "https://",
        "https://user:secret@a.example",
        "https://a.example@evil.example/",
        "https://[::1",
        "https://a.example:99999/",
        "https://a.example/" + "x" * 2048,
        'https://a.example/"onclick=',
        "https:/a.example",
        "HTTPS//a.example",
    ],
)
def test_a_link_that_leads_elsewhere_than_to_the_web_is_named_and_never_followed(
    target: str,
) -> None:
    body = f"see [this]({target})"
    assert bad_links(body) == [target]
    assert all(span.href is None for block in blocks(body) for span in block)
    assert plain(body) == body


@pytest.mark.parametrize(
    "target",
    [
        "https://a.example",
        "http://a.example:8080/b?c=d#e",
        "HTTPS://A.example",
        "https://суми.укр/новини",
    ],
)
def test_a_whole_web_address_is_a_link(target: str) -> None:
    assert bad_links(f"[a]({target})") == []
    assert blocks(f"[a]({target})") == ((Span("a", href=target),),)


@given(texts | pieces)
def test_no_word_is_lost(body: str) -> None:
    # Addresses move into href; all other letters stay, in their order.
    words = re.sub(r"\s", "", re.sub(r"\[((?:\\.|[^\[\]\\])+)\]\(\S*?\)", r"\1", body))
    kept = re.sub(r"\s", "", plain(body))
    letters = "".join(c for c in words if c not in "\\*[]()")
    it = iter(kept)
    if "](" not in body:
        assert all(c in it for c in letters)
    assert bool(kept) == bool(body.strip())


@given(texts | pieces)
def test_what_is_no_markup_comes_out_as_it_went_in(body: str) -> None:
    escaped = re.sub(r"([\\*\[\]()])", r"\\\1", body)
    expected = [p.strip() for p in re.split(r"\n[ \t]*\n\s*", body.strip("\n")) if p.strip()]
    assert [tuple(span.text for span in block) for block in blocks(escaped)] == [
        (paragraph,) for paragraph in expected
    ]


@given(texts | pieces)
def test_every_block_has_words_and_neighbours_differ_in_manner(body: str) -> None:
    for block in blocks(body):
        assert block
        assert all(span.text for span in block)
        for a, b in pairwise(block):
            assert (a.strong, a.em, a.href) != (b.strong, b.em, b.href)


@given(pieces)
def test_every_link_that_is_shown_is_a_web_address(body: str) -> None:
    assert all(is_link(span.href) for block in blocks(body) for span in block if span.href)


HOSTILE = {
    "brackets": "[",
    "open links": "[a](",
    "nested addresses": "(b[a](",
    "escapes": "\\*",
    "escaped brackets in a label": "\\[",
    "stars": "*",
    "switching manners": ",*,**",
    "closed parentheses": "()",
    "labels": "[a",
    "blank lines": "\n ",
    "short paragraphs": "a\n\n",
    "links": "[a](https://b.c)",
    "half escaped links": "[a](b\\)",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("start", ["", "[x](z"])
def test_the_longest_body_is_read_in_linear_time(
    monkeypatch: pytest.MonkeyPatch, piece: str, start: str
) -> None:
    def steps(size: int) -> int:
        body = start + piece * ((size - len(start)) // len(piece))
        return steps_of(monkeypatch, markup, lambda: (blocks(body), bad_links(body)))

    short, long = steps(BODY_MAX // 128), steps(BODY_MAX // 16)
    # Eight times the text in square time takes 64 times as many steps.
    assert long < 9 * short


def test_square_time_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = ModuleType("pairs")
    pairs.PAIR = re.compile(r"a+b|a")

    def steps(size: int) -> int:
        return steps_of(monkeypatch, pairs, lambda: list(pairs.PAIR.finditer("a" * size)))

    assert steps(320) > 40 * steps(40)
