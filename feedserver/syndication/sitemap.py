"""The news sitemap of the whole site: the live items of the last two days, as Google News reads it.

Made of pieces, one for each version of an item, that are kept: after a change that item is written
anew, and no other.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from feedserver.api.context import Context, Site
from feedserver.model import Feed, Item, Millis, Status
from feedserver.syndication.elements import DECLARATION, Element, element
from feedserver.syndication.entries import entry_of
from feedserver.wire import time_text

PATH = "/sitemap-news.xml"
MEDIA_TYPE = "application/xml"
ITEMS_MAX = 1_000
AGE_MAX: Millis = 2 * 24 * 60 * 60 * 1_000
TURN_ITEMS = 50  # items that are read before others of the lane have their turn: some 10 ms
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
_LONG_LANGUAGES = {"zh-hans": "zh-cn", "zh-hant": "zh-tw", "zh-cn": "zh-cn", "zh-tw": "zh-tw"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One item of the sitemap."""

    published_at: Millis
    id: int
    xml: bytes


def sitemap(pieces: Iterable[Piece], now: Millis) -> bytes:
    """Write the sitemap of these items, but of those that are too old by `now`."""
    recent = [piece for piece in pieces if piece.published_at > now - AGE_MAX]
    recent.sort(key=lambda piece: (piece.published_at, piece.id), reverse=True)
    whole = element("urlset", Element("\n"), xmlns=NAMESPACE, xmlns_news=NEWS).encode()
    end = b"</urlset>"
    listed = b"\n".join(piece.xml for piece in recent[:ITEMS_MAX])
    return DECLARATION + whole.removesuffix(end) + listed + b"\n" + end + b"\n"


async def newest_pieces(here: Context, now: Millis) -> list[Piece]:
    """Return the pieces of the newest items of all feeds: those that are kept, the others made now.

    Each read is a turn of its own in the lane of older pages, so that others go between. Raises
    Unavailable.
    """
    since, lane = here.hub.cache.moment, here.work.archive
    chosen = await here.run(lane, lambda: here.mirror.newest_live(now - AGE_MAX, ITEMS_MAX))
    pieces: list[Piece] = []
    missing: list[Item] = []
    for item in chosen:
        feed = await here.hub.feeds.find(item.feed)
        piece: Piece | None = here.hub.cache.get(_key(feed, item), since) if feed else None
        if piece is None:
            missing.append(item)
        else:
            pieces.append(piece)
    for start in range(0, len(missing), TURN_ITEMS):
        ids = [item.id for item in missing[start : start + TURN_ITEMS]]
        pieces += await here.run(lane, partial(_make_pieces, here, ids))
    return pieces


async def _make_pieces(here: Context, ids: Sequence[int]) -> list[Piece]:
    """Write the pieces of these items, as far as they are still live, and keep them."""
    since = here.hub.cache.moment
    pieces = []
    for item in await here.mirror.headlines(ids):
        feed = await here.hub.feeds.find(item.feed)
        if feed is None or item.status is not Status.LIVE:
            continue
        piece = _piece(here.site, feed, item)
        here.hub.cache.put(_key(feed, item), piece, len(piece.xml), items=(item.id,), since=since)
        pieces.append(piece)
    return pieces


def _key(feed: Feed, item: Item) -> Hashable:
    return ("sitemap piece", item.id, item.version, feed.language)


def _piece(site: Site, feed: Feed, item: Item) -> Piece:
    """Write an item, of which only the headline is known of its words."""
    entry = entry_of(site, feed, item)
    news = element(
        "news:news",
        element(
            "news:publication",
            element("news:name", site.name),
            element("news:language", _language(entry.language)),
        ),
        element("news:publication_date", time_text(item.published_at)),
        element("news:title", entry.title),
    )
    changed = element("lastmod", time_text(entry.updated_at))
    written = element("url", element("loc", entry.url), changed, news)
    return Piece(item.published_at, item.id, written.encode())


def _language(tag: str | None) -> str:
    """Return a language as the sitemap wants it: of two or three letters, but for Chinese."""
    tag = (tag or "en").lower()
    return _LONG_LANGUAGES.get(tag, tag.partition("-")[0])
