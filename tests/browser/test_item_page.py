"""An item's own page: live, with what readers were shown of it before."""

from __future__ import annotations

import pytest
from chromium import Site
from playwright.sync_api import expect

SECRET = "Rumour of the day"


def test_an_items_own_page_is_live_and_forgets_what_is_withdrawn(site: Site) -> None:
    feed = site.feed()
    item = feed.post(SECRET, body=SECRET)
    item = feed.do(item, "update", body=f"{SECRET}, more")
    page = site.open(f"/feeds/{feed.slug}/items/{item['id']}")
    page.wait_for_selector(".bar.live")
    item = feed.do(item, "update", headline=f"{SECRET}, much more")
    page.wait_for_function("() => document.querySelector('h1').textContent.endsWith('much more')")
    # Its history is asked for: after the kill that would be answered with 410.
    page.locator("#shown .headline", has_text="much more").wait_for(state="attached")
    feed.do(item, "kill", note="No.")
    page.wait_for_selector(".item.killed .note")
    assert SECRET not in page.content()


@pytest.mark.parametrize("status", [503, None])
def test_a_history_that_does_not_come_takes_nothing_away(site: Site, status: int | None) -> None:
    feed = site.feed()
    item = feed.post("Four injured")
    item = feed.do(item, "update", headline="Six injured")
    page = site.open(f"/feeds/{feed.slug}/items/{item['id']}")
    page.wait_for_selector(".bar.live")
    page.evaluate("window.kept = document.querySelector('#shown')")
    page.route(
        "**/history",
        lambda route: route.fulfill(status=status, json={}) if status else route.abort(),
    )
    with page.expect_event("requestfinished" if status else "requestfailed"):
        item = feed.do(item, "update", headline="Seven injured")
    expect(page.get_by_role("heading", level=1)).to_have_text("Seven injured")
    page.unroute("**/history")
    item = feed.do(item, "update", headline="Eight injured")
    expect(page.locator("#shown details")).to_have_count(4)
    assert page.evaluate("kept.isConnected")
    page.route("**/history", lambda route: route.abort())
    feed.do(item, "kill", note="No.")
    page.wait_for_selector("#shown", state="detached")
    site.errors.clear()  # a browser reports each request that fails


def test_edits_of_an_items_page_keep_what_readers_were_shown(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Four injured", body="One.")
    item = feed.do(item, "update", body="Two [links](https://example.org/).")
    path = f"/feeds/{feed.slug}/items/{item['id']}"
    page = site.open(path)
    page.wait_for_selector(".bar.live")
    summary = page.locator("#shown summary").first
    summary.press("Enter")
    history = page.locator("#shown").evaluate("shown => shown.innerText")
    top = page.locator("#shown").bounding_box()
    item = feed.do(item, "pin")
    page.wait_for_selector(".badge.pinned")
    page.wait_for_timeout(300)
    assert page.locator("#shown").evaluate("shown => shown.innerText") == history
    assert summary.evaluate("summary => summary === document.activeElement")
    assert page.locator("#shown").bounding_box() == top

    item = feed.do(item, "correct", headline="Seven injured", note="It was seven.")
    page.wait_for_function("() => document.querySelectorAll('#shown details').length === 3")
    assert page.locator("#shown details[open]").count() == 1
    assert page.locator("#shown details").nth(1).get_attribute("open") is not None
    assert page.locator("#shown summary").nth(1).evaluate("it => it === document.activeElement")
    said = "rows => rows.map((row) => row.textContent.replace(/\\s/g, ''))"
    by_script = page.locator("#shown summary, #shown div").evaluate_all(said)
    plain = site.open(path, java_script_enabled=False)
    assert by_script == plain.locator("#shown summary, #shown div").evaluate_all(said)
    feed.do(item, "kill", note="No.")
    page.wait_for_selector("#shown", state="detached")


def test_an_update_of_an_items_page_begins_its_history(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Four injured")
    page = site.open(f"/feeds/{feed.slug}/items/{item['id']}")
    page.wait_for_selector(".bar.live")
    assert page.locator("#shown").count() == 0
    feed.do(item, "update", headline="Seven injured")
    page.wait_for_selector("#shown details")
    assert page.get_by_role("heading", name="What readers were shown").is_visible()
    assert page.locator("#shown details").count() == 2
