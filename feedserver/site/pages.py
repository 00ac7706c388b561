"""The pages for people, complete without JavaScript.

A feed's pages are rendered and compressed once a change and kept with its channel, so that ten
thousand readers cost one rendering and no database reads.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import time
from dataclasses import dataclass
from functools import cache

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from feedserver import __version__
from feedserver.api import problems
from feedserver.api.context import Context, Site, context
from feedserver.api.editing import item_id
from feedserver.api.reading import (
    CACHED,
    CORS,
    PAGE_ITEMS,
    SHOWN,
    before_of,
    channel_of,
    find_item,
    find_log,
    find_page,
    is_known,
    tags_of,
    text_of,
)
from feedserver.errors import Killed, NotFound, Refused, Unavailable, WrongMethod
from feedserver.live.channel import Channel
from feedserver.live.messages import next_text
from feedserver.model import Feed, Item, Logged
from feedserver.rules import evolve
from feedserver.site import assets, rendering
from feedserver.site.rendering import Articles, Listing

HTML = "text/html; charset=utf-8"
INDEX_SECONDS = 1.0  # that the list of feeds is kept; caches keep it for longer
GZIP_LEVEL = 6

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
SAFE = {
    "Content-Security-Policy": _POLICY.format(ancestors="'self'"),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
FRAMED = SAFE | {"Content-Security-Policy": _POLICY.format(ancestors="*")}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as it is kept."""

    gzipped: bytes
    etag: str
    cache_tag: str


def routes() -> list[BaseRoute]:
    """Return the routes of the pages and of all that they load."""
    return [
        Route("/", _Index().get),
        Route("/feeds/{feed}", _get_feed),
        Route("/feeds/{feed}/items/{item}", _get_item),
        Route("/feeds/{feed}/embed", _get_embed),
        *assets.routes(),
    ]


async def on_fault(request: Request, fault: Exception) -> Response:
    """Show an error as a page; to a client that asks for JSON, as a problem."""
    assert isinstance(fault, Refused | Unavailable)
    answer = problems.problem(fault)
    if not _wants_html(request):
        answer.headers.update(CORS)
        return answer
    here = context(request)
    html = rendering.render_error(here.site, fault.status, fault.title, fault.detail)
    if isinstance(fault, Killed):
        channel = await here.hub.channel(fault.tombstone.feed)
        if channel is not None:
            html = rendering.render_gone(here.site, channel.window.feed, fault.tombstone)
            answer.headers["Cache-Control"] = CACHED
            answer.headers["Cache-Tag"] = tags_of(fault.tombstone.feed, [fault.tombstone])
    kept = {
        name: value
        for name, value in answer.headers.items()
        if name not in {"content-type", "content-length"}
    }
    varied = SAFE | {"Vary": "Accept, Accept-Encoding"}
    return _response(request, _gzip(html), varied | kept, fault.status)


async def on_http_exception(request: Request, fault: Exception) -> Response:
    """Show a wrong address or method as a page."""
    assert isinstance(fault, HTTPException)
    if fault.status_code != 405:
        return await on_fault(request, NotFound(f"there is nothing at {request.url.path[:200]}"))
    allowed = (fault.headers or {}).get("Allow", "")
    refusal = WrongMethod(f"{request.method} does nothing here; use {allowed}")
    answer = await on_fault(request, refusal)
    answer.headers["Allow"] = allowed
    return answer


async def on_surprise(request: Request, fault: Exception) -> Response:
    """Answer for what nobody foresaw, as a page."""
    answer = await problems.on_surprise(request, fault)
    if not _wants_html(request):
        return answer
    html = rendering.render_error(
        context(request).site,
        500,
        "Something went wrong",
        "the server made a mistake; it is logged. Try again later",
    )
    return _response(request, _gzip(html), SAFE | {"Cache-Control": "no-store"}, 500)


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
            self._sheet = Sheet(_gzip(html), _etag(here, state), "feeds")
            self._made = time.monotonic()
        return _answer(request, self._sheet, SAFE)


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
    return _answer(request, sheet, SAFE)


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
        entries = await find_log(here, item)
        # Beside the loop: of an item that was changed hundreds of times it takes seconds.
        sheet = await asyncio.to_thread(_item_sheet, here, feed, item, entries)
        if channel.window.head == feed.head:
            channel.keep(question, sheet)
    return _answer(request, sheet, SAFE)


def _item_sheet(here: Context, feed: Feed, item: Item, entries: tuple[Logged, ...]) -> Sheet:
    states, state = [], None
    for entry in entries:
        state = evolve(state, entry)
        if entry.sequence <= item.version:
            states.append((entry, state))
    shown = rendering.versions_of(states, SHOWN)
    html = rendering.render_item(
        here.site, feed, item, shown, here.cursor(feed), here.hub.heartbeat
    )
    etag = _etag(here, f"{here.cursor(feed)}-{item.etag}")
    return Sheet(_gzip(html), etag, tags_of(feed.slug, [item]))


async def _get_embed(request: Request) -> Response:
    here = context(request)
    channel = await channel_of(here, request)
    sheet = channel.kept("embed")
    if sheet is None:
        feed = channel.window.feed
        items = sorted(channel.window.snapshot()[0], key=lambda item: item.order, reverse=True)
        html = rendering.render_embed(here.site, feed, items)
        tags = tags_of(feed.slug, items)
        sheet = Sheet(_gzip(html), _etag(here, here.cursor(feed)), tags)
        channel.keep("embed", sheet)
    return _answer(request, sheet, FRAMED)


def _sheet(here: Context, listing: Listing, known: Articles | None = None) -> Sheet:
    html = rendering.render_feed(here.site, listing, known)
    tags = tags_of(listing.feed.slug, listing.items)
    return Sheet(_gzip(html), _etag(here, listing.cursor), tags)


def _etag(here: Context, state: str) -> str:
    return f'W/"{state}-{_build(here.site, here.hub.heartbeat)}"'


@cache
def _build(site: Site, heartbeat: int) -> str:
    """Return a hash of all that a page is made of beside its news."""
    parts = f"{__version__} {assets.build_hash()} {site} {heartbeat}"
    return hashlib.sha256(parts.encode()).hexdigest()[:8]


def _answer(request: Request, sheet: Sheet, headers: dict[str, str]) -> Response:
    headers = headers | {
        "Cache-Control": CACHED,
        "Cache-Tag": sheet.cache_tag,
        "ETag": sheet.etag,
    }
    if is_known(sheet.etag, request):
        return Response(status_code=304, headers=headers)
    return _response(request, sheet.gzipped, headers)


def _response(
    request: Request, gzipped: bytes, headers: dict[str, str], status: int = 200
) -> Response:
    if assets.accepts_gzip(request):
        headers = headers | {"Content-Encoding": "gzip"}
        return Response(gzipped, status_code=status, headers=headers, media_type=HTML)
    return Response(gzip.decompress(gzipped), status_code=status, headers=headers, media_type=HTML)


def _gzip(html: str) -> bytes:
    return gzip.compress(html.encode(), GZIP_LEVEL, mtime=0)


def _wants_html(request: Request) -> bool:
    accepted = request.headers.get("accept", "*/*").lower()
    return "json" not in accepted or "text/html" in accepted
