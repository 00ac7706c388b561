"""What the ticker makes of a bad network: it resumes exactly, falls back, says when it is stale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from ticker_stage import Editor, Stage, rows, stage, wait_until

SEEN = """window.seen = [];
window.states = [];
addEventListener('ticker-item', event => seen.push(event.detail.item.version));
addEventListener('ticker-status', event => states.push(event.detail.status));"""
# Long waits pass twenty times as fast; the watchdog's, of 2.5 s here, as ever.
FAST = """const slow = window.setTimeout;
window.setTimeout = (act, ms, ...rest) => slow(act, ms > 2600 ? ms / 20 : ms, ...rest);"""
HIDE = """window.away = false;
Object.defineProperty(document, 'hidden', { get: () => window.away });
window.look = away => {
    window.away = away;
    document.dispatchEvent(new Event('visibilitychange'));
};"""


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("feed")) as here:
        yield here


@pytest.fixture
def here(theatre: Stage) -> Iterator[Stage]:
    yield theatre
    theatre.close()
    theatre.wire.swallow = theatre.wire.refuse = theatre.wire.no_sockets = False
    theatre.wire.requests.clear()


def open_page(here: Stage, editor: Editor, init: str = SEEN, attributes: str = "") -> Page:
    page = here.page(here.ticker(editor, attributes, wire=True), init=init)
    page.wait_for_function(
        "document.querySelector('live-ticker').shadowRoot.querySelector('[part=ticker]:not([hidden])')"
    )
    return page


def release(page: Page) -> None:
    """Show what waits behind the button too."""
    page.eval_on_selector("live-ticker", "ticker => ticker.showPending()")


def test_after_a_cut_it_resumes_from_its_cursor_each_version_once_in_order(here: Stage) -> None:
    editor = here.editor()
    editor.post("Before")
    page = open_page(here, editor)
    for n in range(4):
        here.wire.reset()
        editor.post(f"During {n}")
    wait_until(lambda: page.evaluate("seen.length") == 5, 20)
    release(page)
    assert rows(page) == ["During 3", "During 2", "During 1", "During 0", "Before"]
    seen = page.evaluate("seen")
    assert seen == sorted(set(seen))
    assert here.wire.asked("/live?since=") >= 1


def test_two_outages_and_a_restart_of_the_server_lose_nothing(here: Stage) -> None:
    editor = here.editor()
    editor.post("Before")
    page = open_page(here, editor)
    here.wire.reset()
    here.server.stop()
    page.wait_for_timeout(300)
    here.server.start()
    editor.post("After the restart")
    wait_until(lambda: page.evaluate("seen.length") == 2, 20)
    here.wire.reset()
    editor.post("After another cut")
    wait_until(lambda: page.evaluate("seen.length") == 3, 20)
    release(page)
    assert rows(page) == ["After another cut", "After the restart", "Before"]


def test_a_line_that_swallows_everything_is_noticed_and_said(here: Stage) -> None:
    editor = here.editor()
    editor.post("Before")
    page = open_page(here, editor)
    here.wire.swallow = True
    expect(page.locator("live-ticker [part=status]")).to_contain_text(
        "Not up to date since", timeout=40_000
    )
    expect(page.locator("live-ticker [role=status]")).to_contain_text("Not up to date since")
    here.wire.swallow = False
    editor.post("After")
    here.wire.reset()
    page.evaluate("dispatchEvent(new Event('online'))")
    wait_until(lambda: page.evaluate("seen.length") == 2, 40)
    expect(page.locator("live-ticker [part=status]")).to_have_text("Live")


def test_where_sockets_are_blocked_it_takes_sse(here: Stage) -> None:
    here.wire.no_sockets = True
    editor = here.editor()
    editor.post("First")
    page = open_page(here, editor, SEEN + FAST)
    assert here.wire.asked("/live") == 3
    assert here.wire.asked("/stream") == 1
    editor.post("Second")
    wait_until(lambda: page.evaluate("seen.length") == 2)


def test_polling_reads_the_same_news(here: Stage) -> None:
    editor = here.editor()
    editor.post("First")
    page = open_page(here, editor, SEEN + FAST, "transport=poll")
    editor.post("Second")
    wait_until(lambda: page.evaluate("seen.length") == 2)
    assert here.wire.asked("OPTIONS") == 0
    assert here.wire.asked("/live") == 0


def test_an_unknown_feed_is_final(here: Stage) -> None:
    editor = here.editor()
    editor.feed, known = "nothing-here", editor.feed
    page = here.page(here.ticker(editor, wire=True), init=SEEN)
    editor.feed = known
    wait_until(lambda: page.evaluate("states.at(-1)") == "error")
    page.wait_for_timeout(3000)
    assert here.wire.asked("/live") == 1


def test_coverage_ends_and_goes_on_when_the_feed_is_reopened(here: Stage) -> None:
    editor = here.editor()
    editor.post("Last words")
    page = open_page(here, editor, SEEN + HIDE)
    editor.put(closed=True)
    expect(page.get_by_text("Coverage has ended").first).to_be_visible()
    assert rows(page) == ["Last words"]
    editor.put(closed=False)
    page.evaluate("look(true); look(false)")
    expect(page.locator("live-ticker [part=status]")).to_have_text("Live")
    editor.post("One more thing")
    wait_until(lambda: page.evaluate("seen.length") == 2)


def test_a_hidden_page_lets_its_socket_go_and_catches_up_when_shown(here: Stage) -> None:
    editor = here.editor()
    editor.post("First")
    page = open_page(here, editor, SEEN + FAST + HIDE)
    connected = here.wire.asked("/live")
    page.evaluate("look(true)")
    wait_until(lambda: editor.http.get(f"{editor.url}/readers").json()["readers"] == 0, 20)
    editor.post("While away")
    page.wait_for_timeout(300)
    assert page.evaluate("seen.length") == 1
    page.evaluate("look(false)")
    wait_until(lambda: page.evaluate("seen.length") == 2)
    assert here.wire.asked("/live") == connected + 1


def test_a_page_that_leaves_closes_its_socket_and_comes_back_with_a_new_one(here: Stage) -> None:
    editor = here.editor()
    editor.post("First")
    page = open_page(here, editor)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    wait_until(lambda: editor.http.get(f"{editor.url}/readers").json()["readers"] == 0)
    editor.post("While in the cache")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    wait_until(lambda: page.evaluate("seen.length") == 2)


def test_there_is_at_most_one_socket_however_the_network_flaps(here: Stage) -> None:
    editor = here.editor()
    editor.post("First")
    page = open_page(here, editor)
    most: Any = 0
    for n in range(6):
        editor.post(f"Flap {n}")
        here.wire.reset()
        page.evaluate("dispatchEvent(new Event('online'))")
        most = max(most, editor.http.get(f"{editor.url}/readers").json()["readers"])
        page.wait_for_timeout(150)
    wait_until(lambda: page.evaluate("seen.length") == 7, 20)
    wait_until(lambda: editor.http.get(f"{editor.url}/readers").json()["readers"] == 1)
    seen = page.evaluate("seen")
    assert seen == sorted(set(seen))
