"""The readers' door: feeds, pages, items and what changed, cached as long as nothing did."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feedserver import wire
from feedserver.api import access
from feedserver.api.context import Context, context
from feedserver.api.editing import item_id
from feedserver.errors import BadRequest, Killed, NotFound
from feedserver.journal import Page
from feedserver.live.channel import Channel
from feedserver.live.messages import Message, next_text
from feedserver.model import Item, Logged, Status, Verb
from feedserver.rules import evolve

PAGE_ITEMS = 50
PAGE_ITEMS_MAX = 200
QUERY_MAX = 200  # characters of tag and q
CURSOR_MAX = 64

CACHED = "public, max-age=2, stale-while-revalidate=10"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Date, Age, Retry-After",
}
PREFLIGHT = CORS | {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Last-Event-ID, If-None-Match, Cache-Control",
    "Access-Control-Max-Age": "86400",
}
SHOWN = frozenset({Verb.POST, Verb.UPDATE, Verb.CORRECT})


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
    limit, before = _limit(request), before_of(request)
    tag, words = text_of(request, "tag"), text_of(request, "q")
    if access.has_token(request):
        here.editor(request)
        page = await find_page(here, channel, limit, before, tag, words)
        body = _page(here, page, for_editor=True)
        return Response(_stamped(body, here), headers=_PRIVATE, media_type="application/json")
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
        headers = _PRIVATE | {"ETag": f'"{item.etag}"'}
        return Response(body, headers=headers, media_type="application/json")
    body = orjson.dumps(wire.item_json(item))
    return _cached(request, body, f'"{item.etag}"', tags_of(item.feed, [item]))


async def get_history(request: Request) -> Response:
    """Return what readers were shown of an item, oldest first."""
    here = context(request)
    item = await find_item(here, request)
    etag, body = f'"{item.etag}-history"', b""
    if not is_known(etag, request):
        entries = await find_log(here, item)
        # Beside the loop: of an item that was changed hundreds of times it takes seconds.
        body = await asyncio.to_thread(_history, entries)
    return _cached(request, body, etag, tags_of(item.feed, [item]))


def _history(entries: tuple[Logged, ...]) -> bytes:
    state, shown = None, []
    for entry in entries:
        state = evolve(state, entry)
        if entry.record.act in SHOWN:
            verb = Verb(entry.record.act)
            shown.append(wire.shown_json(entry.sequence, verb, entry.effective_at, state))
    return orjson.dumps({"history": shown})


async def get_changes(request: Request) -> Response:
    """Return one live message: the polling fallback."""
    here = context(request)
    channel = await channel_of(here, request)
    position = await here.hub.position_of(channel, cursor_text(request))
    message = channel.chain(position)[0]
    if access.has_token(request):
        here.editor(request)
        stem = _with_bodies(message)
        return Response(_stamped(stem, here), headers=_PRIVATE, media_type="application/json")
    # Not the message's: that of a chain's first stays the same whatever becomes of its items.
    etag = _etag(here, channel)
    cache_tag = tags_of(channel.window.feed.slug, message.items)
    return _cached(request, message.stem, etag, cache_tag, here)


async def preflight(request: Request) -> Response:
    """Answer a browser that asks before it reads."""
    return Response(status_code=204, headers=PREFLIGHT)


def cursor_text(request: Request) -> str | None:
    """Return the cursor in `since`. Raises BadRequest if it cannot be one."""
    text = request.query_params.get("since")
    if text is not None and not is_cursor_text(text):
        raise BadRequest("since takes a cursor as a message or page gave it")
    return text or None


def is_cursor_text(text: str) -> bool:
    """Say whether `text` has the form of a cursor, of this program or another version of it."""
    return len(text) <= CURSOR_MAX and all(
        c.isascii() and (c.isalnum() or c in "_.-") for c in text
    )


async def channel_of(here: Context, request: Request) -> Channel:
    """Return the channel of the feed that the path names. Raises NotFound."""
    slug = request.path_params["feed"]
    channel = await here.hub.channel(slug)
    if channel is None:
        raise NotFound(f"there is no feed “{slug[:80]}”")
    return channel


async def find_item(here: Context, request: Request) -> Item:
    """Return the item that the path names. Raises NotFound, Killed."""
    slug = request.path_params["feed"]
    item = await here.mirror.item(slug, item_id(request))
    if item is None:
        raise NotFound(f"there is no item {item_id(request)} in the feed {slug[:80]}")
    if item.status is Status.KILLED:
        raise Killed(f"item {item.id} was withdrawn", item)
    return item


async def find_log(here: Context, item: Item) -> tuple[Logged, ...]:
    """Return the records of an item that was just read. Raises Killed, if it is that by now."""
    entries = await here.mirror.log(item.feed, item.id)
    if entries[-1].record.act is Verb.KILL:
        tombstone = await here.mirror.item(item.feed, item.id)
        assert tombstone is not None
        raise Killed(f"item {item.id} was withdrawn", tombstone)
    return entries


async def find_page(
    here: Context,
    channel: Channel,
    limit: int,
    before: tuple[int, int] | None = None,
    tag: str | None = None,
    words: str | None = None,
) -> Page:
    """Return a page of the channel's feed, no older than what the channel has announced."""
    slug = channel.window.feed.slug
    page = await here.mirror.page(slug, limit, before, tag, words)
    if page is None:
        raise NotFound(f"there is no feed “{slug}”")
    return page


