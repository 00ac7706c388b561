"""The WebSocket door: what may come in, how it ends, and that no reader is ever left behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import http.client
import importlib.metadata
import os
import socket
import struct
import time
import tomllib
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import uvicorn
import uvloop
from packaging.requirements import Requirement
from support.answers import Feed, problem
from support.client import Client, parse
from support.raw import CLOSE, PING, PONG, TEXT, Raw, close, frame, request
from support.server import Editor, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState

from feedserver.websocket.connection import OpenSockets, SocketReader
from feedserver.websocket.frames import BUDGET, FRAMES
from feedserver.websocket.handshake import EXTENSION, TOGETHER, Handshake, HandshakeQueue
from feedserver.websocket.http1 import Connections

HELLO = frame(PING, b"hello")


def readers(feed: Feed, count: int) -> bool:
    """Wait until the feed has so many readers."""
    end = time.monotonic() + 10
    path = f"{feed.path}/readers"
    while (found := feed.editor.get(path).json()["readers"]) != count and time.monotonic() < end:
        pass
    return bool(found == count)


@pytest.fixture
def served(feed: Feed, house: Server) -> Iterator[Feed]:
    """A feed with a well-behaved reader, who is served to the end whatever others do."""
    with Raw(house).shake(feed.slug) as good:
        client = Client()
        assert not client.take(good.message())
        yield feed
        assert readers(feed, 1), "a reader who is gone still counts"
        item = feed.item("After all that")
        while client.cursor != feed.cursor:
            assert not client.take(good.message())
        assert client.rows[item["id"]]["headline"] == "After all that"
        assert feed.item().keys()
        assert feed.editor.submit(slug=feed.slug).headers["delivered"].startswith("1; of=1; ")


# Reading


def test_a_reader_gets_a_snapshot_and_then_each_change(feed: Feed, house: Server) -> None:
    before = feed.item("before")
    with Raw(house).shake(feed.slug) as reader:
        snapshot = reader.message()
        assert snapshot["type"] == "snapshot"
        assert [item["id"] for item in snapshot["items"]] == [before["id"]]
        item = feed.item("after")
        changes = reader.message()
        assert changes["since"] == snapshot["cursor"]
        assert changes["items"] == [{k: v for k, v in item.items() if k != "body"}]
        killed = feed.editor.revised(item, "kill", note="n")
        assert reader.message()["items"] == [killed]
    assert readers(feed, 0)


def test_who_comes_back_with_a_cursor_gets_what_was_missed(feed: Feed, house: Server) -> None:
    cursor = feed.cursor
    item = feed.item()
    with Raw(house).shake(feed.slug, f"?since={cursor}") as reader:
        message = reader.message()
        assert (message["type"], message["since"]) == ("changes", cursor)
        assert [one["id"] for one in message["items"]] == [item["id"]]
    with Raw(house).shake(feed.slug, f"?since={feed.cursor}") as reader:
        message = reader.message()
        assert (message["type"], message["items"]) == ("changes", [])


@pytest.mark.parametrize(
    "since", ["", "a b", "%00", "%FF", "x" * 5000, "a.b.c", "aaaaaaaa.1.aaaa", "<script>"]
)
def test_a_cursor_of_no_use_is_answered_with_a_snapshot(
    feed: Feed, house: Server, since: str
) -> None:
    with Raw(house).shake(feed.slug, f"?since={since.replace(' ', '%20')}") as reader:
        assert reader.message()["type"] == "snapshot"


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://["])
def test_a_page_of_any_site_may_read(feed: Feed, house: Server, origin: str) -> None:
    with Raw(house).shake(feed.slug, Origin=origin) as reader:
        assert reader.message()["type"] == "snapshot"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(None, None), ("newsfeed.v1", "newsfeed.v1"), ("a, newsfeed.v1", "newsfeed.v1"), ("a", None)],
)
def test_the_subprotocol_is_chosen_if_it_is_offered(
    feed: Feed, house: Server, offered: str | None, chosen: str | None
) -> None:
    with Raw(house).shake(feed.slug, Sec_WebSocket_Protocol=offered) as reader:
        assert reader.headers.get("sec-websocket-protocol") == chosen


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [
        (None, False),
        ("permessage-deflate", True),
        ("permessage-deflate; client_max_window_bits", True),
        ("permessage-deflate; server_no_context_takeover", True),
        ("permessage-deflate; server_max_window_bits=9", False),
        ("permessage-deflate; server_max_window_bits=9, permessage-deflate", True),
        ("permessage-deflate; nonsense=1", False),
        ("x-webkit-deflate-frame", False),
    ],
)
def test_messages_are_deflated_for_those_who_can_take_it(
    feed: Feed, house: Server, offered: str | None, agreed: bool
) -> None:
    feed.item(body="again and " * 200)
    with Raw(house).shake(feed.slug, Sec_WebSocket_Extensions=offered) as reader:
        assert ("sec-websocket-extensions" in reader.headers) is agreed
        assert reader.message()["items"][0]["blocks"] == [["again and " * 199 + "again and"]]
        feed.item(body="and again " * 200)
        assert reader.message()["items"][0]["blocks"] == [["and again " * 199 + "and again"]]
        reader.send(frame(TEXT, b"x", head=0xC0))
        if not agreed:
            assert reader.closed() == 1002


def test_a_heartbeat_comes_and_carries_the_newest_cursor(serve: Callable[..., Server]) -> None:
    server = serve("--heartbeat", "1")
    with Raw(server).shake("world") as reader:
        snapshot = reader.message()
        assert snapshot["heartbeat"] == 1
        beat = reader.message()
        assert beat.keys() == {"type", "epoch", "cursor", "now"}
        assert (beat["type"], beat["cursor"]) == ("heartbeat", snapshot["cursor"])
        assert beat["now"] > snapshot["now"]


# How it ends


@pytest.mark.parametrize("slug", ["nowhere", "UPPER", "%00", "a" * 500, "%FF", "';--"])
def test_an_unknown_feed_is_accepted_and_closed_with_4404(house: Server, slug: str) -> None:
    with Raw(house).shake(slug) as reader:
        assert reader.closed() == 4404
        reader.send(close(4404))
        assert reader.ended()


def test_a_closed_feed_answers_first_and_ends_with_4410(feed: Feed, house: Server) -> None:
    item = feed.item()
    with Raw(house).shake(feed.slug) as reader:
        assert reader.message()["type"] == "snapshot"
        feed.editor.configure(feed.slug, closed=True)
        assert reader.message()["feed"]["closed_at"]
        assert reader.message()["type"] == "ended"
        assert reader.closed() == 4410
    for query, kind in (("", "snapshot"), (f"?since={feed.cursor}", "changes")):
        with Raw(house).shake(feed.slug, query) as reader:
            message = reader.message()
            assert message["type"] == kind
            assert message["feed"]["closed_at"]
            assert len(message["items"]) == (kind == "snapshot")
            assert reader.message()["type"] == "ended"
            assert reader.closed() == 4410
    assert readers(feed, 0)
    feed.editor.revised(item, "kill", note="n")  # and what is there can still be withdrawn


def test_a_full_server_closes_with_1013_and_has_room_again(serve: Callable[..., Server]) -> None:
    server = serve("--readers", "2")
    with server.editing() as editor, contextlib.ExitStack() as stack:
        for _ in range(2):
            assert stack.enter_context(Raw(server)).shake("world").message()["items"] == []
        for offered in (None, "other, newsfeed.v1"):
            with Raw(server).shake("world", Sec_WebSocket_Protocol=offered) as third:
                # A browser that asked for a subprotocol hears nothing without it.
                chosen = third.headers.get("sec-websocket-protocol")
                assert chosen == (offered and "newsfeed.v1")
                goodbye = third.message()
                assert goodbye["type"] == "goodbye"
                assert goodbye["retry_ms"] > 0
                assert third.closed() == 1013
        answer = editor.get("/v1/feeds/world/stream")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        stack.close()
        feed = Feed("world", editor, editor)
        assert readers(feed, 0)
        with Raw(server).shake("world") as again:
            assert again.message()["type"] == "snapshot"


def test_a_restart_says_goodbye_and_1012(serve: Callable[..., Server]) -> None:
    server = serve()
    with Raw(server).shake("world") as reader, Raw(server).shake("world") as other:
        for one in (reader, other):
            assert one.message()["type"] == "snapshot"
        process = server.process
        assert process is not None
        process.terminate()
        for one in (reader, other):
            goodbye = one.message()
            assert goodbye["type"] == "goodbye"
            assert 0 < goodbye["retry_ms"] <= 30_000
            assert one.next() == (CLOSE, struct.pack("!H", 1012))
            one.send(close(1012))
            assert one.ended()
    assert server.ended() == 0


# What a client may say


def test_a_ping_is_answered_with_its_payload_and_all_else_is_ignored(
    served: Feed, house: Server
) -> None:
    with Raw(house).shake(served.slug) as reader:
        reader.message()
        reader.send(frame(PONG, b"unasked"), frame(TEXT, b"hello"), frame(2, b"\xff" * 300))
        for payload in (b"", b"x", b"\x00\xff" * 62):
            reader.send(frame(PING, payload))
            assert reader.next() == (PONG, payload)
        served.item()
        assert reader.message()["type"] == "changes"


def test_frames_in_one_segment_and_messages_in_many_frames_are_understood(
    served: Feed, house: Server
) -> None:
    with Raw(house).shake(served.slug) as reader:
        reader.message()
        parts = [frame(TEXT, b"a", head=0), HELLO, frame(0, b"b", head=0), HELLO, frame(0, b"c")]
        reader.send(b"".join(parts), *parts)
        assert [reader.next() for _ in range(4)] == [(PONG, b"hello")] * 4


def test_a_frame_split_at_any_byte_is_understood(served: Feed, house: Server) -> None:
    long = frame(PING, b"p" * 125)
    with Raw(house).shake(served.slug) as reader:
        reader.message()
        for at in range(1, len(HELLO)):
            reader.send(HELLO[:at], HELLO[at:])
            assert reader.next() == (PONG, b"hello")
        reader.send(*(bytes([byte]) for byte in long + HELLO))
        assert reader.next() == (PONG, b"p" * 125)
        assert reader.next() == (PONG, b"hello")


def test_who_stops_amid_a_frame_gets_the_news_and_may_go_on(served: Feed, house: Server) -> None:
    with Raw(house).shake(served.slug) as reader:
        reader.message()
        reader.send(HELLO[:7])
        item = served.item()
        assert reader.message()["items"][0]["id"] == item["id"]
        reader.send(HELLO[7:])
        assert reader.next() == (PONG, b"hello")


@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 4999])
def test_a_close_is_answered_with_its_code_and_the_end(
    served: Feed, house: Server, code: int
) -> None:
    with Raw(house).shake(served.slug) as reader:
        reader.message()
        reader.send(close(code))
        assert reader.next() == (CLOSE, struct.pack("!H", code))
        assert reader.ended()


def test_a_close_without_a_code_is_answered_and_nothing_after_it_is_heard(
    served: Feed, house: Server
) -> None:
    with Raw(house).shake(served.slug) as reader:
        reader.message()
        reader.send(frame(CLOSE) + HELLO)
        assert reader.next() == (CLOSE, struct.pack("!H", 1000))
        assert list(reader.frames()) == []


BREACHES = {
    "invalid close code": close(1005),
    "close code that nobody may send": close(999),
    "half a close code": frame(CLOSE, b"\x03"),
    "unmasked": b"\x89\x05hello",
    "reserved bit": frame(PING, b"x", head=0xC0),
    "compressed without agreement": frame(TEXT, b"x", head=0xC0),
    "unknown opcode": frame(3, b"x"),
    "unknown control opcode": frame(15),
    "fragmented ping": frame(PING, b"x", head=0),
    "long ping": frame(PING, b"x" * 126),
    "continuation of nothing": frame(0, b"x"),
    "message within a message": frame(TEXT, head=0) + frame(TEXT),
    "noise": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("breach", BREACHES.values(), ids=BREACHES)
def test_a_breach_of_the_protocol_is_closed_with_1002(
    served: Feed, house: Server, breach: bytes
) -> None:
    with Raw(house).shake(served.slug) as reader:
        reader.message()
        reader.send(breach)
        assert reader.closed() == 1002
        assert readers(served, 1)


@pytest.mark.parametrize(
    "flood",
    [
        frame(TEXT, b"x" * (BUDGET + 1)),
        frame(TEXT, b"x" * 1000) * 5,
        frame(PONG) * (FRAMES + 1),
        frame(PING) * (FRAMES + 1),
        b"\x81\xff" + b"\xff" * 8,
        b"\x81\xff" + struct.pack("!Q", 1 << 40) + b"mask" + b"x" * 100,
    ],
    ids=["bytes in a frame", "bytes", "pongs", "pings", "endless", "terabyte"],
)
def test_too_much_is_closed_with_1008(served: Feed, house: Server, flood: bytes) -> None:
    with Raw(house).shake(served.slug) as reader:
        reader.message()
        reader.send(flood)
        assert reader.closed() == 1008
        assert readers(served, 1)


def test_who_sends_without_end_is_cut_off(served: Feed, house: Server) -> None:
    with Raw(house).shake(served.slug) as reader:
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 200_000_000:
                reader.send(frame(TEXT, b"x" * 1000) * 100)
                sent += 100_000
        assert sent < 200_000_000


def test_who_was_cut_off_does_not_hold_up_the_servers_end(tmp_path: Path) -> None:
    patient = (
        "import feedserver.websocket.server as ending\n"
        "import feedserver.websocket.connection as connection\n"
        "assert ending.GRACE_SECONDS and connection.FINISH_SECONDS\n"
        "ending.GRACE_SECONDS = connection.FINISH_SECONDS = 3600"
    )
    with (
        Server(tmp_path / "data", first=patient) as server,
        Raw(server).shake("world") as reader,
    ):
        reader.message()
        reader.send(frame(TEXT, b"x" * 5000))
        assert reader.closed() == 1008
        assert server.stop() == 0  # an hour before it would have given up the reader


def test_the_close_of_a_breach_can_be_answered_and_read(served: Feed, house: Server) -> None:
    with Raw(house).shake(served.slug) as reader:
        reader.message()
        reader.send(frame(3))
        assert reader.next() == (CLOSE, struct.pack("!H", 1002))
        reader.send(close(1002))


def test_who_broke_the_protocol_takes_up_a_place_until_it_is_gone(tmp_path: Path) -> None:
    """It no longer counts as a reader, and still holds a descriptor."""
    patient = "import feedserver.websocket.connection as sockets; sockets.FINISH_SECONDS = 3600"
    with (
        Server(tmp_path / "data", "--readers", "2", first=patient) as server,
        server.editing() as editor,
        Raw(server) as good,
        Raw(server) as bad,
        Raw(server) as third,
    ):
        good.shake("world").message()
        bad.shake("world").message()
        bad.send(frame(3))
        assert bad.closed() == 1002
        assert editor.get("/v1/feeds/world/readers").json()["readers"] == 1
        assert third.shake("world").message()["type"] == "goodbye"
        assert third.closed() == 1013
        bad.socket.close()
        end = time.monotonic() + 10
        found = None
        while found != "snapshot" and time.monotonic() < end:
            with Raw(server) as fourth:
                found = fourth.shake("world").message()["type"]
        assert found == "snapshot"


# Hasty, half, and gone


@pytest.mark.parametrize(
    "hasty",
    [HELLO, HELLO[:3], close(1000), close(1005), frame(TEXT, b"x" * 2000), b"\x00" * 50,
     frame(TEXT, b"x" * 100_000)],
    ids=["ping", "part of a ping", "close", "bad close", "text", "noise", "flood"],
)  # fmt: skip
@pytest.mark.parametrize("together", [True, False], ids=["one segment", "two segments"])
def test_what_is_sent_before_the_handshakes_answer_hurts_nobody(
    served: Feed, house: Server, hasty: bytes, together: bool
) -> None:
    for _ in range(5):
        with Raw(house) as reader:
            head = request(served.slug)
            with contextlib.suppress(OSError):
                reader.send(*([head + hasty] if together else [head, hasty]))
            with contextlib.suppress(OSError):
                assert reader.answer() in {0, 101}
        assert readers(served, 1)


def test_who_is_gone_before_the_handshakes_answer_does_not_count(
    served: Feed, house: Server
) -> None:
    for leave in ("close", "reset", "half"):
        for _ in range(10):
            reader = Raw(house)
            reader.send(request(served.slug))
            if leave == "half":
                reader.socket.shutdown(socket.SHUT_WR)
                while reader._fill():
                    pass
            if leave == "reset":
                reader.reset()
            reader.socket.close()
    assert readers(served, 1)


def test_a_half_closed_socket_is_closed(served: Feed, house: Server) -> None:
    with Raw(house).shake(served.slug) as reader:
        reader.message()
        reader.socket.shutdown(socket.SHUT_WR)
        assert reader.ended()
        assert readers(served, 1)


def test_who_is_gone_without_a_word_does_not_count(served: Feed, house: Server) -> None:
    for _ in range(5):
        Raw(house).shake(served.slug).reset()
    assert readers(served, 1)


def test_who_connects_and_says_nothing_is_in_nobodys_way(served: Feed, house: Server) -> None:
    with contextlib.ExitStack() as stack:
        for start in (b"", b"GET", request(served.slug)[:60], b"\x16\x03\x01\x02\x00"):
            stack.enter_context(Raw(house)).send(start)
        assert readers(served, 1)
        served.item()


def test_who_stops_reading_and_comes_back_has_missed_nothing(served: Feed, house: Server) -> None:
    with Raw(house, receive_buffer=4096).shake(served.slug) as reader:
        items = [served.item(str(n), body="x" * 60_000) for n in range(12)]
        for n, item in enumerate(items):
            items[n] = served.editor.revised(item, "fix", body="y" * 60_000)
        client, messages = Client(), 0
        for opcode, payload in reader.frames():
            assert opcode == TEXT
            assert not client.take(parse(payload))
            messages += 1
            if client.cursor == served.cursor:
                break
        for item in items:
            assert client.rows[item["id"]]["version"] == item["version"]
        assert messages < 24, "it was sent every change one by one"


# Bad handshakes


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Version": None}, 426),
        ({"Sec_WebSocket_Key": None}, 400),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Upgrade": "h2c"}, 426),
        ({"Upgrade": None}, 426),
        ({"Connection": "keep-alive"}, 426),
        ({"Connection": None}, 426),
        ({"Cookie": "x" * 70_000}, 431),
        ({f"X-{n}": "x" * 300 for n in range(300)}, 431),
        ({"Sec_WebSocket_Extensions": ";;;"}, 400),
        ({"Sec_WebSocket_Protocol": "a b"}, 400),
    ],
    ids=lambda value: next(iter(value)) + str(len(value)) if isinstance(value, dict) else "",
)
def test_a_bad_handshake_is_refused_at_once(
    served: Feed, house: Server, headers: dict[str, str | None], status: int
) -> None:
    with Raw(house) as reader:
        reader.send(request(served.slug, **headers))
        assert reader.answer() in {status, 400}
        assert reader.headers["content-type"] == "application/problem+json"


def test_a_handshake_of_another_version_is_told_the_right_one(house: Server) -> None:
    with Raw(house) as reader:
        reader.send(request("world", Sec_WebSocket_Version="8"))
        assert reader.answer() == 400
        assert reader.headers["sec-websocket-version"] == "13"


def test_a_whole_address_is_as_good_as_a_path(feed: Feed, house: Server) -> None:
    with Raw(house) as reader:
        path = f"/v1/feeds/{feed.slug}/live".encode()
        reader.send(request(feed.slug).replace(path, b"http://news.example" + path, 1))
        assert reader.answer() == 101
        assert reader.message()["type"] == "snapshot"


def test_an_address_without_a_path_is_refused_and_holds_up_nobody(
    feed: Feed, house: Server
) -> None:
    path = f"/v1/feeds/{feed.slug}/live".encode()
    with Raw(house) as reader:
        reader.send(request(feed.slug).replace(path, b"http://news.example", 1))
        assert reader.answer() == 403
        assert reader.headers["content-type"] == "application/problem+json"
    with Raw(house).shake(feed.slug) as reader:
        assert reader.message()["type"] == "snapshot"


def test_a_handshake_that_fails_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Handshake] = []

    def begin(handshake: Handshake) -> None:
        begun.append(handshake)
        raise ValueError("unforeseen")

    async def main() -> None:
        queue = HandshakeQueue()
        wires = [Wire() for _ in range(2 * TOGETHER + 1)]
        for wire in wires:
            upgrade = SimpleNamespace(transport=wire, connections=set())
            queue.add(Handshake(cast("Any", upgrade), lambda path, subprotocols: None))
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(begun) == len(wires)
        assert all(wire.closed for wire in wires)
        for wire in wires:
            wire.get_extra_info("socket").close()

    monkeypatch.setattr(Handshake, "begin", begin)
    asyncio.run(main())


def test_a_handshake_by_another_method_or_version_is_refused_or_served(
    served: Feed, house: Server
) -> None:
    for first, allowed in ((b"POST", {400, 405}), (b"HEAD", {400, 404, 405}), (b"PUT", {400, 405})):
        with Raw(house) as reader:
            reader.send(request(served.slug).replace(b"GET", first, 1))
            assert reader.answer() in allowed
    with Raw(house) as reader:
        reader.send(request(served.slug).replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        assert reader.answer() in {101, 400, 404, 426, 505}


@pytest.mark.parametrize("cut", [None, 3])
def test_what_comes_in_one_segment_with_the_handshake_is_heard(
    feed: Feed, house: Server, cut: int | None
) -> None:
    with Raw(house) as reader:
        reader.send(request(feed.slug) + HELLO[:cut])
        if cut is not None:
            reader.send(HELLO[cut:])
        assert reader.answer() == 101
        assert {reader.next() for _ in range(2)} > {(PONG, b"hello")}
    with Raw(house) as reader:
        reader.send(request(feed.slug) + close(1000))
        assert reader.answer() == 101
        assert reader.closed() == 1000
    assert readers(feed, 0)


def test_too_much_behind_a_handshake_is_dropped(feed: Feed, house: Server) -> None:
    with Raw(house) as reader:
        reader.send(request(feed.slug) + b"x" * 10_000)
        assert reader.answer() == 0
        assert reader.ended()
    assert readers(feed, 0)


def test_another_path_has_no_socket(house: Server) -> None:
    for path in (b"/", b"/v1/feeds/world", b"/v1/feeds/world/stream", b"/v1/feeds/a/b/live"):
        with Raw(house) as reader:
            reader.send(request("world").replace(b"/v1/feeds/world/live", path, 1))
            assert reader.answer() in {400, 403, 404}


def test_the_live_address_says_to_a_browser_what_it_is(anyone: httpx.Client) -> None:
    answer = anyone.get("/v1/feeds/world/live")
    body = problem(answer, 426, "upgrade-needed")
    assert "/v1/feeds/world/stream" in body["detail"]
    assert answer.headers["upgrade"] == "websocket"
    assert answer.headers["connection"].lower() == "upgrade"
    assert answer.headers["access-control-allow-origin"] == "*"


# The seam


@pytest.mark.parametrize("name", ["uvicorn", "websockets", "starlette"])
def test_each_seam_was_made_for_the_version_that_is_here(name: str) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    [wanted] = [
        one for one in map(Requirement, project["project"]["dependencies"]) if one.name == name
    ]
    assert {each.operator for each in wanted.specifier} == {">=", "<"}
    found = importlib.metadata.version(name)
    assert found in wanted.specifier, (
        f"{name} is {found}, and its inner parts that are used here were tried for "
        f"{wanted.specifier}: read its changes, move the bounds, and run make test-ends"
    )


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"socket": socket.socket(), "peername": ("127.0.0.1", 1)})
        self.written = b""
        self.closed = False
        self.protocol: asyncio.BaseProtocol | None = None

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self.protocol is not None
        return self.protocol

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def uvicorn_with(app: Any, asked: bytes = request("world")) -> tuple[Wire, ServerState]:
    """Let the HTTP protocol read a handshake."""
    config = uvicorn.Config(app, ws="none", log_config=None)
    config.load()
    wire, state = Wire(), ServerState()
    protocol = Connections().protocol(config=config, server_state=state, app_state={})
    wire.set_protocol(protocol)
    protocol.connection_made(wire)
    protocol.data_received(asked)
    return wire, state


def test_uvicorn_still_has_all_that_the_seam_leans_on() -> None:
    async def main() -> None:
        config = uvicorn.Config(lambda *_: None, log_config=None)
        config.load()
        http_protocol = HttpToolsProtocol(config, ServerState(), {})
        for name, value in {"cycle": None, "scope": None, "flow": None}.items():
            assert getattr(http_protocol, name, "gone") == value, (
                f"uvicorn's {name} is not what it was"
            )
        for name in ("parser", "_unset_keepalive_if_required", "_should_upgrade", "on_body",
                     "on_message_begin", "on_message_complete", "server_state", "app", "loop",
                     "asgi_version", "scheme", "connections", "tasks"):  # fmt: skip
            assert hasattr(http_protocol, name), f"uvicorn's HTTP protocol has no {name} any more"

    asyncio.run(main())


def test_after_the_hand_over_uvicorn_lets_go_of_transport_task_and_protocol() -> None:
    handed: list[SocketReader] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert EXTENSION in scope["extensions"], "the scope no longer carries the hand-over"
        await send({"type": "websocket.accept"})
        handed.append(scope["extensions"][EXTENSION](None))

    async def main() -> None:
        wire, state = uvicorn_with(app)
        assert isinstance(wire.protocol, Handshake), "uvicorn did not pass the transport on"
        await asyncio.sleep(0)
        assert len(state.tasks) == 1, "the endpoint no longer runs in a task of the server's"
        await asyncio.gather(*state.tasks)
        await asyncio.sleep(0)
        assert wire.written.startswith(b"HTTP/1.1 101 "), "accept no longer writes the answer"
        assert wire.written.endswith(b"\r\n\r\n"), "uvicorn writes something after the answer"
        assert not wire.closed, "uvicorn closed a transport that was handed over"
        assert wire.protocol is handed[0], "the transport did not get its new protocol"
        assert set(state.connections) == {handed[0]}, "a shutdown would not reach the reader"
        assert not state.tasks, "uvicorn keeps the endpoint's task"
        handed[0].connection_lost(None)
        assert not state.connections
        wire.get_extra_info("socket").close()

    asyncio.run(main())


def test_data_between_request_and_answer_reaches_the_reader_and_not_uvicorn() -> None:
    go = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await go.wait()
        await send({"type": "websocket.accept"})
        scope["extensions"][EXTENSION](None)

    async def main() -> None:
        wire, state = uvicorn_with(app)
        await asyncio.sleep(0)
        assert isinstance(wire.protocol, Handshake)
        wire.protocol.data_received(HELLO[:4])
        wire.protocol.data_received(HELLO[4:])
        go.set()
        await asyncio.gather(*state.tasks)
        await asyncio.sleep(0)
        assert wire.written.endswith(b"\r\n\r\n\x8a\x05hello"), "what came early was lost"
        for reader in list(state.connections):
            reader.connection_lost(None)
        wire.get_extra_info("socket").close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([], b"500"),
        ([{"type": "websocket.accept"}], b"500"),
        ([{"type": "websocket.accept"}, {"type": "websocket.send", "text": "x"}], b"500"),
        ([{"type": "websocket.close"}], b"403"),
        ([{"type": "websocket.accept"}, {"type": "websocket.close", "code": 4000}], b"101"),
    ],
    ids=["nothing", "accepted only", "message without hand-over", "refused", "closed"],
)
def test_an_endpoint_that_does_not_hand_over_leaves_nobody_waiting(
    answers: list[dict[str, Any]], status: bytes
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert await receive() == {"type": "websocket.connect"}
        for answer in answers:
            await send(answer)

    async def main() -> None:
        wire, state = uvicorn_with(app)
        await asyncio.sleep(0)
        await asyncio.gather(*state.tasks)
        assert wire.written.startswith(b"HTTP/1.1 " + status), wire.written
        if status == b"101":
            assert wire.written.endswith(b"\x88\x02\x0f\xa0")
        else:
            assert wire.closed
        for left in list(state.connections):
            left.connection_lost(None)
        assert not state.connections
        wire.get_extra_info("socket").close()

    asyncio.run(main())


def test_who_leaves_during_the_handshake_ends_the_endpoints_wait() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        assert await receive() == {"type": "websocket.disconnect", "code": 1006}
        with pytest.raises(ClientDisconnected):
            await send({"type": "websocket.accept"})
        with pytest.raises(ClientDisconnected):
            scope["extensions"][EXTENSION](None)

    async def main() -> None:
        wire, state = uvicorn_with(app)
        for _ in range(3):
            await asyncio.sleep(0)
        assert isinstance(wire.protocol, Handshake)
        wire.protocol.connection_lost(None)
        await asyncio.gather(*state.tasks)
        assert not state.connections
        assert wire.written == b""
        wire.get_extra_info("socket").close()

    asyncio.run(main())


def test_a_handshake_that_waits_is_refused_at_the_servers_end() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await receive()

    async def main() -> None:
        wire, state = uvicorn_with(app)
        await asyncio.sleep(0)
        assert isinstance(wire.protocol, Handshake)
        wire.protocol.shutdown()
        assert wire.written.startswith(b"HTTP/1.1 503 ")
        assert wire.closed
        wire.protocol.connection_lost(None)
        await asyncio.gather(*state.tasks)
        wire.get_extra_info("socket").close()

    asyncio.run(main())


class Seen:
    """What a socket tells its channel."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def fall_behind(self, reader: SocketReader) -> None:
        self.told.append("behind")

    def catch_up(self, reader: SocketReader) -> None:
        self.told.append("level")

    def leave(self, reader: SocketReader) -> None:
        self.told.append("gone")


