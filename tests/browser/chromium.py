"""What the tests in Chromium stand on: a real server, another site, a bad network, a browser."""

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
from proxy import Proxy
from support.browser import CHROMIUM_ARGS, QUICK
from support.lines import eventually
from support.server import ROOT, Editor, Server

TIMEOUT_MS = 30_000  # far beyond what anything here should take
expect.set_options(timeout=TIMEOUT_MS)
AXE = ROOT / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Sums up the layout shifts that no input of the reader caused.
MEASURES = """
window.shifts = 0;
const watch = (type, act) => new PerformanceObserver((list) => list.getEntries().forEach(act))
    .observe({ type, buffered: true });
watch('layout-shift', (entry) => { if (!entry.hadRecentInput) shifts += entry.value; });
"""

# Counts frames, sockets and polls of a page.
COUNTED = """
window.frames_asked = 0;
window.sockets = [];
window.polls = 0;
const frame = window.requestAnimationFrame;
window.requestAnimationFrame = (act) => { frames_asked++; return frame(act); };
window.WebSocket = class extends WebSocket {
    constructor(...all) { super(...all); sockets.push(this); }
};
const real = window.fetch;
window.fetch = (url, ...rest) => { polls += /changes/.test(url); return real(url, ...rest); };
"""

OPEN = "sockets.filter(({ readyState }) => readyState < 2).length"

# Lets a test say whether the page is hidden.
HIDEABLE = """
window.hide = (hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
};
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


class Site:
    """A server with feeds, and tabs that show them. `errors` are those of our pages' consoles."""

    def __init__(self, server: Server, host: Host, proxy: Proxy, browser: Browser) -> None:
        self.server = server
        self.host = host
        self.proxy = proxy
        self.browser = browser
        self.editor = server.editing(server.cli("token", "add", "editor", "--import"))
        self.errors: list[str] = []
        self._contexts: list[BrowserContext] = []
        self._numbers = itertools.count()

    def feed(self) -> Feed:
        number = next(self._numbers)
        return Feed(self.editor, f"feed-{number}", f"World news {number}")

    def open(self, path: str, *, init: str = "", proxy: bool = False, **options: Any) -> Page:
        """Open a page of the server, over the proxy if asked, in a browser context of its own.

        A list under a tag or words is 503 while the search is not level with what was just posted.
        """
        if "?" in path:
            with self.server.reading() as anyone:
                eventually(lambda: anyone.get(path).status_code != 503)
        context = self._context(init, options)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("console", self._record)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(f"{self.proxy.url if proxy else self.server.url}{path}")
        return page

    def ticker(
        self, feed: Feed, attributes: str = "", inside: str = "", proxy: bool = False
    ) -> str:
        """Return the tag that shows a feed, over the proxy if asked."""
        url = self.proxy.url if proxy else self.server.url
        return f'<live-ticker src="{url}/feeds/{feed.slug}" {attributes}>{inside}</live-ticker>'

    def embed(self, body: str = "", *, init: str = "", headers: Any = None, **options: Any) -> Page:
        """Open another site's page with this body in a browser context of its own."""
        page = self._context(init, options).new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(self.host.page(body, **(headers or {})))
        return page

    def clear(self) -> None:
        """Close all tabs and make the network good again."""
        while self._contexts:
            self._contexts.pop().close()
        self.proxy.mend()
        self.errors.clear()

    def _context(self, init: str, options: dict[str, Any]) -> BrowserContext:
        context = self.browser.new_context(**options)
        self._contexts.append(context)
        if init:
            context.add_init_script(init)
        return context

    def _record(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)


@contextlib.contextmanager
def open_site(data: Path) -> Iterator[Site]:
    """Start server, proxy, other site and browser, each real."""
    with (
        Server(data, "--heartbeat", "1") as server,
        contextlib.closing(Proxy(server)) as proxy,
        host_site() as host,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=QUICK, args=CHROMIUM_ARGS)
        site = Site(server, host, proxy, browser)
        try:
            yield site
        finally:
            site.clear()
            site.editor.close()
            browser.close()


def wait_until(true: Callable[[], Any], seconds: float = 30) -> None:
    """Call until the result is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.05)


def headlines(page: Page) -> list[str]:
    """Return the headlines of the page's rows, top first; of withdrawn items the notes."""
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
    """Return what has these words in a row, and not where the ticker announces them."""
    return page.locator("[part~=item], .item").get_by_text(words, exact=exact)


def rows(page: Any, selector: str = "live-ticker") -> list[str]:
    """Return the headlines of a ticker's rows, top first; of withdrawn items the notes."""
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
    """Return the rules, `but` these, that axe finds broken, each with the first element."""
    page.evaluate(f"{AXE.read_text()};undefined")
    report = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
    return [
        (fault["id"], fault["nodes"][0]["html"])
        for fault in report["violations"]
        if fault["id"] not in but
    ]


def ask(page: Page, expression: str, selector: str = "live-ticker") -> Any:
    """Evaluate with `ticker` and its shadow root at hand."""
    return page.eval_on_selector(
        selector, f"ticker => {{ const root = ticker.shadowRoot; return {expression} }}"
    )


def put(page: Page, **attributes: str) -> None:
    """Set attributes, all in one task."""
    page.eval_on_selector(
        "live-ticker",
        """(ticker, all) => {
            for (const [name, to] of Object.entries(all)) ticker.setAttribute(name, to);
        }""",
        {name.replace("_", "-"): value for name, value in attributes.items()},
    )
