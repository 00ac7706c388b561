"""Someone who looks at a feed in a browser: on our page, or in a ticker on another site's page."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chromium import Feed, wait_until
from firefox import Firefox
from host import Host
from support.server import Server
from webkit import WebKit

READER = Path(__file__).with_name("readers.js").read_text()
READER_HASH = base64.b64encode(hashlib.sha256(READER.encode()).digest()).decode()

Browser = Firefox | WebKit


@dataclass
class Site:
    """A server, its editor, and somebody else's site."""

    server: Server
    host: Host
    feeds: Iterator[Feed]

    def feed(self) -> Feed:
        return next(self.feeds)


class Reader:
    """Someone who looks at a feed in a browser."""

    def __init__(self, browser: Browser, site: Site, surface: str) -> None:
        self.browser = browser
        self.site = site
        self.surface = surface

    def open(self, feed: Feed) -> None:
        """Open the feed's page, or another site's page with a ticker on it, and wait for news."""
        if self.surface == "page":
            self.browser.open(f"{self.site.server.url}/feeds/{feed.slug}")
            self.browser.ask(f"() => {{ {READER} }}")
            self.wait("() => reader.live()")
        else:
            self.embed(f"<p id=above>Above</p>{self.ticker(feed)}<p id=below>Below</p>")

    def ticker(self, feed: Feed, attributes: str = "") -> str:
        url = f"{self.site.server.url}/feeds/{feed.slug}"
        return f'<live-ticker src="{url}" {attributes}></live-ticker>'

    def embed(self, body: str, **headers: str) -> None:
        """Open another site's page with this body."""
        body = f"<script>{READER}</script>{body}"
        self.browser.open(self.site.host.page(body, **headers))
        self.wait("() => reader.live()")

    def ask(self, function: str, *arguments: Any) -> Any:
        return self.browser.ask(function, *arguments)

    def wait(self, function: str, *arguments: Any) -> None:
        """Wait until a function returns something true."""
        asked = f"(...given) => Boolean(({function})(...given))"
        wait_until(lambda: self.ask(asked, *arguments), 40)

    def wait_for(self, *headlines: str) -> None:
        """Wait until exactly these rows are shown, top first."""
        with contextlib.suppress(AssertionError):
            self.wait("(wanted) => reader.headlines().join('|') === wanted", "|".join(headlines))
        assert self.headlines() == list(headlines)

    def headlines(self) -> list[str]:
        found: list[str] = self.ask("() => reader.headlines()")
        return found

    def words(self, headline: str) -> str:
        found: str = self.ask("(headline) => reader.words(headline)", headline)
        return found
