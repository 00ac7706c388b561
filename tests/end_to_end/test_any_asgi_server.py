"""The app needs no server of our own: under any other a plain loop sends the same, slower."""

from __future__ import annotations

import asyncio
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.websockets import WebSocketDisconnect
from support.client import Client, due, parse
from support.server import Server

from feedserver.live.hub import Hub
from feedserver.service import create_app, make_app, open_context
from feedserver.settings import read_settings
from feedserver.sqlite.journal import SQLiteJournal
from feedserver.websocket.frames import FRAMES

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have the next httpx
    from starlette.testclient import TestClient, WebSocketTestSession


@pytest.fixture
def folder(tmp_path: Path) -> Server:
    """A folder with a feed and an editor, and no server that runs."""
    return Server(tmp_path / "data")


@pytest.fixture
def app(folder: Server) -> Iterator[TestClient]:
    settings = read_settings({"data": str(folder.data), "heartbeat": "1"}, {})
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {folder.token}"
        yield client


def eventually(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it did not come true"


def post(app: TestClient, headline: str) -> dict[str, object]:
    answer = app.post("/v1/feeds/world/items", json={"headline": headline})
    assert answer.status_code == 201
    item: dict[str, object] = answer.json()
    return item


@contextmanager
def reading(app: TestClient, query: str = "") -> Iterator[WebSocketTestSession]:
    """Connect a reader; after it has left, wait until the app has seen that."""
    path = f"/v1/feeds/world/live{query}"
    with app.websocket_connect(path, subprotocols=["newsfeed.v1"]) as socket:
        yield socket
        socket.close()
        eventually(lambda: app.get("/v1/feeds/world/readers").json()["readers"] == 0)


def test_a_reader_gets_a_snapshot_live_changes_and_heartbeats(app: TestClient) -> None:
    post(app, "There before")
    reader = Client()
    with reading(app) as socket:
        assert socket.accepted_subprotocol == "newsfeed.v1"
        message = parse(socket.receive_text())
        assert message["type"] == "snapshot"
        assert not reader.take(message)
        for number in range(3):
            item = post(app, f"Live {number}")
            while item["id"] not in reader.rows:
                assert not reader.take(parse(socket.receive_text()))
        etag = f'"{item["etag"]}"'
        killed = app.post(
            f"/v1/feeds/world/items/{item['id']}/revisions",
            json={"verb": "kill", "note": "withdrawn"},
            headers={"If-Match": etag},
        )
        assert killed.status_code == 201
        while reader.rows[int(str(item["id"]))]["status"] != "killed":
            assert not reader.take(parse(socket.receive_text()))
        while message["type"] != "heartbeat":
            message = parse(socket.receive_text())
            assert not reader.take(message)
        readers = app.get("/v1/feeds/world/readers").json()
        assert readers == {"readers": 1, "by": {"ws": 1, "sse": 0}}
    del app.headers["Authorization"]
    assert reader.shown == due(app.get("/v1/feeds/world/items").json()["items"], reader.floor)


def test_a_reader_goes_on_from_its_cursor(app: TestClient) -> None:
    cursor = app.get("/v1/feeds/world").json()["cursor"]
    item = post(app, "Missed")
    with reading(app, f"?since={cursor}") as socket:
        message = parse(socket.receive_text())
    assert (message["type"], message["since"]) == ("changes", cursor)
    assert [one["id"] for one in message["items"]] == [item["id"]]


def test_an_editor_hears_how_many_took_it(app: TestClient) -> None:
    with reading(app) as socket:
        socket.receive_text()
        answer = app.post("/v1/feeds/world/items", json={"headline": "News"})
        assert answer.headers["delivered"].startswith("1; of=1; ms=")


def test_an_unknown_feed_and_a_closed_one_are_accepted_and_closed_with_their_codes(
    app: TestClient,
) -> None:
    with app.websocket_connect("/v1/feeds/nowhere/live") as socket:
        with pytest.raises(WebSocketDisconnect) as end:
            socket.receive_text()
        assert end.value.code == 4404
    with app.websocket_connect("/v1/feeds/world/live") as socket:
        assert parse(socket.receive_text())["type"] == "snapshot"
        assert app.put("/v1/feeds/world", json={"closed": True}).status_code == 200
        kind = "heartbeat"
        while kind == "heartbeat":
            kind = parse(socket.receive_text())["type"]
        assert [kind, parse(socket.receive_text())["type"]] == ["changes", "ended"]
        with pytest.raises(WebSocketDisconnect) as end:
            socket.receive_text()
        assert end.value.code == 4410


def test_who_says_too_much_is_closed_with_1008(app: TestClient) -> None:
    with app.websocket_connect("/v1/feeds/world/live") as socket:
        assert parse(socket.receive_text())["type"] == "snapshot"
        for _ in range(FRAMES + 1):
            socket.send_text("x")
        message: Any = {"type": "websocket.send"}
        while message["type"] == "websocket.send":
            message = socket.receive()
        assert (message["type"], message["code"]) == ("websocket.close", 1008)


def test_who_finds_no_room_gets_a_goodbye_and_1013(folder: Server) -> None:
    settings = read_settings({"data": str(folder.data), "readers": "1"}, {})
    with (
        TestClient(create_app(settings)) as app,
        app.websocket_connect("/v1/feeds/world/live") as inside,
        app.websocket_connect("/v1/feeds/world/live") as outside,
    ):
        assert parse(inside.receive_text())["type"] == "snapshot"
        goodbye = parse(outside.receive_text())
        assert goodbye["type"] == "goodbye"
        assert goodbye["retry_ms"] > 0
        with pytest.raises(WebSocketDisconnect) as end:
            outside.receive_text()
        assert end.value.code == 1013


class Line:
    """A server's side of one WebSocket, without a server."""

    def __init__(self, *, fault: Exception | None = None, gone: bool = False) -> None:
        self.sent: list[Any] = []
        self.fault = fault
        self.gone = gone

    async def receive(self) -> Any:
        if not self.sent:
            return {"type": "websocket.connect"}
        try:
            await asyncio.Event().wait()
        finally:
            if self.fault is not None:
                raise self.fault

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send" and self.gone:
            raise OSError
        self.sent.append(message)


def on_a_line(folder: Server, act: Callable[[Callable[[Line], Any], Line], Any], line: Line) -> int:
    """Serve one reader as another server would, do something, and count what outlives it."""
    settings = read_settings({"data": str(folder.data)}, {})

    async def main() -> int:
        async with open_context(settings, "http://news.example", lambda fault: None) as here:
            app = make_app(None)
            app.state.context = here
            scope = {
                "type": "websocket", "path": "/v1/feeds/world/live", "raw_path": b"",
                "query_string": b"", "headers": [], "subprotocols": [], "root_path": "",
            }  # fmt: skip
            await here.hub.channel("world")
            before = asyncio.all_tasks()
            await act(lambda line: app(scope, line.receive, line.send), line)
            assert here.hub.readers == 0
            return len(asyncio.all_tasks() - before)

    return asyncio.run(main())


async def cancel(serve: Callable[[Line], Any], line: Line) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(serve, line)
        while not any(message["type"] == "websocket.send" for message in line.sent):
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()


def test_no_task_outlives_a_reader_that_the_server_cancels(folder: Server) -> None:
    assert on_a_line(folder, cancel, Line()) == 0


def test_a_fault_on_a_readers_line_is_not_swallowed(folder: Server) -> None:
    async def cancel_and_see(serve: Callable[[Line], Any], line: Line) -> None:
        with pytest.raises(ExceptionGroup) as fault:
            await cancel(serve, line)
        assert "of the server's own" in "".join(traceback.format_exception(fault.value))

    assert on_a_line(folder, cancel_and_see, Line(fault=ValueError("of the server's own"))) == 0


def test_a_reader_that_is_gone_is_no_fault(folder: Server) -> None:
    async def serve_to_the_end(serve: Callable[[Line], Any], line: Line) -> None:
        await serve(line)

    assert on_a_line(folder, serve_to_the_end, Line(gone=True)) == 0


def fail(*_: object) -> None:
    raise TypeError("nobody foresaw this")


async def fail_later(*_: object) -> None:
    fail()


@pytest.mark.parametrize(
    ("owner", "part", "act"),
    [(Hub, "apply", fail), (Hub, "run", fail_later), (SQLiteJournal, "_watch", fail_later)],
)
def test_an_app_of_which_a_part_has_died_is_not_ready_any_more(
    folder: Server, monkeypatch: pytest.MonkeyPatch, owner: type, part: str, act: Any
) -> None:
    monkeypatch.setattr(owner, part, act)
    settings = read_settings({"data": str(folder.data)}, {})
    with TestClient(create_app(settings)) as app:
        app.headers["Authorization"] = f"Bearer {folder.token}"
        if act is fail:  # it dies of the first news
            assert app.get("/readyz").status_code == 200
            post(app, "News that never arrives")
        eventually(lambda: app.get("/readyz").status_code == 503)
        report = app.get("/readyz").json()
        assert report["status"] == "broken"
        assert "nobody foresaw this" in report["detail"]
        assert "restart" in report["detail"]
        assert app.get("/healthz").status_code == 200


def test_the_pages_and_the_ticker_are_served(app: TestClient) -> None:
    post(app, "Read all about it")
    assert "Read all about it" in app.get("/feeds/world").text
    assert "live-ticker" in app.get("/ticker.js").text
