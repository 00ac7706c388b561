"""Whose files are these? A server that finds none, others, or none any more says so, and waits."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.forensics import flip
from support.server import Server
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE = 20.0


def until(done: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while not (found := done()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def wal_of(server: Server) -> Path:
    return server.data / "feed.db-wal"


def close_code(server: Server) -> int:
    with connect(server.live(), subprotocols=["newsfeed.v1"]) as socket:  # type: ignore[list-item]
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=PATIENCE)
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_without_a_newsroom_waits_for_one_and_tells_no_reader_that_its_feed_is_gone(
    tmp_path: Path, workers: str
) -> None:
    server = Server(tmp_path / "data", "--workers", workers, new=False).start()
    try:
        with server.reading() as anyone:
            ready = anyone.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (503, "no database")
            assert anyone.get("/healthz").status_code == 200
            for path in ("/v1/feeds/world", "/feeds/world", "/v1/feeds/world/changes"):
                answer = anyone.get(path)
                assert answer.status_code == 503, path
                assert int(answer.headers["retry-after"]) > 0
            assert close_code(server) == 1013
            assert not (tmp_path / "data" / "feed.db").exists()  # it makes none
            server.cli("feed", "add", "world", "--title", "World")
            assert until(lambda: anyone.get("/readyz").status_code == 200)
            assert until(lambda: anyone.get("/v1/feeds/world").status_code == 200)
    finally:
        assert server.stop() == 0


def test_a_database_that_was_moved_away_is_asked_for_and_the_rest_is_not_touched(
    server: Server, tmp_path: Path
) -> None:
    with server.editing() as editor:
        items = [editor.item(f"News {n}") for n in range(20)]
    server.kill9()
    assert wal_of(server).stat().st_size > 0
    log = wal_of(server).read_bytes()
    (server.data / "feed.db").rename(tmp_path / "feed.db")
    for command in (
        ("serve", "--port", "0"),
        ("feed", "list"),
        ("feed", "add", "x", "--title", "X"),
    ):
        done = server.run(*command)
        assert done.returncode == 1
        assert "put feed.db back" in done.stderr
    assert wal_of(server).read_bytes() == log
    assert not (server.data / "feed.db").exists()
    (tmp_path / "feed.db").rename(server.data / "feed.db")
    server.start()
    with server.reading() as anyone:
        page = anyone.get("/v1/feeds/world/items").json()
        assert [item["id"] for item in page["items"]] == [item["id"] for item in items[::-1]]


@pytest.mark.parametrize("name", ["feed.db", "feed.keys"])
def test_files_that_go_away_under_the_server_are_said_and_nothing_is_acknowledged(
    server: Server, tmp_path: Path, name: str
) -> None:
    with server.editing() as editor, server.reading() as anyone:
        item = editor.item("Before")
        (server.data / name).rename(tmp_path / name)
        for answer in (editor.submit("Lost"), editor.revise(item, "kill", note="x")):
            assert answer.status_code == 503
            assert name in answer.json()["detail"]
        ready = anyone.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "moved")
        # Readers too: nobody knows what becomes of the news. Open streams wait.
        paths = ("/", "/feeds/world", "/v1/feeds", "/v1/feeds/world/items", "/v1/feeds/x/changes")
        assert until(lambda: all(anyone.get(path).status_code == 503 for path in paths))
        answer = anyone.get("/v1/feeds/world/items")
        assert name in answer.json()["detail"]
        assert answer.headers["cache-control"] == "no-store"
        assert close_code(server) == 1013
        for path in ("/ticker.js", "/healthz"):
            assert anyone.get(path).status_code == 200
        shutil.copy(tmp_path / name, server.data / name)  # a copy is another file
        assert editor.submit("Lost").status_code == 503
        (server.data / name).unlink()
        (tmp_path / name).rename(server.data / name)
        assert anyone.get("/v1/feeds/world/items").json()["items"][0]["headline"] == "Before"
        assert editor.submit("After").status_code == 201
        assert anyone.get("/readyz").json()["status"] == "ready"


def test_a_folder_that_is_deleted_under_the_server_is_said(server: Server) -> None:
    with server.editing() as editor, server.reading() as anyone:
        editor.item("Before")
        shutil.rmtree(server.data)
        assert editor.submit("Lost").status_code == 503
        assert anyone.get("/readyz").json()["status"] == "moved"
        assert until(lambda: anyone.get("/v1/feeds/world/items").status_code == 503)


def test_a_log_that_lost_its_tail_is_noticed_and_its_numbers_name_no_other_news(
    server: Server,
) -> None:
    with server.editing() as editor, server.reading() as anyone:
        old = [editor.item(f"News {n}") for n in range(30)]
        epoch = anyone.get("/readyz").json()["epoch"]
        cursor = anyone.get("/v1/feeds/world").json()["cursor"]
    server.kill9()
    log = wal_of(server)
    flip(log, log.stat().st_size // 2)  # SQLite takes what is before it for the whole
    server.start()
    with server.editing() as editor, server.reading() as anyone:
        page = anyone.get("/v1/feeds/world/items").json()
        assert 0 < len(page["items"]) < 30
        assert anyone.get("/readyz").json()["epoch"] != epoch
        new = editor.item("New")
        assert new["id"] >= 100_000
        assert new["id"] not in {item["id"] for item in old}
        message = anyone.get("/v1/feeds/world/changes", params={"since": cursor}).json()
        assert message["type"] == "snapshot"
        assert message["items"][0]["headline"] == "New"


def test_on_a_read_only_file_system_readers_are_served_and_editors_told_why(
    server: Server, tmp_path: Path
) -> None:
    with server.editing() as editor:
        item = editor.item("Before")
    server.stop()
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*as_root, "mount", "--bind", server.data, mounted], check=True)
    try:
        subprocess.run([*as_root, "mount", "-o", "remount,ro,bind", mounted], check=True)
        fixed = Server(mounted, new=False)
        assert "world" in fixed.cli("feed", "list")
        fixed.start()
        try:
            with fixed.reading() as anyone, fixed.editing(server.token) as editor:
                page = anyone.get("/v1/feeds/world/items").json()
                assert [one["id"] for one in page["items"]] == [item["id"]]
                ready = anyone.get("/readyz")
                assert (ready.status_code, ready.json()["status"]) == (200, "reading only")
                assert "read-only" in ready.json()["trouble"]
                refused = editor.submit("Lost")
                assert refused.status_code == 503
                assert "read-only" in refused.json()["detail"]
        finally:
            assert fixed.stop() == 0
    finally:
        subprocess.run([*as_root, "umount", mounted], check=True)
