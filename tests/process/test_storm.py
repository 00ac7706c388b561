"""kill -9 in a storm of posts: what was acknowledged is there, once, and every reader gets it."""

from __future__ import annotations

import asyncio
import random

import httpx
import pytest
from support.client import Json
from support.lines import RETRY_SECONDS, Follower, converged
from support.server import Server

pytestmark = pytest.mark.anyio

KILLS = 3
EDITORS = 4
POSTS = 60  # of each editor, between two kills


class Editor:
    """Posts and revises, and sends everything again, with the same key, until it is answered."""

    def __init__(self, http: httpx.AsyncClient, name: str, token: str) -> None:
        self.acknowledged: dict[int, Json] = {}  # the newest answer for each item
        self.lost_answers = 0
        self._answers: list[tuple[str, Json, dict[str, str], Json]] = []  # to each request
        self._http = http
        self._name = name
        self._token = token
        self._count = 0

    async def work(self, posts: int) -> None:
        for number in range(posts):
            item = await self._post("items", {"headline": f"{self._name} {self._count}"})
            if number % 3 == 0:
                item = await self._revise(item, {"verb": "update", "body": "More is known."})
            if number % 9 == 0:
                item = await self._revise(item, {"verb": "kill", "note": "It was not so."})
            self.acknowledged[item["id"]] = item

    async def _revise(self, item: Json, body: Json) -> Json:
        return await self._post(f"items/{item['id']}/revisions", body, item["etag"])

    async def send_all_again(self) -> None:
        """Repeat every request: each is answered as it was, or 410 if its item is no more."""
        statuses = set()
        for path, body, headers, item in self._answers:
            answer = await self._answer(path, body, headers)
            statuses.add(answer.status_code)
            if answer.status_code == 410:
                tombstone = answer.json()["tombstone"]
                assert tombstone == self.acknowledged[item["id"]]
                assert body.get("verb") != "kill"
                continue
            assert answer.status_code == 201, answer.text
            assert answer.headers["Idempotent-Replayed"] == "true"
            assert answer.json() == item
            assert body.get("verb") == "kill" or "killed_at" not in self.acknowledged[item["id"]]
        assert statuses == {201, 410}

    async def _post(self, path: str, body: Json, etag: str | None = None) -> Json:
        self._count += 1
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Idempotency-Key": f"{self._name}-{self._count}",
            "Prefer": "respond-async",
        }
        if etag is not None:
            headers["If-Match"] = f'"{etag}"'
        answer = await self._answer(path, body, headers)
        assert answer.status_code == 201, answer.text
        item = dict(answer.json())
        self._answers.append((path, body, headers, item))
        return item

    async def _answer(self, path: str, body: Json, headers: dict[str, str]) -> httpx.Response:
        while True:
            try:
                answer = await self._http.post(
                    f"/v1/feeds/world/{path}", json=body, headers=headers
                )
            except httpx.TransportError:
                self.lost_answers += 1
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if answer.status_code != 503:
                return answer


async def survive(server: Server, kills: int) -> None:
    followers = [Follower(server.url) for _ in range(6)]
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        editors = [Editor(http, f"editor-{n}", server.token) for n in range(EDITORS)]
        following = [asyncio.create_task(one.follow()) for one in followers]
        for _ in range(kills):
            before = sum(len(editor.acknowledged) for editor in editors)
            working = [asyncio.create_task(editor.work(POSTS)) for editor in editors]
            when = random.randrange(POSTS, 3 * POSTS)
            while sum(len(editor.acknowledged) for editor in editors) < before + when:
                await asyncio.wait(working, timeout=0.001)
            await asyncio.to_thread(server.restart, kill9=True)
            await asyncio.gather(*working)
            items = await converged(http, followers)
        # Sent again a day later, as it were, everything is answered as it was.
        for editor in editors:
            await editor.send_all_again()
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        assert await converged(http, followers) == items

    acknowledged = {id_: item for editor in editors for id_, item in editor.acknowledged.items()}
    assert len(acknowledged) == EDITORS * POSTS * kills, "two posts were answered with one item"
    assert {item["id"] for item in items} == acknowledged.keys(), "an item is lost, or one too many"
    for item in items:
        told = {name: value for name, value in acknowledged[item["id"]].items() if name != "body"}
        assert item == told
    assert all(follower.connections > kills for follower in followers)
    assert sum(editor.lost_answers for editor in editors) > 0, "it was no storm"


async def test_kill_9_in_a_storm_of_posts_loses_nothing_and_doubles_nothing(
    server: Server,
) -> None:
    async with asyncio.timeout(300):
        await survive(server, KILLS)


@pytest.mark.more
async def test_kill_9_again_and_again_loses_nothing_and_doubles_nothing(server: Server) -> None:
    async with asyncio.timeout(3_000):
        await survive(server, 30)
