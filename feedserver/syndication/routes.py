"""The addresses of the documents. Each is made once for all who ask, until its feed changes.

Ten thousand readers that poll cost no database read: the newest stretch is made of the window, and
what was made is kept in the cache, which drops all that holds a withdrawn item's words.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Hashable, Mapping
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from feedserver import __version__
from feedserver.api.caching import LIST_TAGS, cache_tags, is_known
from feedserver.api.context import Context, Site, context
from feedserver.api.cors import CORS, preflight
from feedserver.api.lookups import find_feed, find_item, find_page, item_id, no_feed
from feedserver.api.queries import Question, before_of
from feedserver.errors import Killed
from feedserver.live.encoded import ALL_FEEDS
from feedserver.live.messages import next_text
from feedserver.model import Feed
from feedserver.site import assets
from feedserver.site.responses import Sheet, encoded_response
from feedserver.syndication import atom, json_feed, json_ld, markdown, ninjs, rss, sitemap
from feedserver.syndication.documents import ATOM, JSON_FEED, RSS, Format, Stretch, write

# Nothing may be served stale: a hub or reader that comes at once after a kill must not get the old.
CACHED = "public, max-age=2"
SETTLED_AFTER = 2_000  # milliseconds after a record, until which its second may get another
SITEMAP_STEP = 60_000  # milliseconds that a sitemap is kept while nothing changes
FORMATS = (
    atom.FORMAT,
    rss.FORMAT,
    json_feed.FORMAT,
    ninjs.FORMAT,
    json_ld.FORMAT,
    markdown.FORMAT,
)
# The paths of all documents, for whoever answers errors.
_SUFFIXES = "|".join(re.escape(form.suffix) for form in FORMATS)
PATHS = re.compile(rf"/feeds/.+(?:{_SUFFIXES})|{re.escape(sitemap.PATH)}|/oembed")
SUBSCRIBED = frozenset({ATOM, RSS, JSON_FEED})  # formats whose answers name their own address

Endpoint = Callable[[Request], Awaitable[Response]]


def routes() -> list[BaseRoute]:
    """Return the routes of the documents. They go before those of pages, whose paths match too."""
    return [
        *(
            route
            for form in FORMATS
            for route in _readable(f"/feeds/{{feed}}{form.suffix}", _endpoint(form))
        ),
        *_readable("/feeds/{feed}/items/{item}.ninjs", _get_item),
        *_readable(sitemap.PATH, _get_sitemap),
        Route("/robots.txt", _get_robots),
    ]


def _readable(path: str, endpoint: Endpoint) -> list[BaseRoute]:
    return [Route(path, endpoint), Route(path, preflight, methods=["OPTIONS"])]


def _endpoint(form: Format) -> Endpoint:
    async def get_document(request: Request) -> Response:
        return await _get_document(request, form)

    return get_document


async def _get_document(request: Request, form: Format) -> Response:
    here = context(request)
    feed, before = await find_feed(here, request), before_of(request)
    etag, dated = etag_of(here, here.cursor(feed)), _last_modified(here, feed)
    tags = cache_tags(feed.slug) | _link(here, form, feed, before) | dated
    if is_known(etag, request) or _is_dated(request, dated):
        return unchanged(etag, tags)
    key = _key(form, feed, before)
    sheet: Sheet | None = here.hub.cache.get(key)
    if sheet is None:
        if before is None:
            lane, make = here.work.newest, lambda: _make_newest(here, form, feed.slug)
        else:
            lane, make = here.work.archive, lambda: _make_stretch(here, form, feed.slug, before)
        sheet = await here.once(lane, key, make)
    return answer(request, sheet, form.media_type, tags)


async def _make_newest(here: Context, form: Format, slug: str) -> Sheet:
    """Write what changed last and what is newest, from the feed's window."""
    channel = await here.hub.channel(slug)
    if channel is None:
        raise no_feed(slug)
    window = channel.window
    stretch = Stretch(
        window.feed,
        window.for_documents(),
        here.cursor(window.feed),
        changed_at=window.changed_at,
        next=next_text(window.following) if window.following else None,
    )
    return await _write(here, form, stretch, None, window.moment)


async def _make_stretch(here: Context, form: Format, slug: str, before: tuple[int, int]) -> Sheet:
    """Write older items, withdrawn ones in their places."""
    since = here.hub.cache.moment
    page = await find_page(here, slug, Question(before=before))
    stretch = Stretch(
        page.feed,
        page.items,
        here.cursor(page.feed),
        before=next_text(before),
        next=next_text(page.next) if page.next else None,
    )
    return await _write(here, form, stretch, before, since)


async def _write(
    here: Context, form: Format, stretch: Stretch, before: tuple[int, int] | None, since: int
) -> Sheet:
    """Write a document beside the loop, and keep it."""
    etag = etag_of(here, stretch.cursor)
    sheet = await asyncio.to_thread(lambda: Sheet.of_bytes(write(form, here.site, stretch), etag))
    here.hub.cache.put(
        _key(form, stretch.feed, before),
        sheet,
        len(sheet.gzipped),
        items=[item.id for item in stretch.items],
        feed=stretch.feed.slug,
        since=since,
    )
    return sheet


