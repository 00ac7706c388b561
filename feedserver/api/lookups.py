"""What a request's path names: a feed, a page of it, an item, its history."""

from __future__ import annotations

from starlette.requests import Request

from feedserver.api.context import Context
from feedserver.api.editing import item_id
from feedserver.api.queries import Question
from feedserver.errors import Killed, NotFound
from feedserver.journal import Page
from feedserver.live.channel import Channel
from feedserver.live.readers import Position
from feedserver.model import Feed, Item, Millis, Status, Verb
from feedserver.rules import evolve

HISTORY_TEXT = 4 * 1024 * 1024  # characters of an item's history that are shown, the newest first
SHOWN = frozenset({Verb.POST, Verb.UPDATE, Verb.CORRECT})  # what readers are told of as history
Version = tuple[int, Verb, Millis, Item]  # what readers were shown of an item, by what, since when


async def find_feed(here: Context, request: Request) -> Feed:
    """Return the feed that the path names, as of its newest record. Raises NotFound."""
    slug = request.path_params["feed"]
    feed = await here.hub.feeds.find(slug)
    if feed is None:
        raise no_feed(slug)
    return feed


async def arrive(
    here: Context, request: Request, cursor: str | None
) -> tuple[Channel, Position | None]:
    """Return the channel of the feed that the path names, and the position of a cursor in it.

    Use both before the next await. Raises NotFound.
    """
    slug = request.path_params["feed"]
    found = await here.hub.arrive(slug, cursor)
    if found is None:
        raise no_feed(slug)
    return found


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


def newest_versions(versions: list[Version]) -> tuple[list[Version], bool]:
    """Return as many of the newest versions as `HISTORY_TEXT` allows; and: are these all?"""
    room = HISTORY_TEXT
    for count, (*_, state) in enumerate(reversed(versions)):
        room -= len(state.body)
        if room < 0:
            return versions[len(versions) - count :], False
    return versions, True


async def find_page(here: Context, slug: str, question: Question) -> Page:
    """Return a page of a feed, no older than what was announced. Raises NotFound."""
    page = await here.mirror.page(
        slug, question.limit, question.before, question.tag, question.words
    )
    if page is None:
        raise no_feed(slug)
    return page


def no_feed(slug: str) -> NotFound:
    """Make the error for a feed that does not exist."""
    return NotFound(f"there is no feed “{slug[:80]}”")
