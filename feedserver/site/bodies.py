"""An item's body as pages need it: the blocks that were parsed when it was written."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from feedserver import markup
from feedserver.markup import Span
from feedserver.model import Item


def blocks(item: Item) -> Sequence[Sequence[Span]]:
    """Return an item's paragraphs of spans."""
    if item.blocks is None:  # nobody has parsed it yet
        return markup.blocks(item.body)
    return [
        [Span(span) if isinstance(span, str) else Span(**span) for span in block]
        for block in orjson.loads(item.blocks)
    ]


def plain(item: Item) -> str:
    """Return an item's words alone, a blank line between paragraphs."""
    return "\n\n".join("".join(span.text for span in block) for block in blocks(item))
