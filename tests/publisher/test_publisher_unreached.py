"""Whatever the server does, nothing typed is lost, nothing is posted twice, and exit 3 tells."""

from __future__ import annotations

import json
import shlex
import signal
import socket

import pytest
from hostile import (
    ITEM,
    answers,
    never_ends,
    problem,
    resets,
    says_nothing,
)

posted = answers(201, ITEM, delivered="3; of=4; ms=12")


def test_a_lost_answer_is_asked_for_again_with_the_same_key(publisher, hostile):
    server = hostile(resets, posted)
    done = publisher.at(server.url)("post", "Bus hit")
    assert done.code == 0
    assert "Posted 128: Bus hit" in done.out
    assert "delivered to 3 of 4 readers in 12 ms" in done.out
    first, second = server.requests
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


@pytest.mark.parametrize(
    "trouble",
    [
        problem(503, "outcome-unknown", retry_after=0),
        problem(503, "unavailable", retry_after=1),
        problem(429, "too-many-requests", retry_after=0),
        problem(500, "internal"),
        answers(502, b"<h1>Bad Gateway</h1>", "text/html"),
    ],
    ids=["outcome-unknown", "unavailable", "too-many", "internal", "gateway"],
)
def test_a_passing_trouble_is_waited_out(publisher, hostile, trouble):
    server = hostile(trouble, trouble, posted)
    assert publisher.at(server.url)("post", "Bus hit").code == 0
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 1


def test_nobody_is_told_to_retry_what_is_being_retried(publisher, hostile):
    for hint in ("retry", "retry later", "retry with the same Idempotency-Key"):
        trouble = problem(503, "unavailable", f"it is (so; to say) busy; {hint}", retry_after=0)
        done = publisher.at(hostile(trouble, posted).url)("post", "Bus hit")
        assert "it is (so; to say) busy; trying again in" in done.err


def test_a_server_that_always_breaks_off_leaves_a_command_that_is_safe_to_repeat(
    publisher, hostile
):
    server = hostile(resets)
    body = "First.\n\n  Second, with “quotes” and $dollars.\n"
    failed = publisher.at(server.url)(
        "post", "It's a 'test'", "-", "--tag", "two words", "--media", "https://e.example/a.jpg",
        "--alt", 'the "bus"', "--size", "12x10", "--no-breaking", "--timeout=4", stdin=body,
    )  # fmt: skip
    assert failed.code == 3
    assert "It is not known whether it was stored" in failed.err
    assert 1 < len(server.requests) < 10
    [saved] = publisher.texts
    assert saved == f"It's a 'test'\n\n{body}"

    good = hostile(posted)
    command = next(line for line in failed.err.splitlines() if line.startswith("  publisher "))
    again = publisher.at(good.url)(*shlex.split(command)[1:])
    assert again.code == 0
    sent, resent = server.requests[0], good.requests[0]
    assert resent.json == sent.json
    assert sent.json["media"] == [
        {"url": "https://e.example/a.jpg", "alt": 'the "bus"', "width": 12, "height": 10}
    ]
    assert resent.headers["idempotency-key"] == sent.headers["idempotency-key"]


def test_a_failure_in_json_says_what_is_known(publisher, hostile):
    failed = publisher.at(hostile(resets).url)(
        "post", "-", "--headline=x", "--json", "--timeout=1", stdin="b"
    )
    assert failed.code == 3
    assert failed.out == ""
    assert failed.problem["type"] == "not-reached"
    assert failed.problem["stored"] == "unknown"
    assert failed.problem["key"] in failed.problem["retry"]
    assert failed.problem["saved"] in failed.problem["retry"]


def test_nothing_was_stored_where_nobody_listens(publisher):
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        failed = publisher.at(url)("post", "Bus hit", "--key", "my-key", "--timeout=1")
    assert failed.code == 3
    assert "Nothing was stored" in failed.err
    assert "--key=my-key" in failed.err


@pytest.mark.parametrize("words", [["list"], ["watch"], ["login"], ["update", "1", "--body=x"]])
def test_a_server_that_is_not_there_is_doubted_and_its_address(publisher, words):
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        failed = publisher.at(url)(*words, "--timeout=4")
    assert failed.code == 3
    assert f"no server answers at {url} (Connection refused)" in failed.err
    assert "Is the server running, and is that its address?" in failed.err
    assert ("It comes from PUBLISHER_URL" in failed.err) is (words != ["login"])


