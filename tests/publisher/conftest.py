"""An editor, the real feedserver, and servers that misbehave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from editors import Publisher
from hostile import Hostile, Response
from support.server import Server


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    home = tmp_path / "home"
    home.mkdir()
    return Publisher(home)


@pytest.fixture
def hostile() -> Iterator[Callable[..., Hostile]]:
    started: list[Hostile] = []

    def start(*responses: Response, **more: Any) -> Hostile:
        started.append(Hostile(*responses, **more))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="session")
def shared_newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all who only post to it."""
    with Server(tmp_path_factory.mktemp("home") / "data") as room:
        yield room


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Server]:
    """A server of one's own, to stop, close and revoke."""
    with Server(tmp_path / "data") as room:
        yield room


@pytest.fixture
def editor(publisher: Publisher, shared_newsroom: Server) -> Publisher:
    """An editor at work on the shared server."""
    return publisher.at(shared_newsroom.url, shared_newsroom.token)
