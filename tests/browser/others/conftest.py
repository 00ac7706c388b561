"""The browsers beside Chromium, each started once, and who looks at a feed with them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import Feed
from firefox import Firefox
from host import host_site
from readers import Browser, Reader, Site
from support.server import Server
from webkit import WebKit


@pytest.fixture(scope="session", params=[Firefox, WebKit], ids=["firefox", "webkit"])
def browser(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    start: Callable[[Path], Browser] = request.param
    with contextlib.closing(start(tmp_path_factory.mktemp("browser") / "home")) as started:
        yield started


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("site") / "data"
    with Server(data, "--heartbeat", "1") as server, host_site() as host:
        editor = server.editing(server.cli("token", "add", "editor", "--import"))
        with editor:
            feeds = (Feed(editor, f"feed-{n}", f"World news {n}") for n in range(1000))
            yield Site(server, host, feeds)


def _reader(browser: Browser, site: Site, surface: str) -> Iterator[Reader]:
    reader = Reader(browser, site, surface)
    yield reader
    errors = reader.ask("() => reader.errors")
    browser.open("about:blank")
    assert errors == []


@pytest.fixture(params=["page", "ticker"])
def reader(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Reader]:
    """A reader of our page, and one of a ticker."""
    yield from _reader(browser, site, request.param)


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Iterator[Reader]:
    """A reader of another site's page."""
    yield from _reader(browser, site, "ticker")


@pytest.fixture
def page_reader(browser: Browser, site: Site) -> Iterator[Reader]:
    yield from _reader(browser, site, "page")
