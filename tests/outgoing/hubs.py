"""A WebSub hub that answers as the test says, and fetches at once what it is told of."""

from __future__ import annotations

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs

import httpx


class StandIn:
    """Takes pings. `script` says how the next ones are answered: by a status, `hang` or `lose`."""

    def __init__(self) -> None:
        self.script: list[int | str] = []
        self.always: int | None = None  # the status of every answer
        self.asked = 0  # how many pings came, whatever became of them
        self.pings: list[str] = []  # the addresses of those that were taken
        self.fetched: dict[str, str] = {}  # what stood there at that moment
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/hub"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, slug: str) -> list[int]:
        """Return how often each document of a feed was pinged."""
        counted = Counter(ping for ping in self.pings if f"/feeds/{slug}." in ping)
        return list(counted.values())

    def answer(self, form: dict[str, list[str]]) -> int | None:
        """Take a ping; return the status to answer with, None for no answer."""
        self.asked += 1
        step: int | str = self.script.pop(0) if self.script else self.always or 202
        if step == "hang":
            self._over.wait()
            return None
        if step == "lose":
            return None
        assert isinstance(step, int)
        if step < 300:
            assert form["hub.mode"] == ["publish"]
            (address,) = form["hub.url"]
            self.fetched[address] = httpx.get(address).text
            self.pings.append(address)
        return step


def _handler(hub: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            status = hub.answer(parse_qs(self.rfile.read(length).decode()))
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
