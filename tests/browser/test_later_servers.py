"""What only later servers send, a page and a ticker of today show as far as they can."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chromium import Feed, Site, axe, in_row, settle
from playwright.sync_api import Page, Route, expect

BOLD = {"text": "bold", "strong": True}
# What stands in for an item's fields, by its headline.
LATER: dict[str, dict[str, Any]] = {
    "Table": {"blocks": [["Before."], {"table": [["a", "b"], ["c", BOLD]]}, ["After."]]},
    "List": {"blocks": [{"list": [["one"], ["two ", BOLD]]}, {"list": [["x"]], "ordered": True}]},
    "Quote": {"blocks": [{"quote": [["What was said."], ["And more."]], "cite": "Who said it"}]},
    "Odd": {
        "blocks": [
            None,
            5,
            "bare",
            {"aside": {"title": "Note", "of": [["He said ", BOLD, "."]]}},
            [["nested"]],
            {"list": "no"},
            {"quote": [7]},
            [{"text": 9}, None],
        ],
        "mood": {"good": [1]},
        "tags": None,
    },
    "Broken": {
        "blocks": "none",
        "media": [None, {"url": 5, "type": "hologram/3d"}],
        "corrections": [{"at": "never", "note": 3}, None],
        "updated_at": "soon",
        "url": 7,
        "tags": 5,
        "status": "paused",
    },
}
# A socket whose messages are those of a later server.
SOCKETS = (
    f"const later = {json.dumps(LATER)};"
    + """
const change = (message) => {
    for (const item of message.items ?? []) Object.assign(item, later[item.headline]);
    if (message.feed) Object.assign(message.feed, { uid: 'urn:uuid:1', version: 7, etag: '7-x',
        summary: [['What we know.'], { list: [['This.']] }], summary_at: message.now, mood: [] });
    if (message.items) message.items.push(null, { id: 5 }, 'no item', { version: 1 });
    return { ...message, weather: { rain: true } };
};
window.WebSocket = class extends WebSocket {
    set onmessage(listener) {
        super.onmessage = ({ data }) => {
            listener({ data: '{"type":"weather","epoch":null,"items":[7]}' });
            listener({ data: JSON.stringify(change(JSON.parse(data))) });
        };
    }
};
"""
)
BODIES = {"Table": "Before. a b cbold After.", "Odd": "bare Note He said bold. nested no"}


def at_both(site: Site, kind: str) -> tuple[Feed, Page, str]:
    """Return a feed, what shows it by a later server, and the selector of bodies there."""
    feed = site.feed()
    feed.post("Before")
    if kind == "page":
        page = site.open(f"/feeds/{feed.slug}", init=SOCKETS)
        page.wait_for_selector(".bar.live")
        return feed, page, ".body"
    main = f"<main><h1>Host</h1>{site.ticker(feed)}</main>"
    page = site.embed(main, init=SOCKETS)
    settle(page)
    return feed, page, "[part=body]"


@pytest.mark.parametrize("kind", ["page", "ticker"])
def test_blocks_of_unknown_kinds_are_shown_as_their_words(site: Site, kind: str) -> None:
    feed, page, body = at_both(site, kind)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    for headline in LATER:
        feed.post(headline)
        page.wait_for_timeout(300)  # one at a time
        expect(in_row(page, headline, exact=True)).to_be_visible()
        if headline in BODIES:
            expect(page.locator(body).first).to_have_text(BODIES[headline], use_inner_text=True)
    assert "" not in page.locator(f"{body} > *").all_inner_texts()
    assert page.locator(f"{body} ul > li").all_inner_texts() == ["one", "two bold"]
    assert page.locator(f"{body} ol > li").all_inner_texts() == ["x"]
    assert page.locator("blockquote > p").all_inner_texts() == ["What was said.", "And more."]
    assert page.locator("blockquote > cite").inner_text() == "Who said it"
    feed.post("After")
    expect(in_row(page, "After", exact=True)).to_be_visible()
    assert faults == []
    assert axe(page) == []


@pytest.mark.parametrize("kind", ["page", "ticker"])
def test_what_changed_is_told_of_unknown_blocks_too(site: Site, kind: str) -> None:
    feed, page, _ = at_both(site, kind)
    item = feed.post("Table")
    feed.do(item, "update", body="New.")

    def later(route: Route) -> None:
        answer = route.fetch().json()
        answer["history"][0]["blocks"] = LATER["Table"]["blocks"]
        answer["history"][1]["blocks"] = [{"table": [["a", "B"], ["c", BOLD]]}, None]
        answer["history"][1]["verb"] = "rewrite"
        route.fulfill(json=answer)

    page.route("**/history", later)
    page.get_by_role("button", name="Updated").click()
    page.locator("ins").first.wait_for()
    assert page.locator("del").all_inner_texts() == ["Before.", "b", "After."]
    assert page.locator("ins").all_inner_texts() == ["B"]
