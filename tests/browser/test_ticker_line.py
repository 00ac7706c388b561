"""The ticker in a line: one headline, at any width."""

from __future__ import annotations

import pytest
from chromium import Site, ask, put, rows, settle, wait_until
from playwright.sync_api import expect


def test_the_keyboard_stops_at_the_list_but_not_at_a_line(site: Site) -> None:
    feed = site.feed()
    feed.post("News")
    page = site.embed(site.ticker(feed))
    settle(page)
    stops = []
    for layout in ("list", "line"):
        put(page, layout=layout)
        scroller = page.locator("[part=scroller]")
        expect(scroller).to_have_attribute("tabindex", "-1" if layout == "line" else "0")
        page.get_by_role("button", name="Pause").focus()
        page.keyboard.press("Tab")
        stops.append(ask(page, "root.activeElement.getAttribute('part')"))
    assert stops == ["scroller", "link"]


@pytest.mark.parametrize("width", [288, 700])
def test_a_line_that_is_stale_or_ended_still_shows_its_headline(site: Site, width: int) -> None:
    feed = site.feed()
    feed.post("A drone strike on a civilian bus kills nine people", breaking=True)
    line = site.ticker(feed, "layout=line")
    page = site.embed(f"<div style='width:{width}px'>{line}</div>")
    settle(page)
    feed.put(closed=True)
    expect(page.locator("[part=status]")).to_have_text("Coverage has ended")
    expect(page.locator("[part=status]")).to_be_visible()
    assert ask(page, "root.querySelector('[part=headline]').clientWidth") > 60
    fits = "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)"
    assert ask(page, f"{fits}(root.querySelector('[part=status]'))")
    assert ask(page, "root.querySelector('[part=ticker]').scrollHeight <= ticker.clientHeight")


def test_in_a_line_breaking_news_goes_before_what_is_pinned(site: Site) -> None:
    feed = site.feed()
    feed.do(feed.post("What we know"), "pin")
    feed.post("Newest")
    page = site.embed(site.ticker(feed, "layout=line"))
    settle(page)
    assert rows(page) == ["What we know"]
    feed.post("Bridge closed", breaking=True)
    wait_until(lambda: rows(page) == ["Bridge closed"])


def test_a_line_shows_the_newest_of_many_that_come_at_once(site: Site) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed, "layout=line"))
    settle(page)
    for number in range(8):
        feed.post(f"Item {number}")
    wait_until(lambda: rows(page) == ["Item 7"])
    assert page.get_by_role("button", name="new update").count() == 0
    put(page, mode="notify")
    feed.post("On demand")
    page.get_by_role("button", name="1 new update").click()
    wait_until(lambda: rows(page) == ["On demand"])


def test_a_line_of_breaking_news_on_a_phone_puts_its_headline_below_the_badge(
    site: Site,
) -> None:
    feed = site.feed()
    feed.post("A drone strike on a civilian bus kills nine people", breaking=True)
    page = site.embed(
        f"<div style='width:358px'>{site.ticker(feed, 'layout=line')}</div>",
        viewport={"width": 390, "height": 300},
    )
    settle(page)
    expect(page.get_by_text("Breaking")).to_be_visible()
    badge = ask(page, "root.querySelector('[part~=badge]').getBoundingClientRect().toJSON()")
    line = ask(page, "root.querySelector('[part=headline]').getBoundingClientRect().toJSON()")
    assert line["top"] >= badge["bottom"] - 2
    assert line["bottom"] <= ask(page, "ticker.getBoundingClientRect().bottom")
    assert line["width"] > 250


@pytest.mark.parametrize("width", [300, 420, 900])
def test_a_line_shows_its_headline_in_a_narrow_column(site: Site, width: int) -> None:
    feed = site.feed()
    feed.post("A drone strike on a civilian bus kills nine people", breaking=True)
    page = site.embed(
        f"<div style='width:{width}px'>{site.ticker(feed, 'layout=line')}</div>",
        viewport={"width": 1280, "height": 300},
    )
    settle(page)
    assert ask(page, "root.querySelector('[part=headline]').clientWidth") > 60
    assert ask(page, "root.querySelector('[part=ticker]').scrollWidth <= ticker.clientWidth")
    pause = page.get_by_role("button", name="Pause").bounding_box()
    assert pause
    assert pause["height"] < 40
    assert ask(page, "ticker.clientHeight") < 60
