"""/openapi.json and /asyncapi.json are held to the running server, and it to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from descriptions import Descriptions, references
from jsonschema import Draft202012Validator, ValidationError
from starlette.routing import Route, WebSocketRoute
from support.answers import Feed
from support.server import Editor, Server
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from feedserver.service import make_app

NOT_HAD = {"101", "429", "503"}  # statuses that a server in order gives to no request here
STORY: dict[str, Any] = {
    "headline": "Bus hit",
    "body": "Seven **hurt**.\n\n- one\n- two\n\n> Said.\n> — Ann\n\n[link](https://a.example/)",
    "occurred_at": "2025-05-17T07:00:00Z",
    "byline": "Ann",
    "source": "Agency",
    "url": "https://a.example/story",
    "tags": ["kyiv"],
    "media": [
        {"url": "https://a.example/a.png", "alt": "A", "width": 9, "height": 9, "credit": "C"}
    ],
    "breaking": True,
    "language": "uk",
}


ELSEWHERE = {"Origin": "https://elsewhere.example"}


@pytest.fixture(scope="module")
def described(house: Server) -> Descriptions:
    with house.reading() as reader:
        return Descriptions(reader)


@pytest.fixture
def limited(house: Server) -> Iterator[Editor]:
    """An editor of another feed."""
    with house.editing(house.cli("token", "add", "of-world", "--feed", "world")) as editor:
        yield editor


@pytest.fixture
def stranger(house: Server) -> Iterator[Editor]:
    """Somebody whose token is none."""
    with house.editing("unknown") as editor:
        yield editor


def test_every_reference_leads_somewhere(described: Descriptions) -> None:
    documents = {"": described.asyncapi, "openapi.json": described.openapi}
    for reference in references(described.asyncapi) | references(described.openapi):
        name, _, pointer = reference.partition("#")
        if name == "" and reference in references(described.openapi):
            name = "openapi.json"
        found: Any = documents[name]
        for part in pointer.split("/")[1:]:
            found = found[part.replace("~1", "/")]
        assert found, reference


def test_every_schema_is_one(described: Descriptions) -> None:
    for schema in described.openapi["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_channel_is_a_route_and_sends_every_message(described: Descriptions) -> None:
    served = {
        route.path for route in make_app(None).routes if isinstance(route, Route | WebSocketRoute)
    }
    messages = described.asyncapi["components"]["messages"]
    for channel in described.asyncapi["channels"].values():
        assert channel["address"] in served
        assert list(channel["messages"]) == list(messages)
    names = [message["payload"]["$ref"].rpartition("/")[2] for message in messages.values()]
    union = described.openapi["components"]["schemas"]["Message"]["oneOf"]
    assert [one["$ref"].rpartition("/")[2] for one in union] == names


def messages_of(socket: ClientConnection, described: Descriptions, until: str) -> list[str]:
    """Take messages up to one of this type; hold each to its schema."""
    names: list[str] = []
    while until not in names:
        names.append(described.message(json.loads(socket.recv(30))))
    return names


def events_of(lines: Any, described: Descriptions, until: str) -> list[str]:
    """Do the same with server-sent events."""
    names: list[str] = []
    while until not in names:
        line = next(lines)
        if line.startswith("data:"):
            names.append(described.message(json.loads(line.removeprefix("data:"))))
    return names


def test_every_message_of_a_real_session_is_as_described(
    serve: Callable[..., Server], described: Descriptions
) -> None:
    server = serve("--heartbeat", "1")
    with server.editing() as anna, server.reading() as reader:
        for slug in ("world", "other"):
            anna.configure(slug, title="World", summary="Key **point**", description="All")
        gone = anna.item("Hoax")
        anna.revised(gone, "kill", note="A hoax.")
        with (
            connect(server.live()) as socket,
            connect(server.live("other")) as other,
            reader.stream("GET", "/v1/feeds/other/stream") as stream,
        ):
            lines = stream.iter_lines()
            assert messages_of(socket, described, "snapshot") == ["snapshot"]
            assert events_of(lines, described, "snapshot") == ["snapshot"]
            item = anna.item(**STORY)
            assert messages_of(socket, described, "changes")[-1] == "changes"
            for verb, fields in [
                ("fix", {"headline": "Bus"}),
                ("update", {"body": "Nine."}),
                ("correct", {"note": "Four."}),
                ("hold", {}),
                ("release", {}),
                ("pin", {}),
                ("unpin", {}),
                ("kill", {"note": "No."}),
            ]:
                item = anna.revised(item, verb, **fields)
                assert messages_of(socket, described, "changes")[-1] == "changes"
            assert messages_of(socket, described, "heartbeat")[-1] == "heartbeat"
            assert events_of(lines, described, "heartbeat")[-1] == "heartbeat"
            for query in ({}, {"since": anna.get("/v1/feeds/world").json()["cursor"]}):
                answer = reader.get("/v1/feeds/world/changes", params=query)
                described.answer("/v1/feeds/{feed}/changes", answer)
                described.message(answer.json())
            anna.configure("world", title="World", closed=True)
            assert messages_of(socket, described, "ended")[-2:] == ["changes", "ended"]
            server.stop()
            assert messages_of(other, described, "goodbye")[-1] == "goodbye"
            assert events_of(lines, described, "goodbye")[-1] == "goodbye"
            with pytest.raises(ConnectionClosed):
                other.recv(30)


def test_a_message_with_something_that_is_not_described_is_found(described: Descriptions) -> None:
    heartbeat = {"type": "heartbeat", "epoch": "e", "cursor": "c", "now": "2025-05-17T07:00:00Z"}
    described.message(heartbeat)
    for wrong in (heartbeat | {"more": 1}, heartbeat | {"cursor": "é"}, {"type": "heartbeat"}):
        with pytest.raises(ValidationError):
            described.message(wrong)


def test_every_answer_is_described_and_every_described_answer_is_given(
    feed: Feed,
    house: Server,
    described: Descriptions,
    anna: Editor,
    limited: Editor,
    stranger: Editor,
    anyone: httpx.Client,
) -> None:
    slug = feed.slug
    item = anna.item(slug=slug, **STORY)
    first = anna.submit("Hoax", slug, key="hoax").json()
    gone = anna.revised(first, "kill", note="A hoax.")
    ids = {"feed": slug, "item": str(item["id"]), "version": "0.1.0", "language": "uk"}
    dead, absent = ids | {"item": str(gone["id"])}, ids | {"item": "999999999"}
    nowhere = ids | {"feed": "nowhere"}
    v1, items = "/v1/feeds/{feed}", "/v1/feeds/{feed}/items"
    one, verbs = items + "/{item}", items + "/{item}/revisions"
    own = v1 + "/revisions"
    any_version = {"If-Match": "*"}

    def ask(
        path: str,
        status: int,
        client: httpx.Client = anyone,
        method: str = "GET",
        names: dict[str, str] = ids,
        **sent: Any,
    ) -> httpx.Response:
        where = path.format(**names)
        answer = client.request(method, where, **sent)
        assert answer.status_code == status, f"{method} {where}: {answer.text[:300]}"
        described.answer(path, answer)
        return answer

    def edit(path: str, status: int, client: httpx.Client = anna, **sent: Any) -> httpx.Response:
        return ask(path, status, client, sent.pop("method", "POST"), **sent)

    # What everybody reads.
    for path in described.openapi["paths"]:
        operation = described.openapi["paths"][path].get("get")
        if operation is None or "200" not in operation["responses"] or path.endswith("/stream"):
            continue
        reader = anna if "security" in operation else anyone
        query = {"url": f"{house.url}/feeds/{slug}"} if path == "/oembed" else None
        answer = ask(path, 200, reader, params=query)
        if "304" in operation["responses"] and "etag" in answer.headers:
            sent = {"If-None-Match": answer.headers["etag"]}
            ask(path, 304, reader, params=query, headers=sent)
        if "{feed}" in path and "404" in operation["responses"]:
            ask(path, 404, reader, names=nowhere, headers={"Accept": "application/json"})
            if path.startswith("/feeds/") and not described.is_document(path):
                ask(path, 404, reader, names=nowhere, headers={"Accept": "text/html"})
        if "{item}" in path:
            ask(path, 404, reader, names=absent)
            if "410" in operation["responses"]:
                ask(path, 410, reader, names=dead)
        if "403" in operation["responses"] and "{feed}" in path:
            ask(path, 403, limited if "security" in operation else anna, headers=ELSEWHERE)
        if "401" in operation["responses"]:
            ask(path, 401, stranger)
        for name in ("before", "since", "limit"):
            if "400" in operation["responses"] and described.takes(operation, name):
                ask(path, 400, reader, params={name: "+"})
    ask("/oembed", 404, params={"url": "https://elsewhere.example/"})
    ask("/oembed", 410, params={"url": f"{house.url}/feeds/{slug}/items/{gone['id']}"})
    ask("/oembed", 501, params={"url": house.url, "format": "yaml"})
    ask("/oembed", 400)
    xml = ask("/oembed", 200, params={"url": f"{house.url}/feeds/{slug}", "format": "xml"})
    assert xml.headers["content-type"].startswith("text/xml")
    ask("/v1/session", 403, anna, headers=ELSEWHERE)
    ask(v1 + "/live", 426)
    ask(v1 + "/stream", 404, names=nowhere)
    ask(v1 + "/stream", 400, params={"since": "+"})
    with anyone.stream("GET", f"/v1/feeds/{slug}/stream") as stream:
        described.answer(v1 + "/stream", stream)
    ask("/ticker-{version}.js", 404, names={"version": "9.9.9"})
    ask("/ticker-strings/{language}.json", 404, names={"language": "xx"})
    # What editors write: every verb, and every refusal.
    ask(v1, 201, anna, "PUT", names={"feed": f"{slug}-new"}, json={"title": "New"})
    ask(v1, 200, anna, "PUT", json={"title": "World", "summary": "One"})
    ask(v1, 200, anna, "PUT", json={"title": "World", "summary": "Two"})
    ask(v1, 412, anna, "PUT", json={"title": "W"}, headers={"If-Match": '"1-aaaa"'})
    ask(items, 201, anna, "POST", json={"headline": "News"})
    ask(items, 410, anna, "POST", json={"headline": "Hoax"}, headers={"Idempotency-Key": "hoax"})
    state = ask(one, 200, anna).json()
    sent: dict[str, Any] = {"fix": {"headline": "A"}, "correct": {"note": "Four."}}
    sent |= {"kill": {"note": "No."}, "update": {"headline": "B"}}
    for verb in ("fix", "update", "correct", "hold", "release", "pin", "unpin", "redact", "kill"):
        more = {"version": state["version"], "note": "a name"} if verb == "redact" else {}
        body = {"verb": verb} | sent.get(verb, {}) | more
        edit(verbs, 201, json=body, headers=any_version)
        if verb == "hold":
            edit(verbs, 409, json=body, headers=any_version)
    ask(verbs, 200, anna)
    edit(verbs, 410, json={"verb": "hold"}, headers=any_version)
    revisions = ask(own, 200, anna).json()["revisions"]
    older = {"verb": "redact", "note": "a name", "version": revisions[-2]["version"]}
    shown = older | {"version": revisions[-1]["version"]}
    edit(own, 409, json=shown, headers=any_version)
    edit(own, 201, json=older, headers=any_version)
    shown_last = anna.item(slug=slug)
    alive = ids | {"item": str(shown_last["id"])}
    lint = v1 + "/lint"
    edit(lint, 200, json={"headline": "Four killed", "body": "Seven were killed, killed.  &amp;"})
    shown = {"item": shown_last["id"], "verb": "redact", "version": shown_last["version"]}
    edit(lint, 409, json=shown)
    edit(lint, 410, json={"item": gone["id"], "verb": "fix", "headline": "A"})
    for path, body, method, names in (
        (v1, {"title": "World"}, "PUT", ids),
        (items, {"headline": "News"}, "POST", ids),
        (verbs, {"verb": "hold"}, "POST", alive),
        (own, older, "POST", ids),
        (lint, {"headline": "News"}, "POST", ids),
    ):
        given: dict[str, Any] = {"method": method, "names": names, "headers": {"If-Match": "*"}}
        if path in {verbs, own}:
            edit(path, 412, **given | {"headers": {"If-Match": '"1-aaaa"'}}, json=body)
            edit(path, 428, **given | {"headers": {}}, json=body)
        if method == "POST":
            elsewhere = {"names": names | {"feed": "nowhere"}}
            edit(path, 404, **given | elsewhere, json=body)
        edit(path, 401, stranger, **given, json=body)
        edit(path, 403, limited, **given, json=body)
        edit(path, 415, **given, content=b"x")
        given["headers"] |= {"Content-Type": "application/json"}
        edit(path, 400, **given, content=b"{")
        edit(path, 413, **given, content=b"x" * 600_000)
        edit(path, 422, **given, json=body | {"headline": 7, "unknown": 1})
    ask(v1, 200, anna, "PUT", json={"title": "World", "closed": True})
    edit(items, 409, json={"headline": "Late"})
    ask(v1 + "/stream", 204, params={"since": feed.cursor})
    missing = {one for one in described.named - described.seen if one[2] not in NOT_HAD}
    assert not missing, "described, and never given"
