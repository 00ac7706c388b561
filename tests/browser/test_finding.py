"""What helps a reader to find their way: the bar that stays, a wide window, links to items."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import HIDEABLE, MEASURES, Site, axe, headlines
from playwright.sync_api import expect

PLACES = """() => Object.fromEntries(
    ['#summary', '.pinned', '[data-pinned]', '.item:not([data-pinned])', '#bar', 'body']
        .map((each) => [each, document.querySelector(each).getBoundingClientRect().toJSON()]))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_wide_window_has_key_points_and_what_is_pinned_beside_the_stream(
    site: Site, scheme: Any
) -> None:
    feed = site.feed()
    feed.put(summary="- One\n- Two", description="About.")
    for number in range(12):
        feed.post(f"News {number}", body="Some words. " * 30, tags=["a", f"t{number}"])
    pinned = feed.do(feed.post("Pinned before", body="Words."), "pin")
    options: dict[str, Any] = {
        "color_scheme": scheme,
        "viewport": {"width": 1440, "height": 900},
        "init": MEASURES,
    }
    page = site.open(f"/feeds/{feed.slug}", **options)
    page.wait_for_selector(".bar.live")
    at = page.evaluate(PLACES)
    assert at["#bar"]["width"] >= 0.75 * 1440
    first = at[".item:not([data-pinned])"]
    assert page.locator(".item:not([data-pinned]) .headline").first.bounding_box()["y"] < 400  # type: ignore[index]
    beside = [at["#summary"], at[".pinned"], at["[data-pinned]"]]
    assert {box["right"] for box in beside} == {at["#bar"]["right"]}
    assert all(box["left"] > first["right"] for box in beside)
    tops = [box["top"] for box in beside]
    assert tops == sorted(tops)
    # By keyboard the stream comes first, and what is pinned behind it.
    page.locator(".item:not([data-pinned]) .when").first.focus()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("!document.activeElement.closest('.item')")
    assert axe(page) == []

    # News, longer key points and another pinned item move nothing but by themselves.
    feed.put(summary="- One\n- Two\n- Three\n\nAnd a paragraph more of words to read.")
    page.get_by_text("And a paragraph more").wait_for()
    feed.do(feed.post("Pinned after"), "pin")
    page.wait_for_function("() => document.querySelectorAll('[data-pinned]').length === 2")
    feed.do(pinned, "unpin")
    page.wait_for_function("() => document.querySelectorAll('[data-pinned]').length === 1")
    page.wait_for_function("() => document.getAnimations().every((each) => each.animationName)")
    assert page.evaluate("shifts") == 0

    # A reader who has scrolled keeps their place though what is pinned beside them stays.
    page.evaluate("scrollTo(0, 700)")
    row = page.locator(".item", has_text="News 5")
    before = row.bounding_box()
    top = feed.editor.get(f"/v1/feeds/{feed.slug}/items").json()["items"][0]
    feed.do(top, "update", body="Long. " * 200)
    page.wait_for_function("() => document.body.textContent.includes('Long. Long.')")
    page.wait_for_function("() => document.getAnimations().every((each) => each.animationName)")
    assert row.bounding_box() == before
    assert page.evaluate("shifts") == 0


def test_the_bar_stays_and_leads_to_the_newest_to_search_and_to_tags(site: Site) -> None:
    feed = site.feed()
    secret = feed.post("Secret", tags=["hidden word"])
    for number in range(20):
        feed.post(f"News {number}", body="Some words. " * 30, tags=["often"])
    page = site.open(f"/feeds/{feed.slug}", viewport={"width": 320, "height": 700}, init=HIDEABLE)
    page.wait_for_selector(".bar.live")
    page.evaluate("scrollTo(0, 2000)")
    bar = page.locator("#bar")
    assert bar.bounding_box()["y"] == 0  # type: ignore[index]
    # What is focused never lies under it.
    page.locator(".item .when").nth(12).focus()
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        y = page.evaluate("document.activeElement.getBoundingClientRect().top")
        assert y >= bar.bounding_box()["height"]  # type: ignore[index]
    page.locator("#find > summary").click()
    expect(page.get_by_role("searchbox")).to_be_focused()
    panel = page.get_by_role("list", name="Tags")
    assert panel.get_by_role("link").all_inner_texts() == ["often", "hidden word"]
    assert axe(page) == []
    feed.do(secret, "kill", note="No.")
    expect(panel.get_by_role("link")).to_have_text(["often"])
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()

    title = page.title()
    page.evaluate("hide(true)")
    for number in range(2):
        feed.post(f"While away {number}")
    page.wait_for_function("() => document.title.startsWith('(2) ')")
    page.evaluate("hide(false)")
    page.wait_for_function("() => !document.title.startsWith('(')")
    assert page.title() == title
    page.get_by_role("link", name="Newest").click()
    page.wait_for_function("() => scrollY === 0")
    assert headlines(page)[:2] == ["While away 1", "While away 0"]


def test_a_link_to_an_item_that_has_left_the_page_opens_it_in_its_place(site: Site) -> None:
    feed = site.feed()
    items = [feed.post(f"Item {number:02}") for number in range(60)]
    address = f"/feeds/{feed.slug}"
    old = items[3]
    page = site.open(f"{address}#item-{old['id']}")
    page.wait_for_url(f"**{address}?at={old['id']}#item-{old['id']}")
    page.wait_for_selector(".bar.live")
    row = page.locator(f"#item-{old['id']}")
    expect(row).to_be_in_viewport()
    assert page.title() == "Item 03"
    # One that never was leaves the reader where they are.
    page = site.open(f"{address}#item-999999")
    with page.expect_response("**/items/999999") as answered:
        page.evaluate("dispatchEvent(new Event('hashchange'))")
    assert answered.value.status == 404
    assert page.url.endswith(f"{address}#item-999999")
    site.errors.clear()  # the browser reports each answer of 404


def test_the_items_own_page_leads_into_the_stream_and_to_its_neighbours(site: Site) -> None:
    feed = site.feed()
    items = [feed.post(f"Item {number}") for number in range(3)]
    page = site.open(f"/feeds/{feed.slug}/items/{items[1]['id']}", java_script_enabled=False)
    page.get_by_role("link", name="Previous").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Item 0"
    assert page.get_by_role("link", name="Previous").count() == 0
    page.get_by_role("link", name="Next").click()
    page.get_by_role("link", name="Next").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Item 2"
    page.get_by_role("link", name="In the live feed").click()
    assert headlines(page) == ["Item 2", "Item 1", "Item 0"]
    expect(page.locator(f"#item-{items[2]['id']}:target")).to_be_visible()
