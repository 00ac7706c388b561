"""A WebSub hub is told of each change, whatever befalls it, and nobody waits for it."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hubs import StandIn
from support.lines import eventually
from support.server import Server

SUBSCRIBED = (".atom", ".rss", ".json")
# The same waits as ever, in the same order, but short.
SHORT = """
import feedserver.outgoing.websub as websub
websub.SETTLE_SECONDS, websub.LOCK_SECONDS = 0.3, 0.1
websub.RETRY_SECONDS = (0.1, 0.4)
import feedserver.api.health as health
health.FAILING_MAX = 0
"""
Start = Callable[..., Server]


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with StandIn() as opened:
        yield opened


@pytest.fixture
def start(tmp_path: Path, hub: StandIn) -> Iterator[Start]:
    """Start servers over one folder that tell the hub."""
    started: list[Server] = []

    def begin(*options: str, first: str = "") -> Server:
        environ = {"FEEDSERVER_WEBSUB_HUB": hub.url}
        new = not started
        server = Server(tmp_path / "data", *options, environ=environ, new=new, first=SHORT + first)
        started.append(server.start())
        return server

    yield begin
    for server in started:
        server.stop()


def head(server: Server, slug: str) -> int:
    with server.reading() as reader:
        cursor: str = reader.get(f"/v1/feeds/{slug}").json()["cursor"]
    return int(cursor.split(".")[1])


def told(server: Server, slug: str) -> int:
    """Return up to which sequence the hub is known to have been told of a feed."""
    with closing(sqlite3.connect(server.data / "outgoing.db")) as database:
        row = database.execute("SELECT sequence FROM told WHERE feed = ?", (slug,)).fetchone()
    return int(row[0]) if row else 0


def test_the_hub_is_told_of_what_readers_see_and_finds_it_there(start: Start, hub: StandIn) -> None:
    server = start()
    documents = {f"{server.url}/feeds/world{suffix}" for suffix in SUBSCRIBED}
    eventually(lambda: set(hub.pings) == documents)  # as it has never been told of the feed
    with server.editing() as anna:
        item = anna.item("Secret bus")
        eventually(lambda: hub.count("world") == [2, 2, 2])
        assert all("Secret bus" in text for text in hub.fetched.values())
        item = anna.revised(item, "kill", note="A hoax.")
        eventually(lambda: hub.count("world") == [3, 3, 3])
        assert all("A hoax." in text for text in hub.fetched.values())
        assert not any("Secret" in text for text in hub.fetched.values())
        for number in range(20):
            anna.item(f"News {number}")
        eventually(lambda: all("News 19" in text for text in hub.fetched.values()))
        assert max(hub.count("world")) < 3 + 20, "a burst is told of together"
        eventually(lambda: told(server, "world") == head(server, "world"))
        before = hub.count("world")
        (newest, *_) = anna.get("/v1/feeds/world/items").json()["items"]
        anna.revised(anna.revised(newest, "pin"), "unpin")
        assert anna.configure("other", title="Other").status_code == 201
        eventually(lambda: hub.count("other") == [1, 1, 1])
        assert hub.count("world") == before, "of a pin nobody is told"
        assert stat.S_IMODE((server.data / "outgoing.db").stat().st_mode) == 0o600


def test_documents_name_the_hub_to_those_that_subscribe(start: Start, hub: StandIn) -> None:
    server = start()
    with server.reading() as reader:
        for suffix in (*SUBSCRIBED, ".ninjs", ".jsonld", ".md"):
            answer = reader.get(f"/feeds/world{suffix}")
            is_named = suffix in SUBSCRIBED
            assert (f'<{hub.url}>; rel="hub"' in answer.headers.get("Link", "")) == is_named
            assert (hub.url in answer.text) == is_named


def test_a_hub_that_fails_is_told_again_and_no_publication_waits(
    start: Start, hub: StandIn
) -> None:
    hub.script = ["hang", 500, 429, "lose", 404]
    server = start(first="websub.REQUEST_SECONDS = 1.0")
    with server.editing() as anna, server.reading() as reader:
        eventually(lambda: hub.asked == 1)
        for number in range(3):
            assert anna.submit(f"While it hangs {number}").status_code == 201
        eventually(lambda: not hub.script)
        eventually(lambda: all("While it hangs 2" in text for text in hub.fetched.values()))
        eventually(lambda: len(set(hub.pings)) == 3)
        eventually(lambda: "failing" not in reader.get("/readyz").json())
        hub.always = 503
        anna.item("Later")
        told = eventually(lambda: reader.get("/readyz").json().get("failing"))
        assert told[hub.url]["detail"] == "it answered 503"
        assert reader.get("/readyz").status_code == 200
        hub.always = None
        eventually(lambda: any("Later" in text for text in hub.fetched.values()))
        eventually(lambda: "failing" not in reader.get("/readyz").json())


def test_what_was_not_told_before_an_end_is_told_after_it_and_nothing_twice(
    start: Start, hub: StandIn
) -> None:
    hub.always = 500
    server = start()
    with server.editing() as anna:
        anna.item("News")
        eventually(lambda: hub.asked > 1)
    server.kill9()
    hub.always = None
    server = start("--workers", "2")
    eventually(lambda: hub.count("world") == [1, 1, 1])
    with server.editing() as anna:
        anna.item("More")
    eventually(lambda: hub.count("world") == [2, 2, 2])
    eventually(lambda: told(server, "world") == head(server, "world"))
    with server.reading() as reader:
        eventually(lambda: "failing" not in reader.get("/readyz").json())
    server.stop()
    server = start()
    with server.editing() as anna:
        anna.configure("other", title="Other")
        eventually(lambda: hub.count("other") == [1, 1, 1])
    assert hub.count("world") == [2, 2, 2]


def test_a_full_disk_ends_neither_the_server_nor_the_pings(start: Start, hub: StandIn) -> None:
    server = start(
        first="""
import sqlite3
from feedserver.outgoing.cursors import Cursors
def full(*_): raise sqlite3.OperationalError("database or disk is full")
Cursors.tell = Cursors.recover = Cursors.fail = full
websub.RETRY_SECONDS = (0.1, 0.4)
"""
    )
    eventually(lambda: len(hub.pings) >= 3)
    hub.script = [500]
    with server.editing() as anna:
        anna.item("Still told")
        eventually(lambda: list(hub.fetched.values()) and "Still told" in str(hub.fetched))
        assert anna.get("/readyz").json()["status"] == "ready"


def test_a_damaged_file_is_called_so(server: Server, hub: StandIn) -> None:
    (server.data / "outgoing.db").write_bytes(b"nonsense" * 512)
    told = server.run("serve", "--port", "0", "--websub-hub", hub.url)
    assert told.returncode == 1
    assert "outgoing.db cannot be used" in told.stderr


def test_without_a_hub_nothing_is_told_and_no_file_made(server: Server) -> None:
    with server.reading() as reader:
        assert 'rel="hub"' not in reader.get("/feeds/world.atom").headers["Link"]
        assert not (server.data / "outgoing.db").exists()
