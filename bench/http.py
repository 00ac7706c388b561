"""Just enough HTTP to publish: one keep-alive connection, one write per request."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.errors import BenchError

ANSWER_WAIT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Connection:
    """Opened at the first request."""

    port: int
    _socket: socket.socket | None = field(default=None)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), ANSWER_WAIT)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        self._socket.sendall("\r\n".join(lines).encode() + body)
        return self._answer(self._socket)

    def close(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None

    @staticmethod
    def _answer(connection: socket.socket) -> Answer:
        got = b""
        while b"\r\n\r\n" not in got:
            got += _more(connection)
        head, _, body = got.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest)}
        if "content-length" not in headers:
            raise BenchError(f"An answer without Content-Length: {first}")
        while len(body) < int(headers["content-length"]):
            body += _more(connection)
        return Answer(int(first.split()[1]), headers, body)


def _more(connection: socket.socket) -> bytes:
    try:
        chunk = connection.recv(65536)
    except TimeoutError as error:
        raise BenchError(f"No answer to a POST within {ANSWER_WAIT:.0f} s.") from error
    if not chunk:
        raise BenchError("The server closed the connection in the middle of an answer.")
    return chunk
