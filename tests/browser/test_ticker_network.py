"""What the ticker makes of a bad network: it resumes exactly, falls back, says when it is stale."""

from __future__ import annotations

import pytest
from chromium import Feed, Site, rows, settle, wait_for_headlines, wait_until
from playwright.sync_api import Page, expect

SEEN = """window.seen = [];
window.states = [];
addEventListener('ticker-item', event => seen.push(event.detail.item.version));
addEventListener('ticker-status', event => states.push(event.detail.status));"""
# Counts the sockets that a page has at a time, whatever the server has noticed yet.
SOCKETS = """window.sockets = [];
window.most = 0;
window.WebSocket = class extends WebSocket {
    constructor(...where) {
        super(...where);
        sockets.push(this);
        most = Math.max(most, sockets.filter(({ readyState }) => readyState < 2).length);
    }
};"""
# Long waits pass twenty times as fast; the watchdog's, of 2.5 s here, as ever.
FAST = """const slow = window.setTimeout;
window.setTimeout = (act, ms, ...rest) => slow(act, ms > 2600 ? ms / 20 : ms, ...rest);"""
HIDE = """window.away = false;
Object.defineProperty(document, 'hidden', { get: () => window.away });
window.look = away => {
    window.away = away;
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
};"""
# Seconds: what each piece of an answer, or every 64 bytes of one, take longer.
SLOW = {"latency": 0.6, "drip": 0.02}


def open_page(site: Site, feed: Feed, init: str = SEEN, attributes: str = "") -> Page:
    page = site.embed(site.ticker(feed, attributes, proxy=True), init=init)
    settle(page)
    return page


def release(page: Page) -> None:
    """Show what waits behind the button too."""
    page.eval_on_selector("live-ticker", "ticker => ticker.showPending()")


def test_after_a_cut_it_resumes_from_its_cursor_each_version_once_in_order(site: Site) -> None:
    feed = site.feed()
    feed.post("Before")
    page = open_page(site, feed)
    for n in range(4):
        site.proxy.reset()
        feed.post(f"During {n}")
    wait_until(lambda: page.evaluate("seen.length") == 5)
    release(page)
    assert rows(page) == ["During 3", "During 2", "During 1", "During 0", "Before"]
    seen = page.evaluate("seen")
    assert seen == sorted(set(seen))
    assert site.proxy.asked("/live?since=") >= 1


def test_two_outages_and_a_restart_of_the_server_lose_nothing(site: Site) -> None:
    feed = site.feed()
    feed.post("Before")
    page = open_page(site, feed)
    site.proxy.reset()
    port = site.server.port
    site.server.kill9()
    page.wait_for_timeout(300)
    site.server.start(port)
    feed.post("After the restart")
    wait_until(lambda: page.evaluate("seen.length") == 2)
    site.proxy.reset()
    feed.post("After another cut")
    wait_until(lambda: page.evaluate("seen.length") == 3)
    release(page)
    assert rows(page) == ["After another cut", "After the restart", "Before"]


def test_a_line_that_swallows_everything_is_noticed_and_said(site: Site) -> None:
    feed = site.feed()
    feed.post("Before")
    page = open_page(site, feed)
    site.proxy.swallow = True
    expect(page.locator("live-ticker [part=status]")).to_contain_text(
        "Not up to date since", timeout=40_000
    )
    expect(page.locator("live-ticker [role=status]")).to_contain_text("Not up to date since")
    site.proxy.swallow = False
    feed.post("After")
    site.proxy.reset()
    page.evaluate("dispatchEvent(new Event('online'))")
    wait_until(lambda: page.evaluate("seen.length") == 2, 40)
    expect(page.locator("live-ticker [part=status]")).to_have_text("Live")


def test_where_sockets_are_blocked_it_takes_sse(site: Site) -> None:
    site.proxy.no_sockets = True
    feed = site.feed()
    feed.post("First")
    page = open_page(site, feed, SEEN + FAST)
    wait_until(lambda: site.proxy.asked("/stream"))
    assert site.proxy.asked("/live") == 3
    assert site.proxy.asked("/stream") == 1
    feed.post("Second")
    wait_until(lambda: page.evaluate("seen.length") == 2)


