"""An item's body as pages need it: the blocks that were parsed when it was written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from feedserver import markup
from feedserver.markup import Block, Listed, Quote
from feedserver.model import Item
from feedserver.spans import Paragraph, Span

_QUOTED = re.compile("^> ?", re.MULTILINE)


def blocks(item: Item) -> Sequence[Block]:
    """Return an item's paragraphs, lists and quotes."""
    if item.blocks is None:  # nobody has parsed it yet
        return markup.blocks(item.body)
    return list(map(_block, orjson.loads(item.blocks)))


def text(item: Item) -> str:
    """Return an item's body as text without markup, a blank line between blocks."""
    return markup.text_of(blocks(item))


def line(item: Item) -> str:
    """Return an item's body for one line: as text, but without the signs of quotes."""
    return " ".join(
        _QUOTED.sub("", text) if isinstance(block, Quote) else text
        for block in blocks(item)
        for text in [markup.text_of([block])]
    )


def _block(written: Any) -> Block:
    match written:
        case {"list": entries}:
            return Listed(tuple(map(_paragraph, entries)), written.get("ordered", False))
        case {"quote": paragraphs}:
            return Quote(tuple(map(_paragraph, paragraphs)), written.get("cite"))
        case _:
            return _paragraph(written)


def _paragraph(written: Any) -> Paragraph:
    return tuple(Span(span) if isinstance(span, str) else Span(**span) for span in written)
