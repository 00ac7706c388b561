"""The editors' door: every verb, and every submission that is refused with nothing stored."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from support.answers import Feed, problem
from support.server import Editor, Server

DELIVERED = re.compile(r"(\d+); of=(\d+); ms=(\d+)")


@contextmanager
def nothing_stored(feed: Feed) -> Iterator[None]:
    before = feed.cursor
    yield
    assert feed.cursor == before


def at(seconds: float = 0) -> str:
    """Return a time from now, as RFC 3339."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def millis(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def now_millis() -> int:
    return time.time_ns() // 1_000_000


# Posting


def test_a_post_is_answered_with_the_item_its_place_and_who_took_it(feed: Feed) -> None:
    before = now_millis()
    answer = feed.editor.submit("Drones over Sumy", feed.slug, body="**Four** hurt.\n\nMore soon.")
    after = now_millis()
    assert answer.status_code == 201
    item = answer.json()
    assert item["headline"] == "Drones over Sumy"
    assert item["blocks"] == [[{"text": "Four", "strong": True}, " hurt."], ["More soon."]]
    assert item["body"] == "**Four** hurt.\n\nMore soon."
    assert (item["feed"], item["status"], item["version"]) == (feed.slug, "live", item["id"])
    assert item["etag"].startswith(f"{item['version']}-")
    assert answer.headers["etag"] == f'"{item["etag"]}"'
    assert answer.headers["location"] == f"{feed.path}/items/{item['id']}"
    assert answer.headers["cache-control"] == "no-store"
    assert DELIVERED.fullmatch(answer.headers["delivered"])
    assert "updated_at" not in item
    assert before <= millis(item["published_at"]) <= after
    assert feed.get(f"/items/{item['id']}") == {k: v for k, v in item.items() if k != "body"}


def test_every_field_of_the_contract_is_kept_and_given_back(feed: Feed) -> None:
    fields: dict[str, Any] = {
        "headline": "h" * 300,
        "body": "ї" * 32768,
        "occurred_at": "2025-05-17T07:13:00.000Z",
        "byline": "Anna Editor",
        "source": "Kyiv Independent",
        "url": "https://a.example/x?y#z",
        "tags": ["sumy", "drone attack"],
        "breaking": True,
        "language": "uk",
        "media": [
            {"url": "https://a.example/1.jpg", "alt": "a", "width": 1200, "height": 800,
             "credit": "c", "type": "image/jpeg"}
        ],
    }  # fmt: skip
    answer = feed.editor.submit(slug=feed.slug, **fields)
    assert answer.status_code == 201, answer.text
    assert fields.items() <= answer.json().items()


def test_a_time_with_another_zone_is_kept_in_utc(feed: Feed) -> None:
    item = feed.item(published_at="2025-05-17T10:13:00+03:00")
    assert item["published_at"] == "2025-05-17T07:13:00.000Z"


@pytest.mark.parametrize(
    "text", ["1000-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z"]
)
def test_however_long_ago_it_was_published_it_is_filed_there(feed: Feed, text: str) -> None:
    newer, older = feed.item(), feed.item(published_at=text)
    assert millis(older["published_at"]) == millis(text)
    assert [item["id"] for item in feed.get("/items")["items"]] == [newer["id"], older["id"]]
    page = feed.get("/items", limit=1)
    assert [i["id"] for i in feed.get("/items", before=page["next"])["items"]] == [older["id"]]
    log = feed.editor.get(f"{feed.path}/items/{older['id']}/revisions").json()["revisions"]
    assert log[0]["fields"]["published_at"] == older["published_at"]


def test_a_time_up_to_60_seconds_ahead_becomes_now_and_later_is_refused(feed: Feed) -> None:
    before = now_millis()
    item = feed.item(published_at=at(50))
    assert before <= millis(item["published_at"]) <= now_millis()
    with nothing_stored(feed):
        answer = feed.editor.submit(slug=feed.slug, published_at=at(90))
        problem(answer, 422, "invalid-fields", "/published_at")


