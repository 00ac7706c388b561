"""Erase the words of one revision, of a public note, or of a feed's earlier key points."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from support.answers import Feed, problem
from support.server import Editor, Server

NAME = "Jane Roe"


def redact(feed: Feed, item: dict[str, Any], version: int, **more: Any) -> httpx.Response:
    return feed.editor.revise(item, "redact", version=version, **{"note": "a name"} | more)


def redact_points(
    editor: Editor, slug: str, version: object, etag: str | None = "*", **more: Any
) -> httpx.Response:
    headers = {} if etag is None else {"If-Match": etag if etag == "*" else f'"{etag}"'}
    raw = {"verb": "redact", "version": version, "note": "a name"} | more
    return editor.post(f"/v1/feeds/{slug}/revisions", json=raw, headers=headers)


def all_that_is_told(feed: Feed, item: dict[str, Any]) -> str:
    """Return every answer there is about an item, to readers and to editors."""
    path = f"{feed.path}/items/{item['id']}"
    reads = [path, f"{path}/history", f"{feed.path}/items", f"{feed.path}/changes", feed.path]
    answers = [feed.reader.get(one).text for one in reads]
    answers += [feed.editor.get(one).text for one in (f"{path}/revisions", path)]
    return " ".join([*answers, feed.editor.get(f"{feed.path}/revisions").text])


def without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}


def test_a_redact_erases_superseded_words_and_shows_readers_the_same_state(feed: Feed) -> None:
    editor, item = feed.editor, feed.item(f"{NAME} was arrested", body="At noon.")
    carried = editor.revised(item, "update", body="At one.")
    pinned = editor.revised(carried, "pin")
    shown = editor.revised(pinned, "fix", headline="A man was arrested")
    path = f"{feed.path}/items/{item['id']}"
    assert NAME in all_that_is_told(feed, item)
    answer = redact(feed, shown, item["version"])
    assert answer.status_code == 201
    redacted = answer.json()
    assert answer.headers["redacted"] == f"{item['version']}, {carried['version']}"
    assert answer.headers["purge"] == "done"
    assert answer.headers["etag"] == f'"{redacted["etag"]}"'
    assert "delivered" in answer.headers
    assert without(redacted, "version", "etag") == without(shown, "version", "etag")
    assert redacted["version"] > shown["version"]
    assert NAME not in all_that_is_told(feed, item)
    history = feed.get(f"/items/{item['id']}/history")["history"]
    assert [without(one, "at") for one in history] == [
        {"version": item["version"], "verb": "post", "redacted": True},
        {"version": carried["version"], "verb": "update", "redacted": True},
    ]
    post, update, pin, fix, last = editor.get(f"{path}/revisions").json()["revisions"]
    for erased in (post, update):
        assert erased.keys() == {"version", "verb", "at", "editor", "redacted_at"}
    assert "redacted_at" not in pin
    assert "fields" not in fix  # what it changed would say what was before
    assert (last["verb"], last["note"], last["purge"]) == ("redact", "a name", "done")


def test_a_redact_of_what_is_shown_unknown_or_erased_is_refused(feed: Feed) -> None:
    editor, item = feed.editor, feed.item("one")
    problem(redact(feed, item, item["version"]), 409, "wrong-state")
    other = feed.item("another")
    fixed = editor.revised(item, "fix", headline="two")
    for version in (other["version"], fixed["version"] + 1, 1):
        problem(redact(feed, fixed, version), 422, "invalid-fields", "/version")
    problem(redact(feed, fixed, item["version"], note=""), 422, "invalid-fields", "/note")
    problem(redact(feed, fixed, item["version"], headline="x"), 422, "invalid-fields", "/headline")
    problem(redact(feed, item, item["version"]), 412, "stale")
    path = f"{feed.path}/items/{item['id']}/revisions"
    raw = {"verb": "redact", "version": item["version"], "note": "n"}
    problem(editor.post(path, json=raw), 428, "if-match-needed")
    redacted = redact(feed, fixed, item["version"]).json()
    problem(redact(feed, redacted, item["version"]), 409, "wrong-state")


def test_a_closed_feed_takes_a_redact(feed: Feed) -> None:
    item = feed.item("one")
    fixed = feed.editor.revised(item, "fix", headline="two")
    feed.editor.configure(feed.slug, closed=True)
    assert redact(feed, fixed, item["version"]).status_code == 201


def test_a_corrections_note_is_redacted_as_often_as_it_takes(feed: Feed) -> None:
    editor, item = feed.editor, feed.item("Four hurt")
    corrected = editor.revised(item, "correct", note=f"{NAME} was not hurt.")
    fixed = editor.revised(corrected, "fix", body="b")
    [before] = fixed["corrections"]
    for note in (f"{NAME[0]}. was not hurt.", "One was not hurt."):
        answer = redact(feed, fixed, corrected["version"], note=note)
        assert answer.status_code == 201, answer.text
        assert answer.headers["purge"] == "done"
        fixed = answer.json()
        assert fixed["corrections"] == [{"at": before["at"], "note": note}]
        assert fixed["body"] == "b"
    told = all_that_is_told(feed, item)
    assert NAME not in told
    assert "J. was" not in told


def test_a_kills_note_is_redacted_and_nothing_else_of_a_killed_item(feed: Feed) -> None:
    editor, item = feed.editor, feed.item("one")
    killed = editor.revised(item, "kill", note=f"{NAME} asked for it.")
    tombstone = killed
    for note in ("Somebody asked for it.", "It was not so."):
        answer = redact(feed, tombstone, killed["version"], note=note)
        assert answer.status_code == 201, answer.text
        assert answer.headers["purge"] == "done"
        tombstone = answer.json()
        assert tombstone["note"] == note
        moved = ("version", "etag", "note")
        assert without(tombstone, *moved) == without(killed, *moved)
    gone = problem(feed.reader.get(f"{feed.path}/items/{item['id']}"), 410, "withdrawn")
    assert gone["tombstone"] == tombstone
    assert NAME not in all_that_is_told(feed, item)
    assert "Somebody" not in all_that_is_told(feed, item)
    for verb in ("fix", "release", "kill", "unpin"):
        problem(editor.revise(tombstone, verb, note="n"), 410, "withdrawn")
    problem(redact(feed, tombstone, item["version"]), 410, "withdrawn")


def test_a_retry_of_what_was_redacted_is_answered_with_the_item_as_it_is(feed: Feed) -> None:
    editor = feed.editor
    item = editor.submit(NAME, feed.slug, key="redacted").json()
    fixed = editor.revised(item, "fix", headline="A man")
    redacted = redact(feed, fixed, item["version"], key="redact").json()
    for headline in (NAME, "whatever else"):
        answer = editor.submit(headline, feed.slug, key="redacted")
        assert answer.status_code == 201
        assert answer.headers["idempotent-replayed"] == "true"
        assert answer.json() == redacted
    again = redact(feed, fixed, item["version"], key="redact")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == redacted


# Key points


def test_key_points_are_written_shown_and_redacted(feed: Feed, anna: Editor) -> None:
    first = anna.configure(feed.slug, summary=f"**{NAME}** was arrested")
    assert first.status_code == 200
    told = first.json()
    assert told["summary"] == [[{"text": NAME, "strong": True}, " was arrested"]]
    assert told["summary_at"]
    assert first.headers["etag"] == f'"{told["etag"]}"'
    assert "delivered" in first.headers
    second = anna.configure(feed.slug, summary="A man was arrested").json()
    problem(redact_points(anna, feed.slug, second["version"]), 409, "wrong-state")
    problem(redact_points(anna, feed.slug, 1), 422, "invalid-fields", "/version")
    problem(redact_points(anna, feed.slug, told["version"], None), 428, "if-match-needed")
    problem(redact_points(anna, feed.slug, told["version"], told["etag"]), 412, "stale")
    answer = redact_points(anna, feed.slug, told["version"], second["etag"])
    assert answer.status_code == 201, answer.text
    assert answer.headers["redacted"] == str(told["version"])
    assert answer.headers["purge"] == "done"
    moved = ("version", "etag", "cursor")
    assert without(answer.json(), *moved) == without(second, *moved)
    assert feed.get()["version"] == answer.json()["version"]
    revisions = anna.get(f"{feed.path}/revisions").json()["revisions"]
    assert NAME not in json.dumps(revisions)
    assert [one["verb"] for one in revisions] == ["feed", "feed", "feed", "redact"]
    assert revisions[0]["fields"] == {"title": "Of its own"}
    assert revisions[1].keys() == {"version", "verb", "at", "editor", "redacted_at"}
    assert feed.reader.get(f"{feed.path}/revisions").status_code in {401, 404, 405}


def test_a_typo_in_key_points_leaves_their_time(feed: Feed, anna: Editor) -> None:
    first = anna.configure(feed.slug, summary="A mann").json()
    mended = anna.configure(feed.slug, summary="A man", typo=True).json()
    assert mended["summary_at"] == first["summary_at"]
    cleared = anna.configure(feed.slug, summary=None).json()
    assert not cleared.keys() & {"summary", "summary_at"}


def test_a_feed_is_changed_from_the_version_that_was_seen(feed: Feed, anna: Editor) -> None:
    def change(etag: str, **settings: Any) -> httpx.Response:
        return anna.put(feed.path, json=settings, headers={"If-Match": f'"{etag}"'})

    seen = feed.get()
    changed = change(seen["etag"], title="Renamed")
    assert changed.status_code == 200
    current = problem(change(seen["etag"], title="Again"), 412, "stale")["current"]
    assert current["etag"] == changed.json()["etag"]
    feed.item()  # news is no change of the feed itself
    assert change(current["etag"], title="Again").status_code == 200
    problem(change("broken", title="x"), 400, "bad-request")
    unmade = anna.put("/v1/feeds/unmade", json={"title": "T"}, headers={"If-Match": '"1-abcd"'})
    problem(unmade, 412, "stale")


def test_a_change_of_a_feed_that_is_sent_twice_is_done_once(feed: Feed, anna: Editor) -> None:
    def change(**settings: Any) -> httpx.Response:
        return anna.put(feed.path, json=settings, headers={"Idempotency-Key": "points"})

    first = change(summary="A man")
    assert "idempotent-replayed" not in first.headers
    anna.configure(feed.slug, title="Renamed")
    again = change(summary="A man")
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.json()) == (201, first.json())  # not as it is named now
    problem(change(summary="Another"), 422, "key-reused")


def test_a_token_that_lists_the_feed_writes_its_key_points_and_nothing_else(
    house: Server, feed: Feed
) -> None:
    token = house.cli("token", "add", f"points {feed.slug}", "--feed", feed.slug)
    with house.editing(token) as limited:
        first = limited.configure(feed.slug, summary=NAME)
        assert first.status_code == 200
        limited.configure(feed.slug, summary="A man")
        assert redact_points(limited, feed.slug, first.json()["version"]).status_code == 201
        for settings in ({"title": "x"}, {"closed": True}, {"summary": "y", "language": "en"}):
            problem(limited.configure(feed.slug, **settings), 403, "forbidden")


@pytest.mark.parametrize("count", [21, 20_000])
def test_of_many_bad_fields_twenty_are_told(feed: Feed, count: int) -> None:
    fields = {f"unknown{number}": None for number in range(count)}
    answer = feed.editor.submit(slug=feed.slug, **fields)
    errors = answer.json()["errors"]
    assert (answer.status_code, len(errors)) == (422, 20)
    assert f"{count - 20} more" in errors[-1]["detail"]
    assert len(answer.content) < 20_000
    body = feed.editor.submit(slug=feed.slug, **{"x" * 100_000: 1})
    assert len(body.content) < 2_000
