"""The contract that every journal keeps, and what is read back of it.

A `Journal` orders and keeps records; a `Mirror` is the state that they add up to. SQLite is both
at once, in one transaction. A replicated journal orders on many machines, and each machine's
SQLite mirror follows and decides; so a `Mirror` holds a change by the time `append` returns it or
`follow` yields it, but nothing here promises that `follow` is level with `append` on return, that
sequences have no gaps, or that a record's own sequence is known before the append.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from feedserver.model import Feed, Item, Millis, Record, Revision, Token
from feedserver.rules import Change


@dataclass(frozen=True, slots=True)
class Identity:
    """Which journal this is. `epoch` is random and public; `salt` (hex) keys the MACs of keys."""

    epoch: str
    salt: str


@dataclass(frozen=True, slots=True)
class Retry:
    """What a retry key was used for: the revision that it made, of an item or of a feed.

    `digest` is the request's, None where it was erased with the words. `current` is the item as it
    is now, and `killed_at` the version that withdrew it. Of a feed's own there is `feed` instead:
    the feed as that revision left it, or as it is now where those words were erased.
    """

    revision: Revision
    digest: str | None
    current: Item | None = None
    killed_at: int | None = None
    feed: Feed | None = None


@dataclass(frozen=True, slots=True)
class History:
    """An item, and what readers were shown of it by `SHOWN` verbs, oldest first.

    The newest of it, where that is not the whole. Nothing of an item that is withdrawn.
    """

    item: Item
    shown: tuple[Revision, ...]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Purge:
    """A kill or redact whose words may still be in a file or in some process's memory."""

    version: int
    item: int | None
    since: Millis


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a feed, newest first; `next` continues it and is None at the end.

    `previous` leads to what is above it where that was asked for; None at the top.
    `tag` is the one that was asked for, as the feed first wrote it, where that is known.
    """

    feed: Feed
    items: tuple[Item, ...]
    next: tuple[int, int] | None
    tag: str | None = None
    previous: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class InitialState:
    """Everything that a feed's live window starts from, all read at one moment.

    `newest` by (published_at, id), `pinned` those pinned, `recent` by version, each newest first.
    `checks` maps the newest records' sequences to their checks. An item that cannot be read is left
    out of all of them, but counted: `newest` stands for all items unless there is an `oldest`, the
    order of the last one counted, and `recent` for all that was changed after `complete_after`.
    `changed_at` is when a fact changed last that readers see, as far as the newest records tell.
    """

    feed: Feed
    newest: tuple[Item, ...]
    pinned: tuple[Item, ...]
    recent: tuple[Item, ...]
    checks: dict[int, str]
    oldest: tuple[Millis, int] | None = None
    complete_after: int = 0
    changed_at: Millis = 0


class Journal(Protocol):
    """An ordered, durable list of records."""

    @property
    def identity(self) -> Identity:
        """Which journal this is, for as long as it is open."""

    async def append(self, record: Record) -> Change:
        """Make the record durable and return what was decided at its sequence.

        Raises Refused or Duplicate when nothing was changed; Unavailable when nothing was stored;
        OutcomeUnknown when only a retry with the same key can tell.
        """

    def follow(self, after: int) -> AsyncIterator[tuple[Change, ...]]:
        """Yield every accepted change after `after`, in order, in groups, without end.

        Durable before it is yielded. An item or feed may be newer than the change that names it,
        when records were read back and not watched; it is never older.
        """

    async def head(self) -> int:
        """Return the sequence of the newest accepted record that is applied here; 0: none."""

    async def level(self) -> bool:
        """Wait until all that the journal has by now is applied here; False: after 2 s it is not.

        Who is behind must not answer for the whole: what is unknown here may exist.
        """

    async def given(self, sequence: int) -> bool:
        """Say whether the journal ever gave this sequence. Raises Unavailable if it cannot tell."""


class Mirror(Protocol):
    """The state of feeds, items and tokens. Reads only; each answer is of one moment."""

    async def feeds(self) -> tuple[Feed, ...]:
        """Return every feed, by slug."""

    async def empty_feeds(self) -> frozenset[str]:
        """Return the slugs of the feeds that never had an item."""

    async def feed(self, slug: str) -> Feed | None:
        """Return a feed, None where there is none."""

    async def feed_revisions(self, slug: str) -> tuple[Revision, ...]:
        """Return the accepted records of a feed's own settings, oldest first."""

    async def tokens(self) -> tuple[Token, ...]:
        """Return every token, revoked ones too."""

    async def item(self, slug: str, item: int) -> Item | None:
        """Return the latest state of an item of that feed; None where there is none.

        Raises Unavailable where its record cannot be read.
        """

    async def history(self, slug: str, item: int, bytes_max: int) -> History | None:
        """Return an item with what readers were shown of it, read from the newest on.

        It is cut before the first whose `shown_bytes` do not fit `bytes_max` any more.
        """

    async def revisions(self, slug: str, item: int) -> tuple[Revision, ...]:
        """Return an item's accepted records, oldest first, with the state that each led to."""

    async def page(
        self,
        slug: str,
        limit: int,
        before: tuple[int, int] | None = None,
        tag: str | None = None,
        words: str | None = None,
        *,
        held: bool = False,
    ) -> Page | None:
        """Return `limit` items below `before`; with `tag` or `words` tombstones are left out.

        `held`: of those that are held alone, without `tag` and `words`.
        """

    async def page_after(self, slug: str, limit: int, after: tuple[int, int]) -> Page | None:
        """Return the `limit` items above `after` that are next to it, newest first."""

    async def page_around(self, slug: str, limit: int, item: int) -> Page | None:
        """Return `limit` items with that one in their middle; near the top with more below it.

        None where there is no such item in that feed.
        """

    async def neighbours(self, slug: str, item: int) -> tuple[int | None, int | None]:
        """Return the ids of the next newer and the next older item that are not withdrawn."""

    async def newest_live(self, after: Millis, limit: int) -> tuple[Item, ...]:
        """Return the newest live items of all feeds that were published later than `after`.

        By (published_at, id), newest first. No words are read, and the items have none.
        """

    async def headlines(self, ids: Sequence[int]) -> tuple[Item, ...]:
        """Return those of these items that can be read, with no words but their headlines."""

    async def initial_state(self, slug: str, recent: int, checks: int) -> InitialState | None:
        """Return what a window starts from: so many changed items, so many records' checks."""

    async def check(self, slug: str, sequence: int) -> str | None:
        """Return the check of the feed's record at `sequence`; None where the feed has none."""

    async def retry(self, mac: bytes) -> Retry | None:
        """Return what a retry key was used for, by its MAC."""

    async def purges(self) -> tuple[Purge, ...]:
        """Return the kills and redacts whose words may still be somewhere, oldest first."""
