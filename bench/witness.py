"""One reader that looks at what it gets: for frame sizes, snapshots, and completeness."""

import json
import socket
import zlib
from dataclasses import dataclass, field
from typing import Any

from bench.errors import BenchError

FIN_TEXT = 0x81
DEFLATED = 0x40  # the bit RSV1
CLOSE = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """A text message: its bytes on the wire, the frame's header included, and what it says."""

    size: int
    text: str
    compressed: bool

    @property
    def parsed(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.text)
        return message


@dataclass(slots=True)
class Witness:
    """A WebSocket reader over a plain socket: unmasked, unfragmented text in."""

    port: int
    path: str
    wait: float = 10.0  # seconds for a message
    deflate: bool = False
    connection: socket.socket = field(init=False)
    _kept: bytes = b""

    def __post_init__(self) -> None:
        self.connection = socket.create_connection(("127.0.0.1", self.port), self.wait)
        offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if self.deflate else ""
        self.connection.sendall(
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Version: 13\r\n{offer}\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._take(1)
        if b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" not in head or not head.startswith(b"HTTP/1.1 101"):
            raise BenchError(f"No handshake on port {self.port}: {head[:200]!r}")
        if self.deflate != (b"permessage-deflate" in head):
            raise BenchError(f"Compression was not negotiated as offered: {head!r}")

    def frame(self) -> Frame:
        """The next text message."""
        while True:
            first, second = self._take(2)
            size, header = second & 127, 2
            if size > 125:
                header = 4 if size == 126 else 10
                size = int.from_bytes(self._take(header - 2))
            payload = self._take(size)
            if first & 15 == CLOSE:
                raise BenchError(f"The server closed the witness: {payload!r}")
            if first == FIN_TEXT:
                return Frame(header + size, payload.decode(), compressed=False)
            if self.deflate and first == FIN_TEXT | DEFLATED:
                return Frame(header + size, _inflated(payload), compressed=True)

    def next(self, kind: str) -> Frame:
        """The next snapshot, changes or heartbeat; an error if another news comes before it."""
        while True:
            frame = self.frame()
            got = frame.parsed.get("type")
            if got == kind:
                return frame
            if got in ("snapshot", "changes"):
                raise BenchError(f"The witness was sent a {got}, not {kind}: {frame.text:.300}")

    def message(self, kind: str) -> tuple[str, dict[str, Any]]:
        """The next message of that type, as text and parsed."""
        frame = self.next(kind)
        return frame.text, frame.parsed

    def close(self) -> None:
        self.connection.close()

    def _take(self, n: int) -> bytes:
        while len(self._kept) < n:
            try:
                chunk = self.connection.recv(65536)
            except TimeoutError as error:
                raise BenchError(f"The witness got no message for {self.wait:.0f} s.") from error
            if not chunk:
                raise BenchError("The server closed the witness's connection.")
            self._kept += chunk
        taken, self._kept = self._kept[:n], self._kept[n:]
        return taken


def _inflated(payload: bytes) -> str:
    """Undo a compressed message, as RFC 7692 has it."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload + b"\0\0\xff\xff").decode()
