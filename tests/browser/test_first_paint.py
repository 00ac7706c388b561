"""A network that lets only plain requests through: news is there before the fallback to polling."""

from __future__ import annotations

import pytest
from chromium import Stage, rows, settle, wait_for_headlines, wait_until
from playwright.sync_api import Page, expect

HELD = {"everything": ("/live", "/stream"), "sockets": ("/live",)}


def connects_again(stage: Stage, page: Page) -> None:
    """Let the network be good again, and cut what it has held so far."""
    stage.wire.mend()
    stage.wire.reset()
    page.evaluate("dispatchEvent(new Event('online'))")


@pytest.mark.parametrize("held", list(HELD))
def test_a_ticker_shows_its_items_before_its_first_attempt_is_given_up(
    stage: Stage, held: str
) -> None:
    feed = stage.feed()
    feed.post("First")
    stage.wire.held = HELD[held]
    page = stage.embed(stage.ticker(feed, wire=True))
    settle(page)
    assert rows(page) == ["First"]
    assert stage.wire.asked("/live") == 1
    assert stage.wire.asked("/changes") == 1
    status = page.locator("live-ticker [part=status]")
    # It has the news, and no connection: of what comes next it will not hear at once.
    expect(status).to_contain_text("Not up to date since")
    feed.post("Second")
    connects_again(stage, page)
    expect(status).to_have_text("Live")
    page.eval_on_selector("live-ticker", "ticker => ticker.showPending()")
    wait_until(lambda: rows(page) == ["Second", "First"])
    assert stage.wire.asked("/changes") == 0


def test_a_page_out_of_a_cache_catches_up_before_its_first_attempt_is_given_up(
    stage: Stage,
) -> None:
    feed = stage.feed()
    wrong = feed.post("Rumour of the day")
    html = stage.editor.get(f"/feeds/{feed.slug}").text
    feed.do(wrong, "kill", note="Withdrawn since.")
    stage.wire.held = HELD["everything"]
    page = stage.open("/robots.txt")
    address = f"{stage.wire.url}/feeds/{feed.slug}"
    page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(address)
    wait_for_headlines(page, "Withdrawn since.")
    assert stage.wire.asked("/live") == 1
    assert stage.wire.asked("/changes") == 1
    page.wait_for_selector(".bar.stale")
    feed.post("After")
    connects_again(stage, page)
    wait_for_headlines(page, "After", "Withdrawn since.")
    page.wait_for_selector(".bar.live")
    stage.complaints.clear()  # a browser reports each connection that was cut


def test_where_a_socket_answers_at_once_nothing_else_is_asked_for(stage: Stage) -> None:
    feed = stage.feed()
    feed.post("First")
    page = stage.embed(stage.ticker(feed, wire=True))
    settle(page)
    page.wait_for_timeout(4_000)
    assert stage.wire.asked("/changes") == 0
