"""Body text to blocks: blank line = paragraph, **bold**, *italic*, [link](https://…), \\ escapes.

Blocks are paragraphs of spans, a span a plain string or a `Span`. Emphasis is a flag on a span,
not a tree, so markers may overlap freely and every text parses in one pass, in linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from feedserver.addresses import is_link, trimmed

_TOKEN = re.compile(
    r"\\(?P<escaped>[\\*\[\]()])"
    r"|(?P<strong>\*\*)"
    r"|(?P<em>\*)"
    r"|\[(?P<label>(?:\\.|[^\[\]\\])+)\]\((?P<href>(?:[^\s()\\]|\([^\s()]*\))+)\)"
    r"|(?P<text>[^\\*\[]+|[\\\[])"
)
_SIGNS = "\\*["  # without any of which a paragraph is plain
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one manner; a line feed in it is a line break."""

    text: str
    strong: bool = False
    em: bool = False
    href: str | None = None


Block = tuple[Span, ...]


@dataclass(slots=True)
class _Piece:
    text: str
    marker: str | None = None
    opens: bool = False
    closes: bool = False
    href: str | None = None


def blocks(body: str) -> tuple[Block, ...]:
    """Parse body text into paragraphs of spans."""
    paragraphs = _PARAGRAPH.split(body.strip("\n"))
    return tuple(_spans(p.strip()) for p in paragraphs if p.strip())


def paragraphs(body: str) -> list[list[str]]:
    """Split body text without reading its markup: what `blocks` gives for text that has none."""
    parts = (part.strip() for part in _PARAGRAPH.split(body.strip("\n")))
    return [[part] for part in parts if part]


def plain(body: str) -> str:
    """Return the words alone, a blank line between paragraphs."""
    return "\n\n".join("".join(span.text for span in block) for block in blocks(body))


def bad_links(body: str) -> list[str]:
    """List the targets of links that are no whole http or https addresses."""
    hrefs = (trimmed(m["href"]) for m in _TOKEN.finditer(body) if m["href"] is not None)
    return [href for href in hrefs if not is_link(href)]


def _spans(paragraph: str) -> Block:
    if not any(sign in paragraph for sign in _SIGNS):
        return (Span(paragraph),)
    pieces = _pieces(paragraph, None)
    switches = _switches(pieces)
    strong = em = False
    # Runs of one manner are joined at the end: adding to a span's text would take square time.
    runs: list[tuple[tuple[bool, bool, str | None], list[str]]] = []
    for i, piece in enumerate(pieces):
        if i in switches:
            strong, em = strong ^ (piece.marker == "strong"), em ^ (piece.marker == "em")
            continue
        manner = (strong, em, piece.href)
        if not runs or runs[-1][0] != manner:
            runs.append((manner, []))
        runs[-1][1].append(piece.text)
    return tuple(Span("".join(texts), *manner) for manner, texts in runs)


def _switches(pieces: list[_Piece]) -> set[int]:
    """Return which markers mean something: pairs with text between. All others are text."""
    found: set[int] = set()
    opened: dict[str, int] = {}
    newest_text = -1
    for i, piece in enumerate(pieces):
        start = opened.get(piece.marker) if piece.marker is not None else None
        if piece.marker is not None and start is None and piece.opens:
            opened[piece.marker] = i
        elif piece.marker is not None and start is not None and piece.closes:
            del opened[piece.marker]
            if newest_text > start:
                found |= {start, i}
            else:
                newest_text = i
        else:
            newest_text = i
    return found


def _pieces(text: str, href: str | None) -> list[_Piece]:
    """Split text at what may be a marker, and at links. What is neither stays together."""
    out: list[_Piece] = []
    words: list[str] = []

    def end_words() -> None:
        if words:
            out.append(_Piece("".join(words), href=href))
            words.clear()

    for m in _TOKEN.finditer(text):
        kind = m.lastgroup
        if kind == "text" or kind == "escaped":
            words.append(m[kind])
        elif kind == "href":
            target = trimmed(m["href"])
            if href is None and is_link(target):
                end_words()
                out += _pieces(m["label"], target)
            else:
                words.append(m[0])
        elif (marker := _marker(text, m, href)) is not None:
            end_words()
            out.append(marker)
        else:
            words.append(m[0])
    end_words()
    return out


def _marker(text: str, m: re.Match[str], href: str | None) -> _Piece | None:
    before = text[m.start() - 1] if m.start() else " "
    after = text[m.end()] if m.end() < len(text) else " "
    # As in "5*3": a marker inside a word is no marker.
    opens = not after.isspace() and not before.isalnum()
    closes = not before.isspace() and not after.isalnum()
    return _Piece(m[0], m.lastgroup, opens, closes, href) if opens or closes else None
