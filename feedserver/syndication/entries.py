"""An item as all documents tell it: with its marks, its corrections, and its withdrawal in words.

Feed readers show what they once fetched until the same id comes with other words; few read anything
else. So a withdrawn item is an entry of the same id that says so, and a mark stands in the words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

from feedserver.api.context import Site
from feedserver.model import Feed, Item, Millis, Status
from feedserver.site.preview import excerpt
from feedserver.site.wording import Wording, wording_for
from feedserver.syndication.paragraphs import Block, as_html, as_text, blocks_of

STATE_SCHEME = "urn:newsfeed:state"  # of the categories that are no tags
ABRIDGED_MAX = 200  # characters of its body that a shortened entry keeps


@dataclass(frozen=True, slots=True)
class Entry:
    """An item, ready to be written. Of a withdrawn one `item` has no words but the note.

    `updated_at` is when a fact changed last that readers see, or when it was published.
    """

    item: Item
    url: str
    title: str
    author: str | None
    language: str | None
    blocks: list[Block]
    updated_at: Millis

    @property
    def urn(self) -> str:
        """The id that readers know it by, for ever."""
        return self.item.uid

    @property
    def is_killed(self) -> bool:
        """Whether it was withdrawn."""
        return self.item.status is Status.KILLED

    @property
    def is_marked(self) -> bool:
        """Whether it says something that must reach whoever has it in an older version."""
        return self.item.status is not Status.LIVE or bool(self.item.corrections)

    @property
    def is_changed(self) -> bool:
        """Whether a fact changed since it was published."""
        return self.updated_at > self.item.published_at

    @property
    def html(self) -> str:
        """Marks, corrections, body and source as HTML."""
        return as_html(self.blocks)

    @property
    def text(self) -> str:
        """The same as plain text."""
        return as_text(self.blocks)

    @property
    def excerpt(self) -> str:
        """The beginning of it, marks first."""
        return excerpt(self.text)

    @property
    def states(self) -> list[str]:
        """What it is beside its tags."""
        item = self.item
        if self.is_killed:
            return ["killed"]
        named = {
            "breaking": item.breaking,
            "pinned": item.pinned,
            "held": item.status is Status.HELD,
            "corrected": bool(item.corrections),
        }
        return [name for name, is_so in named.items() if is_so]


def entry_of(site: Site, feed: Feed, item: Item) -> Entry:
    """Make the entry of an item, in the words of its feed's language."""
    say = wording_for(feed)
    is_killed = item.status is Status.KILLED
    return Entry(
        item=item,
        url=f"{site.url}/feeds/{feed.slug}/items/{item.id}",
        title=_title(item, say),
        author=None if is_killed else item.byline or feed.title,
        language=item.language or feed.language,
        blocks=_withdrawn(item, say) if is_killed else _told(item, say),
        updated_at=item.killed_at or item.updated_at or item.published_at,
    )


def abridged(site: Site, feed: Feed, entry: Entry) -> Entry:
    """Shorten an entry to its title, marks, notes and link, and the beginning of its body."""
    body = as_text(blocks_of(entry.item))
    if len(body) > ABRIDGED_MAX:
        body = body[: ABRIDGED_MAX - 1] + "…"
    blocks = orjson.dumps([[body]]) if body else None
    return entry_of(site, feed, replace(entry.item, body=body, blocks=blocks, media=()))


def _title(item: Item, say: Wording) -> str:
    if item.status is Status.KILLED:
        return str(say.words["killed"])
    return f"{say.words['held']}: {item.headline}" if item.status is Status.HELD else item.headline


def _withdrawn(item: Item, say: Wording) -> list[Block]:
    at = item.killed_at if item.killed_at is not None else item.published_at
    return [_noted(say, "killed", at, item.note or "")]


def _told(item: Item, say: Wording) -> list[Block]:
    blocks: list[Block] = []
    if item.status is Status.HELD:
        blocks.append([{"text": say.words["held"], "strong": True}])
    newest_first = sorted(item.corrections, key=lambda one: one.at, reverse=True)
    blocks += [_noted(say, "correction", one.at, one.note) for one in newest_first]
    blocks += blocks_of(item)
    if item.source or item.url:
        label = say.words["source" if item.source else "elsewhere"]
        name = item.source or item.url
        blocks.append([f"{label} ", {"text": name, "href": item.url} if item.url else name])
    return blocks


def _noted(say: Wording, word: str, at: Millis, note: str) -> Block:
    return [{"text": f"{say.words[word]}, {say.dated(at)}:", "strong": True}, f" {note}"]
