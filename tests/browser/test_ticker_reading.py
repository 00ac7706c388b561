"""What a reader of an embedded ticker sees: news, edits, withdrawals, and their own place kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from ticker_stage import Stage, rows, stage, wait_until

AGO = "2025-05-17T07:13:00.000Z"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("feed")) as here:
        yield here


def settle(page: Page) -> None:
    """Wait for the first items."""
    page.wait_for_function(
        "document.querySelector('live-ticker').shadowRoot.querySelector('[part=ticker]:not([hidden])')"
    )


def ask(page: Page, expression: str) -> Any:
    """Evaluate with `ticker` and its shadow root at hand."""
    return page.eval_on_selector(
        "live-ticker", f"ticker => {{ const root = ticker.shadowRoot; return {expression} }}"
    )


def pause_for_burst(page: Page) -> None:
    page.wait_for_timeout(400)


def test_a_post_appears_an_update_changes_it_in_place_and_a_kill_takes_the_words_away(
    here: Stage,
) -> None:
    editor = here.editor()
    editor.post("Parliament sits")
    page = here.page(here.ticker(editor))
    settle(page)
    bus = editor.post("Drone strike on bus kills 9, injures 4", body="Four were injured.")
    expect(page.get_by_text("injures 4")).to_be_visible()
    assert rows(page) == ["Drone strike on bus kills 9, injures 4", "Parliament sits"]
    assert page.get_by_role("button", name="Updated").count() == 0

    bus = editor.revise(bus, "update", headline="Drone strike on bus kills 9, injures 7")
    expect(page.get_by_text("injures 7")).to_be_visible()
    expect(page.get_by_role("button", name="Updated")).to_be_visible()

    bus = editor.revise(bus, "hold")
    expect(page.get_by_text("Being checked")).to_be_visible()
    bus = editor.revise(bus, "release")
    expect(page.get_by_text("Being checked")).to_have_count(0)

    bus = editor.revise(bus, "correct", note="An earlier version gave another number.")
    expect(page.get_by_text("Correction", exact=True)).to_be_visible()
    expect(page.get_by_text("An earlier version gave another number.")).to_be_visible()

    editor.revise(bus, "kill", note="The report was false.")
    expect(page.get_by_text("Withdrawn")).to_be_visible()
    expect(page.get_by_text("The report was false.")).to_be_visible()
    assert "Drone" not in ask(page, "root.textContent")
    assert len(rows(page)) == 2


def test_updated_opens_what_changed_and_asks_for_it_only_then(here: Stage) -> None:
    editor = here.editor()
    item = editor.post("Strike injures 4", body="Four were injured on the bus.")
    editor.revise(
        item, "update", headline="Strike injures 7", body="Seven were injured on the bus."
    )
    page = here.page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(here.host.page(here.ticker(editor)))
    button = page.get_by_role("button", name="Updated")
    expect(button).to_have_attribute("aria-expanded", "false")
    assert not [url for url in asked if "history" in url]
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    assert page.locator("del").all_text_contents() == [" 4\nFour"]
    assert page.locator("ins").all_text_contents() == [" 7\nSeven"]
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("del")).to_have_count(0)


def test_more_than_three_at_once_wait_behind_a_button_and_edits_reach_them_there(
    here: Stage,
) -> None:
    editor = here.editor()
    editor.post("First")
    page = here.page(here.ticker(editor, "mode=notify"))
    settle(page)
    items = [editor.post(f"News {n}") for n in range(1, 6)]
    expect(page.get_by_role("button", name="5 new updates")).to_be_visible()
    assert ask(page, "ticker.matches(':state(pending)')")
    editor.revise(items[0], "update", headline="News 1, updated")
    editor.revise(items[4], "kill", note="No.")
    expect(page.get_by_role("button", name="4 new updates")).to_be_visible()
    assert rows(page) == ["First"]
    page.get_by_role("button", name="4 new updates").click()
    assert rows(page) == ["No.", "News 4", "News 3", "News 2", "News 1, updated", "First"]
    assert not page.get_by_role("button", name="new update").is_visible()


def test_a_burst_is_bounded_and_moves_nothing_on_the_page(here: Stage) -> None:
    editor = here.editor()
    editor.post("First")
    page = here.page(
        "<p>Above</p>" + here.ticker(editor, "max=20") + "<p id=below>Below</p>",
        init="""window.shift = 0; window.long = 0;
            const watch = (type, act) => new PerformanceObserver(list =>
                list.getEntries().forEach(act)).observe({type, buffered: true});
            watch('layout-shift', e => { if (!e.hadRecentInput) shift += e.value });
            watch('longtask', e => { long = Math.max(long, e.duration) });""",
    )
    settle(page)
    page.wait_for_timeout(300)
    before = page.evaluate("shift")
    top = page.locator("#below").bounding_box()
    for n in range(120):
        editor.post(f"News {n}", body="With some words of text.")
        if n % 40 == 20:
            page.get_by_role("button", name="new updates").click()
    page.get_by_role("button", name="new updates").click()
    assert len(rows(page)) == 20
    page.wait_for_timeout(500)
    assert page.locator("#below").bounding_box() == top
    assert page.evaluate("shift") - before <= 0.02
    assert page.evaluate("long") < 200  # 100 ms on a machine of its own; here the server shares it


def test_a_reader_who_has_scrolled_keeps_the_place(here: Stage) -> None:
    editor = here.editor()
    items = [editor.post(f"News {n}", body="Some words. " * 20) for n in range(12)]
    page = here.page(here.ticker(editor))
    settle(page)
    ask(page, "root.querySelector('[part=scroller]').scrollTop = 400")
    page.wait_for_timeout(100)
    place = "[...root.querySelectorAll('[part~=item]')][5].getBoundingClientRect().top"
    before = ask(page, place)
    editor.post("Newest")
    expect(page.get_by_role("button", name="1 new update")).to_be_visible()
    editor.revise(items[11], "update", body="Some words. " * 80)
    expect(page.get_by_role("button", name="Updated")).to_have_count(1)
    page.wait_for_timeout(600)
    assert abs(ask(page, place) - before) <= 1


def test_a_focused_reader_is_not_pushed_and_keeps_the_focus_through_an_edit(here: Stage) -> None:
    editor = here.editor()
    item = editor.post("Old words")
    page = here.page(here.ticker(editor))
    settle(page)
    page.get_by_role("link", name="Old words").focus()
    editor.revise(item, "fix", headline="New words")
    expect(page.get_by_role("link", name="New words")).to_be_focused()
    editor.post("Another")
    expect(page.get_by_role("button", name="1 new update")).to_be_visible()
    page.get_by_role("button", name="1 new update").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Another")).to_be_focused()


def test_a_paused_view_stands_still_but_withdrawn_words_leave_it(here: Stage) -> None:
    editor = here.editor()
    item = editor.post("Kept words")
    false = editor.post("False words")
    page = here.page(here.ticker(editor))
    settle(page)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("live-ticker")).to_have_attribute("paused", "")
    editor.revise(item, "update", headline="Later words")
    editor.post("Newer")
    editor.revise(false, "kill", note="It was false.")
    expect(page.get_by_text("It was false.")).to_be_visible()
    assert rows(page) == ["It was false.", "Kept words"]
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("link", name="Newer")).to_be_visible()
    assert rows(page) == ["Newer", "It was false.", "Later words"]


def test_a_hidden_page_collects_and_never_announces(here: Stage) -> None:
    editor = here.editor()
    editor.post("First")
    page = here.page(here.ticker(editor))
    settle(page)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true});"
        "window.away = true; document.dispatchEvent(new Event('visibilitychange'))"
    )
    editor.post("While away")
    expect(page.get_by_role("button", name="1 new update")).to_be_visible()
    assert rows(page) == ["First"]
    assert ask(page, "root.querySelector('[role=status]').textContent") == ""


def test_the_voice_speaks_of_news_once_in_five_seconds_and_not_of_the_first_items(
    here: Stage,
) -> None:
    editor = here.editor()
    editor.post("First")
    page = here.page(here.ticker(editor))
    settle(page)
    voice = page.locator("live-ticker [role=status]")
    page.wait_for_timeout(300)
    expect(voice).to_have_text("")
    editor.post("Bridge closed", breaking=True)
    expect(voice).to_have_text("Breaking: Bridge closed")
    page.evaluate(
        """window.spoken = []; new MutationObserver(() => spoken.push(performance.now()))
        .observe(document.querySelector('live-ticker').shadowRoot.querySelector('[role=status]'),
            {childList: true})"""
    )
    editor.post("Road closed")
    pause_for_burst(page)
    editor.post("Rail closed")
    expect(voice).to_have_text("2 new updates", timeout=9000)
    assert page.evaluate("spoken.length") == 1


def test_an_imported_item_is_painted_without_a_word(here: Stage) -> None:
    editor = here.editor()
    page = here.page(here.ticker(editor, "mode=notify"))
    settle(page)
    editor.post("From the archive", at=AGO)
    expect(page.get_by_text("From the archive")).to_be_visible()
    expect(page.get_by_text("Saturday, May 17, 2025")).to_be_visible()
    expect(page.locator("time")).to_have_text("10:13")
    page.wait_for_timeout(300)
    expect(page.locator("live-ticker [role=status]")).to_have_text("")


def test_a_page_sees_each_item_first_and_may_refuse_it(here: Stage) -> None:
    editor = here.editor()
    editor.post("Sport: a goal")
    page = here.page(
        here.ticker(editor),
        init="addEventListener('ticker-item', event => {"
        "if (event.detail.item.headline?.startsWith('Sport')) event.preventDefault() })",
    )
    settle(page)
    editor.post("Politics")
    expect(page.get_by_text("Politics")).to_be_visible()
    editor.post("Sport: another")
    editor.post("Weather")
    expect(page.get_by_text("Weather")).to_be_visible()
    assert rows(page) == ["Weather", "Politics"]


def test_a_strict_policy_with_trusted_types_is_kept(here: Stage) -> None:
    editor = here.editor()
    item = editor.post("Under a policy", body="**bold** and a [link](https://example.org/)")
    editor.revise(item, "update", body="**bolder**")
    policy = (
        f"default-src 'none'; script-src 'self'; connect-src {here.server.url} "
        f"{here.server.url.replace('http', 'ws')}; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    page = here.page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(here.host.page(here.ticker(editor), Content_Security_Policy=policy))
    page.get_by_role("button", name="Updated").click()
    expect(page.locator("ins")).to_have_count(1)
    editor.post("And live")
    expect(page.get_by_role("button", name="1 new update")).to_be_visible()
    assert [fault for fault in faults if "favicon" not in fault] == []


def test_what_stands_inside_stays_when_there_is_no_feed_no_script_or_no_way(here: Stage) -> None:
    editor = here.editor()
    inside = '<a href="/world">World news</a>'
    for body, headers in (
        (here.ticker(editor, inside=inside).replace(editor.feed, "no-such-feed"), {}),
        (here.ticker(editor, inside=inside), {"Content_Security_Policy": "script-src 'none'"}),
        (here.ticker(editor, inside=inside), {"Content_Security_Policy": "connect-src 'none'"}),
        (f'<live-ticker src="/nowhere">{inside}</live-ticker>', {}),
    ):
        page = here.page(body, headers=headers)
        page.wait_for_timeout(500)
        expect(page.get_by_role("link", name="World news")).to_be_visible()


def test_a_sandboxed_frame_without_an_origin_is_served(here: Stage) -> None:
    editor = here.editor()
    editor.post("In a box")
    inner = here.host.page(here.ticker(editor), path="/inner")
    page = here.page(f'<iframe sandbox="allow-scripts" src="{inner}" height=500></iframe>')
    expect(page.frame_locator("iframe").get_by_text("In a box")).to_be_visible()
    editor.post("And live")
    expect(page.frame_locator("iframe").get_by_text("And live")).to_be_visible()


def test_hostile_styles_of_the_host_do_not_reach_the_words(here: Stage) -> None:
    editor = here.editor()
    editor.post("Plain words")
    page = here.page(
        "<style>* { text-transform: uppercase !important; letter-spacing: 1em !important;"
        "line-height: 0 !important; text-indent: -99em !important; visibility: visible;"
        "white-space: nowrap !important; word-spacing: 9em !important; cursor: none !important }"
        "p, li, a, button { display: none !important }</style>" + here.ticker(editor)
    )
    settle(page)
    looks = ask(
        page,
        """(style => [style.textTransform, style.letterSpacing, style.textIndent, style.whiteSpace])
        (getComputedStyle(root.querySelector('[part=link]')))""",
    )
    assert looks == ["none", "normal", "0px", "normal"]
    expect(page.get_by_role("link", name="Plain words")).to_be_visible()


def test_a_reader_whose_clock_is_hours_wrong_sees_the_servers_times(here: Stage) -> None:
    editor = here.editor()
    editor.post("Just now")
    page = here.page(
        here.ticker(editor, "time=relative"),
        init="const real = Date.now; Date.now = () => real() - 5 * 3600e3;",
    )
    settle(page)
    assert ask(page, "root.querySelector('time').textContent") == "now"


def test_arabic_reads_from_the_right_in_its_own_words(here: Stage) -> None:
    editor = here.editor()
    editor.post("خبر عاجل", breaking=True)
    page = here.page("<div lang=ar>" + here.ticker(editor) + "</div>")
    settle(page)
    assert ask(page, "root.querySelector('[part=ticker]').dir") == "rtl"
    expect(page.get_by_role("button", name="إيقاف مؤقت")).to_be_visible()


def test_a_page_brings_its_own_words(here: Stage) -> None:
    editor = here.editor()
    page = here.page(
        here.ticker(editor, "lang=pl")
        + "<script type=module>const { strings } = await customElements.whenDefined('live-ticker');"
        "strings.pl = { pause: 'Wstrzymaj' }</script>"
    )
    expect(page.get_by_role("button", name="Wstrzymaj")).to_be_visible()


def test_tags_filter_and_the_line_shows_one(here: Stage) -> None:
    editor = here.editor()
    editor.post("Kyiv", tags=["ukraine"])
    editor.post("Paris", tags=["france"])
    page = here.page(here.ticker(editor, 'tags="ukraine, sumy"'))
    settle(page)
    editor.post("Rome", tags=["italy"])
    editor.post("Sumy", tags=["sumy"])
    expect(page.get_by_text("Sumy")).to_be_visible()
    assert rows(page) == ["Sumy", "Kyiv"]
    page.eval_on_selector(
        "live-ticker", "t => { t.removeAttribute('tags'); t.setAttribute('layout', 'line') }"
    )
    wait_until(lambda: rows(page) == ["Sumy"])


def test_a_static_ticker_connects_to_nothing_and_refreshes_on_demand(here: Stage) -> None:
    editor = here.editor()
    editor.post("First")
    page = here.page()
    sockets: list[Any] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto(here.host.page(here.ticker(editor, "mode=static")))
    settle(page)
    editor.post("Second")
    page.wait_for_timeout(500)
    assert rows(page) == ["First"]
    ask(page, "ticker.refresh()")
    wait_until(lambda: rows(page) == ["Second", "First"])
    assert sockets == []


def test_two_tickers_and_two_scripts_share_one_socket(here: Stage) -> None:
    editor = here.editor()
    page = here.page()
    sockets: list[Any] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto(
        here.host.page(
            here.ticker(editor)
            + here.ticker(editor, "layout=compact")
            + '<script type="module" src="/ticker.js?again"></script>'
            + '<script type="module" src="/web/dist/ticker.js"></script>'
        )
    )
    settle(page)
    editor.post("For both")
    expect(page.get_by_text("For both")).to_have_count(2)
    assert len(sockets) == 1
    page.eval_on_selector("live-ticker", "ticker => document.body.append(ticker)")
    editor.post("After a move")
    expect(page.get_by_text("After a move")).to_have_count(2)
    assert len(sockets) == 1


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_a_new_row_moves_nothing_in_either_motion(here: Stage, motion: Any) -> None:
    editor = here.editor()
    for n in range(4):
        editor.post(f"News {n}")
    page = here.page(
        here.ticker(editor) + "<p>Below</p>",
        reduced_motion=motion,
        init="""window.shift = 0; new PerformanceObserver(list => {
            for (const e of list.getEntries()) shift += e.value
        }).observe({type: 'layout-shift', buffered: true});""",
    )
    settle(page)
    page.wait_for_timeout(300)
    before = page.evaluate("shift")
    editor.post("One more")
    expect(page.get_by_text("One more")).to_be_visible()
    page.wait_for_timeout(600)
    assert page.evaluate("shift") - before <= 0.01
