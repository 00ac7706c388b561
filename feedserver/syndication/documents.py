"""A document of a feed: which entries it has, how large it may be, and how a format writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedserver.api.context import Site
from feedserver.model import Feed, Item, Millis
from feedserver.syndication.entries import Entry, abridged, entry_of
from feedserver.syndication.paragraphs import as_text, blocks_of_text

DOCUMENT_MAX = 1024 * 1024  # bytes; readers cut off or refuse what is much larger
HEAD_MAX = 32 * 1024  # bytes of what a document says of its feed, at most
WHOLE_MIN = 10  # of the newest entries stay in a document, however large

ATOM, RSS, JSON_FEED, NINJS = ".atom", ".rss", ".json", ".ninjs"
JSON_LD, MARKDOWN = ".jsonld", ".md"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Items of a feed, newest first. `next` is what the following ones are asked for by.

    `changed_at`: no fact changed later that readers see, unless an item says so.
    """

    feed: Feed
    items: Sequence[Item]
    cursor: str
    changed_at: Millis | None = None
    before: str | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A stretch of a feed, ready to be written for a site."""

    site: Site
    stretch: Stretch
    entries: Sequence[Entry]

    @property
    def feed(self) -> Feed:
        """The feed."""
        return self.stretch.feed

    @property
    def updated_at(self) -> Millis:
        """When a fact changed last that readers see, or when the feed was made."""
        times = (entry.updated_at for entry in self.entries)
        return max(self.feed.created_at, self.stretch.changed_at or 0, *times, 0)

    @property
    def page_url(self) -> str:
        """The address of the feed's page."""
        return f"{self.site.url}/feeds/{self.feed.slug}"

    @property
    def summary(self) -> str:
        """The feed's key points as plain text. May be empty."""
        return as_text(blocks_of_text(self.feed.summary)) if self.feed.summary else ""

    @property
    def description(self) -> str:
        """What the feed is about: its key points, then its description. May be empty."""
        return "\n\n".join(filter(None, (self.summary, self.feed.description)))

    def own_url(self, suffix: str) -> str:
        """Return the address of this stretch in some format."""
        return self._url(suffix, self.stretch.before)

    def next_url(self, suffix: str) -> str | None:
        """Return the address of the following stretch; None at the end."""
        return self._url(suffix, self.stretch.next) if self.stretch.next else None

    def _url(self, suffix: str, before: str | None) -> str:
        return f"{self.page_url}{suffix}" + (f"?before={before}" if before else "")


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write documents. `entry` writes one entry, b"" for one that has no place in it."""

    suffix: str
    media_type: str
    entry: Callable[[Document, Entry], bytes]
    document: Callable[[Document, list[bytes]], bytes]


def write(form: Format, site: Site, stretch: Stretch) -> bytes:
    """Write a stretch in a format, shortened to `DOCUMENT_MAX` bytes if it can be.

    Entries without a mark go first, the oldest first, as whoever polls has them; of a stretch that
    was asked for none goes. Then entries are abridged, the oldest first. Marks and notes stay.
    """
    feed = stretch.feed
    document = Document(site, stretch, [entry_of(site, feed, item) for item in stretch.items])
    pieces = [(entry, form.entry(document, entry)) for entry in document.entries]
    size = HEAD_MAX + sum(len(piece) + 1 for _, piece in pieces)
    if stretch.before is None:
        for place in range(len(pieces) - 1, WHOLE_MIN - 1, -1):
            entry, piece = pieces[place]
            if size > DOCUMENT_MAX and not entry.is_marked:
                size -= len(piece) + 1
                del pieces[place]
    for place in range(len(pieces) - 1, -1, -1):
        entry, piece = pieces[place]
        if size > DOCUMENT_MAX and not entry.is_killed:
            short = abridged(site, feed, entry)
            pieces[place] = short, form.entry(document, short)
            size += len(pieces[place][1]) - len(piece)
    return form.document(document, [piece for _, piece in pieces if piece])
