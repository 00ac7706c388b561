"""One real server for all the doors; each test has a feed of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import httpx
import pytest

from support.answers import Feed
from support.server import Editor, Server

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("house") / "data") as started:
        yield started


@pytest.fixture(scope="session")
def anna(house: Server) -> Iterator[Editor]:
    """An editor who may edit all feeds."""
    with house.editing() as editor:
        yield editor


@pytest.fixture(scope="session")
def importer(house: Server) -> Iterator[Editor]:
    with house.editing(house.cli("token", "add", "importer", "--import")) as editor:
        yield editor


@pytest.fixture(scope="session")
def anyone(house: Server) -> Iterator[httpx.Client]:
    """A reader without a token."""
    with house.reading() as client:
        yield client


@pytest.fixture
def slug(anna: Editor) -> str:
    """A feed of the test's own."""
    name = f"feed-{next(numbers)}"
    assert anna.configure(name, title="Of its own").status_code == 201
    return name


@pytest.fixture
def feed(slug: str, anna: Editor, anyone: httpx.Client) -> Feed:
    return Feed(slug, anna, anyone)
