"""Every wrong turn is answered in a sentence, and none is a 500."""

from __future__ import annotations

import re
import socket

import httpx
import pytest
from support.answers import Feed, problem
from support.server import Server

ALLOWED = {
    "/v1/feeds": "GET, HEAD, OPTIONS",
    "/v1/feeds/x": "GET, HEAD, OPTIONS, PUT",
    "/v1/feeds/x/items": "GET, HEAD, OPTIONS, POST",
    "/v1/feeds/x/items/1": "GET, HEAD, OPTIONS",
    "/v1/feeds/x/items/1/history": "GET, HEAD, OPTIONS",
    "/v1/feeds/x/items/1/revisions": "GET, HEAD, POST",
    "/v1/feeds/x/changes": "GET, HEAD, OPTIONS",
    "/v1/feeds/x/stream": "GET, HEAD, OPTIONS",
    "/v1/feeds/x/readers": "GET, HEAD",
}


@pytest.mark.parametrize("path", ALLOWED)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_a_wrong_method_says_which_are_right(anyone: httpx.Client, path: str, method: str) -> None:
    allowed = ALLOWED[path].split(", ")
    if method in allowed:
        assert anyone.request(method, path).status_code != 405
        return
    answer = anyone.request(method, path)
    problem(answer, 405, "wrong-method")
    assert sorted(re.split(r",\s*", answer.headers["allow"])) == allowed


@pytest.mark.parametrize(
    "path",
    ["/v1/", "/v1/nothing", "/v1/feeds/", "/v1/feeds/x/", "/v1/feeds/x/items/", "/v1/feeds//items",
     "/v1/feeds/x%2Fitems", "/v1/feeds/x/items/1/history/", "/v1/%00", "/v1/%FF",
     "/v1/" + "x" * 5000],
)  # fmt: skip
def test_nothing_there_is_404(anyone: httpx.Client, path: str) -> None:
    body = problem(anyone.get(path), 404, "not-found")
    assert len(body["detail"]) < 300


@pytest.mark.parametrize("slug", ["%00", "%FF%FE", "%ED%A0%80", "a" * 4000, "';--", "😀", "%25"])
@pytest.mark.parametrize(
    "rest", ["", "/items", "/items/1", "/items/1/history", "/changes", "/stream"]
)
def test_a_feed_that_cannot_be_is_404(anyone: httpx.Client, slug: str, rest: str) -> None:
    body = problem(anyone.get(f"/v1/feeds/{slug}{rest}"), 404, "not-found")
    assert len(body["detail"]) < 300


def test_a_reader_elsewhere_may_read_why_not(anyone: httpx.Client) -> None:
    answer = anyone.get("/v1/feeds/nowhere", headers={"Origin": "null"})
    problem(answer, 404, "not-found")
    assert answer.headers["access-control-allow-origin"] == "*"