_VARY = {"Vary": "Authorization"}  # an editor's answer has more in it
_PRIVATE = CORS | _VARY | {"Cache-Control": "private, no-store"}


def _with_bodies(message: Message) -> bytes:
    """Return a live message as an editor reads it."""
    told: dict[str, Any] = orjson.loads(message.stem + b"}")
    told["items"] = [wire.item_json(item, body=True) for item in message.items]
    return orjson.dumps(told)[:-1]


def _cached(
    request: Request, body: bytes, etag: str, cache_tag: str, stamp: Context | None = None
) -> Response:
    headers = CORS | {"Cache-Control": CACHED, "ETag": etag, "Cache-Tag": cache_tag, **_VARY}
    if is_known(etag, request):
        return Response(status_code=304, headers=headers)
    return Response(
        _stamped(body, stamp) if stamp else body, headers=headers, media_type="application/json"
    )


def is_known(etag: str, request: Request) -> bool:
    """Say whether the client has this version already."""
    # Compared weakly, as RFC 9110 asks: what lies between may have made a tag weak or strong.
    tags = ",".join(request.headers.getlist("if-none-match")).split(",")
    known = {tag.strip().removeprefix("W/") for tag in tags}
    return "*" in known or etag.removeprefix("W/") in known


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


def tags_of(slug: str, items: Iterable[Item]) -> str:
    """Return the Cache-Tag of an answer that holds these items."""
    return " ".join([f"feed-{slug}", *(f"item-{item.id}" for item in items)])


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(PAGE_ITEMS))
    if not (_is_number(text) and 1 <= int(text) <= PAGE_ITEMS_MAX):
        raise BadRequest(f"limit takes a number from 1 to {PAGE_ITEMS_MAX}")
    return int(text)


def before_of(request: Request) -> tuple[int, int] | None:
    """Return the place that `before` names. Raises BadRequest."""
    text = request.query_params.get("before")
    if text is None:
        return None
    at, _, item = text.partition(".")
    if not (_is_number(at.removeprefix("-")) and _is_number(item)):
        raise BadRequest("before takes the next of a former page")
    return int(at), int(item)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 16


def text_of(request: Request, name: str) -> str | None:
    """Return a text from the query. Raises BadRequest."""
    text = request.query_params.get(name)
    if text is not None and (len(text) > QUERY_MAX or not text.strip()):
        raise BadRequest(f"{name} takes 1 to {QUERY_MAX} characters")
    return text


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
