"""Where the focus is after the button of new updates, and when its row changes."""

from __future__ import annotations

import pytest
from chromium import Site, ask, in_row, settle, wait_until
from playwright.sync_api import expect


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("by", ["Enter", "mouse"])
def test_the_button_leads_to_the_first_new_row(site: Site, order: str, by: str) -> None:
    feed = site.feed()
    feed.do(feed.post("Pinned", body="Words. " * 20), "pin")
    for n in range(12):
        feed.post(f"Old {n}", body="Some words. " * 20)
    page = site.embed(site.ticker(feed, f"mode=notify order={order}"))
    settle(page)
    feed.post("Just in")
    button = page.get_by_role("button", name="1 new update")
    if by == "mouse":
        button.click()
    else:
        button.press("Enter")
    link = page.get_by_role("link", name="Just in")
    expect(link).to_be_in_viewport()
    if by == "mouse":
        assert ask(page, "root.activeElement.getAttribute('part')") == "scroller"
    else:
        expect(link).to_be_focused()
    visible = """(({ top, bottom }, box) => top >= box.top && bottom <= box.bottom)(
        [...root.querySelectorAll('[part=headline]')].find((each) => each.textContent === 'Just in')
            .getBoundingClientRect(),
        root.querySelector('[part=scroller]').getBoundingClientRect())"""
    wait_until(lambda: ask(page, visible))


def test_the_focus_stays_when_its_row_is_withdrawn_or_its_link_goes(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Linked", body="See [this](https://example.org/1).")
    page = site.embed(site.ticker(feed))
    settle(page)
    page.get_by_role("link", name="this").focus()
    item = feed.do(
        item, "update", body="[New](https://example.org/2) and [this](https://example.org/1)."
    )
    expect(page.get_by_role("link", name="New", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="this")).to_be_focused()
    item = feed.do(item, "update", body="No more links.")
    expect(in_row(page, "No more links.")).to_be_visible()
    expect(page.get_by_role("link", name="Linked")).to_be_focused()
    page.get_by_role("button", name="Updated").focus()
    feed.do(item, "kill", note="It was false.")
    expect(in_row(page, "It was false.")).to_be_visible()
    assert ask(page, "root.activeElement.getAttribute('part')") == "scroller"
