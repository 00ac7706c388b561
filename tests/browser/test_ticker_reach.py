"""A ticker with room for more than the newest items loads older ones, and keeps them up to date."""

from __future__ import annotations

from chromium import Site, ask, rows, settle, wait_until
from playwright.sync_api import expect
from support.lines import eventually

COUNT = """
window.told = [];
window.slid = [];
addEventListener('ticker-item', (event) => {
    const { item, first } = event.detail;
    told.push(`${item.id} ${first}`);
    if (item.headline === 'Item 10') event.preventDefault();
});
const animate = Element.prototype.animate;
Element.prototype.animate = function (...all) {
    slid.push(this);
    return animate.apply(this, all);
};
"""


def test_tags_and_max_reach_back_beyond_the_newest_items(site: Site) -> None:
    feed = site.feed()
    rare = [feed.post(f"Rare {n}", tags=["Rare" if n else "other"]) for n in range(3)]
    for number in range(130):
        feed.post(f"Item {number}", tags=["other"])
    tagged = f"/v1/feeds/{feed.slug}/items?tag=other"
    with site.server.reading() as anyone:
        eventually(lambda: anyone.get(tagged).status_code == 200)
    page = site.embed(
        site.ticker(feed, "tags=rare,none")
        + site.ticker(feed, "max=120")
        + site.ticker(feed, "tags=rare mode=static")
        + site.ticker(feed, "tags=nothing"),
        init=COUNT,
    )
    settle(page)
    wait_until(lambda: rows(page) == ["Rare 2", "Rare 1"])
    # Each without a hole, though they share what they know; one item is left out by the page.
    newest = [f"Item {number}" for number in reversed(range(130)) if number != 10]
    wide = "live-ticker:nth-of-type(2)"
    wait_until(lambda: rows(page, wide) == newest[:120])
    wait_until(lambda: rows(page, "live-ticker:nth-of-type(3)") == ["Rare 2", "Rare 1"])
    expect(page.locator("live-ticker").last.get_by_text("No news yet")).to_be_visible()
    assert {told.split()[1] for told in page.evaluate("told")} == {"true"}  # none of it is news

    feed.do(rare[2], "update", headline="Rare, changed")
    wait_until(lambda: rows(page) == ["Rare, changed", "Rare 1"])
    feed.do(rare[1], "kill", note="It was false.")
    wait_until(lambda: rows(page) == ["Rare, changed", "It was false."])
    assert rows(page, "live-ticker:nth-of-type(3)") == ["Rare 2", "Rare 1"]
    assert ask(page, "[...root.querySelectorAll('[part=pending]')].every((each) => each.hidden)")

    page.evaluate("slid.length = 0")
    feed.post("New")
    wait_until(lambda: rows(page, wide)[:2] == ["New", "Item 129"])
    # Rows in sight alone are animated.
    in_sight = "root.querySelector('[part=scroller]').clientHeight / 20"
    assert 1 <= page.evaluate("slid.length") <= ask(page, in_sight, wide)
