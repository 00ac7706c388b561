"""Another journal comes under a running server: nothing of the former one is told any more.

The heads and versions of both are alike, as those of a backup and of its restored copy may be.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from feedserver.errors import Unavailable
from feedserver.journal import Identity, InitialState
from feedserver.live.channel import Channel
from feedserver.live.hub import Hub
from feedserver.model import Feed, Item

pytestmark = pytest.mark.anyio
FORMER, NOW = Identity("former00", "s"), Identity("now00000", "s")
SEQUENCE = 80
PATIENCE = 10  # seconds


def state_of(identity: Identity) -> InitialState:
    name = identity.epoch
    item = Item(SEQUENCE, "world", SEQUENCE, "same", 1, headline=name, rid="r", words_at=SEQUENCE)
    feed = Feed("world", name, 1, 1, SEQUENCE, "same")
    return InitialState(feed, (item,), (), (item,), {SEQUENCE: "same"})


class Newsroom:
    """A journal that can be replaced, and its mirror, which answers when it is let."""

    def __init__(self) -> None:
        self.identity = FORMER
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.fault: Exception | None = None
        self.reads = 0
        self.hub = Hub(self, self, page_url=str)  # type: ignore[arg-type]

    async def _answer(self, answer: Any) -> Any:
        self.reads += 1
        await self.go_on.wait()
        if self.fault is not None:
            raise self.fault
        return answer

    async def initial_state(self, slug: str, recent: int, checks: int) -> InitialState:
        found: InitialState = await self._answer(state_of(self.identity))
        return found

    async def feed(self, slug: str) -> Feed:
        found: Feed = await self._answer(state_of(self.identity).feed)
        return found

    async def feeds(self) -> tuple[Feed, ...]:
        found: tuple[Feed, ...] = await self._answer((state_of(self.identity).feed,))
        return found

    def hold(self) -> None:
        self.go_on.clear()

    def replace(self) -> None:
        self.identity = NOW
        self.hub.restart()


@pytest.fixture
async def here() -> Newsroom:
    return Newsroom()


def told(channel: Channel | None) -> tuple[str, str, str]:
    """Return the epoch, the feed's title and the headline of a channel's snapshot."""
    assert channel is not None
    [message] = channel.chain(None)
    snapshot = orjson.loads(message.json(0))
    return snapshot["epoch"], snapshot["feed"]["title"], snapshot["items"][0]["headline"]


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_channel_that_is_just_being_loaded_is_loaded_again(here: Newsroom) -> None:
    here.hold()
    loading = asyncio.create_task(here.hub.channel("world"))
    await turns()
    here.replace()
    here.go_on.set()
    assert told(await loading) == (NOW.epoch,) * 3
    assert here.reads == 2


async def test_what_the_former_channel_encodes_meanwhile_is_not_kept(here: Newsroom) -> None:
    channel = await here.hub.channel("world")
    assert channel is not None
    here.hold()
    here.replace()
    assert told(channel) == (FORMER.epoch,) * 3, "its readers are still to be told of the other"
    assert here.hub.cache.bytes == 0
    here.go_on.set()
    assert told(await here.hub.channel("world")) == (NOW.epoch,) * 3


async def test_the_former_channel_finds_nothing_of_the_journal_that_is_here(here: Newsroom) -> None:
    channel = await here.hub.channel("world")
    assert channel is not None
    window = channel.window
    here.hold()
    here.replace()
    here.hub.cache.put(
        ("item", SEQUENCE, SEQUENCE), b'{"headline":"new"}', 1, since=here.hub.cache.moment
    )
    assert orjson.loads(window.json(window.snapshot()[0]))["headline"] == FORMER.epoch


async def test_whoever_arrives_before_the_reload_waits_for_it(here: Newsroom) -> None:
    await here.hub.channel("world")
    here.hold()
    here.replace()
    assert here.hub.loaded("world") is None
    arriving = asyncio.create_task(here.hub.arrive("world", f"{FORMER.epoch}.{SEQUENCE}.same"))
    await turns()
    assert not arriving.done()
    here.go_on.set()
    found = await arriving
    assert found is not None
    assert told(found[0]) == (NOW.epoch,) * 3
    assert found[1] is None


async def test_a_feed_that_is_just_being_read_is_read_again(here: Newsroom) -> None:
    for ask in (lambda: here.hub.feeds.find("world"), here.hub.feeds.load_all):
        here.identity = FORMER
        here.hub.restart()
        here.hold()
        asking = asyncio.create_task(ask())
        await turns()
        here.replace()
        here.go_on.set()
        await asking
        found = await here.hub.feeds.find("world")
        assert found is not None
        assert found.title == NOW.epoch


async def test_readers_whose_new_journal_cannot_be_read_are_sent_away(here: Newsroom) -> None:
    channel = await here.hub.channel("world")
    assert channel is not None
    with channel.listener() as listener:
        messages = channel.listen(listener, None)
        await anext(messages)
        here.fault = Unavailable("the disk is tired")
        here.replace()
        await turns()
        async with asyncio.timeout(PATIENCE):
            kinds = [orjson.loads(message.json(0))["type"] async for message in messages]
        assert kinds == ["goodbye"]
    with pytest.raises(Unavailable):
        await here.hub.channel("world")
    here.fault = None
    assert told(await here.hub.channel("world")) == (NOW.epoch,) * 3
