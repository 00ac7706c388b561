"""Every journal there is, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import records
from support.records import Open


@pytest.fixture(params=["sqlite", "memory-0", "memory-1", "memory-2"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    _, _, seed = request.param.partition("-")
    return records.in_memory(int(seed)) if seed else records.in_sqlite(tmp_path)
