"""An item that was stamped in the future gets the time of now: its row goes where that belongs."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from chromium import Feed, Site, ask, rows, settle, wait_for_headlines, wait_until
from support import records

from feedserver.model import Millis
from feedserver.sqlite.storage import open_storage

YEAR: Millis = 365 * 86_400_000
MINUTE: Millis = 60_000


def post_ahead(site: Site, feed: Feed, **ahead: Millis) -> None:
    """Post items as a server does whose clock is so far ahead, named by their headlines."""
    now = int(time.time() * 1000)

    async def post() -> None:
        async with open_storage(site.server.data, serves=False) as storage:
            for headline, by in ahead.items():
                await storage.journal.append(records.post(headline, at=now + by, slug=feed.slug))

    with ThreadPoolExecutor(1) as other_thread:  # in this one the browser's loop runs
        other_thread.submit(asyncio.run, post()).result()


@pytest.fixture
def feed(site: Site) -> Feed:
    """A feed whose newest item is of next year; another one is a little ahead, as is allowed."""
    feed = site.feed()
    feed.post("Old")
    post_ahead(site, feed, Future=YEAR, Ahead=5 * MINUTE)
    return feed


def test_a_row_of_the_page_goes_to_its_place_under_its_day(site: Site, feed: Feed) -> None:
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    wait_for_headlines(page, "Future", "Ahead", "Old")
    days = page.locator(".day").all_text_contents()
    row = page.query_selector(".item >> nth=0")
    assert row
    before = row.query_selector("time").get_attribute("datetime")  # type: ignore[union-attr]
    site.server.cli("check", "--repair")
    wait_for_headlines(page, "Ahead", "Future", "Old")
    assert page.query_selector(".item >> nth=1 >> text=Future")
    assert row.evaluate("row => row.isConnected")  # it was moved, and not made anew
    after = row.query_selector("time").get_attribute("datetime")  # type: ignore[union-attr]
    assert before
    assert after
    assert after < before
    wait_until(lambda: page.locator(".day").all_text_contents() == days[1:])
    page.reload()
    wait_for_headlines(page, "Ahead", "Future", "Old")


def test_where_a_reader_left_off_goes_with_the_row(site: Site) -> None:
    feed = site.feed()
    feed.post("Old")
    post_ahead(site, feed, Future=YEAR)
    path = f"/feeds/{feed.slug}"
    page = site.open(path)
    page.wait_for_selector(".bar.live")
    wait_for_headlines(page, "Future", "Old")
    page.goto(f"{site.server.url}/robots.txt")
    site.server.cli("check", "--repair")
    feed.post("Later")
    for visit in range(2):
        page.goto(f"{site.server.url}{path}?{visit}")  # not from the cache
        page.wait_for_selector(".bar.live")
        assert page.locator(".seen + .item .headline").inner_text() == ["Future", "Later"][visit]
        wait_for_headlines(page, *["Later", "Later still"][: visit + 1][::-1], "Future", "Old")
        page.goto(f"{site.server.url}/robots.txt")
        feed.post("Later still")


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_row_of_the_ticker_goes_to_its_place_under_its_day(
    site: Site, feed: Feed, order: str
) -> None:
    def in_order(*newest_first: str) -> list[str]:
        return list(newest_first if order == "newest" else newest_first[::-1])

    page = site.embed(site.ticker(feed, f"order={order}"))
    settle(page)
    assert rows(page) == in_order("Future", "Ahead", "Old")
    days = ask(page, "[...root.querySelectorAll('[part=day]')].map(day => day.textContent)")
    site.server.cli("check", "--repair")
    wait_until(lambda: rows(page) == in_order("Ahead", "Future", "Old"))
    left = ask(page, "[...root.querySelectorAll('[part=day]')].map(day => day.textContent)")
    assert left == (days[1:] if order == "newest" else days[:-1])
    assert ask(page, "root.querySelectorAll('[part~=new]').length") == 0  # it is no news
    feed.post("New")
    wait_until(lambda: rows(page) == in_order("Ahead", "New", "Future", "Old"))
