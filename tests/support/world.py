"""A newsroom, its hubs and its readers in one event loop, each step taken only when told.

The sockets are make-believe: a kernel that takes so many bytes, and a transport that keeps the
rest. Everything between the journal and them is real.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from feedserver import channel, hub, messages, view, wire
from feedserver.channel import Channel
from feedserver.errors import Refused
from feedserver.hub import Hub
from feedserver.messages import Message
from feedserver.model import Feed, Item, Millis, Verb
from feedserver.newsroom import Newsroom, Outcome, Submission
from feedserver.reader import Place, Reader
from feedserver.rules import Change
from feedserver.sqlite import mirror as sqlite_mirror
from feedserver.sqlite.journal import SQLiteJournal
from support import memory
from support.client import Client, Json, due, parse
from support.memory import turns
from support.records import NOON, Open, Opened

HEARTBEAT = 3  # buckets of sockets
FEEDS = ("world", "sport")


def shrink_limits(patch: pytest.MonkeyPatch) -> None:
    """Make every limit so small that a few items cross it."""
    for module in (view, sqlite_mirror, memory):
        patch.setattr(module, "SNAPSHOT_ITEMS", 4)
    patch.setattr(view, "CATCH_UP_MAX", 6)
    patch.setattr(view, "LIVE_MAX", 10)
    for module in (view, hub):
        patch.setattr(module, "RECENT", 7)
        patch.setattr(module, "CHECKS", 5)
    patch.setattr(messages, "MESSAGE_MAX", messages._ENVELOPE + 8_000)
    patch.setattr(channel, "SLICE", 2)
    patch.setattr(channel, "SLICE_BYTES", 2_000)
    patch.setattr(channel, "LISTENERS_TOGETHER", 1)
    patch.setattr(hub, "BEHIND_PATIENCE", 0.2)


def _plain(message: Message, now: Millis) -> bytes:
    return message.json(now) + b"\n"


def _indented(message: Message, now: Millis) -> bytes:
    return b" " + message.json(now) + b"\n"


class Socket(Reader):
    """A reader's socket: `room` bytes in the kernel, the rest waits in the transport."""

    __slots__ = ("_channel", "code", "dead", "kernel", "room", "unsent")

    encodings: ClassVar = [_plain, _indented]

    def __init__(self, channel: Channel, room: int) -> None:
        self.block = None
        self.encode = self.encodings[room % 2]
        self.send = self._send
        self.room = room
        self.kernel = b""
        self.unsent = b""
        self.code: int | None = None
        self.dead = False
        self._channel = channel

    def _send(self, data: bytes) -> int:
        assert not self.unsent, "sent past what the transport keeps"
        assert self.code is None, "sent after the close"
        if self.dead:
            raise BrokenPipeError
        taken = min(self.room - len(self.kernel), len(data))
        if taken <= 0:
            raise BlockingIOError
        self.kernel += data[:taken]
        return taken

    def fileno(self) -> int:
        return -1

    def keep(self, data: bytes) -> None:
        if not self.dead:
            self.unsent += data
            self._channel.fall_behind(self)

    def pending(self) -> int:
        return len(self.unsent)

    def finish(self, code: int) -> None:
        if self.code is None:
            self.code = code

    def abort(self) -> None:
        self.dead = True
        self.unsent = b""

    def drain(self, most: int) -> bytes:
        """Let the client read so many bytes."""
        data, self.kernel = self.kernel[:most], self.kernel[most:]
        moved = self.room - len(self.kernel)
        self.kernel, self.unsent = self.kernel + self.unsent[:moved], self.unsent[moved:]
        if not self.unsent and self.code is None and not self.dead:
            self._channel.catch_up(self)
        return data

    def close(self) -> None:
        """Go away, as a client does."""
        self.dead = True
        self._channel.leave(self)


