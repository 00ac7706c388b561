"""What a feed's rounds cost its readers, and how they part: told by sockets in memory."""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.client import parse
from support.records import in_memory
from support.sockets import SocketLine
from support.watcher import Watcher
from support.world import HEARTBEAT, World, world

from feedserver.live import listeners, receipts, rounds
from feedserver.live.channel import Channel
from feedserver.model import Verb
from feedserver.rules import Change
from feedserver.websocket import frames

pytestmark = pytest.mark.anyio
ROOM = 1_000_000
PATIENCE, HOUR = 30, 3_600  # seconds


@pytest.fixture
async def here() -> AsyncIterator[World]:
    async with world(in_memory()) as made:
        yield made


async def channel_of(here: World) -> Channel:
    found = await here.stations[0].hub.channel("world")
    assert found is not None
    return found


async def crowd(here: World, count: int) -> list[Watcher]:
    watchers = [here.watcher("world") for _ in range(count)]
    for watcher in watchers:
        await here.connected(watcher, room=ROOM)
    await here.settle()
    return watchers


async def arrived(watcher: Watcher) -> list[str]:
    """Return the types of the messages that have come since it was asked last."""
    assert isinstance(watcher.line, SocketLine)
    return [str(parse(text)["type"]) for text in await watcher.line.read(ROOM)]


async def test_heartbeats_are_spread_and_each_reader_gets_one_an_interval(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "SLICE", 1)
    watchers = await crowd(here, 2 * HEARTBEAT)
    beats = []
    for _ in range(HEARTBEAT):
        await here.stations[0].beat()
        beats.append([len(await arrived(watcher)) for watcher in watchers])
    assert [sum(beat) for beat in beats] == [2] * HEARTBEAT
    assert [sum(of_one) for of_one in zip(*beats, strict=True)] == [1] * len(watchers)


async def test_who_just_had_news_gets_no_heartbeat(here: World) -> None:
    [watcher] = await crowd(here, 1)
    assert await here.submit("world", Verb.POST, headline="News")
    await here.stations[0].announce()
    while here.stations[0].is_busy:
        await here.settle()
    await arrived(watcher)
    followed = await channel_of(here)
    for tick in range(HEARTBEAT):
        await followed.send_heartbeats(tick)
    assert await arrived(watcher) == []


async def told(here: World) -> Change:
    """Return the next change that a server would take in, without telling it."""
    [station] = here.stations
    while not station.backlog:
        station.backlog.extend(await anext(station.changes))
    change = station.backlog.popleft()
    station.followed = change.sequence
    return change


async def heard(here: World, **words: str) -> None:
    """Post news, and let the server take it in."""
    assert await here.submit("world", Verb.POST, **words)
    here.stations[0].hub.apply((await told(here),))


async def posted_and_killed(here: World) -> tuple[Change, Change]:
    """Return two changes that a server would take in, without telling it."""
    item = await here.submit("world", Verb.POST, headline="Unspeakable")
    posted = await told(here)
    assert await here.submit("world", Verb.KILL, item, note="It was not so.")
    return posted, await told(here)


async def test_what_is_withdrawn_during_a_round_goes_to_nobody_whom_it_has_not_reached(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "SLICE", 1)
    watchers = await crowd(here, 4)
    posted, killed = await posted_and_killed(here)
    hub = here.stations[0].hub
    hub.apply((posted,))
    await asyncio.sleep(0)  # the round reaches the first of them
    hub.apply((killed,))
    while here.stations[0].is_busy:
        await asyncio.sleep(0)
    texts = [b"".join(await watcher.line.read(ROOM)) for watcher in watchers if watcher.line]
    assert [b"Unspeakable" in text for text in texts] == [True, False, False, False]
    assert all(b"It was not so." in text for text in texts)


async def test_a_receipt_counts_whoever_has_the_change_in_whichever_round_it_came(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "SLICE", 1)
    watchers = await crowd(here, 4)
    posted, killed = await posted_and_killed(here)
    hub = here.stations[0].hub
    hub.apply((posted,))
    await asyncio.sleep(0)  # the first of them has it, and three get the withdrawal in its round
    hub.apply((killed,))
    late = here.watcher("world")
    await here.connected(late, room=ROOM)  # and one brings it along
    receipt = await hub.delivered("world", killed.sequence, 5)
    assert (receipt.took, receipt.readers) == (5, 5)
    texts = [b"".join(await one.line.read(ROOM)) for one in [*watchers, late] if one.line]
    assert all(b"It was not so." in text for text in texts)


async def test_streams_are_waited_for_though_the_next_change_comes_at_once(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "CAUGHT_UP_SECONDS", 60.0)  # however busy this machine is
    watchers = [here.watcher("world") for _ in range(200)]
    for watcher in watchers:
        await here.connected(watcher, by_stream=True)
    await here.settle()
    items = [await here.submit("world", Verb.POST, headline=each) for each in ("One", "Two")]
    changes = [await told(here) for _ in items]
    hub = here.stations[0].hub

    async def reading() -> None:
        while True:
            for watcher in watchers:
                await here.read(watcher, ROOM)

    task = asyncio.create_task(reading())
    waiting = []
    for item, change in zip(items, changes, strict=True):
        assert item is not None
        hub.apply((change,))
        waiting.append(asyncio.create_task(hub.delivered("world", item.version, 60)))
        for _ in range(3):
            await asyncio.sleep(0)
    took = [(await one).took for one in waiting]
    task.cancel()
    assert took == [200, 200]


