"""The readers' door: feeds, pages, items and what changed, cached as long as nothing did."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feedserver import wire
from feedserver.api import access
from feedserver.api.caching import CACHED, PRIVATE, VARY, is_known, tags_of
from feedserver.api.context import Context, context
from feedserver.api.cors import CORS, preflight
from feedserver.api.lookups import Version, channel_of, find_item, find_page, history_of
from feedserver.api.queries import before_of, cursor_text, limit_of, text_of
from feedserver.journal import Page
from feedserver.live.channel import Channel
from feedserver.live.messages import Message, next_text


async def get_feeds(request: Request) -> Response:
    """List the feeds."""
    here = context(request)
    feeds = await here.mirror.feeds()
    body = orjson.dumps({"feeds": [here.feed_json(feed) for feed in feeds]})
    newest = max((feed.head for feed in feeds), default=0)
    return _cached(request, body, f'W/"{here.hub.epoch}.{newest}"', "feeds")


async def get_feed(request: Request) -> Response:
    """Return one feed."""
    here = context(request)
    channel = await channel_of(here, request)
    feed = channel.window.feed
    return _cached(
        request, orjson.dumps(here.feed_json(feed)), _etag(here, channel), f"feed-{feed.slug}"
    )


async def get_items(request: Request) -> Response:
    """Return a page of a feed, encoded once for all who ask until the feed changes."""
    here = context(request)
    channel = await channel_of(here, request)
    limit, before = limit_of(request), before_of(request)
    tag, words = text_of(request, "tag"), text_of(request, "q")
    if access.has_token(request):
        here.editor(request)
        page = await find_page(here, channel, limit, before, tag, words)
        body = _page(here, page, for_editor=True)
        return Response(_stamped(body, here), headers=PRIVATE, media_type="application/json")
    question = ("page", limit, before, tag, words)
    kept: tuple[int, bytes, str, str] | None = channel.kept(question)
    if kept is None:
        page = await find_page(here, channel, limit, before, tag, words)
        etag = f'W/"{here.cursor(page.feed)}"'
        kept = (page.feed.head, _page(here, page), etag, tags_of(page.feed.slug, page.items))
        # A change may have come meanwhile: what it withdrew must not be kept.
        if page.feed.head >= channel.window.head:
            channel.keep(question, kept)
    _, body, etag, cache_tag = kept
    return _cached(request, body, etag, cache_tag, here)


async def get_item(request: Request) -> Response:
    """Return one item."""
    here = context(request)
    item = await find_item(here, request)
    if access.has_token(request):
        here.editor(request)
        body = orjson.dumps(wire.item_json(item, body=True))
        headers = PRIVATE | {"ETag": f'"{item.etag}"'}
        return Response(body, headers=headers, media_type="application/json")
    body = orjson.dumps(wire.item_json(item))
    return _cached(request, body, f'"{item.etag}"', tags_of(item.feed, [item]))


async def get_history(request: Request) -> Response:
    """Return what readers were shown of an item, oldest first."""
    here = context(request)
    item = await find_item(here, request)
    etag, body = f'"{item.etag}-history"', b""
    if not is_known(etag, request):
        versions = await history_of(here, item)
        # Beside the loop: of an item that was changed hundreds of times it takes seconds.
        body = await asyncio.to_thread(_history, versions)
    return _cached(request, body, etag, tags_of(item.feed, [item]))


def _history(versions: list[Version]) -> bytes:
    return orjson.dumps({"history": [wire.shown_json(*version) for version in versions]})


async def get_changes(request: Request) -> Response:
    """Return one live message: the polling fallback."""
    here = context(request)
    channel = await channel_of(here, request)
    position = await here.hub.position_of(channel, cursor_text(request))
    message = channel.chain(position)[0]
    if access.has_token(request):
        here.editor(request)
        stem = _with_bodies(message)
        return Response(_stamped(stem, here), headers=PRIVATE, media_type="application/json")
    # Not the message's: that of a chain's first stays the same whatever becomes of its items.
    etag = _etag(here, channel)
    cache_tag = tags_of(channel.window.feed.slug, message.items)
    return _cached(request, message.stem, etag, cache_tag, here)


def _with_bodies(message: Message) -> bytes:
    """Return a live message as an editor reads it."""
    told: dict[str, Any] = orjson.loads(message.stem + b"}")
    told["items"] = [wire.item_json(item, body=True) for item in message.items]
    return orjson.dumps(told)[:-1]


def _cached(
    request: Request, body: bytes, etag: str, cache_tag: str, stamp: Context | None = None
) -> Response:
    headers = CORS | {"Cache-Control": CACHED, "ETag": etag, "Cache-Tag": cache_tag, **VARY}
    if is_known(etag, request):
        return Response(status_code=304, headers=headers)
    return Response(
        _stamped(body, stamp) if stamp else body, headers=headers, media_type="application/json"
    )


def _stamped(stem: bytes, here: Context) -> bytes:
    return b'%b,"now":"%b"}' % (stem, wire.time_text(here.hub.now()).encode())


def _page(here: Context, page: Page, *, for_editor: bool = False) -> bytes:
    body: dict[str, Any] = {
        "items": [wire.item_json(item, body=for_editor) for item in page.items],
        "feed": here.feed_json(page.feed),
        "epoch": here.hub.epoch,
        "cursor": here.cursor(page.feed),
    }
    if page.next is not None:
        body["next"] = next_text(page.next)
    return orjson.dumps(body)[:-1]  # `now` and the closing brace come as it is sent


def _etag(here: Context, channel: Channel) -> str:
    return f'W/"{here.cursor(channel.window.feed)}"'


READABLE = {
    "/v1/feeds": get_feeds,
    "/v1/feeds/{feed}": get_feed,
    "/v1/feeds/{feed}/items": get_items,
    "/v1/feeds/{feed}/items/{item}": get_item,
    "/v1/feeds/{feed}/items/{item}/history": get_history,
    "/v1/feeds/{feed}/changes": get_changes,
}
routes = [
    *(Route(path, endpoint, methods=["GET"]) for path, endpoint in READABLE.items()),
    *(Route(path, preflight, methods=["OPTIONS"]) for path in READABLE),
]
