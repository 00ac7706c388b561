"""What tests of the files share."""

from __future__ import annotations

import pytest

from feedserver.sqlite import search


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a search take its time, whatever else the machine does, where it is not about that."""
    monkeypatch.setattr(search, "ANSWER_SECONDS", 30.0)
    monkeypatch.setattr(search, "LEVEL_SECONDS", 20.0)