def test_a_silent_server_is_given_up(publisher, hostile):
    failed = publisher.at(hostile(says_nothing).url)("post", "Bus hit", "--timeout", "3")
    assert failed.code == 3
    assert "took longer than 3 s" in failed.err


def test_an_answer_that_never_ends_is_given_up(publisher, hostile):
    failed = publisher.at(hostile(never_ends).url)("list", "--timeout", "0.2")
    assert failed.code == 3


def test_ctrl_c_while_waiting_says_what_is_not_known(publisher, hostile):
    server = hostile(says_nothing)
    waiting = publisher.at(server.url).start("post", "Bus hit", "--key", "my-key")
    server.asked.wait(timeout=30)
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=30)
    assert waiting.returncode == 3
    assert "--key=my-key" in err
    assert "not known" in err


def test_a_server_that_asks_for_an_hour_is_not_waited_for(publisher, hostile):
    server = hostile(problem(503, "unavailable", "being moved", retry_after=3600))
    failed = publisher.at(server.url)("post", "Bus hit")
    assert failed.code == 3
    assert "being moved; it asks to come back in 3600 s" in failed.err
    assert "Nothing was stored" in failed.err
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "response",
    [
        answers(200, b"<!doctype html><title>Welcome</title>", "text/html"),
        answers(404, b"<h1>Not Found</h1>", "text/html; charset=utf-8"),
        answers(404, {"detail": "Not Found"}),
        answers(301, b"", "text/plain", location="https://elsewhere.example/"),
        answers(200, b'{"items": [', "application/json"),
        answers(200, [1, 2], "application/json"),
        answers(200, {"hello": "world"}, "application/json"),
    ],
    ids=["page", "page-404", "other-api", "redirect", "cut-off", "list", "other-object"],
)
@pytest.mark.parametrize("words", [["list"], ["post", "Bus hit"], ["update", "1", "--body=x"]])
def test_a_server_that_is_no_feedserver_is_recognised(publisher, hostile, response, words):
    server = hostile(response)
    failed = publisher.at(server.url)(*words)
    assert failed.code == 3
    assert "does not answer as a feedserver does" in failed.err
    assert "Check the address" in failed.err
    assert len(server.requests) == 1  # neither followed nor asked again


def test_watch_recognises_a_server_that_is_no_feedserver(publisher, hostile):
    server = hostile(answers(200, b"<!doctype html>", "text/html"))
    failed = publisher.at(server.url)("watch")
    assert failed.code == 3
    assert "does not answer as a feedserver does" in failed.err


def test_no_such_host_and_no_safe_connection_say_so(publisher, hostile):
    unknown = publisher.at("https://news.invalid")("list")
    assert unknown.code == 3
    assert "no such host" in unknown.err
    server = hostile(answers(400, b"speak HTTP", "text/plain"))
    unsafe = publisher.at(server.url.replace("http:", "https:"))("post", "Bus hit")
    assert unsafe.code == 3
    assert "no safe connection" in unsafe.err
    assert "Nothing was stored" in unsafe.err


def test_what_was_written_in_the_editor_outlives_the_failure(publisher, hostile):
    editor = publisher.editor("text = text.replace('Bus hit', 'Bus hit, 9 dead', 1)")
    server = hostile(answers(200, {**ITEM, "body": "Old text."}), resets)
    failed = publisher.at(server.url)("update", "128", "--edit", "--timeout=2", EDITOR=editor)
    assert failed.code == 3
    assert publisher.texts == ["Bus hit, 9 dead\n\n\n"]
    sent = server.requests[1]
    assert sent.json == {"verb": "update", "headline": "Bus hit, 9 dead"}
    assert sent.headers["if-match"] == '"128-x7Kd"'

    good = hostile(answers(201, ITEM))
    command = next(line for line in failed.err.splitlines() if line.startswith("  publisher "))
    assert publisher.at(good.url)(*shlex.split(command)[1:]).code == 0
    [again] = good.requests  # the version is in the command: no need to fetch it
    assert (again.json, again.headers["if-match"]) == (sent.json, '"128-x7Kd"')


