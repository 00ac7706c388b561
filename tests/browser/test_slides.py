"""Rows slide without a jump: only those in sight, and never so that the page comes to a halt."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import MEASURES, Feed, Site, headlines, in_row, rows, settle, wait_for_headlines
from playwright.sync_api import Locator, Page

PIXEL = 1.0  # a row ends within a pixel, and a browser scrolls by whole ones
PAST = "2025-05-17T07:13:00.000Z"
# Counts frames, and the animations that rows are given by script.
COUNTED = """
window.frames = 0;
window.slid = [];
const frame = window.requestAnimationFrame;
window.requestAnimationFrame = (act) => { frames++; return frame(act); };
const animate = Element.prototype.animate;
Element.prototype.animate = function (...all) {
    slid.push(this);
    return animate.apply(this, all);
};
"""
CANCEL = """() => {
    const root = document.querySelector('live-ticker')?.shadowRoot ?? document;
    const slides = root.getAnimations().filter((each) => !(each instanceof CSSAnimation));
    for (const each of slides) each.cancel();
    return slides.length;
}"""


def open_both(site: Site, kind: str, feed: Feed, init: str) -> Page:
    if kind == "page":
        page = site.open(f"/feeds/{feed.slug}", init=init)
        page.wait_for_selector(".bar.live")
    else:
        page = site.embed(site.ticker(feed), init=init)
        settle(page)
    page.wait_for_timeout(300)
    return page


def top_of(row: Locator) -> float:
    box = row.bounding_box()
    assert box
    return box["y"]


def shown(page: Page, kind: str) -> list[str]:
    return headlines(page) if kind == "page" else rows(page)


@pytest.mark.parametrize("kind", ["page", "ticker"])
def test_who_cancels_the_animations_does_not_stop_the_news(site: Site, kind: str) -> None:
    feed = site.feed()
    for number in range(3):
        feed.post(f"Item {number}")
    page = open_both(site, kind, feed, COUNTED)
    feed.post("First")
    in_row(page, "First").wait_for()
    page.wait_for_function("() => slid.length > 0")
    page.evaluate(CANCEL)
    feed.post("Second")
    in_row(page, "Second").wait_for()
    page.evaluate(CANCEL)
    page.wait_for_timeout(600)
    before = page.evaluate("frames")
    page.wait_for_timeout(1_000)
    assert page.evaluate("frames") - before <= 4
    feed.post("Third")
    in_row(page, "Third").wait_for()


def test_only_rows_in_sight_are_animated(site: Site) -> None:
    feed = site.feed()
    for number in range(110):
        feed.post(f"Item {number}", body="Some words.")
    page = site.open(f"/feeds/{feed.slug}", init=COUNTED + MEASURES)
    page.wait_for_selector(".bar.live")
    for _ in range(2):
        page.get_by_role("link", name="More news").click()
    page.wait_for_function("() => document.querySelectorAll('.item').length === 110")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0); slid.length = 0; shifts = 0")
    page.wait_for_timeout(600)
    feed.post("New")
    wait_for_headlines(page, "New", *(f"Item {number}" for number in reversed(range(110))))
    page.wait_for_timeout(600)
    # Headings slide too; a row that slides out of sight or into it counts as in sight.
    in_sight = page.evaluate(
        """[...document.querySelectorAll('.item, .day')].filter(
            (row) => row.getBoundingClientRect().top < innerHeight).length"""
    )
    assert 2 <= page.evaluate("slid.length") <= in_sight + 1
    assert page.evaluate("shifts") <= 0.01


@pytest.mark.parametrize("kind", ["page", "ticker"])
def test_an_imported_item_moves_nothing_that_is_read_and_is_no_news(site: Site, kind: str) -> None:
    feed = site.feed()
    for number in range(30):
        feed.post(f"Item {number}", body="Some words.", at=f"2025-05-17T08:{number:02}:00.000Z")
    page = open_both(site, kind, feed, MEASURES)
    row = in_row(page, "Item 20", exact=True)
    link = page.get_by_role("link", name="Item 20", exact=True)
    row.scroll_into_view_if_needed()
    root: Any = page if kind == "page" else page.locator("live-ticker")
    if kind == "page":
        page.evaluate("scrollBy(0, 200)")
    else:
        root.evaluate("t => { t.shadowRoot.querySelector('[part=scroller]').scrollTop += 100 }")
    page.wait_for_timeout(300)
    before = top_of(row)
    feed.post("Above", at="2025-05-17T08:25:30.000Z", breaking=True)
    feed.post("Below", at="2025-05-17T08:05:30.000Z")
    page.wait_for_timeout(1_000)
    assert {"Above", "Below"} <= set(shown(page, kind))
    assert abs(top_of(row) - before) < PIXEL
    assert page.get_by_role("button", name="new update").count() == 0
    assert page.get_by_role("status").all_inner_texts() == [""]
    assert page.locator(".new, [part~=new]").count() == 0
    assert link.count() == 1


@pytest.mark.parametrize("kind", ["page", "ticker"])
def test_an_imported_item_does_not_move_a_row_with_the_focus(site: Site, kind: str) -> None:
    feed = site.feed()
    for number in range(30):
        feed.post(f"Item {number}", body="Some words.", at=f"2025-05-17T08:{number:02}:00.000Z")
    page = open_both(site, kind, feed, MEASURES)
    link = page.get_by_role("link", name="Item 28", exact=True)
    link.focus()
    before = top_of(link)
    feed.post("Above", at="2025-05-17T08:29:30.000Z")
    in_row(page, "Above").wait_for(state="attached")
    page.wait_for_timeout(600)
    assert abs(top_of(link) - before) < PIXEL
    assert page.evaluate("shifts") <= 0.01


@pytest.mark.parametrize("kind", ["page", "ticker"])
def test_what_is_filed_into_the_past_of_a_short_feed_is_shown(site: Site, kind: str) -> None:
    feed = site.feed()
    feed.post("Today")
    page = open_both(site, kind, feed, MEASURES)
    feed.post("Long ago", at=PAST)
    in_row(page, "Long ago").wait_for()
    assert shown(page, kind) == ["Today", "Long ago"]
