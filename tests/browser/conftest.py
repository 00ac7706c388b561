"""One server, proxy, other site and browser for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import Site, open_site


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site") / "data") as site:
        yield site


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    """The site, cleared after the test. Our pages may have had no error on the console."""
    yield shared_site
    errors = list(shared_site.errors)
    shared_site.clear()
    assert not errors
