"""Sends to many readers with one system call: to nobody but the readers they are for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import random
import re
import socket
import sqlite3
import struct
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.client import Client, parse
from support.lines import Follower
from support.server import Editor, Server, live_url
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from feedserver.linux import aio, uring
from feedserver.linux.aio import Aio
from feedserver.linux.batches import ENTRIES, KernelQueue
from feedserver.linux.uring import Ring

Serve = Callable[..., Server]
RESET = struct.pack(
    "ii", 1, 0
)  # SO_LINGER: close with a reset, as a phone in a tunnel does not say

# As a container's runtime does: io_uring_setup or io_setup is not permitted.
FORBIDDEN = """
import ctypes, struct
code = b"".join(struct.pack("HBBI", *line) for line in [
    (0x20, 0, 0, 0),          # load the number of the call
    (0x15, 0, 1, {call}),     # if it is this one
    (0x06, 0, 0, 0x00050001), # answer EPERM
    (0x06, 0, 0, 0x7fff0000), # else allow it
])
kept = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(kept))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program) == 0
"""
# The kernel keeps one of the writes that it was told of, once, amid the third batch.
GIVEN_UP = """
import feedserver.linux.aio as aio
take, taken = aio.Aio._take_events, []
def forgetful(queue, count):
    taken.append(count)
    return take(queue, count) - (len(taken) == 3)
