"""An outage, as a page and a ticker tell of it: both alike, by a clock that the test moves."""

from __future__ import annotations

import pytest
from chromium import Stage, wait_until
from playwright.sync_api import Page

# The latest moment that every draw of lots allows; and a count of the sockets that were lost.
UNLUCKY = """
Math.random = () => 0.999;
window.lost = 0;
window.WebSocket = class extends WebSocket {
    constructor(...all) { super(...all); this.addEventListener('close', () => lost++); }
};
"""
AHEAD = 10  # seconds that the clock jumps as it stops: a busy machine may take some to stop it
PAGE = "document"
TICKER = "document.querySelector('live-ticker').shadowRoot"
BARS = {PAGE: ".bar", TICKER: "[part=ticker]"}


@pytest.mark.parametrize("root", [PAGE, TICKER], ids=["page", "ticker"])
def test_an_outage_is_told_after_five_seconds_and_its_end_once(stage: Stage, root: str) -> None:
    feed = stage.feed()
    feed.post()
    if root == PAGE:
        page = stage.open("/robots.txt", init=UNLUCKY, wire=True)
        address = f"{stage.wire.url}/feeds/{feed.slug}"
    else:
        page = stage.embed(init=UNLUCKY)
        address = stage.host.page(stage.ticker(feed, wire=True))
    page.clock.install()
    page.goto(address)
    live, stale = (f"!!{root}.querySelector('{BARS[root]}.{state}')" for state in ("live", "stale"))
    wait_until(lambda: page.evaluate(live))
    page.clock.pause_at(page.evaluate("Date.now() / 1000") + AHEAD)

    cut(stage, page)
    page.clock.run_for(4_800)
    assert page.evaluate(live)
    page.clock.run_for(500)
    assert page.evaluate(stale)
    page.clock.run_for(6_000)
    assert said(page, root).startswith("Not up to date since ")

    stage.wire.mend()
    run_until(page, live)
    page.clock.run_for(6_000)
    assert said(page, root) == "Live"
    stage.complaints.clear()  # a browser reports each connection that is refused


def cut(stage: Stage, page: Page) -> None:
    """Cut the line, and wait until the page knows."""
    lost = page.evaluate("lost")
    stage.wire.refuse = True
    stage.wire.reset()
    wait_until(lambda: page.evaluate("lost") > lost)


def run_until(page: Page, true: str) -> None:
    def ran() -> bool:
        page.clock.run_for(500)
        return bool(page.evaluate(true))

    wait_until(ran)


def said(page: Page, root: str) -> str:
    text: str = page.evaluate(f"{root}.querySelector('[role=status]').textContent")
    return text