REFUSED_FIELDS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no headline": ({"headline": None}, {"/headline"}),
    "empty headline": ({"headline": " \n"}, {"/headline"}),
    "long headline": ({"headline": "a" * 301}, {"/headline"}),
    "long body": ({"body": "ї" * 32768 + "a"}, {"/body"}),
    "NUL": ({"body": "a\x00b"}, {"/body"}),
    "C0 control": ({"headline": "a\x1fb"}, {"/headline"}),
    "U+FFFE": ({"headline": "a\ufffeb"}, {"/headline"}),
    "unknown field": ({"headlin": "x"}, {"/headlin"}),
    "time without zone": ({"published_at": "2025-05-17T10:13:00"}, {"/published_at"}),
    "no such time": ({"occurred_at": "2025-02-30T10:13:00Z"}, {"/occurred_at"}),
    "before the year 1000": ({"occurred_at": "0001-01-01T00:00:00+05:00"}, {"/occurred_at"}),
    "far future": ({"occurred_at": "9999-12-31T23:59:59Z"}, {"/occurred_at"}),
    "javascript": ({"url": "javascript:alert(1)"}, {"/url"}),
    "data": ({"url": "data:text/html,x"}, {"/url"}),
    "no scheme": ({"url": "//a.example"}, {"/url"}),
    "user in address": ({"url": "https://a:b@c.example"}, {"/url"}),
    "space in address": ({"url": "https://a.example/b c"}, {"/url"}),
    "bad link": ({"body": "[a](javascript:alert(1))"}, {"/body"}),
    "medium without url": ({"media": [{"url": " "}]}, {"/media/0/url"}),
    "bad medium": ({"media": [{"url": "data:x", "width": -1}]}, {"/media/0/url", "/media/0/width"}),
    "too many tags": ({"tags": ["t"] * 21}, {"/tags"}),
    "empty tag": ({"tags": [""]}, {"/tags/0"}),
    "bad flag": ({"breaking": "no"}, {"/breaking"}),
    "bad language": ({"language": "english"}, {"/language"}),
    "a verb's field": ({"pinned": True}, {"/pinned"}),
    "everything": ({"headline": 1, "body": 2, "x": 3}, {"/headline", "/body", "/x"}),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED_FIELDS.values(), ids=REFUSED_FIELDS)
def test_a_bad_field_is_named_and_nothing_is_stored(
    feed: Feed, case: tuple[dict[str, Any], set[str]]
) -> None:
    fields, pointers = case
    with nothing_stored(feed):
        answer = feed.editor.submit(slug=feed.slug, **({"headline": "h"} | fields))
        problem(answer, 422, "invalid-fields", *pointers)


def send(feed: Feed, content: bytes, kind: str | None = "application/json") -> httpx.Response:
    headers = {"Content-Type": kind} if kind else {}
    return feed.editor.post(f"{feed.path}/items", content=content, headers=headers)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"headline":"h"',
        b"\xef\xbb\xbf{}",
        b'{"headline":NaN}',
        b'{"headline":"\\ud800"}',
        b'{"headline":"\xff"}',
        '{"headline":"h"}'.encode("utf-16"),
        b'{"headline":"a","headline":"b"}',
        b'{"headline":"a","tags":' + b"[" * 900 + b"]" * 900 + b"}",
        b"[" * 100_000,
    ],
)
def test_broken_json_says_where_it_breaks(feed: Feed, content: bytes) -> None:
    with nothing_stored(feed):
        problem(send(feed, content), 400, "bad-request")


