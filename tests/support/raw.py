"""A WebSocket client that does as it likes: bytes on a real socket."""

from __future__ import annotations

import json
import socket
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from support.server import Server

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455, whose answer is …
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
PATIENCE = 15.0  # seconds; nothing here should ever need them

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def frame(
    opcode: int, payload: bytes = b"", *, head: int = 0x80, mask: bytes = b"\x01\x02\x03\x04"
) -> bytes:
    """Make a client's frame."""
    size = len(payload)
    if size < 126:
        start = struct.pack("!BB", head | opcode, 0x80 | size)
    elif size < 65536:
        start = struct.pack("!BBH", head | opcode, 0x80 | 126, size)
    else:
        start = struct.pack("!BBQ", head | opcode, 0x80 | 127, size)
    return start + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload))


def close(code: int) -> bytes:
    return frame(CLOSE, struct.pack("!H", code))


def request(slug: str, query: str = "", **headers: str | None) -> bytes:
    """Make a handshake; a header that is None is left out."""
    sent: dict[str, str | None] = {
        "Host": "news.example",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in sent.items() if value is not None]
    return "\r\n".join([f"GET /v1/feeds/{slug}/live{query} HTTP/1.1", *lines, "", ""]).encode()


class Raw:
    """A connection. `with` closes it."""

    def __init__(self, server: Server, *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", server.port))
        self.headers: dict[str, str] = {}
        self._buffer = b""

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        """Send each part in a segment of its own."""
        for part in parts:
            self.socket.sendall(part)

    def shake(self, slug: str, query: str = "", **headers: str | None) -> Raw:
        """Go through the handshake."""
        self.send(request(slug, query, **headers))
        status = self.answer()
        assert status == 101, status
        assert self.headers["sec-websocket-accept"] == ACCEPT
        return self

    def answer(self) -> int:
        """Read the head of an HTTP answer; return its status, 0 if there is none."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._fill():
                return 0
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        for line in lines:
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value
        return int(first.split(" ")[1])

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield opcode and payload of what the server sends, to the end of the connection."""
        while True:
            while (found := self._frame()) is None:
                if not self._fill():
                    return
            yield found

    def next(self) -> tuple[int, bytes]:
        return next(self.frames())

    def message(self) -> dict[str, Any]:
        """Return the next message."""
        opcode, payload = self.next()
        assert opcode == TEXT, (opcode, payload)
        message: dict[str, Any] = json.loads(payload)
        return message

    def closed(self) -> int | None:
        """Read to the end; return the close code, None if there was no close frame."""
        for opcode, payload in self.frames():
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")
        return None

    def ended(self) -> bool:
        """Say whether the server ends the connection, now that all it sent was read."""
        try:
            while self._fill():
                pass
        except OSError:
            return False
        return True

    def reset(self) -> None:
        """Be gone without a word."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _fill(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self._buffer += data
        return bool(data)

    def _frame(self) -> tuple[int, bytes] | None:
        data = self._buffer
        if len(data) < 2:
            return None
        assert data[0] & 0x80, "the server fragments nothing"
        assert not data[1] & 0x80, "the server masks nothing"
        size, start = data[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(data) < start:
                return None
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return None
        payload, self._buffer = data[start : start + size], data[start + size :]
        if data[0] & 0x40:
            assert "permessage-deflate" in self.headers.get("sec-websocket-extensions", "")
            payload = zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload + b"\0\0\xff\xff")
        return data[0] & 0x0F, payload
