"""The feed's page in a real browser: news arrives in place, and nothing that was read jumps."""

from __future__ import annotations

import pytest
from chromium import MEASURES, Feed, Site, headlines, wait_for_headlines
from playwright.sync_api import Page, expect

BROKEN_SOCKETS = """
window.WebSocket = class {
    constructor() { setTimeout(() => this.onclose({ code: 1006 })) }
    close() {}
};
"""
HIDEABLE = """
window.hide = (hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
};
"""
SECRET = "Rumour of the day"


@pytest.mark.parametrize("width", [320, 412, 1280])
def test_what_the_server_rendered_stays_as_it_is(site: Site, width: int) -> None:
    feed = site.feed()
    for number in range(5):
        feed.post(f"Item {number}", body="Text.")
    page = site.open(
        f"/feeds/{feed.slug}",
        init=MEASURES
        + """
        addEventListener('DOMContentLoaded', () => {
            window.first = document.querySelector('.item');
            window.changes = 0;
            const count = (all) => {
                changes += all.filter(({ target }) => target.matches('.item, .item *')).length;
            };
            const list = document.querySelector('#list');
            new MutationObserver(count).observe(list, { childList: true, subtree: true });
        });
        """,
        viewport={"width": width, "height": 800},
    )
    page.wait_for_selector(".bar.live")
    assert page.evaluate("changes") == 0
    feed.post("Newest")
    page.wait_for_selector("text=Newest")
    assert page.evaluate("first.isConnected")
    assert page.evaluate("shifts") <= 0.01


def test_a_post_a_update_and_a_kill_reach_the_page(site: Site) -> None:
    feed = site.feed()
    old = feed.post("There before", body="Old words.")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    item = feed.post(SECRET, body="Four **injured**.", tags=["sumy"], breaking=True)
    wait_for_headlines(page, SECRET, "There before")
    row = page.locator(f"#item-{item['id']}")
    assert row.locator(".badge.breaking").inner_text() == "BREAKING"
    assert row.locator(".updated").count() == 0

    item = feed.do(item, "update", body="Seven **injured**.")
    row.locator("button.updated").click()
    row.locator(".changes ins").wait_for()
    assert row.locator(".changes del").inner_text().strip() == "Four"
    assert row.locator(".changes ins").inner_text().strip() == "Seven"
    assert row.locator("button.updated").get_attribute("aria-expanded") == "true"

    feed.do(old, "correct", note="It was not so.")
    page.wait_for_selector(f"#item-{old['id']} .correction")
    feed.do(item, "kill", note="We were wrong.")
    wait_for_headlines(page, "We were wrong.", "There before")
    assert SECRET not in page.content()
    assert "Seven" not in page.content()


