"""What an editor is told before publishing, and that nothing changes by asking."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from support.answers import Feed, problem
from support.server import Editor

CRASH = {"headline": "Four killed in crash", "body": "A coach left the road, killing seven people."}


def asked(feed: Feed, **sent: Any) -> httpx.Response:
    return feed.editor.post(f"{feed.path}/lint", json=sent)


def warned(feed: Feed, **sent: Any) -> list[dict[str, Any]]:
    answer = asked(feed, **sent)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    warnings: list[dict[str, Any]] = answer.json()["warnings"]
    return warnings


def codes(feed: Feed, **sent: Any) -> list[str]:
    return [warning["code"] for warning in warned(feed, **sent)]


def test_a_draft_is_told_what_may_be_wrong_with_it_and_nothing_is_stored(feed: Feed) -> None:
    before = feed.cursor
    assert warned(feed, **CRASH) == [
        {
            "code": "number-contradicted",
            "pointer": "/headline",
            "detail": "the headline says “Four”, the text “killing seven people”",
            "suggestion": "Seven killed in crash",
            "asks": True,
        }
    ]
    assert codes(feed, headline="Rain", body="It is still raining.") == []
    picture = {"url": "https://news.example/a.jpg"}
    found = warned(feed, headline="Fish &amp; chips", body="All of the the fish.", media=[picture])
    assert [(one["code"], one["pointer"], one["asks"]) for one in found] == [
        ("entity", "/headline", False),
        ("doubled-word", "/body", False),
        ("no-alt", "/media/0/alt", False),
    ]
    assert found[0]["suggestion"] == "Fish & chips"
    assert found[1]["suggestion"] == "All of the fish."
    assert feed.cursor == before


def test_an_item_is_looked_at_as_the_verb_would_leave_it(feed: Feed) -> None:
    item = feed.item(**{**CRASH, "headline": "Seven killed in crash"})
    number = item["id"]
    assert codes(feed, item=number) == []
    headline = "Eight killed in crash"
    assert codes(feed, item=number, verb="update", headline=headline) == ["number-contradicted"]
    both = {"headline": headline, "body": "A coach left the road, killing eight people."}
    assert codes(feed, item=number, verb="update", **both) == []
    assert codes(feed, item=number, verb="fix", **both) == ["no-note"]
    assert codes(feed, item=number, verb="fix", note="Seen by the desk", **both) == []
    assert codes(feed, item=number, verb="correct", note="…") == ["no-note"]
    assert codes(feed, item=number, verb="correct", note="It was eight.", **both) == []
    assert codes(feed, item=number, verb="hold") == []


def test_the_same_headline_minutes_ago_is_told_but_of_another_item(feed: Feed) -> None:
    item = feed.item("Bridge at Sumy reopens")
    (found,) = warned(feed, headline="BRIDGE at Sumy reopens")
    assert (found["code"], found["asks"]) == ("repeated-headline", True)
    assert f"item {item['id']} " in found["detail"]
    assert codes(feed, item=item["id"], verb="fix", headline="Bridge at Sumy reopens") == []
    killed = feed.editor.revised(item, "kill", note="Not so.")
    assert killed["status"] == "killed"
    assert codes(feed, headline="Bridge at Sumy reopens") == []


def test_the_feeds_zone_and_language_are_used(feed: Feed) -> None:
    assert feed.editor.configure(feed.slug, language="de", timezone="Europe/Kyiv").is_success
    crash = {"headline": "Vier Tote bei Unfall", "body": "Sieben Menschen kamen ums Leben."}
    assert codes(feed, **crash) == ["number-contradicted"]
    assert codes(feed, language="fr", **crash) == []
    (found,) = warned(feed, headline="Wahl am Montag, 1. Januar 2030")
    assert (found["code"], found["detail"]) == ("weekday", "1. Januar 2030 is a Tuesday")
    assert found["suggestion"] == "Wahl am Dienstag, 1. Januar 2030"


def test_a_redact_is_told_what_it_would_erase(feed: Feed) -> None:
    item = feed.item("Jane Roe was arrested", body="At noon.")
    carried = feed.editor.revised(item, "update", body="At one.")
    shown = feed.editor.revised(carried, "fix", headline="A woman was arrested")
    asked_for = {"item": item["id"], "verb": "redact", "version": item["version"]}
    assert asked(feed, **asked_for).json() == {
        "warnings": [],
        "erases": [item["version"], carried["version"]],
    }
    now = {**asked_for, "version": shown["version"]}
    problem(asked(feed, **now), 409, "wrong-state")
    again = feed.editor.revise(shown, "redact", version=item["version"], note="A name.")
    assert again.headers["redacted"] == f"{item['version']}, {carried['version']}"


def test_a_redact_of_the_feed_is_told_what_it_would_erase(feed: Feed) -> None:
    versions = []
    for summary in ("Jane Roe died.", "A woman died.", "Jane Roe died.", "A woman of 34 died."):
        made = feed.editor.put(feed.path, json={"summary": summary})
        versions.append(made.json()["version"])
    asked_for = {"verb": "redact", "version": versions[0]}
    assert asked(feed, **asked_for).json() == {
        "warnings": [],
        "erases": [versions[0], versions[2]],
    }
    problem(asked(feed, verb="redact", version=versions[3]), 409, "wrong-state")
    etag = feed.editor.get(feed.path).json()["etag"]
    done = feed.editor.post(
        f"{feed.path}/revisions",
        json={**asked_for, "note": "A name."},
        headers={"if-match": f'"{etag}"'},
    )
    assert done.headers["redacted"] == f"{versions[0]}, {versions[2]}"


@pytest.mark.parametrize(
    ("sent", "pointers"),
    [
        ({}, ["/headline"]),
        ({"verb": "redact"}, ["/version"]),
        ({"verb": "redact", "version": 1, "headline": "x"}, ["/headline"]),
        ({"verb": "redact", "version": 999_999_999}, ["/version"]),
        ({"headline": "News", "colour": "red"}, ["/colour"]),
        ({"headline": "News", "verb": "fix"}, ["/verb"]),
        ({"item": "131"}, ["/item"]),
        ({"item": 1, "headline": "News"}, ["/verb"]),
        ({"item": 1, "verb": "post"}, ["/verb"]),
        ({"item": 1, "verb": "correct"}, ["/note"]),
        ({"item": 1, "verb": "redact"}, ["/version"]),
    ],
)
def test_what_the_post_or_verb_would_refuse_is_refused(
    feed: Feed, sent: dict[str, Any], pointers: list[str]
) -> None:
    problem(asked(feed, **sent), 422, "invalid-fields", *pointers)


def test_strangers_other_feeds_and_what_is_not_there(feed: Feed, anyone: httpx.Client) -> None:
    problem(anyone.post(f"{feed.path}/lint", json=CRASH), 401, "unauthorized")
    problem(feed.editor.post("/v1/feeds/nowhere/lint", json=CRASH), 404, "not-found")
    problem(asked(feed, item=999_999), 404, "not-found")
    item = feed.item()
    feed.editor.revised(item, "kill", note="Not so.")
    problem(asked(feed, item=item["id"]), 410, "withdrawn")


def test_an_editor_of_another_feed_is_not_told(feed: Feed, house: Any, slug: str) -> None:
    feed.editor.configure("elsewhere", title="Elsewhere")
    with house.editing(house.cli("token", "add", f"only-{slug}", "--feed", "elsewhere")) as other:
        assert isinstance(other, Editor)
        problem(other.post(f"{feed.path}/lint", json=CRASH), 403, "forbidden")
