"""What a request's path names: a feed, a page of it, an item, its history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request

from feedserver.api.context import Context
from feedserver.api.queries import ID_DIGITS, Question
from feedserver.errors import Behind, Killed, NotFound
from feedserver.journal import History, Page
from feedserver.live.channel import Channel
from feedserver.live.readers import Position
from feedserver.model import Feed, Item, Status

HISTORY_BYTES = 4 * 1024 * 1024  # of an item's history that are shown, the newest first

_T = TypeVar("_T")


async def find_feed(here: Context, request: Request) -> Feed:
    """Return the feed that the path names, as of its newest record. Raises NotFound."""
    return await feed_named(here, request.path_params["feed"])


async def feed_named(here: Context, slug: str) -> Feed:
    """Return a feed, as of its newest record. Raises NotFound."""
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


def item_id(request: Request) -> int:
    """Return the item that the path names. Raises NotFound."""
    text: str = request.path_params["item"]
    if not (text.isascii() and text.isdigit() and len(text) <= ID_DIGITS):
        raise NotFound(f"there is no item {text[:40]}: an item's id is a number")
    return int(text)


async def find_item(here: Context, request: Request) -> Item:
    """Return the item that the path names. Raises NotFound, Killed, Unavailable."""
    return await item_numbered(here, request.path_params["feed"], item_id(request))


async def item_numbered(here: Context, slug: str, number: int) -> Item:
    """Return an item of a feed. Raises NotFound, Killed, Unavailable."""
    return _shown(await item_or_tombstone(here, slug, number))


async def item_or_tombstone(here: Context, slug: str, number: int) -> Item:
    """Return an item of a feed, a withdrawn one too. Raises NotFound, Unavailable."""
    return await _find(here, slug, number, here.mirror.item)


async def find_history(here: Context, request: Request) -> History:
    """Return the item that the path names, with what readers were shown of it.

    Raises as `find_item` does.
    """
    read = here.mirror.history
    slug, number = request.path_params["feed"], item_id(request)
    history = await _find(here, slug, number, lambda s, i: read(s, i, HISTORY_BYTES))
    _shown(history.item)
    return history


async def _find(
    here: Context, slug: str, number: int, read: Callable[[str, int], Awaitable[_T | None]]
) -> _T:
    found = await read(slug, number)
    if found is None:
        await be_level(here)
        found = await read(slug, number)
    if found is None:
        raise no_item(slug, number)
    return found


def _shown(item: Item) -> Item:
    if item.status is Status.KILLED:
        raise Killed(f"item {item.id} was withdrawn", item)
    return item


async def find_page(here: Context, slug: str, question: Question) -> Page:
    """Return a page of a feed, no older than what was announced. Raises NotFound, Behind."""
    page = await _read_page(here, slug, question)
    if page is None and question.at is not None:
        await be_level(here)
        page = await _read_page(here, slug, question)
        if page is None:
            raise no_item(slug, question.at)
    if page is None:
        raise no_feed(slug)
    return page


async def _read_page(here: Context, slug: str, question: Question) -> Page | None:
    mirror = here.mirror
    if question.at is not None:
        return await mirror.page_around(slug, question.limit, question.at)
    if question.after is not None:
        return await mirror.page_after(slug, question.limit, question.after)
    return await mirror.page(
        slug,
        question.limit,
        question.before,
        question.tag,
        question.words,
        held=question.held,
    )


def no_item(slug: str, number: int) -> NotFound:
    """Make the error for an item that does not exist in that feed."""
    return NotFound(f"there is no item {number} in the feed {slug[:80]}")


def no_feed(slug: str) -> NotFound:
    """Make the error for a feed that does not exist."""
    return NotFound(f"there is no feed “{slug[:80]}”")
