"""Records as the newsroom makes them, for tests that speak to a journal directly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedserver.journal import Journal, Mirror
from feedserver.model import Act, Erased, Item, Key, Logged, Millis, Record, Verb, random_id
from feedserver.rules import Change
from feedserver.sqlite.database import open_database
from feedserver.sqlite.journal import SQLiteJournal, open_journal
from feedserver.sqlite.mirror import SQLiteMirror
from support.memory import MemoryJournal, Store, open_memory

NOON: Millis = 1_747_483_200_000  # 2025-05-17T12:00:00Z
SECOND: Millis = 1_000
MINUTE: Millis = 60_000


@dataclass(frozen=True)
class Opened:
    """A journal and its mirror, open; `works` is all that runs there."""

    journal: Journal
    mirror: Mirror
    works: frozenset[asyncio.Task[None]] = frozenset()

    async def die(self) -> None:
        """Stop as kill -9 does: nothing is finished, nothing is closed."""
        for work in self.works:
            work.cancel()
        await asyncio.gather(*self.works, return_exceptions=True)


Open = Callable[[], AbstractAsyncContextManager[Opened]]
"""Opens the same journal, as often as it is called, each time as a process of its own would."""


def in_sqlite(folder: Path) -> Open:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Opened]:
        async with open_database(folder) as database:
            others = asyncio.all_tasks()
            async with open_journal(database) as journal:
                works = frozenset(asyncio.all_tasks() - others)
                yield Opened(journal, SQLiteMirror(database), works)

    return opened


def in_memory(seed: int = 0) -> Open:
    store = Store(seed)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Opened]:
        async with open_memory(store) as (journal, mirror):
            yield Opened(journal, mirror, frozenset(journal.works))

    return opened


@asynccontextmanager
async def open_sqlite(folder: Path) -> AsyncIterator[tuple[SQLiteJournal, SQLiteMirror]]:
    async with open_database(folder) as database, open_journal(database) as journal:
        yield journal, SQLiteMirror(database)


async def level(*processes: Opened) -> None:
    """Wait until each of these has all that was appended, by whomever."""
    for one in processes:
        if isinstance(one.journal, MemoryJournal):
            await one.journal.level()


def feed(slug: str = "world", at: Millis = NOON, **fields: Any) -> Record:
    return Record(random_id(), Act.FEED, at, feed=slug, fields={"title": slug.title()} | fields)


def token(name: str = "anna", *feeds: str, importer: bool = False) -> Record:
    fields = {"name": name, "digest": name * 8, "feeds": list(feeds), "importer": importer}
    return Record(random_id(), Act.TOKEN, NOON, fields=fields)


def revoke(name: str = "anna") -> Record:
    return Record(random_id(), Act.REVOKE, NOON, fields={"name": name})


def post(headline: str = "News", at: Millis = NOON, slug: str = "world", **more: Any) -> Record:
    """Make a post; `more` are fields of Record, or of the item."""
    own = ("editor", "key", "claimed_at", "origin")
    record = {name: more.pop(name) for name in own if name in more}
    fields = {"headline": headline} | more
    return Record(random_id(), Verb.POST, at, feed=slug, fields=fields, **record)


def edit(item: Item, verb: Verb, at: Millis = NOON, **more: Any) -> Record:
    """Make any other verb, from the version given."""
    own = ("editor", "key", "claimed_at", "note", "erased")
    record = {name: more.pop(name) for name in own if name in more}
    return Record(
        random_id(),
        verb,
        at,
        feed=item.feed,
        item=item.id,
        base=(item.version, item.check),
        fields=more,
        **record,
    )


def kill(item: Item, log: tuple[Logged, ...], at: Millis = NOON, **more: Any) -> Record:
    erased = tuple(
        Erased(e.sequence, e.record.check, e.record.key.mac if e.record.key else None) for e in log
    )
    return edit(item, Verb.KILL, at, note="withdrawn", erased=erased, **more)


def key(name: str = "k") -> Key:
    return Key(mac=f"mac-{name}", salt="pepper", body_mac=f"body-{name}")


async def made(journal: Journal, *records: Record) -> list[Change]:
    """Append one after the other."""
    return [await journal.append(record) for record in records]


async def followed(journal: Journal, after: int, until: int) -> list[Change]:
    """Follow from `after` until the change at `until` came."""
    found: list[Change] = []
    async for group in journal.follow(after):
        found += group
        if found[-1].sequence >= until:
            break
    return found


def item_of(change: Change) -> Item:
    assert change.item is not None
    return change.item


async def assert_readable(here: Opened, change: Change) -> None:
    """Hold the mirror to a change of the feed world: it has it, or what came after it."""
    item = await here.mirror.item("world", item_of(change).id)
    assert item is not None
    assert item.version >= change.sequence
    assert await here.mirror.check("world", change.sequence) == change.check
    feed_there = await here.mirror.feed("world")
    assert feed_there is not None
    assert feed_there.head >= change.sequence
