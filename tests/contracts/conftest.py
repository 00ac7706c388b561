"""Every journal there is, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import records
from support.records import Open

from feedserver.sqlite import search


@pytest.fixture(params=["sqlite", "memory-0", "memory-1", "memory-2"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    _, _, seed = request.param.partition("-")
    return records.in_memory(int(seed)) if seed else records.in_sqlite(tmp_path)


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a search take its time, whatever else the machine does."""
    monkeypatch.setattr(search, "ANSWER_SECONDS", 30.0)
    monkeypatch.setattr(search, "LEVEL_SECONDS", 20.0)
