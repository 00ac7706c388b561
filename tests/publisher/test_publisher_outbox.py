"""What was typed reaches the server once, whenever the command, the server or the disk fails."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hostile import ITEM, answers, problem, resets, says_nothing

posted = answers(201, ITEM)
TOMBSTONE = {"id": 128, "etag": "140-abcd", "status": "killed", "note": "Wrong."}
KILLED = answers(
    410,
    {"type": "killed", "title": "Gone", "detail": "withdrawn", "tombstone": TOMBSTONE},
    "application/problem+json",
)


@contextmanager
def nobody_listens():
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def kept(publisher):
    """Return what is on disk, by number."""
    folder = publisher.home / ".local/state/publisher/outbox"
    return {int(path.stem): json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def age(publisher, number, **by):
    """Make an entry older than it is."""
    path = publisher.home / f".local/state/publisher/outbox/{number}.json"
    entry = json.loads(path.read_text())
    entry["at"] = (datetime.now(UTC) - timedelta(**by)).isoformat()
    path.write_text(json.dumps(entry))


def test_a_command_that_dies_between_any_two_steps_posts_once_or_never_left(publisher, newsroom):
    editor = publisher.at(newsroom.url, newsroom.token)
    driver = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(driver)],
        env=editor.environ, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rounds = [json.loads(line) for line in done.stdout.splitlines()]
    assert rounds[-1]["code"] == 0
    assert all(one["code"] == -signal.SIGKILL for one in rounds[:-1])
    steps = [one["step"] for one in rounds[:-1]]
    assert steps.count("send") >= 1
    there = [item["headline"] for item in editor("list", "--all", "--json").json["items"]]
    whole = steps.index("replace") + 1  # from here on the command is on disk
    assert whole <= steps.index("connect") < steps.index("send")
    for number, one in enumerate(rounds):
        assert there.count(one["headline"]) == int(number >= whole), one
        assert (one["sent"], one["left"]) == (0, []), one
        assert one["kept"] in ([], [True]), one


def test_the_command_is_on_disk_before_the_first_byte_leaves_and_gone_once_it_is_done(
    publisher, hostile
):
    server = hostile(says_nothing)
    waiting = publisher.at(server.url).start("post", "Bus hit", "--tag=sumy", "--key=k1")
    server.asked.wait(timeout=30)
    [entry] = kept(publisher).values()
    assert (entry["server"], entry["feed"], entry["key"]) == (server.url, "world", "k1")
    assert entry["fields"] == {"headline": "Bus hit", "tags": ["sumy"]}
    assert "secret" not in json.dumps(entry)
    assert publisher("outbox").out.split("\t")[2] == "being sent"
    assert publisher("post", "Bus hit", "--tag=sumy", "--key=k1").code == 2  # it is on its way
    waiting.kill()
    waiting.communicate()
    server.responses = [posted]
    assert publisher("outbox", "send").code == 0
    assert [request.headers["idempotency-key"] for request in server.requests] == ["k1", "k1"]
    assert kept(publisher) == {}
    assert publisher("outbox").err == "publisher: the outbox is empty\n"


def test_what_is_in_the_outbox_is_told_by_every_later_command_with_its_age(publisher, hostile):
    server = hostile(resets, resets, answers(200, {"items": []}))
    failed = publisher.at(server.url)("post", "Bus hit", "--timeout=2")
    assert failed.code == 3
    assert "publisher outbox send 1; or the whole command:" in failed.err
    server.responses = [answers(200, {"items": [ITEM]})]
    age(publisher, 1, hours=3)
    said = publisher("list").err
    assert said == "publisher: in the outbox: 1 not sent yet (3 h); see: publisher outbox\n"
    assert publisher("list", "--json").err == ""
    assert "outbox" not in publisher("--version").err + publisher("list", "--help").err
    listed = publisher("outbox", "--json").json["outbox"]
    assert [(one["number"], one["state"], one["verb"]) for one in listed] == [
        (1, "may be stored", "post")
    ]


def test_a_refused_command_stays_is_not_sent_again_by_itself_and_can_be_mended(publisher, hostile):
    server = hostile(problem(404, "not-found", "no feed world"), answers(200, {"feeds": []}))
    failed = publisher.at(server.url)("post", "Bus hit", "--body=A text")
    assert failed.code == 1
    assert "It stays in the outbox as 1 and is not sent again by itself" in failed.err
    command = next(line for line in failed.err.splitlines() if line.startswith("  publisher "))
    shown = publisher("outbox")
    assert "1 was refused: no feed world" in shown.out
    assert command in shown.out

    asked = len(server.requests)
    assert publisher("outbox", "send").code == 0
    assert len(server.requests) == asked
    server.responses = [posted]
    assert publisher(*shlex.split(command)[1:]).code == 0
    assert kept(publisher) == {}


def test_send_tells_by_its_exit_code_what_is_left(publisher, hostile):
    server = hostile(resets)
    publisher.at(server.url)
    for headline in ("One", "Two"):
        assert publisher("post", headline, "--timeout=2").code == 3
    still = publisher("outbox", "send", "--timeout=2")
    assert still.code == 3
    assert "1, post “One”, stays:" in still.err
    server.responses = [posted, problem(403, "forbidden", "not yours"), answers(200, {"feeds": []})]
    some = publisher("outbox", "send", "--json")
    assert some.code == 1
    assert [one["number"] for one in some.json["sent"]] == [1]
    assert [one["detail"] for one in some.json["refused"]] == ["not yours"]
    assert publisher("outbox", "send", "7").code == 2
    assert publisher("outbox", "drop", "2").out == "Dropped 2, post “Two”\n"
    assert publisher("outbox", "send").code == 0


def test_old_news_is_asked_about_before_it_goes_out(publisher, hostile):
    server = hostile(resets)
    assert publisher.at(server.url)("post", "Bus hit", "--timeout=2").code == 3
    age(publisher, 1, minutes=11)
    server.responses = [posted]
    asked = len(server.requests)
    unsent = publisher("outbox", "send")
    assert unsent.code == 3
    assert "publisher outbox send 1 --yes" in unsent.err
    assert len(server.requests) == asked
    with publisher.at_terminal("outbox", "send") as terminal:
        terminal.read_until("was typed 11 min ago; send it as news now? [y/N]")
        terminal.type("y")
        code, out = terminal.result()
    assert (code, "Posted 128" in out) == (0, True)


def test_edits_reach_an_item_in_the_order_in_which_they_were_made(publisher, newsroom):
    editor = publisher.at(newsroom.url, newsroom.token)
    item = editor("post", "Bus hit", "--json").json
    number, etag, port = str(item["id"]), item["etag"], newsroom.port
    newsroom.stop()
    first = editor("update", number, "--body=First.", f"--if-match={etag}", "--timeout=2")
    assert first.code == 3
    newsroom.start(port)
    done = editor("fix", number, "--tag=sumy")
    assert done.code == 0, done.err
    assert f"sent from the outbox: update {number}" in done.err
    log = editor("show", number, "--revisions", "--json").json["revisions"]
    assert [one["verb"] for one in log] == ["post", "update", "fix"]


def test_what_cannot_be_sent_yet_holds_back_what_comes_after_it(publisher, hostile):
    server = hostile(resets)
    publisher.at(server.url)
    assert publisher("update", "128", "--body=1", "--if-match=128-x", "--timeout=2").code == 3
    age(publisher, 1, minutes=30)
    server.responses = [posted]
    failed = publisher("hold", "128")
    assert failed.code == 3
    assert "an earlier command for item 128 is in the outbox" in failed.err
    assert [entry["verb"] for entry in kept(publisher).values()] == ["update", "hold"]


def test_a_kill_waits_for_nothing_and_takes_the_words_for_its_item_away(publisher, newsroom):
    editor = publisher.at(newsroom.url, newsroom.token)
    number, port = str(editor("post", "Bus hit", "--json").json["id"]), newsroom.port
    newsroom.stop()
    assert editor("update", number, "-", "--timeout=2", stdin="A name.").code == 3
    assert len(editor.texts) == 1
    assert editor("hold", number, "--timeout=2").code == 3
    newsroom.start(port)
    assert editor("kill", number, "--note=Wrong.").code == 0
    assert kept(publisher) == {}
    assert editor.texts == []
    log = editor("show", number, "--revisions", "--json").json["revisions"]
    assert [one["verb"] for one in log] == ["post", "kill"]


def test_a_kill_in_the_outbox_goes_without_what_came_before_it(publisher, newsroom):
    editor = publisher.at(newsroom.url, newsroom.token)
    number, port = str(editor("post", "Bus hit", "--json").json["id"]), newsroom.port
    newsroom.stop()
    assert editor("update", number, "--body=A name.", "--timeout=2").code == 3
    assert editor("kill", number, "--note=Wrong.", "--timeout=2").code == 3
    newsroom.start(port)
    assert editor("outbox", "send").code == 0
    assert kept(publisher) == {}
    log = editor("show", number, "--revisions", "--json").json["revisions"]
    assert [one["verb"] for one in log] == ["post", "kill"]


def test_what_was_posted_in_doubt_and_withdrawn_since_leaves(publisher, hostile):
    server = hostile(resets)
    assert publisher.at(server.url)("post", "Bus hit", "-", "--timeout=2", stdin="A name").code == 3
    server.responses = [KILLED]
    assert publisher("outbox", "send").code == 1
    assert (kept(publisher), publisher.texts) == ({}, [])


def test_an_entry_goes_to_its_own_server_with_the_token_it_was_written_with(publisher, hostile):
    server = hostile(resets)
    assert publisher.at(server.url)("post", "Bus hit", "--timeout=2").code == 3
    other = hostile(posted)
    elsewhere = publisher.at(other.url)("outbox", "send")
    assert elsewhere.code == 3
    assert f"it is for {server.url}" in elsewhere.err
    assert other.requests == []


@pytest.mark.parametrize("words", [["post", "Bus hit", "-"], ["post", "--edit"]])
def test_where_nothing_can_be_kept_it_is_sent_all_the_same(publisher, hostile, words):
    write = publisher.editor("text = 'Bus hit\\n\\nA drone.\\n'")
    nowhere = {"XDG_STATE_HOME": "/dev/null/state", "EDITOR": write}
    server = hostile(posted)
    done = publisher.at(server.url)(*words, stdin="A drone.", **nowhere)
    assert done.code == 0
    assert "cannot be kept on this machine (Not a directory); it is sent all the same" in done.err
    assert server.requests[0].json == {"headline": "Bus hit", "body": "A drone."}


def test_where_nothing_can_be_kept_and_nobody_answers_the_words_are_printed(publisher, hostile):
    nowhere = {"XDG_STATE_HOME": "/dev/null/state", "TMPDIR": "/dev/null/tmp"}
    server = hostile(resets)
    failed = publisher.at(server.url)(
        "post", "Bus hit", "-", "--timeout=2", stdin="A drone.", **nowhere
    )
    assert failed.code == 3
    command = next(line for line in failed.err.splitlines() if line.startswith("  publisher "))
    server.responses = [posted]
    words = [one for one in shlex.split(command)[1:] if not one.startswith("--timeout")]
    assert publisher(*words).code == 0
    assert server.requests[-1].json == {"headline": "Bus hit", "body": "A drone."}


def test_ctrl_c_before_anything_was_sent_takes_it_back(publisher):
    with nobody_listens() as port:
        waiting = publisher.at(f"http://127.0.0.1:{port}").start("post", "Bus hit")
        assert "trying again" in waiting.stderr.readline()
        assert len(kept(publisher)) == 1
        waiting.send_signal(signal.SIGINT)
        waiting.communicate(timeout=30)
    assert kept(publisher) == {}


def test_the_wait_for_a_server_is_counted_down_at_a_terminal(publisher):
    with nobody_listens() as port:
        publisher.at(f"http://127.0.0.1:{port}")
        with publisher.at_terminal("post", "Bus hit", "--timeout=20") as terminal:
            terminal.read_until("waiting for the server, 1")
            terminal.read_until(" s left")
            os.kill(terminal.process.pid, signal.SIGINT)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["outbox", "drop"], "which entries?"),
        (["outbox", "empty"], "unexpected argument: empty; say list, send or drop"),
        (["outbox", "drop", "x"], "'x' is not a number of the outbox"),
        (["outbox", "send", "--all"], "--all stands alone behind drop"),
    ],
)
def test_what_the_outbox_does_not_understand(publisher, words, said):
    done = publisher(*words)
    assert done.code == 2
    assert said in done.err
