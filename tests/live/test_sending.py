"""One system call for many sockets, and what becomes of the readers once that no longer works."""

from __future__ import annotations

import asyncio
from array import array

import pytest
from support.records import in_memory
from support.sockets import Socket
from support.world import World, world

from feedserver.live import rounds
from feedserver.live.channel import Channel
from feedserver.live.sending import Sender
from feedserver.model import Verb

pytestmark = pytest.mark.anyio
ROOM = 1_000_000


class Batches:
    """A way to send to many sockets at once that fails for good at the third call."""

    def __init__(self) -> None:
        self.calls = 0

    def send_all(self, descriptors: array[int], frame: bytes) -> list[tuple[int, int]]:
        self.calls += 1
        if self.calls >= 3:
            raise TimeoutError(110, "the kernel does not answer")
        return [(at, 0) for at in range(len(descriptors))]  # as for sockets without a descriptor


async def tell(here: World, slug: str, headline: str) -> None:
    """Post news and bring it to all readers."""
    assert await here.submit(slug, Verb.POST, headline=headline)
    while await here.stations[0].announce():
        pass
    while here.stations[0].is_busy:
        await asyncio.sleep(0)


def joined(channel: Channel, count: int) -> list[Socket]:
    """Return sockets that are caught up."""
    sockets = [Socket(channel, ROOM) for _ in range(count)]
    for one in sockets:
        channel.join(one, None)
    return sockets


async def test_once_batches_fail_for_good_all_feeds_go_on_with_a_send_for_each_reader(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rounds, "SLICE", 4)
    batches = Batches()
    async with world(in_memory()) as here:
        hub = here.stations[0].hub
        hub._sender = Sender(batches.send_all)
        ours, other = await hub.channel("world"), await hub.channel("sport")
        assert ours is not None
        assert other is not None
        readers, others = joined(ours, 12), joined(other, 4)
        await tell(here, "world", "First")
        assert [one.dead for one in readers] == [False] * 8 + [True] * 4  # the third cohort
        for one in readers[:8]:
            assert b"First" in one.unsent
            one.drain(ROOM)
            one.drain(ROOM)
        assert not ours.behind
        for slug in ("world", "sport"):
            await tell(here, slug, "Second")
        assert batches.calls == 3
        for one in (*readers[:8], *others):
            assert b"Second" in one.kernel
            assert not one.unsent, "sent past the socket, though it had room"
        assert (ours.readers, other.readers) == (8, 4)
    assert "from now on a system call sends to one reader" in caplog.text