async def _get_item(request: Request) -> Response:
    """Answer with one item as ninjs; 410 with what is left of a withdrawn one."""
    here = context(request)
    feed, number = await find_feed(here, request), item_id(request)
    key = ("item document", feed.slug, feed.version, number)
    kept: tuple[Sheet, int] | None = here.hub.cache.get(key)
    if kept is None:
        # Whoever asks after a change must not be answered from before it.
        name = (*key, feed.head)
        make = lambda: _make_item(here, request, feed, key)  # noqa: E731
        kept = await here.once(here.work.archive, name, make)
    sheet, status = kept
    return answer(request, sheet, ninjs.FORMAT.media_type, cache_tags(feed.slug, number), status)


async def _make_item(
    here: Context, request: Request, feed: Feed, key: Hashable
) -> tuple[Sheet, int]:
    since = here.hub.cache.moment
    try:
        item, status = await find_item(here, request), 200
    except Killed as gone:
        item, status = gone.tombstone, 410
    etag = etag_of(here, f"{item.etag}-{feed.version}")
    sheet = await asyncio.to_thread(
        lambda: Sheet.of_bytes(ninjs.item_document(here.site, feed, item), etag)
    )
    here.hub.cache.put(
        key,
        (sheet, status),
        len(sheet.gzipped),
        items=(item.id,),
        feed=feed.slug,
        since=since,
    )
    return sheet, status


async def _get_sitemap(request: Request) -> Response:
    """Answer with the news of all feeds. It depends on the clock: what is too old leaves it."""
    here = context(request)
    feeds = here.hub.feeds
    await feeds.load_all()
    name = ("sitemap", feeds.newest, here.hub.now() // SITEMAP_STEP)
    kept: tuple[Hashable, Sheet] | None = here.hub.cache.get(sitemap.PATH)
    if kept is not None and kept[0] == name:
        sheet = kept[1]
    else:
        sheet = await here.once(here.work.sitemap, name, lambda: _make_sitemap(here, name))
    return answer(request, sheet, f"{sitemap.MEDIA_TYPE}; charset=utf-8", LIST_TAGS)


async def _make_sitemap(here: Context, name: Hashable) -> Sheet:
    since, now = here.hub.cache.moment, here.hub.now()
    pieces = await sitemap.newest_pieces(here, now)
    body = await asyncio.to_thread(sitemap.sitemap, pieces, now)
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
    sheet = await asyncio.to_thread(Sheet.of_bytes, body, etag)
    items = [piece.id for piece in pieces]
    # In place of the former one, whatever its name.
    here.hub.cache.put(
        sitemap.PATH,
        (name, sheet),
        len(sheet.gzipped),
        items=items,
        feed=ALL_FEEDS,
        since=since,
    )
    return sheet


async def _get_robots(request: Request) -> Response:
    """Tell robots where the sitemap is."""
    body = _robots(context(request).site.url)
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:12]}"'
    headers = {"Cache-Control": assets.SHORT, "ETag": etag}
    if is_known(etag, request):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="text/plain; charset=utf-8")


def answer(
    request: Request,
    sheet: Sheet,
    media_type: str,
    headers: Mapping[str, str],
    status: int = 200,
) -> Response:
    """Answer with a document, or with 304 if the client has it."""
    if status == 200 and is_known(sheet.etag, request):
        return unchanged(sheet.etag, headers)
    return encoded_response(request, sheet, headers_of(sheet.etag, headers), status, media_type)


def unchanged(etag: str, headers: Mapping[str, str]) -> Response:
    """Answer a client that has this version."""
    return Response(status_code=304, headers=headers_of(etag, headers))


def etag_of(here: Context, state: str) -> str:
    """Return the entity tag of a document in some state, of this program."""
    return f'W/"{state}-{_build(here.site)}"'


def headers_of(etag: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a document's answer, with others beside them."""
    return {**CORS, "Vary": "Accept-Encoding", "Cache-Control": CACHED, "ETag": etag, **headers}


def _link(
    here: Context, form: Format, feed: Feed, before: tuple[int, int] | None
) -> dict[str, str]:
    if form.suffix not in SUBSCRIBED:
        return {}
    query = f"?before={next_text(before)}" if before else ""
    link = f'<{here.page_url(feed.slug)}{form.suffix}{query}>; rel="self"'
    return {"Link": link + (f', <{here.site.hub}>; rel="hub"' if here.site.hub else "")}


def _last_modified(here: Context, feed: Feed) -> dict[str, str]:
    """Return when the newest record was appended, unless another of that second may follow."""
    if not feed.head_at or here.hub.now() - feed.head_at < SETTLED_AFTER:
        return {}
    return {"Last-Modified": rss.rfc822(feed.head_at)}


def _is_dated(request: Request, dated: Mapping[str, str]) -> bool:
    """Say whether the client has what was last modified then, and knows no entity tag.

    Only an equal date counts: after a clock stepped back, a later one would hide what is new.
    """
    if not dated or "if-none-match" in request.headers:
        return False
    return request.headers.get("if-modified-since") == dated["Last-Modified"]


def _key(form: Format, feed: Feed, before: tuple[int, int] | None) -> tuple[object, ...]:
    return ("document", form.suffix, feed.slug, feed.head, before)


@cache
def _robots(url: str) -> bytes:
    rules = assets.web_folder().joinpath("pages/robots.txt").read_bytes()
    return rules + f"\nSitemap: {url}{sitemap.PATH}\n".encode()


@cache
def _build(site: Site) -> str:
    """Return a hash of all that a document is made of beside its news."""
    parts = f"{__version__} {assets.build_hash()} {site}"
    return hashlib.sha256(parts.encode()).hexdigest()[:8]