aio.Aio._take_events = forgetful
"""
SETUP, _, GETEVENTS, SUBMIT = aio._NUMBERS.get(platform.machine(), aio._LATER)
WAYS = {"io_uring": ("--io-uring", "on"), "asynchronous I/O": ("--aio", "on")}
TALKING = ("--log-level", "info")


def opened(way: type[KernelQueue]) -> KernelQueue:
    try:
        return way()
    except OSError as fault:
        pytest.skip(f"this kernel refuses {way.__name__}: {fault.strerror}")


@pytest.fixture(params=[Ring, Aio])
def queue(request: pytest.FixtureRequest) -> Iterator[KernelQueue]:
    made = opened(request.param)
    yield made
    made.close()


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    made = [socket.socketpair() for _ in range(ENTRIES * 2 + 40)]
    for one in (end for pair in made for end in pair):
        one.setblocking(False)
    yield made
    for one in (end for pair in made for end in pair):
        one.close()


def taken(other: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(BlockingIOError):
        while part := other.recv(1 << 20):
            data += part
    return data


def test_each_socket_takes_what_the_answer_says(
    queue: KernelQueue, pairs: list[tuple[socket.socket, socket.socket]]
) -> None:
    chance = random.Random(5)
    due = dict.fromkeys(pairs, b"")
    parts = 0
    for _ in range(600):
        frame = chance.randbytes(chance.choice([1, 600, 9_000, 200_000]))
        chosen = chance.sample(pairs, chance.choice([1, 7, ENTRIES, ENTRIES + 1, len(pairs)]))
        short = dict(queue.send(array("i", [own.fileno() for own, _ in chosen]), frame))
        parts += sum(took > 0 for took in short.values())
        for at, pair in enumerate(chosen):
            due[pair] += frame[: short.get(at, len(frame))]
        for pair in chance.sample(pairs, 30):
            assert taken(pair[1]) == due[pair]
            due[pair] = b""
    assert parts > 30, "a story without a socket that took a part"


def test_what_is_closed_or_broken_takes_nothing_and_stops_nobody(
    queue: KernelQueue, pairs: list[tuple[socket.socket, socket.socket]]
) -> None:
    (own, other), (broken, gone), (last, end) = pairs[:3]
    gone.close()
    closed = os.dup(own.fileno())
    os.close(closed)
    numbers = [-1, own.fileno(), closed, -1, broken.fileno(), last.fileno()]
    for _ in range(3):
        assert queue.send(array("i", numbers), b"news") == [(0, 0), (2, 0), (3, 0), (4, 0)]
        assert taken(other) == taken(end) == b"news"
    assert queue.send(array("i", [-1] * 3), b"news") == [(0, 0), (1, 0), (2, 0)]


def test_io_uring_writes_to_nothing_that_is_no_socket(tmp_path: Path) -> None:
    kept = tmp_path / "feed.db"
    ring = opened(Ring)
    with kept.open("wb") as file:
        assert ring.send(array("i", [file.fileno()]), b"news") == [(0, 0)]
    ring.close()
    assert kept.read_bytes() == b""


def test_what_the_kernel_did_not_take_up_is_not_sent_later(
    queue: KernelQueue,
    pairs: list[tuple[socket.socket, socket.socket]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = uring if isinstance(queue, Ring) else aio
    real = module.call
    submit = {uring: uring._ENTER, aio: SUBMIT}[module]

    def half(number: int, place: Any, count: Any, *rest: Any) -> int:
        if number != submit:
            return real(number, place, count, *rest)
        if module is aio:
            if count.value < 5:
                raise OSError(11, "no memory for so many")
            count.value = 4
        else:
            count //= 2
        return real(number, place, count, *rest)

    def none(number: int, *arguments: Any) -> int:
        if number == submit:
            raise OSError(11, "no memory for so many")
        return real(number, *arguments)

    for refusing, sent in ((half, 4), (none, 0)):
        monkeypatch.setattr(module, "call", refusing)
        short = queue.send(array("i", [own.fileno() for own, _ in pairs[:8]]), b"old")
        assert short == [(at, 0) for at in range(sent, 8)]
        monkeypatch.setattr(module, "call", real)
        assert queue.send(array("i", [own.fileno() for own, _ in pairs[8:20]]), b"new") == []
        assert [taken(other) for _, other in pairs[:8]] == [b"old"] * sent + [b""] * (8 - sent)
        assert [taken(other) for _, other in pairs[8:20]] == [b"new"] * 12


def test_a_kernel_that_keeps_writes_waiting_is_given_up(
    pairs: list[tuple[socket.socket, socket.socket]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue = opened(Aio)
    real = aio.call
    numbers = array("i", [own.fileno() for own, _ in pairs[:8]])

    def late(number: int, *arguments: Any) -> int:
        return real(number, *arguments) - (number == GETEVENTS)

    monkeypatch.setattr(aio, "call", late)
    with pytest.raises(TimeoutError):
        queue.send(numbers, b"news")
    assert "AIO is given up" in caplog.text
    monkeypatch.setattr(aio, "call", real)
    for _, other in pairs[:8]:
        taken(other)
    assert queue.send(numbers, b"more") == [(at, 0) for at in range(8)]  # for the transports
    assert [taken(other) for _, other in pairs[:8]] == [b""] * 8


def way_of(capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Which of the kernel's queues a server says it has, and all that it said."""
    said = capfd.readouterr().err
    [line] = re.findall("each system call sends to (.*)", said)
    return line, said