@pytest.mark.parametrize("content", [b"[]", b"null", b'"x"', b"5"])
def test_json_that_is_no_object_is_refused(feed: Feed, content: bytes) -> None:
    problem(send(feed, content), 422, "invalid-fields", "")


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "json"])
def test_another_content_type_is_refused(feed: Feed, kind: str | None) -> None:
    with nothing_stored(feed):
        problem(send(feed, b'{"headline":"h"}', kind), 415, "wrong-content-type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_by_its_other_spellings_is_taken(feed: Feed, kind: str) -> None:
    assert send(feed, b'{"headline":"h"}', kind).status_code == 201


def test_a_request_of_512_kib_is_read_and_one_more_byte_is_too_large(feed: Feed) -> None:
    fits = b'{"headline":"h"}'.ljust(512 * 1024)
    assert send(feed, fits).status_code == 201
    with nothing_stored(feed):
        problem(send(feed, fits + b" "), 413, "too-large")


@pytest.mark.parametrize("size", [600 * 1024, 5 * 1024 * 1024])
def test_too_large_a_request_gets_its_answer_however_it_is_sent(feed: Feed, size: int) -> None:
    def parts() -> Iterator[bytes]:  # chunked: nobody says beforehand how much it will be
        yield b'{"headline":"'
        for _ in range(size // 65536):
            yield b"x" * 65536
        yield b'"}'

    with nothing_stored(feed):
        headers = {"Content-Type": "application/json"}
        chunked = feed.editor.post(f"{feed.path}/items", content=parts(), headers=headers)
        problem(chunked, 413, "too-large")
        problem(send(feed, b" " * size), 413, "too-large")


def test_who_hangs_up_amid_a_request_stores_nothing_and_hurts_nobody(
    feed: Feed, house: Server
) -> None:
    head = (
        f"POST {feed.path}/items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    )
    with nothing_stored(feed):
        with socket.create_connection(("127.0.0.1", house.port)) as connection:
            connection.sendall(head.encode() + b'{"headline":"h"}')
        assert feed.reader.get("/healthz").status_code == 200


def test_an_unknown_feed_and_a_bad_slug_are_not_found(anna: Editor) -> None:
    for slug in ("nowhere", "UPPER", "-x", "a" * 64, "a%20b", "%00", "%FF", "x'--", "😀"):
        problem(anna.submit(slug=slug), 404, "not-found")


# Feeds


def test_a_feed_is_made_changed_closed_and_reopened(anna: Editor, anyone: httpx.Client) -> None:
    path = "/v1/feeds/made"
    made = anna.configure("made", title="Made", language="uk", timezone="Europe/Kyiv")
    assert made.status_code == 201
    feed = made.json()
    assert feed.keys() == {
        "slug", "uid", "title", "language", "timezone", "url", "created_at", "version", "etag",
        "cursor",
    }  # fmt: skip
    assert made.headers["etag"] == f'"{feed["etag"]}"'
    assert feed["url"].endswith("/feeds/made")
    changed = anna.configure("made", language=None, description="d")
    assert changed.status_code == 200
    assert changed.json()["title"] == "Made"
    assert changed.json()["timezone"] == "Europe/Kyiv"
    assert "language" not in changed.json()
    assert "closed_at" in anna.configure("made", closed=True).json()
    assert anyone.get(path).json()["closed_at"]
    assert "closed_at" not in anna.configure("made", closed=False).json()
    assert "closed_at" in anna.configure("made", closed=True).json()
    assert "closed_at" not in anna.configure("made", closed=None).json()
    assert anyone.get(path).json()["cursor"] != feed["cursor"]


def test_a_feed_that_is_so_already_gets_no_revision_but_where_a_key_is_to_be_kept(
    anna: Editor,
) -> None:
    made = anna.configure("same", title="Same", summary="One *hurt*").json()
    for settings in ({"title": "Same"}, {"closed": False}, {}, {"summary": "One *hurt*"}):
        answer = anna.configure("same", **settings)
        assert answer.status_code == 200
        assert answer.headers["etag"] == f'"{made["etag"]}"'
        assert answer.json() == made
    problem(anna.configure("same", title=""), 422, "invalid-fields", "/title")
    stale = {"If-Match": '"1-abcd"'}
    answer = anna.put("/v1/feeds/same", json={"title": "Same"}, headers=stale)
    problem(answer, 412, "stale")
    keyed = {"Idempotency-Key": "k"}
    kept = anna.put("/v1/feeds/same", json={"title": "Same"}, headers=keyed).json()
    assert kept["version"] > made["version"]
    anna.configure("same", title="Other")
    again = anna.put("/v1/feeds/same", json={"title": "Same"}, headers=keyed)
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.json()["title"]) == (201, "Same")
    log = anna.get("/v1/feeds/same/revisions").json()["revisions"]
    assert len(log) == 3


@pytest.mark.parametrize("slug", ["UPPER", "-x", "a_b", "a" * 64, "a.b", "ї", "%20", "%00"])
def test_a_bad_slug_says_what_a_slug_is(anna: Editor, slug: str) -> None:
    body = problem(anna.configure(slug, title="T"), 422, "invalid-fields", "/slug")
    assert "small letters" in body["detail"]


def test_a_feed_without_a_title_or_with_unknown_settings_is_not_made(
    anna: Editor, anyone: httpx.Client
) -> None:
    problem(anna.configure("unmade"), 422, "invalid-fields", "/title")
    problem(anna.configure("unmade", title="T", x=1), 422, "invalid-fields", "/x")
    problem(
        anna.configure("unmade", title="T", timezone="Kyiv"), 422, "invalid-fields", "/timezone"
    )
    problem(anyone.get("/v1/feeds/unmade"), 404, "not-found")


def test_a_closed_feed_takes_responsibility_but_no_news(feed: Feed) -> None:
    editor, item = feed.editor, feed.item()
    pinned = editor.revised(feed.item("pinned"), "pin")
    editor.configure(feed.slug, closed=True)
    problem(editor.submit(slug=feed.slug), 409, "feed-closed")
    problem(editor.revise(item, "update", headline="x"), 409, "feed-closed")
    problem(editor.revise(item, "pin"), 409, "feed-closed")
    editor.revised(pinned, "unpin")
    item = editor.revised(item, "fix", headline="fixed")
    item = editor.revised(item, "correct", note="n")
    item = editor.revised(item, "release" if item["status"] == "held" else "hold")
    item = editor.revised(item, "release")
    assert editor.revised(item, "kill", note="n")["status"] == "killed"


# Revising


def test_every_verb_does_what_the_contract_says(feed: Feed) -> None:
    editor, item = feed.editor, feed.item("seven hurt", body="Four.", tags=["a"])
    fixed = editor.revised(item, "fix", headline="Seven hurt", note="capital")
    assert "updated_at" not in fixed
    assert (fixed["headline"], fixed["body"], fixed["tags"]) == ("Seven hurt", "Four.", ["a"])
    updated = editor.revised(fixed, "update", body=None, tags=None)
    assert updated["updated_at"] >= updated["published_at"]
    assert not updated.keys() & {"body", "blocks", "tags"}
    corrected = editor.revised(updated, "correct", headline="Four hurt", note="Four, not seven.")
    assert [c["note"] for c in corrected["corrections"]] == ["Four, not seven."]
    held = editor.revised(corrected, "hold")
    assert (held["status"], held["headline"]) == ("held", "Four hurt")
    released = editor.revised(held, "release")
    assert released["status"] == "live"
    pinned = editor.revised(released, "pin")
    assert pinned["pinned"] is True
    unpinned = editor.revised(pinned, "unpin")
    assert "pinned" not in unpinned
    assert unpinned["updated_at"] == corrected["updated_at"]
    killed = editor.revised(unpinned, "kill", note="Not ours.")
    assert killed.keys() == {
        "id", "uid", "feed", "version", "etag", "status", "published_at", "killed_at", "note"
    }  # fmt: skip
    assert killed["uid"] == item["uid"]
    assert killed["published_at"] == item["published_at"]
    versions = [i["version"] for i in (item, fixed, updated, corrected, held, released, pinned)]
    assert versions == sorted(set(versions))


def test_the_log_says_who_did_what_when_oldest_first_until_a_kill_erases_it(feed: Feed) -> None:
    editor, item = feed.editor, feed.item("one", byline="B")
    fixed = editor.revised(item, "fix", headline="two", byline=None, note="inside")
    path = f"{feed.path}/items/{item['id']}/revisions"
    answer = editor.get(path)
    assert answer.headers["cache-control"] == "no-store"
    first, second = answer.json()["revisions"]
    assert (first["version"], first["verb"], first["editor"]) == (item["version"], "post", "anna")
    assert first["fields"] == {"headline": "one", "byline": "B"}
    assert second["fields"] == {"headline": "two", "byline": None}
    assert second["note"] == "inside"
    assert second["at"] >= first["at"]
    editor.revised(fixed, "kill", note="gone")
    log = editor.get(path).json()["revisions"]
    assert [entry["verb"] for entry in log] == ["post", "fix", "kill"]
    assert "inside" not in json.dumps(log)
    assert "two" not in json.dumps(log)
    problem(editor.get(f"{feed.path}/items/999999/revisions"), 404, "not-found")


@pytest.mark.parametrize("verb", ["post", "redo", "", None, 5, ["fix"], {"x": 1}])
def test_an_unknown_verb_is_refused_with_those_there_are(feed: Feed, verb: object) -> None:
    item = feed.item()
    body = problem(feed.editor.revise(item, verb), 422, "invalid-fields", "/verb")  # type: ignore[arg-type]
    assert "correct" in body["detail"]


def test_a_verb_that_does_not_fit_the_state_is_409(feed: Feed) -> None:
    editor, item = feed.editor, feed.item()
    problem(editor.revise(item, "release"), 409, "wrong-state")
    problem(editor.revise(item, "unpin"), 409, "wrong-state")
    held = editor.revised(item, "hold")
    problem(editor.revise(held, "hold"), 409, "wrong-state")
    pinned = editor.revised(held, "pin")
    problem(editor.revise(pinned, "pin"), 409, "wrong-state")


@pytest.mark.parametrize(
    ("verb", "fields", "pointer"),
    [
        ("correct", {"headline": "x"}, "/note"),
        ("kill", {}, "/note"),
        ("update", {}, ""),
        ("fix", {"note": "n"}, ""),
        ("hold", {"headline": "x"}, "/headline"),
        ("update", {"headline": None}, "/headline"),
        ("update", {"published_at": "2025-05-17T07:13:00Z"}, "/published_at"),
        ("update", {"origin": {"uri": "u", "id": "i"}}, "/origin"),
        ("update", {"media": [{"url": " "}]}, "/media/0/url"),
    ],
)
def test_a_bad_revision_is_refused_and_nothing_is_stored(
    feed: Feed, verb: str, fields: dict[str, Any], pointer: str
) -> None:
    item = feed.item()
    with nothing_stored(feed):
        problem(feed.editor.revise(item, verb, **fields), 422, "invalid-fields", pointer)


# If-Match


def revise(feed: Feed, item: object, *conditions: str, verb: str = "pin") -> httpx.Response:
    headers = [("Content-Type", "application/json"), *(("If-Match", c) for c in conditions)]
    content = json.dumps({"verb": verb, "note": "n"})
    return feed.editor.post(f"{feed.path}/items/{item}/revisions", content=content, headers=headers)


def test_a_verb_needs_if_match(feed: Feed) -> None:
    item = feed.item()
    with nothing_stored(feed):
        problem(revise(feed, item["id"]), 428, "if-match-needed")


def test_an_older_version_is_refused_with_the_current_item(feed: Feed) -> None:
    item = feed.item()
    current = feed.editor.revised(item, "fix", body="new")
    with nothing_stored(feed):
        body = problem(feed.editor.revise(item, "update", body="x"), 412, "stale")
        assert body["current"] == current
        other = item["etag"][:-1] + ("x" if item["etag"][-1] != "x" else "y")
        problem(revise(feed, item["id"], f'"{other}"'), 412, "stale")


def test_if_match_takes_one_tag_several_or_a_star(feed: Feed) -> None:
    for form in ('"{0}"', 'W/"{0}"', '"1-abcd" , "{0}"', '"{0}","1-abcd"', "*"):
        item = feed.item()
        answer = revise(feed, item["id"], form.format(item["etag"]))
        assert answer.status_code == 201, form
    item = feed.item()
    assert revise(feed, item["id"], '"1-abcd"', f'"{item["etag"]}"').status_code == 201
    problem(revise(feed, item["id"], '"1-abcd", "2-abcd"'), 412, "stale")


@pytest.mark.parametrize(
    "condition",
    ["", "131", "131-x7Kd", '"', '""', '"x"', 'W/131-x7Kd', '"131-x7Kd', '*, "131-x7Kd"',
     '"131-x7Kd" "132-x7Kd"', '"131-x7Kd",', '"1e3-x7Kd"', '"-1-x7Kd"'],
)  # fmt: skip
def test_a_malformed_if_match_is_400(feed: Feed, condition: str) -> None:
    item = feed.item()
    with nothing_stored(feed):
        problem(revise(feed, item["id"], condition), 400, "bad-request")


def test_a_retry_is_answered_whatever_its_if_match(feed: Feed) -> None:
    item = feed.item()
    key = ("Idempotency-Key", "once")
    headers = [("Content-Type", "application/json"), key]
    path = f"{feed.path}/items/{item['id']}/revisions"
    for condition in (f'"{item["etag"]}"', "broken", '"1-abcd"', None):
        sent = [*headers, ("If-Match", condition)] if condition else headers
        answer = feed.editor.post(path, content=b'{"verb":"pin"}', headers=sent)
        assert answer.status_code == 201, condition
    assert len(feed.editor.get(f"{path}").json()["revisions"]) == 2


@pytest.mark.parametrize("conditions", [(), ("*",), ('"1-abcd"',), ('"1-abcd", "2-abcd"',)])
def test_not_found_and_withdrawn_come_before_the_condition(
    feed: Feed, conditions: tuple[str, ...]
) -> None:
    problem(revise(feed, 999_999, *conditions), 404, "not-found")
    killed = feed.editor.revised(feed.item(), "kill", note="n")
    body = problem(revise(feed, killed["id"], *conditions), 410, "withdrawn")
    assert body["tombstone"] == killed


@pytest.mark.parametrize("verb", ["update", "kill", "nothing"])
@pytest.mark.parametrize("condition", ["*", '"1-abcd"', '"1-abcd", "2-abcd"'])
def test_what_is_there_comes_before_what_is_wrong_and_that_before_the_version(
    feed: Feed, verb: str, condition: str
) -> None:
    item = feed.item()
    bad = {"verb": verb, "headline": 5}

    def told(id_: int) -> httpx.Response:
        path = f"{feed.path}/items/{id_}/revisions"
        return feed.editor.post(path, json=bad, headers={"If-Match": condition})

    problem(told(999_999), 404, "not-found")
    body = told(item["id"]).json()
    assert (body["status"], body["type"]) == (422, "invalid-fields")
    feed.editor.revised(item, "kill", note="n")
    problem(told(item["id"]), 410, "withdrawn")


def test_a_bad_field_in_a_feed_that_is_not_there_or_closed(feed: Feed, anna: Editor) -> None:
    problem(anna.submit(slug="nowhere", odd=1), 404, "not-found")
    feed.editor.configure(feed.slug, closed=True)
    problem(feed.editor.submit(slug=feed.slug, odd=1), 422, "invalid-fields", "/odd")
    problem(feed.editor.submit(slug=feed.slug), 409, "feed-closed")


@pytest.mark.parametrize(
    "item", ["x", "-1", "1.5", "1e3", "9" * 16, "9" * 5000, "%00", "٣", "²", "0x1", " 1"]
)
def test_an_item_that_is_no_number_is_not_found(feed: Feed, item: str) -> None:
    problem(revise(feed, item, "*"), 404, "not-found")
    problem(feed.reader.get(f"{feed.path}/items/{item}"), 404, "not-found")


def test_an_item_of_another_feed_is_not_found(feed: Feed, anna: Editor) -> None:
    anna.configure("elsewhere", title="E")
    item = anna.item(slug="elsewhere")
    problem(revise(feed, item["id"], "*"), 404, "not-found")
    problem(feed.reader.get(f"{feed.path}/items/{item['id']}"), 404, "not-found")
    problem(feed.reader.get(f"{feed.path}/items/{item['id']}/history"), 404, "not-found")
    problem(anna.get(f"{feed.path}/items/{item['id']}/revisions"), 404, "not-found")


def test_of_two_editors_at_once_one_wins_and_the_other_sees_what_happened(feed: Feed) -> None:
    item = feed.item()
    with ThreadPoolExecutor() as pool:
        tries = [
            pool.submit(feed.editor.revise, item, "update", headline=f"version {n}")
            for n in range(4)
        ]
    answers = sorted((one.result() for one in tries), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [201, 412, 412, 412]
    for answer in answers[1:]:
        assert answer.json()["current"] == answers[0].json()


# Idempotency-Key


def test_a_retry_is_answered_with_the_same_item_and_makes_no_second(feed: Feed) -> None:
    first = feed.editor.submit("h", feed.slug, key="k1")
    feed.editor.revised(first.json(), "fix", headline="later")
    with nothing_stored(feed):
        again = feed.editor.submit("h", feed.slug, key="k1")
    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers


def test_the_key_of_a_revision_is_looked_up_before_if_match_and_all_rules(feed: Feed) -> None:
    item = feed.item()
    pinned = feed.editor.revise(item, "pin", key="k")
    feed.editor.configure(feed.slug, closed=True)
    with nothing_stored(feed):
        again = feed.editor.revise(item, "pin", key="k")  # stale by now, pinned, and closed
        assert again.json() == pinned.json()
        assert again.headers["idempotent-replayed"] == "true"
        content = json.dumps({"verb": "pin"})
        bare = feed.editor.post(
            f"{feed.path}/items/{item['id']}/revisions",
            content=content,
            headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
        )
        assert bare.json() == pinned.json()


def test_the_same_key_with_another_body_is_refused(feed: Feed) -> None:
    item = feed.editor.submit("h", feed.slug, key="k").json()
    with nothing_stored(feed):
        problem(feed.editor.submit("other", feed.slug, key="k"), 422, "key-reused")
        problem(feed.editor.submit("", feed.slug, key="k"), 422, "key-reused")
        problem(feed.editor.revise(item, "pin", key="k"), 422, "key-reused")


def test_the_same_key_and_body_for_another_item_is_refused(feed: Feed) -> None:
    one, other = feed.item(), feed.item()
    feed.editor.revise(one, "pin", key="k")
    with nothing_stored(feed):
        problem(feed.editor.revise(other, "pin", key="k"), 422, "key-reused")


def test_a_feeds_change_that_is_sent_again_is_201_with_what_it_made(anna: Editor) -> None:
    def put(**settings: object) -> httpx.Response:
        return anna.put("/v1/feeds/again", json=settings, headers={"Idempotency-Key": "k"})

    first = put(title="First")
    anna.configure("again", title="Second")
    again = put(title="First")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json() == first.json()
    assert again.headers["etag"] == first.headers["etag"]


def test_a_key_belongs_to_an_editor_and_a_feed(feed: Feed, importer: Editor, anna: Editor) -> None:
    anna.configure("keys", title="K")
    items = [
        feed.editor.submit("h", feed.slug, key="k").json(),
        importer.submit("h", feed.slug, key="k").json(),
        anna.submit("h", "keys", key="k").json(),
    ]
    assert len({item["id"] for item in items}) == 3


def test_a_refused_submission_uses_up_no_key(feed: Feed) -> None:
    problem(feed.editor.submit("", feed.slug, key="k"), 422, "invalid-fields", "/headline")
    assert feed.editor.submit("h", feed.slug, key="k").status_code == 201


def test_members_in_another_order_are_the_same_body(feed: Feed) -> None:
    path, headers = (
        f"{feed.path}/items",
        {"Idempotency-Key": "k", "Content-Type": "application/json"},
    )
    first = feed.editor.post(path, content=b'{"headline":"h","body":"b"}', headers=headers)
    again = feed.editor.post(path, content=b'{ "body":"b", "headline":"h" }', headers=headers)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"


def test_the_key_of_a_killed_item_is_410_and_the_kill_itself_is_replayed(feed: Feed) -> None:
    item = feed.editor.submit("h", feed.slug, key="post").json()
    item = feed.editor.revise(item, "fix", key="fix", body="b").json()
    killed = feed.editor.revise(item, "kill", key="kill", note="n")
    with nothing_stored(feed):
        for body in ("h", "another"):
            answer = feed.editor.submit(body, feed.slug, key="post")
            assert problem(answer, 410, "withdrawn")["tombstone"] == killed.json()
        problem(feed.editor.revise(item, "fix", key="fix", body="b"), 410, "withdrawn")
        again = feed.editor.revise(item, "kill", key="kill", note="n")
        assert again.status_code == 201
        assert again.json() == killed.json()
        problem(feed.editor.revise(item, "kill", key="kill", note="other"), 422, "key-reused")


def test_a_retry_while_the_first_try_is_under_way_makes_one_item(feed: Feed) -> None:
    with ThreadPoolExecutor() as pool:
        tries = [pool.submit(feed.editor.submit, "h", feed.slug, key="k") for _ in range(8)]
    answers = [one.result() for one in tries]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "ключ".encode().decode("latin-1")])
def test_a_bad_key_is_400(feed: Feed, key: str) -> None:
    with nothing_stored(feed):
        answer = feed.editor.post(
            f"{feed.path}/items",
            json={"headline": "h"},
            headers=[("Idempotency-Key", key.encode("latin-1"))],  # type: ignore[list-item]
        )
        problem(answer, 400, "bad-request")


def test_two_keys_are_400_and_128_characters_fit(feed: Feed) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    with nothing_stored(feed):
        answer = feed.editor.post(f"{feed.path}/items", json={"headline": "h"}, headers=headers)
        problem(answer, 400, "bad-request")
    assert feed.editor.submit("h", feed.slug, key="~" * 128).status_code == 201


def test_a_deeply_nested_second_body_is_refused_like_any_other(feed: Feed) -> None:
    feed.editor.submit("h", feed.slug, key="k")
    content = b'{"headline":"h","x":' + b"[" * 300 + b"]" * 300 + b"}"
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = feed.editor.post(f"{feed.path}/items", content=content, headers=headers)
    assert answer.status_code in {400, 422}


# Delivered


@pytest.mark.parametrize("prefer", ["respond-async", "Respond-Async", "wait=5, respond-async"])
def test_who_prefers_not_to_wait_gets_no_receipt(feed: Feed, prefer: str) -> None:
    answer = feed.editor.post(
        f"{feed.path}/items", json={"headline": "h"}, headers={"Prefer": prefer}
    )
    assert answer.status_code == 201
    assert "delivered" not in answer.headers
    assert answer.headers["preference-applied"] == "respond-async"


def test_readers_of_other_feeds_do_not_count(feed: Feed, anna: Editor, house: Server) -> None:
    anna.configure("other", title="O")
    with house.reading() as client, client.stream("GET", "/v1/feeds/other/stream") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("id: ")
        assert anna.submit(slug=feed.slug).headers["delivered"].startswith("0; of=0; ")
        assert anna.submit(slug="other").headers["delivered"].startswith("1; of=1; ")
        answer = anna.get("/v1/feeds/other/readers")
        assert answer.json() == {"readers": 1, "by": {"ws": 0, "sse": 1}}
        assert answer.headers["cache-control"] == "no-store"
    assert anna.get(f"{feed.path}/readers").json() == {"readers": 0, "by": {"ws": 0, "sse": 0}}
    problem(anna.get("/v1/feeds/nowhere/readers"), 404, "not-found")


# Imports


def test_an_import_has_its_own_time_and_keeps_the_true_one(feed: Feed, importer: Editor) -> None:
    origin = {"uri": "https://old.example", "id": "7"}
    item = importer.item("old", feed.slug, at="2025-05-17T07:13:00Z", origin=origin)
    assert item["published_at"] == "2025-05-17T07:13:00.000Z"
    updated = importer.revised(item, "update", body="more", at="2025-05-17T08:00:00Z")
    assert updated["updated_at"] == "2025-05-17T08:00:00.000Z"
    corrected = importer.revised(updated, "correct", note="n", at="2025-05-17T08:00:00Z")
    assert corrected["corrections"] == [{"at": "2025-05-17T08:00:00.000Z", "note": "n"}]
    log = importer.get(f"{feed.path}/items/{item['id']}/revisions").json()["revisions"]
    assert [entry["claimed_at"][:16] for entry in log] == [
        "2025-05-17T07:13", "2025-05-17T08:00", "2025-05-17T08:00",
    ]  # fmt: skip
    assert all(millis(entry["at"]) > millis("2026-01-01T00:00:00Z") for entry in log)
    killed = importer.revised(corrected, "kill", note="n", at="2025-05-17T09:00:00Z")
    assert killed["killed_at"] == "2025-05-17T09:00:00.000Z"


def test_an_import_of_the_first_moment_of_1970_is_filed_there(feed: Feed, importer: Editor) -> None:
    item = importer.item("old", feed.slug, at="1970-01-01T00:00:00Z")
    assert item["published_at"] == "1970-01-01T00:00:00.000Z"


def test_an_import_before_the_previous_change_or_after_now_is_refused(
    feed: Feed, importer: Editor
) -> None:
    item = importer.item("old", feed.slug, at="2025-05-17T07:13:00Z")
    with nothing_stored(feed):
        for time_ in ("2025-05-17T07:12:59Z", at(3600)):
            answer = importer.revise(item, "update", body="x", at=time_)
            problem(answer, 422, "invalid-fields", "/at")


def test_an_origin_is_an_imports_identity(feed: Feed, importer: Editor, anna: Editor) -> None:
    origin = {"uri": "https://old.example", "id": "7"}
    first = importer.item("old", feed.slug, origin=origin)
    with nothing_stored(feed):
        answer = importer.submit("again", feed.slug, origin=origin)
        assert str(first["id"]) in problem(answer, 409, "wrong-state")["detail"]
    anna.configure("origins", title="O")
    assert importer.submit("old", "origins", origin=origin).status_code == 201


@pytest.mark.parametrize(
    "fields", [{"at": "2025-05-17T07:13:00Z"}, {"origin": {"uri": "u", "id": "i"}}]
)
def test_only_a_token_that_may_import_does(feed: Feed, fields: dict[str, Any]) -> None:
    with nothing_stored(feed):
        problem(feed.editor.submit(slug=feed.slug, **fields), 403, "forbidden")


def test_a_post_that_asks_for_http_2_is_taken_as_it_is(feed: Feed, house: Server) -> None:
    """As Java's own client does unless told otherwise; RFC 9110 allows to ignore an Upgrade."""
    body = b'{"headline":"h"}'
    head = (
        f"POST {feed.path}/items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.token}\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", house.port), timeout=15)
    with connection, connection.makefile("rb") as answer:
        connection.sendall(head.encode() + body)
        assert answer.readline().startswith(b"HTTP/1.1 201 ")
    assert [item["headline"] for item in feed.get("/items")["items"]] == ["h"]


@pytest.mark.parametrize("suffix", ["-gzip", ";gzip", "--gzip", "-br"])
def test_if_match_takes_a_tag_that_a_compressing_server_has_added_to(
    feed: Feed, suffix: str
) -> None:
    item = feed.item("One")
    answer = feed.editor.post(
        f"/v1/feeds/{feed.slug}/items/{item['id']}/revisions",
        json={"verb": "pin"},
        headers={"If-Match": f'"{item["etag"]}{suffix}"'},
    )
    assert answer.status_code == 201, answer.text
