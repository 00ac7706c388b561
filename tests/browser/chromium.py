"""The stage of the tests in Chromium: a real server, feeds, other sites, a failing network."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from host import Host, host_site
from playwright.sync_api import (
    Browser,
    BrowserContext,
    FrameLocator,
    Locator,
    Page,
    expect,
    sync_playwright,
)
from support.browser import CHROMIUM, CHROMIUM_ARGS
from support.server import ROOT, Editor, Server
from wire import Wire

PATIENCE_MS = 30_000  # nothing here should ever need them
expect.set_options(timeout=PATIENCE_MS)
AXE = ROOT / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# What the page counts of itself: layout shifts that nobody asked for.
MEASURES = """
window.shifts = 0;
const watch = (type, act) => new PerformanceObserver((list) => list.getEntries().forEach(act))
    .observe({ type, buffered: true });
watch('layout-shift', (entry) => { if (!entry.hadRecentInput) shifts += entry.value; });
"""


class Feed:
    """A feed of its own and its editor, who may set times."""

    def __init__(self, editor: Editor, slug: str, title: str) -> None:
        self.editor = editor
        self.slug = slug
        self.title = title
        self.put(title=title, language="en", timezone="Europe/Kyiv")

    def put(self, **settings: Any) -> None:
        assert self.editor.configure(self.slug, **settings).is_success

    def post(self, headline: str = "News", **fields: Any) -> dict[str, Any]:
        return self.editor.item(headline, self.slug, **fields)

    def do(self, item: dict[str, Any], verb: str, **fields: Any) -> dict[str, Any]:
        return self.editor.revised(item, verb, **fields)

    def readers(self) -> int:
        count: int = self.editor.get(f"/v1/feeds/{self.slug}/readers").json()["readers"]
        return count


class Stage:
    """Feeds, and tabs to look at them. What our own pages complain of is in `complaints`."""

    def __init__(self, server: Server, host: Host, wire: Wire, browser: Browser) -> None:
        self.server = server
        self.host = host
        self.wire = wire
        self.browser = browser
        self.editor = server.editing(server.cli("token", "add", "editor", "--import"))
        self.complaints: list[str] = []
        self._contexts: list[BrowserContext] = []
        self._numbers = itertools.count()

    def feed(self) -> Feed:
        number = next(self._numbers)
        return Feed(self.editor, f"feed-{number}", f"World news {number}")

    def open(self, path: str, *, init: str = "", wire: bool = False, **options: Any) -> Page:
        """Open a page of the server, over the proxy if asked, in a browser context of its own."""
        context = self._context(init, options)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", self._hear)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{self.wire.url if wire else self.server.url}{path}")
        return page

    def ticker(self, feed: Feed, attributes: str = "", inside: str = "", wire: bool = False) -> str:
        """Return the tag that shows a feed, over the proxy if asked."""
        url = self.wire.url if wire else self.server.url
        return f'<live-ticker src="{url}/feeds/{feed.slug}" {attributes}>{inside}</live-ticker>'

    def embed(self, body: str = "", *, init: str = "", headers: Any = None, **options: Any) -> Page:
        """Open another site's page with this body in a browser context of its own."""
        page = self._context(init, options).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(self.host.page(body, **(headers or {})))
        return page

    def clear(self) -> None:
        """Close all tabs and mend the network."""
        while self._contexts:
            self._contexts.pop().close()
        self.wire.mend()
        self.complaints.clear()

    def _context(self, init: str, options: dict[str, Any]) -> BrowserContext:
        context = self.browser.new_context(**options)
        self._contexts.append(context)
        if init:
            context.add_init_script(init)
        return context

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@contextlib.contextmanager
def set_stage(data: Path) -> Iterator[Stage]:
    """Set the stage: everything real, in one process each."""
    with (
        Server(data, "--heartbeat", "1") as server,
        contextlib.closing(Wire(server)) as wire,
        host_site() as host,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        stage = Stage(server, host, wire, browser)
        try:
            yield stage
        finally:
            stage.clear()
            stage.editor.close()
            browser.close()


def wait_until(true: Callable[[], Any], seconds: float = 30) -> None:
    """Wait for a callable to be true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)


def headlines(page: Page) -> list[str]:
    """Return what the page's rows say, top first: headlines, or the notes of withdrawn items."""
    found: list[str] = page.eval_on_selector_all(
        ".item", "rows => rows.map(row => row.querySelector('.headline, .note').textContent)"
    )
    return found


def wait_for_headlines(page: Page, *wanted: str) -> None:
    """Wait until exactly these rows are shown."""
    page.wait_for_function(
        """wanted => [...document.querySelectorAll('.item')]
            .map(row => row.querySelector('.headline, .note')?.textContent)
            .join('|') === wanted""",
        arg="|".join(wanted),
    )


def in_row(page: Page | FrameLocator, words: str, *, exact: bool = False) -> Locator:
    """Return where rows say these words; what a ticker announces stands beside its rows."""
    return page.locator("[part~=item], .item").get_by_text(words, exact=exact)


def rows(page: Any, selector: str = "live-ticker") -> list[str]:
    """Return the headlines (or the notes of withdrawn items) that a ticker shows, top first."""
    found: list[str] = page.eval_on_selector(
        selector,
        """ticker => [...ticker.shadowRoot.querySelectorAll('[part~=item]')].map(
            row => row.querySelector('[part=headline], [part=note]').textContent)""",
    )
    return found


def settle(page: Page) -> None:
    """Wait for the first items of a ticker."""
    page.wait_for_function(
        "document.querySelector('live-ticker').shadowRoot.querySelector('[part=ticker]:not([hidden])')"
    )


def axe(page: Page, *but: str) -> list[tuple[str, str]]:
    """Return what axe finds against a page, by all rules but some: the rule, and where first."""
    page.evaluate(f"{AXE.read_text()};undefined")
    report = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
    return [
        (fault["id"], fault["nodes"][0]["html"])
        for fault in report["violations"]
        if fault["id"] not in but
    ]