def test_a_reader_whose_rest_is_gone_at_once_comes_back_though_nothing_ever_paused() -> None:
    async def main() -> None:
        wire, seen = Wire(), Seen()
        reader = SocketReader(wire, OpenSockets(set()), cast("Any", seen), deflated=False)
        reader.push(b"news")  # which the kernel does not take: this socket is not connected
        assert (wire.written, seen.told) == (b"news", ["behind"])
        await asyncio.sleep(0)
        assert seen.told == ["behind", "level"]
        reader.connection_lost(None)
        assert seen.told == ["behind", "level", "gone"]
        wire.get_extra_info("socket").close()

    asyncio.run(main())


@pytest.mark.parametrize("way", ["close", "abort", "their close", "their reset"])
def test_a_transport_keeps_its_descriptor_until_the_protocol_has_let_go(way: str) -> None:
    """Else a round could write to whatever else has got that number."""

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.Transport", transport)
            self.descriptor = transport.get_extra_info("socket").fileno()
            self.inode = os.fstat(self.descriptor).st_ino
            self.transport.write(b"x" * 4_000_000)  # some of it still unsent

        def connection_lost(self, exc: Exception | None) -> None:
            kept.set_result(os.fstat(self.descriptor).st_ino == self.inode)

    async def main() -> None:
        nonlocal kept
        kept = asyncio.get_running_loop().create_future()
        made: list[Protocol] = []

        def make() -> Protocol:
            made.append(Protocol())
            return made[-1]

        async with await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0) as server:
            _, line = await asyncio.open_connection(*server.sockets[0].getsockname())
            while not made:
                await asyncio.sleep(0)
            if way in {"close", "abort"}:
                getattr(made[0].transport, way)()
            if way == "their reset":
                line.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            if way != "close":
                line.transport.abort()
            else:
                line.transport.pause_reading()
                await asyncio.sleep(0.05)
                line.transport.abort()
            assert await asyncio.wait_for(kept, 10)
            descriptor = made[0].descriptor
            for _ in range(3):
                await asyncio.sleep(0)
            with contextlib.suppress(OSError):
                assert os.fstat(descriptor).st_ino != made[0].inode, "it is never closed"

    kept: asyncio.Future[bool]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_what_comes_after_the_hand_over_does_not_overtake_what_came_before() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        reader = scope["extensions"][EXTENSION](None)
        reader.data_received(HELLO[4:])  # as a loop may that polls before it calls what is due

    async def main() -> None:
        wire, state = uvicorn_with(app)
        assert isinstance(wire.protocol, Handshake)
        wire.protocol.data_received(HELLO[:4])
        await asyncio.sleep(0)
        await asyncio.gather(*state.tasks)
        await asyncio.sleep(0)
        assert wire.written.count(b"\x8a\x05hello") == 1
        assert b"\x88" not in wire.written
        for reader in list(state.connections):
            reader.connection_lost(None)
        wire.get_extra_info("socket").close()

    asyncio.run(main())


