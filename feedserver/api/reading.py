"""The readers' door: feeds, pages, items and what changed, kept as long as nothing did."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feedserver import wire
from feedserver.api import access
from feedserver.api.answers import (
    Kept,
    chunked,
    encode,
    encode_items,
    in_chunks,
    read_answer,
    unchanged,
)
from feedserver.api.caching import LIST_TAGS, PRIVATE, cache_tags, is_known
from feedserver.api.context import Context, context
from feedserver.api.cors import CORS, preflight
from feedserver.api.feed_list import encode_feed, list_feeds
from feedserver.api.lookups import (
    HISTORY_BYTES,
    arrive,
    find_feed,
    find_history,
    find_item,
    find_page,
    item_id,
)
from feedserver.api.queries import Question, cursor_text, feeds_question_of, question_of
from feedserver.api.work import Lane
from feedserver.journal import History, Page
from feedserver.live.channel import Channel
from feedserver.live.messages import Message, next_text, tail
from feedserver.live.readers import Position

_HISTORY_FRAME = b'{"history":[...],"truncated":true}'


async def get_feeds(request: Request) -> Response:
    """List the feeds by slug."""
    here = context(request)
    limit, after = feeds_question_of(request)
    await here.hub.feeds.load_all()
    etag = f'W/"{here.hub.epoch}.{here.hub.feeds.newest}"'
    if is_known(etag, request):
        return unchanged(etag, LIST_TAGS)
    return read_answer(request, await list_feeds(here, etag, limit, after), LIST_TAGS)


async def get_feed(request: Request) -> Response:
    """Return one feed; to an editor with its key points as they were typed."""
    here = context(request)
    if access.has_token(request):
        await here.editor(request)
        feed = await find_feed(here, request)
        headers = CORS | PRIVATE | {"ETag": f'"{feed.etag}"'}
        return chunked(orjson.dumps(here.feed_json(feed, body=True)), headers=headers)
    feed = await find_feed(here, request)
    kept = Kept(here.etag(feed), (encode_feed(here, feed, here.hub.cache.moment),))
    return read_answer(request, kept, cache_tags(feed.slug))


async def get_items(request: Request) -> Response:
    """Return a page of a feed, made once for all who ask until the feed changes."""
    here = context(request)
    feed = await find_feed(here, request)
    question = question_of(request)
    lane = _lane(here, question)
    if access.has_token(request):
        await here.editor(request)
        pieces = await here.run(lane, lambda: _page_for_editors(here, feed.slug, question))
        return chunked(*pieces, _now(here), headers=CORS | PRIVATE)
    tags = cache_tags(feed.slug)
    if is_known(here.etag(feed), request):
        return unchanged(here.etag(feed), tags)
    key = ("page", feed.slug, feed.head, question)
    kept: Kept | None = here.hub.cache.get(key)
    if kept is None:
        kept = await here.once(lane, key, lambda: _make_page(here, feed.slug, question))
    return read_answer(request, kept, tags, now=_now(here))


async def get_item(request: Request) -> Response:
    """Return one item."""
    here = context(request)
    slug, number = request.path_params["feed"], item_id(request)
    if access.has_token(request):
        await here.editor(request)
        item = await find_item(here, request)
        headers = CORS | PRIVATE | {"ETag": f'"{item.etag}"'}
        body = await encode([item], lambda: wire.item_json(item, body=True))
        return chunked(body, headers=headers)
    key = ("one", slug, number)
    kept: Kept | None = here.hub.cache.get(key)
    if kept is None:
        since = here.hub.cache.moment
        item = await find_item(here, request)
        kept = Kept(f'"{item.etag}"', tuple(await encode_items(here, [item], since)))
        here.hub.cache.put(key, kept, kept.size, items=(number,), since=since)
    return read_answer(request, kept, cache_tags(slug, number))


async def get_history(request: Request) -> Response:
    """Return what readers were shown of an item, oldest first; made once for each version."""
    here = context(request)
    slug, number = request.path_params["feed"], item_id(request)
    feed = await find_feed(here, request)
    key = ("history", slug, number)
    kept: Kept | None = here.hub.cache.get(key)
    if kept is None:
        # Whoever asks after a change must not be answered from before it.
        name = (*key, feed.head)
        kept = await here.once(here.work.archive, name, lambda: _make_history(here, request))
    return read_answer(request, kept, cache_tags(slug, number))


async def get_changes(request: Request) -> Response:
    """Return one live message: the polling fallback."""
    here = context(request)
    feed = await find_feed(here, request)
    cursor, lane = cursor_text(request), here.work.newest
    if access.has_token(request):
        await here.editor(request)
        channel, position = await arrive(here, request, cursor)
        whole = await here.run(lane, lambda: _changes_for_editors(channel, position))
        return chunked(whole[:-1], _now(here), headers=CORS | PRIVATE)
    if is_known(here.etag(feed), request):
        return unchanged(here.etag(feed), cache_tags(feed.slug))
    channel, position = await arrive(here, request, cursor)
    if channel.chains.is_kept(position):
        kept = _first_of(here, channel, position)
    else:
        name = ("changes", feed.slug, channel.position, position)
        kept = await here.once(lane, name, lambda: _make_changes(here, request, cursor))
    return read_answer(request, kept, cache_tags(feed.slug), now=_now(here))


async def _make_page(here: Context, slug: str, question: Question) -> Kept:
    since = here.hub.cache.moment
    page = await find_page(here, slug, question)
    pieces = await encode_items(here, page.items, since)
    kept = Kept(here.etag(page.feed), _page(here, page, pieces))
    # Under the page's own head, which may be newer than that which was announced.
    key = ("page", slug, page.feed.head, question)
    items = [item.id for item in page.items]
    here.hub.cache.put(key, kept, kept.size, items=items, feed=slug, since=since)
    return kept


async def _page_for_editors(here: Context, slug: str, question: Question) -> tuple[bytes, ...]:
    page = await find_page(here, slug, question)
    return await asyncio.to_thread(
        lambda: _page(
            here, page, [orjson.dumps(wire.item_json(item, body=True)) for item in page.items]
        )
    )


def _page(here: Context, page: Page, pieces: list[bytes]) -> tuple[bytes, ...]:
    """Return a page up to `now`."""
    end: dict[str, Any] = {
        "feed": here.feed_json(page.feed),
        "epoch": here.hub.epoch,
        "cursor": here.cursor(page.feed),
    }
    if page.next is not None:
        end["next"] = next_text(page.next)
    if page.previous is not None:
        end["previous"] = next_text(page.previous)
    separated = [part for piece in pieces[1:] for part in (b",", piece)]
    return in_chunks([b'{"items":[', *pieces[:1], *separated, b"]," + orjson.dumps(end)[1:-1]])


async def _make_history(here: Context, request: Request) -> Kept:
    since = here.hub.cache.moment
    history = await find_history(here, request)
    item = history.item
    kept = Kept(f'"{item.etag}-history"', await asyncio.to_thread(_history, history))
    key = ("history", item.feed, item.id)
    here.hub.cache.put(key, kept, kept.size, items=(item.id,), since=since)
    return kept


def _history(history: History) -> tuple[bytes, ...]:
    """Return a history as JSON of `HISTORY_BYTES` at most: its newest lines."""
    lines: list[bytes] = []
    room = HISTORY_BYTES - len(_HISTORY_FRAME)
    for revision in reversed(history.shown):
        line = orjson.dumps(wire.shown_json(revision))
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    is_whole = history.is_whole and len(lines) == len(history.shown)
    begin, end = _HISTORY_FRAME.split(b"...")
    return begin, b",".join(reversed(lines)), b"]}" if is_whole else end


async def _make_changes(here: Context, request: Request, cursor: str | None) -> Kept:
    channel, position = await arrive(here, request, cursor)
    return _first_of(here, channel, position)


def _first_of(here: Context, channel: Channel, position: Position | None) -> Kept:
    message = channel.chain(position)[0]
    # Not the message's tag: that of a chain's first stays the same whatever becomes of its items.
    return Kept(here.etag(channel.window.feed), (message.stem,))


async def _changes_for_editors(channel: Channel, position: Position | None) -> bytes:
    message = channel.chain(position)[0]
    return await encode(message.items, lambda: _with_bodies(message))


def _with_bodies(message: Message) -> dict[str, Any]:
    """Return a live message as an editor reads it."""
    told: dict[str, Any] = orjson.loads(message.stem + b"}")
    return told | {"items": [wire.item_json(item, body=True) for item in message.items]}


def _lane(here: Context, question: Question) -> Lane:
    if question.words is not None:
        return here.work.search
    return here.work.newest if question.is_newest else here.work.archive


def _now(here: Context) -> bytes:
    return tail(here.hub.now())


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
