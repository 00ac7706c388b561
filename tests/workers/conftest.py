"""One server of three workers for all tests that do it no harm; each has a feed of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from support.server import Server

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of three workers."""
    with Server(tmp_path_factory.mktemp("trio") / "data", "--workers", "3") as started:
        yield started


@pytest.fixture
def slug(trio: Server) -> str:
    """A feed of the test's own."""
    name = f"feed-{next(numbers)}"
    with trio.editing() as editor:
        assert editor.configure(name, title="Of its own").status_code == 201
    return name
