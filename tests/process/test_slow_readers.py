"""Readers that stop, drip or hang: nobody else waits for them, and they cost no memory."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.lines import Follower, Stuck, eventually, live, stream
from support.server import Editor, Server
from websockets.sync.client import connect

LARGE = "x" * 60_000
LATER_AN_HOUR = """
import signal
from feedserver.api import editing
from feedserver.live import channel
from feedserver.websocket import http1
assert editing.DELIVERY_SECONDS and channel.STALL_SECONDS and http1.STALL_SECONDS
channel.STALL_SECONDS = http1.STALL_SECONDS = 3600.0  # it stays to the end
def wait_longer(*_):
    editing.DELIVERY_SECONDS = 3600.0
signal.signal(signal.SIGUSR1, wait_longer)
"""
SOON = "import feedserver.live.channel; feedserver.live.channel.STALL_SECONDS = 1.0"


@pytest.fixture(
    params=[("--aio", "off"), (), ("--io-uring", "on")], ids=["one by one", "aio", "io_uring"]
)
def options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How the server sends."""
    return tuple(request.param)


@pytest.fixture
def impatient(tmp_path: Path, options: tuple[str, ...]) -> Iterator[Server]:
    """A server that gives up a stalled reader after one second."""
    with Server(tmp_path / "data", *options, first=SOON) as started:
        yield started


def readers(editor: Editor) -> dict[str, int]:
    answer = editor.get("/v1/feeds/world/readers").json()
    return {"all": answer["readers"], **answer["by"]}


def delivered(editor: Editor, **fields: str) -> tuple[int, int]:
    """Post, and return who took it, of how many."""
    answer = editor.submit(**fields)
    found = re.fullmatch(r"(\d+); of=(\d+); ms=\d+", answer.headers["Delivered"])
    assert found
    return int(found[1]), int(found[2])


def test_a_reader_that_stops_reading_holds_up_nobody_and_is_dropped(impatient: Server) -> None:
    async def watch_beside(stuck: Stuck) -> None:
        healthy = Follower(impatient.url)
        following = asyncio.create_task(healthy.follow())
        with impatient.editing() as editor:
            await until(lambda: healthy.client.cursor)
            for number in range(20):
                fields = {"headline": f"News {number}", "body": LARGE}
                await asyncio.to_thread(delivered, editor, **fields)
                await until(lambda number=number: len(healthy.client.rows) == number + 1)
            await until(lambda: readers(editor)["all"] == 1)
            assert await asyncio.to_thread(stuck.is_cut_off)
            assert healthy.connections == 1
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    with Stuck(impatient, live()) as stuck:
        asyncio.run(watch_beside(stuck))


def test_an_editor_is_told_who_took_the_news_and_who_is_behind(server: Server) -> None:
    with (
        Stuck(server, live()),
        connect(server.live(), compression=None, proxy=None) as healthy,
        server.editing() as editor,
    ):
        eventually(lambda: readers(editor)["ws"] == 2)
        healthy.recv()
        for _ in range(20):
            took, of = delivered(editor, headline="News", body=LARGE)
            healthy.recv()
        assert (took, of) == (1, 2)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(true):
            await asyncio.sleep(0.005)


def test_a_slow_reader_that_makes_progress_is_kept(impatient: Server) -> None:
    with Stuck(impatient, live()) as slow, impatient.editing() as editor:
        for number in range(12):
            editor.item(f"News {number}", body=LARGE)
            assert slow.read(3_000)
        slow.read_slowly(5)  # five times as long as a stalled one is borne
        assert readers(editor) == {"all": 1, "ws": 1, "sse": 0}


def test_readers_that_stop_reading_cost_the_server_no_memory(server: Server) -> None:
    with server.editing() as editor:
        item = editor.item(body=LARGE)
        crowd = [Stuck(server, live()) for _ in range(40)]
        eventually(lambda: readers(editor)["ws"] == 40)
        for number in range(20):
            item = editor.revised(item, "fix", body=f"{number} {LARGE}")
        before = server.memory()
        for number in range(100):
            item = editor.revised(item, "fix", body=f"{number} {LARGE}")
        # A queue for each of them would hold 40 · 100 · 60 KB: 240 MB.
        assert server.memory() - before < 24_000_000
        assert readers(editor)["ws"] == 40
    for stuck in crowd:
        stuck.close()


@pytest.mark.parametrize("websocket", [True, False], ids=["socket", "stream"])
def test_a_long_snapshot_is_in_memory_once_for_all_who_do_not_read_it(
    server: Server, websocket: bool
) -> None:
    kind = "ws" if websocket else "sse"
    with server.editing() as editor:
        for number in range(17):
            editor.item(f"News {number}", body=LARGE)
        before = server.memory()
        path = live() if websocket else stream()
        crowd = [Stuck(server, path, websocket=websocket) for _ in range(200)]
        eventually(lambda: readers(editor)[kind] == 200)
        # A snapshot for each of them would be 200 MB; a stream's own state is some 40 KB.
        assert server.memory() - before < 30_000_000
    for stuck in crowd:
        stuck.close()


def test_a_long_catch_up_for_a_reader_that_does_not_read_costs_little_memory(
    server: Server,
) -> None:
    with server.editing() as editor, server.reading() as anyone:
        cursor = anyone.get("/v1/feeds/world").json()["cursor"]
        for number in range(100):
            editor.item(f"News {number}", body=LARGE)
        anyone.get(f"/v1/feeds/world/changes?since={cursor}")  # all is encoded once
        before = server.memory()
        crowd = [Stuck(server, f"{live()}?since={cursor}") for _ in range(30)]
        eventually(lambda: readers(editor)["ws"] == 30)
        editor.item("After that")
        # All of it for each of them would be 30 · 6 MB; one message each is 30 MB at most.
        assert server.memory() - before < 60_000_000
    for stuck in crowd:
        stuck.close()


def test_a_stream_that_nobody_reads_delays_an_editor_once(tmp_path: Path) -> None:
    with (
        Server(tmp_path / "data", first=LATER_AN_HOUR) as server,
        Stuck(server, stream(), websocket=False),
        server.editing() as editor,
    ):
        eventually(lambda: readers(editor)["sse"] == 1)
        took = [delivered(editor, body=LARGE) for _ in range(20)]
        assert took[-5:] == [(0, 1)] * 5
        os.kill(server.pid, signal.SIGUSR1)
        # Whoever waits for it now waits for an hour.
        assert [delivered(editor, body=LARGE) for _ in range(5)] == [(0, 1)] * 5
