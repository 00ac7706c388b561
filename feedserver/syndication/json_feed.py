"""JSON Feed 1.1. What it has no member for stands in `_newsfeed`, of items and of the feed."""

from __future__ import annotations

from typing import Any

from feedserver.media_types import media_kind, media_type
from feedserver.model import Media
from feedserver.syndication.documents import JSON_FEED, Document, Format
from feedserver.syndication.entries import Entry
from feedserver.syndication.written_json import dumps, present, with_list
from feedserver.wire import time_text

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


def _document(document: Document, items: list[bytes]) -> bytes:
    feed, site = document.feed, document.site
    api = f"{site.url}/v1/feeds/{feed.slug}"
    head = present(
        version=VERSION,
        title=feed.title,
        home_page_url=document.page_url,
        feed_url=document.own_url(JSON_FEED),
        description=document.description,
        icon=f"{site.url}/icon-180.png",
        language=feed.language,
        authors=[{"name": site.name, "url": f"{site.url}/"}],
        hubs=[{"type": "WebSub", "url": site.hub}] if site.hub else None,
        next_url=document.next_url(JSON_FEED),
        expired=feed.closed_at is not None,
        _newsfeed=present(
            about=f"{site.url}/openapi.json",
            uid=feed.uid,
            summary=document.summary,
            cursor=document.stretch.cursor,
            changes=f"{api}/changes",
            stream=f"{api}/stream",
            live=f"ws{api.removeprefix('http')}/live",
        ),
    )
    return with_list(head, "items", items)


def _entry(document: Document, entry: Entry) -> bytes:
    item = entry.item
    image = next((one.url for one in item.media if media_kind(one) == "image"), None)
    own: dict[str, Any] = present(
        id=item.id,
        version=item.version,
        status=item.status.value,
        note=item.note,
        killed_at=time_text(item.killed_at) if item.killed_at is not None else None,
        breaking=item.breaking,
        pinned=item.pinned,
        imported=item.imported,
        source=item.source,
        occurred_at=time_text(item.occurred_at) if item.occurred_at is not None else None,
        corrections=[{"at": time_text(one.at), "note": one.note} for one in item.corrections],
    )
    return dumps(
        present(
            id=entry.urn,
            url=entry.url,
            external_url=item.url,
            title=entry.title,
            date_published=time_text(item.published_at),
            date_modified=time_text(entry.updated_at) if entry.is_changed else None,
            authors=[{"name": entry.author}] if entry.author else None,
            language=entry.language,
            tags=list(item.tags),
            image=image,
            attachments=[_attachment(medium) for medium in item.media],
            _newsfeed=own,
        )
        # Also where there is no body: an item must have one of them.
        | {"content_html": entry.html, "content_text": entry.text}
    )


def _attachment(medium: Media) -> dict[str, Any]:
    return present(url=medium.url, mime_type=media_type(medium), title=medium.caption or medium.alt)


FORMAT = Format(JSON_FEED, f"{MEDIA_TYPE}; charset=utf-8", _entry, _document)
