"""The feed's page as search engines read it: schema.org's LiveBlogPosting, without the page."""

from __future__ import annotations

from feedserver.site.preview import live_blog, posting
from feedserver.syndication.documents import JSON_LD, Document, Format
from feedserver.syndication.entries import Entry
from feedserver.syndication.written_json import dumps, with_list

MEDIA_TYPE = "application/ld+json"


def _document(document: Document, postings: list[bytes]) -> bytes:
    shown = [entry.item for entry in document.entries if not entry.is_killed]
    head = live_blog(
        document.site, document.feed, shown, document.page_url, document.updated_at, updates=False
    )
    return with_list(head, "liveBlogUpdate", postings)


def _entry(document: Document, entry: Entry) -> bytes:
    if entry.is_killed:
        return b""
    return dumps(posting(document.site, document.feed, entry.item))


FORMAT = Format(JSON_LD, f"{MEDIA_TYPE}; charset=utf-8", _entry, _document)
