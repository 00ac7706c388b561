"""The server's renderer and the script's write the same, for any item, language and zone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from chromium import Site
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page, Route
from support.server import ROOT
from test_page_plain import ROW

from feedserver import wire
from feedserver.api.context import Site as Newsroom
from feedserver.model import Correction, Feed, Item, Media, Status
from feedserver.site.rendering import Listing, render_feed

ORIGIN = "http://pages.example"
# Both renderings of the key points and of each item as trees, and the words of its day heading.
COMPARE = f"""async ({{ html, items, feed }}) => {{
    const {{ renderArticle }} = await import('/web/src/page/article.js');
    const {{ wordingFor }} = await import('/web/src/page/wording.js');
    const page = new DOMParser().parseFromString(html, 'text/html');
    const list = page.getElementById('list');
    const {{ src, zone, language }} = list.dataset;
    const wording = wordingFor(JSON.parse(page.getElementById('words').textContent), zone);
    const rows = new Map([...list.querySelectorAll('.item')].map((row) => [+row.dataset.id, row]));
    const tree = {ROW};
    const headingOf = (row) => {{
        while (!row.matches('.day')) row = row.previousElementSibling;
        return row.textContent.trim();
    }};
    const {{ renderSummary }} = await import('/web/src/page/summary.js');
    const times = items.map((item) => Date.parse(item.published_at));
    const near = items.length ? Math.max(...times) : undefined;
    const box = tree(renderSummary(feed, wording, near));
    return [[tree(page.getElementById('summary')), box]].concat(items.map((item) => {{
        const ms = Date.parse(item.published_at);
        const options = {{ wording, src, language, level: 3 }};
        const made = renderArticle(item, options, Boolean(item.pinned));
        const day = `${{wording.day(ms)}} ${{wording.offset(ms)}}`;
        const heading = item.pinned ? wording.words.pinned : day;
        return [[tree(rows.get(item.id)), headingOf(rows.get(item.id))], [tree(made), heading]];
    }}));
}}"""

LANGUAGES = [None, "en", "uk", "ar", "de-AT", "es", "fr", "ja"]
ZONES = [None, "UTC", "Europe/Kyiv", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
ADDRESSES = [
    "https://example.org/a?b=1&c='2'",
    "https://[2001:db8::1]:8443/x",
    "HTTPS://WWW.Example.org:80",
    "https://суми.укр/новини",
    "https://example.org/Xi'an_(b)#c",
]
MARKUP = [
    *["- one\n- two\n", "1. one\n2. two\n  more\n", "> said\n>\n> more\n> — Ann & <b>\n", "\n\n"],
    *["**bold**", "*it*", "[a *link*](https://example.org/?a=1&b=2)", "\\*", "<b>", " ", "、記者"],
    *ADDRESSES,
]

words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=20)
maybe = st.none() | words
bodies = st.lists(st.sampled_from(MARKUP) | words, max_size=6).map("".join)
millis = st.integers(0, 2_100_000_000_000)
media = st.builds(
    Media,
    st.sampled_from([*ADDRESSES, "https://example.org/a.MP4", "https://example.org/a.b/c.ogg?d"]),
    maybe,
    st.none() | st.just(1200),
    st.none() | st.just(630),
    maybe,
    maybe,
    st.sampled_from([None, "image/png", "video/mp4", "audio/mpeg"]),
)
known = {
    "id": st.integers(1, 10**6),
    "feed": st.just("world"),
    "version": st.integers(1, 10**6),
    "check": st.just("abcd"),
    "published_at": millis,
}
killed = st.builds(Item, **known, status=st.just(Status.KILLED), killed_at=millis, note=words)
shown = st.builds(
    Item,
    **known,
    status=st.sampled_from([Status.LIVE, Status.HELD]),
    headline=words,
    body=bodies,
    updated_at=st.none() | millis,
    occurred_at=st.none() | millis,
    byline=maybe,
    source=maybe,
    url=st.none() | st.sampled_from(ADDRESSES),
    tags=st.lists(words, max_size=3).map(tuple),
    breaking=st.booleans(),
    pinned=st.booleans(),
    language=st.sampled_from(LANGUAGES),
    media=st.lists(media, max_size=2).map(tuple),
    corrections=st.lists(st.builds(Correction, millis, words), max_size=2).map(tuple),
)
items = shown | shown | killed


@pytest.fixture(scope="module")
def page(shared_site: Site) -> Page:
    """A page whose modules are the sources."""
    found = shared_site.browser.new_context().new_page()

    def give(route: Route) -> None:
        path = route.request.url.removeprefix(f"{ORIGIN}/")
        if path:
            route.fulfill(path=ROOT / path)
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    found.route(f"{ORIGIN}/**", give)
    found.goto(f"{ORIGIN}/")
    return found


def compare(page: Page, of: Sequence[Item], feed: Feed) -> list[Any]:
    """Render a feed's key points and items both ways; return a pair for each."""
    html = render_feed(Newsroom("", "News"), Listing(feed, of, "e.1.abcd", 25), {}, {})
    sent = [json.loads(wire.dumps(wire.item_json(item))) for item in of]
    told = json.loads(wire.dumps(wire.feed_json(feed, "", "e.1.abcd")))
    return list(page.evaluate(COMPARE, {"html": html, "items": sent, "feed": told}))


@given(
    st.lists(items, max_size=8, unique_by=lambda item: item.id),
    st.builds(
        Feed,
        slug=st.just("world"),
        title=words,
        created_at=millis,
        version=st.integers(1, 9),
        head=st.just(9),
        check=st.just("abcd"),
        language=st.sampled_from(LANGUAGES),
        timezone=st.sampled_from(ZONES),
        summary=st.none() | bodies,
        summary_at=millis,
    ),
)
def test_both_renderers_write_any_item_and_any_key_points_alike(
    page: Page, of: list[Item], feed: Feed
) -> None:
    of.sort(key=lambda item: item.order, reverse=True)
    found = compare(page, of, feed)
    assert [by_script for _, by_script in found] == [by_server for by_server, _ in found]
