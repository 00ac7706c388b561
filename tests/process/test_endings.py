"""How a server ends, and what is there when it begins again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.client import Client, parse
from support.lines import Stuck, eventually, live, stream
from support.server import PATIENCE, ROOT, Server
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

LARGE = "x" * 60_000
LEFT = ["feed.db", "feed.keys", "lock", "search.db"]  # of a server that ended well
# Whoever hangs would be borne for an hour: a server that waits for one of them does not end here.
PATIENT = """
from feedserver.live import channel
from feedserver.websocket import connection, http1
for module, name in (
    (channel, "STALL_SECONDS"),
    (connection, "FINISH_SECONDS"),
    (http1, "STALL_SECONDS"),
    (http1, "REQUEST_SECONDS"),
):
    assert hasattr(module, name), name
    setattr(module, name, 3600.0)
"""


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", first=PATIENT) as started:
        yield started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_whoever_hangs_on_a_signal_ends_it_with_a_goodbye(
    patient: Server, number: signal.Signals
) -> None:
    idle = patient.reading()
    idle.get("/v1/feeds")  # the connection stays open
    stuck = [
        Stuck(patient, live()),
        Stuck(patient, stream(), websocket=False),
        Stuck(patient, "/v1/feeds/world/items", websocket=False),
    ]
    with patient.editing() as editor, patient.reading() as listening:
        eventually(lambda: editor.get("/v1/feeds/world/readers").json()["readers"] == 2)
        with (
            listening.stream("GET", stream()) as listener,
            connect(patient.live(), compression=None, proxy=None) as healthy,
        ):
            client = Client()
            client.take(parse(healthy.recv()))
            for _ in range(20):
                editor.item(body=LARGE)
                client.take(parse(healthy.recv()))
            assert patient.process is not None
            patient.process.send_signal(number)
            client.take(parse(healthy.recv()))
            assert client.retry_ms
            with pytest.raises(ConnectionClosed):
                healthy.recv()
            assert healthy.close_code == 1012
            *_, retry, data, _ = listener.iter_lines()
            goodbye = parse(data.removeprefix("data: "))
            assert goodbye["type"] == "goodbye"
            assert retry == f"retry: {goodbye['retry_ms']}"  # all that an EventSource reads of it
            assert patient.ended() == 0
    idle.close()
    for one in stuck:
        one.close()
    assert sorted(path.name for path in patient.data.iterdir()) == LEFT


def test_a_retry_after_kill_9_is_answered_with_what_the_first_try_made(server: Server) -> None:
    with server.editing() as editor:
        posted = editor.submit("Bridge reopens", key="one")
        item = posted.json()
        updated = editor.revise(item, "update", key="two", headline="Bridge open")
        editor.revised(updated.json(), "pin")
    server.restart(kill9=True)
    with server.editing() as editor:
        again = editor.submit("Bridge reopens", key="one")
        assert (again.status_code, again.json()) == (201, item)
        assert again.headers["Idempotent-Replayed"] == "true"
        again = editor.revise(item, "update", key="two", headline="Bridge open")
        assert (again.status_code, again.json()) == (201, updated.json())
        assert editor.submit("Another", key="one").status_code == 422
        assert len(editor.get("/v1/feeds/world/items").json()["items"]) == 1


def test_who_comes_back_before_anything_new_is_told_so_and_not_all_again(server: Server) -> None:
    with server.editing() as editor:
        editor.item()
        with connect(server.live(), proxy=None) as line:
            cursor = parse(line.recv())["cursor"]
        for kill9 in (True, False):
            server.restart(kill9=kill9)
            with connect(server.live(since=cursor), proxy=None) as line:
                message = parse(line.recv())
                assert message["type"] == "changes"
                assert message["since"] == message["cursor"] == cursor
                assert message["items"] == []


def test_a_feed_that_is_reopened_goes_on_where_it_was(server: Server) -> None:
    client = Client()
    with server.editing() as editor:
        first = editor.item("Before")
        editor.configure(closed=True)
        with connect(server.live(), proxy=None) as line:
            while not client.ended:
                client.take(parse(line.recv()))
            with pytest.raises(ConnectionClosed):
                line.recv()
            assert line.close_code == 4410
        assert client.feed["closed_at"]
        editor.configure(closed=False)
        editor.revised(first, "update", headline="After")
        with connect(server.live(since=client.cursor), proxy=None) as line:
            assert not client.take(parse(line.recv()))
            editor.item("And on")
            assert not client.take(parse(line.recv()))
        assert "closed_at" not in client.feed
        assert [row["headline"] for row in client.shown] == ["And on", "After"]


def test_a_backup_put_in_place_of_the_database_is_told_apart(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with server.editing() as editor:
        editor.item("In the first database")
    with connect(server.live(), proxy=None) as line:
        client = Client()
        client.take(parse(line.recv()))
    with Server(tmp_path_factory.mktemp("other") / "data") as other:
        with other.editing() as editor:
            for number in range(4):
                editor.item(f"In the second {number}")
        with connect(other.live(since=client.cursor), proxy=None) as line:
            message = parse(line.recv())
    assert message["type"] == "snapshot"
    assert not client.take(message)
    assert [row["headline"] for row in client.shown] == [f"In the second {n}" for n in (3, 2, 1, 0)]


DIES = """
import asyncio, os
import {module} as module

