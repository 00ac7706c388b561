"""What every test can ask for: a real server, and the loop that async tests run on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.server import Server

from feedserver.sqlite import search

pytest_plugins = ["support.house", "support.former"]

# A shell that runs the tests in the background has them ignore Ctrl-C, and with them every process
# that they start; but how those take it is tested.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "default",
    max_examples=160,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,  # what `make test` tries is the same everywhere; `more` looks further
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile(
    "more", settings.get_profile("default"), max_examples=1_000, derandomize=False
)
settings.register_profile(
    "fast", settings.get_profile("default"), max_examples=30, stateful_step_count=20
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a search here take its time, whatever else the machine does, unless it is about that."""
    monkeypatch.setattr(search, "ANSWER_SECONDS", 30.0)
    monkeypatch.setattr(search, "LEVEL_SECONDS", 20.0)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A real server process with one feed, `world`, and an editor, `anna`."""
    with Server(tmp_path / "data") as started:
        yield started


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers with options and settings of one's own, over one folder."""
    servers: list[Server] = []

    def start(*options: str, **environ: str) -> Server:
        first = not servers
        servers.append(Server(tmp_path / "data", *options, environ=environ, new=first))
        return servers[-1].start()

    yield start
    for started in reversed(servers):
        started.stop()
