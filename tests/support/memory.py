"""A journal in memory that is as awkward as the contract allows.

Its `follow` lags its `append`, refused records take a number too, and what is read back comes with
the state of now, as from a replicated journal. What outlives a restart is its `Store`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from feedserver import markup
from feedserver.errors import Refused
from feedserver.journal import Identity, Page, Stock, Use
from feedserver.model import (
    SNAPSHOT_ITEMS,
    Act,
    Feed,
    Item,
    Logged,
    Origin,
    Record,
    Status,
    Token,
    random_id,
)
from feedserver.rules import Change, Duplicate, Known, decide

LAG = 3  # turns of the loop by which `append` lags the decision, and `follow` lags `append`
GROUP_MAX = 7  # changes yielded at once


@dataclass
class Store:
    """The disk, so to speak."""

    identity: Identity = field(default_factory=lambda: Identity(random_id(8), random_id(32)))
    sequence: int = 0
    entries: dict[int, Logged] = field(default_factory=dict)
    feeds: dict[str, Feed] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    uses: dict[tuple[str, str, str], Use] = field(default_factory=dict)
    origins: dict[tuple[str, Origin], int] = field(default_factory=dict)
    gaps: itertools.cycle[int] = field(default_factory=lambda: itertools.cycle((1, 2, 1, 4)))
    journals: list[MemoryJournal] = field(default_factory=list)  # that are open: processes


class MemoryJournal:
    """A Journal over a Store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._visible = max(store.entries, default=0)
        # Only changes made here; older ones and others' are read back, with the state of now.
        self._watched: dict[int, Change] = {}
        self._queue: asyncio.Queue[int] = asyncio.Queue()
        self._grown = asyncio.Event()

    @property
    def identity(self) -> Identity:
        return self.store.identity

    async def append(self, record: Record) -> Change:
        self.store.sequence += next(self.store.gaps)
        try:
            change = _apply(self.store, record, self.store.sequence)
        except (Refused, Duplicate):
            await turns(LAG)
            raise
        self._watched[change.sequence] = change
        for journal in self.store.journals:
            journal._queue.put_nowait(change.sequence)
        await turns(LAG)
        return change

    async def follow(self, after: int) -> AsyncIterator[tuple[Change, ...]]:
        while True:
            grown = self._grown
            group = [n for n in self.store.entries if after < n <= self._visible][:GROUP_MAX]
            if group:
                after = group[-1]
                yield tuple(self._told(n) for n in group)
            else:
                await grown.wait()

    async def head(self) -> int:
        return max(self.store.entries, default=0)

    async def purged(self, patience: float) -> bool:
        return True

    async def announce(self) -> None:
        """Let followers see what was appended, a little later."""
        while True:
            sequence = await self._queue.get()
            await turns(LAG)
            self._visible = sequence
            grown, self._grown = self._grown, asyncio.Event()
            grown.set()

    def _told(self, sequence: int) -> Change:
        seen = self._watched.get(sequence)
        if seen is None or (seen.item is not None and self.store.items[seen.item.id].killed_at):
            return self._as_of_now(sequence)  # what was withdrawn since is not told again
        return seen

    def _as_of_now(self, sequence: int) -> Change:
        store, entry = self.store, self.store.entries[sequence]
        record = entry.record
        named = record.fields.get("name") if record.act in {Act.TOKEN, Act.REVOKE} else None
        return Change(
            sequence,
            record.check,
            entry.effective_at,
            feed=store.feeds[record.feed] if record.feed is not None else None,
            item=store.items[record.item] if record.item is not None else None,
            token=store.tokens[named] if named is not None else None,
        )


