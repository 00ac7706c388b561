"""Every journal there is, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import records
from support.records import Open


@pytest.fixture(params=["sqlite", "memory"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    return records.in_sqlite(tmp_path) if request.param == "sqlite" else records.in_memory()
