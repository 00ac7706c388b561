"""The values that everything else speaks of. Frozen, slotted, free of I/O.

Times are whole milliseconds since 1970 in UTC (`Millis`); `wire` turns them into RFC 3339.
"""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass, field, fields
from enum import StrEnum
from uuid import UUID, uuid5

Millis = int

# Sent and stored limits, from the contract.
HEADLINE_MAX = 300  # characters
BODY_MAX = 64 * 1024  # bytes of UTF-8
NOTE_MAX = 1000  # characters
TAGS_MAX = 20
TAG_MAX = 50  # characters
MEDIA_MAX = 10
TEXT_MAX = 200  # characters: byline, source, credit, a feed's title
ALT_MAX = 1000  # characters: media alt, a feed's description
SUMMARY_MAX = 4 * 1024  # bytes of UTF-8: a feed's key points
URL_MAX = 2048  # characters
CORRECTIONS_MAX = 50  # of one item, so that it fits in a message
SNAPSHOT_ITEMS = 50
CATCH_UP_MAX = 200  # changed items; a reader further behind gets a snapshot
AHEAD_MAX: Millis = 60_000  # how far ahead `published_at` may be set (becomes now)
STEP_BACK_MAX: Millis = 600_000  # how far a clock may step back and still not reorder news

_ALPHABET = string.ascii_letters + string.digits
SLUG = r"[a-z0-9][a-z0-9-]{0,62}"  # of a feed, as a pattern
_SLUG = re.compile(SLUG)
_CURSOR = re.compile(r"([A-Za-z0-9]{8})\.([0-9]{1,15})\.([A-Za-z0-9]{4})")
_ETAG = re.compile(r"([0-9]{1,15})-([A-Za-z0-9]{4})")
_UIDS = UUID("6f0e1c52-3d0b-4a5e-9b8a-2f1d7c4e9a10")  # the namespace of lasting ids


