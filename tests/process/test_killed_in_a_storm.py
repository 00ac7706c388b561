"""The power goes while editors post and readers read: nothing acknowledged is lost, or twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import websockets
from support.client import Client, Json, due, parse
from support.server import Server

pytestmark = pytest.mark.anyio

PATIENCE = 60.0
RETRY_SECONDS = 0.05
EDITORS = 6
READERS = 8
KILLS = 3
BEFORE_KILL = 40  # items acknowledged since the last one


class Storm:
    """Editors that post without end, each retrying a lost answer with the same key."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.acknowledged: dict[str, Json] = {}
        self.lost_answers = 0
        self.over = False

    async def post(self, editor: int) -> None:
        headers = {"Authorization": f"Bearer {self._server.token}"}
        async with httpx.AsyncClient(base_url=self._server.url, headers=headers) as http:
            number = 0
            while not self.over:
                key = f"{editor}-{number}"
                item = await self._until_acknowledged(http, "items", key, {"headline": key})
                self.acknowledged[key] = item
                if number % 3 == 0:
                    path = f"items/{item['id']}/revisions"
                    body = {"verb": "update", "body": f"More of {key}"}
                    again = await self._until_acknowledged(
                        http, path, f"{key}-more", body, item["etag"]
                    )
                    self.acknowledged[key] = again
                number += 1

    async def _until_acknowledged(
        self, http: httpx.AsyncClient, path: str, key: str, body: Json, etag: str = ""
    ) -> Json:
        headers = {"Idempotency-Key": key} | ({"If-Match": f'"{etag}"'} if etag else {})
        while True:
            try:
                answer = await http.post(f"/v1/feeds/world/{path}", json=body, headers=headers)
            except httpx.TransportError:
                self.lost_answers += 1
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if answer.status_code == 503:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            assert answer.status_code == 201, answer.text
            item: Json = answer.json()
            return item


class Person:
    """A reader who comes back with its own cursor whenever the connection ends."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.client = Client()
        self.outages = 0

    async def read(self) -> None:
        while True:
            url = self._server.live(since=self.client.cursor or None)
            try:
                async with websockets.connect(url) as socket:
                    async for text in socket:
                        if self.client.take(parse(text)):
                            break
            except (OSError, websockets.WebSocketException):
                pass
            self.outages += 1
            await asyncio.sleep(RETRY_SECONDS)


@asynccontextmanager
async def under_way(*works: asyncio.Task[None]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        for work in works:
            work.cancel()
        for fault in await asyncio.gather(*works, return_exceptions=True):
            if not isinstance(fault, asyncio.CancelledError) and fault is not None:
                raise fault


async def test_what_was_acknowledged_is_there_once_after_three_kills(server: Server) -> None:
    storm = Storm(server)
    people = [Person(server) for _ in range(READERS)]
    readers = [asyncio.create_task(person.read()) for person in people]
    async with under_way(*readers), asyncio.timeout(PATIENCE):
        editors = [asyncio.create_task(storm.post(number)) for number in range(EDITORS)]
        async with under_way(*editors):
            for _ in range(KILLS):
                enough = len(storm.acknowledged) + BEFORE_KILL
                while len(storm.acknowledged) < enough:
                    await asyncio.sleep(0.01)
                await asyncio.to_thread(server.restart, kill9=True)
            storm.over = True
            await asyncio.gather(*editors)
        assert storm.lost_answers >= KILLS

        items = await all_items(server)
        by_headline = {item["headline"]: item for item in items}
        assert len(by_headline) == len(items), "an item is there twice"
        for key, item in storm.acknowledged.items():
            stored = by_headline[key]
            assert stored["version"] == item["version"]
            assert stored["blocks"] if "body" in item else "blocks" not in stored
        assert by_headline.keys() == storm.acknowledged.keys()

        for person in people:
            while person.client.shown != due(items, person.client.floor):
                await asyncio.sleep(0.01)
            assert person.outages >= KILLS


async def all_items(server: Server) -> list[Json]:
    items: list[Json] = []
    before: dict[str, str] = {}
    async with httpx.AsyncClient(base_url=server.url) as http:
        while True:
            page = (await http.get("/v1/feeds/world/items?limit=200", params=before)).json()
            items += page["items"]
            if "next" not in page:
                return items
            before = {"before": page["next"]}
