"""What is withdrawn leaves every page at once, whatever it did and wherever the words were."""

from __future__ import annotations

import pytest
from chromium import Feed, Site, headlines, rows, settle, wait_for_headlines, wait_until
from playwright.sync_api import Page, expect

SECRET = "Rumour of the day"
MORE_THAN_A_CATCH_UP = 201


def withdrawn_while_away(site: Site, feed: Feed, item: dict[str, object], page: Page) -> None:
    """Withdraw an item while the page has no network, and so much else that it gets a snapshot."""
    site.proxy.refuse = True
    site.proxy.reset()
    page.wait_for_selector(".bar.stale")
    feed.do(item, "kill", note="No.")
    for number in range(MORE_THAN_A_CATCH_UP):
        feed.post(f"Item {number}")
    site.proxy.refuse = False
    page.wait_for_selector(".bar.live")
    page.wait_for_selector(f"text=Item {MORE_THAN_A_CATCH_UP - 1}")


@pytest.mark.parametrize("paused", [False, True], ids=["at work", "paused"])
def test_a_page_that_catches_up_by_a_snapshot_keeps_nothing_of_it(site: Site, paused: bool) -> None:
    feed = site.feed()
    item = feed.post(SECRET, body=SECRET)
    page = site.open(f"/feeds/{feed.slug}", proxy=True, init="Math.random = () => 0")
    page.wait_for_selector(".bar.live")
    if paused:
        page.get_by_role("button", name="Pause").click()
    withdrawn_while_away(site, feed, item, page)
    assert SECRET not in page.content()
    assert headlines(page)[0] == f"Item {MORE_THAN_A_CATCH_UP - 1}"
    site.errors.clear()  # a browser reports each connection that is refused


def test_an_item_that_has_lost_its_tag_leaves_the_head_of_the_tags_page_too(site: Site) -> None:
    feed = site.feed()
    item = feed.post(SECRET, tags=["sumy"])
    page = site.open(f"/feeds/{feed.slug}?tag=sumy")
    page.wait_for_selector(".bar.live")
    item = feed.do(item, "fix", tags=["kyiv"])
    wait_for_headlines(page)
    feed.do(item, "kill", note="No.")
    wait_until(lambda: SECRET not in page.content())


def test_another_item_that_is_withdrawn_leaves_an_items_page_its_name(site: Site) -> None:
    feed = site.feed()
    item, other = feed.post("As it was"), feed.post(SECRET)
    page = site.open(f"/feeds/{feed.slug}/items/{item['id']}")
    page.wait_for_selector(".bar.live")
    feed.do(other, "kill", note="No.")
    feed.do(item, "correct", headline="As it is", note="It was not so.")
    wait_for_headlines(page, "As it is")
    expect(page).to_have_title("As it is")
    assert page.locator("meta[property]").count() > 0


def test_the_iframe_lets_its_plain_headlines_go_once_it_is_live(site: Site) -> None:
    feed = site.feed()
    item = feed.post(SECRET)
    page = site.open(f"/feeds/{feed.slug}/embed")
    page.get_by_role("link", name=SECRET).wait_for()
    feed.do(item, "kill", note="No.")
    page.get_by_text("No.").wait_for()
    assert SECRET not in page.content()
    assert page.locator(".fallback h1").count() == 1


def test_what_one_ticker_said_of_another_feed_is_taken_back(site: Site) -> None:
    one, other = site.feed(), site.feed()
    page = site.embed(site.ticker(one) + site.ticker(other))
    settle(page)
    expect(page.get_by_text("Live", exact=True)).to_have_count(2)
    one.post("First")
    page.get_by_role("status").get_by_text("First").wait_for()
    item = other.post(SECRET)
    page.get_by_role("status").get_by_text(SECRET).wait_for()
    other.do(item, "kill", note="No.")
    expect(page.get_by_text(SECRET)).to_have_count(0)
    page.get_by_text("No.").wait_for()


def test_a_ticker_whose_words_do_not_come_goes_on_in_those_it_has(site: Site) -> None:
    feed = site.feed()
    item = feed.post(SECRET)
    page = site.embed(f"<div lang=en>{site.ticker(feed)}</div>")
    settle(page)
    page.route("**/ticker-strings/fr.json", lambda route: None)
    page.eval_on_selector("live-ticker", "ticker => ticker.lang = 'fr'")
    feed.do(item, "kill", note="No.")
    page.get_by_text("No.").wait_for()
    expect(page.get_by_text(SECRET)).to_have_count(0)


def test_a_ticker_of_another_feed_shows_nothing_of_the_first(site: Site) -> None:
    feed = site.feed()
    feed.post(SECRET)
    page = site.embed(site.ticker(feed, inside="<p>Stands inside</p>"))
    settle(page)
    assert rows(page) == [SECRET]
    page.eval_on_selector(
        "live-ticker", "ticker => ticker.setAttribute('src', 'http://127.0.0.1:1/feeds/other')"
    )
    expect(page.get_by_text(SECRET)).not_to_be_visible()
    expect(page.get_by_text("Stands inside")).to_be_visible()
