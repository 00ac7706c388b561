"""Every look of the ticker can be read: by axe, in each theme, and while a row flashes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from chromium import Site, axe, settle
from playwright.sync_api import Page
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
