"""The list of feeds: in blocks that all lists share, whatever part of it they ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence

import orjson

from feedserver.api.answers import Kept, in_chunks
from feedserver.api.context import Context
from feedserver.api.queries import FEEDS_MAX
from feedserver.live.encoded import ALL_FEEDS
from feedserver.model import Feed

BLOCK_FEEDS = 64  # some 30 kB, which takes a tenth of a millisecond where each feed is kept
_FRONT = "the first feeds"


async def list_feeds(here: Context, etag: str, limit: int, after: str) -> Kept:
    """Return the feeds behind `after`, as they are when this is called. Needs `load_all`.

    Only the first list is kept as a whole: strangers may ask for any other.
    """
    cache, is_front = here.hub.cache, limit == FEEDS_MAX and not after
    kept: Kept | None = cache.get(_FRONT) if is_front else None
    if kept is None or kept.etag != etag:
        since = cache.moment
        kept = Kept(etag, await _list(here, limit, after, since))
        if is_front:
            cache.put(_FRONT, kept, kept.size, feed=ALL_FEEDS, since=since)
    return kept


def encode_feed(here: Context, feed: Feed, since: int) -> bytes:
    """Return a feed's JSON, kept until it changes. `since` is the cache's moment as it was read."""
    key = ("feed", feed.slug, feed.head)
    known: bytes | None = here.hub.cache.get(key, since)
    if known is None:
        known = orjson.dumps(here.feed_json(feed))
        here.hub.cache.put(key, known, len(known), feed=feed.slug, since=since)
    return known


async def _list(here: Context, limit: int, after: str, since: int) -> tuple[bytes, ...]:
    start, feeds, more = here.hub.feeds.page(limit, after)
    pieces = [b'{"feeds":[']
    begin, end = 0, BLOCK_FEEDS - start % BLOCK_FEEDS
    while begin < len(feeds):
        pieces.append(await _block(here, feeds[begin:end], since))
        begin, end = end, end + BLOCK_FEEDS
    pieces[-1] = pieces[-1].removesuffix(b",")
    pieces.append(b'],"next":"%b"}' % feeds[-1].slug.encode() if more else b"]}")
    return in_chunks(pieces)


async def _block(here: Context, feeds: Sequence[Feed], since: int) -> bytes:
    """Return neighbouring feeds, each with a comma behind it.

    Whole blocks are kept; behind one that has to be made the loop turns, so that others go between.
    """
    if len(feeds) < BLOCK_FEEDS:
        return _joined(here, feeds, since)
    key = _key(feeds)
    known: bytes | None = here.hub.cache.get(key, since)
    if known is None:
        known = _joined(here, feeds, since)
        here.hub.cache.put(key, known, len(known), feed=ALL_FEEDS, since=since)
        await asyncio.sleep(0)
    return known


def _joined(here: Context, feeds: Sequence[Feed], since: int) -> bytes:
    return b"".join(part for feed in feeds for part in (encode_feed(here, feed, since), b","))


def _key(feeds: Sequence[Feed]) -> Hashable:
    """Return a key that no other state of a block has: feeds are never removed, heads only grow."""
    return ("feeds", feeds[0].slug, feeds[-1].slug, sum(feed.head for feed in feeds))
