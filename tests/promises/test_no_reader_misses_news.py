"""No reader misses news: whatever happens, in whatever order, everyone ends up with what is so.

Hypothesis makes up the story: editors at work, readers who come with good, old and foreign
cursors, who stall and drip and leave, servers that restart, several servers on one journal that
are not equally far. Every limit is so small that it is crossed all the time.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from support.client import due
from support.memory import turns as wait
from support.records import Open, in_memory, in_sqlite
from support.world import FEEDS, World, shrink_limits

from feedserver import channel, wire
from feedserver.model import Item, Status, Verb

slugs = st.sampled_from([FEEDS[0], FEEDS[0], FEEDS[0], FEEDS[1]])
pick = st.integers(0, 30)
few = st.integers(1, 4)
cursors = st.sampled_from(["own"] * 4 + ["other's", "other feed's", "other epoch's", "future"])
PINNED_MAX = 2  # more would not fit into one snapshot with limits as small as these


class Story(RuleBasedStateMachine):
    """The steps, over a journal in memory."""

    stations: ClassVar = 2

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        shrink_limits(self.patch)
        self.runner = asyncio.Runner()
        self.world = World(self.opening(), self.stations)
        self.numbers = itertools.count(1)
        self.do(self.world.open())

    def opening(self) -> Open:
        return in_memory()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            self.do(self.world.converge())
            self.do(self.check_newcomers())
        finally:
            self.do(self.world.close())
            self.runner.close()
            self.patch.undo()

    async def check_newcomers(self) -> None:
        """Who comes last is shown the newest and the pinned, and nothing else."""
        for slug in FEEDS:
            watcher = self.world.watcher(slug)
            await self.world.connected(watcher)
            await self.world.settle()
            _, items = await self.world.truth(slug)
            shown = watcher.client.shown
            newest = [item["id"] for item in items[:4]]
            pinned = [item["id"] for item in items if item.get("pinned")]
            assert {row["id"] for row in shown} <= {*newest, *pinned}
            assert {row["id"] for row in shown} >= {*newest[:1], *pinned}
            assert shown == due(items, watcher.client.floor)
            if {item["id"] for item in items} != {row["id"] for row in shown}:
                assert watcher.client.next is not None

    # Editors.

    @initialize(count=st.integers(0, 8), rooms=st.lists(st.integers(100, 4_000), max_size=4))
    def there_was_news_before_and_some_came_to_read_it(self, count: int, rooms: list[int]) -> None:
        for _ in range(count):
            self.do(self.world.submit("world", Verb.POST, **self.draft(10)))
        for number, room in enumerate(rooms):
            watcher = self.world.watcher("world")
            self.connect(watcher, number // 3, {"room": room, "by_stream": number == 3})
        self.do(self.world.settle())

    @rule(size=st.integers(0, 2_000), read=st.sampled_from([0, 200, 100_000]))
    def news_breaks(self, size: int, read: int) -> None:
        """Post, and tell everybody who reads."""
        self.post("world", size, past=False, retry=False)
        for station in range(self.stations):
            self.news_gets_about(station, 100)
        self.some_turns_of_the_loop(6)
        self.everybody_reads(read)

    @rule(slug=slugs, size=st.integers(0, 2_000), past=st.booleans(), retry=st.booleans())
    def post(self, slug: str, size: int, past: bool, retry: bool) -> None:
        draft = self.draft(size)
        if past:
            draft["at"] = wire.time_text(self.world.now - size * 50)
        key = f"key-{next(self.numbers)}"
        first = self.do(self.world.submit(slug, Verb.POST, key=key, **draft))
        if retry and first is not None:
            assert self.do(self.world.submit(slug, Verb.POST, key=key, **draft)) == first

    @rule(slug=slugs, count=st.integers(2, 12))
    def post_many(self, slug: str, count: int) -> None:
        for _ in range(count):
            self.do(self.world.submit(slug, Verb.POST, **self.draft(300)))

    @rule(slug=slugs, which=pick, verb=st.sampled_from([v for v in Verb if v is not Verb.POST]))
    def revise(self, slug: str, which: int, verb: Verb) -> None:
        item = self.item(slug, which)
        if item is None or (verb is Verb.PIN and self.pinned(slug) >= PINNED_MAX):
            return
        raw = self.draft(which * 60) if verb in {Verb.FIX, Verb.UPDATE, Verb.CORRECT} else {}
        if verb in {Verb.CORRECT, Verb.KILL}:
            raw["note"] = "it was wrong"
        self.do(self.world.submit(slug, verb, item, **raw))

    @rule(slug=slugs, count=st.integers(2, 9), size=st.integers(0, 2_000))
    def revise_many(self, slug: str, count: int, size: int) -> None:
        for which in range(count):
            item = self.item(slug, which)
            if item is not None:
                self.do(self.world.submit(slug, Verb.FIX, item, **self.draft(size)))

    @rule(slug=slugs, which=pick)
    def two_at_once(self, slug: str, which: int) -> None:
        item = self.item(slug, which)
        if item is not None:
            self.do(self.world.race(slug, item, ["by one", "by the other"]))

    @rule(slug=slugs, closed=st.booleans())
    def close_or_reopen(self, slug: str, closed: bool) -> None:
        self.do(self.world.configure(slug, closed=closed))

    @rule(by=st.integers(-30_000, 90_000))
    def time_passes(self, by: int) -> None:
        self.world.now += by

    # Readers.

    @precondition(lambda self: len(self.world.watchers) < 8)
    @rule(slug=slugs, station=pick, room=st.integers(100, 4_000), by_stream=st.booleans())
    def somebody_comes(self, slug: str, station: int, room: int, by_stream: bool) -> None:
        watcher = self.world.watcher(slug)
        self.connect(watcher, station, {"room": room, "by_stream": by_stream})

    @precondition(lambda self: self.world.watchers)
    @rule(
        who=pick,
        station=pick,
        room=st.integers(100, 4_000),
        by_stream=st.booleans(),
        cursor=cursors,
    )
    def come_back(self, who: int, station: int, room: int, by_stream: bool, cursor: str) -> None:
        watcher = self.world.watchers[who % len(self.world.watchers)]
        self.do(self.world.hang_up(watcher))
        since = self.foreign(watcher.slug, cursor, who)
        lost = since is not None and cursor != "other's"
        how = {"since": since, "lost": lost, "room": room, "by_stream": by_stream}
        self.connect(watcher, station, how)

    def connect(self, watcher: Any, station: int, how: dict[str, Any]) -> None:
        async def begin() -> None:
            self.world.connect(watcher, station % self.stations, **how)

        self.do(begin())

    def foreign(self, slug: str, cursor: str, which: int) -> str | None:
        known = self.world.cursors[slug]
        elsewhere = self.world.cursors[FEEDS[slug == FEEDS[0]]]
        match cursor:
            case "other's" if known:
                return known[which % len(known)]
            case "other feed's" if elsewhere:
                return elsewhere[which % len(elsewhere)]
            case "other epoch's" if known:
                return "zzzzzzzz" + known[which % len(known)][8:]
            case "future" if known:
                epoch, sequence, check = known[-1].split(".")
                return f"{epoch}.{int(sequence) + 1 + which}.{check}"
            case _:
                return None

    @precondition(lambda self: self.world.watchers)
    @rule(who=pick, station=pick)
    def somebody_polls(self, who: int, station: int) -> None:
        watcher = self.world.watchers[who % len(self.world.watchers)]
        self.do(self.world.hang_up(watcher))
        self.do(self.world.poll(watcher, station % self.stations))

    @precondition(lambda self: self.world.watchers)
    @rule(who=pick)
    def somebody_leaves(self, who: int) -> None:
        self.do(self.world.hang_up(self.world.watchers[who % len(self.world.watchers)]))

    @precondition(lambda self: self.world.watchers)
    @rule(who=pick, most=st.integers(1, 6_000))
    def somebody_reads(self, who: int, most: int) -> None:
        self.do(self.world.read(self.world.watchers[who % len(self.world.watchers)], most))

    @rule(most=st.sampled_from([50, 500, 100_000]))
    def everybody_reads(self, most: int) -> None:
        for watcher in self.world.watchers:
            self.do(self.world.read(watcher, most))

    # Where one comes into the way of another.

    @precondition(lambda self: len(self.world.watchers) < 12)
    @rule(turns=few)
    def somebody_joins_between_two_changes_of_one_round(self, turns: int) -> None:
        async def at_once() -> None:
            world, station = self.world, self.world.stations[0]
            await world.converge()
            for _ in range(3):
                await world.submit("world", Verb.POST, **self.draft(10))
            await station.announce(1)
            await wait(1)
            await station.announce(1)
            world.connect(world.watcher("world"))
            await wait(turns)
            await station.announce(1)

        self.do(at_once())

    @precondition(lambda self: len(self.world.watchers) < 12)
    @rule(number=pick)
    def news_breaks_while_a_server_reads_what_there_is(self, number: int) -> None:
        async def at_once() -> None:
            number_of_it = number % self.stations
            await self.world.restart(number_of_it, politely=False)
            self.world.connect(self.world.watcher("world"), number_of_it)
            await wait(1)
            await self.world.submit("world", Verb.POST, **self.draft(10))
            await self.world.stations[number_of_it].announce()

        self.do(at_once())

    @precondition(lambda self: self.world.watchers)
    @rule(who=pick, away=st.booleans(), room=st.integers(100, 4_000), reads=st.integers(0, 8))
    def a_long_catch_up_is_cut_short(self, who: int, away: bool, room: int, reads: int) -> None:
        async def at_once() -> None:
            world, station = self.world, self.world.stations[0]
            watcher = world.watchers[who % len(world.watchers)]
            await world.converge()
            if away:
                await world.hang_up(watcher)
            for which in range(5):
                item = self.item(watcher.slug, which)
                if item is not None:
                    await world.submit(watcher.slug, Verb.FIX, item, **self.draft(1_900))
            while await station.announce():
                await wait(8)
            if away:
                await world.connected(watcher, room=room)
            for _ in range(reads):
                await world.read(watcher, 1_500)
            if who % 2:
                await world.hang_up(watcher)

        self.do(at_once())

    @precondition(lambda self: self.world.watchers)
    @rule(who=pick, turns=few)
    def somebody_moves_to_a_server_that_is_not_so_far(self, who: int, turns: int) -> None:
        async def at_once() -> None:
            world, watcher = self.world, self.world.watchers[who % len(self.world.watchers)]
            await world.hang_up(watcher)
            await world.submit(watcher.slug, Verb.POST, **self.draft(10))
            while await world.stations[0].announce():
                pass
            await world.poll(watcher, 0)
            world.connect(watcher, 1)
            await wait(turns)
            await world.read(watcher, 100_000)

        self.do(at_once())

    # Servers.

    @rule(station=pick, most=few)
    def news_gets_about(self, station: int, most: int) -> None:
        self.do(self.world.stations[station % self.stations].announce(most))

    @rule(count=few)
    def some_turns_of_the_loop(self, count: int) -> None:
        self.do(wait(count))

    @rule(station=pick)
    def heartbeat(self, station: int) -> None:
        self.do(self.world.stations[station % self.stations].beat())

    @rule(station=pick)
    def stalled_readers_are_dropped(self, station: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(channel, "STALL_SECONDS", -1.0)
            for one in self.world.stations[station % self.stations].hub._channels.values():
                one.drop_stalled()

    @rule(station=pick, politely=st.booleans())
    def a_server_restarts(self, station: int, politely: bool) -> None:
        self.do(self.world.restart(station % self.stations, politely=politely))

    @rule()
    def all_settles(self) -> None:
        self.do(self.world.settle())

    @rule()
    def all_is_killed_and_opened_again(self) -> None:
        self.do(self.world.reopen())

    # What they need.

    def draft(self, size: int) -> dict[str, Any]:
        return {"headline": f"News {next(self.numbers)}", "body": "x" * size}

    def item(self, slug: str, which: int) -> Item | None:
        items = [item for item in self.world.items.values() if item.feed == slug]
        return items[-1 - which % len(items)] if items else None

    def pinned(self, slug: str) -> int:
        items = self.world.items.values()
        return sum(i.pinned and i.status is not Status.KILLED for i in items if i.feed == slug)


class StoryInSQLite(Story):
    """The same over the journal in SQLite."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        super().__init__()

    def opening(self) -> Open:
        return in_sqlite(Path(self.folder.name))

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.folder.cleanup()


TestNoReaderMissesNews = Story.TestCase
TestNoReaderMissesNewsOverSQLite = StoryInSQLite.TestCase
TestNoReaderMissesNewsOverSQLite.settings = settings(max_examples=settings().max_examples // 4)
