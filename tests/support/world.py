"""A newsroom, its processes and its readers in one event loop, each step taken only when told.

The connections are make-believe. Everything between the journal and them is real.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from feedserver import wire
from feedserver.api.access import Tokens, new_secret
from feedserver.errors import Behind, KeyReused, Killed, Refused, Unauthorized
from feedserver.live import goodbyes, hub, listeners, messages, rounds, window
from feedserver.live.hub import Hub
from feedserver.live.messages import next_text
from feedserver.model import Feed, Item, Millis, Revision, Status, Token, Verb
from feedserver.newsroom import Newsroom
from feedserver.redaction import redaction_of
from feedserver.sqlite import mirror as sqlite_mirror
from feedserver.submission import Outcome, Submission
from support import memory
from support.client import Client, Json, due
from support.memory import turns
from support.records import NOON, Open, Opened, level
from support.sockets import SocketLine, StreamLine
from support.station import Station
from support.watcher import Watcher
from support.witness import Witness, json_of

HEARTBEAT = 3  # buckets of sockets
FEEDS = ("world", "sport")
EDITORS = ("anna", "ben")


def shrink_limits(patch: pytest.MonkeyPatch) -> None:
    """Make every limit so small that a few items cross it."""
    for module in (window, sqlite_mirror, memory):
        patch.setattr(module, "SNAPSHOT_ITEMS", 4)
    patch.setattr(window, "CATCH_UP_MAX", 6)
    patch.setattr(window, "LIVE_MAX", 10)
    for module in (window, hub):
        patch.setattr(module, "RECENT", 7)
        patch.setattr(module, "CHECKS", 5)
    patch.setattr(messages, "MESSAGE_MAX", messages._ENVELOPE + 8_000)
    patch.setattr(rounds, "SLICE", 2)
    patch.setattr(rounds, "SLICE_BYTES", 2_000)
    patch.setattr(listeners, "LISTENERS_TOGETHER", 1)
    patch.setattr(hub, "BEHIND_TIMEOUT", 0.2)


class World:
    """All of it.

    Each station has a process, and so an open journal, of its own; editors work at any of them.
    `happened` counts what really did, by name.
    """

    def __init__(self, opening: Open, stations: int = 1) -> None:
        self.stations: list[Station] = []
        self.watchers: list[Watcher] = []
        self.witness = Witness()
        self.items: dict[int, Item] = {}
        self.closed: set[str] = set()
        self.editors: dict[str, Token] = {}
        self.secrets: dict[str, list[str]] = {}  # of each editor, the good one last
        self.used: dict[tuple[str, str, str], tuple[Submission, Item]] = {}
        self.unanswered: list[Submission] = []
        self.erased: dict[int, set[int]] = {}  # of each item, the versions that redacts named
        self.gone: set[str] = set()  # key points that were redacted
        self.happened: Counter[str] = Counter()
        self.now: Millis = NOON
        self._tries: Counter[tuple[str, str, str]] = Counter()
        self._made: set[tuple[str, str, str]] = set()
        self._opening = opening
        self._count = stations
        self._turn = 0
        self._dead: list[AsyncExitStack] = []

    @property
    def opened(self) -> Opened:
        return self.stations[0].opened

    @property
    def newsrooms(self) -> list[Newsroom]:
        return [station.newsroom for station in self.stations]

    # Processes.

    async def open(self) -> None:
        """Start the stations, and make the feeds and editors if the journal is new."""
        self.stations = [await self._start() for _ in range(self._count)]
        if not self.editors:
            for slug in FEEDS:
                await self.configure(slug, title=slug)
            for name in EDITORS:
                await self.let_in(name)
            await self._level()

    async def close(self) -> None:
        for watcher in self.watchers:
            await self.hang_up(watcher)
        for station in self.stations:
            await station.end()
            await station.stack.aclose()
        for stack in self._dead:
            await stack.aclose()

    async def reopen(self) -> None:
        """Kill all processes, and only then start others over what they left."""
        for station in self.stations:
            await self._kill(station)
        await self.open()

    async def restart(self, number: int, *, politely: bool) -> None:
        """Replace one process: by its own end, or as kill -9 does."""
        station = self.stations[number]
        if politely:
            await self._end(station)
        else:
            await self._kill(station)
        self.stations[number] = await self._start()

    async def _end(self, station: Station) -> None:
        await asyncio.gather(*station.editors)
        await station.hub.close()
        while station.is_busy:  # streams hear of it a few at a time
            await asyncio.sleep(0)
        for watcher in self._watchers_of(station):
            if watcher.line is not None:
                await self.read(watcher, 1_000_000)  # what was under way arrives
            await self.hang_up(watcher)
        await station.end()
        await station.stack.aclose()

    async def _kill(self, station: Station) -> None:
        editors = list(station.editors)
        self.happened["unanswered"] += len(editors)
        self.unanswered += station.editors.values()
        for task in (*editors, *station.opened.works):
            task.cancel()
        await asyncio.gather(*editors, return_exceptions=True)
        await station.opened.die()
        await station.end()
        for watcher in self._watchers_of(station):
            await self.hang_up(watcher)
        self._dead.append(station.stack)  # nothing is closed, until the world ends

    def _watchers_of(self, station: Station) -> list[Watcher]:
        return [watcher for watcher in self.watchers if watcher.station is station]

    async def _start(self) -> Station:
        stack = AsyncExitStack()
        opened = await stack.enter_async_context(self._opening())
        journal = opened.journal
        head = await journal.head()
        new = Hub(
            journal,
            opened.mirror,
            page_url=lambda slug: f"https://news.example/feeds/{slug}",
            heartbeat=HEARTBEAT,
            clock=lambda: self.now,
        )
        tokens = Tokens(await opened.mirror.tokens())
        newsroom = Newsroom(journal, opened.mirror, lambda: self.now)
        return Station(opened, stack, new, newsroom, tokens, journal.follow(head), head)

    async def _level(self) -> None:
        await level(*(station.opened for station in self.stations))

    # Editors.

    async def submit(
        self, slug: str, verb: Verb, item: Item | None = None, key: str | None = None, **raw: Any
    ) -> Item | None:
        """Do what an editor does; None if it was refused."""
        return await self.send(self.submission(slug, verb, item, key, **raw))

    def submission(
        self,
        slug: str,
        verb: Verb,
        item: Item | None = None,
        key: str | None = None,
        *,
        by: str = "anna",
        blindly: bool = False,
        **raw: Any,
    ) -> Submission:
        """Write what an editor sends, for this version of an item or, blindly, for any."""
        named = ((item.version, item.check),) if item is not None and not blindly else ()
        condition = named if item is not None else None
        return Submission(
            slug, verb, raw, self.editors[by], item.id if item else None, condition, key
        )

    async def send(self, submission: Submission, station: Station | None = None) -> Item | None:
        """Send it to a process, and hold the answer against what was answered before."""
        at = station or self.any_station()
        is_good = submission.editor == self.editors.get(submission.editor.name)
        task = asyncio.current_task()
        assert task is not None
        at.editors[task] = submission
        try:
            await self._has_seen(at, submission)
            self._tries[use_of(submission)] += 1
            outcome = await at.newsroom.submit(submission)
        except Refused as refusal:
            self._refused(submission, refusal)
            return None
        finally:
            del at.editors[task]
        assert is_good, "done for somebody who was shut out"
        return self._accepted(submission, outcome)

    async def race(self, *submissions: Submission) -> list[Item | None]:
        """Send several things at the same time, each to the next process."""
        return await asyncio.gather(*(self.send(one) for one in submissions))

    async def retry_unanswered(self) -> None:
        """Send again what got no answer, with the same key, as every editor does."""
        while self.unanswered:
            submission = self.unanswered.pop()
            await self.send(submission)

    async def configure(self, slug: str, **settings: Any) -> Feed:
        outcome = await self.any_station().newsroom.configure(slug, settings, None)
        feed = outcome.feed
        self.witness.saw_feed(self.opened.journal.identity.epoch, feed)
        if feed.closed_at is None:
            self.closed.discard(slug)
        else:
            self.closed.add(slug)
        return feed

    async def redactable(self, item: Item) -> list[Revision]:
        """Return the revisions of an item, as it is now, that a redact can name."""
        await self._level()
        revisions = await self.opened.mirror.revisions(item.feed, item.id)
        found = []
        for one in revisions:
            with contextlib.suppress(Refused):
                redaction_of(one.version, "n", item, revisions)
                found.append(one)
        return found

    async def redact_summary(self, slug: str, which: int) -> bool:
        """Redact some earlier key points of a feed; False: there are none."""
        await self._level()
        feed = await self.opened.mirror.feed(slug)
        assert feed is not None
        revisions = [
            one
            for one in await self.opened.mirror.feed_revisions(slug)
            if one.settings and one.settings.summary not in {None, feed.summary}
        ]
        if not revisions:
            return False
        target = revisions[which % len(revisions)]
        raw = {"verb": "redact", "version": target.version, "note": "a name"}
        newsroom = self.any_station().newsroom
        outcome = await newsroom.redact_feed(slug, raw, self.editors["anna"], ())
        assert target.version in outcome.redacted
        assert outcome.feed.settings == feed.settings
        assert outcome.feed.version > feed.version
        self.witness.saw_feed(self.opened.journal.identity.epoch, outcome.feed)
        assert target.settings is not None
        self.gone.add(target.settings.summary or "")
        return True

    async def let_in(self, name: str) -> None:
        """Make a token for an editor."""
        secret, digest = new_secret()
        newsroom = self.any_station().newsroom
        self.editors[name] = await newsroom.add_token(name, digest, (), importer=True)
        self.secrets.setdefault(name, []).append(secret)

    async def shut_out(self, name: str) -> None:
        """Revoke an editor's token."""
        await self.any_station().newsroom.revoke_token(name)
        del self.editors[name]

    def any_station(self) -> Station:
        """Return one station after the other."""
        self._turn += 1
        return self.stations[self._turn % len(self.stations)]

    def is_unsure(self, item: Item) -> bool:
        """Say whether somebody may have changed it who has not been told so."""
        return any(submission.item == item.id for submission in self.unanswered)

    async def _has_seen(self, station: Station, submission: Submission) -> None:
        """Wait until the machine has what the editor saw there."""
        if submission.item is None:
            return
        assert not isinstance(submission.condition, Refused)
        version = submission.condition[0][0] if submission.condition else submission.item
        while True:
            item = await station.opened.mirror.item(submission.feed, submission.item)
            if item is not None and item.version >= version:
                return
            await turns(1)

    def _accepted(self, submission: Submission, outcome: Outcome) -> Item:
        item, use = outcome.item, use_of(submission)
        self.witness.saw(self.opened.journal.identity.epoch, item)
        if outcome.replayed:
            self.happened["replay"] += 1
            assert self._tries[use] > 1, "a replay of what was never sent"
            if use in self.used:
                before = self.used[use][1]
                is_gone = self._may_be_erased(before) and item.version > before.version
                assert item == before or is_gone, "another answer"
        else:
            self.happened[str(submission.verb)] += 1
            assert use not in self._made, "one key made two revisions"
            if submission.key is not None:
                self._made.add(use)
            self.erased.setdefault(item.id, set()).update(outcome.redacted)
        if submission.key is not None:
            self.used.setdefault(use, (submission, item))
        if item.id not in self.items or item.version >= self.items[item.id].version:
            self.items[item.id] = item
        return item

    def _may_be_erased(self, item: Item) -> bool:
        """Say whether the words of this state of an item were redacted since."""
        return item.words_at in self.erased.get(item.id, ())

    def _refused(self, submission: Submission, refusal: Refused) -> None:
        self.happened[refusal.slug] += 1
        known = self.used.get(use_of(submission))
        if known is None or isinstance(refusal, Unauthorized):
            return
        # Its key was used: it is answered as it was, whatever it says and whatever came since.
        first, item = known
        if isinstance(refusal, Killed):
            assert self.items[item.id].version > item.version, "withdrawn, but not since"
        else:
            assert isinstance(refusal, KeyReused), f"a key was forgotten: {refusal.detail}"
            assert (submission.raw, submission.item) != (first.raw, first.item)

    # Readers.

    def watcher(self, slug: str) -> Watcher:
        watcher = Watcher(slug, Client())
        self.watchers.append(watcher)
        return watcher

    def connect(
        self,
        watcher: Watcher,
        station: int = 0,
        *,
        since: str | None = None,
        lost: bool = False,
        room: int = 4_000,
        by_stream: bool = False,
    ) -> None:
        """Begin to connect, from the client's own cursor or from another."""
        cursor = watcher.ask(since, lost=lost)
        watcher.station = self.stations[station]
        watcher.client.ended = False
        watcher.client.retry_ms = None
        watcher.connecting = asyncio.create_task(
            self._connect(watcher, watcher.station, cursor, room, by_stream)
        )

    async def connected(self, watcher: Watcher, **how: Any) -> None:
        """Connect, and wait until that is done."""
        self.connect(watcher, **how)
        assert watcher.connecting is not None
        await watcher.connecting

    async def poll(self, watcher: Watcher, station: int = 0) -> None:
        """Ask for what changed, as a client does that has no line."""
        cursor = watcher.ask(None)
        found = await self.stations[station].hub.channel(watcher.slug)
        assert found is not None
        try:
            place = await self.stations[station].hub.position_of(found, cursor)
        except Behind:
            return  # 503: it asks again later
        assert watcher.take(found.chain(place)[0].json(self.now))

    async def turn_page(self, watcher: Watcher, most: int) -> bool:
        """Fetch what is older than what a client shows, who is level; False: there is nothing."""
        client = watcher.client
        if client.next is None:
            return False
        at, item_id = client.next.split(".")
        page = await self.opened.mirror.page(watcher.slug, most, (int(at), int(item_id)))
        assert page is not None
        items = [json_of(item) for item in page.items]
        client.take_page(items, next_text(page.next) if page.next else None)
        return True

    async def hang_up(self, watcher: Watcher) -> None:
        if watcher.connecting is not None:
            watcher.connecting.cancel()
            await asyncio.gather(watcher.connecting, return_exceptions=True)
        if watcher.line is not None:
            await watcher.line.close()
        watcher.line = watcher.connecting = watcher.station = None

    async def read(self, watcher: Watcher, most: int) -> bool:
        """Let a client read so many bytes; say whether there were any messages."""
        line = watcher.line
        if line is None:
            return False
        texts = await line.read(most)
        for text in texts:
            if not watcher.take(text):
                await self.hang_up(watcher)
                return True
        if line.is_over:
            if line.code == goodbyes.CLOSE_ENDED:
                assert watcher.client.ended
            if line.code == goodbyes.CLOSE_RESTART:
                assert watcher.client.retry_ms
            await self.hang_up(watcher)
        return bool(texts)

    async def _connect(
        self, watcher: Watcher, station: Station, cursor: str | None, room: int, by_stream: bool
    ) -> None:
        found = await station.hub.channel(watcher.slug)
        assert found is not None
        try:
            place, is_behind = await station.hub.position_of(found, cursor), False
        except Behind:
            place, is_behind = None, True
        if not by_stream:
            watcher.line = SocketLine(found, place, room, is_behind=is_behind)
        elif not is_behind:  # else 503: it comes again later
            watcher.line = StreamLine(found, place)
        else:
            watcher.station = None

    # What is so.

    async def settle(self) -> None:
        """Let everything that is under way come to its end."""
        quiet = rounds = 0
        while quiet < 3:
            moved = False
            rounds += 1
            assert rounds < 10_000, "it never comes to rest"
            await self._level()
            for station in self.stations:
                while await station.announce():
                    moved = True
            await turns(5)
            for watcher in self.watchers:
                if watcher.connecting is not None and not watcher.connecting.done():
                    await asyncio.wait({watcher.connecting})
                    moved = True
                moved |= await self.read(watcher, 1_500)
                moved |= bool(watcher.line and watcher.line.waiting)
            moved |= any(station.is_busy for station in self.stations)
            quiet = 0 if moved else quiet + 1

    async def converge(self) -> None:
        """Bring everybody back who is away, and hold all there is against the database."""
        await self.retry_unanswered()
        await self.settle()
        for _ in range(2):  # a client that had asked from a foreign cursor asks again
            for watcher in self.watchers:
                if watcher.line is None:
                    self.connect(watcher, random.randrange(len(self.stations)))
            await self.settle()
        for watcher in self.watchers:
            await self.check(watcher)
        for slug in FEEDS:
            await self._check_log(slug)
        for station in self.stations:
            self._check_tokens(station)

    async def check(self, watcher: Watcher) -> None:
        """Hold what a client was sent and what it shows against the database."""
        for message in watcher.unchecked:
            self.witness.check(watcher.slug, message)
            self.happened[f"sent {message['type']}"] += 1
        watcher.unchecked.clear()
        feed, items = await self.truth(watcher.slug)
        client = watcher.client
        assert client.cursor == f"{self.opened.journal.identity.epoch}.{feed.head}.{feed.check}"
        assert client.shown == due(items, client.floor)
        told = client.feed | {"cursor": client.cursor}  # it came with that of its own message
        assert told == wire.feed_json(feed, told["url"], client.cursor)
        assert client.ended == (feed.closed_at is not None)

    async def truth(self, slug: str) -> tuple[Feed, list[Json]]:
        page = await self.opened.mirror.page(slug, 10_000)
        assert page is not None
        return page.feed, [json_of(item) for item in page.items]

    async def _check_log(self, slug: str) -> None:
        """Each revision was answered for and says what it said, and of what is withdrawn nothing
        is left."""
        _, items = await self.truth(slug)
        for item in items:
            log = await self.opened.mirror.revisions(slug, item["id"])
            assert [entry.version for entry in log] == self.witness.versions(item)
            gone = set(self.erased.get(item["id"], ()))
            if item["status"] == Status.KILLED:
                [kill] = [entry.version for entry in log if entry.act is Verb.KILL]
                gone.update(entry.version for entry in log if entry.version < kill)
            for entry in log:
                if entry.version in gone:
                    assert entry.note is None
                if entry.words_at in gone:
                    assert entry.item is None
                else:
                    assert entry.item is not None
                    told = self.witness.states[item["id"], entry.version]
                    assert json_of(entry.item) == told, "another state than was told"
        own = await self.opened.mirror.feed_revisions(slug)
        assert not any(one.settings and one.settings.summary in self.gone for one in own)

    def _check_tokens(self, station: Station) -> None:
        """Who was shut out finds every door closed, and who was let in finds it open."""
        for name, secrets in self.secrets.items():
            *old, last = secrets
            assert station.tokens.find(last) == self.editors.get(name)
            assert not any(station.tokens.find(secret) for secret in old)


def use_of(submission: Submission) -> tuple[str, str, str]:
    return submission.feed, submission.editor.name, submission.key or ""


@contextlib.asynccontextmanager
async def world(opening: Open, stations: int = 1) -> AsyncIterator[World]:
    """Open a world and close it in the end."""
    made = World(opening, stations)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
