"""The data folder of a command, and the newsroom in it. All commands work beside a server."""

from __future__ import annotations

import asyncio
import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

from feedserver.errors import FeedError, OutcomeUnknown, SetupError, Unavailable
from feedserver.live.hub import now_millis
from feedserver.model import Feed
from feedserver.newsroom import Newsroom
from feedserver.settings import TABLE, Settings, read_settings
from feedserver.sqlite.folder import NoNewsroom
from feedserver.sqlite.mirror import SQLiteMirror
from feedserver.sqlite.opening import damaged
from feedserver.sqlite.storage import Storage, open_storage
from feedserver.suggestions import did_you_mean

_T = TypeVar("_T")
Work = Callable[[Newsroom, SQLiteMirror], Awaitable[_T]]
Read = Callable[[SQLiteMirror], Awaitable[_T]]


def add_data(parser: ArgumentParser) -> None:
    """Add the folder's option, which every command has."""
    parser.add_argument(
        "--data", metavar="DIR", help="the folder that holds the database (FEEDSERVER_DATA)"
    )


def settings_of(args: Namespace) -> Settings:
    """Return the settings: from options, else variables, else defaults. Raises BadSetting."""
    return read_settings({setting.name: getattr(args, setting.name, None) for setting in TABLE})


def work_in_folder(args: Namespace, work: Work[_T], *, may_begin: bool = False) -> _T:
    """Do `work` in the newsroom of the folder, and return what it returns. Raises FeedError.

    If there is no newsroom yet, it is made only for a command that `may_begin` one.
    """

    async def working(storage: Storage) -> _T:
        mirror = storage.mirror
        return await work(Newsroom(storage.journal, mirror, now_millis), mirror)

    folder = settings_of(args).data
    return _run(folder, open_storage(folder, begins=may_begin, serves=False), working)


def read_in_folder(args: Namespace, read: Read[_T]) -> _T:
    """Return what `read` finds in the newsroom of the folder. Raises FeedError.

    It takes no lock that a server waits for, and works where nothing can be written.
    """
    folder = settings_of(args).data
    opening = open_storage(folder, serves=False, reads_only=True)
    return _run(folder, opening, lambda storage: read(storage.mirror))


def _run(
    folder: Path,
    opening: AbstractAsyncContextManager[Storage],
    work: Callable[[Storage], Awaitable[_T]],
) -> _T:
    async def opened() -> _T:
        async with opening as storage:
            database = storage.database
            try:
                return await work(storage)
            except Unavailable as fault:
                if database.damage is not None:
                    raise damaged(database.path, database.damage) from None
                if database.fault is not None:
                    raise SetupError(f"cannot read {database.path}: {database.fault}") from None
                if isinstance(fault, OutcomeUnknown):  # whose words are for a client of the server
                    raise FeedError(
                        "the commit failed, and it is not known whether that was stored: look with "
                        "feedserver feed list and token list, then run the command again"
                    ) from None
                raise

    try:
        return asyncio.run(opened())
    except NoNewsroom:
        raise SetupError(how_to_begin(folder)) from None


async def existing_feed(mirror: SQLiteMirror, slug: str) -> Feed:
    """Return a feed. Raises FeedError that names those there are."""
    feed = await mirror.feed(slug)
    if feed is None:
        known = [feed.slug for feed in await mirror.feeds()]
        feeds = ", ".join(known) or "none yet"
        raise FeedError(f"there is no feed {slug}; the feeds: {feeds}{did_you_mean(slug, known)}")
    return feed


def how_to_begin(folder: Path) -> str:
    """Return what to do where there is no feed."""
    command = f'feedserver feed add world --title "World news" --data {shlex.quote(str(folder))}'
    return f"there is no feed in {folder} yet; begin with: {command}"
