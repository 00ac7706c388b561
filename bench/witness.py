"""One reader that looks at what it gets: for frame sizes, snapshots, and completeness."""

import json
import socket
from dataclasses import dataclass, field
from typing import Any

from bench.errors import BenchError


@dataclass(slots=True)
class Witness:
    """A WebSocket reader over a plain socket: unmasked, unfragmented, uncompressed text in."""

    port: int
    path: str
    wait: float = 10.0  # seconds for a message
    _socket: socket.socket = field(init=False)
    _kept: bytes = b""

    def __post_init__(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self.port), self.wait)
        self._socket.sendall(
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._take(1)
        if b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" not in head or not head.startswith(b"HTTP/1.1 101"):
            raise BenchError(f"No handshake on port {self.port}: {head[:200]!r}")

    def text(self) -> str:
        """The next text message."""
        while True:
            first, second = self._take(2)
            size = second & 127
            if size > 125:
                size = int.from_bytes(self._take(2 if size == 126 else 8))
            payload = self._take(size)
            if first & 15 == 8:
                raise BenchError(f"The server closed the witness: {payload!r}")
            if first == 0x81:
                return payload.decode()

    def message(self, kind: str) -> tuple[str, dict[str, Any]]:
        """The next snapshot or changes, as text and parsed; an error unless of that type."""
        while True:
            text = self.text()
            parsed: dict[str, Any] = json.loads(text)
            if parsed.get("type") == kind:
                return text, parsed
            if parsed.get("type") in ("snapshot", "changes"):
                raise BenchError(
                    f"The witness was sent a {parsed['type']}, not {kind}: {text:.300}"
                )

    def close(self) -> None:
        self._socket.close()

    def _take(self, n: int) -> bytes:
        while len(self._kept) < n:
            try:
                chunk = self._socket.recv(65536)
            except TimeoutError as error:
                raise BenchError(f"The witness got no message for {self.wait:.0f} s.") from error
            if not chunk:
                raise BenchError("The server closed the witness's connection.")
            self._kept += chunk
        taken, self._kept = self._kept[:n], self._kept[n:]
        return taken