def test_what_changed_opens_on_a_row_that_the_server_rendered(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Four injured")
    feed.do(item, "update", headline="Seven injured")
    page = site.open(f"/feeds/{feed.slug}")
    button = page.locator("button.updated")
    button.click()
    page.wait_for_selector(".changes ins")
    assert headlines(page) == ["Seven injured"]
    button.click()
    page.wait_for_selector(".changes", state="detached")


def test_a_page_resumes_after_a_restart_of_the_server(site: Site) -> None:
    feed = site.feed()
    feed.post("Before")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    site.server.restart(kill9=True)
    feed.post("After")
    wait_for_headlines(page, "After", "Before")
    page.wait_for_selector(".bar.live")
    site.errors.clear()  # a browser reports each connection that is refused


def test_a_page_that_was_kept_catches_up_from_its_own_cursor(site: Site) -> None:
    feed = site.feed()
    wrong = feed.post(SECRET)
    html = site.editor.get(f"/feeds/{feed.slug}").text
    feed.do(wrong, "kill", note="Withdrawn since.")
    page = site.open("/robots.txt")
    asked: list[str] = []
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.route(
        f"**/feeds/{feed.slug}", lambda route: route.fulfill(body=html, content_type="text/html")
    )
    page.goto(f"{site.server.url}/feeds/{feed.slug}")
    wait_for_headlines(page, "Withdrawn since.")
    assert SECRET not in page.content()
    assert "?since=" in asked[0]


def read_below(site: Site) -> tuple[Feed, Page]:
    """Return a feed's page with a reader who has scrolled down."""
    feed = site.feed()
    for number in range(30):
        feed.post(f"Item {number}", body="Words.\n\nMore words.")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.evaluate("scrollTo(0, 1500)")
    return feed, page


def test_news_waits_for_a_reader_who_reads_below(site: Site) -> None:
    feed, page = read_below(site)
    target = page.locator(".item").nth(15)
    before = target.bounding_box()
    feed.post("New above")
    first = feed.post("New above too")
    page.get_by_role("button", name="2 new updates").wait_for()
    assert target.bounding_box() == before
    assert "New above" not in headlines(page)
    feed.do(first, "kill", note="No.")
    page.get_by_role("button", name="1 new update").click()
    page.wait_for_function("() => scrollY === 0")
    assert headlines(page)[:2] == ["No.", "New above"]


def test_a_burst_waits_behind_the_button(site: Site) -> None:
    feed = site.feed()
    page = site.open(f"/feeds/{feed.slug}", init=MEASURES + HIDEABLE)
    page.wait_for_selector(".bar.live")
    page.evaluate("hide(true)")
    for number in range(6):
        feed.post(f"Item {number}")
    page.evaluate("hide(false)")
    page.get_by_role("button", name="6 new updates").click()
    wait_for_headlines(page, *(f"Item {number}" for number in reversed(range(6))))
    assert page.evaluate("shifts") <= 0.01


def test_a_paused_page_keeps_still_but_never_keeps_what_is_withdrawn(site: Site) -> None:
    feed = site.feed()
    item, wrong = feed.post("As it was"), feed.post(SECRET)
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_selector(".bar.paused")
    feed.do(item, "update", headline="As it is")
    feed.post("New")
    feed.do(wrong, "kill", note="No.")
    wait_for_headlines(page, "No.", "As it was")
    assert SECRET not in page.content()
    page.get_by_role("button", name="Resume").click()
    wait_for_headlines(page, "New", "No.", "As it is")


def test_the_button_of_a_paused_page_shows_what_waits(site: Site) -> None:
    feed = site.feed()
    feed.post("Old")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.get_by_role("button", name="Pause").click()
    feed.post("New")
    page.get_by_role("button", name="1 new update").click()
    wait_for_headlines(page, "New", "Old")
    page.get_by_role("button", name="Pause").wait_for()


def test_a_page_paused_when_coverage_ends_can_go_on(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Four dead")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.get_by_role("button", name="Pause").click()
    feed.do(item, "correct", headline="Nobody dead", note="It was not so.")
    feed.put(closed=True)
    page.wait_for_selector(".bar.ended")
    assert headlines(page) == ["Four dead"]
    page.get_by_role("button", name="Resume").click()
    wait_for_headlines(page, "Nobody dead")
    assert page.get_by_role("button", name="Pause").count() == 0


def test_once_what_waited_is_withdrawn_news_comes_in_again(site: Site) -> None:
    feed, page = read_below(site)
    wrong = feed.post("Wrong")
    button = page.get_by_role("button", name="1 new update")
    button.wait_for()
    page.evaluate("scrollTo(0, 0)")
    feed.do(wrong, "kill", note="No.")
    button.wait_for(state="hidden")
    feed.post("Right")
    page.locator(".item").get_by_text("Right").wait_for()


def test_a_page_that_was_short_leads_on_once_it_is_full(site: Site) -> None:
    feed = site.feed()
    feed.post("The first")
    page = site.open(f"/feeds/{feed.slug}", init=HIDEABLE)
    page.wait_for_selector(".bar.live")
    more = page.get_by_role("link", name="More news")
    assert more.count() == 0
    page.evaluate("hide(true)")
    for number in range(160):
        feed.post(f"Item {number}")
    page.evaluate("hide(false)")
    page.get_by_role("button", name="160 new updates").click()
    more.click()
    wait_for_headlines(page, *(f"Item {number}" for number in reversed(range(160))), "The first")


def test_what_was_pinned_at_the_edge_and_comes_loose_is_among_the_older(site: Site) -> None:
    feed = site.feed()
    items = [feed.post(f"Item {number}") for number in range(60)]
    pinned = feed.do(items[10], "pin")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    feed.do(pinned, "unpin")
    page.get_by_role("link", name="More news").click()
    wait_for_headlines(page, *(f"Item {number}" for number in reversed(range(60))))


def test_the_name_of_a_page_follows_that_of_what_it_shows(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Seven injured", tags=["sumy"])
    feed.put(description="What is happening now.")
    own = site.open(f"/feeds/{feed.slug}/items/{item['id']}")
    tag = site.open(f"/feeds/{feed.slug}?tag=sumy")
    for page in (own, tag):
        page.wait_for_selector(".bar.live")
    feed.do(item, "correct", headline="Four injured", note="It was not seven.")
    feed.put(title="All the $& news", description="And what happened.")
    expect(own).to_have_title("Four injured")
    expect(tag).to_have_title("Tagged sumy · All the $& news")
    for page in (own, tag):
        expect(page.locator(".masthead")).to_contain_text("All the $& news")
    expect(tag.locator(".about")).to_have_text("And what happened.")


def test_a_page_is_loaded_anew_in_another_zone(site: Site) -> None:
    feed = site.feed()
    feed.post("News", at="2025-05-17T07:13:00Z")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    feed.put(timezone="Asia/Tokyo")
    page.get_by_text("Times are those of Asia/Tokyo").wait_for()
    assert page.locator(".item time").first.inner_text() == "16:13"


def test_a_second_tab_does_not_forget_what_the_first_has_shown(site: Site) -> None:
    feed = site.feed()
    feed.post("Old")
    path = f"/feeds/{feed.slug}"
    older = site.open(path, init="window.WebSocket = window.EventSource = class { close() {} }")
    older.wait_for_selector("text=Mark where I left off")
    newer = older.context.new_page()
    feed.post("New")
    newer.goto(f"{older.url}?1")  # not from the cache
    wait_for_headlines(newer, "New", "Old")
    newer.wait_for_timeout(300)  # until both are painted
    newer.evaluate("window.dispatchEvent(new Event('pagehide'))")
    older.evaluate("window.dispatchEvent(new Event('pagehide'))")
    feed.post("Newest")
    page = older.context.new_page()
    page.goto(f"{older.url}?2")
    page.wait_for_selector(".seen")
    assert page.evaluate("document.querySelector('.seen').nextSibling.innerText").endswith("New")


def test_what_changed_opens_beside_its_button_and_a_correction_is_called_one(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Seven injured", body="Words. " * 400)
    item = feed.do(item, "correct", headline="Four injured", note="It was not seven.")
    feed.do(item, "update", headline="Five injured")
    page = site.open(f"/feeds/{feed.slug}", viewport={"width": 390, "height": 700})
    page.wait_for_selector(".bar.live")
    button, panel = page.locator("button.updated"), page.locator(".changes")
    button.click()
    panel.wait_for()
    above, below = button.bounding_box(), panel.bounding_box()
    assert above
    assert below
    assert 0 <= below["y"] - above["y"] < 60
    assert [each.split()[0] for each in panel.locator("b").all_inner_texts()] == [
        "Updated",
        "Correction",
    ]


def test_pins_holds_and_a_new_title_show_at_once(site: Site) -> None:
    feed = site.feed()
    first, _ = feed.post("First"), feed.post("Second")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    first = feed.do(first, "pin")
    wait_for_headlines(page, "First", "Second")
    assert page.locator("h2.day").first.inner_text() == "Pinned"
    first = feed.do(first, "hold")
    page.wait_for_selector(".badge.held")
    first = feed.do(first, "release")
    page.wait_for_selector(".badge.held", state="detached")
    feed.do(first, "unpin")
    wait_for_headlines(page, "Second", "First")
    assert page.locator("h2.day").count() == 1
    feed.put(title="All the news")
    page.wait_for_function("() => document.querySelector('h1').textContent === 'All the news'")


def test_more_news_comes_in_place(site: Site) -> None:
    feed = site.feed()
    items = [feed.post(f"Item {number}") for number in range(70)]
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    feed.do(items[3], "update", headline="Item 3, updated")
    page.get_by_role("link", name="More news").click()
    page.wait_for_function("() => document.querySelectorAll('.item').length === 70")
    assert headlines(page)[-4] == "Item 3, updated"
    assert page.get_by_role("link", name="More news").count() == 0
    assert page.url.endswith(feed.slug)
    feed.do(items[0], "update", headline="The oldest, updated")
    page.wait_for_selector("text=The oldest, updated")


def test_a_tag_page_takes_only_what_bears_the_tag(site: Site) -> None:
    feed = site.feed()
    one = feed.post("One", tags=["rain"])
    page = site.open(f"/feeds/{feed.slug}?tag=rain")
    page.wait_for_selector(".bar.live")
    feed.post("Other", tags=["sun"])
    feed.post("Two", tags=["rain"])
    wait_for_headlines(page, "Two", "One")
    feed.do(one, "kill", note="No.")
    wait_for_headlines(page, "Two", "No.")


def test_older_pages_are_live_in_what_they_show(site: Site) -> None:
    feed = site.feed()
    items = [feed.post(f"Item {number}") for number in range(52)]
    path = site.editor.get(f"/v1/feeds/{feed.slug}/items").json()["next"]
    page = site.open(f"/feeds/{feed.slug}?before={path}")
    page.wait_for_selector(".bar.live")
    feed.post("New")
    feed.do(items[0], "update", headline="Item 0, updated")
    wait_for_headlines(page, "Item 1", "Item 0, updated")


def test_an_items_own_page_is_live_and_forgets_what_is_withdrawn(site: Site) -> None:
    feed = site.feed()
    item = feed.post(SECRET, body=SECRET)
    item = feed.do(item, "update", body=f"{SECRET}, more")
    page = site.open(f"/feeds/{feed.slug}/items/{item['id']}")
    page.wait_for_selector(".bar.live")
    item = feed.do(item, "update", headline=f"{SECRET}, much more")
    page.wait_for_function("() => document.querySelector('h1').textContent.endsWith('much more')")
    # Its history is asked for: after the kill that would be answered with 410.
    page.locator("#shown .headline", has_text="much more").wait_for(state="attached")
    feed.do(item, "kill", note="No.")
    page.wait_for_selector(".item.killed .note")
    assert SECRET not in page.content()


def test_without_sockets_news_comes_by_events(site: Site) -> None:
    feed = site.feed()
    page = site.open(f"/feeds/{feed.slug}", init=f"{BROKEN_SOCKETS} Math.random = () => 0;")
    page.wait_for_selector(".bar.live")
    feed.post("By another way")
    page.wait_for_selector("text=By another way")


def test_a_closed_feed_says_that_coverage_has_ended(site: Site) -> None:
    feed = site.feed()
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    feed.put(closed=True)
    page.wait_for_selector(".bar.ended")
    assert page.locator("#status").inner_text().startswith("Coverage ended ")


def test_a_returning_reader_sees_where_they_left_off(site: Site) -> None:
    feed = site.feed()
    feed.post("Seen before")
    page = site.open(f"/feeds/{feed.slug}", init=HIDEABLE)
    page.wait_for_selector(".bar.live")
    page.goto(f"{site.server.url}/robots.txt")
    feed.post("New since")
    page.goto(f"{site.server.url}/feeds/{feed.slug}")
    marked = page.locator(".seen + .item .headline")
    assert marked.inner_text() == "Seen before"
    page.get_by_label("Mark where I left off").uncheck()
    page.wait_for_selector(".seen", state="detached")
    page.goto(f"{site.server.url}/robots.txt")
    page.goto(f"{site.server.url}/feeds/{feed.slug}?mark=1")
    page.wait_for_selector(".seen")
    page.goto(f"{site.server.url}/feeds/{feed.slug}?mark=0")
    page.wait_for_selector(".bar.live")
    assert page.locator(".seen").count() == 0


@pytest.mark.parametrize("width", [320, 700])
def test_a_bar_in_a_frame_of_its_height_does_not_scroll(site: Site, width: int) -> None:
    feed = site.feed()
    feed.post("In a bar")
    page = site.open(
        f"/feeds/{feed.slug}/embed?layout=line&theme=dark", viewport={"width": width, "height": 48}
    )
    page.get_by_role("link", name="In a bar").wait_for()
    page.get_by_role("button", name="Pause").wait_for()
    assert page.evaluate("document.documentElement.scrollHeight") == 48


def test_a_search_without_a_hit_still_says_so_once_it_is_live(site: Site) -> None:
    feed = site.feed()
    feed.post("News")
    page = site.open(f"/feeds/{feed.slug}?q=giraffe")
    page.wait_for_selector(".bar.live", state="attached")
    assert page.locator(".empty").inner_text() == "Nothing found for “giraffe”"


def test_what_was_found_is_not_called_live_but_what_is_withdrawn_goes(site: Site) -> None:
    feed = site.feed()
    wrong = feed.post(f"{SECRET}: a giraffe")
    page = site.open(f"/feeds/{feed.slug}?q=giraffe")
    page.wait_for_selector(".bar.live", state="attached")
    assert page.locator("#status").inner_text() == ""
    assert not page.locator("#bar").is_visible(), "a dot without a word"
    assert page.get_by_role("button", name="Pause").count() == 0
    feed.post("Another giraffe")
    feed.do(wrong, "kill", note="It was a horse.")
    wait_for_headlines(page, "It was a horse.")


@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_feed_that_closes_without_news_does_not_wait_for_any(site: Site, language: str) -> None:
    feed = site.feed()
    feed.put(language=language)
    said = {"en": ("No news yet", "There was no news"), "uk": ("Новин ще немає", "Новин не було")}
    before, after = said[language]
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    assert page.locator(".empty").inner_text() == before
    feed.put(closed=True)
    expect(page.locator(".empty")).to_have_text(after)
    plain = site.open(f"/feeds/{feed.slug}", java_script_enabled=False)
    assert plain.get_by_text(after).count() == 1
    assert plain.get_by_text(before).count() == 0
    feed.put(closed=False)
    page.reload()
    expect(page.locator(".empty")).to_have_text(before)


@pytest.mark.parametrize("status", [503, None])
def test_a_history_that_does_not_come_takes_nothing_away(site: Site, status: int | None) -> None:
    feed = site.feed()
    item = feed.post("Four injured")
    item = feed.do(item, "update", headline="Six injured")
    page = site.open(f"/feeds/{feed.slug}/items/{item['id']}")
    page.wait_for_selector(".bar.live")
    page.evaluate("window.kept = document.querySelector('#shown')")
    page.route(
        "**/history",
        lambda route: route.fulfill(status=status, json={}) if status else route.abort(),
    )
    with page.expect_event("requestfinished" if status else "requestfailed"):
        item = feed.do(item, "update", headline="Seven injured")
    expect(page.get_by_role("heading", level=1)).to_have_text("Seven injured")
    page.unroute("**/history")
    item = feed.do(item, "update", headline="Eight injured")
    expect(page.locator("#shown details")).to_have_count(4)
    assert page.evaluate("kept.isConnected")
    page.route("**/history", lambda route: route.abort())
    feed.do(item, "kill", note="No.")
    page.wait_for_selector("#shown", state="detached")
    site.errors.clear()  # a browser reports each request that fails


@pytest.mark.parametrize("sandbox", ["", "sandbox=allow-scripts"], ids=["plain", "sandboxed"])
def test_the_iframe_tells_its_host_how_tall_it_is(site: Site, sandbox: str) -> None:
    feed = site.feed()
    feed.post("In a frame")
    page = site.open("/robots.txt")
    address = f"{site.server.url}/feeds/{feed.slug}/embed?height=auto"
    host = f"""<iframe {sandbox} src="{address}"></iframe>
        <script>addEventListener('message', ({{ data }}) => {{ window.told = data }})</script>"""
    page.route("**/host", lambda route: route.fulfill(body=host, content_type="text/html"))
    page.goto("http://host.test/host")
    frame = page.frame_locator("iframe")
    frame.locator("live-ticker").get_by_role("link", name="In a frame").wait_for()
    page.wait_for_function("() => told?.type === 'newsfeed-height' && told.height > 50")


def test_a_frame_tells_its_height_only_once_its_items_are_there(site: Site) -> None:
    feed = site.feed()
    for number in range(12):
        feed.post(f"Item {number}", body="Some words.")
    page = site.open("/robots.txt", viewport={"width": 390, "height": 600})
    address = f"{site.server.url}/feeds/{feed.slug}/embed?height=auto&max=3"
    host = f"""<script>window.told = []; addEventListener('message', ({{ data }}) => {{
            told.push(data.height);
            document.querySelector('iframe').style.height = `${{data.height}}px`;
        }})</script>
        <iframe src="{address}" style="width: 100%; height: 10px; border: 0"></iframe>"""
    page.route("**/host", lambda route: route.fulfill(body=host, content_type="text/html"))
    page.goto("http://host.test/host")
    page.frame_locator("iframe").get_by_role("link", name="Item 11").wait_for()
    page.wait_for_function("() => told.length > 0")
    page.wait_for_timeout(1_500)
    assert len(page.evaluate("told")) == 1


def test_a_frame_of_automatic_height_does_not_move_what_its_reader_reads(site: Site) -> None:
    feed = site.feed()
    for number in range(20):
        feed.post(f"Item {number}", body="Some words.")
    page = site.open("/robots.txt", viewport={"width": 800, "height": 600})
    address = f"{site.server.url}/feeds/{feed.slug}/embed?height=auto"
    host = f"""<iframe src="{address}" style="width: 100%; border: 0"></iframe>
        <script>addEventListener('message', ({{ data }}) => {{
            document.querySelector('iframe').style.height = `${{window.told = data.height}}px`;
        }})</script>"""
    page.route("**/host", lambda route: route.fulfill(body=host, content_type="text/html"))
    page.goto("http://host.test/host")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Item 19").wait_for()
    page.wait_for_function("() => window.told > 1000")
    feed.post("At the top")
    frame.get_by_role("link", name="At the top").wait_for()
    page.evaluate("scrollTo(0, 700)")
    frame.locator("live-ticker[mode=notify]").wait_for()
    row = frame.get_by_role("link", name="Item 9")
    page.wait_for_timeout(600)
    before = row.bounding_box()
    feed.post("Not yet")
    frame.get_by_role("button", name="1 new update").wait_for()
    assert row.bounding_box() == before


def test_edits_of_an_items_page_keep_what_readers_were_shown(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Four injured", body="One.")
    item = feed.do(item, "update", body="Two [links](https://example.org/).")
    path = f"/feeds/{feed.slug}/items/{item['id']}"
    page = site.open(path)
    page.wait_for_selector(".bar.live")
    summary = page.locator("details summary").first
    summary.press("Enter")
    history = page.locator("#shown").evaluate("shown => shown.innerText")
    top = page.locator("#shown").bounding_box()
    item = feed.do(item, "pin")
    page.wait_for_selector(".badge.pinned")
    page.wait_for_timeout(300)
    assert page.locator("#shown").evaluate("shown => shown.innerText") == history
    assert summary.evaluate("summary => summary === document.activeElement")
    assert page.locator("#shown").bounding_box() == top

    item = feed.do(item, "correct", headline="Seven injured", note="It was seven.")
    page.wait_for_function("() => document.querySelectorAll('#shown details').length === 3")
    assert page.locator("details[open]").count() == 1
    assert page.locator("details").nth(1).get_attribute("open") is not None
    assert page.locator("details summary").nth(1).evaluate("it => it === document.activeElement")
    said = "rows => rows.map((row) => row.textContent.replace(/\\s/g, ''))"
    by_script = page.locator("#shown summary, #shown div").evaluate_all(said)
    plain = site.open(path, java_script_enabled=False)
    assert by_script == plain.locator("#shown summary, #shown div").evaluate_all(said)
    feed.do(item, "kill", note="No.")
    page.wait_for_selector("#shown", state="detached")


def test_an_update_of_an_items_page_begins_its_history(site: Site) -> None:
    feed = site.feed()
    item = feed.post("Four injured")
    page = site.open(f"/feeds/{feed.slug}/items/{item['id']}")
    page.wait_for_selector(".bar.live")
    assert page.locator("#shown").count() == 0
    feed.do(item, "update", headline="Seven injured")
    page.wait_for_selector("#shown details")
    assert page.get_by_role("heading", name="What readers were shown").is_visible()
    assert page.locator("details").count() == 2


def test_the_focus_stays_where_a_row_is_withdrawn_or_moves(site: Site) -> None:
    feed = site.feed()
    feed.post("Other")
    item = feed.post(SECRET)
    feed.post("Newest")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.get_by_role("link", name=SECRET).focus()
    focused = "document.activeElement.closest('.item')?.dataset.id"
    item = feed.do(item, "pin")
    page.wait_for_selector("[data-pinned]")
    assert page.evaluate(focused) == str(item["id"])
    feed.do(item, "kill", note="We were wrong.")
    wait_for_headlines(page, "Newest", "We were wrong.", "Other")
    assert page.evaluate(focused) == str(item["id"])


@pytest.mark.parametrize("by", ["Enter", "mouse"])
def test_the_button_leads_to_the_first_new_row(site: Site, by: str) -> None:
    feed = site.feed()
    feed.do(feed.post("Pinned"), "pin")
    for number in range(20):
        feed.post(f"Item {number}", body="Words.")
    page = site.open(f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    page.evaluate("scrollTo(0, 1500)")
    feed.post("New")
    feed.post("Newer")
    button = page.get_by_role("button", name="2 new updates")
    if by == "mouse":
        button.click()
    else:
        button.press("Enter")
    page.get_by_role("link", name="Newer").wait_for()
    focused = page.evaluate("document.activeElement.id || document.activeElement.textContent")
    if by == "mouse":
        assert focused == "news"
        feed.post("And more")
        page.get_by_role("link", name="And more").wait_for()
    else:
        # The time and the headline of a row both lead to it; the time stands first.
        row = page.evaluate("document.activeElement.closest('.item').innerText")
        assert "Newer" in row
