"""Body text to blocks: blank line = paragraph, **bold**, *italic*, [link](https://…), \\ escapes.

Blocks are paragraphs of spans, a span a plain string or a `Span`. Emphasis is a flag on a span,
not a tree, so markers may overlap freely and every text parses in one pass, in linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from feedserver.addresses import is_link, trimmed

_TOKEN = re.compile(
    r"\\(?P<escaped>[\\*\[\]()])"
    r"|(?P<strong>\*\*)"
    r"|(?P<em>\*)"
    r"|\[(?P<label>(?:\\.|[^\[\]\\])+)\]\((?P<href>(?:[^\s()\\]|\([^\s()]*\))+)\)"
    r"|(?P<text>[^\\*\[]+|[\\\[])"
)
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
    pieces = _pieces(paragraph, None)
    switches = _switches(pieces)
    on = {"strong": False, "em": False}
    # Runs of one manner are joined at the end: adding to a span's text would take square time.
    runs: list[tuple[Span, list[str]]] = []
    for i, piece in enumerate(pieces):
        if i in switches and piece.marker is not None:
            on[piece.marker] = not on[piece.marker]
            continue
        manner = Span("", on["strong"], on["em"], piece.href)
        if not runs or runs[-1][0] != manner:
            runs.append((manner, []))
        runs[-1][1].append(piece.text)
    return tuple(replace(manner, text="".join(texts)) for manner, texts in runs)


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
    out: list[_Piece] = []
    for m in _TOKEN.finditer(text):
        if m["escaped"] is not None:
            out.append(_Piece(m["escaped"], href=href))
        elif m["label"] is not None and href is None and is_link(target := trimmed(m["href"])):
            out += _pieces(m["label"], target)
        elif m["label"] is not None:
            out.append(_Piece(m[0], href=href))
        elif m["text"] is not None:
            out.append(_Piece(m["text"], href=href))
        else:
            before = text[m.start() - 1] if m.start() else " "
            after = text[m.end()] if m.end() < len(text) else " "
            out.append(
                _Piece(
                    m[0],
                    "strong" if m["strong"] else "em",
                    # As in "5*3": a marker inside a word is no marker.
                    opens=not after.isspace() and not before.isalnum(),
                    closes=not before.isspace() and not after.isalnum(),
                    href=href,
                )
            )
    return out