async def test_a_stream_that_takes_nothing_is_waited_for_once(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "CAUGHT_UP_SECONDS", 0.0)
    watcher = here.watcher("world")
    await here.connected(watcher, by_stream=True)
    await here.settle()
    stream, watcher.line = watcher.line, None  # it reads no more
    for _ in range(2):
        await heard(here, headline="News")
    followed = await channel_of(here)
    while here.stations[0].is_busy:
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        receipt = await followed.delivered(followed.position.sequence, HOUR)
    assert (receipt.took, receipt.readers) == (0, 1)
    watcher.line = stream


async def test_a_feed_reopened_while_its_end_is_told_is_told_to_the_others(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "SLICE", 1)
    watchers = await crowd(here, 4)
    await here.configure("world", closed=True)
    closed = await told(here)
    await here.configure("world", closed=False)
    reopened = await told(here)
    hub = here.stations[0].hub
    followed = await channel_of(here)
    hub.apply((closed,))
    while followed.cohorts.readers == len(watchers):
        await asyncio.sleep(0)  # until the first of them is gone
    hub.apply((reopened,))
    while here.stations[0].is_busy:
        await asyncio.sleep(0)
    assert 0 < followed.cohorts.readers < len(watchers)
    for watcher in watchers:
        kinds = await arrived(watcher)
        assert kinds in (["changes", "ended"], ["changes", "changes"])


async def test_a_message_is_deflated_once_however_many_take_it(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    deflate = zlib.compressobj

    def counted(**how: Any) -> Any:
        made.append(how)
        return deflate(**how)

    monkeypatch.setattr(frames.zlib, "compressobj", counted)
    assert await here.submit("world", Verb.POST, headline="News", body="x" * 5_000)
    await here.settle()
    [snapshot] = (await channel_of(here)).chain(None)
    sent = {frames.deflated_frame(snapshot, here.now + second) for second in range(5)}
    assert len(sent) == 5  # each with its own time
    assert len(made) == 1


async def test_a_long_message_goes_to_fewer_readers_at_a_time(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "SLICE", 8)
    monkeypatch.setattr(rounds, "SLICE_BYTES", 8_000)
    watchers = await crowd(here, 8)
    for watcher in watchers:
        await arrived(watcher)
    followed = await channel_of(here)
    assert len(list(followed.cohorts)) == 1
    await heard(here, headline="News", body="x" * 3_000)
    turns = []
    while here.stations[0].is_busy:
        await asyncio.sleep(0)
        turns.append(sum([len(await arrived(watcher)) for watcher in watchers]))
    assert [count for count in turns if count] == [2, 2, 2, 2]
    assert len(list(followed.cohorts)) == 1, (
        "who was told one after the other stands together again"
    )
    assert followed.cohorts.readers == 8


async def test_listeners_are_woken_a_few_at_a_time(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "LISTENERS_TOGETHER", 2)
    await here.settle()
    followed = await channel_of(here)
    with ExitStack() as seats:
        crowd = [seats.enter_context(followed.listener()) for _ in range(6)]
        await heard(here, headline="News")
        awake = []
        for _ in range(4):
            await asyncio.sleep(0)
            awake.append(sum(listener.news.is_set() for listener in crowd))
        assert awake == [2, 4, 6, 6]
        # One that was woken early in a pass is woken again by what comes before its end.
        for listener in crowd:
            listener.news.clear()
        for number in range(2):
            assert await here.submit("world", Verb.POST, headline=f"More {number}")
        here.stations[0].hub.apply((await told(here),))
        await asyncio.sleep(0)
        first = [listener for listener in crowd if listener.news.is_set()]
        for listener in first:
            listener.news.clear()
        here.stations[0].hub.apply((await told(here),))
        for _ in range(8):
            await asyncio.sleep(0)
        assert all(listener.news.is_set() for listener in crowd)


async def test_the_hub_knows_how_many_readers_it_has(here: World) -> None:
    hub = here.stations[0].hub
    chance = random.Random(3)
    watchers = [here.watcher(chance.choice(("world", "sport"))) for _ in range(12)]
    most = 0
    for _ in range(200):
        watcher = chance.choice(watchers)
        if watcher.line is None:
            how = {"room": chance.choice([1_000, ROOM]), "by_stream": chance.random() < 0.3}
            await here.connected(watcher, **how)
        elif chance.random() < 0.4:
            await here.hang_up(watcher)
        else:
            await watcher.line.read(chance.choice([100, ROOM]))
        if chance.random() < 0.3:
            assert await here.submit("world", Verb.POST, headline="News", body="x" * 700)
            await here.stations[0].announce()
        while here.stations[0].is_busy:
            await asyncio.sleep(0)
        both = await channel_of(here), await hub.channel("sport")
        assert hub.readers == sum(one.readers for one in both if one is not None)
        most = max(most, len(both[0].behind))
    assert most > 1, "nobody ever fell behind"
    assert hub.readers > 1


async def test_catch_ups_are_kept_up_to_a_number_of_bytes(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = here.stations[0].hub.cache
    monkeypatch.setattr(cache, "_bytes_max", 80_000)
    await here.settle()
    followed = await channel_of(here)
    positions = [followed.position]
    for number in range(4):
        await heard(here, headline=f"News {number}", body="x" * 2_000)
        positions.append(followed.position)
    while here.stations[0].is_busy:
        await asyncio.sleep(0)
    sizes = [sum(len(message.stem) for message in followed.chain(one)) for one in positions]
    assert sum(sizes) > 20_000
    kept = [one for one in positions if followed.chain(one)[0] is followed.chain(one)[0]]
    assert 0 < len(kept) < len(positions), "one that would take most of the cache is not kept"
    assert 0 < cache.bytes <= 80_000