class SocketLine:
    """A connection by WebSocket."""

    def __init__(self, channel: Channel, place: Place | None, room: int) -> None:
        self._socket = Socket(channel, room)
        self._text = b""
        channel.join(self._socket, place)

    @property
    def is_over(self) -> bool:
        one = self._socket
        return not one.kernel and (one.dead or (one.code is not None and not one.unsent))

    @property
    def code(self) -> int | None:
        return self._socket.code

    @property
    def waiting(self) -> int:
        """The bytes that are on their way."""
        return len(self._socket.kernel) + len(self._socket.unsent)

    async def read(self, most: int) -> list[bytes]:
        self._text += self._socket.drain(most)
        *whole, self._text = self._text.split(b"\n")
        return whole

    async def close(self) -> None:
        self._socket.close()


class StreamLine:
    """A connection by SSE: the server's task takes the next message when the last one is read."""

    def __init__(self, channel: Channel, place: Place | None) -> None:
        self._seat = ExitStack()
        listener = self._seat.enter_context(channel.listener())
        self._messages = channel.listen(listener, place)
        self._next = self._ask()
        self.is_over = False
        self.code: int | None = None
        self.waiting = 0

    async def read(self, most: int) -> list[bytes]:
        await turns(1)
        if self.is_over or not self._next.done():
            return []
        try:
            message = self._next.result()
        except StopAsyncIteration:
            self.is_over = True
            return []
        self._next = self._ask()
        return [message.json(NOON)]

    async def close(self) -> None:
        self.is_over = True
        self._next.cancel()
        await asyncio.gather(self._next, return_exceptions=True)
        await self._messages.aclose()
        self._seat.close()

    def _ask(self) -> asyncio.Task[Message]:
        async def one() -> Message:
            return await anext(self._messages)

        return asyncio.create_task(one())


@dataclass(eq=False)
class Station:
    """A server process: a hub, and how far it has followed the journal."""

    opened: Opened
    hub: Hub
    changes: AsyncIterator[tuple[Change, ...]]
    followed: int
    backlog: deque[Change] = field(default_factory=deque)
    ticks: int = 0

    async def announce(self, most: int | None = None) -> bool:
        """Tell the hub so many changes; False if there is nothing to tell."""
        if not self.backlog:
            if await self.opened.journal.head() <= self.followed:
                return False
            if isinstance(self.opened.journal, SQLiteJournal):
                self.opened.journal.nudge()  # rather than wait for its next look at the file
            self.backlog.extend(await anext(self.changes))
        count = min(most or len(self.backlog), len(self.backlog))
        part = tuple(self.backlog.popleft() for _ in range(count))
        self.followed = part[-1].sequence
        self.hub.apply(part)
        return True

    @property
    def is_busy(self) -> bool:
        tasks = [task for c in self.hub._channels.values() for task in (c._rounds, c._waking)]
        return any(task is not None and not task.done() for task in tasks)

    async def beat(self) -> None:
        for one in list(self.hub._channels.values()):
            one._last_round = float("-inf")  # however long ago that was
            await one.beat(self.ticks)
        self.ticks += 1

    async def end(self) -> None:
        for one in list(self.hub._channels.values()):
            if one._rounds is not None:
                one._rounds.cancel()
                await asyncio.gather(one._rounds, return_exceptions=True)


@dataclass(eq=False)
class Watcher:
    """A person with a page open: a client, and the line it has now or had last."""

    slug: str
    client: Client
    line: SocketLine | StreamLine | None = None
    station: Station | None = None
    connecting: asyncio.Task[None] | None = None
    honest: bool = True  # whether it asked from its own cursor
    lost: bool = False  # whether what it asked from can be no place in this feed

    def take(self, text: bytes) -> bool:
        """Apply a message; False: hang up and ask again."""
        message = parse(text, messages.MESSAGE_MAX)
        if self.lost:
            assert message["type"] == "snapshot"
            self.lost = False
        asks = self.client.take(message)
        if asks and message["type"] == "changes":
            assert not self.honest, "the server did not go on from the client's cursor"
        return not asks


