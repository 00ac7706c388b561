"""Servers that misbehave on purpose. Each has a response for each request, and repeats the last."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ITEM = {
    "id": 128,
    "feed": "world",
    "version": 128,
    "etag": "128-x7Kd",
    "status": "live",
    "headline": "Bus hit",
    "published_at": "2025-05-17T07:13:00.000Z",
}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


# Signed by itself for 127.0.0.1, until 2126; nothing but these tests ever knew the key.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUOtykGNXX8XQeq/1
QyY+ogCCqZCEn+3BoJ7Yc8l3IhShRANCAAQ5pR+1wTSSp3IXpbtLHzx6uusI59SH
Mv+JLcx8F2Oy3WRgXkQ4cPflOaoE4a/5CB9caMRGauz4O5UdI/wFWtQO
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBkTCCATagAwIBAgIUafp+VGzZ3XgCj1fxoPGeIV8u5zIwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyNzA3MDUxMFoYDzIxMjYxMTAz
MDcwNTEwWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ5pR+1wTSSp3IXpbtLHzx6uusI59SHMv+JLcx8F2Oy3WRgXkQ4cPfl
OaoE4a/5CB9caMRGauz4O5UdI/wFWtQOo2QwYjAdBgNVHQ4EFgQU1WsQW+aChviR
aIezdKPJPs6Ny50wHwYDVR0jBBgwFoAU1WsQW+aChviRaIezdKPJPs6Ny50wDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0kAMEYC
IQDLrvVz+XC8kHNO+hozsLq4JVIEEWAf8MqY1svknCcsgQIhAKBqHzZALyX86eWh
/at8IfgnH4xfUDo1rl+7dkSmAv06
-----END CERTIFICATE-----
"""
TLS_HELLO = 0x16
Response = Callable[[socket.socket, Request], None]


class Hostile:
    """A server on a port of its own that sends `responses` and records the requests."""

    def __init__(self, *responses: Response, certificate: Path | None = None) -> None:
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self.responses = list(responses)
        self.requests: list[Request] = []
        self.asked = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            try:
                self._serve(connection)
            except OSError:
                continue

    def _serve(self, connection: socket.socket) -> None:
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
            self._open.append(connection)
        request = _read(connection)
        if request is None:
            return
        self.requests.append(request)
        self.asked.set()
        response = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
        response(connection, request)


def answers(
    status: int, body: Any = None, kind: str = "application/json", **headers: Any
) -> Response:
    """Answer with this in correct HTTP, and close."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Answer", f"content-type: {kind}", f"content-length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += ["connection: close", "", ""]

    def response(connection: socket.socket, _: Request) -> None:
        connection.sendall("\r\n".join(lines).encode() + data)
        connection.shutdown(socket.SHUT_RDWR)

    return response


def problem(status: int, slug: str, detail: str = "as it is", **headers: Any) -> Response:
    """Answer with a problem as a feedserver does."""
    body = {"type": slug, "title": slug, "status": status, "detail": detail}
    return answers(status, body, "application/problem+json", **headers)


def resets(connection: socket.socket, _: Request) -> None:
    """Break the connection once the request was read: the answer is lost."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def says_nothing(_: socket.socket, __: Request) -> None:
    """Read the request and never answer; the connection stays open."""


def never_ends(connection: socket.socket, _: Request) -> None:
    """Answer a byte at a time for as long as anybody listens."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{")

    def drip() -> None:
        pause = threading.Event()
        try:
            while not pause.wait(0.05):
                connection.sendall(b" ")
        except OSError:
            return

    threading.Thread(target=drip, daemon=True).start()


def drips_headers(connection: socket.socket, _: Request) -> None:
    """Answer with one header after the other for as long as anybody listens."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")

    def drip() -> None:
        pause = threading.Event()
        try:
            while not pause.wait(0.05):
                connection.sendall(b"x: y\r\n")
        except OSError:
            return

    threading.Thread(target=drip, daemon=True).start()


def streams(*messages: Any) -> list[Response]:
    """Refuse the WebSocket, then send these as an event stream and close."""

    def response(connection: socket.socket, _: Request) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        connection.sendall(head)
        for message in messages:
            connection.sendall(f"id: x\ndata: {json.dumps(message)}\n\n".encode())
        connection.shutdown(socket.SHUT_RDWR)

    return [answers(426, b"<h1>Upgrade</h1>", "text/html"), response]


def _read(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
        if data[0] == TLS_HELLO:
            return Request("HELLO", "", {}, b"")
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return Request(method, path, headers, body)