def random_id(length: int = 16) -> str:
    """Return `length` random letters and digits (16: 95 bits)."""
    # One draw for all; 64 bits more than needed, so that no digit is likelier than another.
    rest = secrets.randbits(6 * length + 64)
    letters = []
    for _ in range(length):
        rest, digit = divmod(rest, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(letters)


def uid_of(rid: str) -> str:
    """Return the lasting id of what a record began: the same on every machine, after any move."""
    return f"urn:uuid:{uuid5(_UIDS, rid)}"


def is_slug(text: str) -> bool:
    """Say whether `text` can name a feed."""
    return _SLUG.fullmatch(text) is not None


class Verb(StrEnum):
    """What an editor can do to an item."""

    POST = "post"
    FIX = "fix"
    UPDATE = "update"
    CORRECT = "correct"
    HOLD = "hold"
    RELEASE = "release"
    KILL = "kill"
    PIN = "pin"
    UNPIN = "unpin"
    REDACT = "redact"


class Status(StrEnum):
    """What readers may see of an item."""

    LIVE = "live"
    HELD = "held"
    KILLED = "killed"


class Act(StrEnum):
    """What a record that is no editor's verb does. A redact without an item is a feed's.

    A restamp is made by `check --repair` for an item whose times lie in the future.
    """

    FEED = "feed"
    TOKEN = "token"  # noqa: S105
    REVOKE = "revoke"
    RESTAMP = "restamp"


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or clip that goes with an item; sizes in pixels, `type` a MIME type."""

    url: str
    alt: str | None = None
    width: int | None = None
    height: int | None = None
    credit: str | None = None
    caption: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A public note that says what was wrong, and when it was put right."""

    at: Millis
    note: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an imported item comes from; unique in a feed."""

    uri: str
    id: str


@dataclass(frozen=True, slots=True)
class Content:
    """All that an editor sets of an item: words, but for `breaking`, `language`, `occurred_at`.

    `blocks` is the body as JSON, parsed at the write; None where nobody has parsed it yet.
    """

    headline: str = ""
    body: str = ""
    blocks: bytes | None = None
    byline: str | None = None
    source: str | None = None
    url: str | None = None
    tags: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    corrections: tuple[Correction, ...] = ()
    breaking: bool = False
    language: str | None = None
    occurred_at: Millis | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """The whole latest state of one item. A killed one keeps only what a tombstone shows.

    `rid` is that of its first record; `words_at` names the record whose words it shows.
    """

    id: int
    feed: str
    version: int
    check: str
    published_at: Millis
    rid: str = ""
    status: Status = Status.LIVE
    headline: str = ""
    body: str = ""
    blocks: bytes | None = None
    updated_at: Millis | None = None
    occurred_at: Millis | None = None
    byline: str | None = None
    source: str | None = None
    url: str | None = None
    tags: tuple[str, ...] = ()
    breaking: bool = False
    pinned: bool = False
    language: str | None = None
    media: tuple[Media, ...] = ()
    corrections: tuple[Correction, ...] = ()
    imported: bool = False
    words_at: int = 0
    touched_at: Millis = 0
    killed_at: Millis | None = None
    note: str | None = None

    @property
    def etag(self) -> str:
        """The entity tag, without quotes."""
        return f"{self.version}-{self.check}"

    @property
    def uid(self) -> str:
        """The lasting id."""
        return uid_of(self.rid)

    @property
    def order(self) -> tuple[Millis, int]:
        """The place in a feed: newest has the greatest."""
        return (self.published_at, self.id)

    @property
    def content(self) -> Content:
        """What editors set of it."""
        return Content(**{name: getattr(self, name) for name in CONTENT})


CONTENT = tuple(member.name for member in fields(Content))


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """All that an editor sets of a feed. `summary` is its key points, in the body's markup."""

    title: str
    language: str | None = None
    timezone: str | None = None
    description: str | None = None
    summary: str | None = None
    closed: bool = False
    is_typo: bool = False  # the summary changed without a fact: its time stays


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed's own settings, and how far it has come.

    `version` is the sequence of its latest record of its own, with `version_check`; `head` that of
    the newest record of the feed or any of its items, with `check`; `head_at` its true time, 0
    where that is not known. `words_at` names the record that holds its title, description and
    summary.
    """

    slug: str
    title: str
    created_at: Millis
    version: int
    head: int
    check: str
    language: str | None = None
    timezone: str | None = None
    description: str | None = None
    closed_at: Millis | None = None
    stamped_at: Millis = 0
    rid: str = ""
    version_check: str = ""
    words_at: int = 0
    summary: str | None = None
    summary_at: Millis | None = None
    head_at: Millis = field(default=0, compare=False)  # the journal's, and no part of the state

    @property
    def etag(self) -> str:
        """The entity tag of its own settings, without quotes."""
        return f"{self.version}-{self.version_check}"

    @property
    def uid(self) -> str:
        """The lasting id."""
        return uid_of(self.rid)

    @property
    def settings(self) -> FeedSettings:
        """What editors set of it."""
        return FeedSettings(
            self.title,
            self.language,
            self.timezone,
            self.description,
            self.summary,
            self.closed_at is not None,
        )


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """What a token is made with. `digest` is the secret's SHA-256 in hex; empty in a revoke."""

    name: str
    digest: str = ""
    feeds: tuple[str, ...] = ()
    importer: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """An editor's right to edit. Without feeds: all of them, and to create and close feeds."""

    name: str
    digest: str
    feeds: tuple[str, ...] = ()
    importer: bool = False
    created_at: Millis = 0
    revoked_at: Millis | None = None

    def may_edit(self, slug: str) -> bool:
        """Say whether this token edits the feed."""
        return self.revoked_at is None and (not self.feeds or slug in self.feeds)

    def may_administer(self) -> bool:
        """Say whether this token creates, closes and reopens feeds."""
        return self.revoked_at is None and not self.feeds


@dataclass(frozen=True, slots=True)
class RetryKey:
    """An Idempotency-Key as it is kept: never itself.

    `mac` is keyed with the journal's salt and finds the record again for ever. `digest` is that of
    the request; it is sealed with the record's words, so that no guess at them can be checked once
    these are erased.
    """

    mac: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Redaction:
    """What a redact erases: the words of the revision `version`, in the records `erases`."""

    version: int
    erases: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One fact, as it is appended. The journal gives it its sequence.

    It carries whole states: `content` is all that the item then is, in records whose verb changed
    words (post, fix, update, correct, and a redact of a correction's note); `settings` all of a
    feed or token. `at` is the true time of the append, `claimed_at` the time an import gives it,
    `published_at` the time a post asked for. `base` is the version that it was made from.
    """

    rid: str
    act: Verb | Act
    at: Millis
    feed: str | None = None
    item: int | None = None
    editor: str | None = None
    content: Content | None = None
    settings: FeedSettings | TokenSettings | None = None
    note: str | None = None
    base: tuple[int, str] | None = None
    published_at: Millis | None = None
    claimed_at: Millis | None = None
    origin: Origin | None = None
    origin_mac: bytes | None = None
    token_digest: str | None = None  # of the token that was let in: another of that name is not it
    retry_key: RetryKey | None = None
    redaction: Redaction | None = None

    @property
    def check(self) -> str:
        """The short piece of the random id that cursors and entity tags carry."""
        return self.rid[:4]

    @property
    def is_imported(self) -> bool:
        """Whether an import sent it."""
        return self.claimed_at is not None or self.origin_mac is not None


@dataclass(frozen=True, slots=True)
class Revision:
    """A record that was accepted, as it is read back.

    `effective_at` is the time that readers are shown for it. `item` is the whole state that it led
    to, None where its words are gone; of a feed's own record that is `settings`. `erased_at` says
    since when, None where they were not. `unreadable`: they were not, and yet cannot be read.
    """

    version: int
    check: str
    act: Verb | Act
    at: Millis
    effective_at: Millis
    editor: str | None = None
    claimed_at: Millis | None = None
    note: str | None = None
    item: Item | None = None
    settings: FeedSettings | None = None
    words_at: int | None = None
    erased_at: Millis | None = None
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """A reader's place. Opaque to clients."""

    epoch: str
    sequence: int
    check: str

    def __str__(self) -> str:
        return f"{self.epoch}.{self.sequence}.{self.check}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read a cursor; None for anything this program never wrote."""
        found = _CURSOR.fullmatch(text)
        return cls(found[1], int(found[2]), found[3]) if found else None


def parse_etag(text: str) -> tuple[int, str] | None:
    """Read an item's entity tag, without quotes, as (version, check); None if it is not one."""
    found = _ETAG.fullmatch(text)
    return (int(found[1]), found[2]) if found else None
