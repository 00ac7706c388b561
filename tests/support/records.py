"""Records as the newsroom makes them, for tests that speak to a journal directly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from feedserver.draft import Draft
from feedserver.journal import Journal, Mirror
from feedserver.model import (
    Act,
    Content,
    Correction,
    Feed,
    FeedSettings,
    Item,
    Millis,
    Origin,
    Record,
    Redaction,
    RetryKey,
    TokenSettings,
    Verb,
    random_id,
)
from feedserver.rules import WRITES_WORDS, Change, time_of
from feedserver.sqlite.journal import SQLiteJournal
from feedserver.sqlite.mirror import SQLiteMirror
from feedserver.sqlite.storage import open_storage
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
        others = asyncio.all_tasks()
        async with open_storage(folder, begins=True) as storage:
            works = frozenset(asyncio.all_tasks() - others)
            yield Opened(storage.journal, storage.mirror, works)

    return opened


def in_memory(seed: int = 0, store: Store | None = None) -> Open:
    store = store or Store(seed)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Opened]:
        async with open_memory(store) as (journal, mirror):
            yield Opened(journal, mirror, frozenset(journal.works))

    return opened


@asynccontextmanager
async def open_sqlite(folder: Path) -> AsyncIterator[tuple[SQLiteJournal, SQLiteMirror]]:
    async with open_storage(folder, begins=True) as storage:
        yield storage.journal, storage.mirror


async def level(*processes: Opened) -> None:
    """Wait until each of these has all that was appended, by whomever."""
    for one in processes:
        if isinstance(one.journal, MemoryJournal):
            await one.journal.level()


def feed(
    slug: str = "world",
    at: Millis = NOON,
    before: Feed | None = None,
    editor: str | None = None,
    **settings: Any,
) -> Record:
    """Make a feed; `before` is the feed that is changed."""
    known = before.settings if before is not None else FeedSettings(slug.title())
    base = (before.version, before.version_check) if before is not None else None
    return Record(
        random_id(),
        Act.FEED,
        at,
        feed=slug,
        editor=editor,
        settings=replace(known, **settings),
        base=base,
    )


def token(name: str = "anna", *feeds: str, importer: bool = False) -> Record:
    settings = TokenSettings(name, name * 8, feeds, importer)
    return Record(random_id(), Act.TOKEN, NOON, settings=settings)


def revoke(name: str = "anna") -> Record:
    return Record(random_id(), Act.REVOKE, NOON, settings=TokenSettings(name))


def content(headline: str = "News", before: Content | None = None, **fields: Any) -> Content:
    """Return what an editor's fields make of a content."""
    return Draft({"headline": headline} | fields).applied_to(before or Content())


def post(headline: str = "News", at: Millis = NOON, slug: str = "world", **more: Any) -> Record:
    """Make a post; `more` are fields of Record, or of the item."""
    own = ("editor", "retry_key", "claimed_at", "origin", "published_at", "token_digest")
    record = {name: more.pop(name) for name in own if name in more}
    if "origin" in record:
        record["origin_mac"] = origin_mac(slug, record["origin"])
    return Record(
        random_id(), Verb.POST, at, feed=slug, content=content(headline, **more), **record
    )


def edit(item: Item, verb: Verb, at: Millis = NOON, **more: Any) -> Record:
    """Make any other verb, from the version given."""
    own = ("editor", "retry_key", "claimed_at", "note", "redaction", "content", "token_digest")
    record = {name: more.pop(name) for name in own if name in more}
    if verb in WRITES_WORDS and "content" not in record:
        changed = Draft(more).applied_to(item.content)
        if verb is Verb.CORRECT:
            shown = Correction(time_of(at, record.get("claimed_at"), item), record["note"])
            changed = replace(changed, corrections=(*changed.corrections, shown))
        record["content"] = changed
    return Record(
        random_id(),
        verb,
        at,
        feed=item.feed,
        item=item.id,
        base=(item.version, item.check),
        **record,
    )


def kill(item: Item, at: Millis = NOON, **more: Any) -> Record:
    return edit(item, Verb.KILL, at, note="withdrawn", **more)


def redact(item: Item, version: int, *erases: int, at: Millis = NOON, **more: Any) -> Record:
    """Make a redact that erases `version`, and whatever else it is told."""
    redaction = Redaction(version, tuple(sorted({version, *erases})))
    return edit(item, Verb.REDACT, at, redaction=redaction, **{"note": "a name"} | more)


def key(name: str = "k") -> RetryKey:
    return RetryKey(f"mac-{name}".encode(), f"body-{name}")


def origin_mac(slug: str, origin: Origin) -> bytes:
    return f"{slug} {origin.uri} {origin.id}".encode()


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
