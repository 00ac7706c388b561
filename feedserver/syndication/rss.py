"""RSS 2.0, with the elements of others that readers know: content, dc, atom, media."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from feedserver import __version__
from feedserver.media_types import media_type
from feedserver.model import Millis
from feedserver.syndication.atom import MEDIA_RSS, NAMESPACE, media_content
from feedserver.syndication.documents import RSS, Document, Format
from feedserver.syndication.elements import DECLARATION, Element, element, optional
from feedserver.syndication.entries import STATE_SCHEME, Entry
from feedserver.wire import time_text

MEDIA_TYPE = "application/rss+xml"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
SPECIFICATION = "https://www.rssboard.org/rss-specification"
TTL_MINUTES = 1  # a longer one would delay withdrawals, …
TTL_CLOSED_MINUTES = 1440  # … which are rare once coverage has ended

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _document(document: Document, items: list[bytes]) -> bytes:
    feed = document.feed
    following = document.next_url(RSS)
    ttl = TTL_MINUTES if feed.closed_at is None else TTL_CLOSED_MINUTES
    channel = [
        element("title", feed.title),
        element("link", document.page_url),
        element("description", document.description or feed.title),
        optional("language", feed.language),
        element("lastBuildDate", rfc822(document.updated_at)),
        element("ttl", str(ttl)),
        element("generator", f"feedserver {__version__}"),
        element("docs", SPECIFICATION),
        element("atom:link", rel="self", type=MEDIA_TYPE, href=document.own_url(RSS)),
        element("atom:link", rel="hub", href=document.site.hub) if document.site.hub else None,
        element("atom:link", rel="next", type=MEDIA_TYPE, href=following) if following else None,
    ]
    whole = element(
        "rss",
        element("channel", *channel, Element("\n")),
        version="2.0",
        xmlns_atom=NAMESPACE,
        xmlns_content=CONTENT,
        xmlns_dc=DUBLIN_CORE,
        xmlns_media=MEDIA_RSS,
    )
    end = b"</channel></rss>"
    return DECLARATION + whole.encode().removesuffix(end) + b"\n".join(items) + b"\n" + end + b"\n"


def _entry(document: Document, entry: Entry) -> bytes:
    item = entry.item
    enclosure = None
    if item.media:
        first = item.media[0]
        enclosure = element("enclosure", url=first.url, type=media_type(first), length="0")
    return element(
        "item",
        element("title", entry.title),
        element("link", entry.url),
        element("guid", entry.urn, isPermaLink="false"),
        element("pubDate", rfc822(item.published_at)),
        element("atom:updated", time_text(entry.updated_at)) if entry.is_changed else None,
        optional("dc:creator", entry.author),
        optional("dc:language", entry.language),
        *(element("category", tag) for tag in item.tags),
        *(element("category", state, domain=STATE_SCHEME) for state in entry.states),
        element("description", entry.excerpt),
        element("content:encoded", entry.html),
        enclosure,
        *(media_content(medium) for medium in item.media),
    ).encode()


def rfc822(at: Millis) -> str:
    """Write a time as RSS has it, in GMT."""
    return format_datetime(_EPOCH + timedelta(milliseconds=at), usegmt=True)


FORMAT = Format(RSS, f"{MEDIA_TYPE}; charset=utf-8", _entry, _document)
