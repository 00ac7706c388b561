"""The app needs no server of our own: under any other a plain loop sends the same, slower."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.websockets import WebSocketDisconnect
from support.client import Client, due, parse
from support.server import Server

from feedserver.service import create_app
from feedserver.settings import read_settings

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


def test_the_pages_and_the_ticker_are_served(app: TestClient) -> None:
    post(app, "Read all about it")
    assert "Read all about it" in app.get("/feeds/world").text
    assert "live-ticker" in app.get("/ticker.js").text
