"""A feed of the test's own, and its documents."""

from __future__ import annotations

import pytest
from desk import Desk
from support.answers import Feed
from support.server import Editor

SUBSCRIBED = (".atom", ".rss", ".json")


@pytest.fixture
def desk(feed: Feed, anna: Editor, importer: Editor) -> Desk:
    settings = {"title": "World <news> & more", "language": "en", "timezone": "Europe/Kyiv"}
    assert anna.configure(feed.slug, **settings).status_code == 200
    return Desk(feed.slug, importer, feed.reader)


@pytest.fixture(params=SUBSCRIBED)
def suffix(request: pytest.FixtureRequest) -> str:
    """A format that feed readers subscribe to."""
    found: str = request.param
    return found
