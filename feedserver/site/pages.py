"""The pages for people, complete without JavaScript.

A feed's pages are rendered and compressed once a change and kept with its channel, so that ten
thousand readers cost one rendering and no database reads.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from feedserver import __version__
from feedserver.api.caching import tags_of
from feedserver.api.context import Context, Site, context
from feedserver.api.editing import item_id
from feedserver.api.lookups import Version, channel_of, find_item, find_page, history_of
from feedserver.api.queries import PAGE_ITEMS, before_of, text_of
from feedserver.live.channel import Channel
from feedserver.live.messages import next_text
from feedserver.model import Feed, Item
from feedserver.site import assets, rendering
from feedserver.site.rendering import Articles, Listing
from feedserver.site.responses import FRAMED, SAFE, Sheet, compress, sheet_response

INDEX_SECONDS = 1.0  # that the list of feeds is kept; caches keep it for longer


def routes() -> list[BaseRoute]:
    """Return the routes of the pages and of all that they load."""
    return [
        Route("/", _Index().get),
        Route("/feeds/{feed}", _get_feed),
        Route("/feeds/{feed}/items/{item}", _get_item),
        Route("/feeds/{feed}/embed", _get_embed),
        *assets.routes(),
    ]


class _Index:
    """The list of feeds, kept for a moment: it has no channel that would say when it changes."""

    def __init__(self) -> None:
        self._sheet: Sheet | None = None
        self._made = 0.0

    async def get(self, request: Request) -> Response:
        here = context(request)
        if self._sheet is None or time.monotonic() - self._made > INDEX_SECONDS:
            feeds = await here.mirror.feeds()
            empty = await here.mirror.empty_feeds()
            html = rendering.render_index(here.site, feeds, empty)
            newest = max((feed.head for feed in feeds), default=0)
            state = f"{here.hub.epoch}.{newest}.{len(empty)}"
            self._sheet = Sheet(compress(html), _etag(here, state), "feeds")
            self._made = time.monotonic()
        return sheet_response(request, self._sheet, SAFE)


async def _get_feed(request: Request) -> Response:
    here = context(request)
    channel = await channel_of(here, request)
    before, tag = before_of(request), text_of(request, "tag")
    # What the form sends where nothing was typed is no search.
    words = text_of(request, "q") if request.query_params.get("q", "").strip() else None
    question = ("feed", before, tag, words)
    sheet = channel.kept(question)
    if sheet is None and question == ("feed", None, None, None):
        sheet = _front(here, channel)
        channel.keep(question, sheet)
    elif sheet is None:
        page = await find_page(here, channel, PAGE_ITEMS, before, tag, words)
        listing = Listing(
            page.feed,
            page.items,
            here.cursor(page.feed),
            here.hub.heartbeat,
            next=next_text(page.next) if page.next else None,
            before=next_text(before) if before else None,
            tag=tag,
            query=words,
        )
        # Beside the loop: fifty long texts take a second.
        sheet = await asyncio.to_thread(_sheet, here, listing)
        # A change may have come meanwhile: what it withdrew must not be kept.
        if page.feed.head >= channel.window.head:
            channel.keep(question, sheet)
    return sheet_response(request, sheet, SAFE)


def _front(here: Context, channel: Channel) -> Sheet:
    """Render the newest of a feed from memory."""
    window = channel.window
    items, more = window.snapshot()
    floor = window.floor()
    listing = Listing(
        window.feed,
        items,
        here.cursor(window.feed),
        here.hub.heartbeat,
        next=next_text(floor) if more and floor else None,
    )
    return _sheet(here, listing, channel.articles)


async def _get_item(request: Request) -> Response:
    here = context(request)
    channel = await channel_of(here, request)
    question = ("item", item_id(request))
    sheet = channel.kept(question)
    if sheet is None:
        feed = channel.window.feed  # before the item is read: nothing older may be missed
        item = await find_item(here, request)
        versions = await history_of(here, item)
        # Beside the loop: of an item that was changed hundreds of times it takes seconds.
        sheet = await asyncio.to_thread(_item_sheet, here, feed, item, versions)
        if channel.window.head == feed.head:
            channel.keep(question, sheet)
    return sheet_response(request, sheet, SAFE)


def _item_sheet(here: Context, feed: Feed, item: Item, versions: list[Version]) -> Sheet:
    html = rendering.render_item(
        here.site, feed, item, versions, here.cursor(feed), here.hub.heartbeat
    )
    etag = _etag(here, f"{here.cursor(feed)}-{item.etag}")
    return Sheet(compress(html), etag, tags_of(feed.slug, [item]))


async def _get_embed(request: Request) -> Response:
    here = context(request)
    channel = await channel_of(here, request)
    sheet = channel.kept("embed")
    if sheet is None:
        feed = channel.window.feed
        items = sorted(channel.window.snapshot()[0], key=lambda item: item.order, reverse=True)
        html = rendering.render_embed(here.site, feed, items)
        tags = tags_of(feed.slug, items)
        sheet = Sheet(compress(html), _etag(here, here.cursor(feed)), tags)
        channel.keep("embed", sheet)
    return sheet_response(request, sheet, FRAMED)


def _sheet(here: Context, listing: Listing, known: Articles | None = None) -> Sheet:
    html = rendering.render_feed(here.site, listing, known)
    tags = tags_of(listing.feed.slug, listing.items)
    return Sheet(compress(html), _etag(here, listing.cursor), tags)


def _etag(here: Context, state: str) -> str:
    return f'W/"{state}-{_build(here.site, here.hub.heartbeat)}"'


@cache
def _build(site: Site, heartbeat: int) -> str:
    """Return a hash of all that a page is made of beside its news."""
    parts = f"{__version__} {assets.build_hash()} {site} {heartbeat}"
    return hashlib.sha256(parts.encode()).hexdigest()[:8]
