"""The readers' door: pages, items, history, changes, and how long each may be kept."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from support.answers import Feed, patiently, problem
from support.server import Editor, Server

EXPOSED = {"ETag", "Date", "Age", "Retry-After"}


UNKNOWN = {"Authorization": "Bearer x"}


def open_to_all(answer: httpx.Response) -> None:
    headers = answer.headers
    assert headers["access-control-allow-origin"] == "*"
    assert set(headers["access-control-expose-headers"].split(", ")) == EXPOSED
    assert "set-cookie" not in headers
    assert "access-control-allow-credentials" not in headers


def kept_briefly(answer: httpx.Response) -> None:
    policy = answer.headers["cache-control"].split(", ")
    assert "max-age=2" in policy
    assert "stale-while-revalidate=10" in policy
    assert not {"stale-if-error", "immutable"} & {part.split("=")[0] for part in policy}


READS = ["", "/items", "/items?limit=2&tag=a&q=n", "/items/{id}", "/items/{id}/history", "/changes",
         "/changes?since={cursor}"]  # fmt: skip


def place(feed: Feed, rest: str, item: dict[str, Any]) -> str:
    path = feed.path + rest.format(id=item["id"], cursor=feed.cursor)
    if "q=" in path:
        patiently(lambda: feed.reader.get(path))  # until the search is level
    return path


@pytest.mark.parametrize("rest", READS)
def test_whatever_is_read_is_open_to_all_and_kept_briefly(feed: Feed, rest: str) -> None:
    path = place(feed, rest, feed.item(tags=["a"]))
    for origin in ("https://elsewhere.example", "null", "http://["):
        answer = feed.reader.get(path, headers={"Origin": origin, "Cookie": "a=b"})
        assert answer.status_code == 200, answer.text[:300]
        assert answer.headers["content-type"] == "application/json"
        open_to_all(answer)
        kept_briefly(answer)
    assert answer.headers["cache-tag"].split(",")[0] == f"feed-{feed.slug}"


@pytest.mark.parametrize("rest", READS)
def test_what_did_not_change_is_not_sent_again(feed: Feed, rest: str) -> None:
    item = feed.item(tags=["a"])
    path = place(feed, rest, item)
    etag = feed.reader.get(path).headers["etag"]
    assert etag.startswith('W/"') == ("{id}" not in rest)
    bare = etag.removeprefix("W/")
    for known in (etag, bare, f'"x", {etag}', f'W/{bare},"y"', "*"):
        answer = feed.reader.get(path, headers={"If-None-Match": known})
        assert answer.status_code == 304, known
        assert answer.content == b""
        assert answer.headers["etag"] == etag
        open_to_all(answer)
        kept_briefly(answer)
    for unknown in ('"x"', bare.strip('"'), "", bare[:-1], f'"x{bare[1:]}'):
        answer = feed.reader.get(path, headers={"If-None-Match": unknown})
        assert answer.status_code == 200, unknown
    feed.editor.revised(item, "fix", headline="News again")
    answer = feed.reader.get(path, headers={"If-None-Match": etag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != etag


@pytest.mark.parametrize("rest", [*READS, "/stream"])
def test_head_says_what_get_would_and_opens_nothing(feed: Feed, anna: Editor, rest: str) -> None:
    path = place(feed, rest, feed.item(tags=["a"]))
    for _ in range(2):
        answer = feed.reader.head(path)
        assert answer.status_code == 200
        assert answer.content == b""
        open_to_all(answer)
    assert anna.get(f"{feed.path}/readers").json()["readers"] == 0


@pytest.mark.parametrize(
    "rest", ["", "/items", "/items/1", "/items/1/history", "/changes", "/stream"]
)
def test_a_browser_that_asks_first_may_read_and_may_not_edit(feed: Feed, rest: str) -> None:
    answer = feed.reader.options(
        feed.path + rest,
        headers={
            "Origin": "https://elsewhere.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "last-event-id",
        },
    )
    assert answer.status_code == 204
    open_to_all(answer)
    methods = answer.headers["access-control-allow-methods"].split(", ")
    assert set(methods) == {"GET", "HEAD", "OPTIONS"}
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert "last-event-id" in allowed
    assert "authorization" not in allowed


def test_feeds_are_listed_and_the_list_follows_every_change(feed: Feed) -> None:
    answer = feed.reader.get("/v1/feeds")
    listed = {one["slug"]: one for one in answer.json()["feeds"]}
    assert listed[feed.slug] == feed.get()
    assert answer.headers["etag"].startswith('W/"')
    open_to_all(answer)
    known = {"If-None-Match": answer.headers["etag"]}
    assert feed.reader.get("/v1/feeds", headers=known).status_code == 304
    feed.item()
    assert feed.reader.get("/v1/feeds", headers=known).status_code == 200


def test_a_long_catch_up_is_asked_for_again_once_a_part_of_it_is_withdrawn(feed: Feed) -> None:
    before = {"since": feed.cursor}
    item = feed.item("Unspeakable", body="x" * 60_000)
    for number in range(20):  # more than one message holds, so that the first ends before the head
        feed.item(str(number), body="x" * 60_000)
    path = f"/v1/feeds/{feed.slug}/changes"
    first = feed.reader.get(path, params=before)
    assert "Unspeakable" in first.text
    assert first.json()["cursor"] != feed.cursor
    known = {"If-None-Match": first.headers["etag"]}
    assert feed.reader.get(path, params=before, headers=known).status_code == 304
    feed.editor.revised(item, "kill", note="It was not so.")
    again = feed.reader.get(path, params=before, headers=known)
    assert again.status_code == 200
    assert "Unspeakable" not in again.text


# Pages


def test_a_page_has_what_the_contract_names_and_now_last(feed: Feed) -> None:
    items = [feed.item(str(n)) for n in range(3)]
    before = datetime.now(UTC).timestamp()
    page = feed.get("/items")
    after = datetime.now(UTC).timestamp()
    assert list(page)[-1] == "now"
    assert page.keys() == {"items", "feed", "epoch", "cursor", "now"}
    assert page["feed"] == feed.get()
    assert page["cursor"] == page["feed"]["cursor"]
    assert page["cursor"].startswith(page["epoch"])
    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", page["cursor"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", page["now"])
    assert before - 0.001 <= datetime.fromisoformat(page["now"]).timestamp() <= after
    assert [item["id"] for item in page["items"]] == [item["id"] for item in reversed(items)]
    assert all("body" not in item for item in page["items"])
    assert page["items"][0] == feed.get(f"/items/{items[2]['id']}")


def test_a_page_for_a_token_carries_the_source_text_and_is_kept_by_nobody(feed: Feed) -> None:
    before = feed.cursor
    item = feed.item(body="**b**")
    for rest in ("/items", f"/items/{item['id']}", "/changes", f"/changes?since={before}"):
        answer = feed.editor.get(feed.path + rest)
        assert "no-store" in answer.headers["cache-control"]
        assert "**b**" in answer.text
        public = feed.reader.get(feed.path + rest)
        assert "**b**" not in public.text
        assert answer.headers["vary"] == public.headers["vary"] == "Authorization"
        if "now" in answer.json():
            assert list(answer.json())[-1] == "now"
        problem(feed.reader.get(feed.path + rest, headers=UNKNOWN), 401, "unauthorized")


def test_the_cache_tags_name_the_feed_and_the_item_that_an_answer_is_about(feed: Feed) -> None:
    """Not each item of a page: a header of 4 KB and more is too long for proxies."""
    before = feed.cursor
    items = [feed.item(str(n)) for n in range(3)]
    one = items[0]["id"]
    lists = ["", "/items", "/items?limit=200", "/changes", f"/changes?since={before}"]
    answers = [f"/items/{one}", f"/items/{one}/history"]
    for rest in lists + answers:
        headers = feed.reader.get(feed.path + rest).headers
        tags = [f"feed-{feed.slug}"] + [f"item-{one}"] * (rest in answers)
        assert headers["cache-tag"] == ",".join(tags), rest
        assert headers["surrogate-key"] == " ".join(tags), rest


def test_pages_follow_each_other_without_gap_or_overlap(feed: Feed, importer: Editor) -> None:
    times = ["2025-05-17T07:13:00Z", "2025-05-17T07:13:00Z", "1969-01-01T00:00:00Z",
             "2025-05-17T07:13:00.001Z", "1000-01-01T00:00:00Z", "2025-05-17T07:13:00Z",
             None]  # fmt: skip
    items = [importer.item(str(n), feed.slug, at=at) for n, at in enumerate(times)]
    expected = sorted(items, key=lambda item: (item["published_at"], item["id"]), reverse=True)
    for limit in (1, 2, 3, 7, 200):
        seen: list[int] = []
        query: dict[str, Any] = {"limit": limit}
        while True:
            page = feed.get("/items", **query)
            assert len(page["items"]) <= limit
            seen += [item["id"] for item in page["items"]]
            if "next" not in page:
                break
            query["before"] = page["next"]
        assert seen == [item["id"] for item in expected]


def test_a_page_has_50_items_unless_asked_for_up_to_200(feed: Feed) -> None:
    for n in range(51):
        feed.editor.post(
            f"{feed.path}/items", json={"headline": str(n)}, headers={"Prefer": "respond-async"}
        )
    page = feed.get("/items")
    assert len(page["items"]) == 50
    assert len(feed.get("/items", before=page["next"])["items"]) == 1
    assert len(feed.get("/items", limit=200)["items"]) == 51
    assert len(feed.get("/items", limit="007")["items"]) == 7


@pytest.mark.parametrize(
    "limit",
    [
        "0",
        "201",
        "-1",
        "1.5",
        "x",
        "",
        "1e2",
        "9" * 100,
        "0" * 8 + "1999",
        "0" * 5000 + "1",
        "٣",
        "²",
    ],
)
def test_a_limit_out_of_bounds_is_400(feed: Feed, limit: str) -> None:
    body = problem(
        feed.reader.get(f"{feed.path}/items", params={"limit": limit}), 400, "bad-request"
    )
    assert "200" in body["detail"]


@pytest.mark.parametrize(
    "before", ["", "x", "1", "1.", ".1", "1.2.3", "--1.2", "1.-2", "9" * 17 + ".1", "1e3.2", "1,2",
               "٣.1", "2025-05-17T07:13:00Z"]
)  # fmt: skip
def test_before_takes_only_a_former_next(feed: Feed, before: str) -> None:
    answer = feed.reader.get(f"{feed.path}/items", params={"before": before})
    problem(answer, 400, "bad-request")


@pytest.mark.parametrize("name", ["tag", "q"])
@pytest.mark.parametrize("text", ["", " ", "\n", "x" * 201])
def test_a_question_has_1_to_200_characters(feed: Feed, name: str, text: str) -> None:
    problem(feed.reader.get(f"{feed.path}/items", params={name: text}), 400, "bad-request")


def test_a_tag_and_words_find_what_they_say(feed: Feed) -> None:
    one = feed.item(
        "Drones over Sumy", body="Four **hurt** at the [station](https://a.b)", tags=["ua"]
    )
    two = feed.item("Quiet night", body="Nobody hurt.", tags=["ua", "night"])
    found = {
        "drone": [one], "hurt": [two, one], "HURT sumy": [one], "HURT sum": [], "station": [one],
        "night hurt": [two], "example": [], "https": [],
    }  # fmt: skip
    for words, items in found.items():
        page = feed.get("/items", q=words)
        assert [item["id"] for item in page["items"]] == [item["id"] for item in items], words
    assert len(feed.get("/items", tag="ua")["items"]) == 2
    assert [i["id"] for i in feed.get("/items", tag="ua", q="night")["items"]] == [two["id"]]
    assert len(feed.get("/items", tag="UA")["items"]) == 2


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("記者会見", "首相、東京で記者会見へ"), ("กรุงเทพ", "ผู้ว่าฯกรุงเทพมหานครแถลง"),
        ("서울", "대통령서울에서회담"), ("п'ятеро", "Пʼятеро поранених"),
        ("пʼятеро", "п’ятеро людей"),
        ("cooperation", "co\u00adoper\u00adation"), ("ceasefire", "A cease\u200bfire holds"),
        ("naive", "A naïve plan"), ("KYIV", "kyiv"), ("Straße", "strasse 5"),
    ],
)  # fmt: skip
def test_text_is_found_as_readers_see_it(feed: Feed, words: str, text: str) -> None:
    item = feed.item(text)
    feed.item("Something else")
    assert [one["id"] for one in feed.get("/items", q=words)["items"]] == [item["id"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Київ", unicodedata.normalize("NFD", "Київ")), ("New York", "New\u00a0York"), ("ua", "UA")],
)
def test_tags_that_look_alike_are_one(feed: Feed, one: str, other: str) -> None:
    first, second = feed.item("1", tags=[one]), feed.item("2", tags=[other, one])
    assert second["tags"] in ([one], [other])
    for tag in (one, other):
        found = feed.get("/items", tag=tag)["items"]
        assert [item["id"] for item in found] == [second["id"], first["id"]]
    assert feed.item("3", tags=["и", "й"])["tags"] == ["и", "й"]


def test_an_edit_is_found_by_its_new_words_alone(feed: Feed) -> None:
    item = feed.item("old words", tags=["old"])
    feed.editor.revised(item, "fix", headline="fresh words", tags=["fresh"])
    assert feed.get("/items", q="old")["items"] == []
    assert feed.get("/items", tag="old")["items"] == []
    assert len(feed.get("/items", q="fresh")["items"]) == 1
    assert len(feed.get("/items", tag="fresh")["items"]) == 1


QUESTIONS = [
    '"', '""', "'", "' OR 1=1 --", '" OR 1', "a* OR b*", "NEAR(a b)", "headline:news", "^news",
    "-news", "news AND", "NOT news", "(news", "{news}", "news\x00", "a\x00b", "\x00", "😀",
    "news 😀", "\\", ";", "x " * 100, "(" * 200, '"' * 200, "%", "_", "news*", "ne*ws", "\ufffe",
    "٣", "a:b:c", "+news",
]  # fmt: skip


@pytest.mark.parametrize("text", QUESTIONS)
@pytest.mark.parametrize("name", ["tag", "q"])
def test_no_question_is_taken_for_a_command(feed: Feed, name: str, text: str) -> None:
    feed.item("news")
    answer = feed.ask("/items", **{name: text})
    if text.strip("\x00").strip():
        assert answer.status_code == 200, answer.text[:300]
    else:
        assert answer.status_code in {200, 400}
    assert len(feed.get("/items")["items"]) == 1


def test_a_tag_is_found_whatever_it_is_made_of(feed: Feed) -> None:
    tags = ['"', "'; DROP TABLE items; --", "😀", "a b", "%", "50" * 25]
    item = feed.item(tags=tags)
    for tag in tags:
        assert [i["id"] for i in feed.get("/items", tag=tag)["items"]] == [item["id"]]


def test_one_feeds_news_is_not_found_in_another(feed: Feed, anna: Editor) -> None:
    anna.configure("abroad", title="A")
    anna.item("unheard", "abroad", tags=["unheard"])
    for query in ({"q": "unheard"}, {"tag": "unheard"}):
        assert feed.get("/items", **query)["items"] == []


def test_pins_do_not_reorder_pages(feed: Feed) -> None:
    first, second = feed.item("1"), feed.item("2")
    feed.editor.revised(first, "pin")
    page = feed.get("/items")
    assert [item["id"] for item in page["items"]] == [second["id"], first["id"]]
    assert page["items"][1]["pinned"] is True


def test_the_same_page_is_fresh_after_every_change_whatever_was_asked(feed: Feed) -> None:
    item = feed.item("one", tags=["a"])
    for n in range(3):
        for query in ({}, {"limit": 1}, {"tag": "a"}, {"q": "one"}, {"limit": 1, "tag": "a"}):
            page = feed.get("/items", **query)
            assert page["items"][0]["version"] == item["version"]
            assert page["cursor"] == feed.cursor
        item = feed.editor.revised(item, "fix", body=str(n))


# What was withdrawn


def test_a_killed_item_is_gone_everywhere_and_its_tombstone_stays_in_place(feed: Feed) -> None:
    newer_first = [feed.item(f"secret {n}", body="secret", tags=["secret"]) for n in range(3)][::-1]
    held = feed.editor.revised(newer_first[1], "pin")
    tombstone = feed.editor.revised(held, "kill", note="Withdrawn by our lawyers.")
    page = feed.get("/items")
    assert page["items"][1] == tombstone
    assert [i["id"] for i in page["items"]] == [i["id"] for i in newer_first]
    for query in ({"tag": "secret"}, {"q": "secret"}, {"q": "lawyers"}):
        found = [item["id"] for item in feed.get("/items", **query)["items"]]
        assert tombstone["id"] not in found
    for client in (feed.reader, feed.editor):
        for rest in ("", "/history"):
            answer = client.get(f"{feed.path}/items/{tombstone['id']}{rest}")
            body = problem(answer, 410, "withdrawn")
            assert body["tombstone"] == tombstone
            assert "secret" not in answer.text
    message = feed.get("/changes", since=newer_first[0]["etag"] and page["cursor"])
    assert message["items"] == []
    snapshot = feed.get("/changes")
    assert snapshot["items"][1] == tombstone


# History


def test_history_is_what_readers_were_shown_and_nothing_else(feed: Feed, importer: Editor) -> None:
    item = importer.item("Post", feed.slug, body="p", at="2025-05-17T07:00:00Z", byline="B")
    item = importer.revised(
        item, "fix", headline="Fixed", note="internal", at="2025-05-17T07:30:00Z"
    )
    item = importer.revised(item, "update", body="u", at="2025-05-17T08:00:00Z", note="internal")
    item = importer.revised(item, "hold", at="2025-05-17T08:00:00Z")
    item = importer.revised(item, "release", at="2025-05-17T08:00:00Z")
    item = importer.revised(
        item, "correct", headline="Correct", note="c", at="2026-01-01T00:00:00Z"
    )
    text = feed.reader.get(f"{feed.path}/items/{item['id']}/history").text
    post, update, correct = json.loads(text)["history"]
    assert (post["verb"], post["headline"], post["blocks"]) == ("post", "Post", [["p"]])
    assert post["at"] == "2025-05-17T07:00:00.000Z"
    assert (update["verb"], update["headline"], update["blocks"]) == ("update", "Fixed", [["u"]])
    assert update["at"] == "2025-05-17T08:00:00.000Z"
    assert (correct["verb"], correct["headline"]) == ("correct", "Correct")
    assert "internal" not in text
    assert "importer" not in text


def test_history_of_nothing_is_404(feed: Feed) -> None:
    problem(feed.reader.get(f"{feed.path}/items/999999/history"), 404, "not-found")


# Changes: the polling fallback


def test_changes_without_a_cursor_is_a_snapshot(feed: Feed) -> None:
    item = feed.item()
    message = feed.get("/changes")
    assert message["type"] == "snapshot"
    assert message.keys() == {"type", "epoch", "cursor", "feed", "items", "heartbeat", "now"}
    assert [one["id"] for one in message["items"]] == [item["id"]]
    assert message["heartbeat"] == 25
    assert list(message)[-1] == "now"


def test_changes_since_the_head_are_none_and_since_before_are_those(feed: Feed) -> None:
    before = feed.cursor
    empty = feed.get("/changes", since=before)
    assert empty.keys() == {"type", "epoch", "since", "cursor", "items", "now"}
    assert (empty["type"], empty["items"], empty["since"]) == ("changes", [], before)
    assert empty["cursor"] == before
    first = feed.item("1")
    second = feed.editor.revised(feed.item("2"), "pin")
    first = feed.editor.revised(first, "update", body="b")
    message = feed.get("/changes", since=before)
    assert [item["version"] for item in message["items"]] == [second["version"], first["version"]]
    assert message["cursor"] == feed.cursor
    assert "feed" not in message


def test_a_changed_feed_comes_with_the_changes_and_a_closed_one_always(feed: Feed) -> None:
    before = feed.cursor
    feed.editor.configure(feed.slug, title="Renamed")
    assert feed.get("/changes", since=before)["feed"]["title"] == "Renamed"
    assert "feed" not in feed.get("/changes", since=feed.cursor)
    feed.editor.configure(feed.slug, closed=True)
    assert feed.get("/changes", since=feed.cursor)["feed"]["closed_at"]


@pytest.mark.parametrize("since", ["a b", "x" * 65, "a/b", "é", "a%", "\x00", "a\n", "<x>", "1,2"])
def test_a_cursor_that_cannot_be_one_is_400(feed: Feed, since: str) -> None:
    for rest in ("/changes", "/stream"):
        answer = feed.reader.get(feed.path + rest, params={"since": since})
        problem(answer, 400, "bad-request")


def test_a_cursor_of_no_use_here_is_answered_with_a_snapshot(feed: Feed, anna: Editor) -> None:
    feed.item()
    epoch, sequence, check = feed.cursor.split(".")
    anna.configure("foreign", title="F")
    foreign = anna.get("/v1/feeds/foreign").json()["cursor"]
    future = f"{epoch}.{int(sequence) + 1000}.{check}"
    strangers = [f"zzzzzzzz.{sequence}.{check}", f"{epoch}.0.{check}", f"{epoch}.{sequence}.zzzz"]
    far = f"{epoch}.{'9' * 15}.{check}"
    for since in ("", "x", "1", "a.b.c", "_-.", *strangers, future, far, foreign):
        message = feed.get("/changes", since=since)
        assert message["type"] == "snapshot", since


def test_a_cursor_of_an_earlier_state_gets_what_changed_after_it(feed: Feed) -> None:
    cursors = [feed.cursor]
    items = []
    for n in range(4):
        items.append(feed.item(str(n)))
        cursors.append(feed.cursor)
    for n, cursor in enumerate(cursors):
        message = feed.get("/changes", since=cursor)
        assert [item["id"] for item in message["items"]] == [item["id"] for item in items[n:]]


# SSE


@contextmanager
def events(client: httpx.Client, path: str, **headers: str) -> Iterator[Iterator[dict[str, str]]]:
    with client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "no-store" in answer.headers["cache-control"]
        open_to_all(answer)
        yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        else:
            yield event
            event = {}


def test_a_stream_speaks_the_same_messages_and_only_what_moves_the_cursor_has_an_id(
    feed: Feed, house: Server
) -> None:
    with house.reading() as client, events(client, f"{feed.path}/stream") as stream:
        first = next(stream)
        assert first.keys() == {"id", "data"}
        snapshot = json.loads(first["data"])
        assert (snapshot["type"], snapshot["cursor"]) == ("snapshot", first["id"])
        item = feed.item()
        second = next(stream)
        changes = json.loads(second["data"])
        assert (changes["type"], changes["cursor"]) == ("changes", second["id"])
        assert changes["since"] == snapshot["cursor"]
        assert changes["items"][0]["id"] == item["id"]
        feed.editor.configure(feed.slug, closed=True)
        assert json.loads(next(stream)["data"])["feed"]["closed_at"]
        last = next(stream)
        assert last.keys() == {"data"}
        assert json.loads(last["data"])["type"] == "ended"
        assert list(stream) == []


def test_last_event_id_wins_over_since(feed: Feed, house: Server) -> None:
    first, _ = feed.cursor, feed.item("1")
    second, item = feed.cursor, feed.item("2")
    path = f"{feed.path}/stream?since={first}"
    with house.reading() as client, events(client, path, **{"Last-Event-ID": second}) as stream:
        message = json.loads(next(stream)["data"])
        assert (message["type"], message["since"]) == ("changes", second)
        assert [one["id"] for one in message["items"]] == [item["id"]]
    with house.reading() as client, events(client, path) as stream:
        assert json.loads(next(stream)["data"])["since"] == first
    with house.reading() as client, events(client, path, **{"Last-Event-ID": "a b"}) as stream:
        assert json.loads(next(stream)["data"])["type"] == "snapshot"


def test_a_closed_feed_answers_first_and_says_204_when_there_is_nothing_new(
    feed: Feed, house: Server
) -> None:
    before = feed.cursor
    feed.item()
    feed.editor.configure(feed.slug, closed=True)
    with house.reading() as client, events(client, f"{feed.path}/stream?since={before}") as stream:
        kinds = [json.loads(event["data"])["type"] for event in stream]
    assert kinds == ["changes", "ended"]
    answer = feed.reader.get(f"{feed.path}/stream", params={"since": feed.cursor})
    assert answer.status_code == 204
    assert answer.headers["cache-control"] == "no-store"  # it may be reopened
    open_to_all(answer)
    again = feed.reader.get(f"{feed.path}/stream", headers={"Last-Event-ID": feed.cursor})
    assert again.status_code == 204


def test_searches_do_not_push_a_page_out_for_good(feed: Feed) -> None:
    """However many are asked between two changes, a page asked for twice is encoded once."""
    feed.item()
    for number in range(80):
        feed.get("/items", q=f"w{number}")
    first = feed.get("/items")
    feed.reader.get(f"{feed.path}/items", params={"q": "w"})
    assert feed.get("/items")["items"] == first["items"]


def test_held_items_are_listed_however_old_until_they_are_released(feed: Feed) -> None:
    old = feed.item("Old", published_at="2020-05-17T07:13:00Z")
    new = feed.item("New")
    feed.item("Plain")
    old, new = feed.editor.revised(old, "hold"), feed.editor.revised(new, "hold")

    def held(**query: Any) -> dict[str, Any]:
        answer = feed.reader.get(f"{feed.path}/items", params={"status": "held"} | query)
        assert answer.status_code == 200, answer.text
        kept_briefly(answer)
        page: dict[str, Any] = answer.json()
        return page

    assert [item["id"] for item in held()["items"]] == [new["id"], old["id"]]
    page = held(limit=1)
    assert [item["id"] for item in page["items"]] == [new["id"]]
    assert [item["id"] for item in held(before=page["next"])["items"]] == [old["id"]]
    with_token = feed.editor.get(f"{feed.path}/items", params={"status": "held"}).json()
    assert [item["id"] for item in with_token["items"]] == [new["id"], old["id"]]
    feed.editor.revised(new, "release")
    feed.editor.revised(old, "kill", note="No.")
    assert held()["items"] == []


@pytest.mark.parametrize(
    "query", ["status=", "status=live", "status=held&tag=a", "status=held&q=a", "status=held&at=1",
              "status=held&after=1.1"],
)  # fmt: skip
def test_a_status_that_is_not_held_or_goes_with_something_is_refused(
    feed: Feed, query: str
) -> None:
    body = problem(feed.reader.get(f"{feed.path}/items?{query}"), 400, "bad-request")
    assert "status" in body["detail"]
