"""Whoever has the answer to an edit finds it at the same process, also if that reads it back late.

The look for other processes' commits may see this process's own between its COMMIT and the moment
when the journal remembers it. Then the change is read back from the file, in a thread, while the
editor's answer is already on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from support.memory import turns
from support.server import Server

from feedserver.api import editing
from feedserver.api.context import Context
from feedserver.rules import Change
from feedserver.service import make_app, open_context
from feedserver.settings import read_settings
from feedserver.sqlite.journal import SQLiteJournal

pytestmark = pytest.mark.anyio
T = TypeVar("T")


@dataclass
class Late:
    """A server in this process that reads its own commits back, when it is told to."""

    here: Context
    client: httpx.AsyncClient
    reads: asyncio.Event = field(default_factory=asyncio.Event)  # a commit is being read back
    go_on: asyncio.Event = field(default_factory=asyncio.Event)  # … and may be taken in
    waits: asyncio.Event = field(default_factory=asyncio.Event)  # an answer waits for that

    def hold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        journal, hub = self.here.journal, self.here.hub
        assert isinstance(journal, SQLiteJournal)
        write, read_back, applied = journal._database.write, journal._read_back, hub.applied

        async def seen_before_it_is_remembered(work: Callable[[Any], T]) -> T:
            done = await write(work)
            journal.nudge()
            await self.reads.wait()
            return done

        async def held(after: int) -> tuple[Change, ...]:
            self.reads.set()
            await self.go_on.wait()
            return await read_back(after)

        async def noted(sequence: int, timeout: float) -> bool:
            self.waits.set()
            return await applied(sequence, timeout)

        monkeypatch.setattr(journal._database, "write", seen_before_it_is_remembered)
        monkeypatch.setattr(journal, "_read_back", held)
        monkeypatch.setattr(hub, "applied", noted)

    async def post(self) -> dict[str, Any]:
        answer = await self.client.post("/v1/feeds/world/items", json={"headline": "News"})
        assert answer.status_code == 201, answer.text
        item: dict[str, Any] = answer.json()
        return item

    async def items(self) -> list[int]:
        answer = await self.client.get("/v1/feeds/world/items", headers={"Authorization": ""})
        return [item["id"] for item in answer.json()["items"]]


@pytest.fixture
async def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Late]:
    started = Server(tmp_path / "data")
    faults: list[BaseException] = []
    settings = read_settings({"data": str(started.data)}, {})
    async with open_context(settings, "http://test", faults.append) as here:
        app = make_app(None)
        app.state.context = here
        token = {"Authorization": f"Bearer {started.token}"}
        door = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=door, base_url="http://test", headers=token
        ) as client:
            yield Late(here, client)
    assert not faults


async def test_an_answer_waits_until_the_same_process_can_be_asked_for_the_item(
    late: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editing, "DELIVERY_SECONDS", 3600)
    first = await late.post()
    assert await late.items() == [first["id"]]
    late.hold(monkeypatch)
    posting = asyncio.create_task(late.post())
    waiting = asyncio.create_task(late.waits.wait())
    await asyncio.wait({posting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    await turns(50)
    assert not posting.done()
    assert await late.items() == [first["id"]]  # nobody is told of it yet
    late.go_on.set()
    second = await posting
    assert await late.items() == [second["id"], first["id"]]


async def test_an_answer_does_not_wait_for_longer_than_its_time(
    late: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editing, "DELIVERY_SECONDS", 0.01)
    late.hold(monkeypatch)
    item = await late.post()
    assert late.waits.is_set()
    assert late.here.hub.applied_to < item["version"]
    late.go_on.set()
    assert await late.here.hub.applied(item["version"], 30)
    assert await late.items() == [item["id"]]
