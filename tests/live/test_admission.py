"""How many readers a second are let in: counted, by a clock that the test moves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.records import in_memory

from feedserver.live import hub as hubs
from feedserver.live.hub import Hub

pytestmark = pytest.mark.anyio
RATE = 10


async def test_a_rush_is_let_in_at_the_rate_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(hubs, "time", SimpleNamespace(monotonic=lambda: now))
    async with in_memory()() as opened:
        hub = Hub(opened.journal, opened.mirror, page_url=str, reader_rate=RATE)

        def admitted() -> int:
            return sum(hub.admit() for _ in range(60))

        assert admitted() == RATE
        assert admitted() == 0
        now += 0.5
        assert admitted() == RATE // 2
        now += 3_600  # nobody came for an hour: that is not saved up
        assert admitted() == RATE
