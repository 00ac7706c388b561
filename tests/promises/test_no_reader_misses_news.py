"""No reader misses news: whatever happens, in whatever order, everyone ends up with what is so.

Hypothesis makes up the story: editors at work, who try again and are shut out, readers who come
with good, old and foreign cursors, who stall and drip and leave, servers that end and are killed,
several servers on one journal that are not equally far. Every limit is so small that it is crossed
all the time. What really happened is counted, and must have happened often.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.client import sequence_of
from support.memory import turns as wait
from support.records import Open, in_memory, in_sqlite
from support.watcher import Watcher
from support.witness import json_of
from support.world import FEEDS, HEARTBEAT, World, shrink_limits, use_of

from feedserver import wire
from feedserver.live import channel
from feedserver.model import Act, Item, Status, Verb
from feedserver.rules import CLOSED_TO
from feedserver.submission import Submission

slugs = st.sampled_from([FEEDS[0], FEEDS[0], FEEDS[0], FEEDS[1]])
pick = st.integers(0, 30)
few = st.integers(1, 4)
rooms = st.integers(100, 4_000)
FOREIGN = ("other's", "other feed's", "other epoch's", "other history's", "future")
DEATHS = ("ended", "killed", "all killed")
SHOWN = 4  # items of a snapshot, beside the pinned
PINNED_MAX = 2  # more would not fit into one snapshot with limits as small as these
LIFE = 4  # steps that servers live at least: with fewer, little else would happen
WORDING = (Verb.FIX, Verb.UPDATE, Verb.CORRECT)
EDITS = (
    Verb.HOLD,
    Verb.PIN,
    *WORDING,
    Verb.REDACT,
    Verb.RELEASE,
    Act.FEED,
    Verb.UNPIN,
    Verb.KILL,
    Verb.REDACT,
)
REDACTED = ("words", "a correction", "a kill")


def rarely(story: Story) -> bool:
    """Say whether it is time that servers die."""
    return story.age >= LIFE


def _fits(kind: str, item: Item) -> bool:
    """Say whether an item may have something of that kind to redact."""
    if kind == "a kill" or item.status is Status.KILLED:
        return kind == "a kill" and item.status is Status.KILLED
    return bool(item.corrections) if kind == "a correction" else item.version > item.id


def with_watchers(story: Story) -> bool:
    return bool(story.world.watchers)


def with_room_for_one(story: Story) -> bool:
    return len(story.world.watchers) < 8


class Story(RuleBasedStateMachine):
    """The steps, over a journal in memory."""

    stations: ClassVar = 2
    happened: ClassVar[Counter[str]] = Counter()  # in all stories together

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        shrink_limits(self.patch)
        self.runner = asyncio.Runner()
        self.numbers = itertools.count(1)
        self.age = 0  # steps since servers died
        self.world: World

    def opening(self, seed: int) -> Open:
        return in_memory(seed)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @invariant()
    def time_goes_by(self) -> None:
        self.age += 1
        stations = self.world.stations
        channels = [one for station in stations for one in station.hub._channels.values()]
        self.happened["somebody is behind"] += any(one.behind for one in channels)
        self.happened["one is ahead"] += len({station.followed for station in stations}) > 1

    def teardown(self) -> None:
        try:
            self.do(self.world.converge())
            self.do(self.check_newcomers())
            self.happened.update(self.world.happened)
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
            await self.world.check(watcher)
            _, items = await self.world.truth(slug)
            shown = watcher.client.shown
            newest = [item["id"] for item in items[:4]]
            pinned = [item["id"] for item in items if item.get("pinned")]
            assert {row["id"] for row in shown} <= {*newest, *pinned}
            assert {row["id"] for row in shown} >= {*newest[:1], *pinned}
            if {item["id"] for item in items} != {row["id"] for row in shown}:
                assert watcher.client.next is not None

    # Editors.

    @initialize(
        seed=st.integers(0, 1_000),
        count=st.integers(0, 8),
        rooms=st.lists(rooms, max_size=4),
    )
    def there_was_news_before_and_some_came_to_read_it(
        self, seed: int, count: int, rooms: list[int]
    ) -> None:
        self.chance = random.Random(seed)
        self.redacted = itertools.cycle(REDACTED)
        self.edit = itertools.cycle(EDITS[seed % len(EDITS) :] + EDITS[: seed % len(EDITS)])
        self.world = World(self.opening(seed), self.stations)
        self.do(self.world.open())
        for _ in range(count):
            self.do(self.world.submit("world", Verb.POST, **self.draft(10)))
        for number, room in enumerate(rooms):
            watcher = self.world.watcher("world")
            self.connect(watcher, number // 3, {"room": room, "by_stream": number == 3})
        self.do(self.world.settle())

    @rule(size=st.integers(0, 2_000), read=st.sampled_from([0, 200, 100_000]))
    def news_breaks(self, size: int, read: int) -> None:
        """Post, and tell everybody who reads."""
        self.post("world", size, past=False)
        for station in range(self.stations):
            self.news_gets_about(station, 100)
        self.some_turns_of_the_loop(6)
        self.everybody_reads(read)

    @rule(slug=slugs, size=st.integers(0, 2_000), past=st.booleans())
    def post(self, slug: str, size: int, past: bool) -> None:
        draft = self.draft(size)
        if past:
            draft["at"] = wire.time_text(self.world.now - size * 50)
        self.must(slug, Verb.POST, **draft)

    @rule(slug=slugs, count=st.integers(2, 12))
    def post_many(self, slug: str, count: int) -> None:
        for _ in range(count):
            self.must(slug, Verb.POST, **self.draft(300))

    @rule()
    def an_editor_works(self) -> None:
        """Do some edits that fit, of each kind in turn: drawn by chance, some would be rare.

        Hypothesis tries this the most, as it is the first and simplest of the rules.
        """
        for _ in range(self.chance.randint(3, 6)):
            edit = next(self.edit)
            slug, which = self.chance.choice([FEEDS[0], *FEEDS]), self.chance.randrange(30)
            match edit:
                case Verb.HOLD | Verb.RELEASE:
                    self.hold_or_release(slug, which, edit)
                case Verb.PIN | Verb.UNPIN:
                    self.pin_or_unpin(slug, which, edit)
                case Verb.KILL:
                    self.withdraw(slug, which)
                case Verb.REDACT:
                    self.redact(slug, which)
                case Act.FEED:
                    self.write_key_points(slug, which)
                case _:
                    self.reword(slug, which, edit)

    def reword(self, slug: str, which: int, verb: Verb) -> None:
        if item := self.item(slug, which):
            note = {"note": "it was wrong"} if verb is Verb.CORRECT else {}
            self.must(slug, verb, item, **self.draft(which * 60), **note)

    def hold_or_release(self, slug: str, which: int, verb: Verb) -> None:
        held = self.item(slug, which, lambda item: item.status is Status.HELD)
        if verb is Verb.RELEASE and held is not None:
            self.must(slug, Verb.RELEASE, held)
        elif item := self.item(slug, which, lambda item: item.status is Status.LIVE):
            self.must(slug, Verb.HOLD, item)

    def pin_or_unpin(self, slug: str, which: int, verb: Verb) -> None:
        pinned = self.item(slug, which, lambda item: item.pinned)
        if pinned is not None and (verb is Verb.UNPIN or self.pinned(slug) >= PINNED_MAX):
            self.must(slug, Verb.UNPIN, pinned)
        elif item := self.item(slug, which, lambda item: not item.pinned):
            self.must(slug, Verb.PIN, item)

    def withdraw(self, slug: str, which: int) -> None:
        if item := self.item(slug, which):
            self.must(slug, Verb.KILL, item, note="It was not so.", blindly=which % 2 == 0)

    def redact(self, slug: str, which: int) -> None:
        """Redact superseded words, a correction's note, or that of a kill: each in turn."""
        for _ in REDACTED:
            kind = next(self.redacted)
            items = [one for one in self.world.items.values() if one.feed == slug]
            items = [one for one in items if _fits(kind, one) and not self.world.is_unsure(one)]
            if not items:
                continue
            item = items[which % len(items)]
            found = self.do(self.world.redactable(item))
            found = [one for one in found if (one.act is Verb.CORRECT) == (kind == "a correction")]
            if found:
                self.redact_as(kind, item, found[which % len(found)].version)
                return

    def redact_as(self, kind: str, item: Item, version: int) -> None:
        note = f"Note {next(self.numbers)}"
        self.must(item.feed, Verb.REDACT, item, version=version, note=note)
        before, after = json_of(item), json_of(self.world.items[item.id])
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        public = {"a correction": {"corrections"}, "a kill": {"note"}}.get(kind, set())
        assert changed == {"version", "etag"} | public, "readers get the same state"
        self.count(f"{kind} redacted")

    def write_key_points(self, slug: str, which: int) -> None:
        """Write a feed's key points, or clear them, and mostly redact earlier ones."""
        summary = None if which % 5 == 4 else f"Points {next(self.numbers)}"
        self.do(self.world.configure(slug, summary=summary, typo=which % 3 == 0))
        self.count("key points")
        if which % 4:
            self.happened["key points redacted"] += self.do(self.world.redact_summary(slug, which))

    @rule(slug=slugs, which=pick)
    def withdraw_while_somebody_updates(self, slug: str, which: int) -> None:
        item = self.item(slug, which)
        if item is None or slug in self.world.closed:
            return
        update = self.world.submission(slug, Verb.UPDATE, item, self.key(), **self.draft(10))
        kill = self.world.submission(
            slug, Verb.KILL, item, self.key(), note="It was not so.", blindly=True
        )
        _, tombstone = self.do(self.world.race(update, kill))
        assert tombstone is not None

    @rule(slug=slugs, count=st.integers(2, 9), size=st.integers(0, 2_000))
    def revise_many(self, slug: str, count: int, size: int) -> None:
        for which in range(count):
            if item := self.item(slug, which):
                self.must(slug, Verb.FIX, item, **self.draft(size))

    @rule(slug=slugs, which=pick)
    def two_at_once(self, slug: str, which: int) -> None:
        if item := self.item(slug, which):
            two = [
                self.world.submission(slug, Verb.FIX, item, headline=headline)
                for headline in ("by one", "by the other")
            ]
            assert self.do(self.world.race(*two)).count(None) == 1

    @rule(slug=slugs, which=pick)
    def somebody_asks_for_what_does_not_fit(self, slug: str, which: int) -> None:
        items = [one for one in self.world.items.values() if one.feed == slug]
        if not items:
            return
        item = items[which % len(items)]
        if self.world.is_unsure(item):
            return
        verb = list(Verb)[1:][which % (len(Verb) - 1)]
        if item.status is not Status.KILLED:
            held, pinned = item.status is Status.HELD, item.pinned
            verb = ([Verb.HOLD if held else Verb.RELEASE, Verb.PIN if pinned else Verb.UNPIN])[
                which % 2
            ]
        raw: dict[str, Any] = {}
        if verb in {Verb.CORRECT, Verb.KILL, Verb.REDACT}:
            raw["note"] = "It was not so."
        if verb is Verb.REDACT:
            raw["version"] = item.id  # which a kill erased
        raw |= {"headline": "late"} if verb in WORDING else {}
        assert self.do(self.world.submit(slug, verb, item, **raw)) is None

    @rule(slug=slugs)
    def close_or_reopen(self, slug: str) -> None:
        closed = slug not in self.world.closed
        self.do(self.renamed(slug, closed=closed))
        self.count("closed" if closed else "reopened")

    @precondition(lambda self: self.world.closed)
    @rule()
    def reopen_all(self) -> None:
        for slug in sorted(self.world.closed):
            self.close_or_reopen(slug)

    @rule(by=st.integers(-30_000, 90_000))
    def time_passes(self, by: int) -> None:
        self.world.now += by

    # Who sends twice, and who may not send at all.

    @rule(slug=slugs, which=pick, times=st.integers(2, 3))
    def the_same_is_sent_several_times_at_once(self, slug: str, which: int, times: int) -> None:
        item = self.item(slug, which) if which % 2 else None
        verb = Verb.POST if item is None else Verb.FIX
        if self.fits(slug, verb):
            same = self.world.submission(slug, verb, item, self.key(), **self.draft(10))
            answers = self.do(self.world.race(*[same] * times))
            assert answers == answers[:1] * times != [None] * times
            self.count("sent at once")

    @rule(which=st.integers(0, 300))
    def somebody_tries_again_much_later(self, which: int) -> None:
        """Whatever else was done, and whichever servers died, since."""
        if used := list(self.world.used.values()):
            self.do(self.world.send(used[which % len(used)][0]))

    @rule(which=st.integers(0, 300))
    def a_key_is_used_for_something_else(self, which: int) -> None:
        used = [one for one, _ in self.world.used.values() if one.editor.name == "anna"]
        if used:
            first = used[which % len(used)]
            other = self.world.submission(first.feed, Verb.POST, None, first.key, **self.draft(10))
            answer = self.do(self.world.send(other))
            made = self.world.used[use_of(first)][1]
            if answer is not None:  # what it could be compared with was redacted
                assert made.version in self.world.erased[made.id]
                assert answer == self.world.items[made.id] or made.words_at == answer.words_at

    @rule(slug=slugs, amid=st.booleans())
    def an_editor_is_shut_out(self, slug: str, amid: bool) -> None:
        world = self.world
        before, after = (
            world.submission(slug, Verb.POST, None, self.key(), by="ben", **self.draft(10))
            for _ in range(2)
        )

        async def at_once() -> None:
            revoking = world.shut_out("ben")
            if amid:
                await asyncio.gather(world.send(before), revoking)
            else:
                await world.send(before)
                await revoking
            for late in (before, after):  # at one server and at another
                assert await world.send(late) is None
            await world.let_in("ben")
            assert await world.send(after) is None, "by another token of that name"

        self.do(at_once())
        self.count("shut out amid" if amid else "shut out")

    # Readers.

    @precondition(with_room_for_one)
    @rule(slug=slugs, station=pick, room=rooms, by_stream=st.booleans())
    def somebody_comes(self, slug: str, station: int, room: int, by_stream: bool) -> None:
        watcher = self.world.watcher(slug)
        self.connect(watcher, station, {"room": room, "by_stream": by_stream})

    @precondition(with_watchers)
    @rule(who=pick, station=pick, room=rooms, by_stream=st.booleans())
    def come_back(self, who: int, station: int, room: int, by_stream: bool) -> None:
        watcher = self.one(who)
        self.do(self.world.hang_up(watcher))
        self.connect(watcher, station, {"room": room, "by_stream": by_stream})
        self.count("own cursor")

    @precondition(with_watchers)
    @rule(who=pick, station=pick, room=rooms)
    def some_come_with_cursors_that_are_not_their_own(
        self, who: int, station: int, room: int
    ) -> None:
        for number in range(who, who + 2):
            watcher, cursor = self.one(number), FOREIGN[(number + station + room) % len(FOREIGN)]
            self.do(self.world.hang_up(watcher))
            since = self.foreign(watcher.slug, cursor, who)
            how = {"since": since, "lost": cursor != "other's", "room": room}
            self.connect(watcher, station + number, how | {"by_stream": room % 3 == 0})
            self.do(wait(room % 5))
            self.count(f"{cursor} cursor")

    def connect(self, watcher: Watcher, station: int, how: dict[str, Any]) -> None:
        async def begin() -> None:
            self.world.connect(watcher, station % self.stations, **how)

        self.do(begin())

    def foreign(self, slug: str, cursor: str, which: int) -> str:
        places = self.world.witness.places
        own, other = places[slug], places[FEEDS[slug == FEEDS[0]]]
        epoch, sequence, check = own[-1 - which % len(own)].split(".")
        match cursor:
            case "other feed's":
                return other[-1 - which % len(other)]
            case "other epoch's":
                return f"zzzzzzzz.{sequence}.{check}"
            case "other history's":
                return f"{epoch}.{sequence}.{check[::-1]}" if check != check[::-1] else "1"
            case "future":
                _, newest, _ = max(own, key=sequence_of).split(".")
                return f"{epoch}.{int(newest) + 1 + which}.{check}"
            case _:
                return f"{epoch}.{sequence}.{check}"

    @precondition(with_watchers)
    @rule(who=pick, station=pick)
    def somebody_polls(self, who: int, station: int) -> None:
        watcher = self.one(who)
        self.do(self.world.hang_up(watcher))
        self.do(self.world.poll(watcher, station % self.stations))
        self.count("poll")

    @precondition(with_watchers)
    @rule(who=pick, most=few)
    def somebody_turns_pages(self, who: int, most: int) -> None:
        async def at_once() -> None:
            world, watcher = self.world, self.one(who)
            await world.converge()
            for _ in range(most):
                self.happened["page"] += await world.turn_page(watcher, most)
                await world.check(watcher)

        self.do(at_once())

    @precondition(with_room_for_one)
    @rule(slug=slugs)
    def what_is_pinned_at_the_edge_comes_loose(self, slug: str) -> None:
        self.do(self.world.converge())
        items = sorted(
            (one for one in self.world.items.values() if one.feed == slug),
            key=lambda item: item.order,
            reverse=True,
        )
        if len(items) <= SHOWN or self.pinned(slug) >= PINNED_MAX:
            return
        edge = items[SHOWN - 1]
        if edge.pinned or edge.status is Status.KILLED or not self.fits(slug, Verb.PIN):
            return
        self.must(slug, Verb.PIN, edge)
        watcher = self.world.watcher(slug)

        async def at_once() -> None:
            world = self.world
            await world.converge()
            await world.submit(slug, Verb.UNPIN, world.items[edge.id])
            await world.converge()
            self.happened["loose"] += await world.turn_page(watcher, 4)
            await world.check(watcher)

        self.do(at_once())

    @precondition(with_watchers)
    @rule(who=pick)
    def somebody_leaves(self, who: int) -> None:
        self.do(self.world.hang_up(self.one(who)))

    @precondition(with_watchers)
    @rule(who=pick, most=st.integers(1, 6_000))
    def somebody_reads(self, who: int, most: int) -> None:
        self.do(self.world.read(self.one(who), most))

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

    @precondition(rarely)
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
        self.died("killed")

    @precondition(with_watchers)
    @rule(who=pick, away=st.booleans(), room=st.integers(100, 4_000), reads=st.integers(0, 8))
    def a_long_catch_up_is_cut_short(self, who: int, away: bool, room: int, reads: int) -> None:
        async def at_once() -> None:
            world, station = self.world, self.world.stations[0]
            watcher = self.one(who)
            await world.converge()
            if away:
                await world.hang_up(watcher)
            await self.renamed(watcher.slug)
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

    @precondition(with_watchers)
    @rule(who=pick, turns=few)
    def somebody_moves_to_a_server_that_is_not_so_far(self, who: int, turns: int) -> None:
        async def at_once() -> None:
            world, watcher = self.world, self.one(who)
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
        for _ in range(HEARTBEAT):
            self.do(self.world.stations[station % self.stations].beat())

    @rule()
    def stalled_readers_are_dropped(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(channel, "STALL_SECONDS", -1.0)
            for station in self.world.stations:
                for one in station.hub._channels.values():
                    before = len(one.behind)
                    one.drop_stalled()
                    self.happened["dropped"] += before - len(one.behind)

    @rule()
    def everything_settles(self) -> None:
        self.do(self.world.settle())

    @precondition(rarely)
    @rule(station=pick, count=few, turns=st.integers(1, 30))
    def servers_die_amid_edits(self, station: int, count: int, turns: int) -> None:
        number, world = station % self.stations, self.world
        how = DEATHS[(station + count + turns) % len(DEATHS)]

        async def at_once() -> None:
            at = None if how == "all killed" else world.stations[number]
            sending = [asyncio.create_task(world.send(one, at)) for one in self.edits(count)]
            await wait(turns)
            if how == "all killed":
                await world.reopen()
            else:
                await world.restart(number, politely=how == "ended")
            for answer in await asyncio.gather(*sending, return_exceptions=True):
                if isinstance(answer, Exception):  # and not cut off by the death
                    raise answer

        self.do(at_once())
        self.died(how)

    @rule()
    def who_got_no_answer_asks_again(self) -> None:
        self.do(self.world.retry_unanswered())

    # What they need.

    def draft(self, size: int) -> dict[str, Any]:
        return {"headline": f"News {next(self.numbers)}", "body": "x" * size}

    async def renamed(self, slug: str, **settings: Any) -> None:
        await self.world.configure(slug, title=f"Feed {next(self.numbers)}", **settings)
        self.count("renamed")

    def key(self) -> str:
        return f"key-{next(self.numbers)}"

    def one(self, who: int) -> Watcher:
        return self.world.watchers[who % len(self.world.watchers)]

    def must(self, slug: str, verb: Verb, item: Item | None = None, **raw: Any) -> None:
        """Do what fits, which is refused only where the feed is closed to it."""
        done = self.do(self.world.submit(slug, verb, item, self.key(), **raw))
        assert (done is not None) == self.fits(slug, verb)

    def fits(self, slug: str, verb: Verb) -> bool:
        return slug not in self.world.closed or verb not in CLOSED_TO

    def item(
        self, slug: str, which: int, true: Callable[[Item], bool] = lambda item: True
    ) -> Item | None:
        """Choose among the items of a feed that can be changed, and of which this is true."""
        items = [
            item
            for item in self.world.items.values()
            if item.feed == slug and item.status is not Status.KILLED and true(item)
        ]
        item = items[-1 - which % len(items)] if items else None
        return None if item is None or self.world.is_unsure(item) else item

    def edits(self, count: int) -> list[Submission]:
        """Write some posts, and a fix of one item each."""
        found = []
        for which in range(count):
            item = self.item("world", which) if which % 2 else None
            verb = Verb.POST if item is None else Verb.FIX
            found.append(self.world.submission("world", verb, item, self.key(), **self.draft(10)))
        return found

    def pinned(self, slug: str) -> int:
        items = self.world.items.values()
        return sum(i.pinned and i.status is not Status.KILLED for i in items if i.feed == slug)

    def count(self, what: str) -> None:
        self.happened[what] += 1

    def died(self, how: str) -> None:
        self.count(how)
        self.age = 0


class StoryInSQLite(Story):
    """The same over the journal in SQLite."""

    happened: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        super().__init__()

    def opening(self, seed: int) -> Open:
        return in_sqlite(Path(self.folder.name))

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.folder.cleanup()


OFTEN = (  # what must have happened, or the property would prove less than it says
    *Verb,
    *("stale", "wrong-state", "withdrawn", "feed-closed", "unauthorized", "key-reused"),
    *(
        "sent at once",
        "replay",
        "unanswered",
        "shut out",
        "shut out amid",
        "closed",
        "reopened",
        "renamed",
        "key points",
    ),
    *(f"{what} redacted" for what in (*REDACTED, "key points")),
    *(f"{whose} cursor" for whose in ("own", *FOREIGN)),
    *("poll", "page", "loose", "somebody is behind", "dropped", "one is ahead", *DEATHS),
    *(f"sent {kind}" for kind in ("snapshot", "changes", "heartbeat", "ended")),
)


def happened_often(story: type[Story], least: int) -> None:
    """Hold what happened, in all stories together, against what must have."""
    rare = {what: story.happened[what] for what in OFTEN if story.happened[what] < least}
    assert not rare, f"these happened less often than {least} times"


class TestNoReaderMissesNews(Story.TestCase):
    def runTest(self) -> None:
        super().runTest()
        happened_often(Story, 10)


class TestNoReaderMissesNewsOverSQLite(StoryInSQLite.TestCase):
    settings = settings(max_examples=settings().max_examples // 3)

    def runTest(self) -> None:
        super().runTest()
        happened_often(StoryInSQLite, 1)
