"""One stage for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import Stage, set_stage


@pytest.fixture(scope="module")
def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with set_stage(tmp_path_factory.mktemp("stage") / "data") as stage:
        yield stage


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    """The stage, cleared after the test, in which no page of ours may have complained."""
    yield shared_stage
    complaints = list(shared_stage.complaints)
    shared_stage.clear()
    assert not complaints