class MemoryMirror:
    """A Mirror over a Store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def feeds(self) -> tuple[Feed, ...]:
        return tuple(sorted(self._store.feeds.values(), key=lambda feed: feed.slug))

    async def empty_feeds(self) -> frozenset[str]:
        return frozenset(self._store.feeds) - {item.feed for item in self._store.items.values()}

    async def feed(self, slug: str) -> Feed | None:
        return self._store.feeds.get(slug)

    async def tokens(self) -> tuple[Token, ...]:
        return tuple(sorted(self._store.tokens.values(), key=lambda token: token.name))

    async def item(self, slug: str, item: int) -> Item | None:
        found = self._store.items.get(item)
        return found if found is not None and found.feed == slug else None

    async def log(self, slug: str, item: int) -> tuple[Logged, ...]:
        entries = self._store.entries.values()
        return tuple(e for e in entries if e.record.item == item and e.record.feed == slug)

    async def page(
        self,
        slug: str,
        limit: int,
        before: tuple[int, int] | None = None,
        tag: str | None = None,
        words: str | None = None,
    ) -> Page | None:
        feed = self._store.feeds.get(slug)
        if feed is None:
            return None
        found = [
            item
            for item in self._newest_first(slug)
            if (before is None or item.order < before)
            and (tag is None or (item.status is not Status.KILLED and tag in item.tags))
            and (words is None or (item.status is not Status.KILLED and _has(item, words)))
        ]
        items = tuple(found[:limit])
        return Page(feed, items, items[-1].order if len(found) > limit else None)

    async def stock(self, slug: str, recent: int, checks: int) -> Stock | None:
        feed = self._store.feeds.get(slug)
        if feed is None:
            return None
        items = self._newest_first(slug)
        by_version = sorted(items, key=lambda item: item.version, reverse=True)
        known = [e for e in self._store.entries.values() if e.record.feed == slug][::-1]
        await turns(4 * LAG)  # what was read is not news any more
        return Stock(
            feed,
            newest=tuple(items[: SNAPSHOT_ITEMS + 1]),
            pinned=tuple(item for item in items if item.pinned),
            recent=tuple(by_version[:recent]),
            checks={e.sequence: e.record.check for e in known[:checks]},
        )

    async def check(self, slug: str, sequence: int) -> str | None:
        entry = self._store.entries.get(sequence)
        return entry.record.check if entry is not None and entry.record.feed == slug else None

    async def use(self, slug: str, editor: str, mac: str) -> Use | None:
        return self._store.uses.get((slug, editor, mac))

    async def unfinished(self) -> int:
        return 0

    def _newest_first(self, slug: str) -> list[Item]:
        items = [item for item in self._store.items.values() if item.feed == slug]
        return sorted(items, key=lambda item: item.order, reverse=True)


@asynccontextmanager
async def open_memory(store: Store) -> AsyncIterator[tuple[MemoryJournal, MemoryMirror]]:
    """Open a journal over `store`; closing it keeps nothing but the store."""
    journal = MemoryJournal(store)
    store.journals.append(journal)
    announcing = asyncio.create_task(journal.announce())
    try:
        yield journal, MemoryMirror(store)
    finally:
        store.journals.remove(journal)
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)


async def turns(count: int) -> None:
    """Let everybody else run, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


def _apply(store: Store, record: Record, sequence: int) -> Change:
    editor = record.editor or ""
    use = record.key and store.uses.get((record.feed or "", editor, record.key.mac))
    known = Known(
        feed=store.feeds.get(record.feed or ""),
        item=store.items.get(record.item or 0),
        token=store.tokens.get(record.editor or record.fields.get("name", "")),
        used_at=use.sequence if use else None,
        origin_item=store.origins.get((record.feed or "", record.origin))
        if record.origin is not None
        else None,
    )
    change = decide(record, sequence, known)
    if change.feed is not None:
        store.feeds[change.feed.slug] = change.feed
    if change.token is not None:
        store.tokens[change.token.name] = change.token
    if change.item is not None:
        record = _store_item(store, record, change.item)
    store.entries[sequence] = Logged(sequence, record, change.effective_at)
    return change


def _store_item(store: Store, record: Record, item: Item) -> Record:
    record = replace(record, item=item.id)
    store.items[item.id] = item
    if record.key is not None:
        use = Use(item.version, item.id, record.key)
        store.uses[item.feed, record.editor or "", record.key.mac] = use
    if record.origin is not None:
        store.origins[item.feed, record.origin] = item.id
    if item.status is Status.KILLED:
        _erase(store, item)
    return record


def _erase(store: Store, item: Item) -> None:
    for sequence, entry in store.entries.items():
        if entry.record.item == item.id:
            record = entry.record
            bare = Record(record.rid, record.act, record.at, record.feed, item.id, record.editor)
            store.entries[sequence] = replace(entry, record=bare)
    for place, use in store.uses.items():
        if use.item == item.id and use.sequence < item.version:
            store.uses[place] = replace(use, key=replace(use.key, salt="", body_mac=""))


def _has(item: Item, words: str) -> bool:
    text = " ".join([item.headline, markup.plain(item.body), *item.tags]).lower().split()
    *whole, unfinished = words.lower().split()
    return all(word in text for word in whole) and any(w.startswith(unfinished) for w in text)
