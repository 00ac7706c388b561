"""IPTC ninjs 3.1, for newsrooms' systems: a feed as a composite of its items, and one item alone.

A held item is `withheld`, the trade's hold; a withdrawn one is `canceled`, without its words.
"""

from __future__ import annotations

from typing import Any

from feedserver.api.context import Site
from feedserver.media_types import media_kind, media_type
from feedserver.model import Feed, Item, Media, Status
from feedserver.site.wording import wording_for
from feedserver.syndication.documents import NINJS, Document, Format
from feedserver.syndication.entries import Entry, entry_of
from feedserver.syndication.written_json import dumps, present, with_list
from feedserver.wire import time_text

MEDIA_TYPE = "application/json"
BREAKING = 1  # the most urgent of 1 to 9
STANDARD = {
    "name": "ninjs",
    "version": "3.1",
    "schema": "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json",
}
_STATUSES = {Status.LIVE: "usable", Status.HELD: "withheld", Status.KILLED: "canceled"}
_KINDS = {"image": "picture", "video": "video", "audio": "audio"}


def item_document(site: Site, feed: Feed, item: Item) -> bytes:
    """Write one item."""
    return dumps({"standard": STANDARD} | _news_object(feed, entry_of(site, feed, item)))


def _document(document: Document, items: list[bytes]) -> bytes:
    feed = document.feed
    head = present(
        standard=STANDARD,
        uri=feed.uid,
        type="composite",
        language=feed.language,
        firstCreated=time_text(feed.created_at),
        versionCreated=time_text(document.updated_at),
        version=str(feed.head),
        title=feed.title,
        headlines=[{"role": "main", "value": feed.title}],
        descriptions=[{"value": document.description}] if document.description else None,
        altIds=[{"role": "web", "value": document.page_url}],
    )
    return with_list(head, "associations", items)


def _entry(document: Document, entry: Entry) -> bytes:
    own = {"name": f"item-{entry.item.id}", "rel": "item"}
    return dumps(own | _news_object(document.feed, entry))


def _news_object(feed: Feed, entry: Entry) -> dict[str, Any]:
    item = entry.item
    told = present(
        uri=entry.urn,
        type="text",
        pubStatus=_STATUSES[item.status],
        version=str(item.version),
        firstCreated=time_text(item.published_at),
        versionCreated=time_text(entry.updated_at),
        language=entry.language,
        edNote=_editors_note(feed, item),
        altIds=[{"role": "web", "value": entry.url}],
    )
    if entry.is_killed:
        return told
    return told | present(
        urgency=BREAKING if item.breaking else None,
        headlines=[{"role": "main", "value": item.headline}],
        bodies=[
            {"contentType": "text/html", "value": entry.html},
            {"contentType": "text/plain", "value": entry.text},
        ],
        by=entry.author,
        infoSources=[{"name": item.source}] if item.source else None,
        subjects=[{"name": tag} for tag in item.tags],
        associations=[_medium(number, one) for number, one in enumerate(item.media, 1)],
    )


def _editors_note(feed: Feed, item: Item) -> str:
    words = wording_for(feed).words
    notes = []
    if item.status is Status.KILLED:
        notes.append(f"{words['killed']}: {item.note or ''}")
    if item.status is Status.HELD:
        notes.append(words["held"])
    newest_first = sorted(item.corrections, key=lambda one: one.at, reverse=True)
    notes += [f"{words['correction']}: {one.note}" for one in newest_first]
    return "\n".join(notes)


def _medium(number: int, medium: Media) -> dict[str, Any]:
    rendition = present(
        name="main",
        href=medium.url,
        contentType=media_type(medium),
        width=medium.width,
        height=medium.height,
    )
    caption = medium.caption or medium.alt
    return present(
        name=f"media-{number}",
        rel="media",
        uri=medium.url,
        type=_KINDS.get(media_kind(medium)),
        by=medium.credit,
        bodies=[{"role": "caption", "contentType": "text/plain", "value": caption}]
        if caption
        else None,
        renditions=[rendition],
    )


FORMAT = Format(NINJS, f"{MEDIA_TYPE}; charset=utf-8", _entry, _document)
