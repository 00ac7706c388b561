"""A network that lets only plain requests through: news is there before the fallback to polling."""

from __future__ import annotations

import pytest
from chromium import Site, rows, settle, wait_for_headlines, wait_until
from playwright.sync_api import Page, expect

HELD = {"everything": ("/live", "/stream"), "sockets": ("/live",)}


def connects_again(site: Site, page: Page) -> None:
    """Let the network be good again, and cut what it has held so far."""
    site.proxy.mend()
    site.proxy.reset()
    page.evaluate("dispatchEvent(new Event('online'))")


@pytest.mark.parametrize("held", list(HELD))
def test_a_ticker_shows_its_items_before_its_first_attempt_is_given_up(
    site: Site, held: str
) -> None:
    feed = site.feed()
    feed.post("First")
    site.proxy.held = HELD[held]
    page = site.embed(site.ticker(feed, proxy=True))
    settle(page)
    assert rows(page) == ["First"]
    assert site.proxy.asked("/live") == 1
    assert site.proxy.asked("/changes") == 1
    status = page.locator("live-ticker [part=status]")
    expect(status).to_have_text("Live")
    if held == "everything":
        # It goes on asking while its attempts go on, which take minutes.
        feed.post("Second")
        wait_until(lambda: rows(page) == ["Second", "First"])
        assert site.proxy.asked("/stream") == 0
    connects_again(site, page)
    wait_until(lambda: feed.readers() == 1)
    feed.post("Third")
    wait_until(lambda: rows(page)[0] == "Third")
    assert site.proxy.asked("/changes") == 0


def test_a_page_out_of_a_cache_catches_up_before_its_first_attempt_is_given_up(
    site: Site,
) -> None:
    feed = site.feed()
    wrong = feed.post("Rumour of the day")
    html = site.editor.get(f"/feeds/{feed.slug}").text
    feed.do(wrong, "kill", note="Withdrawn since.")
    site.proxy.held = HELD["everything"]
    page = site.open("/robots.txt")
    address = f"{site.proxy.url}/feeds/{feed.slug}"
    page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(address)
    wait_for_headlines(page, "Withdrawn since.")
    assert site.proxy.asked("/live") == 1
    assert site.proxy.asked("/changes") == 1
    page.wait_for_selector(".bar.live")
    feed.post("After")
    connects_again(site, page)
    wait_for_headlines(page, "After", "Withdrawn since.")
    page.wait_for_selector(".bar.live")
    site.errors.clear()  # a browser reports each connection that was cut


def test_where_a_socket_answers_at_once_nothing_else_is_asked_for(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = site.embed(site.ticker(feed, proxy=True))
    settle(page)
    page.wait_for_timeout(4_000)
    assert site.proxy.asked("/changes") == 0
