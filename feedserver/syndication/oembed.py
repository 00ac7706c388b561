"""oEmbed 1.0: other sites' editors paste a page's address, and get a frame with the live ticker.

The frame stands alone. Beside a quotation WordPress would hide it until its script has spoken.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from feedserver.api.caching import cache_tags, is_known
from feedserver.api.context import Context, context
from feedserver.api.cors import preflight
from feedserver.api.lookups import feed_named, item_numbered
from feedserver.api.queries import ID_DIGITS
from feedserver.errors import BadRequest, NotFound, UnknownFormat
from feedserver.model import SLUG, Feed, Item
from feedserver.site.responses import Sheet, encoded_response
from feedserver.syndication.elements import element
from feedserver.syndication.entries import entry_of
from feedserver.syndication.routes import headers_of, unchanged
from feedserver.syndication.written_json import dumps

PATH = "/oembed"
DECLARATION = b'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n'
TYPES = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
WIDTH, HEIGHT = 600, 480  # CSS pixels, unless less is asked for
CACHE_SECONDS = 300  # for whoever keeps the frame; the news in it is live
_PAGE = re.compile(rf"/feeds/({SLUG})(?:/items/([0-9]{{1,{ID_DIGITS}}}))?")
_PIXELS = re.compile(r"[1-9][0-9]{0,5}")


def routes() -> list[BaseRoute]:
    """Return the route of the answers."""
    return [Route(PATH, _get), Route(PATH, preflight, methods=["OPTIONS"])]


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of ours: of a feed, or of one of its items."""

    feed: Feed
    item: Item | None


async def _get(request: Request) -> Response:
    """Answer with the frame that shows the page at an address."""
    here, asked = context(request), request.query_params
    address, form = asked.get("url"), asked.get("format", "json")
    if form not in TYPES:
        raise UnknownFormat(f"there is no oEmbed in the format {form[:20]!r}; use json or xml")
    if not address:
        raise BadRequest("url takes the address of a page of a feed or of an item")
    width = min(WIDTH, _pixels(request, "maxwidth") or WIDTH)
    height = min(HEIGHT, _pixels(request, "maxheight") or HEIGHT)
    page = await _find(here, request, address)
    body = _WRITERS[form](_members(here, page, width, height))
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
    tags = cache_tags(page.feed.slug, page.item.id if page.item else None)
    if is_known(etag, request):
        return unchanged(etag, tags)
    return encoded_response(
        request, Sheet.of_bytes(body, etag), headers_of(etag, tags), media_type=TYPES[form]
    )


async def _find(here: Context, request: Request, address: str) -> _Page:
    """Return the page at an address of ours. Raises NotFound, Killed."""
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    hosts = {urlsplit(here.site.url).netloc, request.headers.get("host", "")}
    found = _PAGE.fullmatch(parts.path)
    is_ours = parts.scheme in {"http", "https"} and parts.netloc.lower() in hosts
    if found is None or not is_ours:
        raise NotFound(
            f"this is no page of a feed or of an item on {here.site.url}: {address[:200]}"
        )
    feed = await feed_named(here, found[1])
    number = found[2]
    return _Page(feed, await item_numbered(here, feed.slug, int(number)) if number else None)


def _members(here: Context, page: _Page, width: int, height: int) -> dict[str, Any]:
    site, feed = here.site, page.feed
    title = entry_of(site, feed, page.item).title if page.item else feed.title
    frame = element(
        "iframe",
        src=f"{site.url}/feeds/{feed.slug}/embed",
        width=width,
        height=height,
        frameborder=0,
        title=feed.title,
    )
    return {
        "type": "rich",
        "version": "1.0",
        "title": title,
        "provider_name": site.name,
        "provider_url": f"{site.url}/",
        "width": width,
        "height": height,
        "cache_age": CACHE_SECONDS,
        "html": frame.removesuffix("/>") + "></iframe>",  # which HTML does not let end itself
    }


def _xml(members: dict[str, Any]) -> bytes:
    children = (element(name, str(value)) for name, value in members.items())
    return DECLARATION + element("oembed", *children).encode() + b"\n"


def _pixels(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not _PIXELS.fullmatch(text):
        raise BadRequest(f"{name} takes a number of pixels from 1 on")
    return int(text)


_WRITERS = {"json": dumps, "xml": _xml}
