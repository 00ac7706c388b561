"""What each verb does in each format that feed readers subscribe to."""

from __future__ import annotations

from typing import Any

from desk import Desk
from reading_back import Told, tombstones

POSTED = "2025-05-17T07:13:00.000Z"
SECOND = "2025-05-17T07:13:00+00:00"
LATER = "2025-05-17T07:20:30.000Z"
LATER_SECOND = "2025-05-17T07:20:30+00:00"
LOCAL = "17 May 2025, 10:20 UTC+3"
STORY: dict[str, Any] = {
    "body": "Seven **hurt**.\n\nMore soon.",
    "byline": "Olena Secret",
    "source": "Agency Secret",
    "url": "https://secret.example/story",
    "tags": ["transport", "kyiv"],
    "media": [{"url": "https://secret.example/bus.png", "alt": "A bus", "credit": "Photo Secret"}],
    "breaking": True,
}
BEFORE = "Bus hit in <Sumy> & Kyiv"


def play(desk: Desk) -> dict[str, Any]:
    return desk.post(BEFORE, published_at=POSTED, **STORY)


def only(desk: Desk, suffix: str) -> Told:
    (told,) = desk.told(suffix).values()
    return told


def test_a_posted_item_is_an_entry_with_all_that_was_said(desk: Desk, suffix: str) -> None:
    item = play(desk)
    told = only(desk, suffix)
    assert told.urn == item["uid"]
    assert told.url == desk.url(f"/items/{item['id']}")
    assert told.words == "Seven hurt.\n\nMore soon.\n\nSource: Agency Secret"
    assert "<strong>hurt</strong>" in told.html
    assert '<a href="https://secret.example/story">Agency Secret</a>' in told.html
    assert (told.title, told.author) == (BEFORE, "Olena Secret")
    assert (told.tags, told.states) == ({"transport", "kyiv"}, {"breaking"})
    assert told.enclosures == ("https://secret.example/bus.png",)
    assert told.published == SECOND
    assert told.updated == (SECOND if suffix == ".atom" else None)


def test_a_held_item_says_so_in_its_title_and_its_first_paragraph(desk: Desk, suffix: str) -> None:
    item = play(desk)
    desk.editor.revised(item, "hold")
    told = only(desk, suffix)
    assert told.title == f"Being checked: {BEFORE}"
    assert told.words.startswith("Being checked\n\nSeven hurt.")
    assert told.states == {"breaking", "held"}


def test_a_killed_item_is_the_same_entry_that_says_it_was_withdrawn(
    desk: Desk, suffix: str
) -> None:
    item = play(desk)
    desk.editor.revised(item, "kill", note="A hoax.\nSorry & <thanks>.", at=LATER)
    body = desk.get(suffix).content
    told = only(desk, suffix)
    assert (told.urn, told.title) == (item["uid"], "Withdrawn")
    assert told.words == f"Withdrawn, {LOCAL}: A hoax.\nSorry & <thanks>."
    assert (told.states, told.tags, told.enclosures) == ({"killed"}, frozenset(), ())
    assert (told.published, told.updated) == (SECOND, LATER_SECOND)
    for secret in (b"Secret", b"Bus", b"Seven", b"secret.example", b"transport"):
        assert secret not in body
    if suffix == ".atom":
        when = "2025-05-17T07:20:30.001Z"
        assert tombstones(body) == {item["uid"]: (when, "A hoax.\nSorry & <thanks>.")}


def test_corrections_stand_newest_first_before_the_text(desk: Desk, suffix: str) -> None:
    item = play(desk)
    for minute, note in ((20, "First."), (30, "Second.")):
        at = f"2025-05-17T07:{minute}:00.000Z"
        item = desk.editor.revised(item, "correct", note=note, at=at)
    paragraphs = only(desk, suffix).words.split("\n\n")
    assert [one.partition(": ")[2] for one in paragraphs[:2]] == ["Second.", "First."]
    assert paragraphs[2] == "Seven hurt."


def test_a_closed_feed_keeps_its_dates_and_its_items(desk: Desk, suffix: str) -> None:
    play(desk)
    before = only(desk, suffix)
    feed = desk.reader.get(f"/v1/feeds/{desk.slug}").json()
    desk.editor.configure(desk.slug, title=feed["title"], closed=True)
    assert only(desk, suffix) == before
    text = desk.get(suffix).text
    assert suffix != ".rss" or "<ttl>1440</ttl>" in text
    desk.editor.configure(desk.slug, title=feed["title"], closed=False)
    assert suffix != ".rss" or "<ttl>1</ttl>" in desk.get(suffix).text


def test_marks_are_in_the_language_of_the_feed(desk: Desk, suffix: str) -> None:
    desk.editor.configure(desk.slug, title="Світ", language="uk")
    item = desk.post("Новина")
    desk.editor.revised(item, "hold")
    told = only(desk, suffix)
    assert told.title.endswith(": Новина")
    assert "Being checked" not in told.title
