"""How readers are told to leave, and when each of them comes back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from support.client import parse
from support.records import in_memory
from support.sockets import Socket, SocketLine
from support.world import World, world

from feedserver.live import goodbyes
from feedserver.live.channel import Channel
from feedserver.live.goodbyes import RETRY_MS, RETRY_MS_MAX
from feedserver.model import Verb

pytestmark = pytest.mark.anyio
ROOM = 1_000_000


@pytest.fixture
async def here() -> AsyncIterator[World]:
    async with world(in_memory()) as made:
        yield made


async def channel_of(here: World, slug: str = "world") -> Channel:
    found = await here.stations[0].hub.channel(slug)
    assert found is not None
    return found


def joined(channel: Channel, count: int) -> list[Socket]:
    """Return sockets that are caught up."""
    sockets = [Socket(channel, ROOM) for _ in range(count)]
    for one in sockets:
        channel.join(one, None)
    return sockets


def retry_ms(one: Socket) -> int:
    message = parse(one.kernel.splitlines()[-1])
    assert message["type"] == "goodbye"
    return int(message["retry_ms"])


async def test_a_larger_crowd_is_told_to_come_back_over_a_longer_time(here: World) -> None:
    followed = await channel_of(here)
    low, high = RETRY_MS
    for readers, most in ((0, high), (10_000, high + 10_000), (90_000, RETRY_MS_MAX)):
        followed.goodbyes.begin(readers)
        drawn = [followed.goodbyes.retry_ms() for _ in range(2_000)]
        assert low <= min(drawn) < low + most / 20
        assert most * 0.95 < max(drawn) <= most


async def test_a_crowd_that_is_told_goodbye_comes_back_evenly(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not most of it at the beginning, as when the last of them see a small crowd."""
    monkeypatch.setattr(goodbyes, "RETRY_MS_PER_READER", 12)  # as a crowd of 24,000 would be spread
    random.seed(7)
    followed = await channel_of(here)
    sockets = joined(followed, 2_000)
    await here.stations[0].hub.close()
    low, high = RETRY_MS[0], RETRY_MS[1] + 12 * 2_000
    tenths = Counter((retry_ms(one) - low) * 10 // (high - low + 1) for one in sockets)
    assert sorted(tenths) == list(range(10))
    assert all(160 < count < 240 for count in tenths.values()), tenths


async def test_readers_of_all_feeds_leave_as_one_crowd(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goodbyes, "RETRY_MS_PER_READER", 100)
    random.seed(7)
    small, large = await channel_of(here, "world"), await channel_of(here, "sport")
    few, many = joined(small, 20), joined(large, 180)
    await here.stations[0].hub.close()
    late = Socket(small, ROOM)
    small.join(late, None)
    for sockets in (few, many):
        assert max(map(retry_ms, sockets)) > 15_000  # of 25 s, for all of them together
    assert retry_ms(late) <= 25_000


async def test_who_is_behind_at_the_end_is_dropped_and_not_waited_for(here: World) -> None:
    stalled, level = here.watcher("world"), here.watcher("world")
    await here.connected(stalled, room=1_000)
    await here.connected(level, room=ROOM)
    await here.settle()
    assert isinstance(stalled.line, SocketLine)
    assert isinstance(level.line, SocketLine)
    await level.line.read(ROOM)
    assert await here.submit("world", Verb.POST, headline="News", body="x" * 5_000)
    await here.stations[0].announce()
    followed = await channel_of(here)
    while not followed.behind:
        await here.stations[0].beat()
    await followed.close()
    assert followed.readers == 0
    assert stalled.line._socket.dead
    assert parse((await level.line.read(ROOM))[-1])["type"] == "goodbye"
