"""A ticker's attributes, parts and events are taken up as they change, and do what the docs say."""

from __future__ import annotations

import pytest
from chromium import COUNTED, OPEN, Site, ask, in_row, put, rows, settle, wait_until
from playwright.sync_api import Page, expect

TOLD = """
window.told = [];
for (const name of ['status', 'pending', 'ended', 'error'])
    addEventListener(`ticker-${name}`, ({ detail }) => told.push({ name, ...detail }));
"""
# No ElementInternals.states, as before :state() came.
STATELESS = """
Object.defineProperty(ElementInternals.prototype, 'states', { get() { return undefined; } });
"""


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


def test_every_attribute_is_a_property_as_frameworks_set_them(site: Site) -> None:
    """Before the script is there, before the element stands in a page, and later."""
    feed = site.feed()
    feed.post("First")
    src = f"{site.server.url}/feeds/{feed.slug}"
    early = f"""<live-ticker paused=false summary=false></live-ticker><script>
        document.querySelector('live-ticker').src = '{src}';
        document.querySelector('live-ticker').headingLevel = 4;
        customElements.whenDefined('live-ticker').then(() => {{
            const later = document.createElement('live-ticker');
            Object.assign(later, {{ src: '{src}', max: 1, tags: ['a', 'b'], heading: '' }});
            document.body.append(later);
        }});</script>"""
    page = site.embed(early)
    settle(page)
    feed.post("Second", tags=["b"])
    wait_until(lambda: rows(page) == ["Second", "First"])  # so it is not paused
    wait_until(lambda: rows(page, "live-ticker:last-of-type") == ["Second"])
    attributes = "[...ticker.attributes].map(({ name, value }) => `${name}=${value}`)"
    assert sorted(ask(page, attributes)) == [
        "heading-level=4",
        "paused=false",
        f"src={src}",
        "summary=false",
    ]
    later = "[ticker.max, ticker.tags, ticker.heading, ticker.paused, ticker.mode]"
    assert ask(page, later, "live-ticker:last-of-type") == ["1", "a,b", "", False, None]

    pausing = "[ticker.paused, ticker.paused = true, ticker.getAttribute('paused')]"
    assert ask(page, pausing) == [False, True, ""]
    page.get_by_role("button", name="Resume").click()
    assert ask(page, "[ticker.paused, ticker.hasAttribute('paused')]") == [False, False]
    page.locator("live-ticker").first.get_by_role("button", name="Pause").click()
    assert ask(page, "ticker.paused") is True
    for nothing in ("null", "undefined", "false"):
        ask(page, f"[ticker.layout = 'line', ticker.layout = {nothing}]")
        assert ask(page, "ticker.layout") is None
    assert ask(page, "ticker.hasAttribute('layout')") is False


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


def test_an_empty_feed_that_ended_does_not_wait_for_news(site: Site) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed))
    settle(page)
    expect(page.get_by_text("No news yet")).to_be_visible()
    feed.put(closed=True)
    expect(page.get_by_text("Coverage has ended").first).to_be_visible()
    expect(page.get_by_text("No news yet")).to_be_hidden()


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
    assert texts == ["Strike injures 4  7 people\nFour Seven were injured."]


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
