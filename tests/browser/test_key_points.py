"""A feed's key points: on top of its page and, where asked for, of a ticker, as they are now."""

from __future__ import annotations

import pytest
from chromium import MEASURES, Feed, Site, axe, put, settle
from playwright.sync_api import Page, expect

FIRST = "What is known:\n- nine died\n- four hurt, says https://example.org/x"
SECOND = "What is known:\n- **ten** died\n- four hurt\n- the road is closed"
BOX = "#summary"
FOLDED = "[part=summary]"


@pytest.fixture
def story(site: Site) -> Feed:
    feed = site.feed()
    feed.post("Bus hit", body="A bus.")
    feed.put(summary=FIRST)
    return feed


def embedded(site: Site, feed: Feed, attributes: str = "summary") -> Page:
    main = f"<main><h1>Host</h1>{site.ticker(feed, attributes)}</main>"
    page = site.embed(main, viewport={"width": 800, "height": 800})
    settle(page)
    return page


def test_they_stand_on_top_of_the_page_also_without_javascript(site: Site, story: Feed) -> None:
    narrow = {"width": 1000, "height": 800}
    page = site.open(f"/feeds/{story.slug}", java_script_enabled=False, viewport=narrow)
    assert page.get_by_role("region", name="Key points").is_visible()
    assert page.locator(f"{BOX} li").all_inner_texts()[0] == "nine died"
    assert page.locator(f"{BOX} .meta").inner_text().startswith("Updated ")
    box, row = (page.locator(each).first.bounding_box() for each in (BOX, ".item"))
    assert box is not None
    assert row is not None
    assert box["y"] + box["height"] < row["y"]
    for path in (f"/feeds/{story.slug}/items/1", f"/feeds/{story.slug}?q=bus"):
        assert page.request.get(f"{site.server.url}{path}").text().count('id="summary"') == 0


def test_they_change_live_and_nothing_jumps(site: Site, story: Feed) -> None:
    page = site.open(f"/feeds/{story.slug}", init=MEASURES)
    page.wait_for_selector(".bar.live")
    story.put(summary=SECOND)
    expect(page.locator(f"{BOX} li")).to_have_text(["ten died", "four hurt", "the road is closed"])
    assert page.locator('script[type="application/ld+json"]').count() == 0
    assert axe(page) == []
    story.put(summary=None)
    expect(page.locator(BOX)).to_be_hidden()
    story.put(summary=FIRST)
    expect(page.locator(BOX)).to_be_visible()
    page.evaluate("new Promise((done) => setTimeout(done, 500))")
    assert page.evaluate("shifts") < 0.01


def test_a_paused_page_keeps_them(site: Site, story: Feed) -> None:
    page = site.open(f"/feeds/{story.slug}")
    page.wait_for_selector(".bar.live")
    page.get_by_role("button", name="Pause").click()
    story.put(summary=SECOND)
    item = story.post("Gone")
    story.do(item, "kill", note="x")
    page.wait_for_timeout(500)
    assert page.locator(f"{BOX} li").first.inner_text() == "nine died"
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(f"{BOX} li").first).to_have_text("ten died")


def test_a_ticker_has_them_folded_where_it_is_asked_to(site: Site, story: Feed) -> None:
    page = embedded(site, story)
    head = page.locator(f"{FOLDED} summary")
    expect(head).to_contain_text("Key points Updated")
    assert not page.get_by_text("nine died").is_visible()
    head.press("Enter")
    assert page.get_by_text("nine died").is_visible()
    assert axe(page) == []
    story.put(summary=SECOND)
    expect(page.locator(f"{FOLDED} li").first).to_have_text("ten died")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.localName") == "summary"
    assert page.get_by_text("the road is closed").is_visible()
    put(page, layout="line")
    expect(page.locator(FOLDED)).to_be_hidden()


def test_a_ticker_that_is_not_asked_has_none(site: Site, story: Feed) -> None:
    page = embedded(site, story, "")
    assert page.locator(FOLDED).is_hidden()
    put(page, summary="")
    expect(page.locator(FOLDED)).to_be_visible()
