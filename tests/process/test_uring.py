"""Sends in lots, through the kernel's io_uring: to nobody but the readers they are for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import struct
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.client import Client, parse
from support.server import Editor, Server, live_url
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from feedserver import uring
from feedserver.uring import ENTRIES, Ring

Serve = Callable[..., Server]
RESET = struct.pack(
    "ii", 1, 0
)  # SO_LINGER: close with a reset, as a phone in a tunnel does not say

# As a container's runtime does: io_uring_setup (425) is not permitted.
FORBIDDEN = """
import ctypes, struct
code = b"".join(struct.pack("HBBI", *line) for line in [
    (0x20, 0, 0, 0),          # load the number of the call
    (0x15, 0, 1, 425),        # if it is io_uring_setup
    (0x06, 0, 0, 0x00050001), # answer EPERM
    (0x06, 0, 0, 0x7fff0000), # else allow it
])
kept = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(kept))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program) == 0
"""


@pytest.fixture
def ring() -> Iterator[Ring]:
    try:
        made = Ring()
    except OSError as fault:
        pytest.skip(f"this kernel refuses io_uring: {fault.strerror}")
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
    ring: Ring, pairs: list[tuple[socket.socket, socket.socket]]
) -> None:
    chance = random.Random(5)
    due = dict.fromkeys(pairs, b"")
    parts = 0
    for _ in range(600):
        frame = chance.randbytes(chance.choice([1, 600, 9_000, 200_000]))
        chosen = chance.sample(pairs, chance.choice([1, 7, ENTRIES, ENTRIES + 1, len(pairs)]))
        short = dict(ring.send(array("i", [own.fileno() for own, _ in chosen]), frame))
        parts += sum(took > 0 for took in short.values())
        for at, pair in enumerate(chosen):
            due[pair] += frame[: short.get(at, len(frame))]
        for pair in chance.sample(pairs, 30):
            assert taken(pair[1]) == due[pair]
            due[pair] = b""
    assert parts > 30, "a story without a socket that took a part"


def test_nothing_is_written_to_what_is_no_socket(
    ring: Ring, pairs: list[tuple[socket.socket, socket.socket]], tmp_path: Path
) -> None:
    kept = tmp_path / "feed.db"
    (own, other), (broken, gone) = pairs[:2]
    gone.close()
    with kept.open("wb") as file:
        closed = os.dup(file.fileno())
        os.close(closed)
        numbers = [own.fileno(), file.fileno(), closed, -1, broken.fileno()]
        assert ring.send(array("i", numbers), b"news") == [(1, 0), (2, 0), (3, 0), (4, 0)]
    assert taken(other) == b"news"
    assert kept.read_bytes() == b""


def test_what_the_kernel_did_not_take_up_is_not_sent_later(
    ring: Ring, pairs: list[tuple[socket.socket, socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = uring._call

    def half(number: int, ring: int, count: int, *rest: Any) -> int:
        return real(number, ring, count // 2, *rest)

    def none(*arguments: Any) -> int:
        raise OSError(11, "no memory for so many")

    for refusing, sent in ((half, 4), (none, 0)):
        monkeypatch.setattr(uring, "_call", refusing)
        short = ring.send(array("i", [own.fileno() for own, _ in pairs[:8]]), b"old")
        assert short == [(at, 0) for at in range(sent, 8)]
        monkeypatch.setattr(uring, "_call", real)
        assert ring.send(array("i", [own.fileno() for own, _ in pairs[8:20]]), b"new") == []
        assert [taken(other) for _, other in pairs[:8]] == [b"old"] * sent + [b""] * (8 - sent)
        assert [taken(other) for _, other in pairs[8:20]] == [b"new"] * 12


def uses_ring(server: Server) -> bool:
    links = Path(f"/proc/{server.pid}/fd").iterdir()
    return any("io_uring" in os.readlink(link) for link in links)


def test_readers_who_come_and_go_get_their_own_feed_and_nothing_else(
    ring: Ring, serve: Serve
) -> None:
    server = serve("--io-uring", "on", FEEDSERVER_READER_RATE="100000")
    assert uses_ring(server)
    server.cli("feed", "add", "sport", "--title", "Sport")
    with server.editing() as editor:
        asyncio.run(_come_and_go(server, editor))


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
    for number in range(150):
        for slug in ("world", "sport"):
            await asyncio.to_thread(editor.item, f"{slug} {number}", slug=slug)
    over.set()
    await asyncio.gather(*visitors, looking)
    assert len(visits) > 2_000
    assert max(visits) > 20


def _reset(line: ClientConnection) -> None:
    own = line.transport.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    line.transport.abort()


def test_where_the_kernel_refuses_sends_go_one_by_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Server(tmp_path / "data", "--io-uring", "on", first=FORBIDDEN) as server:
        assert not uses_ring(server)
        with server.editing() as editor:
            follow = Client()

            async def read() -> None:
                async with connect(server.live(), compression=None, proxy=None) as line:
                    follow.take(parse(await line.recv()))
                    await asyncio.to_thread(editor.item, "After all that")
                    follow.take(parse(await line.recv()))

            asyncio.run(read())
            assert [row["headline"] for row in follow.rows.values()] == ["After all that"]
        assert server.stop() == 0
    said = capfd.readouterr().err
    assert "refuses io_uring" in said
    assert "Operation not permitted" in said
