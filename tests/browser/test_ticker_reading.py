"""What a reader of an embedded ticker sees: news, edits, withdrawals, and their own place kept."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import MEASURES, Site, ask, in_row, rows, settle, wait_until
from playwright.sync_api import Page, expect

AGO = "2025-05-17T07:13:00.000Z"


def pause_for_burst(page: Page) -> None:
    page.wait_for_timeout(400)


def test_a_post_appears_an_update_changes_it_in_place_and_a_kill_takes_the_words_away(
    site: Site,
) -> None:
    feed = site.feed()
    feed.post("Parliament sits")
    page = site.embed(site.ticker(feed))
    settle(page)
    bus = feed.post("Drone strike on bus kills 9, injures 4", body="Four were injured.")
    expect(in_row(page, "injures 4")).to_be_visible()
    assert rows(page) == ["Drone strike on bus kills 9, injures 4", "Parliament sits"]
    assert page.get_by_role("button", name="Updated").count() == 0

    bus = feed.do(bus, "update", headline="Drone strike on bus kills 9, injures 7")
    expect(in_row(page, "injures 7")).to_be_visible()
    expect(page.get_by_role("button", name="Updated")).to_be_visible()

    bus = feed.do(bus, "hold")
    expect(in_row(page, "Being checked")).to_be_visible()
    bus = feed.do(bus, "release")
    expect(in_row(page, "Being checked")).to_have_count(0)

    bus = feed.do(bus, "correct", note="An earlier version gave another number.")
    expect(in_row(page, "Correction", exact=True)).to_be_visible()
    expect(in_row(page, "An earlier version gave another number.")).to_be_visible()

    feed.do(bus, "kill", note="The report was false.")
    expect(in_row(page, "Withdrawn")).to_be_visible()
    expect(in_row(page, "The report was false.")).to_be_visible()
    assert "Drone" not in ask(page, "root.textContent")
    assert len(rows(page)) == 2


def test_updated_opens_what_changed_and_asks_for_it_only_then(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Strike injures 4", body="Four were injured on the bus.")
    feed.do(item, "update", headline="Strike injures 7", body="Seven were injured on the bus.")
    page = site.embed()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site.host.page(site.ticker(feed)))
    button = page.get_by_role("button", name="Updated")
    expect(button).to_have_attribute("aria-expanded", "false")
    assert not [url for url in asked if "history" in url]
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    assert page.locator("del").all_text_contents() == ["4", "Four"]
    assert page.locator("ins").all_text_contents() == ["7", "Seven"]
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("del")).to_have_count(0)


def test_more_than_three_at_once_wait_behind_a_button_and_edits_reach_them_there(
    site: Site,
) -> None:
    feed = site.feed()
    feed.post("First")
    page = site.embed(site.ticker(feed, "mode=notify"))
    settle(page)
    items = [feed.post(f"News {n}") for n in range(1, 6)]
    expect(page.get_by_role("button", name="5 new updates")).to_be_visible()
    assert ask(page, "ticker.matches(':state(pending)')")
    feed.do(items[0], "update", headline="News 1, updated")
    feed.do(items[4], "kill", note="No.")
    expect(page.get_by_role("button", name="4 new updates")).to_be_visible()
    assert rows(page) == ["First"]
    page.get_by_role("button", name="4 new updates").click()
    assert rows(page) == ["No.", "News 4", "News 3", "News 2", "News 1, updated", "First"]
    assert not page.get_by_role("button", name="new update").is_visible()


def test_a_reader_who_has_scrolled_keeps_the_place(site: Site) -> None:
    feed = site.feed()
    items = [feed.post(f"News {n}", body="Some words. " * 20) for n in range(12)]
    page = site.embed(site.ticker(feed))
    settle(page)
    ask(page, "root.querySelector('[part=scroller]').scrollTop = 400")
    page.wait_for_timeout(100)
    place = "[...root.querySelectorAll('[part~=item]')][5].getBoundingClientRect().top"
    before = ask(page, place)
    feed.post("Newest")
    expect(page.get_by_role("button", name="1 new update")).to_be_visible()
    feed.do(items[11], "update", body="Some words. " * 80)
    expect(page.get_by_role("button", name="Updated")).to_have_count(1)
    page.wait_for_timeout(600)
    assert abs(ask(page, place) - before) <= 1


def test_a_focused_reader_is_not_pushed_and_keeps_the_focus_through_an_edit(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Old words")
    page = site.embed(site.ticker(feed))
    settle(page)
    page.get_by_role("link", name="Old words").focus()
    feed.do(item, "fix", headline="New words")
    expect(page.get_by_role("link", name="New words")).to_be_focused()
    feed.post("Another")
    expect(page.get_by_role("button", name="1 new update")).to_be_visible()
    page.get_by_role("button", name="1 new update").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Another")).to_be_focused()


def test_a_paused_view_stands_still_but_withdrawn_words_leave_it(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Kept words")
    false = feed.post("False words")
    page = site.embed(site.ticker(feed))
    settle(page)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("live-ticker")).to_have_attribute("paused", "")
    feed.do(item, "update", headline="Later words")
    feed.post("Newer")
    feed.do(false, "kill", note="It was false.")
    expect(in_row(page, "It was false.")).to_be_visible()
    assert rows(page) == ["It was false.", "Kept words"]
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("link", name="Newer")).to_be_visible()
    assert rows(page) == ["Newer", "It was false.", "Later words"]


def test_a_hidden_page_collects_and_never_announces(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = site.embed(site.ticker(feed))
    settle(page)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true});"
        "window.away = true;"
        "document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))"
    )
    feed.post("While away")
    expect(page.get_by_role("button", name="1 new update")).to_be_visible()
    assert rows(page) == ["First"]
    assert ask(page, "root.querySelector('[role=status]').textContent") == ""


def test_the_voice_speaks_of_news_once_in_five_seconds_and_not_of_the_first_items(
    site: Site,
) -> None:
    feed = site.feed()
    feed.post("First")
    page = site.embed(site.ticker(feed))
    settle(page)
    voice = page.locator("live-ticker [role=status]")
    page.wait_for_timeout(300)
    expect(voice).to_have_text("")
    feed.post("Bridge closed", breaking=True)
    expect(voice).to_have_text("Breaking: Bridge closed")
    page.evaluate(
        """window.spoken = []; new MutationObserver(() => spoken.push('something'))
        .observe(document.querySelector('live-ticker').shadowRoot.querySelector('[role=status]'),
            {childList: true})"""
    )
    feed.post("Road closed")
    pause_for_burst(page)
    feed.post("Rail closed")
    expect(voice).to_have_text("2 new updates")
    assert page.evaluate("spoken.length") == 1


def test_an_imported_item_is_painted_without_a_word(site: Site) -> None:
    feed = site.feed()
    page = site.embed(site.ticker(feed, "mode=notify"))
    settle(page)
    feed.post("From the archive", at=AGO)
    expect(in_row(page, "From the archive")).to_be_visible()
    expect(page.get_by_text("Saturday, 17 May 2025 UTC+3")).to_be_visible()
    expect(page.locator("time")).to_have_text("10:13")
    page.wait_for_timeout(300)
    expect(page.locator("live-ticker [role=status]")).to_have_text("")


def test_a_page_sees_each_item_first_and_may_refuse_it(site: Site) -> None:
    feed = site.feed()
    feed.post("Sport: a goal")
    page = site.embed(
        site.ticker(feed),
        init="addEventListener('ticker-item', event => {"
        "if (event.detail.item.headline?.startsWith('Sport')) event.preventDefault() })",
    )
    settle(page)
    feed.post("Politics")
    expect(in_row(page, "Politics")).to_be_visible()
    feed.post("Sport: another")
    feed.post("Weather")
    expect(in_row(page, "Weather")).to_be_visible()
    assert rows(page) == ["Weather", "Politics"]


def test_a_strict_policy_with_trusted_types_is_kept(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Under a policy", body="**bold** and a [link](https://example.org/)")
    feed.do(item, "update", body="**bolder**")
    policy = (
        f"default-src 'none'; script-src 'self'; connect-src {site.server.url} "
        f"{site.server.url.replace('http', 'ws')}; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    page = site.embed()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(site.host.page(site.ticker(feed), Content_Security_Policy=policy))
    page.get_by_role("button", name="Updated").click()
    expect(page.locator("ins")).to_have_count(1)
    feed.post("And live")
    expect(page.get_by_role("button", name="1 new update")).to_be_visible()
    assert faults == []


def test_what_stands_inside_stays_when_there_is_no_feed_no_script_or_no_way(site: Site) -> None:
    feed = site.feed()
    inside = '<a href="/world">World news</a>'
    for body, headers in (
        (site.ticker(feed, inside=inside).replace(feed.slug, "no-such-feed"), {}),
        (site.ticker(feed, inside=inside), {"Content_Security_Policy": "script-src 'none'"}),
        (site.ticker(feed, inside=inside), {"Content_Security_Policy": "connect-src 'none'"}),
        (f'<live-ticker src="/nowhere">{inside}</live-ticker>', {}),
    ):
        page = site.embed(body, headers=headers)
        page.wait_for_timeout(500)
        expect(page.get_by_role("link", name="World news")).to_be_visible()


def test_a_sandboxed_frame_without_an_origin_is_served(site: Site) -> None:
    feed = site.feed()
    feed.post("In a box")
    inner = site.host.page(site.ticker(feed), path="/inner")
    page = site.embed(f'<iframe sandbox="allow-scripts" src="{inner}" height=500></iframe>')
    expect(in_row(page.frame_locator("iframe"), "In a box")).to_be_visible()
    feed.post("And live")
    expect(in_row(page.frame_locator("iframe"), "And live")).to_be_visible()


def test_hostile_styles_of_the_host_do_not_reach_the_words(site: Site) -> None:
    feed = site.feed()
    feed.post("Plain words")
    page = site.embed(
        "<style>* { text-transform: uppercase !important; letter-spacing: 1em !important;"
        "line-height: 0 !important; text-indent: -99em !important; visibility: visible;"
        "white-space: nowrap !important; word-spacing: 9em !important; cursor: none !important }"
        "p, li, a, button { display: none !important }</style>" + site.ticker(feed)
    )
    settle(page)
    looks = ask(
        page,
        """(style => [style.textTransform, style.letterSpacing, style.textIndent, style.whiteSpace])
        (getComputedStyle(root.querySelector('[part=link]')))""",
    )
    assert looks == ["none", "normal", "0px", "pre-line"]
    expect(page.get_by_role("link", name="Plain words")).to_be_visible()


def test_a_reader_whose_clock_is_hours_wrong_sees_the_servers_times(site: Site) -> None:
    feed = site.feed()
    feed.post("Just now")
    page = site.embed(
        site.ticker(feed, "time=relative"),
        init="const real = Date.now; Date.now = () => real() - 5 * 3600e3;",
    )
    settle(page)
    assert ask(page, "root.querySelector('time').textContent") == "now"


def test_arabic_reads_from_the_right_in_its_own_words(site: Site) -> None:
    feed = site.feed()
    feed.post("خبر عاجل", breaking=True)
    page = site.embed("<div lang=ar>" + site.ticker(feed) + "</div>")
    settle(page)
    assert ask(page, "root.querySelector('[part=ticker]').dir") == "rtl"
    expect(page.get_by_role("button", name="إيقاف مؤقت")).to_be_visible()


def test_a_page_brings_its_own_words(site: Site) -> None:
    feed = site.feed()
    page = site.embed(
        site.ticker(feed, "lang=pl")
        + "<script type=module>const { strings } = await customElements.whenDefined('live-ticker');"
        "strings.pl = { pause: 'Wstrzymaj' }</script>"
    )
    expect(page.get_by_role("button", name="Wstrzymaj")).to_be_visible()


def test_tags_filter_and_the_line_shows_one(site: Site) -> None:
    feed = site.feed()
    feed.post("Kyiv", tags=["ukraine"])
    feed.post("Paris", tags=["france"])
    page = site.embed(site.ticker(feed, 'tags="ukraine, sumy"'))
    settle(page)
    feed.post("Rome", tags=["italy"])
    feed.post("Sumy", tags=["sumy"])
    expect(in_row(page, "Sumy")).to_be_visible()
    assert rows(page) == ["Sumy", "Kyiv"]
    page.eval_on_selector(
        "live-ticker", "t => { t.removeAttribute('tags'); t.setAttribute('layout', 'line') }"
    )
    wait_until(lambda: rows(page) == ["Sumy"])


def test_a_static_ticker_connects_to_nothing_and_refreshes_on_demand(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = site.embed()
    sockets: list[Any] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto(site.host.page(site.ticker(feed, "mode=static")))
    settle(page)
    feed.post("Second")
    page.wait_for_timeout(500)
    assert rows(page) == ["First"]
    ask(page, "ticker.refresh()")
    wait_until(lambda: rows(page) == ["Second", "First"])
    assert sockets == []


def test_two_tickers_and_two_scripts_share_one_socket(site: Site) -> None:
    feed = site.feed()
    page = site.embed()
    sockets: list[Any] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto(
        site.host.page(
            site.ticker(feed)
            + site.ticker(feed, "layout=compact")
            + '<script type="module" src="/ticker.js?again"></script>'
            + '<script type="module" src="/web/dist/ticker.js"></script>'
        )
    )
    settle(page)
    feed.post("For both")
    expect(in_row(page, "For both")).to_have_count(2)
    assert len(sockets) == 1
    page.eval_on_selector("live-ticker", "ticker => document.body.append(ticker)")
    feed.post("After a move")
    expect(in_row(page, "After a move")).to_have_count(2)
    assert len(sockets) == 1


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_a_new_row_moves_nothing_in_either_motion(site: Site, motion: Any) -> None:
    feed = site.feed()
    for n in range(4):
        feed.post(f"News {n}")
    page = site.embed(
        site.ticker(feed) + "<p>Below</p>",
        reduced_motion=motion,
        init=MEASURES,
    )
    settle(page)
    page.wait_for_timeout(300)
    before = page.evaluate("shifts")
    feed.post("One more")
    expect(in_row(page, "One more")).to_be_visible()
    page.wait_for_timeout(600)
    assert page.evaluate("shifts") - before <= 0.01