class World:
    """All of it. `history` has every state that ever was.

    Each station has a process, and so an open journal, of its own; editors work at any of them.
    """

    def __init__(self, opening: Open, stations: int = 1) -> None:
        self.stations: list[Station] = []
        self.watchers: list[Watcher] = []
        self.history: dict[tuple[int, int], Json] = {}
        self.items: dict[int, Item] = {}
        self.cursors: dict[str, list[str]] = {slug: [] for slug in FEEDS}
        self.now: Millis = NOON
        self._opening = opening
        self._count = stations
        self._turn = 0
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        """Open the journal, with the feeds if it is new, and start the stations."""
        self._stack = AsyncExitStack()
        processes = [
            await self._stack.enter_async_context(self._opening()) for _ in range(self._count)
        ]
        self.opened = processes[0]
        self.newsrooms = [Newsroom(one.journal, one.mirror, lambda: self.now) for one in processes]
        if not await self.opened.mirror.feeds():
            for slug in FEEDS:
                await self.newsrooms[0].configure(slug, {"title": slug}, None)
            await self.newsrooms[0].add_token("anna", "digest", (), importer=True)
        [self.anna] = await self.opened.mirror.tokens()
        self.stations = [await self._station(one) for one in processes]

    async def close(self) -> None:
        for watcher in self.watchers:
            await self.hang_up(watcher)
        for station in self.stations:
            await station.end()
        await self._stack.aclose()

    async def reopen(self) -> None:
        """Restart everything, as kill -9 does."""
        for watcher in self.watchers:
            await self.hang_up(watcher)
        await self.close()
        await self.open()

    async def restart(self, number: int, *, politely: bool) -> None:
        """Replace one station."""
        station = self.stations[number]
        if politely:
            await station.hub.close()
        for watcher in self.watchers:
            if watcher.station is station:
                if politely and watcher.line is not None:
                    await self.read(watcher, 1_000_000)  # what was under way arrives
                await self.hang_up(watcher)
        await station.end()
        self.stations[number] = await self._station(station.opened)

    async def submit(
        self, slug: str, verb: Verb, item: Item | None = None, key: str | None = None, **raw: Any
    ) -> Item | None:
        """Do what an editor does; None if it was refused, which must not move anything."""
        condition = ((item.version, item.check),) if item is not None else None
        submission = Submission(
            slug, verb, raw, self.anna, item.id if item else None, condition, key
        )
        head = await self.opened.journal.head()
        try:
            outcome = await self._newsroom().submit(submission)
        except Refused:
            assert await self.opened.journal.head() == head
            return None
        return self._remember(outcome)

    async def race(self, slug: str, item: Item, headlines: list[str]) -> None:
        """Let several editors update one version at the same time."""
        submissions = [
            Submission(
                slug,
                Verb.UPDATE,
                {"headline": headline},
                self.anna,
                item.id,
                ((item.version, item.check),),
            )
            for headline in headlines
        ]
        answers = await asyncio.gather(
            *(self._newsroom().submit(one) for one in submissions), return_exceptions=True
        )
        won = [self._remember(answer) for answer in answers if isinstance(answer, Outcome)]
        assert len(won) <= 1
        assert all(isinstance(answer, Outcome | Refused) for answer in answers)

    async def configure(self, slug: str, **settings: Any) -> Feed:
        feed, _ = await self._newsroom().configure(slug, settings, None)
        return feed

    def watcher(self, slug: str) -> Watcher:
        watcher = Watcher(slug, Client(on_paint=self._check_painted))
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
        watcher.honest = since is None
        watcher.lost = lost or not (watcher.client.cursor or since)
        cursor = watcher.client.cursor if since is None else since
        watcher.station = self.stations[station]
        watcher.client.ended = False
        watcher.client.retry_ms = None
        watcher.connecting = asyncio.create_task(
            self._connect(watcher, watcher.station, cursor or None, room, by_stream)
        )

    async def connected(self, watcher: Watcher, **how: Any) -> None:
        """Connect, and wait until that is done."""
        self.connect(watcher, **how)
        assert watcher.connecting is not None
        await watcher.connecting

    async def poll(self, watcher: Watcher, station: int = 0) -> None:
        """Ask for what changed, as a client does that has no line."""
        watcher.honest = True
        watcher.lost = not watcher.client.cursor
        found = await self.stations[station].hub.channel(watcher.slug)
        assert found is not None
        place = await self.stations[station].hub.place_of(found, watcher.client.cursor or None)
        assert watcher.take(found.chain(place)[0].json(self.now))

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
        if watcher.client.cursor:
            self.cursors[watcher.slug].append(watcher.client.cursor)
        if line.is_over:
            if line.code == channel.CLOSE_ENDED:
                assert watcher.client.ended
            if line.code == channel.CLOSE_RESTART:
                assert watcher.client.retry_ms
            await self.hang_up(watcher)
        return bool(texts)

    async def settle(self) -> None:
        """Let everything that is under way come to its end."""
        quiet = rounds = 0
        while quiet < 3:
            moved = False
            rounds += 1
            assert rounds < 10_000, "it never comes to rest"
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
        """Bring everybody back who is away, and hold what all show against the database."""
        await self.settle()
        for _ in range(2):  # a client that had asked from a foreign cursor asks again
            for watcher in self.watchers:
                if watcher.line is None:
                    self.connect(watcher, random.randrange(len(self.stations)))
            await self.settle()
        for watcher in self.watchers:
            await self.check(watcher)

    async def check(self, watcher: Watcher) -> None:
        """Hold what a client shows against the database."""
        feed, items = await self.truth(watcher.slug)
        client = watcher.client
        cursor = f"{self.opened.journal.identity.epoch}.{feed.head}.{feed.check}"
        assert client.cursor == cursor
        assert client.shown == due(items, client.floor)
        assert client.feed.get("closed_at") == (
            wire.time_text(feed.closed_at) if feed.closed_at is not None else None
        )
        assert client.ended == (feed.closed_at is not None)

    async def truth(self, slug: str) -> tuple[Feed, list[Json]]:
        page = await self.opened.mirror.page(slug, 10_000)
        assert page is not None
        return page.feed, [_json(item) for item in page.items]

    async def _connect(
        self, watcher: Watcher, station: Station, cursor: str | None, room: int, by_stream: bool
    ) -> None:
        found = await station.hub.channel(watcher.slug)
        assert found is not None
        place = await station.hub.place_of(found, cursor)
        if by_stream:
            watcher.line = StreamLine(found, place)
        else:
            watcher.line = SocketLine(found, place, room)

    def _newsroom(self) -> Newsroom:
        self._turn += 1
        return self.newsrooms[self._turn % len(self.newsrooms)]

    async def _station(self, opened: Opened) -> Station:
        journal = opened.journal
        head = await journal.head()
        new = Hub(
            journal,
            opened.mirror,
            page_url=lambda slug: f"https://news.example/feeds/{slug}",
            heartbeat=HEARTBEAT,
            clock=lambda: self.now,
        )
        return Station(opened, new, journal.follow(head), head)

    def _remember(self, outcome: Outcome) -> Item:
        item = outcome.item
        known = self.history.setdefault((item.id, item.version), _json(item))
        assert known == _json(item)
        if item.version >= (self.items[item.id].version if item.id in self.items else 0):
            self.items[item.id] = item
        return item

    def _check_painted(self, item: Json) -> None:
        assert item == self.history[item["id"], item["version"]], "a state that never was"


@contextlib.asynccontextmanager
async def world(opening: Open, stations: int = 1) -> AsyncIterator[World]:
    """Open a world and close it in the end."""
    made = World(opening, stations)
    await made.open()
    try:
        yield made
    finally:
        await made.close()


def _json(item: Item) -> Json:
    return dict(json.loads(wire.dumps(wire.item_json(item))))
