"""The pages without their script, and with it under the strictest policy: both must be whole."""

from __future__ import annotations

import pytest
from chromium import Feed, Site, axe, headlines

# What the markup of a row comes down to: no places of white space, no names for the script's use.
ROW = """
row => {
    const tree = (node) => {
        if (node.nodeType === Node.TEXT_NODE) return node.data.trim().replace(/\\s+/g, ' ') || null;
        const button = node.matches('button.updated');
        const unlike = ['part', 'data-rendered', 'loading', node.part.value === 'link' && 'class'];
        const names = [...node.attributes].filter(({ name }) =>
            node.matches('.updated') ? name === 'class' : !unlike.includes(name));
        return [
            button ? 'a' : node.localName,
            ...names
                .map(({ name, value }) => `${name}=${value}`.replace(/ new$|(?<==)link /, ''))
                .sort(),
            ...[...node.childNodes].map(tree).filter((child) => child !== null),
        ];
    };
    return JSON.stringify(tree(row), null, 1);
}
"""


@pytest.fixture(scope="module")
def story(shared_site: Site) -> Feed:
    """A feed with everything in it that an item can be."""
    feed = shared_site.feed()
    fill(feed, shared_site.server.url)
    return feed


def fill(feed: Feed, url: str) -> None:
    feed.put(description="What is happening now.")
    rich = feed.post(
        "Drone strike kills 9, injures 4 <b>",
        body="**Nine *people* died**, [officials](https://example.org/a?b=1&c=2) said.\nAnd so on."
        "\n\nA second paragraph.\n- one\n- two\n\n1. first\n2. second, https://example.org/d\n\n"
        "> We heard it.\n>\n> Twice.\n> — Ann Lee",
        at="2025-05-17T07:13:00Z",
        breaking=True,
        byline="Ann",
        source="Rosstat",
        url="https://example.org/source",
        tags=["ukraine", "a/b & 'c'"],
        occurred_at="2025-05-17T03:17:00Z",
        media=[{"url": f"{url}/card.png", "alt": "A road", "width": 1200, "height": 630}],
    )
    rich = feed.do(rich, "update", headline="Drone strike kills 9, injures 7 <b>")
    feed.do(rich, "correct", note="It was a bus.", at=rich["updated_at"])
    held = feed.post("Not confirmed", language="uk", at="2025-05-16T22:00:00Z")
    feed.do(held, "hold")
    wrong = feed.post("Wrong", at="2025-05-16T20:59:00Z")
    feed.do(wrong, "kill", note="It was wrong.")
    feed.post("An address alone", url="https://www.example.org/x", at="2024-12-01T00:00:00Z")
    pinned = feed.post("What we know", body="This.", at="2025-05-15T07:00:00Z")
    feed.do(pinned, "pin")


def test_a_page_is_whole_without_javascript(site: Site, story: Feed) -> None:
    page = site.open(f"/feeds/{story.slug}", java_script_enabled=False)
    assert page.title() == story.title
    assert page.locator(".item").count() == 5
    assert page.locator("h2.day").all_inner_texts() == [
        "Pinned",
        "Saturday, 17 May 2025\nUTC+3",
        "Friday, 16 May 2025\nUTC+3",
        "Sunday, 1 December 2024\nUTC+2",
    ]
    assert page.get_by_role("button", name="Pause").count() == 0
    page.get_by_role("link", name="Updated").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("Drone strike")
    assert page.url.endswith("#shown")
    page.get_by_text("Posted 17 May 2025, 10:13 UTC+3").click()
    assert page.get_by_text("Drone strike kills 9, injures 4 <b>").is_visible()
    page.get_by_role("link", name=story.title).click()
    page.get_by_role("link", name="ukraine").first.click()
    assert page.locator(".item").count() == 1
    page.locator("#find > summary").click()
    page.get_by_role("searchbox").fill("confirmed")
    page.get_by_role("button", name="Search").click()
    assert page.locator(".headline").all_inner_texts() == ["Not confirmed"]


def test_older_pages_need_no_javascript(site: Site) -> None:
    feed = site.feed()
    for number in range(55):
        feed.post(f"Item {number}")
    page = site.open(f"/feeds/{feed.slug}", java_script_enabled=False)
    page.get_by_role("link", name="More news").click()
    assert page.locator(".item").count() == 5
    page.get_by_role("link", name="Newest news").click()
    assert page.locator(".item").count() == 50


