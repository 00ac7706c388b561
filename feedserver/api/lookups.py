"""What a request's path names: a feed, a page of it, an item, its history."""

from __future__ import annotations

from starlette.requests import Request

from feedserver.api.context import Context
from feedserver.api.editing import item_id
from feedserver.api.queries import Question
from feedserver.errors import Behind, Killed, NotFound
from feedserver.journal import Page
from feedserver.live.channel import Channel
from feedserver.live.readers import Position
from feedserver.model import Feed, Item, Revision, Status, Verb

HISTORY_TEXT = 4 * 1024 * 1024  # characters of an item's history that are shown, the newest first
SHOWN = frozenset({Verb.POST, Verb.UPDATE, Verb.CORRECT})  # what readers are told of as history


async def find_feed(here: Context, request: Request) -> Feed:
    """Return the feed that the path names, as of its newest record. Raises NotFound."""
    slug = request.path_params["feed"]
    feed = await here.hub.feeds.find(slug)
    if feed is None:
        await be_level(here)
        feed = await here.hub.feeds.find(slug)
    if feed is None:
        raise no_feed(slug)
    return feed


async def be_level(here: Context) -> None:
    """Wait until all that the journal has by now is known here. Raises Behind.

    Who is behind must not say that something does not exist.
    """
    if not await here.journal.level():
        raise Behind


async def arrive(
    here: Context, request: Request, cursor: str | None
) -> tuple[Channel, Position | None]:
    """Return the channel of the feed that the path names, and the position of a cursor in it.

    Use both before the next await. Raises NotFound.
    """
    slug = request.path_params["feed"]
    found = await here.hub.arrive(slug, cursor)
    if found is None:
        await be_level(here)
        found = await here.hub.arrive(slug, cursor)
    if found is None:
        raise no_feed(slug)
    return found


async def find_item(here: Context, request: Request) -> Item:
    """Return the item that the path names. Raises NotFound, Killed."""
    slug = request.path_params["feed"]
    item = await here.mirror.item(slug, item_id(request))
    if item is None:
        await be_level(here)
        item = await here.mirror.item(slug, item_id(request))
    if item is None:
        raise NotFound(f"there is no item {item_id(request)} in the feed {slug[:80]}")
    if item.status is Status.KILLED:
        raise Killed(f"item {item.id} was withdrawn", item)
    return item


async def history_of(here: Context, item: Item) -> list[Revision]:
    """List what readers were shown of an item that was just read, oldest first.

    Raises Killed, if it is that by now.
    """
    revisions = await here.mirror.revisions(item.feed, item.id)
    if any(one.act is Verb.KILL for one in revisions):
        tombstone = await here.mirror.item(item.feed, item.id)
        assert tombstone is not None
        raise Killed(f"item {item.id} was withdrawn", tombstone)
    return [one for one in revisions if one.act in SHOWN and one.version <= item.version]


def newest_versions(versions: list[Revision]) -> tuple[list[Revision], bool]:
    """Return as many of the newest versions as `HISTORY_TEXT` allows; and: are these all?"""
    room = HISTORY_TEXT
    for count, version in enumerate(reversed(versions)):
        room -= len(version.item.body) if version.item else 0
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
