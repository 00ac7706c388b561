"""The straight line: `publisher` in a terminal, the row on our page and on somebody else's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from support.browser import CHROMIUM_ARGS, QUICK
from support.forensics import in_plain, sealed_in
from support.forensics import opened as opened_by_keys
from support.server import Server

PUBLISHER = Path(sys.executable).parent / "publisher"
WORDS = ("Quicksilver", "barleycorn")  # nowhere but in the item that is killed
PATIENCE = 30_000  # ms
ALL_TEXT = """() => document.body.textContent
    + (document.querySelector('live-ticker')?.shadowRoot.innerHTML ?? '')"""
EVERYWHERE = (
    "/feeds/world",
    "/feeds/world/items/{item}",
    "/feeds/world/embed",
    "/v1/feeds/world/items",
    "/v1/feeds/world/items/{item}",
    "/v1/feeds/world/items/{item}/history",
    "/v1/feeds/world/changes",
)


HOST = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Elsewhere</title>
<h1>Somebody else's page</h1>
<script type="module" src="{url}/ticker.js"></script>
<live-ticker src="{url}/feeds/world"><a href="{url}/feeds/world">World news feed</a></live-ticker>
"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=QUICK, args=CHROMIUM_ARGS)
        yield launched
        launched.close()


@contextmanager
def elsewhere(html: str) -> Iterator[str]:
    """Serve one page at another origin; yield its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = html.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as host:
        thread = threading.Thread(target=host.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{host.server_port}/"
        finally:
            host.shutdown()
            thread.join()


def opened(browser: Browser, url: str) -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    return page


def publish(server: Server, *words: str) -> int:
    """Run the publisher; return the item's id."""
    environ = {
        "PUBLISHER_URL": server.url,
        "PUBLISHER_TOKEN": server.token,
        "PUBLISHER_FEED": "world",
    }
    done = subprocess.run(
        [PUBLISHER, *words, "--json"],
        capture_output=True,
        text=True,
        env=os.environ | environ,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    item: int = json.loads(done.stdout)["id"]
    return item


def test_what_the_publisher_does_is_seen_on_the_page_and_on_a_page_elsewhere(
    server: Server, browser: Browser
) -> None:
    publish(server, "post", "Something else")
    with elsewhere(HOST.format(url=server.url)) as address:
        page = opened(browser, f"{server.url}/feeds/world")
        host = opened(browser, address)
        expect(page.locator(".bar.live")).to_be_visible(timeout=PATIENCE)
        expect(host.locator("live-ticker [part~=item]")).to_have_count(1, timeout=PATIENCE)

        item = publish(server, "post", f"{WORDS[0]} found", "--body", f"Some {WORDS[1]} too.")
        row = page.locator(f"#item-{item}")
        embedded = host.locator("live-ticker [part~=item]", has_text=WORDS[0])
        for seen in (row, embedded):
            expect(seen).to_contain_text(f"{WORDS[0]} found", timeout=PATIENCE)
            expect(seen).to_contain_text(WORDS[1])
            expect(seen).not_to_contain_text("Updated")
        # A mark on the very element: what is changed in place still has it.
        for seen in (row, embedded):
            seen.evaluate("element => { element.mark = 'the same' }")

        publish(server, "update", str(item), "--headline", f"{WORDS[0]} found again")
        for seen in (row, embedded):
            expect(seen).to_contain_text("found again", timeout=PATIENCE)
            expect(seen).to_contain_text("Updated")
            assert seen.evaluate("element => element.mark") == "the same"

        publish(server, "correct", str(item), "--body", f"Much {WORDS[1]}.", "--note", "Not some.")
        for seen in (row, embedded):
            expect(seen).to_contain_text("Correction", timeout=PATIENCE)
            expect(seen).to_contain_text("Not some.")

        publish(server, "hold", str(item))
        for seen in (row, embedded):
            expect(seen).to_contain_text("Being checked", timeout=PATIENCE)
            expect(seen).to_contain_text(WORDS[1])
        sealed = sealed_in(server.data)
        readable = b"".join(opened_by_keys(server.data, sealed).values())
        assert all(word.encode() in readable for word in WORDS)

        publish(server, "kill", str(item), "--note", "It was not so.")
        for seen in (row, host.locator("live-ticker [part~=item]", has_text="It was not so.")):
            expect(seen).to_contain_text("It was not so.", timeout=PATIENCE)
            expect(seen).to_contain_text("Withdrawn")
        expect(host.locator("live-ticker [part~=item]")).to_have_count(2)
        shown = [page.content(), host.content(), host.evaluate(ALL_TEXT), page.evaluate(ALL_TEXT)]
    with server.reading() as reader:
        shown += [reader.get(path.format(item=item)).text for path in EVERYWHERE]
    readable = b"".join(opened_by_keys(server.data, sealed).values())
    for word in WORDS:
        assert not [text for text in shown if word in text]
        assert word.encode() not in readable
    assert in_plain(server.data, WORDS) == []
