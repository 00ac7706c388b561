"""Which items a document has: enough that a withdrawal reaches whoever polls."""

from __future__ import annotations

from typing import Any

from desk import Desk
from reading_back import Told, next_of, read

from feedserver.syndication.documents import DOCUMENT_MAX


def test_a_kill_that_newer_changes_have_outrun_still_arrives(desk: Desk, suffix: str) -> None:
    item = desk.post("Secret hoax")
    desk.editor.revised(item, "kill", note="A hoax.")
    held = desk.post("Held")
    desk.editor.revised(held, "hold")
    for number in range(120):
        desk.post(f"News {number}")
    told = desk.told(suffix)
    assert told[item["uid"]].title == "Withdrawn"
    assert told[held["uid"]].states == {"held"}
    assert len(told) == 52


def test_what_changed_last_is_there_though_it_is_old(desk: Desk, suffix: str) -> None:
    old = desk.post("Old", published_at="2020-01-01T00:00:00Z")
    for number in range(60):
        desk.post(f"News {number}")
    assert old["uid"] not in desk.told(suffix)
    desk.editor.revised(old, "fix", headline="Older")
    told = list(desk.told(suffix).values())
    assert told[-1].title == "Older"
    assert told[0].title == "News 59", "the newest comes first, for who takes only that"


def test_entries_stand_by_time_and_pins_do_not_move_them(desk: Desk, suffix: str) -> None:
    items = [desk.post(f"News {number}") for number in range(5)]
    desk.editor.revised(items[1], "pin")
    assert [told.title for told in desk.told(suffix).values()] == [
        f"News {number}" for number in (4, 3, 2, 1, 0)
    ]


def test_older_stretches_lead_through_all_items_with_withdrawn_ones_in_place(
    desk: Desk, suffix: str
) -> None:
    items = [desk.post(f"News {number}", body="Secret") for number in range(120)]
    desk.editor.revised(items[3], "kill", note="A hoax.")
    found: dict[str, Told] = {}
    query = ""
    for _ in range(5):
        body = desk.get(suffix + query).content
        found |= read(suffix, body)
        following = next_of(suffix, body)
        if following is None:
            break
        assert following.startswith(desk.url(f"{suffix}?before="))
        query = "?" + following.partition("?")[2]
    assert set(found) == {item["uid"] for item in items}
    assert found[items[3]["uid"]].title == "Withdrawn"
    assert "Secret" not in found[items[3]["uid"]].html


def test_a_document_of_long_items_stays_within_its_size_and_keeps_every_mark(
    desk: Desk, suffix: str
) -> None:
    long = "& <words> " * 6_000
    corrected: list[dict[str, Any]] = []
    for number in range(30):
        item = desk.post(f"News {number}", body=long)
        if number < 15:
            corrected.append(desk.editor.revised(item, "correct", note=f"Note {number}."))
    body = desk.get(suffix).content
    assert DOCUMENT_MAX // 2 < len(body) <= DOCUMENT_MAX
    text = body.decode()
    for number, item in enumerate(corrected):
        assert item["uid"] in text
        assert f"Note {number}." in text
    assert text.index("News 29") < text.index("News 14")
    whole = text.count("words") // long.count("words")
    assert whole >= 3, "the newest entries are whole"
