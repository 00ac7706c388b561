"""The news sitemap of the whole site: the live items of the last two days, as Google News reads it.

Made of pieces, one for each feed, that are kept until their feed changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from feedserver.api.context import Context, Site
from feedserver.api.lookups import find_page
from feedserver.api.queries import PAGE_ITEMS_MAX, Question
from feedserver.model import Feed, Item, Millis, Status
from feedserver.syndication.elements import DECLARATION, Element, element
from feedserver.syndication.entries import entry_of
from feedserver.wire import time_text

PATH = "/sitemap-news.xml"
MEDIA_TYPE = "application/xml"
ITEMS_MAX = 1_000
AGE_MAX: Millis = 2 * 24 * 60 * 60 * 1_000
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


async def pieces_of(here: Context, feed: Feed) -> tuple[Piece, ...]:
    """Return a feed's part of the sitemap: what is kept, or made now from the mirror."""
    key = ("sitemap piece", feed.slug, feed.head)
    kept: tuple[Piece, ...] | None = here.hub.cache.get(key)
    if kept is not None:
        return kept
    since, oldest = here.hub.cache.moment, here.hub.now() - AGE_MAX
    found: list[Item] = []
    question: Question | None = Question(limit=PAGE_ITEMS_MAX)
    while question is not None:
        page = await find_page(here, feed.slug, question)
        recent = [item for item in page.items if item.published_at > oldest]
        found += (item for item in recent if item.status is Status.LIVE)
        is_last = page.next is None or len(recent) < len(page.items) or len(found) >= ITEMS_MAX
        question = None if is_last else Question(limit=PAGE_ITEMS_MAX, before=page.next)
    pieces = tuple(_piece(here.site, feed, item) for item in found[:ITEMS_MAX])
    size = sum(len(piece.xml) + 100 for piece in pieces)
    items = [piece.id for piece in pieces]
    here.hub.cache.put(key, pieces, size, items=items, feed=feed.slug, since=since)
    return pieces


def _piece(site: Site, feed: Feed, item: Item) -> Piece:
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
