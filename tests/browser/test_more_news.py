"""“More news” goes on with the same list in place, whatever is pressed or fails."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import Feed, Site, headlines, wait_for_headlines
from playwright.sync_api import Page, Route, expect

MORE = "More news"


def numbered(first: int, last: int) -> list[str]:
    """Return the headlines of items from one number down to another."""
    return [f"Item {number}" for number in range(first, last - 1, -1)]


def open_feed(site: Site, count: int, query: str = "", **fields: Any) -> tuple[Feed, Page]:
    """Return a feed with so many items, and its page once it is live."""
    feed = site.feed()
    for number in range(count):
        feed.post(f"Item {number}", **fields)
    page = site.open(f"/feeds/{feed.slug}{query}")
    page.wait_for_selector(".bar.live", state="attached")
    return feed, page


def hold(page: Page) -> list[Route]:
    """Hold requests for older items, and return them as they come."""
    held: list[Route] = []
    page.route("**/items?*", lambda route: held.append(route))
    return held


def let_go(page: Page, held: list[Route]) -> None:
    for route in held:
        route.continue_()
    page.unroute("**/items?*")


@pytest.mark.parametrize("by", ["mouse", "Enter"])
def test_pressed_twice_before_the_answer_it_loads_one_page_and_stays(site: Site, by: str) -> None:
    feed, page = open_feed(site, 170)
    held = hold(page)
    link = page.get_by_role("link", name=MORE)
    for _ in range(2):
        if by == "mouse":
            link.click()
        else:
            link.press("Enter")
    expect(link).to_have_attribute("aria-busy", "true")
    page.wait_for_timeout(200)
    assert len(held) == 1
    let_go(page, held)
    wait_for_headlines(page, *numbered(169, 70))
    assert page.url.endswith(feed.slug)
    expect(link).not_to_have_attribute("aria-busy", "true")
    link.click()
    wait_for_headlines(page, *numbered(169, 20))
    link.click()
    wait_for_headlines(page, *numbered(169, 0))
    expect(link).to_have_count(0)


def test_pressed_again_once_it_is_there_a_key_opens_no_item(site: Site) -> None:
    _, page = open_feed(site, 110)
    address = page.url
    page.get_by_role("link", name=MORE).press("Enter")
    wait_for_headlines(page, *numbered(109, 10))
    focused = page.locator(":focus")
    expect(focused.locator(".headline")).to_have_text("Item 59")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert page.url == address
    page.keyboard.press("Tab")
    expect(page.locator("#list :focus")).to_have_count(1)
    assert "Item 59" in page.evaluate("document.activeElement.closest('.item').innerText")


def test_the_row_that_has_the_focus_keeps_it_when_it_changes(site: Site) -> None:
    feed = site.feed()
    items = [feed.post(f"Item {number}") for number in range(60)]
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.get_by_role("link", name=MORE).press("Enter")
    wait_for_headlines(page, *numbered(59, 0))
    feed.do(items[9], "update", headline="Item 9, updated")
    page.get_by_text("Item 9, updated").wait_for()
    expect(page.locator(":focus .headline")).to_have_text("Item 9, updated")


@pytest.mark.parametrize("list_", ["tag", "search", "older"])
def test_a_list_goes_on_with_its_own_items_and_ends_without_a_button(
    site: Site, list_: str
) -> None:
    feed = site.feed()
    for number in range(120):
        feed.post(f"Item {number}", tags=["rain"])
        if not number % 4 and list_ != "older":
            feed.post(f"Other {number}", tags=["sun"])
    address = f"/feeds/{feed.slug}"
    top = 119
    if list_ == "older":
        path = site.editor.get(f"/v1{address}/items?limit=1").json()["next"]
        address, top = f"{address}?before={path}", 118
    else:
        address += {"tag": "?tag=rain", "search": "?q=item"}[list_]
    page = site.open(address)
    page.wait_for_selector(".bar.live", state="attached")
    address = page.url
    wait_for_headlines(page, *numbered(top, top - 49))
    link = page.get_by_role("link", name=MORE)
    link.click()
    wait_for_headlines(page, *numbered(top, top - 99))
    link.press("Enter")
    wait_for_headlines(page, *numbered(top, 0))
    expect(link).to_have_count(0)
    assert page.url == address


def test_a_tags_list_takes_what_is_filed_into_it_and_not_what_lost_the_tag(site: Site) -> None:
    feed = site.feed()
    items = [feed.post(f"Item {number}", tags=["rain"]) for number in range(60)]
    page = site.open(f"/feeds/{feed.slug}?tag=rain")
    page.wait_for_selector(".bar.live")
    page.get_by_role("link", name=MORE).click()
    wait_for_headlines(page, *numbered(59, 0))
    feed.do(items[3], "fix", tags=["sun"])
    feed.post("From the past", tags=["rain"], at="2025-05-17T07:13:00Z")
    wait_for_headlines(page, *numbered(59, 4), *numbered(2, 0), "From the past")


@pytest.mark.parametrize("status", [503, None])
def test_what_cannot_be_loaded_says_so_and_can_be_asked_for_again(
    site: Site, status: int | None
) -> None:
    feed, page = open_feed(site, 60)
    page.route(
        "**/items?*",
        lambda route: route.fulfill(status=status, json={}) if status else route.abort(),
    )
    link = page.get_by_role("link", name=MORE)
    link.scroll_into_view_if_needed()
    before = link.bounding_box()
    link.click()
    fault = page.locator(".fault")
    expect(fault).to_have_text("Could not be loaded")
    expect(page.get_by_role("status")).to_have_text("Could not be loaded")
    assert link.bounding_box() == before
    assert page.url.endswith(feed.slug)
    assert headlines(page) == numbered(59, 10)
    page.unroute("**/items?*")
    link.click()
    wait_for_headlines(page, *numbered(59, 0))
    expect(fault).to_be_hidden()
    site.errors.clear()  # a browser reports each request that fails


def test_where_the_feed_is_another_journal_now_the_link_is_followed(site: Site) -> None:
    _, page = open_feed(site, 60)

    def of_another_journal(route: Route) -> None:
        answer = route.fetch().json()
        route.fulfill(json={**answer, "epoch": "another"})

    page.route("**/items?*", of_another_journal)
    page.get_by_role("link", name=MORE).click()
    page.wait_for_url("**?before=*")
    wait_for_headlines(page, *numbered(9, 0))


def test_a_paused_page_goes_on_below_what_it_keeps(site: Site) -> None:
    feed, page = open_feed(site, 60)
    page.get_by_role("button", name="Pause").click()
    feed.post("New")
    page.get_by_role("button", name="1 new update").wait_for()
    page.get_by_role("link", name=MORE).click()
    wait_for_headlines(page, *numbered(59, 0))
    page.get_by_role("button", name="Resume").click()
    wait_for_headlines(page, "New", *numbered(59, 0))