@pytest.mark.parametrize("query", ["", "?x=1"])
@pytest.mark.parametrize("headers", [{}, {"Sec_WebSocket_Version": "8"}])
def test_a_handshake_that_is_over_is_freed_at_once(query: str, headers: dict[str, str]) -> None:
    """Not at the collector's next visit: each may have come with 64 KiB."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if query:
            await send({"type": "websocket.close"})
        else:
            await send({"type": "websocket.accept"})
            scope["extensions"][EXTENSION](None)

    async def main() -> None:
        wire, state = uvicorn_with(app, request("world", query, **headers))
        handshake = weakref.ref(cast("Any", wire.protocol))
        await asyncio.sleep(0)
        await asyncio.gather(*state.tasks)
        while state.connections:
            next(iter(state.connections)).connection_lost(None)
        wire.protocol = None
        await asyncio.sleep(0)
        assert handshake() is None
        wire.get_extra_info("socket").close()

    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()


def test_the_seam_is_where_the_readers_go_through(feed: Feed, house: Server, anna: Editor) -> None:
    """Were it not, messages would still come, by the slower way for other servers."""
    with Raw(house).shake(feed.slug) as reader:
        reader.message()
        reader.send(frame(0, b"x"))
        assert reader.closed() == 1002  # websockets itself would say why, in the frame
    connection = http.client.HTTPConnection("127.0.0.1", house.port)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()
