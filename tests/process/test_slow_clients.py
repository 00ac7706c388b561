"""Clients that never finish, or never read: each gets its time, and no more."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lines import PATIENCE, Stuck, eventually, live, stream
from support.server import Server

from feedserver.websocket.listening import SEND_BUFFER, USER_TIMEOUT_MS, listen

FINISH_SOON = "import feedserver.websocket.connection as sockets; sockets.FINISH_SECONDS = 0.5"
SOON = """
import feedserver.websocket.http1 as connections
import feedserver.live.channel as channel
import feedserver.websocket.connection as sockets
connections.REQUEST_SECONDS = connections.STALL_SECONDS = channel.STALL_SECONDS = 1.0
sockets.FINISH_SECONDS = 1.0
"""
LARGE = "x" * 60_000
HEAD = b"POST /v1/feeds/world/items HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Server]:
    """A server that waits one second for a request, and for a client to read."""
    with Server(tmp_path / "data", first=SOON) as started:
        yield started


def to_the_end(connection: socket.socket) -> bytes:
    """Read until the server closes."""
    answer = b""
    try:
        while part := connection.recv(65536):
            answer += part
    except ConnectionResetError:
        pass
    return answer


def drip(server: Server, first: bytes, drop: bytes) -> bytes:
    """Send a little at a time, until the connection ends; return the answer."""
    end = time.monotonic() + PATIENCE
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.2) as connection:
        connection.sendall(first)
        answer = b""
        while time.monotonic() < end:
            try:
                part = connection.recv(65536)
                if not part:
                    return answer
                answer += part
            except TimeoutError:
                connection.sendall(drop)
            except ConnectionError:
                return answer
    raise AssertionError("it was held for ever")


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"GE", b""),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X-Y: z\r\n"),
        (HEAD + b"Content-Length: 1000\r\n\r\n{", b" "),
    ],
    ids=["line", "head", "unread body"],
)
def test_a_request_that_is_never_whole_is_answered_408(
    impatient: Server, first: bytes, drop: bytes
) -> None:
    answer = drip(impatient, first, drop)
    if b"401 Unauthorized" not in answer:  # told at once, without waiting for the body
        check_problem(answer, 408, "too-slow")


def test_a_body_that_is_never_whole_is_answered_408(impatient: Server) -> None:
    head = HEAD + b"Authorization: Bearer %b\r\n" % impatient.token.strip().encode()
    for length, drop in (
        (b"Content-Length: 1000\r\nContent-Type: application/json\r\n\r\n{", b" "),
        (b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n", b"1\r\n \r\n"),
    ):
        answer = drip(impatient, head + length, drop)
        check_problem(answer, 408, "too-slow")


def test_a_body_that_comes_in_pieces_is_waited_for(server: Server) -> None:
    body = b'{"headline": "In three pieces"}'
    head = HEAD + b"Content-Type: application/json\r\nAuthorization: Bearer %b\r\n" % (
        server.token.strip().encode()
    )
    head += b"Content-Length: %d\r\n\r\n" % len(body)
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection,
        server.reading() as other,
    ):
        for piece in (head[:40], head[40:] + body[:5], body[5:20]):
            connection.sendall(piece)
            assert other.get("/healthz").is_success  # the server has had the piece, and more since
        connection.sendall(body[20:])
        assert connection.recv(65536).startswith(b"HTTP/1.1 201 ")


def check_problem(answer: bytes, status: int, slug: str) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/problem+json" in head.lower()
    assert b"connection: close" in head.lower()
    assert f"content-length: {len(body)}".encode() in head.lower()
    problem = json.loads(body)
    assert (problem["type"], problem["status"]) == (slug, status)
    assert " " in problem["detail"]


def test_a_connection_without_a_word_is_closed_without_one(impatient: Server) -> None:
    answer = drip(impatient, b"", b"")
    assert answer == b""
    answer = drip(impatient, b"\r\n", b"\r\n")
    assert answer == b""


def test_a_second_request_has_its_own_time_and_no_more(impatient: Server) -> None:
    whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=10) as connection:
        for _ in range(3):  # idle between requests, it is kept
            connection.sendall(whole)
            answer = connection.recv(65536)
            while not answer.endswith(b"}"):
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")
            time.sleep(1.2)  # longer than a request may take
    for begun in (b"GE", b"\r\n"):
        with socket.create_connection(("127.0.0.1", impatient.port), timeout=10) as connection:
            connection.sendall(whole)
            answer = connection.recv(100)
            assert answer.startswith(b"HTTP/1.1 200 ")
            connection.sendall(begun)
            answer += to_the_end(connection)
            assert (b"HTTP/1.1 408 " in answer) == (begun == b"GE")


def test_a_stream_outlives_the_time_of_a_request(impatient: Server) -> None:
    ask = f"GET {stream()} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    for behind in (b"", b"\r\n", b"GET /healthz HTTP/1.1\r\n"):
        with socket.create_connection(("127.0.0.1", impatient.port), timeout=10) as connection:
            connection.sendall(ask + behind)
            time.sleep(2.5)
            with impatient.editing() as editor:
                editor.item("Long after")
            while b"Long after" not in connection.recv(65536):
                pass


def test_a_head_without_end_is_refused(impatient: Server) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 65_536)
        check_problem(to_the_end(connection), 431, "head-too-large")


def test_a_client_that_answers_no_close_is_dropped(impatient: Server) -> None:
    """It reads the close frame, and neither answers it nor goes away."""
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=10) as connection:
        connection.sendall(
            b"GET /v1/feeds/nowhere/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert b"101 Switching Protocols" in to_the_end(connection)


def test_a_head_too_large_is_refused_even_if_it_comes_in_one_piece(impatient: Server) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=10) as connection:
        head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: %b\r\n\r\n" % (b"y" * 66_000)
        connection.sendall(head)
        check_problem(to_the_end(connection), 431, "head-too-large")


def test_what_is_no_http_is_answered_with_a_problem(impatient: Server) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=10) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        check_problem(to_the_end(connection), 400, "bad-request")


def test_slow_clients_leave_nothing_behind(impatient: Server) -> None:
    crowd = [socket.create_connection(("127.0.0.1", impatient.port)) for _ in range(50)]
    for connection in crowd:
        connection.sendall(b"GET / HTTP/1.1\r\n")
    seen: set[int] = set()
    eventually(lambda: seen.update(impatient.clients()) or len(seen) == 50)
    eventually(lambda: not impatient.clients())
    for connection in crowd:
        connection.close()


def streams(server: Server) -> int:
    with server.editing() as editor:
        count: int = editor.get("/v1/feeds/world/readers").json()["by"]["sse"]
        return count


def test_a_stream_that_stops_reading_is_dropped(impatient: Server) -> None:
    with Stuck(impatient, stream(), websocket=False) as stuck, impatient.editing() as editor:
        eventually(lambda: streams(impatient) == 1)
        for number in range(12):
            editor.item(f"News {number}", body=LARGE)
        eventually(lambda: streams(impatient) == 0)
        assert stuck.is_cut_off()


def test_a_slow_stream_that_makes_progress_is_kept(impatient: Server) -> None:
    with Stuck(impatient, stream(), websocket=False) as slow, impatient.editing() as editor:
        for number in range(12):
            editor.item(f"News {number}", body=LARGE)
            assert slow.read(3_000)
        slow.read_slowly(5)  # five times as long as a stalled one is borne
        assert streams(impatient) == 1


def test_a_page_that_is_not_read_is_not_kept_for_long(impatient: Server) -> None:
    with impatient.editing() as editor:
        for number in range(12):
            editor.item(f"News {number}", body=LARGE)
    with Stuck(impatient, "/v1/feeds/world/items", websocket=False) as stuck:
        eventually(lambda: stuck.port not in impatient.clients())
        assert stuck.is_cut_off()


FEW = "import feedserver.websocket.http1 as connections; connections.ANSWERS_BYTES = 2_000_000"


def test_pages_that_nobody_takes_are_held_only_up_to_so_many_bytes(tmp_path: Path) -> None:
    """Whoever took nothing for longest is dropped, not those who read."""
    with Server(tmp_path / "data", first=FEW) as server, server.editing() as editor:
        for number in range(60):
            editor.item(f"News {number}", body="x" * 14_000)  # of which each page has a copy
        crowd = []
        for limit in range(60, 30, -1):
            stuck = Stuck(server, f"/v1/feeds/world/items?limit={limit}", websocket=False)
            crowd.append(stuck)
            eventually(lambda s=stuck: s.read(100))
        eventually(lambda: len(server.clients() & {stuck.port for stuck in crowd}) < 8)
        with server.reading() as reader:
            assert len(reader.get("/v1/feeds/world/items?limit=59").json()["items"]) == 59
        assert crowd[-1].port in server.clients(), "who came last is served yet"
        assert all(stuck.is_cut_off() for stuck in crowd[:5])
        for stuck in crowd:
            stuck.close()


def test_an_upgrade_amid_an_answer_ends_the_connection(server: Server) -> None:
    upgrade = (
        f"GET {live()} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()
    for first in (stream(), "/ticker.js"):
        ask = f"GET {first} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(ask + upgrade)
            assert b" 101 " not in to_the_end(connection)
    with server.editing() as editor:
        eventually(lambda: editor.get("/v1/feeds/world/readers").json()["readers"] == 0)
        assert editor.submit("After all that").headers["delivered"].startswith("0; of=0")


@pytest.mark.parametrize("behind", [b"x", b"\0\0\0\0", b"GARBAGE\r\n\r\n"])
def test_a_post_with_garbage_behind_it_has_its_answer(server: Server, behind: bytes) -> None:
    body = b'{"headline": "News"}'
    head = (
        "POST /v1/feeds/world/items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {server.token.strip()}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head + body + behind)
        answer = to_the_end(connection)
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    with server.editing() as editor:
        assert len(editor.get("/v1/feeds/world/items").json()["items"]) == 1


def test_who_says_it_is_done_and_reads_no_more_is_not_kept(tmp_path: Path) -> None:
    with (
        Server(tmp_path / "data", first=FINISH_SOON) as server,
        server.editing() as editor,
        Stuck(server, live()) as stuck,
    ):
        eventually(lambda: editor.get("/v1/feeds/world/readers").json()["readers"] == 1)
        held = server.sockets()
        for _ in range(20):
            editor.submit(body=LARGE)
        stuck.socket.shutdown(socket.SHUT_WR)
        eventually(lambda: server.sockets() == held - 1)


def test_what_the_kernel_is_told_of_every_connection() -> None:
    with listen("127.0.0.1", 0) as listener:
        with socket.create_connection(listener.getsockname()):
            taken, _ = listener.accept()
        with taken:
            kept_ms = taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert kept_ms == USER_TIMEOUT_MS
            buffer = taken.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            assert buffer == 2 * SEND_BUFFER  # the kernel doubles it, for its own book-keeping
