"""What readers that do not read keep: bytes are counted, whoever else keeps the same ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from support.records import in_memory
from support.world import World, world

from feedserver.live.chains import position_after
from feedserver.live.channel import Channel
from feedserver.live.encoded import CACHE_BYTES
from feedserver.live.messages import MESSAGE_MAX, Encode, Message, Messages
from feedserver.live.readers import Position, Reader
from feedserver.model import CATCH_UP_MAX, Verb
from feedserver.websocket import frames

pytestmark = pytest.mark.anyio

TAKEN = 100  # bytes that fit into the kernel
READERS = 1_000


class Stuck(Reader):
    """A socket that takes a few bytes, and whose transport keeps the rest as it is given."""

    __slots__ = ("_channel", "is_full", "kept")

    def __init__(self, channel: Channel, encode: Encode, *, is_full: bool = True) -> None:
        self.cohort = None
        self.encode = encode
        self.send = self._send
        self.kept: list[memoryview] = []
        self.is_full = is_full
        self._channel = channel

    def _send(self, data: bytes) -> int:
        return min(TAKEN, len(data)) if self.is_full else len(data)

    def send_parts(self, parts: Sequence[bytes]) -> int:
        return self._send(b"".join(parts))

    def fileno(self) -> int:
        return -1

    def keep(self, rest: list[memoryview]) -> None:
        self.kept += rest
        self._channel.fall_behind(self)

    def pending(self) -> int:
        return sum(map(len, self.kept))

    def finish(self, code: int) -> None: ...

    def abort(self) -> None: ...


def held(readers: list[Stuck]) -> int:
    """Count the bytes that they keep together, each once."""
    whole = {id(part.obj): part.obj for one in readers for part in one.kept}
    return sum(memoryview(each).nbytes for each in whole.values())


@pytest.fixture
async def here() -> AsyncIterator[World]:
    async with world(in_memory()) as made:
        yield made


async def channel_of(here: World) -> Channel:
    found = await here.stations[0].hub.channel("world")
    assert found is not None
    return found


@pytest.mark.parametrize("encode", [frames.text_frame, frames.deflated_frame])
async def test_readers_that_read_nothing_keep_one_snapshot_between_them(
    here: World, encode: Encode
) -> None:
    for number in range(17):
        body = "".join(f"{number * place} " for place in range(7_000))
        assert await here.submit("world", Verb.POST, headline=f"News {number}", body=body)
    await here.settle()
    followed = await channel_of(here)
    readers = [Stuck(followed, encode) for _ in range(READERS)]
    for reader in readers:
        here.now += 1  # each is told another time
        followed.join(reader, None)
    assert len(followed.behind) == READERS
    size = sum(map(len, encode(followed.chain(None)[0], here.now)))
    assert 200_000 < size <= MESSAGE_MAX
    assert all(reader.pending() == size - TAKEN for reader in readers)
    assert held(readers) < size + 100 * READERS


async def test_readers_that_come_from_long_ago_keep_one_snapshot_wherever_they_were(
    here: World,
) -> None:
    followed = await channel_of(here)
    positions: list[Position] = []
    for number in range(2 * CATCH_UP_MAX):
        assert await here.submit("world", Verb.POST, headline=f"News {number}", body="x" * 2_000)
        await here.settle()
        positions.append(followed.position)
    readers = [Stuck(followed, frames.text_frame) for _ in range(CATCH_UP_MAX // 2)]
    for reader, position in zip(readers, positions, strict=False):
        followed.join(reader, position)
    assert len(followed.behind) == len(readers)
    assert held(readers) < readers[0].pending() + 200 * len(readers)


@pytest.mark.parametrize("items", [50, CATCH_UP_MAX])
@pytest.mark.parametrize("cache", [CACHE_BYTES, 1_000_000], ids=["kept", "not kept"])
async def test_readers_that_take_nothing_hold_one_message_of_a_long_catch_up(
    here: World, items: int, cache: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = await channel_of(here)
    monkeypatch.setattr(here.stations[0].hub.cache, "_bytes_max", cache)
    before = followed.position
    for number in range(items):
        assert await here.submit("world", Verb.POST, headline=f"News {number}", body="x" * 60_000)
    await here.settle()
    made: list[Message] = []
    changes = Messages._changes

    def counted(self: Messages, *rest: Any) -> Message:
        message = changes(self, *rest)
        made.append(message)
        return message

    monkeypatch.setattr(Messages, "_changes", counted)
    assert len(followed.chain(before)) == -(-items // 17)
    with ExitStack() as seats:
        for _ in range(10):
            listener = seats.enter_context(followed.listener())
            await anext(followed.listen(listener, before))
    readers = [Stuck(followed, frames.text_frame) for _ in range(10)]
    for reader in readers:
        followed.join(reader, before)
    assert {sequence_of(message) for message in made} == {sequence_of(made[0])}, "the first alone"
    if cache == CACHE_BYTES:
        assert len(made) == 1
        assert held(readers) < MESSAGE_MAX + 200 * len(readers)


async def test_a_catch_up_that_goes_on_after_a_kill_keeps_nothing_of_it(here: World) -> None:
    followed = await channel_of(here)
    before = followed.position
    item = await here.submit("world", Verb.POST, headline="Unspeakable")
    await here.settle()
    chain = followed.chain(before)
    await here.submit("world", Verb.KILL, item, note="withdrawn")
    await here.settle()
    assert b"Unspeakable" in chain[0].stem, "it was begun before"
    cache = here.stations[0].hub.cache
    kept = [entry.value for entry in cache._entries.values()]
    assert not any(b"Unspeakable" in getattr(value, "stem", b"") for value in kept)
    assert not any(isinstance(value, bytes) and b"Unspeakable" in value for value in kept)


def sequence_of(message: Message) -> int:
    return position_after(message).sequence


async def test_readers_that_fall_behind_in_one_round_keep_one_frame_between_them(
    here: World,
) -> None:
    await here.settle()
    followed = await channel_of(here)
    readers = [Stuck(followed, frames.text_frame, is_full=False) for _ in range(READERS)]
    for reader in readers:
        followed.join(reader, None)
    assert followed.cohorts.readers == READERS
    for reader in readers:
        reader.is_full = True
    assert await here.submit("world", Verb.POST, headline="News", body="x" * 60_000)
    await here.settle()
    assert len(followed.behind) == READERS
    assert held(readers) == readers[0].pending() + TAKEN
