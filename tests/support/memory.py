"""A journal in memory that is as awkward as the contract allows.

One log orders the records, with gaps in its numbers, and refused records take a number too. Each
process has a mirror of its own, which decides on the log's records some time after they came, and
its `follow` yields them later still; what is read back comes with the state of now. How late each
is, `seed` draws. What outlives a restart is the `Store`: the log, and each machine's disk, as far
as it was.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate

from feedserver import markup
from feedserver.errors import Refused
from feedserver.folding import fold, fold_tag
from feedserver.journal import History, Identity, InitialState, Page, Purge, Retry
from feedserver.model import (
    SNAPSHOT_ITEMS,
    Content,
    Feed,
    FeedSettings,
    Item,
    Millis,
    Record,
    Revision,
    Status,
    Token,
    TokenSettings,
    Verb,
    random_id,
)
from feedserver.rules import SHOWN, Change, Duplicate, Known, decide, shows
from feedserver.wire import shown_bytes

LAGS = (0, 0, 1, 2, 3, 5, 8, 13)  # turns of the loop that a record takes for each part of its way
GAPS = (1, 1, 2, 4)  # from one number to the next
GROUP_MAX = 7  # records decided on, and changes yielded, at once
LEVEL_TURNS = 10_000  # that a mirror is waited for


@dataclass
class Disk:
    """What one machine has decided: a mirror, level with the first `done` records of the log."""

    done: int = 0
    entries: dict[int, Revision] = field(default_factory=dict)
    records: dict[int, Record] = field(default_factory=dict)
    feeds: dict[str, Feed] = field(default_factory=dict)
    feeds_then: dict[int, Feed] = field(default_factory=dict)  # as each record left its feed
    items: dict[int, Item] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    retries: dict[bytes, int] = field(default_factory=dict)
    origins: dict[bytes, int] = field(default_factory=dict)
    held_by: MemoryJournal | None = None

    @property
    def head(self) -> int:
        return next(reversed(self.entries), 0)

    def copy(self) -> Disk:
        """Return what a new machine starts from."""
        return Disk(
            self.done,
            dict(self.entries),
            dict(self.records),
            dict(self.feeds),
            dict(self.feeds_then),
            dict(self.items),
            dict(self.tokens),
            dict(self.retries),
            dict(self.origins),
        )


class Store:
    """The log, and the disks of all machines there are."""

    def __init__(self, seed: int = 0) -> None:
        self.identity = Identity(random_id(8), random_id(32))
        self.log: list[tuple[int, Record]] = []
        self.disks: list[Disk] = []
        self.grown = asyncio.Event()
        self._draw = random.Random(seed)

    def order(self, record: Record) -> int:
        """Put a record into the log; return its number."""
        last = self.log[-1][0] if self.log else 0
        sequence = last + self._draw.choice(GAPS)
        self.log.append((sequence, record))
        grown, self.grown = self.grown, asyncio.Event()
        grown.set()
        return sequence

    def disk(self) -> Disk:
        """Return the disk of a machine that does not run, or that of a new one."""
        for disk in self.disks:
            if disk.held_by is None or disk.held_by.is_dead:
                return disk
        new = self.disks[0].copy() if self.disks else Disk()
        self.disks.append(new)
        return new

    def without_erased(self) -> Store:
        """Return this store as a new machine meets it: no disk yet, and a log without the words of
        what was refused, and of what was erased, whose keys are destroyed."""
        entries = self.disks[0].entries
        other = Store(len(self.log))
        other.identity = self.identity
        for number, record in self.log:
            is_kept = number in entries and entries[number].erased_at is None
            other.log.append((number, record if is_kept else _wordless(record)))
        return other

    def some(self) -> int:
        """Draw how many go together."""
        return self._draw.randint(1, GROUP_MAX)

    async def lag(self) -> None:
        """Let some time pass."""
        await turns(self._draw.choice(LAGS))


class MemoryJournal:
    """A Journal over a Store, and over the disk of the machine that it runs on."""

    misplaced: str | None = None  # it has no files

    def __init__(self, store: Store, disk: Disk) -> None:
        self.disk = disk
        disk.held_by = self
        self._store = store
        # Only changes made here; older ones and others' are read back, with the state of now.
        self._watched: dict[int, Change] = {}
        self._answers: dict[int, asyncio.Future[Change]] = {}
        while disk.done < len(store.log):
            self._decide()
        self._visible = disk.head
        self._decided = asyncio.Event()
        self._shown = asyncio.Event()
        self.works = [asyncio.create_task(work) for work in (self._keep_level(), self._show())]

    @property
    def identity(self) -> Identity:
        return self._store.identity

    @property
    def is_dead(self) -> bool:
        return all(work.done() for work in self.works)

    async def append(self, record: Record) -> Change:
        await self._store.lag()
        sequence = self._store.order(record)
        answer = self._answers[sequence] = asyncio.get_running_loop().create_future()
        try:
            return await answer
        finally:
            await self._store.lag()

    async def follow(self, after: int) -> AsyncIterator[tuple[Change, ...]]:
        while True:
            shown = self._shown
            group = [n for n in self.disk.entries if after < n <= self._visible]
            if group:
                del group[self._store.some() :]
                after = group[-1]
                yield tuple(self._told(n) for n in group)
            else:
                await shown.wait()

    async def head(self) -> int:
        return self.disk.head

    async def level(self) -> bool:
        target = len(self._store.log)
        for _ in range(LEVEL_TURNS):
            if self.disk.done >= target:
                return True
            await turns(1)
        return False

    async def given(self, sequence: int) -> bool:
        return any(number == sequence for number, _ in self._store.log)

    async def purged(self, timeout: float, version: int | None = None) -> bool:
        return True

    async def _keep_level(self) -> None:
        store = self._store
        while True:
            grown = store.grown
            if self.disk.done == len(store.log):
                await grown.wait()
            await store.lag()
            for _ in range(min(store.some(), len(store.log) - self.disk.done)):
                self._decide()
            decided, self._decided = self._decided, asyncio.Event()
            decided.set()

    def _decide(self) -> None:
        sequence, record = self._store.log[self.disk.done]
        self.disk.done += 1
        decision: Change | Refused | Duplicate
        try:
            decision = apply(self.disk, record, sequence)
        except (Refused, Duplicate) as refusal:
            decision = refusal
        answer = self._answers.pop(sequence, None)
        if answer is None:
            return
        if isinstance(decision, Change):
            self._watched[sequence] = decision
        if not answer.done():  # else the caller is gone; what was decided stands
            if isinstance(decision, Change):
                answer.set_result(decision)
            else:
                answer.set_exception(decision)

    async def _show(self) -> None:
        while True:
            decided = self._decided
            if self._visible == self.disk.head:
                await decided.wait()
            await self._store.lag()
            self._visible = self.disk.head
            shown, self._shown = self._shown, asyncio.Event()
            shown.set()

    def _told(self, sequence: int) -> Change:
        seen = self._watched.get(sequence)
        if seen is None or (seen.item is not None and self.disk.items[seen.item.id].killed_at):
            return self._as_of_now(sequence)  # what was withdrawn since is not told again
        return seen

    def _as_of_now(self, sequence: int) -> Change:
        disk, entry, record = self.disk, self.disk.entries[sequence], self.disk.records[sequence]
        token = record.settings.name if isinstance(record.settings, TokenSettings) else None
        return Change(
            sequence,
            record.check,
            entry.effective_at,
            record.act,
            feed=disk.feeds[record.feed] if record.feed is not None else None,
            item=disk.items[record.item] if record.item is not None else None,
            token=disk.tokens[token] if token is not None else None,
            at=record.at,
        )


class MemoryMirror:
    """A Mirror over a machine's disk."""

    def __init__(self, store: Store, disk: Disk) -> None:
        self._store = store
        self._disk = disk

    async def feeds(self) -> tuple[Feed, ...]:
        return tuple(sorted(self._disk.feeds.values(), key=lambda feed: feed.slug))

    async def empty_feeds(self) -> frozenset[str]:
        return frozenset(self._disk.feeds) - {item.feed for item in self._disk.items.values()}

    async def feed(self, slug: str) -> Feed | None:
        return self._disk.feeds.get(slug)

    async def tokens(self) -> tuple[Token, ...]:
        return tuple(sorted(self._disk.tokens.values(), key=lambda token: token.name))

    async def item(self, slug: str, item: int) -> Item | None:
        found = self._disk.items.get(item)
        return found if found is not None and found.feed == slug else None

    async def history(self, slug: str, item: int, bytes_max: int) -> History | None:
        current = await self.item(slug, item)
        if current is None or current.status is Status.KILLED:
            return History(current, ()) if current is not None else None
        lines = [one for one in await self.revisions(slug, item) if one.act in SHOWN]
        sizes = accumulate(map(shown_bytes, reversed(lines)))
        count = sum(size <= bytes_max for size in sizes)
        return History(current, tuple(lines[len(lines) - count :]), is_whole=count == len(lines))

    async def feed_revisions(self, slug: str) -> tuple[Revision, ...]:
        return tuple(self._entries(lambda r: r.feed == slug and r.item is None))

    async def revisions(self, slug: str, item: int) -> tuple[Revision, ...]:
        return tuple(self._entries(lambda r: r.feed == slug and r.item == item))

    def _entries(self, fits: Callable[[Record], bool]) -> list[Revision]:
        records = self._disk.records
        return [entry for n, entry in self._disk.entries.items() if fits(records[n])]

    async def page(
        self,
        slug: str,
        limit: int,
        before: tuple[int, int] | None = None,
        tag: str | None = None,
        words: str | None = None,
        *,
        held: bool = False,
    ) -> Page | None:
        feed = self._disk.feeds.get(slug)
        if feed is None:
            return None
        found = [
            item
            for item in self._newest_first(slug)
            if (before is None or item.order < before)
            and (tag is None or (item.status is not Status.KILLED and _bears(item, tag)))
            and (words is None or (item.status is not Status.KILLED and _has(item, words)))
            and (item.status is Status.HELD or not held)
        ]
        items = tuple(found[:limit])
        return Page(feed, items, items[-1].order if len(found) > limit else None)

    async def page_after(self, slug: str, limit: int, after: tuple[int, int]) -> Page | None:
        feed = self._disk.feeds.get(slug)
        if feed is None:
            return None
        orders = [item.order for item in self._newest_first(slug)]
        above = sum(order > after for order in orders)
        return self._stretch(feed, max(0, above - limit), above)

    async def page_around(self, slug: str, limit: int, item: int) -> Page | None:
        feed, ids = self._disk.feeds.get(slug), [each.id for each in self._newest_first(slug)]
        if feed is None or item not in ids:
            return None
        start = max(0, ids.index(item) - (limit - 1) // 2)
        return self._stretch(feed, start, start + limit)

    def _stretch(self, feed: Feed, start: int, end: int) -> Page:
        items = self._newest_first(feed.slug)
        shown = tuple(items[start:end])
        following = items[end - 1].order if start < end < len(items) else None
        return Page(feed, shown, following, previous=items[start].order if start else None)

    async def neighbours(self, slug: str, item: int) -> tuple[int | None, int | None]:
        ids = [
            each.id
            for each in self._newest_first(slug)
            if each.id == item or each.status is not Status.KILLED
        ]
        if item not in ids:
            return None, None
        place = ids.index(item)
        return (ids[place - 1] if place else None), (ids[place + 1 :] or [None])[0]

    async def newest_live(self, after: Millis, limit: int) -> tuple[Item, ...]:
        live = [
            _with_headline(item, "")
            for item in self._disk.items.values()
            if item.status is Status.LIVE and item.published_at > after
        ]
        return tuple(sorted(live, key=lambda item: item.order, reverse=True)[:limit])

    async def headlines(self, ids: Sequence[int]) -> tuple[Item, ...]:
        found = (self._disk.items[one] for one in ids if one in self._disk.items)
        return tuple(_with_headline(item, item.headline) for item in found)

    async def initial_state(self, slug: str, recent: int, checks: int) -> InitialState | None:
        feed = self._disk.feeds.get(slug)
        if feed is None:
            return None
        items = self._newest_first(slug)
        by_version = sorted(items, key=lambda item: item.version, reverse=True)
        newest, changed = items[: SNAPSHOT_ITEMS + 1], by_version[:recent]
        known = self._entries(lambda r: r.feed == slug)[::-1]
        await self._store.lag()  # what was read is not news any more
        return InitialState(
            feed,
            newest=tuple(newest),
            pinned=tuple(item for item in items if item.pinned),
            recent=tuple(changed),
            checks={e.version: e.check for e in known[:checks]},
            oldest=newest[-1].order if len(newest) > SNAPSHOT_ITEMS else None,
            complete_after=changed[-1].version - 1 if len(changed) >= recent else 0,
            changed_at=max((_changed_at(item) for item in items), default=0),
        )

    async def check(self, slug: str, sequence: int) -> str | None:
        record = self._disk.records.get(sequence)
        return record.check if record is not None and record.feed == slug else None

    async def retry(self, mac: bytes) -> Retry | None:
        sequence = self._disk.retries.get(mac)
        if sequence is None:
            return None
        record, entry = self._disk.records[sequence], self._disk.entries[sequence]
        digest = record.retry_key.digest if record.retry_key and not entry.erased_at else None
        if record.item is None:
            words = self._disk.entries[entry.words_at or 0]
            then = self._disk.feeds_then[sequence]
            current = self._disk.feeds[record.feed or ""]
            return Retry(entry, digest, feed=then if words.settings is not None else current)
        killed = next(
            iter(self._entries(lambda r: r.item == record.item and r.act is Verb.KILL)), None
        )
        item = self._disk.items[record.item]
        return Retry(entry, digest, item, killed.version if killed else None)

    async def purges(self) -> tuple[Purge, ...]:
        return ()

    def _newest_first(self, slug: str) -> list[Item]:
        items = [item for item in self._disk.items.values() if item.feed == slug]
        return sorted(items, key=lambda item: item.order, reverse=True)


@asynccontextmanager
async def open_memory(store: Store) -> AsyncIterator[tuple[MemoryJournal, MemoryMirror]]:
    """Run a machine on its disk, level with the log as it is now; closing it writes nothing."""
    journal = MemoryJournal(store, store.disk())
    try:
        yield journal, MemoryMirror(store, journal.disk)
    finally:
        for work in journal.works:
            work.cancel()
        await asyncio.gather(*journal.works, return_exceptions=True)


async def turns(count: int) -> None:
    """Let everybody else run, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


def apply(disk: Disk, record: Record, sequence: int) -> Change:
    """Decide on a record at its place, and keep on the disk what follows."""
    token = record.settings.name if isinstance(record.settings, TokenSettings) else record.editor
    redacted = disk.records.get(record.redaction.version) if record.redaction else None
    if redacted is not None and (redacted.feed, redacted.item) != (record.feed, record.item):
        redacted = None
    known = Known(
        feed=disk.feeds.get(record.feed or ""),
        item=disk.items.get(record.item or 0),
        token=disk.tokens.get(token or ""),
        used_at=disk.retries.get(record.retry_key.mac) if record.retry_key else None,
        origin_item=disk.origins.get(record.origin_mac) if record.origin_mac else None,
        redacted=redacted.act if redacted is not None else None,
    )
    change = decide(record, sequence, known)
    if (feed := change.moved_feed) is not None:
        disk.feeds[change.feed.slug] = disk.feeds_then[sequence] = feed
    if change.token is not None:
        disk.tokens[change.token.name] = change.token
    if record.retry_key is not None:
        disk.retries[record.retry_key.mac] = sequence
    if change.item is not None:
        record = replace(record, item=change.item.id)
        disk.items[change.item.id] = change.item
        if record.origin_mac is not None:
            disk.origins[record.origin_mac] = change.item.id
    disk.records[sequence] = record
    disk.entries[sequence] = _revision(record, change)
    _erase(disk, record, sequence)
    return change


def _revision(record: Record, change: Change) -> Revision:
    item, settings = change.item, record.settings
    return Revision(
        change.sequence,
        record.check,
        record.act,
        record.at,
        change.effective_at,
        record.editor,
        record.claimed_at,
        record.note,
        item,
        settings if isinstance(settings, FeedSettings) else None,
        item.words_at if item else change.feed.words_at if change.feed else None,
    )


def _erase(disk: Disk, record: Record, sequence: int) -> None:
    """Forget what a machine whose keys are destroyed cannot read any more."""
    if record.act is Verb.KILL:
        gone = {n for n, r in disk.records.items() if r.item == record.item and n < sequence}
    elif record.redaction is not None:
        gone = set(record.redaction.erases)
    else:
        return
    for number, entry in disk.entries.items():
        if number in gone and entry.erased_at is None:
            entry = replace(entry, note=None, settings=None, erased_at=record.at)
        if entry.words_at in gone:
            entry = replace(entry, item=None)
        disk.entries[number] = entry


def _with_headline(item: Item, headline: str) -> Item:
    """Return an item with no words but these."""
    words = Content(headline, breaking=item.breaking, language=item.language)
    return shows(replace(item, note=None), replace(words, occurred_at=item.occurred_at))


def _wordless(record: Record) -> Record:
    """Return what stands in clear of a record."""
    content, key = record.content, record.retry_key
    if content is not None:
        clear = {name: getattr(content, name) for name in ("breaking", "language", "occurred_at")}
        content = Content(**clear)
    if key is not None:
        key = replace(key, digest="")
    return replace(record, content=content, note=None, origin=None, retry_key=key)


def _changed_at(item: Item) -> Millis:
    return max(item.published_at, item.updated_at or 0, item.killed_at or 0)


def _has(item: Item, words: str) -> bool:
    text = re.findall(r"\w+", fold(" ".join([item.headline, markup.plain(item.body), *item.tags])))
    *whole, last = re.findall(r"\w+", fold(words)) or [""]
    return all(word in text for word in whole) and any(
        word == last or (len(last) > 3 and word.startswith(last)) for word in text
    )


def _bears(item: Item, tag: str) -> bool:
    return fold_tag(tag) in map(fold_tag, item.tags)
