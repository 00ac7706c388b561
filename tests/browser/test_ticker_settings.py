"""A ticker's attributes, parts and events are taken up as they change, and do what the docs say."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from chromium import Feed, Site, in_row, rows, settle, wait_until
from playwright.sync_api import Page, expect
from support.server import ROOT

# Counts frames, sockets and polls of a page.
COUNTED = """
window.frames_asked = 0;
window.sockets = [];
window.polls = 0;
const frame = window.requestAnimationFrame;
window.requestAnimationFrame = (act) => { frames_asked++; return frame(act); };
window.WebSocket = class extends WebSocket {
    constructor(...all) { super(...all); sockets.push(this); }
};
const real = window.fetch;
window.fetch = (url, ...rest) => { polls += /changes/.test(url); return real(url, ...rest); };
"""
OPEN = "sockets.filter(({ readyState }) => readyState < 2).length"
TOLD = """
window.told = [];
for (const name of ['status', 'pending', 'ended', 'error'])
    addEventListener(`ticker-${name}`, ({ detail }) => told.push({ name, ...detail }));
"""
# No ElementInternals.states, as before :state() came.
STATELESS = """
Object.defineProperty(ElementInternals.prototype, 'states', { get() { return undefined; } });
"""


def ask(page: Page, expression: str, selector: str = "live-ticker") -> Any:
    """Evaluate with `ticker` and its shadow root at hand."""
    return page.eval_on_selector(
        selector, f"ticker => {{ const root = ticker.shadowRoot; return {expression} }}"
    )


def put(page: Page, **attributes: str) -> None:
    """Set attributes, all in one task."""
    page.eval_on_selector(
        "live-ticker",
        """(ticker, all) => {
            for (const [name, to] of Object.entries(all)) ticker.setAttribute(name, to);
        }""",
        {name.replace("_", "-"): value for name, value in attributes.items()},
    )


def is_painted(page: Page) -> bool:
    painted: bool = ask(page, "!root.querySelector('[part=ticker]').hidden")
    return painted


def test_a_ticker_that_is_taken_out_and_put_back_later_is_live(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = site.embed(site.ticker(feed), init=COUNTED)
    settle(page)
    page.evaluate("window.kept = document.querySelector('live-ticker'); kept.remove()")
    wait_until(lambda: feed.readers() == 0)
    feed.post("Meanwhile")
    page.evaluate("document.body.append(kept)")
    expect(in_row(page, "Meanwhile")).to_be_visible()
    assert page.evaluate(OPEN) == 1


def test_a_static_ticker_that_is_made_live_hears_of_news(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = site.embed(site.ticker(feed, "mode=static"), init=COUNTED)
    settle(page)
    put(page, mode="auto")
    wait_until(lambda: feed.readers() == 1)
    feed.post("Second")
    expect(in_row(page, "Second")).to_be_visible()


def test_a_static_ticker_does_not_make_the_others_poll(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = site.embed(site.ticker(feed, "mode=static") + site.ticker(feed), init=COUNTED)
    settle(page)
    wait_until(lambda: feed.readers() == 1)
    feed.post("Second")
    wait_until(lambda: rows(page, "live-ticker:last-of-type") == ["Second", "First"])
    assert rows(page) == ["First"]


def test_where_states_are_not_known_nothing_is_painted_while_nothing_happens(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = site.embed(site.ticker(feed), init=COUNTED + STATELESS)
    settle(page)
    expect(page.get_by_text("Live")).to_be_visible()
    page.wait_for_timeout(300)
    before = page.evaluate("frames_asked")
    page.wait_for_timeout(1000)
    assert page.evaluate("frames_asked") - before <= 2


@pytest.mark.parametrize("address", ["feeds/no-such-feed", "nowhere"])
def test_an_address_without_a_feed_takes_the_old_feed_away(site: Site, address: str) -> None:
    feed = site.feed()
    feed.post("Old feed")
    page = site.embed(site.ticker(feed, inside="<a href=/>World news</a>"), init=TOLD)
    settle(page)
    put(page, src=f"{site.server.url}/{address}")
    page.locator("live-ticker:state(error)").wait_for()
    expect(page.get_by_role("link", name="World news", exact=True)).to_be_visible()
    assert not is_painted(page)
    assert [each["message"] for each in page.evaluate("told") if each["name"] == "error"] != []
    feed.post("And back")
    put(page, src=f"{site.server.url}/feeds/{feed.slug}")
    expect(in_row(page, "And back")).to_be_visible()
    assert ask(page, "ticker.matches(':state(live)')")


def test_two_attributes_set_at_once_both_count(site: Site) -> None:
    one, other = site.feed(), site.feed()
    one.post("Of one")
    other.post("Of the other")
    page = site.embed(site.ticker(one))
    settle(page)
    put(page, heading="Both", src=f"{site.server.url}/feeds/{other.slug}")
    wait_until(lambda: rows(page) == ["Of the other"])
    assert ask(page, "root.querySelector('[part=heading]').textContent") == "Both"


@pytest.mark.parametrize(
    ("language", "word"), [("en_US", "Pause"), ("de_DE", "Anhalten"), ("!!", "Pause")]
)
def test_a_language_that_is_oddly_written_is_no_reason_to_stay_blank(
    site: Site, language: str, word: str
) -> None:
    feed = site.feed()
    feed.post("News")
    page = site.embed(f"<div lang={language}>{site.ticker(feed)}</div>")
    settle(page)
    expect(page.get_by_role("button", name=word)).to_be_visible()


def test_the_transport_can_be_changed(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = site.embed(site.ticker(feed), init=COUNTED)
    settle(page)
    put(page, transport="poll")
    wait_until(lambda: page.evaluate("polls") > 0)
    wait_until(lambda: page.evaluate(OPEN) == 0)
    assert rows(page) == ["First"]


def test_looks_can_be_changed(site: Site) -> None:
    feed = site.feed()
    pinned = feed.post("Pinned", at="2025-05-17T07:13:00.000Z")
    feed.do(pinned, "pin")
    for n in range(3):
        feed.post(f"News {n}")
    page = site.embed(site.ticker(feed))
    settle(page)
    put(page, order="oldest")
    wait_until(lambda: rows(page) == ["Pinned", "News 0", "News 1", "News 2"])
    for most, shown in (("2", 2), ("-3", 1), ("0", 4), ("two", 4)):
        put(page, max=most, order="newest")
        wait_until(lambda shown=shown: len(rows(page)) == shown)
    put(page, timezone="UTC", lang="en", theme="dark")
    expect(page.locator("time").first).to_contain_text("17 May 2025, 07:13 UTC")
    assert ask(page, "getComputedStyle(ticker).colorScheme") == "dark"
    put(page, lang="uk", heading_level="4")
    expect(page.get_by_role("button", name="Призупинити")).to_be_visible()
    expect(page.get_by_role("heading", name=feed.title)).to_have_attribute("aria-level", "4")


def test_another_zone_of_the_same_distance_long_ago_renews_each_part_of_a_row(
    site: Site,
) -> None:
    feed = site.feed()
    feed.do(feed.post("News", at="2025-05-17T07:13:00Z"), "update", headline="More news")
    page = site.embed(site.ticker(feed, "timezone=Europe/London time=absolute"))
    settle(page)
    put(page, timezone="Europe/Berlin")  # in 1970 the two had one time
    wait_until(lambda: "09:13" in ask(page, "root.querySelector('time').textContent"))
    assert "09:13 UTC+2" in ask(page, "root.querySelector('time').title")
    assert ask(page, "root.querySelector('[part=updated]').textContent").endswith(
        ("UTC+1", "UTC+2")
    )


def test_a_ticker_paused_when_coverage_ends_can_go_on(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Four dead")
    page = site.embed(site.ticker(feed))
    settle(page)
    page.get_by_role("button", name="Pause").click()
    feed.do(item, "correct", headline="Nobody dead", note="It was not so.")
    feed.put(closed=True)
    page.locator("live-ticker:state(ended)").wait_for()
    assert rows(page) == ["Four dead"]
    page.get_by_role("button", name="Resume").click()
    wait_until(lambda: rows(page) == ["Nobody dead"])
    assert page.get_by_role("button", name="Pause").count() == 0


def test_once_what_waited_is_withdrawn_news_comes_in_again(site: Site) -> None:
    feed = site.feed()
    for number in range(20):
        feed.post(f"Item {number}", body="Words.")
    page = site.embed(site.ticker(feed))
    settle(page)
    scroller = page.locator("[part=scroller]")
    scroller.evaluate("scroller => { scroller.scrollTop = 500 }")
    wrong = feed.post("Wrong")
    button = page.get_by_role("button", name="1 new update")
    button.wait_for()
    scroller.evaluate("scroller => { scroller.scrollTop = 0 }")
    feed.do(wrong, "kill", note="No.")
    button.wait_for(state="hidden")
    feed.post("Right")
    wait_until(lambda: "Right" in rows(page))


def test_a_zone_that_is_none_is_the_feeds(site: Site) -> None:
    feed = site.feed()
    feed.put(timezone="Asia/Tokyo")
    feed.do(feed.post("Pinned", at="2025-05-17T07:13:00.000Z"), "pin")
    page = site.embed(site.ticker(feed, "timezone=Asia/Tokio"), timezone_id="America/Lima")
    settle(page)
    expect(page.locator("time")).to_contain_text("17 May 2025, 16:13 UTC+9")
    put(page, timezone="local")
    expect(page.locator("time")).to_contain_text("17 May 2025, 02:13 UTC−5")


@pytest.mark.parametrize("level", ["0", "7", "-1", "2.5", "two", ""])
def test_a_heading_level_that_is_none_is_the_usual_one(site: Site, level: str) -> None:
    feed = site.feed()
    feed.post("News")
    page = site.embed(site.ticker(feed, f'heading-level="{level}"'))
    settle(page)
    levels = "[...root.querySelectorAll('[role=heading]')].map(({ ariaLevel }) => ariaLevel)"
    assert ask(page, levels) == ["2", "3"]
    put(page, heading_level="6")
    wait_until(lambda: ask(page, levels) == ["6", "7"])


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


def test_an_empty_feed_that_ended_does_not_wait_for_news(site: Site) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed))
    settle(page)
    expect(page.get_by_text("No news yet")).to_be_visible()
    feed.put(closed=True)
    expect(page.get_by_text("Coverage has ended").first).to_be_visible()
    expect(page.get_by_text("No news yet")).to_be_hidden()


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


def test_the_heading_leads_to_the_feed(site: Site) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed))
    settle(page)
    link = page.get_by_role("heading").get_by_role("link", name=feed.title)
    expect(link).to_have_attribute("href", f"{site.server.url}/feeds/{feed.slug}")


def test_a_closed_feed_tells_the_page_and_what_waits_is_counted(site: Site) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed, "mode=notify"), init=TOLD)
    settle(page)
    feed.post("One")
    wait_until(lambda: {"name": "pending", "count": 1} in page.evaluate("told"))
    ask(page, "ticker.showPending()")
    wait_until(lambda: {"name": "pending", "count": 0} in page.evaluate("told"))
    feed.put(closed=True)
    wait_until(lambda: {"name": "ended", "message": "Coverage has ended"} in page.evaluate("told"))
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)


def test_tags_may_have_spaces_around_them_and_other_tags_take_withdrawn_rows_away(
    site: Site,
) -> None:
    feed = site.feed()
    false = feed.post("False", tags=["a"])
    feed.post("Of b", tags=["b"])
    page = site.embed(site.ticker(feed, 'tags=" a , "'))
    settle(page)
    assert rows(page) == ["False"]
    feed.do(false, "kill", note="It was false.")
    wait_until(lambda: rows(page) == ["It was false."])
    put(page, tags="b")
    wait_until(lambda: rows(page) == ["Of b"])


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


def test_two_versions_on_a_page_are_one_ticker(site: Site) -> None:
    feed = site.feed()
    feed.post("News")
    page = site.embed(init=COUNTED)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))

    def older(route: Any) -> None:
        script = route.fetch().text().replace("Pause", "Hold").replace("ticker-item", "item")
        route.fulfill(body=script, content_type="text/javascript")

    page.route("**/ticker.js?older", older)
    page.goto(
        site.host.page(
            '<script type="module" src="/ticker.js?older"></script>'
            + site.ticker(feed)
            + site.ticker(feed, "layout=compact")
        )
    )
    expect(in_row(page, "News")).to_have_count(2)
    assert page.evaluate(OPEN) == 1
    assert faults == []


@pytest.mark.parametrize("first", ["new", "old"])
def test_two_builds_on_a_page_do_not_disturb_each_other(
    site: Site, tmp_path: Path, first: str
) -> None:
    # No name inside this one is that of the build which is served.
    other = tmp_path / "ticker.js"
    source = ROOT / "web/src/ticker/main.js"
    bundler = ROOT / "node_modules/.bin/esbuild"
    subprocess.run([bundler, source, "--bundle", "--format=esm", f"--outfile={other}"], check=True)
    feed = site.feed()
    feed.post("News")
    faults: list[str] = []
    page = site.embed(init=COUNTED)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: message.type == "error" and faults.append(message.text))
    new = f"{site.server.url}/ticker.js"
    page.route("**/ticker-0.0.1.js", lambda route: route.fulfill(path=other))
    scripts = [new, "/ticker-0.0.1.js"]
    if first == "old":
        scripts.reverse()
    tags = [f'<script type="module" src="{src}"></script>' for src in scripts]
    page.goto(
        site.host.page(
            tags[0] + site.ticker(feed) + tags[1] + site.ticker(feed, "layout=compact"),
            script=False,
        )
    )
    expect(in_row(page, "News")).to_have_count(2)
    feed.post("More")
    expect(in_row(page, "More")).to_have_count(2)
    assert page.evaluate(OPEN) == 1
    assert faults == []


def test_a_new_row_flashes_once(site: Site) -> None:
    feed = site.feed()
    feed.post("Before")
    page = site.embed(site.ticker(feed))
    settle(page)
    feed.post("New")
    expect(page.locator("[part~=new]")).to_have_count(1)
    expect(page.locator("[part~=new]")).to_have_count(0)
    assert rows(page) == ["New", "Before"]


def test_a_paused_ticker_says_how_old_its_news_is(site: Site) -> None:
    feed = site.feed()
    page = site.embed()
    page.clock.install()
    page.goto(site.host.page(site.ticker(feed, "time=relative paused")))
    feed.post("News")
    page.goto(site.host.page(site.ticker(feed, "time=relative paused")))
    settle(page)
    expect(page.locator("time")).to_have_text("now")
    page.clock.fast_forward("02:00:00")
    expect(page.locator("time")).to_have_text("2 hr ago")


def test_words_of_ours_and_of_an_item_each_keep_their_own_direction(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Four injured.", body="Four were injured.", language="en")
    feed.do(item, "correct", body="Seven were injured.", note="The first number was wrong.")
    page = site.embed("<div lang=ar>" + site.ticker(feed) + "</div>")
    settle(page)
    page.locator("button[part=updated]").click()
    page.locator("ins").wait_for()
    ways = """Object.fromEntries(['correction', 'changes'].map((part) => {
        const row = root.querySelector(`[part=${part}]`);
        const own = row.querySelector('[dir=auto]');
        return [part, [getComputedStyle(row).direction, getComputedStyle(own).direction]];
    }))"""
    assert ask(page, ways) == {"correction": ["rtl", "ltr"], "changes": ["rtl", "ltr"]}
    assert ask(page, "root.querySelector('[part=correction] b').closest('[lang]').lang") == "ar"


def test_what_changed_leaves_out_what_did_not(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Strike injures 4 people", body="Four were injured.")
    item = feed.do(item, "update", headline="Strike injures 7 people", body="Seven were injured.")
    feed.do(item, "correct", note="The first number was wrong.")
    page = site.embed(site.ticker(feed))
    settle(page)
    page.get_by_role("button", name="Updated").click()
    page.locator("ins").first.wait_for()
    assert page.locator("del").all_text_contents() == ["4", "Four"]
    texts = page.locator("[part=changes] p").all_text_contents()
    assert texts == ["Strike injures 4  7  people\nFour Seven  were injured."]


@pytest.mark.parametrize("status", [500, None])
def test_changes_that_cannot_be_loaded_say_so(site: Site, status: int | None) -> None:
    feed = site.feed()
    feed.do(feed.post("Four"), "update", headline="Seven")
    page = site.embed(site.ticker(feed))
    settle(page)
    page.route(
        "**/history",
        lambda route: route.fulfill(status=status, json={}) if status else route.abort(),
    )
    page.get_by_role("button", name="Updated").click()
    expect(page.locator("[part=changes]")).to_have_text("Could not be loaded")


def news(feed: Feed, count: int) -> list[Any]:
    return [feed.post(f"News {n}") for n in range(count)]


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


# What a page says, whichever ticker speaks, each with what `TIMERS` noted.
SPOKEN = """() => {
    window.spoken = [];
    for (const { shadowRoot } of document.querySelectorAll('live-ticker')) {
        const voice = shadowRoot.querySelector('[role=status]');
        const hear = () => voice.textContent && spoken.push([voice.textContent, window.waited]);
        new MutationObserver(hear).observe(voice, { childList: true });
    }
}"""


def said(page: Page) -> list[str]:
    return [text for text, _ in page.evaluate("spoken")]


def test_two_tickers_of_a_feed_say_its_news_once(site: Site) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed) + site.ticker(feed, "layout=compact"))
    settle(page)
    expect(page.get_by_text("Live", exact=True)).to_have_count(2)
    page.evaluate(SPOKEN)
    feed.post("Bridge closed")
    wait_until(lambda: said(page) == ["Bridge closed"])
    page.wait_for_timeout(500)
    assert said(page) == ["Bridge closed"]


# Notes how long the timer was whose turn it is.
TIMERS = """
const set = window.setTimeout;
window.setTimeout = (act, ms, ...all) =>
    set((...given) => { window.waited = ms; act(...given); }, ms, ...all);