def test_polling_reads_the_same_news(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = open_page(site, feed, SEEN + FAST, "transport=poll")
    feed.post("Second")
    wait_until(lambda: page.evaluate("seen.length") == 2)
    assert site.proxy.asked("OPTIONS") == 0
    assert site.proxy.asked("/live") == 0


def test_an_unknown_feed_is_final(site: Site) -> None:
    feed = site.feed()
    feed.slug, known = "nothing-here", feed.slug
    page = site.embed(site.ticker(feed, proxy=True), init=SEEN)
    feed.slug = known
    wait_until(lambda: page.evaluate("states.at(-1)") == "error")
    page.wait_for_timeout(3000)
    assert site.proxy.asked("/live") == 1


def test_coverage_ends_and_goes_on_when_the_feed_is_reopened(site: Site) -> None:
    feed = site.feed()
    feed.post("Last words")
    page = open_page(site, feed, SEEN + HIDE)
    feed.put(closed=True)
    expect(page.get_by_text("Coverage has ended").first).to_be_visible()
    assert rows(page) == ["Last words"]
    feed.put(closed=False)
    page.evaluate("look(true); look(false)")
    expect(page.locator("live-ticker [part=status]")).to_have_text("Live")
    feed.post("One more thing")
    wait_until(lambda: page.evaluate("seen.length") == 2)


def test_a_hidden_page_lets_its_socket_go_and_catches_up_when_shown(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = open_page(site, feed, SEEN + FAST + HIDE)
    connected = site.proxy.asked("/live")
    page.evaluate("look(true)")
    wait_until(lambda: feed.readers() == 0)
    feed.post("While away")
    page.wait_for_timeout(300)
    assert page.evaluate("seen.length") == 1
    page.evaluate("look(false)")
    wait_until(lambda: page.evaluate("seen.length") == 2)
    assert site.proxy.asked("/live") == connected + 1


def test_a_page_that_leaves_closes_its_socket_and_comes_back_with_a_new_one(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = open_page(site, feed)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    wait_until(lambda: feed.readers() == 0)
    feed.post("While in the cache")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    wait_until(lambda: page.evaluate("seen.length") == 2)


def test_there_is_at_most_one_socket_however_the_network_flaps(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = open_page(site, feed, SEEN + SOCKETS)
    for n in range(6):
        feed.post(f"Flap {n}")
        if n % 2:
            page.eval_on_selector("live-ticker", "ticker => ticker.reconnect()")
        site.proxy.reset()
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_timeout(150)
    wait_until(lambda: page.evaluate("seen.length") == 7)
    wait_until(lambda: feed.readers() == 1)
    assert page.evaluate("most") == 1
    seen = page.evaluate("seen")
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("fault", ["latency", "drip"])
def test_on_a_slow_line_that_breaks_each_version_comes_once_in_order(
    site: Site, fault: str
) -> None:
    feed = site.feed()
    first = feed.post("First")
    setattr(site.proxy, fault, SLOW[fault])
    page = open_page(site, feed, SEEN + SOCKETS)
    wanted = [first["version"]]
    for n in range(8):
        wanted.append(feed.post(f"News {n}", body="Some words. " * 20)["version"])
        if n % 3 == 2:
            site.proxy.reset()
    wanted.append(feed.do(first, "update", headline="First, updated")["version"])
    wait_until(lambda: page.evaluate("seen.at(-1)") == wanted[-1], 30)
    assert page.evaluate("seen") == wanted
    assert page.evaluate("most") == 1
    release(page)
    assert rows(page) == [*(f"News {n}" for n in reversed(range(8))), "First, updated"]


@pytest.mark.parametrize("fault", ["latency", "drip"])
def test_a_page_on_a_slow_line_that_breaks_shows_each_item_once_in_order(
    site: Site, fault: str
) -> None:
    feed = site.feed()
    feed.post("First")
    page = site.open(f"/feeds/{feed.slug}", init=SOCKETS, proxy=True)
    page.wait_for_selector(".bar.live")
    setattr(site.proxy, fault, SLOW[fault])
    for n in range(3):
        feed.post(f"News {n}")
        if n == 1:
            site.proxy.reset()
    wait_for_headlines(page, "News 2", "News 1", "News 0", "First")
    assert page.evaluate("most") == 1
    site.errors.clear()  # a browser may report a connection that was cut


def test_where_sockets_and_sse_are_blocked_a_page_and_a_ticker_poll(site: Site) -> None:
    site.proxy.no_sockets = site.proxy.no_streams = True
    feed = site.feed()
    feed.post("First")
    ticker = open_page(site, feed, SEEN + FAST)
    page = site.open(f"/feeds/{feed.slug}", init=FAST, proxy=True)
    page.wait_for_selector(".bar.live")
    wait_until(lambda: site.proxy.asked("/live") >= 6 and site.proxy.asked("/stream") >= 4)
    assert site.proxy.asked("/changes") >= 2
    item = feed.post("Second")
    wait_for_headlines(page, "Second", "First")
    wait_until(lambda: rows(ticker) == ["Second", "First"])
    feed.do(item, "kill", note="Withdrawn.")
    wait_for_headlines(page, "Withdrawn.", "First")
    wait_until(lambda: rows(ticker) == ["Withdrawn.", "First"])
    site.errors.clear()  # a browser reports each connection that is refused


def test_a_hidden_page_that_sleeps_is_not_woken_by_the_network_or_the_page(site: Site) -> None:
    feed = site.feed()
    feed.post("First")
    page = open_page(site, feed, SEEN + FAST + HIDE)
    page.evaluate("look(true)")
    wait_until(lambda: feed.readers() == 0)
    connected = site.proxy.asked("/live")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.eval_on_selector("live-ticker", "ticker => { ticker.refresh(); ticker.reconnect() }")
    page.wait_for_timeout(800)
    assert site.proxy.asked("/live") == connected
    feed.post("While away")
    page.evaluate("look(false)")
    wait_until(lambda: page.evaluate("seen.length") == 2)
    assert site.proxy.asked("/live") == connected + 1