def test_a_conflict_shows_both_texts_and_how_to_go_on(publisher, hostile):
    current = {**ITEM, "version": 140, "etag": "140-abcd", "headline": "9 dead", "body": "Theirs."}
    stale = {
        "type": "stale",
        "title": "Changed meanwhile",
        "detail": "changed meanwhile",
        "current": current,
    }
    log = {"revisions": [{"version": 140, "verb": "update", "editor": "boris"}]}
    server = hostile(
        answers(412, stale, "application/problem+json"),
        answers(200, log),
    )
    failed = publisher.at(server.url)("update", "128", "--body=Mine.", "--if-match", '"128-x7Kd"')
    assert failed.code == 1
    for said in ("Theirs.", "Mine.", "update by boris", "--if-match=140-abcd", "9 dead"):
        assert said in failed.err

    server = hostile(answers(412, stale, "application/problem+json"), answers(200, log))
    failed = publisher.at(server.url)(
        "update", "128", "-", "--if-match=128-x7Kd", "--json", stdin="Mine."
    )
    assert failed.code == 1
    assert failed.problem["current"] == current
    assert failed.problem["changed_by"] == "update by boris"
    assert publisher.texts == ["\n\nMine.\n"]


def test_bad_fields_are_named_as_they_were_typed(publisher, hostile):
    pointers = ["/headline", "/tags/1", "/occurred_at", "/media/0/alt", "/origin/uri", "/note", ""]
    errors = [{"pointer": pointer, "detail": "is bad"} for pointer in pointers]
    body = {"type": "invalid-fields", "title": "Bad fields", "detail": "x", "errors": errors}
    server = hostile(answers(422, body, "application/problem+json"))
    failed = publisher.at(server.url)("post", "Bus hit")
    assert failed.code == 1
    assert [line.strip() for line in failed.err.splitlines()][:8] == [
        "publisher: not posted:",
        "--headline: is bad",
        "--tag: is bad",
        "--occurred-at: is bad",
        "--alt: is bad",
        "--origin-uri: is bad",
        "--note: is bad",
        "is bad",
    ]
    assert "--tag" in publisher("post", "Bus hit", "--json").problem["errors"][1]["option"]


def test_what_the_server_sends_cannot_command_the_terminal(publisher, hostile):
    evil = "\x1b]0;owned\x07 \x9b31m \u202egnp.exe\r\x08 \x7f"
    item = {**ITEM, "headline": evil, "body": evil, "byline": evil, "tags": [evil]}
    refusal = problem(403, "forbidden", evil)
    for response, *words in (
        (answers(201, item), "post", "x"),
        (answers(200, item), "show", "128"),
        (answers(200, item), "show", "128", "--json"),
        (answers(200, {"items": [item]}), "list"),
        (answers(200, {"items": [item]}), "list", "--json"),
        (refusal, "post", "x"),
        (refusal, "post", "x", "--json"),
    ):
        done = publisher.at(hostile(response).url)(*words)
        shown = done.out + done.err
        assert "owned" in shown
        assert not set(shown) & set("\x1b\x07\x9b\u202e\r\x08\x7f")


def test_a_withdrawal_whose_erasing_goes_on_says_so(publisher, hostile):
    tombstone = {"id": 128, "etag": "140-abcd", "status": "killed", "note": "Wrong."}
    server = hostile(answers(200, ITEM), answers(201, tombstone, purge="pending"))
    done = publisher.at(server.url)("kill", "128", "--note", "Wrong.")
    assert done.code == 0
    assert "still being erased" in done.out
    server = hostile(answers(200, ITEM), answers(201, tombstone, purge="pending"))
    assert publisher.at(server.url)("kill", "128", "--note=x", "--json").json["purge"] == "pending"


def test_text_that_is_no_utf_8_is_kept_and_not_sent(publisher, hostile):
    server = hostile(posted)
    failed = publisher.at(server.url)("post", "Bus hit", "-", stdin=b"caf\xe9")
    assert failed.code == 2
    assert "stdin is not UTF-8 (byte 4)" in failed.err
    assert str(publisher.home) in failed.err
    assert server.requests == []


def test_the_answer_is_one_object_with_everything(publisher, hostile):
    server = hostile(answers(201, ITEM, delivered="3; of=4; ms=12", idempotent_replayed="true"))
    given = publisher.at(server.url)("post", "Bus hit", "--json", "--key=k1").json
    assert given == {
        **ITEM,
        "link": f"{server.url}/feeds/world/items/128",
        "key": "k1",
        "delivered": {"readers": 3, "of": 4, "ms": 12},
        "replayed": True,
    }
    assert json.loads(server.requests[0].body) == {"headline": "Bus hit"}
