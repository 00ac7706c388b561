"""The pages for people, complete without JavaScript.

A page is rendered and compressed beside the loop, once for all who ask until its feed changes, and
kept in the cache. So ten thousand readers cost one rendering, and no database reads.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from feedserver import __version__
from feedserver.api.caching import LIST_TAGS, cache_tags
from feedserver.api.context import Context, Site, context
from feedserver.api.lookups import (
    find_feed,
    find_history,
    find_page,
    item_id,
    no_feed,
)
from feedserver.api.queries import Question, page_question_of
from feedserver.live.encoded import ALL_FEEDS
from feedserver.live.messages import next_text
from feedserver.model import Feed, Item
from feedserver.site import assets, rendering
from feedserver.site.rendering import Listing
from feedserver.site.responses import FRAMED, PREVIEWING, Sheet, sheet_response

INDEX_SECONDS = 1.0  # that the list of feeds is kept at least while there is only news, …
INDEX_SHARE = 10  # … and so many times as long as it took to make


def routes() -> list[BaseRoute]:
    """Return the routes of the pages and of all that they load."""
    return [
        Route("/", _get_index),
        Route("/feeds/{feed}", _get_feed),
        Route("/feeds/{feed}/items/{item}", _get_item),
        Route("/feeds/{feed}/embed", _get_embed),
        Route("/feeds/{feed}/embed/new", _get_configurator),
        *assets.routes(),
    ]


@dataclass(frozen=True, slots=True)
class _Index:
    """The list of feeds as it was made, at which newest record, and until when it is kept."""

    sheet: Sheet
    made_of: int
    kept_until: float


async def _get_index(request: Request) -> Response:
    """List the feeds. News in any of them changes the list only once in a while."""
    here = context(request)
    feeds = here.hub.feeds
    await feeds.load_all()
    index: _Index | None = here.hub.cache.get("index")
    is_newest = index is not None and index.made_of == feeds.newest
    if index is None or not (is_newest or time.monotonic() < index.kept_until):
        # Whoever asks after a change of a feed's own must not be answered from before it.
        name = ("index", feeds.newest_own)
        index = await here.once(here.work.newest, name, lambda: _make_index(here))
    return sheet_response(request, index.sheet, LIST_TAGS)


async def _make_index(here: Context) -> _Index:
    started, newest, since = time.monotonic(), here.hub.feeds.newest, here.hub.cache.moment
    feeds = here.hub.feeds.all()
    empty = await here.mirror.empty_feeds()
    etag = _etag(here, f"{here.hub.epoch}.{newest}.{len(empty)}")
    sheet = await asyncio.to_thread(
        lambda: Sheet.of(rendering.render_index(here.site, feeds, empty), etag)
    )
    now = time.monotonic()
    index = _Index(sheet, newest, now + max(INDEX_SECONDS, INDEX_SHARE * (now - started)))
    here.hub.cache.put("index", index, len(sheet.gzipped), since=since, feed=ALL_FEEDS)
    return index


async def _get_feed(request: Request) -> Response:
    here = context(request)
    feed = await find_feed(here, request)
    question = page_question_of(request)
    key = ("feed page", feed.slug, feed.head, question)
    sheet: Sheet | None = here.hub.cache.get(key)
    if sheet is None:
        if question.is_newest:
            lane, make = here.work.newest, lambda: _make_front(here, feed.slug)
        else:
            lane = here.work.archive if question.words is None else here.work.search
            make = lambda: _make_listing(here, feed.slug, question)  # noqa: E731
        sheet = await here.once(lane, key, make)
    return sheet_response(request, sheet, cache_tags(feed.slug))


async def _make_front(here: Context, slug: str) -> Sheet:
    """Render the newest of a feed from its window."""
    channel = await here.hub.channel(slug)
    if channel is None:
        raise no_feed(slug)
    window = channel.window
    listing = Listing(
        window.feed,
        window.snapshot(),
        here.cursor(window.feed),
        here.hub.heartbeat,
        next=next_text(window.following) if window.following else None,
        changed_at=window.changed_at,
    )
    return await _render(here, listing, Question(), window.moment)


async def _make_listing(here: Context, slug: str, question: Question) -> Sheet:
    since = here.hub.cache.moment
    page = await find_page(here, slug, question)
    listing = Listing(
        page.feed,
        page.items,
        here.cursor(page.feed),
        here.hub.heartbeat,
        next=next_text(page.next) if page.next else None,
        before=next_text(question.before) if question.before else None,
        after=next_text(question.after) if question.after else None,
        at=question.at,
        previous=next_text(page.previous) if page.previous else None,
        tag=page.tag or question.tag,
        query=question.words,
    )
    return await _render(here, listing, question, since)


async def _render(here: Context, listing: Listing, question: Question, since: int) -> Sheet:
    """Render a page of articles that are kept, and of others that are kept from now on."""
    feed, kept = listing.feed, here.hub.cache
    keys = rendering.article_keys(listing)
    known = {key: html for key in keys if (html := kept.get(key, since)) is not None}
    etag = _etag(here, listing.cursor)
    made, sheet = await asyncio.to_thread(_render_now, here.site, listing, known, etag)
    for article, html in made.items():
        kept.put(article, html, 2 * len(html), items=(article.item,), since=since)
    key = ("feed page", feed.slug, feed.head, question)
    items = [item.id for item in listing.items]
    kept.put(key, sheet, len(sheet.gzipped), items=items, feed=feed.slug, since=since)
    return sheet


def _render_now(
    site: Site, listing: Listing, known: rendering.Articles, etag: str
) -> tuple[rendering.Articles, Sheet]:
    made: rendering.Articles = {}
    html = rendering.render_feed(site, listing, known, made)
    return made, Sheet.of(html, etag)


async def _get_item(request: Request) -> Response:
    here = context(request)
    feed, number = await find_feed(here, request), item_id(request)
    key = ("item page", feed.slug, feed.head, number)
    sheet: Sheet | None = here.hub.cache.get(key)
    if sheet is None:
        sheet = await here.once(here.work.archive, key, lambda: _make_item(here, request, feed))
    return sheet_response(request, sheet, cache_tags(feed.slug, number))


async def _make_item(here: Context, request: Request, feed: Feed) -> Sheet:
    since = here.hub.cache.moment
    history = await find_history(here, request)
    item, versions = history.item, history.shown
    neighbours = await here.mirror.neighbours(feed.slug, item.id)
    cursor = here.cursor(feed)  # of before the item was read: nothing older may be missed
    etag = _etag(here, f"{cursor}-{item.etag}")
    sheet = await asyncio.to_thread(
        lambda: Sheet.of(
            rendering.render_item(
                here.site, feed, item, versions, cursor, here.hub.heartbeat, neighbours
            ),
            etag,
        )
    )
    key = ("item page", feed.slug, feed.head, item.id)
    here.hub.cache.put(
        key, sheet, len(sheet.gzipped), items=(item.id,), feed=feed.slug, since=since
    )
    return sheet


async def _get_embed(request: Request) -> Response:
    here = context(request)
    feed = await find_feed(here, request)
    key = ("embed", feed.slug, feed.head)
    sheet: Sheet | None = here.hub.cache.get(key)
    if sheet is None:
        sheet = await here.once(here.work.newest, key, lambda: _make_embed(here, feed))
    return sheet_response(request, sheet, cache_tags(feed.slug), FRAMED)


async def _make_embed(here: Context, feed: Feed) -> Sheet:
    since = here.hub.cache.moment
    items = await _newest_items(here, feed)
    html = rendering.render_embed(here.site, feed, items)
    sheet = Sheet.of(html, _etag(here, here.cursor(feed)))
    here.hub.cache.put(
        ("embed", feed.slug, feed.head),
        sheet,
        len(sheet.gzipped),
        items=[item.id for item in items],
        feed=feed.slug,
        since=since,
    )
    return sheet


async def _get_configurator(request: Request) -> Response:
    here = context(request)
    feed = await find_feed(here, request)
    key = ("configurator", feed.slug, feed.version)
    sheet: Sheet | None = here.hub.cache.get(key)
    if sheet is None:
        sheet = await here.once(here.work.newest, key, lambda: _make_configurator(here, feed))
    return sheet_response(request, sheet, cache_tags(feed.slug), PREVIEWING)


async def _make_configurator(here: Context, feed: Feed) -> Sheet:
    since = here.hub.cache.moment
    etag = _etag(here, f"{here.hub.epoch}.{feed.version}")
    sheet = await asyncio.to_thread(
        lambda: Sheet.of(rendering.render_configurator(here.site, feed), etag)
    )
    key = ("configurator", feed.slug, feed.version)
    here.hub.cache.put(key, sheet, len(sheet.gzipped), feed=feed.slug, since=since)
    return sheet


async def _newest_items(here: Context, feed: Feed) -> list[Item]:
    channel = here.hub.loaded(feed.slug)
    if channel is not None:
        return channel.window.snapshot()
    return list((await find_page(here, feed.slug, Question())).items)


def _etag(here: Context, state: str) -> str:
    return f'W/"{state}-{_build(here.site, here.hub.heartbeat)}"'


@cache
def _build(site: Site, heartbeat: int) -> str:
    """Return a hash of all that a page is made of beside its news."""
    parts = f"{__version__} {assets.build_hash()} {site} {heartbeat}"
    return hashlib.sha256(parts.encode()).hexdigest()[:8]