def talk(server: Server, *lines: bytes, body: bytes = b"") -> tuple[int, bytes]:
    """Send a request as it is; return the status and all that comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"\r\n".join([*lines, b"Connection: close", b"", body]))
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return int(answer.split(b" ")[1]), answer


@pytest.mark.parametrize(
    "host", [b"Host: [", b"Host: a:b:c", b"Host: \xff\xfe", b"Host:", b"Host: x/../y", b"Host: @"]
)
@pytest.mark.parametrize("path", [b"/v1/nothing", b"/v1/feeds", b"/healthz"])
def test_a_broken_host_header_breaks_nothing(house: Server, host: bytes, path: bytes) -> None:
    status, _ = talk(house, b"GET " + path + b" HTTP/1.1", host)
    assert status in {200, 404, 400}


@pytest.mark.parametrize(
    "line",
    [
        b"GET /v1/feeds/\xff\xfe/items HTTP/1.1",
        b"GET /v1/feeds/\xd0\xb0 HTTP/1.1",
        b"GET /v1/feeds?\xff=\xfe HTTP/1.1",
        b"GET /v1/feeds/x/items?q=\xff HTTP/1.1",
        b"GET http://other.example/v1/nothing HTTP/1.1",
        b"GET * HTTP/1.1",
        b"GET /v1/feeds/x HTTP/9.9",
        b"FETCH /v1/feeds HTTP/1.1",
        b"nonsense",
    ],
)
def test_a_request_line_that_is_no_utf_8_or_no_http_is_refused_as_the_clients_fault(
    house: Server, line: bytes
) -> None:
    status, _ = talk(house, line, b"Host: x")
    assert 200 <= status < 500


@pytest.mark.parametrize(
    "header",
    [
        b"X-Odd: \xff\xfe",
        b"If-None-Match: \xff",
        b"Accept: \x80",
        b"Cookie: " + b"x" * 20_000,
        b"Content-Length: 5",
        b"Content-Length: x",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Content-Length: " + b"9" * 5000,
        b"Transfer-Encoding: gzip",
        b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk",
        b"Expect: 100-continue",
        b"Range: bytes=0-5",
    ],
)
def test_odd_headers_are_borne_or_refused(house: Server, header: bytes) -> None:
    status, _ = talk(house, b"GET /v1/feeds HTTP/1.1", b"Host: x", header, body=b"hello")
    assert 100 <= status < 500 or status == 501


PLAIN = [b"GET /v1/feeds HTTP/1.1", b"POST /v1/feeds/x/items HTTP/1.1", b"GET / HTTP/1.1"]


@pytest.mark.parametrize("line", PLAIN)
@pytest.mark.parametrize("hosts", [[], [b"Host: a", b"Host: a"], [b"Host: a", b"Host: b"]])
def test_a_request_names_one_host(house: Server, line: bytes, hosts: list[bytes]) -> None:
    status, answer = talk(house, line, *hosts)
    assert status == 400
    assert b"application/problem+json" in answer
    assert b"one Host header" in answer


def test_an_older_client_need_not_name_a_host(house: Server) -> None:
    assert talk(house, b"GET /v1/feeds HTTP/1.0")[0] == 200


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"gzip", b"chunked, chunked", b"identity"])
def test_a_body_in_another_transfer_coding_is_501(house: Server, coding: bytes) -> None:
    lines = [b"POST /v1/feeds/world/items HTTP/1.1", b"Host: x", b"Transfer-Encoding: " + coding]
    status, answer = talk(house, *lines, body=b"0\r\n\r\n")
    assert status in {400, 501}
    if coding == b"gzip, chunked":
        assert status == 501
        assert b'"unknown-transfer-coding"' in answer


H2C = [b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"]


@pytest.mark.parametrize("cut", [0, 1, 40, 300])
@pytest.mark.parametrize("chunked", [False, True])
def test_another_protocol_than_is_spoken_here_is_ignored_and_the_body_read(
    feed: Feed, house: Server, cut: int, chunked: bool
) -> None:
    """Java's client asks for HTTP/2 so with every request."""
    body = b'{"headline": "By Java"}'
    size = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    lines = [
        f"POST /v1/feeds/{feed.slug}/items HTTP/1.1".encode(), b"Host: x", *H2C, size,
        b"Connection: Upgrade, HTTP2-Settings", b"Content-Type: application/json",
        b"Authorization: Bearer " + house.token.strip().encode(), b"", sent,
    ]  # fmt: skip
    request = b"\r\n".join(lines) + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", house.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in filter(None, [request[:cut], request[cut:]]):
            connection.sendall(part)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert [line[9:12] for line in re.findall(rb"HTTP/1\.1 \d+", answer)] == [b"201", b"200"]
    assert feed.get("/items")["items"][0]["headline"] == "By Java"


def test_no_answer_is_taken_for_another_type_than_it_has(house: Server, feed: Feed) -> None:
    item = feed.item()
    paths = [
        "/", "/robots.txt", "/ticker.js", "/openapi.json", "/healthz", "/readyz", "/nothing",
        "/v1/feeds", "/v1/nothing", f"/feeds/{feed.slug}", f"/feeds/{feed.slug}/embed",
        f"{feed.path}/items/{item['id']}", f"{feed.path}/changes", f"{feed.path}/live",
    ]  # fmt: skip
    for path in paths:
        assert feed.reader.get(path).headers["x-content-type-options"] == "nosniff", path
    with feed.reader.stream("GET", f"{feed.path}/stream") as stream:
        assert stream.headers["x-content-type-options"] == "nosniff"
    assert feed.reader.put("/v1/feeds").headers["x-content-type-options"] == "nosniff"
    for lines in ([b"nonsense"], [b"GET / HTTP/1.1"]):
        assert b"nosniff" in talk(house, *lines)[1]


def test_after_all_that_the_server_serves(feed: Feed) -> None:
    assert feed.item()["headline"] == "News"
