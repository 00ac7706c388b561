"""Atom (RFC 4287), with tombstones (RFC 6721) beside the entries that say what was withdrawn."""

from __future__ import annotations

from feedserver import __version__
from feedserver.media_types import media_kind, media_type
from feedserver.model import Media
from feedserver.syndication.documents import ATOM, Document, Format
from feedserver.syndication.elements import DECLARATION, Element, element, optional
from feedserver.syndication.entries import STATE_SCHEME, Entry
from feedserver.wire import time_text

MEDIA_TYPE = "application/atom+xml"
NAMESPACE = "http://www.w3.org/2005/Atom"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
MEDIA_RSS = "http://search.yahoo.com/mrss/"


def _document(document: Document, entries: list[bytes]) -> bytes:
    feed, site = document.feed, document.site
    head = [
        element("id", feed.uid),
        element("title", feed.title, type="text"),
        optional("subtitle", document.description, type="text"),
        element("updated", time_text(document.updated_at)),
        element("author", element("name", site.name), element("uri", f"{site.url}/")),
        element("generator", "feedserver", version=__version__),
        element("icon", f"{site.url}/icon-180.png"),
        element("link", rel="self", type=MEDIA_TYPE, href=document.own_url(ATOM)),
        element("link", rel="alternate", type="text/html", href=document.page_url),
    ]
    if site.hub:
        head.append(element("link", rel="hub", href=site.hub))
    if (following := document.next_url(ATOM)) is not None:
        head.append(element("link", rel="next", type=MEDIA_TYPE, href=following))
    whole = element(
        "feed",
        *head,
        Element("\n"),
        xmlns=NAMESPACE,
        xmlns_at=TOMBSTONES,
        xmlns_media=MEDIA_RSS,
        xml_lang=feed.language,
    )
    end = b"</feed>"
    return (
        DECLARATION + whole.encode().removesuffix(end) + b"\n".join(entries) + b"\n" + end + b"\n"
    )


def _entry(document: Document, entry: Entry) -> bytes:
    item = entry.item
    written = element(
        "entry",
        element("id", entry.urn),
        element("title", entry.title, type="text"),
        element("link", rel="alternate", type="text/html", href=entry.url),
        element("published", time_text(item.published_at)),
        element("updated", time_text(entry.updated_at)),
        element("author", element("name", entry.author)) if entry.author else None,
        element("link", rel="via", href=item.url) if item.url else None,
        *(element("category", term=tag) for tag in item.tags),
        *(element("category", term=state, scheme=STATE_SCHEME) for state in entry.states),
        *(_enclosure(medium) for medium in item.media),
        *(media_content(medium) for medium in item.media),
        element("content", entry.html, type="html"),
        xml_lang=entry.language,
    )
    if entry.is_killed:
        # Later than the entry, or whoever reads tombstones would think it written anew since.
        when = time_text(entry.updated_at + 1)
        note = optional("at:comment", item.note)
        written = Element(written + element("at:deleted-entry", note, ref=entry.urn, when=when))
    return written.encode()


def media_content(medium: Media) -> Element:
    """Write a picture or clip as Media RSS has it."""
    return element(
        "media:content",
        optional("media:description", medium.caption or medium.alt, type="plain"),
        optional("media:credit", medium.credit),
        url=medium.url,
        medium=media_kind(medium),
        type=media_type(medium),
        width=medium.width,
        height=medium.height,
    )


def _enclosure(medium: Media) -> Element:
    return element(
        "link", rel="enclosure", type=media_type(medium), href=medium.url, title=medium.alt
    )


FORMAT = Format(ATOM, f"{MEDIA_TYPE}; charset=utf-8", _entry, _document)
