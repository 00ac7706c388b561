"""What an editor sends to the newsroom, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feedserver.errors import BadRequest
from feedserver.model import Feed, Item, Token, Verb

Condition = tuple[tuple[int, str], ...] | None
"""The versions that If-Match allows; empty: any."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What an editor sent, as it came.

    `verb` None: it named none that there is. `condition` None: there was no If-Match; an error: it
    could not be read, which a retry is not told.
    """

    feed: str
    verb: Verb | None
    raw: dict[str, Any]
    editor: Token
    item: int | None = None
    condition: Condition | BadRequest = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The item as the verb left it; `replayed` if an earlier try had done it already.

    `redacted` lists the versions whose words a redact erased.
    """

    item: Item
    replayed: bool = False
    redacted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedOutcome:
    """A feed as a change left it; `created` if that made it, `replayed` as of an item.

    `unchanged` if it was so before, and no record was made.
    """

    feed: Feed
    created: bool = False
    unchanged: bool = False
    replayed: bool = False
    redacted: tuple[int, ...] = ()
