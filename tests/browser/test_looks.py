"""Every look of the ticker can be read: by axe, in each theme, and while a row flashes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from chromium import Site, ask, axe, settle
from playwright.sync_api import Page, expect
from support.server import ROOT

VARIANTS = (ROOT / "web/variants.html").read_text()
SETTLED = """() => {
    const tickers = [...document.querySelectorAll('live-ticker[src]')];
    const isPainted = ({ shadowRoot }) => shadowRoot?.querySelector('[part=ticker]:not([hidden])');
    return tickers.every(isPainted)
        && document.querySelector('#changes').shadowRoot.querySelector('ins')
        && document.querySelector('[src$=stale]').matches(':state(stale)');
}"""
# Stop each row's flash where it is strongest; say how many there are.
FREEZE = """() => {
    const root = document.querySelector('live-ticker')?.shadowRoot ?? document;
    const flashes = [...root.querySelectorAll('.new, [part~=new]')]
        .flatMap((row) => row.getAnimations())
        .filter(({ animationName }) => animationName === 'news');
    for (const flash of flashes) {
        flash.pause();
        flash.currentTime = 0;
    }
    return flashes.length;
}"""
MOTIONS = ("no-preference", "reduce")
SOON = {("light", "none", 1280, "ltr", "no-preference"), ("dark", "none", 320, "rtl", "reduce")}


def every_setting() -> list[Any]:
    """Return theme, forced colours, width, direction and motion, each with each."""
    settings = itertools.product(
        ("light", "dark"), ("none", "active"), (320, 1280), ("ltr", "rtl"), MOTIONS
    )
    return [
        pytest.param(*each, marks=() if each in SOON else pytest.mark.more) for each in settings
    ]


def open_variants(site: Site, direction: str, **options: Any) -> Page:
    page = site.embed(**options)
    language = "ar" if direction == "rtl" else "en"
    html = VARIANTS.replace('<html lang="en">', f'<html lang="{language}" dir="{direction}">')
    address = f"{site.host.url}/web/variants.html"
    page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(address)
    page.wait_for_function(SETTLED)
    return page


@pytest.mark.parametrize(("scheme", "colors", "width", "direction", "motion"), every_setting())
def test_axe_finds_nothing_in_any_look(
    site: Site, scheme: Any, colors: Any, width: int, direction: str, motion: Any
) -> None:
    page = open_variants(
        site,
        direction,
        color_scheme=scheme,
        forced_colors=colors,
        reduced_motion=motion,
        viewport={"width": width, "height": 900},
    )
    # The page shows one feed in many looks, so that many regions have its name.
    but = ["landmark-unique"]
    if colors == "active":
        but.append("color-contrast")  # axe reads what the sheet asks for, not what the reader gets
    assert axe(page, *but) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_row_can_be_read_while_it_flashes(site: Site, scheme: Any, motion: Any) -> None:
    feed = site.feed()
    feed.post("Before")
    options: dict[str, Any] = {"color_scheme": scheme, "reduced_motion": motion}
    ticker = site.embed(f"<main><h1>Host</h1>{site.ticker(feed, 'theme=auto')}</main>", **options)
    settle(ticker)
    page = site.open(f"/feeds/{feed.slug}", **options)
    page.wait_for_selector(".bar.live")
    feed.post(
        "Just in",
        body="Some words and [a link](https://example.org/).",
        breaking=True,
        byline="Ann Example",
        source="Rosstat",
        tags=["rain"],
    )
    for each in (ticker, page):
        each.get_by_role("link", name="Just in").wait_for()
        frozen = each.evaluate(FREEZE)
        assert frozen == (0 if each is page and motion == "reduce" else 1)
        assert axe(each) == []


def test_quiet_text_can_be_read_wherever_the_pages_own_text_is_easy_to_read(site: Site) -> None:
    feed = site.feed()
    feed.do(feed.post("Before", byline="Ann Example"), "update", headline="After")
    feed.put(summary="What we know.")
    # Of all colours with a contrast of 7:1 this one on white leaves the least to what is quieter.
    page = site.embed(
        "<main style='color: #595959; background: #fff'><h1>Host</h1>"
        + site.ticker(feed, "heading='' summary")
        + "</main>"
    )
    settle(page)
    feed.post("Just in", body="Some words.", source="Rosstat", breaking=True)
    page.get_by_role("link", name="Just in").wait_for()
    assert page.evaluate(FREEZE) == 1
    assert axe(page) == []
    # No title, no empty link; what scrolls is named by the feed all the same.
    expect(page.get_by_role("heading", name=feed.title)).to_have_count(0)
    assert page.get_by_role("link").all_text_contents() == ["Just in", "After"]
    expect(page.get_by_role("region", name=feed.title)).to_be_visible()
    pause = page.get_by_role("button", name=f"Pause {feed.title}").bounding_box()
    assert pause
    assert pause["width"] < 100


# Contrast by WCAG 2 between a part's own colours, wherever it stands.
CONTRAST = """(part) => {
    const light = (color) => color.match(/[\\d.]+/g).slice(0, 3)
        .map((each) => each / 255)
        .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
        .reduce((sum, each, i) => sum + each * [0.2126, 0.7152, 0.0722][i], 0.05);
    const { color, backgroundColor } = getComputedStyle(part);
    const [one, two] = [light(color), light(backgroundColor)].sort((a, b) => a - b);
    return [backgroundColor, color, two / one];
}"""


def test_breaking_news_looks_alike_on_pages_and_in_tickers_in_each_theme(site: Site) -> None:
    feed = site.feed()
    feed.post("Bridge closed", breaking=True)
    looks = []
    for scheme in ("light", "dark"):
        options: Any = {"color_scheme": scheme}
        ticker = site.embed(site.ticker(feed, "theme=auto"), **options)
        page = site.open(f"/feeds/{feed.slug}", **options)
        for badge in ticker.locator("[part~=breaking]"), page.locator(".badge.breaking"):
            *look, contrast = badge.evaluate(CONTRAST)
            assert contrast >= 4.5
            looks.append(look)
    assert looks == [looks[0]] * 4


def test_a_row_of_a_headline_alone_has_the_same_room_above_and_below(site: Site) -> None:
    feed = site.feed()
    feed.post("Alone")
    page = site.embed(site.ticker(feed))
    settle(page)
    above, below = ask(
        page,
        """((row, meta, headline) => [meta.top - row.top, row.bottom - headline.bottom])(
            ...['[part~=item]', '[part=meta]', '[part=headline]'].map(
                (part) => root.querySelector(part).getBoundingClientRect()))""",
    )
    assert abs(above - below) <= 2


@pytest.mark.parametrize("rule", ["all: unset", "height: auto; display: inline"])
def test_hostile_styles_do_not_let_the_box_grow_beyond_the_screen(site: Site, rule: str) -> None:
    feed = site.feed()
    for n in range(40):
        feed.post(f"News {n}", body="Some words. " * 20)
    hostile = "; ".join(f"{each} !important" for each in rule.split("; "))
    page = site.embed(
        f"<style>* {{ {hostile} }}</style>{site.ticker(feed)}",
        viewport={"width": 800, "height": 900},
    )
    settle(page)
    assert ask(page, "root.querySelector('[part=ticker]').getBoundingClientRect().height") < 1100
    scroller = "root.querySelector('[part=scroller]')"
    assert ask(page, f"{scroller}.scrollHeight > {scroller}.clientHeight")
