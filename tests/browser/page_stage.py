"""The stage of the pages' tests: a real server, an editor, a browser that reports every fault."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from support.server import Editor, Server

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page that a test makes up has no address of its own, and might not speak to ours.
    "--disable-features=LocalNetworkAccessChecks",
]
PATIENCE_MS = 30_000


class Feed:
    """A feed of its own and its editor, who may set times."""

    def __init__(self, editor: Editor, slug: str) -> None:
        self.editor = editor
        self.slug = slug
        self.title = f"World news {slug}"
        self.put(title=self.title, language="en", timezone="Europe/Kyiv")

    def put(self, **settings: Any) -> None:
        assert self.editor.configure(self.slug, **settings).is_success

    def post(self, headline: str = "News", **fields: Any) -> dict[str, Any]:
        return self.editor.item(headline, self.slug, **fields)

    def do(self, item: dict[str, Any], verb: str, **fields: Any) -> dict[str, Any]:
        return self.editor.revised(item, verb, **fields)


class PageStage:
    """Feeds, and tabs to look at them. What a page complains of is in `complaints`."""

    def __init__(self, server: Server, browser: Browser) -> None:
        self.server = server
        self.editor = server.editing(server.cli("token", "add", "pages", "--import"))
        self.complaints: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._slugs = (f"page-{number}" for number in itertools.count())

    def feed(self) -> Feed:
        return Feed(self.editor, next(self._slugs))

    def open(self, path: str, *, init: str = "", **options: Any) -> Page:
        """Open a page of the server in a browser context of its own."""
        context = self._browser.new_context(**options)
        self._contexts.append(context)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", self._hear)
        if init:
            context.add_init_script(init)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{self.server.url}{path}")
        return page

    def clear(self) -> None:
        """Close all tabs."""
        while self._contexts:
            self._contexts.pop().close()
        self.complaints.clear()

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@contextlib.contextmanager
def page_stage(data: Path) -> Iterator[PageStage]:
    """Set the stage."""
    with Server(data, "--heartbeat", "1") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        stage = PageStage(server, browser)
        try:
            yield stage
        finally:
            stage.clear()
            stage.editor.close()
            browser.close()


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
