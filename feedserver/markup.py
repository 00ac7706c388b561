"""Body text to blocks: a blank line parts paragraphs; lines make lists and quotes.

A block is a paragraph of spans, a `Listed` or a `Quote`; what stands in a line is read by `spans`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from feedserver.spans import Paragraph, bad_targets, spans

_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_BULLETS = ("- ", "* ", "• ")
_CITES = ("— ", "– ", "-- ")
_QUOTED = ">"
_GOES_ON = "  "  # what a line begins with that belongs to the entry before it
_ENTRIES_MIN = 2  # one alone is text: speech that begins with a dash, or "1. FC Köln"


@dataclass(frozen=True, slots=True)
class Listed:
    """Entries of a list, in order; `ordered` ones have numbers from 1."""

    entries: tuple[Paragraph, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody said, and who: plain text."""

    paragraphs: tuple[Paragraph, ...]
    cite: str | None = None


Block = Paragraph | Listed | Quote


@dataclass(frozen=True, slots=True)
class _Part:
    """Text of a block that is not read yet: one for each entry or paragraph."""

    kind: str  # "text", "list", "ordered" or "quote"
    texts: list[str]
    cite: str | None = None


def blocks(body: str) -> tuple[Block, ...]:
    """Parse body text."""
    return tuple(map(_block, _parts(body)))


def paragraphs(body: str) -> list[list[str]]:
    """Split body text without reading its markup: what `blocks` gives for text that has none."""
    return [[text] for text in _split(body)]


def plain(body: str) -> str:
    """Return a body as text without markup, a blank line between blocks."""
    return text_of(blocks(body))


def text_of(parsed: Iterable[Block]) -> str:
    """Return blocks as text: `- ` or `1. ` before entries, `> ` before what was said."""
    return "\n\n".join(map(_text, parsed))


def words_of(paragraph: Paragraph) -> str:
    """Return the words of a paragraph alone."""
    return "".join(span.text for span in paragraph)


def bad_links(body: str) -> list[str]:
    """List the targets of links that are no whole http or https addresses."""
    if "](" not in body:
        return []
    return [target for part in _parts(body) for text in part.texts for target in bad_targets(text)]


def _block(part: _Part) -> Block:
    if part.kind == "text":
        return spans(part.texts[0])
    read = tuple(map(spans, part.texts))
    if part.kind == "quote":
        return Quote(read, words_of(spans(part.cite)) if part.cite else None)
    return Listed(read, ordered=part.kind == "ordered")


def _text(block: Block) -> str:
    match block:
        case Listed(entries, ordered):
            return "\n".join(
                f"{f'{number}.' if ordered else '-'} {words_of(entry)}"
                for number, entry in enumerate(entries, 1)
            )
        case Quote(quoted, cite):
            said = "\n\n".join(map(words_of, quoted))
            lines = [f"> {line}".rstrip() for line in said.split("\n")]
            return "\n".join([*lines, *([f"— {cite}"] if cite else [])])
        case _:
            return words_of(block)


def _split(body: str) -> Iterator[str]:
    return filter(None, (part.strip() for part in _PARAGRAPH.split(body.strip("\n"))))


def _parts(body: str) -> Iterator[_Part]:
    """Tell the parts of a body, none of them read."""
    for text in _split(body):
        if "\n" in text or text.startswith(_QUOTED):
            yield from _parts_of(text.split("\n"))
        else:
            yield _Part("text", [text])


def _parts_of(lines: Sequence[str]) -> Iterator[_Part]:
    """Tell the parts that the lines between two blank ones are."""
    plain_lines: list[str] = []
    start = 0
    while start < len(lines):
        part, end = _list_at(lines, start) or _quote_at(lines, start) or (None, start + 1)
        if part is None:
            plain_lines += lines[start:end]
        else:
            yield from _as_text(plain_lines)
            plain_lines = []
            yield part
        start = end
    yield from _as_text(plain_lines)


def _as_text(lines: list[str]) -> Iterator[_Part]:
    if text := "\n".join(lines).strip():
        yield _Part("text", [text])


def _list_at(lines: Sequence[str], start: int) -> tuple[_Part | None, int] | None:
    """Read a list that begins with a line; return it and where its lines end."""
    is_ordered = _entry(lines[start], 1) is not None
    entries: list[list[str]] = []
    end = start
    while end < len(lines):
        line = lines[end]
        entry = _entry(line, len(entries) + 1 if is_ordered else None)
        if entry is not None:
            entries.append([entry])
        elif entries and line.startswith(_GOES_ON):
            entries[-1].append(line.strip())
        else:
            break
        end += 1
    if len(entries) >= _ENTRIES_MIN:
        texts = ["\n".join(entry).strip() for entry in entries]
        return _Part("ordered" if is_ordered else "list", texts), end
    return (None, end) if entries else None


def _entry(line: str, number: int | None) -> str | None:
    """Return what a line says behind its bullet, or behind this number; None: it has none."""
    starts = _BULLETS if number is None else (f"{number}. ",)
    if not line.startswith(starts):
        return None
    return line.partition(" ")[2].strip() or None


def _quote_at(lines: Sequence[str], start: int) -> tuple[_Part | None, int] | None:
    """Read a quote that begins with a line; return it and where its lines end."""
    end = start
    while end < len(lines) and lines[end].startswith(_QUOTED):
        end += 1
    if end == start:
        return None
    quoted = [line.removeprefix(_QUOTED).strip() for line in lines[start:end]]
    cite = None
    if any(quoted[:-1]) and quoted[-1].startswith(_CITES):
        cite = quoted.pop().partition(" ")[2].strip()
    texts = [text for text in "\n".join(quoted).split("\n\n") if text.strip()]
    return _Part("quote", [text.strip("\n") for text in texts], cite) if texts else None, end
