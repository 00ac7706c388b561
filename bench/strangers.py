"""Clients that ask again and again: `python -m bench.strangers PORT CONNECTIONS < paths`.

Each connection has one request under way, and takes the next path of the list. Paths come one a
line, then an empty line; it asks until its input is closed, and prints what it was answered.
"""

import os
import selectors
import socket
import sys
from collections import Counter
from itertools import cycle

RECEIVE = 1 << 20  # bytes at once


class Stranger:
    """One connection, asking for one thing after the other."""

    def __init__(self, port: int, paths: "cycle[str]", answers: Counter[int]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._paths = paths
        self._answers = answers
        self._head = b""
        self._left = 0  # bytes of the answer's body that are to come

    def ask(self) -> None:
        self._head = b""
        request = f"GET {next(self._paths)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        self.socket.sendall(request.encode())

    def read(self) -> None:
        data = self.socket.recv(RECEIVE)
        if not data:
            raise SystemExit("the server closed a stranger's connection")
        if self._left:
            self._left -= len(data)
        else:
            self._head += data
            head, separator, body = self._head.partition(b"\r\n\r\n")
            if not separator:
                return
            lines = head.lower().split(b"\r\n")
            self._answers[int(lines[0].split()[1])] += 1
            [length] = [line for line in lines if line.startswith(b"content-length:")]
            self._left = int(length.partition(b":")[2]) - len(body)
        if not self._left:
            self.ask()


def main() -> None:
    port, count = map(int, sys.argv[1:])
    paths = []
    while path := sys.stdin.readline().strip():
        paths.append(path)
    answers = Counter[int]()
    selector = selectors.DefaultSelector()
    turn = cycle(paths)
    for _ in range(count):
        stranger = Stranger(port, turn, answers)
        selector.register(stranger.socket, selectors.EVENT_READ, stranger)
        stranger.ask()
    selector.register(sys.stdin, selectors.EVENT_READ)
    print("asking", flush=True)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                if not os.read(sys.stdin.fileno(), 1):
                    print(*(f"{status}={n}" for status, n in sorted(answers.items())), flush=True)
                    return
            else:
                key.data.read()


if __name__ == "__main__":
    main()
