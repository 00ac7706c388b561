"""The back/forward cache of a real Chromium: a page that comes back out of it has missed nothing.

Playwright turns that cache off, so these tests drive the browser through chromedriver.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import wait_until
from host import host_site
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from support.browser import CHROMIUM, CHROMIUM_ARGS
from support.server import Editor, Server

DRIVER = "/usr/bin/chromedriver"
LISTEN = """
window.kept = [];
window.seen = [];
addEventListener('pageshow', (event) => kept.push(event.persisted));
addEventListener('ticker-item', (event) => seen.push(event.detail.item.version));
"""
ROWS = """
const root = document.querySelector('live-ticker')?.shadowRoot ?? document;
return [...root.querySelectorAll('.item, [part~=item]')].map(
    (row) => row.querySelector('.headline, [part=headline], .note, [part=note]').textContent);
"""


@pytest.fixture
def browser() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", *CHROMIUM_ARGS):
        options.add_argument(argument)
    with Chrome(options=options, service=ChromeService(DRIVER)) as chrome:
        yield chrome


def readers(editor: Editor) -> int:
    count: int = editor.get("/v1/feeds/world/readers").json()["readers"]
    return count


def go_away_and_come_back(browser: Chrome, editor: Editor, address: str) -> None:
    """Leave a page for the cache twice, with news meanwhile; it must be whole each time."""
    item = editor.item("First")
    wrong = editor.item("Wrong")
    browser.get(address)
    wait_until(lambda: readers(editor) == 1)
    browser.execute_script(LISTEN)

    browser.get("about:blank")
    wait_until(lambda: readers(editor) == 0)
    editor.item("Second")
    editor.revised(item, "update", headline="First, updated")
    editor.revised(wrong, "kill", note="It was wrong.")
    browser.back()
    wait_until(
        lambda: browser.execute_script(ROWS) == ["Second", "It was wrong.", "First, updated"]
    )
    assert browser.execute_script("return kept") == [True]

    browser.get("about:blank")
    wait_until(lambda: readers(editor) == 0)
    browser.back()
    wait_until(lambda: readers(editor) == 1)
    editor.item("Third")
    wait_until(lambda: browser.execute_script(ROWS)[0] == "Third")
    assert browser.execute_script(ROWS)[1:] == ["Second", "It was wrong.", "First, updated"]
    assert browser.execute_script("return kept") == [True, True]
    assert readers(editor) == 1


def test_a_feeds_page_comes_back_out_of_the_cache_up_to_date(
    server: Server, browser: Chrome
) -> None:
    with server.editing() as editor:
        go_away_and_come_back(browser, editor, f"{server.url}/feeds/world")


def test_a_ticker_comes_back_out_of_the_cache_each_version_once(
    server: Server, browser: Chrome
) -> None:
    tag = f'<live-ticker src="{server.url}/feeds/world"></live-ticker>'
    with server.editing() as editor, host_site() as host:
        go_away_and_come_back(browser, editor, host.page(tag))
        seen = browser.execute_script("return seen")
        assert len(seen) == 4
        assert seen == sorted(set(seen))
