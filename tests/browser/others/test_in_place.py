"""In Firefox and WebKit: news comes, changes where it stands, and is never missed or repeated."""

from __future__ import annotations

import pytest
from readers import Reader

pytestmark = pytest.mark.more

SECRET = "Rumour of the day"
# The row stays the same element, whatever becomes of its words.
MARK = "(headline) => { reader.find(headline).marked = true }"
IS_MARKED = "(headline) => reader.find(headline).marked === true"


def test_news_arrives_and_changes_where_it_stands(reader: Reader) -> None:
    feed = reader.site.feed()
    wrong = feed.post(SECRET, body="Old words.")
    reader.open(feed)
    item = feed.post("Strike injures 4", body="Four were injured.", breaking=True)
    reader.wait_for("Strike injures 4", SECRET)
    assert "BREAKING" in reader.words("Strike injures 4").upper()
    assert "Updated" not in reader.words("Strike injures 4")
    reader.ask(MARK, "Strike injures 4")

    item = feed.do(item, "update", headline="Strike injures 7", body="Seven were injured.")
    reader.wait_for("Strike injures 7", SECRET)
    assert reader.ask(IS_MARKED, "Strike injures 7")
    assert "Updated " in reader.words("Strike injures 7")
    assert "Seven were injured." in reader.words("Strike injures 7")

    feed.do(item, "correct", body="Six were injured.", note="Six, not seven, were injured.")
    reader.wait("(headline) => reader.words(headline).includes('Six, not')", "Strike injures 7")
    assert "Correction" in reader.words("Strike injures 7")
    assert reader.ask(IS_MARKED, "Strike injures 7")

    feed.do(wrong, "kill", note="We could not confirm it.")
    reader.wait_for("Strike injures 7", "We could not confirm it.")
    assert "WITHDRAWN" in reader.words("We could not confirm it.").upper()
    assert SECRET not in reader.ask("() => document.documentElement.outerHTML")
    assert "Old words" not in reader.words("We could not confirm it.")


def test_a_reader_resumes_exactly_after_a_kill_9_of_the_server(reader: Reader) -> None:
    feed = reader.site.feed()
    before = [feed.post(f"Before {number}") for number in range(3)]
    reader.open(feed)
    # A reset would make rows anew, or load the page again. Every row that ever comes is counted.
    reader.ask(
        """() => {
            for (const row of reader.rows()) row.marked = true;
            window.came = [];
            new MutationObserver((all) => {
                for (const { addedNodes } of all) for (const row of addedNodes)
                    if (reader.rows().includes(row))
                        came.push(row.textContent.match(/(Last|After) \\d/)[0]);
            }).observe(reader.rows()[0].parentNode, { childList: true });
        }"""
    )
    feed.post("Last 0")
    reader.wait("() => reader.headlines().length === 4")
    reader.ask("() => { reader.sockets.length = 0 }")
    reader.site.server.restart(kill9=True)
    feed.post("After 1")
    changed = feed.do(before[0], "update", headline="Before 0, updated")
    feed.post("After 2")
    reader.wait("() => reader.live() && reader.find('Before 0, updated')")
    reader.wait_for("After 2", "After 1", "Last 0", "Before 2", "Before 1", "Before 0, updated")
    assert sorted(reader.ask("() => came")) == ["After 1", "After 2", "Last 0"]
    for headline in ("Before 0, updated", "Before 1", "Before 2"):
        assert reader.ask(IS_MARKED, headline)
    assert all("/live?since=" in url for url in reader.ask("() => reader.sockets"))
    assert reader.ask("() => reader.sockets.length") >= 1
    if reader.surface == "ticker":
        heard = [version for version, first in reader.ask("() => reader.heard") if not first]
        assert heard == sorted(set(heard))
        assert len(heard) == 4
        assert changed["version"] in heard
