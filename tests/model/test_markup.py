"""Body text to blocks: nothing that an editor wrote is lost, whatever was written."""

from __future__ import annotations

import re
from itertools import pairwise
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from steps import count as steps_of

from feedserver import markup, spans
from feedserver.addresses import is_link
from feedserver.markup import Block, Listed, Quote, bad_links, blocks, plain
from feedserver.model import BODY_MAX
from feedserver.spans import Paragraph, Span

texts = st.text(alphabet="ab *\\[]()\n\t,.15->—", max_size=60) | st.text(max_size=60)
pieces = st.lists(
    st.sampled_from(
        [
            *[
                "*",
                "**",
                "\\",
                "[",
                "]",
                "(",
                ")",
                "](",
                "https://a.example",
                "a",
                " ",
                "\n\n",
                ",",
            ],
            *["\n- ", "\n1. ", "\n2. ", "\n> ", "\n> — ", "<", ' "', "重"],
        ]
    ),
    max_size=30,
).map("".join)


LINE = "https://a.example/x"


def link(text: str, href: str = LINE) -> Span:
    return Span(text, href=href)


def paragraphs_of(block: Block) -> tuple[Paragraph, ...]:
    """Return what has spans in a block: itself, its entries, or its paragraphs."""
    match block:
        case Listed(entries):
            return entries
        case Quote(paragraphs):
            return paragraphs
        case _:
            return (block,)


def all_spans(body: str) -> list[Span]:
    return [span for block in blocks(body) for part in paragraphs_of(block) for span in part]


def listed(*entries: str, ordered: bool = False) -> Listed:
    return Listed(tuple((Span(entry),) for entry in entries), ordered)


def quote(*paragraphs: str, cite: str | None = None) -> Quote:
    return Quote(tuple((Span(paragraph),) for paragraph in paragraphs), cite)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("- one\n- two", [listed("one", "two")]),
        ("* one\n• two\n- three", [listed("one", "two", "three")]),
        ("1. one\n2. two", [listed("one", "two", ordered=True)]),
        ("In:\n- one\n- two\nEnd.", [(Span("In:"),), listed("one", "two"), (Span("End."),)]),
        ("- one\n  goes on\n- two", [listed("one\ngoes on", "two")]),
        ("- one\n  - two\n- three", [listed("one\n- two", "three")]),
        ("- **one**\n- two", [Listed(((Span("one", strong=True),), (Span("two"),)))]),
        ("1. one\n2. two\n4. four", [listed("one", "two", ordered=True), (Span("4. four"),)]),
        ("1. one\n- two\n- three", [(Span("1. one"),), listed("two", "three")]),
        ("- Так, — сказав він.", [(Span("- Так, — сказав він."),)]),
        ("1. FC Köln", [(Span("1. FC Köln"),)]),
        ("2. one\n3. two", [(Span("2. one\n3. two"),)]),
        ("- one\n\n- two", [(Span("- one"),), (Span("- two"),)]),
        ("-one\n-two", [(Span("-one\n-two"),)]),
        (r"\- one" + "\n" + r"\- two", [(Span("- one\n- two"),)]),
        (r"1\. one" + "\n" + r"2\. two", [(Span("1. one\n2. two"),)]),
        ("> said", [quote("said")]),
        ("> one\n> more\n>\n> two\n> — Ann", [quote("one\nmore", "two", cite="Ann")]),
        ("> one\n> – Ann *Lee*", [quote("one", cite="Ann Lee")]),
        (">one\n>-- Ann", [quote("one", cite="Ann")]),
        ("> — Так.", [quote("— Так.")]),
        ("He said:\n> one\nThen", [(Span("He said:"),), quote("one"), (Span("Then"),)]),
        (r"\> one", [(Span("> one"),)]),
        (">", [(Span(">"),)]),
        (f"See {LINE}.", [(Span("See "), link(LINE), Span("."))]),
        (f"(see {LINE}_(y)), «{LINE}»", [
            (Span("(see "), link(LINE + "_(y)", LINE + "_(y)"), Span("), «"), link(LINE), Span("»"))
        ]),
        (f"見る：{LINE}。次", [(Span("見る："), link(LINE), Span("。次"))]),
        (f"**{LINE}**", [(Span(LINE, strong=True, href=LINE),)]),
        (f"{LINE}?a[]=1!", [(link(LINE + "?a[]=1", LINE + "?a[]=1"), Span("!"))]),
        (f"{LINE}[b](https://b.c)", [(link(LINE), link("b", "https://b.c"))]),
        (f"[{LINE}](https://b.example)", [(link(LINE, "https://b.example"),)]),
        ("https://user@a.example xhttps://a.b", [(Span("https://user@a.example xhttps://a.b"),)]),
        ("これは**重要**です", [(Span("これは"), Span("重要", strong=True), Span("です"))]),
        ("**서울**에서", [(Span("서울", strong=True), Span("에서"))]),
        ("ข่าว*ด่วน*วันนี้", [(Span("ข่าว"), Span("ด่วน", em=True), Span("วันนี้"))]),
        ("snake*case*x", [(Span("snake*case*x"),)]),
        (f"[photo [AFP]]({LINE})", [(link("photo [AFP]"),)]),
        ("[x](https://a.b/A_(b_(c)))", [(link("x", "https://a.b/A_(b_(c))"),)]),
        (f'[x]({LINE} "Title") [y](<{LINE}>)', [(link("x"), Span(" "), link("y"))]),
        (f"[a [b]({LINE}) c]", [(Span("[a "), link("b"), Span(" c]"))]),
    ],
)  # fmt: skip
def test_a_body_is_read_as_editors_write_it(body: str, expected: list[Block]) -> None:
    assert list(blocks(body)) == expected


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ("[x]()", ""),
        (f"[]({LINE})", LINE),
        (f"[a]({LINE}", LINE),
        (f"a]({LINE})", f"{LINE})"),
        (f"[a [b]({LINE}) c]({LINE})", f"{LINE})"),
        ("- [x](ftp://a.b)\n- y", "ftp://a.b"),
    ],
)
def test_what_nearly_is_a_link_is_named(body: str, target: str) -> None:
    assert bad_links(body) == [target]


