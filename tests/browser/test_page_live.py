"""The feed's page in a real browser: news arrives in place, and nothing that was read jumps."""

from __future__ import annotations

import pytest
from chromium import HIDEABLE, MEASURES, Site, headlines, wait_for_headlines
from playwright.sync_api import expect

BROKEN_SOCKETS = """
window.WebSocket = class {
    constructor() { setTimeout(() => this.onclose({ code: 1006 })) }
    close() {}
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
    dot = page.locator("#status").evaluate("each => getComputedStyle(each, '::before').content")
    assert dot == "none", "a dot without a word"
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
