"""Body text to blocks: blank line = paragraph, **bold**, *italic*, [link](https://…), \\ escapes.

Blocks are paragraphs of spans, a span a plain string or a `Span`. Emphasis is a flag on a span,
not a tree, so markers may overlap freely and every text parses in one pass, in linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\\(?P<escaped>[\\*\[\]()])"
    r"|(?P<strong>\*\*)"
    r"|(?P<em>\*)"
    r"|\[(?P<label>(?:\\.|[^\[\]\\])+)\]\((?P<href>(?:[^\s()\\]|\([^\s()]*\))+)\)"
    r"|(?P<text>[^\\*\[]+|[\\\[])"
)
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_LINK = re.compile(r"https?://[^\s<>\"'`{}|^\\]+", re.IGNORECASE)


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


def plain(body: str) -> str:
    """Return the words alone, a blank line between paragraphs."""
    return "\n\n".join("".join(span.text for span in block) for block in blocks(body))


def bad_links(body: str) -> list[str]:
    """List the targets of links that are neither http nor https."""
    return [
        m["href"]
        for m in _TOKEN.finditer(body)
        if m["href"] is not None and not _LINK.fullmatch(m["href"])
    ]


def _spans(paragraph: str) -> Block:
    pieces = _pieces(paragraph, None)
    last_close = {p.marker: i for i, p in enumerate(pieces) if p.closes}
    on = {"strong": False, "em": False}
    out: list[Span] = []
    for i, piece in enumerate(pieces):
        if piece.marker is not None:
            active = on[piece.marker]
            if active and piece.closes:
                on[piece.marker] = False
                continue
            if not active and piece.opens and last_close.get(piece.marker, -1) > i:
                on[piece.marker] = True
                continue
        span = Span(piece.text, on["strong"], on["em"], piece.href)
        if out and _same_manner(out[-1], span):
            out[-1] = Span(out[-1].text + span.text, span.strong, span.em, span.href)
        else:
            out.append(span)
    return tuple(out)


def _pieces(text: str, href: str | None) -> list[_Piece]:
    out: list[_Piece] = []
    for m in _TOKEN.finditer(text):
        if m["escaped"] is not None:
            out.append(_Piece(m["escaped"], href=href))
        elif m["label"] is not None and href is None and _LINK.fullmatch(m["href"]):
            out += _pieces(m["label"], m["href"])
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


def _same_manner(a: Span, b: Span) -> bool:
    return (a.strong, a.em, a.href) == (b.strong, b.em, b.href)
