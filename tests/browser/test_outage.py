"""An outage, as a page and a ticker show it: both alike, by a clock that the test moves."""

from __future__ import annotations

import pytest
from chromium import Site, wait_until
from playwright.sync_api import Page

# Every random wait is at its longest; `sockets` keeps all that were opened.
LATEST = """
Math.random = () => 0.999;
window.sockets = [];
window.WebSocket = class extends WebSocket {
    constructor(...all) { super(...all); sockets.push(this); }
};
"""
IS_OPEN = "sockets.some(({ readyState }) => readyState === WebSocket.OPEN)"
IS_LOST = "sockets.every(({ readyState }) => readyState === WebSocket.CLOSED)"
AHEAD = 10  # seconds that the clock jumps as it stops: a busy machine may take some to stop it
PAGE = "document"
TICKER = "document.querySelector('live-ticker').shadowRoot"
BARS = {PAGE: ".bar", TICKER: "[part=ticker]"}


@pytest.mark.parametrize("root", [PAGE, TICKER], ids=["page", "ticker"])
def test_an_outage_is_shown_after_five_seconds_and_its_end_once(site: Site, root: str) -> None:
    feed = site.feed()
    feed.post()
    if root == PAGE:
        page = site.open("/robots.txt", init=LATEST, proxy=True)
        address = f"{site.proxy.url}/feeds/{feed.slug}"
    else:
        page = site.embed(init=LATEST)
        address = site.host.page(site.ticker(feed, proxy=True))
    page.clock.install()
    page.goto(address)
    live, stale = (f"!!{root}.querySelector('{BARS[root]}.{state}')" for state in ("live", "stale"))
    wait_until(lambda: page.evaluate(live))
    page.clock.pause_at(page.evaluate("Date.now() / 1000") + AHEAD)
    # In so long a jump no heartbeat comes: the page has closed its socket and opened another.
    run_until(page, f"{live} && {IS_OPEN}", 50)

    cut(site, page)
    page.clock.run_for(4_800)
    assert page.evaluate(live)
    page.clock.run_for(500)
    assert page.evaluate(stale)
    page.clock.run_for(6_000)
    assert announced(page, root).startswith("Not up to date since ")

    site.proxy.mend()
    run_until(page, live)
    page.clock.run_for(6_000)
    assert announced(page, root) == "Live"
    site.errors.clear()  # a browser reports each connection that is refused


def cut(site: Site, page: Page) -> None:
    """Cut the connection, and wait until the page has noticed."""
    site.proxy.refuse = True
    site.proxy.reset()
    wait_until(lambda: page.evaluate(IS_LOST))


def run_until(page: Page, true: str, step: int = 500) -> None:
    """Let the page's time pass, so many ms at a time, until this is true."""

    def ran() -> bool:
        page.clock.run_for(step)
        return bool(page.evaluate(true))

    wait_until(ran)


def announced(page: Page, root: str) -> str:
    text: str = page.evaluate(f"{root}.querySelector('[role=status]').textContent")
    return text