async def later(*words):
    while not os.path.exists({sign!r}):
        await asyncio.sleep(0.01)
    at_once()

def at_once(*words):
    raise TypeError("nobody foresaw this")

module.{part} = {when}
"""


@pytest.mark.parametrize(
    ("module", "part", "when"),
    [
        ("feedserver.live.hub", "Hub.apply", "at_once"),
        ("feedserver.api.access", "Tokens.apply", "at_once"),
        ("feedserver.live.hub", "Hub.run", "later"),
        ("feedserver.sqlite.journal", "SQLiteJournal._write", "later"),
        ("feedserver.sqlite.journal", "SQLiteJournal._watch", "later"),
        ("feedserver.sqlite.eraser", "Eraser.work", "later"),
    ],
)
def test_a_server_of_which_a_part_has_died_ends_with_1(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], module: str, part: str, when: str
) -> None:
    sign = tmp_path / "die"
    first = DIES.format(module=module, part=part, when=when, sign=str(sign))
    server = Server(tmp_path / "data", first=first).start()
    sign.touch()
    if when == "at_once":  # it dies of the first news
        with server.editing() as editor:
            editor.item()
    assert server.ended() == 1
    assert "nobody foresaw this" in capfd.readouterr().err
    assert sorted(path.name for path in server.data.iterdir()) == LEFT


def test_a_server_of_which_a_part_dies_at_the_start_never_says_that_it_is_ready(
    tmp_path: Path,
) -> None:
    sign = tmp_path / "die"
    sign.touch()
    Server(tmp_path / "data")  # makes the newsroom
    module, part = "feedserver.sqlite.journal", "SQLiteJournal._watch"
    dies = DIES.format(module=module, part=part, when="later", sign=str(sign))
    program = f"{dies}\nfrom feedserver.commands.program import main\nexit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "serve", "--port", "0", "--data", str(tmp_path / "data")],
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")


def test_a_second_server_on_the_same_port_says_so(server: Server) -> None:
    second = server.run("serve", "--port", str(server.port))
    assert second.returncode == 1
    assert "in use" in second.stderr
    assert "--port" in second.stderr
    assert second.stdout == ""
    with server.reading() as anyone:  # and the first one serves on
        assert anyone.get("/readyz").json()["status"] == "ready"


def test_who_never_answers_a_goodbye_is_waited_for_a_moment_and_no_more(tmp_path: Path) -> None:
    soon = "import feedserver.websocket.server as s; s.GOODBYE_SECONDS, s.GRACE_SECONDS = 0.5, 3600"
    with Server(tmp_path / "data", first=soon) as server, server.editing() as editor:
        silent = Stuck(server, live())  # takes its goodbye, and says nothing
        stalled = [Stuck(server, live()), Stuck(server, stream(), websocket=False)]
        eventually(lambda: editor.get("/v1/feeds/world/readers").json()["readers"] == 3)
        for _ in range(20):
            editor.item(body=LARGE)
            while b"version" not in silent.read(65536):
                pass
        assert server.stop() == 0
        for one in [silent, *stalled]:
            one.close()


def test_who_reads_steadily_gets_all_of_its_page_at_the_end(server: Server) -> None:
    with server.editing() as editor:
        for _ in range(60):
            editor.item(body=LARGE)
    stalled = Stuck(server, stream(), websocket=False)  # makes the goodbye as long as it can be
    with socket.create_connection(("127.0.0.1", server.port)) as steady:
        steady.sendall(b"GET /v1/feeds/world/items?limit=200 HTTP/1.1\r\nHost: x\r\n\r\n")
        head, _, got = steady.recv(65536).partition(b"\r\n\r\n")
        assert server.process is not None
        server.process.terminate()
        # Its pace is bound to outlast the goodbye, and its own buffer.
        while part := steady.recv(16_384):
            got += part
            time.sleep(0.015)
    assert f"content-length: {len(got)}" in head.decode().lower()
    assert server.ended() == 0
    stalled.close()
