"""Whatever JSON a server sends, it is read as a feedserver's or not at all."""

from __future__ import annotations

import json

import pytest
from hostile import ITEM, answers, drips_headers, problem, streams

from publisher.server.reader_state import GOODBYE_MAX, ReaderState
from publisher.server.schemas import is_message, is_versioned_item

EVIL = "\x1b]0;pwned\x07"
POSITION = {"epoch": "e", "now": "2025-05-17T07:13:00.000Z"}
SNAPSHOT = {"type": "snapshot", "cursor": "1", "items": [], **POSITION}


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (["list"], {"items": [5]}),
        (["list"], {"items": [{**ITEM, "id": EVIL}]}),
        (["list"], {"items": [ITEM], "next": 5}),
        (["show", "128"], {**ITEM, "id": EVIL}),
        (["show", "128"], {**ITEM, "etag": EVIL}),
        (["show", "128"], {**ITEM, "tags": [5]}),
        (["show", "128"], {**ITEM, "blocks": [[5]]}),
        (["show", "128", "--history"], {}),
        (["show", "128", "--history"], {"history": [5]}),
        (["show", "128", "--revisions"], {}),
        (["show", "128", "--revisions"], {"revisions": [{"version": EVIL}]}),
        (["post", "x"], {**ITEM, "id": EVIL}),
        (["login"], {}),
        (["login"], {"feeds": [{"slug": EVIL}]}),
    ],
)
def test_json_of_another_shape_is_no_feedservers(publisher, hostile, words, body):
    failed = publisher.at(hostile(answers(200, body)).url)(*words)
    assert failed.code == 3
    assert failed.out == ""
    assert "does not answer as a feedserver does" in failed.err
    assert "Traceback" not in failed.err
    assert not set(failed.err) & set(EVIL[:1] + EVIL[-1:])


def test_login_takes_no_server_whose_readers_are_not_counted(publisher, hostile):
    server = hostile(answers(200, {"feeds": [{"slug": "world"}]}), answers(200, {}))
    failed = publisher.at(server.url)("login")
    assert failed.code == 3
    assert not (publisher.home / ".config").exists()


@pytest.mark.parametrize("errors", [["bad"], [5, None], "bad", {"a": 1}])
def test_errors_that_are_not_objects_leave_the_servers_sentence(publisher, hostile, errors):
    body = {"type": "invalid-fields", "title": "Bad", "detail": "as it is", "errors": errors}
    failed = publisher.at(hostile(answers(422, body, "application/problem+json")).url)("post", "x")
    assert failed.code == 1
    assert "as it is" in failed.err
    assert "Traceback" not in failed.err


@pytest.mark.parametrize("slug", [[], {}, 5, None])
def test_a_problem_of_any_type_is_read(publisher, hostile, slug):
    server = hostile(problem(503, slug, retry_after=3600))
    assert publisher.at(server.url)("post", "x").code == 3


def test_an_hour_that_is_beyond_all_bounds_is_named_in_words(publisher, hostile):
    server = hostile(problem(503, "unavailable", "being moved", retry_after="9" * 400))
    failed = publisher.at(server.url)("post", "x")
    assert failed.code == 3
    assert "it asks to come back in more than a day" in failed.err


def test_a_server_that_drips_headers_is_given_up_in_time(publisher, hostile):
    for words in (["list"], ["watch"]):
        failed = publisher.at(hostile(drips_headers).url)(*words, "--timeout", "0.3")
        assert failed.code == 3
        assert "Traceback" not in failed.err


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "changes", "since": "1", "cursor": "2", "epoch": "e", "now": 5, "items": []},
        {"type": "changes", "since": "1", "cursor": "2", "epoch": "e", "items": [{"id": 1}]},
        {"type": "changes", "since": "1", "cursor": "2", "epoch": "e",
         "items": [{"id": EVIL, "version": 2}]},
        {"type": "goodbye", "retry_ms": "soon"},
        {"type": "snapshot", "cursor": "1", "epoch": "e", "items": [], "heartbeat": "25"},
        {"type": 5},
    ],
)  # fmt: skip
def test_a_live_message_of_another_shape_is_none(odd):
    assert is_message(SNAPSHOT)
    assert not is_message(odd)


def test_watch_goes_on_after_a_message_that_is_none(publisher, hostile):
    evil = {"id": EVIL, "version": 2, "headline": "x"}
    server = hostile(
        *streams(
            SNAPSHOT, {"type": "changes", "since": "1", "cursor": "2", "items": [evil], **POSITION}
        )
    )
    watching = publisher.at(server.url).start("watch")
    try:
        watching.stderr.readline()
        said = watching.stderr.readline()
    finally:
        watching.kill()
        out, _ = watching.communicate()
    assert "something else than a live message; coming back" in said
    assert out == ""


@pytest.mark.parametrize(("asked", "waited"), [(-5, 0), (1e30, GOODBYE_MAX), (1500, 1.5)])
def test_a_wait_that_a_server_asks_for_is_kept_within_bounds(asked, waited):
    goodbye = {"type": "goodbye", "retry_ms": asked}
    assert is_message(goodbye)
    assert ReaderState().apply(goodbye).wait == waited


@pytest.mark.parametrize("heartbeat", [-1, 1e30, 0])
def test_a_heartbeat_is_kept_within_bounds(heartbeat):
    state = ReaderState()
    state.apply({**SNAPSHOT, "heartbeat": heartbeat})
    assert 1 <= state.heartbeat <= 300


@pytest.mark.parametrize("status", [502, 503])
def test_watch_names_the_status_of_a_gateway(publisher, hostile, status):
    server = hostile(answers(status, b"<h1>Bad</h1>", "text/html"))
    failed = publisher.at(server.url)("watch")
    assert failed.code == 3
    assert f"answers with the status {status}; gave up after 3 tries" in failed.err


def test_watch_says_what_can_still_come_after_a_feed_was_closed(publisher, hostile):
    server = hostile(*streams(SNAPSHOT, {"type": "ended"}))
    done = publisher.at(server.url)("watch")
    assert done.code == 0
    assert "Corrections and withdrawals still can" in done.err


def test_what_the_server_writes_is_an_item():
    assert is_versioned_item(ITEM)
    assert is_versioned_item({**ITEM, "headline": None, "surplus": [1]})
    assert not is_versioned_item({**ITEM, "id": True})
    assert not is_versioned_item(json.loads("[]"))