def test_the_iframe_shows_headlines_without_javascript(site: Site, story: Feed) -> None:
    page = site.open(f"/feeds/{story.slug}/embed", java_script_enabled=False)
    assert page.get_by_role("link", name="Not confirmed").is_visible()
    assert page.locator("li").count() == 4


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_script_writes_rows_as_the_server_does(site: Site, language: str) -> None:
    feed = site.feed()
    feed.put(language=language)
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    fill(feed, site.server.url)
    page.wait_for_function("() => document.querySelectorAll('.item').length === 5")
    page.wait_for_selector(".item[data-pinned]")
    by_script = page.locator(".item").evaluate_all(f"rows => rows.map({ROW})")
    days = page.locator("h2.day").all_inner_texts()
    plain = site.open(f"/feeds/{feed.slug}", init="delete Document.prototype.getElementById")
    by_server = plain.locator(".item").evaluate_all(f"rows => rows.map({ROW})")
    site.errors.clear()  # the script, which cannot find its list, says so
    assert by_script == by_server
    assert days == plain.locator("h2.day").all_inner_texts()


@pytest.mark.parametrize("size", [320, 768, 1280])
def test_pages_fit_every_width(site: Site, story: Feed, size: int) -> None:
    for path in ("/", f"/feeds/{story.slug}", f"/feeds/{story.slug}/embed"):
        page = site.open(path, viewport={"width": size, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == size


def test_the_keyboard_reaches_the_news(site: Site, story: Feed) -> None:
    page = site.open(f"/feeds/{story.slug}")
    page.wait_for_selector(".bar.live")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the news"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.item') !== null")
    page.locator("button.updated").press("Enter")
    page.wait_for_selector(".changes ins")
    assert page.evaluate("document.activeElement.matches('button.updated')")


@pytest.mark.parametrize(
    ("scheme", "motion", "colors"),
    [
        ("light", "no-preference", "none"),
        ("dark", "no-preference", "none"),
        pytest.param("light", "reduce", "none", marks=pytest.mark.more),
        pytest.param("dark", "reduce", "none", marks=pytest.mark.more),
        pytest.param("dark", "no-preference", "active", marks=pytest.mark.more),
    ],
)
def test_axe_finds_nothing(site: Site, story: Feed, scheme: str, motion: str, colors: str) -> None:
    arabic = site.feed()
    arabic.put(language="ar", title=f"أخبار العالم {arabic.slug}")
    item = arabic.post("خبر", breaking=True)
    item = arabic.do(item, "update", body="نص")
    gone = arabic.do(arabic.post("x"), "kill", note="لا")
    paths = [
        "/",
        f"/feeds/{story.slug}",
        f"/feeds/{story.slug}?tag=ukraine",
        f"/feeds/{story.slug}/embed",
        f"/feeds/{arabic.slug}",
        f"/feeds/{arabic.slug}/items/{item['id']}",
        f"/feeds/{arabic.slug}/items/{gone['id']}",
        "/nothing",
    ]
    found = []
    for path in paths:
        for width in (320, 1280):
            page = site.open(
                path,
                viewport={"width": width, "height": 800},
                color_scheme=scheme,
                reduced_motion=motion,
                forced_colors=colors,
            )
            if path == f"/feeds/{story.slug}":
                page.wait_for_selector(".bar.live")
                story.post("Just in")  # its flash has to be readable too
                page.wait_for_selector(".item.new")
                page.locator("button.updated").first.click()
                page.wait_for_selector(".changes ins")
                page.evaluate("scrollTo(0, 0)")  # or a button may lie half under the bar
            found += [(path, width, *fault) for fault in axe(page)]
    site.errors.clear()  # the browser reports each answer of 404 and 410
    assert not found


def test_headlines_in_the_list_are_links_to_items(site: Site, story: Feed) -> None:
    page = site.open(f"/feeds/{story.slug}")
    assert "Not confirmed" in headlines(page)
    page.get_by_role("link", name="Not confirmed").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Not confirmed"


def test_words_of_the_other_direction_begin_where_their_headline_does(site: Site) -> None:
    feed = site.feed()
    feed.put(language="ar")
    feed.post("A headline", body="Words.", byline="Ann", source="Rosstat", language="en")
    page = site.open(f"/feeds/{feed.slug}", viewport={"width": 1280, "height": 800})
    lefts = page.locator(".item .headline, .item .body").evaluate_all(
        "nodes => nodes.map((node) => node.getBoundingClientRect().left)"
    )
    assert lefts[0] == lefts[1]
    # The dot after the byline stands on the page's own side of it: to its left.
    name, whole = page.locator(".byline").evaluate(
        "node => [node.firstElementChild, node].map((each) => each.getBoundingClientRect())"
    )
    assert name["left"] > whole["left"]
