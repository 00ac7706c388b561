"""Just enough HTTP to publish and to poll: one keep-alive connection, one write per request."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.errors import BenchError

ANSWER_WAIT = 10.0  # seconds
NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    size: int  # bytes in all
    asked: int  # bytes of the request


@dataclass(slots=True)
class Connection:
    """Opened at the first request."""

    port: int
    wait: float = ANSWER_WAIT
    _socket: socket.socket | None = field(default=None)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        size = self.send("POST", path, headers, body)
        return self.answer(size)

    def get(self, path: str, headers: Mapping[str, str]) -> Answer:
        return self.answer(self.send("GET", path, headers))

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> int:
        """Send a request, to be followed by `answer`; return its bytes."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}"] if method == "POST" else []
        request = "\r\n".join([*lines, "", ""]).encode() + body
        self.open().sendall(request)
        return len(request)

    def open(self) -> socket.socket:
        """The connection, opened if there is none."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), self.wait)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def answer(self, asked: int = 0) -> Answer:
        """Read the answer to what was sent."""
        connection, got = self.open(), b""
        while b"\r\n\r\n" not in got:
            got += self._more(connection)
        head, _, body = got.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        status = int(first.split()[1])
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest)}
        if "content-length" not in headers and status != NOT_MODIFIED:
            raise BenchError(f"An answer without Content-Length: {first}")
        while len(body) < int(headers.get("content-length", 0)):
            body += self._more(connection)
        return Answer(status, headers, body, len(head) + 4 + len(body), asked)

    def close(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None

    def _more(self, connection: socket.socket) -> bytes:
        try:
            chunk = connection.recv(65536)
        except TimeoutError as error:
            raise BenchError(f"No answer to a request within {self.wait:.0f} s.") from error
        if not chunk:
            raise BenchError("The server closed the connection in the middle of an answer.")
        return chunk