"""


def test_tickers_of_many_feeds_say_one_thing_at_a_time(site: Site) -> None:
    feeds = [site.feed() for _ in range(3)]
    page = site.embed("".join(map(site.ticker, feeds)), init=TIMERS)
    settle(page)
    expect(page.get_by_text("Live", exact=True)).to_have_count(3)
    page.evaluate(SPOKEN)
    for feed in feeds:
        feed.post(f"News of {feed.title}")
        page.wait_for_timeout(200)
    wait_until(lambda: len(said(page)) == 2)
    assert said(page) == [f"News of {feeds[0].title}", "2 new updates"]
    # What was said first has set the timer of what came next.
    (_, soon), (_, hush) = page.evaluate("spoken")
    assert soon < hush == 5_000


@pytest.mark.parametrize(
    ("announce", "heard"), [("breaking", ["Breaking: Bridge closed"]), ("off", [])]
)
def test_announce_chooses_what_is_said(site: Site, announce: str, heard: list[str]) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed, f"announce={announce}"), init=TOLD)
    settle(page)
    page.evaluate(SPOKEN)
    feed.post("Road works")
    feed.post("Bridge closed", breaking=True)
    expect(in_row(page, "Bridge closed")).to_be_visible()
    page.wait_for_timeout(600)
    assert said(page) == heard


def test_with_announce_off_not_even_the_end_is_said(site: Site) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed, "announce=off"))
    settle(page)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.evaluate(SPOKEN)
    feed.put(closed=True)
    expect(page.get_by_text("Coverage has ended")).to_be_visible()
    page.wait_for_timeout(600)
    assert said(page) == []


def test_after_an_outage_one_item_is_named_and_that_all_is_well(site: Site) -> None:
    feed = site.feed()
    feed.post("Before")
    page = site.embed(site.ticker(feed, proxy=True), init="Math.random = () => 0.5;")
    settle(page)
    page.evaluate(SPOKEN)
    site.proxy.refuse = True
    site.proxy.reset()
    wait_until(lambda: said(page) and said(page)[0].startswith("Not up to date since"))
    feed.post("While away")
    site.proxy.mend()
    wait_until(lambda: len(said(page)) == 2)
    assert said(page)[1] == "While away. Live"
