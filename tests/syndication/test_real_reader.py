"""A feed reader that others wrote, as its user sees it: withdrawn words are gone after a poll."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from desk import Desk
from reader import Entry, Reader, make_reader

SUBSCRIBED = (".atom", ".rss", ".json")


@pytest.fixture
def reader(desk: Desk) -> Iterator[Reader]:
    """The library `reader`, subscribed to the feed in every format that it reads."""
    with closing(make_reader(":memory:")) as opened:
        for suffix in SUBSCRIBED:
            opened.add_feed(desk.url(suffix))
        yield opened


def poll(reader: Reader) -> None:
    for feed in list(reader.get_feeds()):
        reader.update_feed(feed)


def shown(entry: Entry) -> str:
    texts = [entry.title, entry.summary, entry.authors_str, entry.link]
    texts += [content.value for content in entry.content]
    texts += [enclosure.href for enclosure in entry.enclosures]
    return "\n".join(text or "" for text in texts)


@pytest.mark.parametrize("down", [0, 80])
def test_who_subscribed_before_a_kill_has_the_words_no_more_after_the_next_poll(
    desk: Desk, reader: Reader, down: int
) -> None:
    picture = {"url": "https://secret.example/bus.png", "alt": "Secret"}
    item = desk.post("Secret hoax", body="Secret.", byline="Ann Secret", media=[picture])
    poll(reader)
    for number in range(down):
        desk.post(f"News {number}")
        if number % 40 == 39:
            poll(reader)
    before = [entry for entry in reader.get_entries() if "Secret" in shown(entry)]
    assert [entry.id for entry in before] == [item["uid"]] * len(SUBSCRIBED)
    desk.editor.revised(item, "kill", note="It did not happen.")
    poll(reader)
    entries = list(reader.get_entries())
    assert len(entries) == (down + 1) * len(SUBSCRIBED), "none was lost, none is there twice"
    assert not [entry for entry in entries if "secret" in shown(entry).lower()]
    withdrawn = [entry for entry in entries if entry.id == item["uid"]]
    assert [entry.title for entry in withdrawn] == ["Withdrawn"] * len(SUBSCRIBED)
    assert all("It did not happen." in shown(entry) for entry in withdrawn)


def test_corrections_and_marks_reach_it_and_a_fix_makes_nothing_newer(
    desk: Desk, reader: Reader
) -> None:
    item = desk.post("Bus hit", body="Seven hurt.", published_at="2025-05-17T07:13:00.000Z")
    poll(reader)
    dates = {entry.feed_url: entry.updated for entry in reader.get_entries()}
    item = desk.editor.revised(item, "fix", headline="A bus is hit")
    poll(reader)
    assert {entry.title for entry in reader.get_entries()} == {"A bus is hit"}
    item = desk.editor.revised(item, "hold")
    poll(reader)
    assert {entry.title for entry in reader.get_entries()} == {"Being checked: A bus is hit"}
    assert {entry.feed_url: entry.updated for entry in reader.get_entries()} == dates
    item = desk.editor.revised(item, "release")
    desk.editor.revised(item, "correct", body="Four hurt.", note="It was four.")
    poll(reader)
    entries = list(reader.get_entries())
    assert {entry.title for entry in entries} == {"A bus is hit"}
    assert all("It was four." in shown(entry) and "Seven" not in shown(entry) for entry in entries)
    assert all(entry.updated != dates[entry.feed_url] for entry in entries)
