"""docs/protocol.md names every address, error, close code and limit, and invents none."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from prose import DOCS, chapter, table
from starlette.routing import Route, WebSocketRoute

from feedserver import draft, fields, model
from feedserver.api import caching, cors, editing, queries
from feedserver.api.problems import InternalError
from feedserver.errors import FeedError, Refused, Unavailable
from feedserver.live import channel, goodbyes, messages, window
from feedserver.service import make_app
from feedserver.websocket import endpoint as live
from feedserver.websocket import frames

PAGE = DOCS / "protocol.md"
TEXT = PAGE.read_text()


def family(kind: type[FeedError]) -> Iterator[type[FeedError]]:
    for one in kind.__subclasses__():
        yield one
        yield from family(one)


def spoken() -> set[tuple[str, str]]:
    """Every slug and status that a client can meet."""
    kinds = {*family(Refused), Unavailable, *family(Unavailable), InternalError}
    return {(kind.slug, str(kind.status)) for kind in kinds}


def test_every_problem_is_in_the_table_and_no_other() -> None:
    rows = table(chapter(PAGE, "Problems"), "`type`")
    assert {(row[0].strip("`"), row[1]) for row in rows} == spoken()
    assert len(rows) == len(spoken())


def routed() -> set[tuple[str, str]]:
    found = set()
    for route in make_app(None).routes:
        if isinstance(route, WebSocketRoute):
            found.add(("WS", route.path))
        elif isinstance(route, Route):
            found |= {(method, route.path) for method in route.methods or ()}
    return {
        (m, path) for m, path in found if path.startswith("/v1") and m not in {"HEAD", "OPTIONS"}
    }


def test_every_call_is_in_a_table_and_no_other() -> None:
    rows = table(chapter(PAGE, "Reading"), "call") + table(chapter(PAGE, "Editing"), "call")
    assert {tuple(row[0].strip("`").split()) for row in rows} == routed()


def test_every_address_that_the_text_names_exists() -> None:
    known = {
        route.path for route in make_app(None).routes if isinstance(route, Route | WebSocketRoute)
    }
    for path in re.findall(r"(?<=[ `])/(?:v1|healthz|readyz)[\w{}/]*", TEXT):
        assert any(route == path or route.startswith(f"{path}/") for route in known), path


def test_every_close_code_is_in_the_table_and_no_other() -> None:
    used = {value for name, value in vars(goodbyes).items() if name.startswith("CLOSE_")}
    used |= {frames.TOO_MUCH, frames.PROTOCOL_ERROR, frames.close_code(b"")}
    rows = table(chapter(PAGE, "WebSocket"), "code")
    assert {int(row[0]) for row in rows} == used
    for code, _, again in rows:
        if code != "1000":
            assert again == ("no" if 4400 <= int(code) <= 4499 else "yes")


def test_every_message_is_in_the_table() -> None:
    rows = table(chapter(PAGE, "Live messages"), "`type`")
    assert [row[0].strip("`") for row in rows] == [
        "snapshot", "changes", "heartbeat", "goodbye", "ended",
    ]  # fmt: skip


def test_every_verb_and_field_is_named() -> None:
    text = chapter(PAGE, "Verbs and fields")
    named = re.findall(r"`(\w+)`", " ".join(row[0] for row in table(text, "verb")))
    assert named == list(model.Verb)
    listed = re.search(r"^Fields: (.*?)\. Any", text, re.MULTILINE | re.DOTALL)
    assert listed
    assert re.findall(r"`(\w+)`", listed[1]) == list(draft.SENT)


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("headline", f"{model.HEADLINE_MAX} characters"),
        (
            "body",
            f"{model.BODY_MAX // 1024} KiB of UTF-8; its blocks {fields.BLOCKS_MAX // 1024} KiB",
        ),
        ("note", f"{model.NOTE_MAX} characters"),
        ("tags", f"{model.TAGS_MAX} of {model.TAG_MAX} characters"),
        (
            "media",
            f"{model.MEDIA_MAX}; `alt` and `caption` {model.ALT_MAX} characters, "
            f"`credit` {model.TEXT_MAX}, sides {fields.SIDE_MAX} pixels",
        ),
        ("byline, source", f"{model.TEXT_MAX} characters"),
        ("link, `url`", f"{model.URL_MAX} characters"),
        ("`origin`", f"{model.URL_MAX} characters"),
        ("corrections", f"{model.CORRECTIONS_MAX} of one item"),
        ("feed", f"title {model.TEXT_MAX} characters, description {model.ALT_MAX}"),
        ("request", f"{editing.REQUEST_MAX // 1024} KiB"),
    ],
)
def test_a_limit_is_that_of_the_code(what: str, limit: str) -> None:
    assert dict(table(chapter(PAGE, "Limits"), "what"))[what].startswith(limit)


@pytest.mark.parametrize(
    "words",
    [
        f"`{caching.CACHED}`",
        f"`{cors.CORS['Access-Control-Expose-Headers']}`",
        f"(1 to {queries.PAGE_ITEMS_MAX}, {queries.PAGE_ITEMS} by default)",
        f"of 1 to {queries.QUERY_MAX} characters",
        f"the newest {model.SNAPSHOT_ITEMS} items",
        f"more than {model.CATCH_UP_MAX} changed items behind",
        f"up to {window.LIVE_MAX} items and {window.LIVE_BYTES // 1024**2} MiB",
        f"at most {messages.MESSAGE_MAX // 1024**2} MiB",
        f"subprotocol `{live.SUBPROTOCOL}`",
        f"a budget of {frames.BUDGET} bytes and {frames.FRAMES} frames in {frames.PERIOD:.0f} s",
        f"under about {frames.DEFLATE_MIN} bytes",
        f"Without any progress for {channel.STALL_SECONDS:.0f} s",
        f"of 1 to {editing.KEY_MAX} visible ASCII characters",
        f"{editing.DELIVERY_SECONDS * 1000:.0f} ms at most",
        f"{editing.PURGE_SECONDS:.0f} s at most",
        f"up to {model.AHEAD_MAX // 1000} s ahead",
        f"under {model.STEP_BACK_MAX // 60_000} minutes ahead",
        f"between {goodbyes.RETRY_MS[0] / 1000} s and at least {goodbyes.RETRY_MS[1] // 1000} s",
        f"up to {goodbyes.RETRY_MS_MAX // 1000} s",
    ],
)
def test_a_number_is_that_of_the_code(words: str) -> None:
    assert words in " ".join(TEXT.split())
