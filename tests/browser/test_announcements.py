"""What screen readers hear of tickers: little, once, and what the page chooses."""

from __future__ import annotations

import pytest
from chromium import Site, in_row, settle, wait_until
from playwright.sync_api import Page, expect

# What a page says, whichever ticker speaks, each with what `TIMERS` noted.
SPOKEN = """() => {
    window.spoken = [];
    for (const { shadowRoot } of document.querySelectorAll('live-ticker')) {
        const voice = shadowRoot.querySelector('[role=status]');
        const hear = () => voice.textContent && spoken.push([voice.textContent, window.waited]);
        new MutationObserver(hear).observe(voice, { childList: true });
    }
}"""


def said(page: Page) -> list[str]:
    return [text for text, _ in page.evaluate("spoken")]


def test_two_tickers_of_a_feed_say_its_news_once(site: Site) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed) + site.ticker(feed, "layout=compact"))
    settle(page)
    expect(page.get_by_text("Live", exact=True)).to_have_count(2)
    page.evaluate(SPOKEN)
    feed.post("Bridge closed")
    wait_until(lambda: said(page) == ["Bridge closed"])
    page.wait_for_timeout(500)
    assert said(page) == ["Bridge closed"]


# Notes how long the timer was whose turn it is.
TIMERS = """
const set = window.setTimeout;
window.setTimeout = (act, ms, ...all) =>
    set((...given) => { window.waited = ms; act(...given); }, ms, ...all);
"""


def test_tickers_of_many_feeds_say_one_thing_at_a_time(site: Site) -> None:
    feeds = [site.feed() for _ in range(3)]
    page = site.embed("".join(map(site.ticker, feeds)), init=TIMERS)
    settle(page)
    expect(page.get_by_text("Live", exact=True)).to_have_count(3)
    page.evaluate(SPOKEN)
    for feed in feeds:
        feed.post(f"News of {feed.title}")
        page.wait_for_timeout(200)
    wait_until(lambda: len(said(page)) == 2)
    assert said(page) == [f"News of {feeds[0].title}", "2 new updates"]
    # What was said first has set the timer of what came next.
    (_, soon), (_, hush) = page.evaluate("spoken")
    assert soon < hush == 5_000


@pytest.mark.parametrize(
    ("announce", "heard"), [("breaking", ["Breaking: Bridge closed"]), ("off", [])]
)
def test_announce_chooses_what_is_said(site: Site, announce: str, heard: list[str]) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed, f"announce={announce}"))
    settle(page)
    page.evaluate(SPOKEN)
    feed.post("Road works")
    feed.post("Bridge closed", breaking=True)
    expect(in_row(page, "Bridge closed")).to_be_visible()
    page.wait_for_timeout(600)
    assert said(page) == heard


def test_with_announce_off_not_even_the_end_is_said(site: Site) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed, "announce=off"))
    settle(page)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.evaluate(SPOKEN)
    feed.put(closed=True)
    expect(page.get_by_text("Coverage has ended")).to_be_visible()
    page.wait_for_timeout(600)
    assert said(page) == []


def test_after_an_outage_one_item_is_named_and_that_all_is_well(site: Site) -> None:
    feed = site.feed()
    feed.post("Before")
    page = site.embed(site.ticker(feed, proxy=True), init="Math.random = () => 0.5;")
    settle(page)
    page.evaluate(SPOKEN)
    site.proxy.refuse = True
    site.proxy.reset()
    wait_until(lambda: said(page) and said(page)[0].startswith("Not up to date since"))
    feed.post("While away")
    site.proxy.mend()
    wait_until(lambda: len(said(page)) == 2)
    assert said(page)[1] == "While away. Live"