def test_as_text_lists_and_quotes_have_their_signs() -> None:
    body = "* a\n* b\n\n1. c\n2. **d**\n\n> e\n>\n> f\n> -- Ann"
    assert plain(body) == "- a\n- b\n\n1. c\n2. d\n\n> e\n>\n> f\n— Ann"


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
    assert all(span.href is None for span in all_spans(body))
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
    letters = "".join(c for c in words if c not in "\\*[]()>")  # and > begins a quote
    it = iter(kept)
    if "](" not in body:
        assert all(c in it for c in letters)
    assert bool(kept) == bool(body.strip())


@given(texts | pieces)
def test_what_is_no_markup_comes_out_as_it_went_in(body: str) -> None:
    escaped = re.sub(r"([\\*\[\]()\-•>.])", r"\\\1", body)
    expected = [p.strip() for p in re.split(r"\n[ \t]*\n\s*", body.strip("\n")) if p.strip()]
    # An address is a link, whatever stands around it.
    bare = [
        ["".join(span.text for span in part) for part in paragraphs_of(block)]
        for block in blocks(escaped)
    ]
    assert bare == [[paragraph] for paragraph in expected]
    assert not any(span.strong or span.em for span in all_spans(escaped))


@given(texts | pieces)
def test_every_block_has_words_and_neighbours_differ_in_manner(body: str) -> None:
    for block in blocks(body):
        assert paragraphs_of(block)
        for part in paragraphs_of(block):
            assert part
            assert all(span.text for span in part)
            for a, b in pairwise(part):
                assert (a.strong, a.em, a.href) != (b.strong, b.em, b.href)


@given(pieces)
def test_every_link_that_is_shown_is_a_web_address(body: str) -> None:
    assert all(is_link(span.href) for span in all_spans(body) if span.href)


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
    "entries": "- a\n",
    "numbered entries": "1. a\n",
    "entries that go on": "\n  a",
    "quoted lines": "> a\n",
    "empty quoted lines": ">\n",
    "addresses": "https://a.b ",
    "addresses without an end": "https://",
    "addresses with brackets": "https://[a",
    "brackets behind an address": ")",
    "titles": '[a](b "',
    "pointed addresses": "[a](<",
    "near misses": "](https://",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("start", ["", "[x](z"])
def test_the_longest_body_is_read_in_linear_time(
    monkeypatch: pytest.MonkeyPatch, piece: str, start: str
) -> None:
    def steps(size: int) -> int:
        body = start + piece * ((size - len(start)) // len(piece))
        return steps_of(monkeypatch, lambda: (blocks(body), bad_links(body)), markup, spans)

    short, long = steps(BODY_MAX // 128), steps(BODY_MAX // 16)
    # Eight times the text in square time takes 64 times as many steps.
    assert long < 9 * short


def test_square_time_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = ModuleType("pairs")
    pairs.PAIR = re.compile(r"a+b|a")

    def steps(size: int) -> int:
        return steps_of(monkeypatch, lambda: list(pairs.PAIR.finditer("a" * size)), pairs)

    assert steps(320) > 40 * steps(40)
