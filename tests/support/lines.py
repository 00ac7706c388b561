"""Readers on real connections: some follow the client's rules, some do as they like."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from support.client import Client, Json, Line, due, parse
from support.server import Server, live_url

PATIENCE = 30.0  # seconds; nothing here should ever need them
RETRY_SECONDS = 0.02


def eventually(true: Callable[[], Any]) -> Any:
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)
    return found


class Follower:
    """A reader who comes back with its own cursor, for as long as `follow` runs."""

    def __init__(self, url: str, slug: str = "world") -> None:
        self.client = Client()
        self.connections = 0
        self.heartbeats = 0
        self.codes: list[int | None] = []
        self._url = url
        self._slug = slug

    async def follow(self) -> None:
        while True:
            with suppress(OSError, WebSocketException, TimeoutError):
                await self._follow_once()
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow_once(self) -> None:
        url = live_url(self._url, self._slug, self.client.cursor or None)
        line = Line(self.client.cursor)
        async with connect(url, max_size=None, compression=None, proxy=None) as connection:
            self.connections += 1
            async for text in connection:
                message = parse(text)
                line.take(message)
                self.heartbeats += message["type"] == "heartbeat"
                assert not self.client.take(message), "it does not go on from the cursor"
            self.codes.append(connection.close_code)


async def all_items(http: httpx.AsyncClient, slug: str = "world") -> tuple[str, list[Json]]:
    """Return the cursor and all items of a feed, over all pages."""
    items: list[Json] = []
    before: dict[str, str] = {}
    while True:
        answer = await http.get(f"/v1/feeds/{slug}/items", params={"limit": "200", **before})
        page = answer.raise_for_status().json()
        items += page["items"]
        if "next" not in page:
            return page["cursor"], items
        before = {"before": page["next"]}


async def converged(http: httpx.AsyncClient, followers: list[Follower]) -> list[Json]:
    """Wait until all followers are where the API is, and hold what they show against it."""
    cursor, items = await all_items(http)
    async with asyncio.timeout(PATIENCE):
        for follower in followers:
            while follower.client.cursor != cursor:
                await asyncio.sleep(RETRY_SECONDS)
    for follower in followers:
        assert follower.client.shown == due(items, follower.client.floor)
    return items


class Stuck:
    """A connection whose client reads only when told."""

    def __init__(self, server: Server, path: str, *, websocket: bool = True) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", server.port))
        lines = [f"GET {path} HTTP/1.1", "Host: news.example"]
        if websocket:
            key = base64.b64encode(os.urandom(16)).decode()
            lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
            lines += [f"Sec-WebSocket-Key: {key}"]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        head = self.socket.recv(12)
        assert head == (b"HTTP/1.1 101" if websocket else b"HTTP/1.1 200")

    @property
    def port(self) -> int:
        """Its own port."""
        number: int = self.socket.getsockname()[1]
        return number

    def read(self, most: int) -> bytes:
        return self.socket.recv(most)

    def read_slowly(self, seconds: float) -> None:
        """Read a little at a time, but always something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.read(3_000)
            time.sleep(0.2)  # the pace of this reader

    def is_cut_off(self) -> bool:
        """Read to the end; say whether there was one."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Stuck:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def live(slug: str = "world") -> str:
    return f"/v1/feeds/{slug}/live"


def stream(slug: str = "world") -> str:
    return f"/v1/feeds/{slug}/stream"