@pytest.mark.parametrize("way", WAYS)
def test_readers_who_come_and_go_get_their_own_feed_and_nothing_else(
    serve: Serve, capfd: pytest.CaptureFixture[str], way: str
) -> None:
    server = serve(*WAYS[way], *TALKING, FEEDSERVER_READER_RATE="100000")
    said, _ = way_of(capfd)
    if said != f"many readers, through {way}":
        pytest.skip(f"this kernel refuses {way}")
    server.cli("feed", "add", "sport", "--title", "Sport")
    with server.editing() as editor:
        asyncio.run(_come_and_go(server, editor))
    assert server.stop() == 0
    # Nor was anything written to a file that got a reader's descriptor.
    with contextlib.closing(sqlite3.connect(server.data / "feed.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def _come_and_go(server: Server, editor: Editor) -> None:
    """Descriptors are given out again and again here, to readers of either feed and to pages."""
    over = asyncio.Event()
    visits: list[int] = []

    async def visit(slug: str, chance: random.Random) -> None:
        while not over.is_set():
            client = Client()
            url = live_url(server.url, slug, None)
            async with connect(url, compression=None, proxy=None) as line:
                with contextlib.suppress(TimeoutError, ConnectionClosed):
                    async with asyncio.timeout(chance.uniform(0.02, 0.6)):
                        async for text in line:
                            assert not client.take(parse(text)), "out of order"
                            named = {row["headline"].split()[0] for row in client.rows.values()}
                            assert named <= {slug}, "another feed's news"
                            visits.append(len(client.rows))
                if chance.random() < 0.5:
                    _reset(line)

    async def look(chance: random.Random) -> None:
        while not over.is_set():
            await asyncio.to_thread(editor.get, chance.choice(["/", "/ticker.js", "/v1/feeds"]))

    visitors = [
        asyncio.create_task(visit(slug, random.Random(seed)))
        for seed in range(60)
        for slug in ("world", "sport")
    ]
    looking = asyncio.create_task(look(random.Random(0)))
    number = 0
    while number < 150 or len(visits) < 2_000:
        number += 1
        for slug in ("world", "sport"):
            await asyncio.to_thread(editor.item, f"{slug} {number}", slug=slug)
    over.set()
    await asyncio.gather(*visitors, looking)
    assert max(visits) > 20


def _reset(line: ClientConnection) -> None:
    own = line.transport.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    line.transport.abort()


@pytest.mark.parametrize(
    ("options", "forbidden", "refused", "taken"),
    [
        (("--io-uring", "on"), uring._SETUP, "io_uring", "many readers, through asynchronous I/O"),
        ((), SETUP, "asynchronous I/O", "one reader"),
    ],
)
def test_where_the_kernel_refuses_one_way_another_is_taken(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    forbidden: int,
    refused: str,
    taken: str,
) -> None:
    first = FORBIDDEN.format(call=forbidden)
    with Server(tmp_path / "data", *options, *TALKING, first=first) as server:
        with server.editing() as editor:
            asyncio.run(_follow_one(server, editor))
        assert server.stop() == 0
    way, said = way_of(capfd)
    assert way == taken
    assert f"refuses {refused}: Operation not permitted" in said


def test_readers_hear_on_though_the_kernel_is_given_up(tmp_path: Path) -> None:
    """Who was just being written to is dropped and comes back; nobody is, after that."""
    with Server(tmp_path / "data", "--heartbeat", "1", first=GIVEN_UP) as server:
        with server.editing() as editor:
            asyncio.run(_follow_on(server, editor))
        assert server.stop() == 0


async def _follow_on(server: Server, editor: Editor) -> None:
    follower = Follower(server.url)
    following = asyncio.create_task(follower.follow())
    async with asyncio.timeout(30):
        for number in range(6):
            item = await asyncio.to_thread(editor.item, f"News {number}")
            while item["id"] not in follower.client.rows:
                await asyncio.sleep(0.01)
        told = follower.client.cursor
        while follower.heartbeats < 2:  # they come on the same way
            await asyncio.sleep(0.01)
    assert follower.client.cursor == told
    assert follower.connections == 2
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


def test_sends_go_one_by_one_where_the_operator_wants_that(
    serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    server = serve("--aio", "off", *TALKING)
    assert way_of(capfd)[0] == "one reader"
    with server.editing() as editor:
        asyncio.run(_follow_one(server, editor))


async def _follow_one(server: Server, editor: Editor) -> None:
    follow = Client()
    async with connect(server.live(), compression=None, proxy=None) as line:
        follow.take(parse(await line.recv()))
        await asyncio.to_thread(editor.item, "After all that")
        follow.take(parse(await line.recv()))
    assert [row["headline"] for row in follow.rows.values()] == ["After all that"]
