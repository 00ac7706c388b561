"""A bad network: a TCP proxy in front of the server."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from support.server import Server

DRIP = 64  # bytes at a time


class Proxy:
    """Can reset, swallow, refuse, hold, delay or drip what goes through it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.requests: list[str] = []
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.mend()
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self) -> None:
        """Make it a good network without a past."""
        self.swallow = False
        self.refuse = False
        self.no_sockets = False  # answers a WebSocket's handshake with a reset
        self.no_streams = False  # and a request for SSE
        self.held: tuple[str, ...] = ()  # never answers requests whose first line has one of these
        self.latency = 0.0  # seconds that each piece of an answer takes longer
        self.drip = 0.0  # seconds between every few bytes of an answer
        self.requests.clear()

    def reset(self) -> None:
        """Cut every connection that is open."""
        for pair in self.pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self.pairs.clear()

    def close(self) -> None:
        self.refuse = True
        self.listener.close()
        self.reset()

    def asked(self, part: str) -> int:
        return sum(part in request for request in self.requests)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.refuse:
                    client.close()
                else:
                    threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        try:
            head = client.recv(65536)
            self.requests.append(head.split(b"\r\n", 1)[0].decode("latin-1"))
            if self._blocked(head):
                return client.close()
            if self._is_held(head):
                return self.pairs.append((client, client))
            server = socket.create_connection(("127.0.0.1", self.server.port))
        except OSError:  # the server restarts
            return client.close()
        self.pairs.append((client, server))
        with contextlib.suppress(OSError):
            server.sendall(head)
            for pump, ends in (self._up, (client, server)), (self._down, (server, client)):
                threading.Thread(target=pump, args=ends, daemon=True).start()
        return None

    def _blocked(self, head: bytes) -> bool:
        return (self.no_sockets and b"upgrade: websocket" in head.lower()) or (
            self.no_streams and b"/stream" in head.split(b"\r\n", 1)[0]
        )

    def _is_held(self, head: bytes) -> bool:
        line = head.split(b"\r\n", 1)[0].decode("latin-1")
        return any(part in line for part in self.held)

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if b"HTTP/1.1\r\n" in data:
                    self.requests.append(data.split(b"\r\n", 1)[0].decode("latin-1"))
                    if self._blocked(data):
                        break
                    if self._is_held(data):
                        continue
                if not self.swallow:
                    server.sendall(data)
        hang_up(client, server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                time.sleep(self.latency)
                size = DRIP if self.drip else len(data)
                for start in range(0, len(data), size):
                    time.sleep(self.drip)
                    if not self.swallow:
                        client.sendall(data[start : start + size])
        hang_up(server, client)


def hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
