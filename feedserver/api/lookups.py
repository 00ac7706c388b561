"""What a request's path names: a feed, an item, its history."""

from __future__ import annotations

from starlette.requests import Request

from feedserver.api.context import Context
from feedserver.api.editing import item_id
from feedserver.errors import Killed, NotFound
from feedserver.journal import Page
from feedserver.live.channel import Channel
from feedserver.model import Item, Millis, Status, Verb
from feedserver.rules import evolve

SHOWN = frozenset({Verb.POST, Verb.UPDATE, Verb.CORRECT})  # what readers are told of as history
Version = tuple[int, Verb, Millis, Item]  # what readers were shown of an item, by what, since when


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


async def history_of(here: Context, item: Item) -> list[Version]:
    """List what readers were shown of an item that was just read, oldest first.

    Raises Killed, if it is that by now.
    """
    entries = await here.mirror.log(item.feed, item.id)
    if entries[-1].record.act is Verb.KILL:
        tombstone = await here.mirror.item(item.feed, item.id)
        assert tombstone is not None
        raise Killed(f"item {item.id} was withdrawn", tombstone)
    state, shown = None, []
    for entry in entries:
        state = evolve(state, entry)
        if entry.record.act in SHOWN and entry.sequence <= item.version:
            shown.append((entry.sequence, Verb(entry.record.act), entry.effective_at, state))
    return shown


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
