"""News that waits behind the button of a page, and a page that is paused."""

from __future__ import annotations

import pytest
from chromium import HIDEABLE, MEASURES, Feed, Site, headlines, wait_for_headlines
from playwright.sync_api import Page, expect

SECRET = "Rumour of the day"


def read_below(site: Site) -> tuple[Feed, Page]:
    """Return a feed's page with a reader who has scrolled down."""
    feed = site.feed()
    for number in range(30):
        feed.post(f"Item {number}", body="Words.\n\nMore words.")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.evaluate("scrollTo(0, 1500)")
    return feed, page


def test_news_waits_for_a_reader_who_reads_below(site: Site) -> None:
    feed, page = read_below(site)
    target = page.locator(".item").nth(15)
    before = target.bounding_box()
    feed.post("New above")
    first = feed.post("New above too")
    page.get_by_role("button", name="2 new updates").wait_for()
    assert target.bounding_box() == before
    assert "New above" not in headlines(page)
    feed.do(first, "kill", note="No.")
    page.get_by_role("button", name="1 new update").click()
    page.wait_for_function("() => scrollY === 0")
    assert headlines(page)[:2] == ["No.", "New above"]


def test_a_burst_waits_behind_the_button(site: Site) -> None:
    feed = site.feed()
    page = site.open(f"/feeds/{feed.slug}", init=MEASURES + HIDEABLE)
    page.wait_for_selector(".bar.live")
    page.evaluate("hide(true)")
    for number in range(6):
        feed.post(f"Item {number}")
    waiting = page.get_by_role("button", name="6 new updates")
    expect(waiting).to_be_visible()  # before the page is: what comes then is shown at once
    page.evaluate("hide(false)")
    waiting.click()
    wait_for_headlines(page, *(f"Item {number}" for number in reversed(range(6))))
    assert page.evaluate("shifts") <= 0.01


def test_a_paused_page_keeps_still_but_never_keeps_what_is_withdrawn(site: Site) -> None:
    feed = site.feed()
    item, wrong = feed.post("As it was"), feed.post(SECRET)
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_selector(".bar.paused")
    feed.do(item, "update", headline="As it is")
    feed.post("New")
    feed.do(wrong, "kill", note="No.")
    wait_for_headlines(page, "No.", "As it was")
    assert SECRET not in page.content()
    page.get_by_role("button", name="Resume").click()
    wait_for_headlines(page, "New", "No.", "As it is")


def test_the_button_of_a_paused_page_shows_what_waits(site: Site) -> None:
    feed = site.feed()
    feed.post("Old")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.get_by_role("button", name="Pause").click()
    feed.post("New")
    page.get_by_role("button", name="1 new update").click()
    wait_for_headlines(page, "New", "Old")
    page.get_by_role("button", name="Pause").wait_for()


def test_a_page_paused_when_coverage_ends_can_go_on(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Four dead")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.get_by_role("button", name="Pause").click()
    feed.do(item, "correct", headline="Nobody dead", note="It was not so.")
    feed.put(closed=True)
    page.wait_for_selector(".bar.ended")
    assert headlines(page) == ["Four dead"]
    page.get_by_role("button", name="Resume").click()
    wait_for_headlines(page, "Nobody dead")
    assert page.get_by_role("button", name="Pause").count() == 0


def test_once_what_waited_is_withdrawn_news_comes_in_again(site: Site) -> None:
    feed, page = read_below(site)
    wrong = feed.post("Wrong")
    button = page.get_by_role("button", name="1 new update")
    button.wait_for()
    page.evaluate("scrollTo(0, 0)")
    feed.do(wrong, "kill", note="No.")
    button.wait_for(state="hidden")
    feed.post("Right")
    page.locator(".item").get_by_text("Right").wait_for()


def test_a_page_that_was_short_leads_on_once_it_is_full(site: Site) -> None:
    feed = site.feed()
    feed.post("The first")
    page = site.open(f"/feeds/{feed.slug}", init=HIDEABLE)
    page.wait_for_selector(".bar.live")
    more = page.get_by_role("link", name="More news")
    assert more.count() == 0
    page.evaluate("hide(true)")
    for number in range(160):
        feed.post(f"Item {number}")
    waiting = page.get_by_role("button", name="160 new updates")
    expect(waiting).to_be_visible()
    page.evaluate("hide(false)")
    waiting.click()
    more.click()
    wait_for_headlines(page, *(f"Item {number}" for number in reversed(range(160))), "The first")


@pytest.mark.parametrize("by", ["Enter", "mouse"])
def test_the_button_leads_to_the_first_new_row(site: Site, by: str) -> None:
    feed = site.feed()
    feed.do(feed.post("Pinned"), "pin")
    for number in range(20):
        feed.post(f"Item {number}", body="Words.")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.evaluate("scrollTo(0, 1500)")
    feed.post("New")
    feed.post("Newer")
    button = page.get_by_role("button", name="2 new updates")
    if by == "mouse":
        button.click()
    else:
        button.press("Enter")
    page.get_by_role("link", name="Newer").wait_for()
    focused = page.evaluate("document.activeElement.id || document.activeElement.textContent")
    if by == "mouse":
        assert focused == "news"
        feed.post("And more")
        page.get_by_role("link", name="And more").wait_for()
    else:
        # The time and the headline of a row both lead to it; the time stands first.
        row = page.evaluate("document.activeElement.closest('.item').innerText")
        assert "Newer" in row
