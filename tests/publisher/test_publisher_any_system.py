"""The publisher needs nothing that only Linux has, and no wait of its own is without an end."""

from __future__ import annotations

import json
import signal
import socket

import pytest
from hostile import ITEM, Request, answers, streams

# What Windows lacks, and a little more; the standard library does without all of it.
ELSEWHERE = """\
import signal, sys
for name in ("SIGALRM", "ITIMER_REAL", "setitimer", "getitimer", "alarm", "pause", "SIGHUP"):
    delattr(signal, name)
class Absent:
    names = {"fcntl", "termios", "tty", "pty", "resource", "syslog", "readline", "uvloop"}
    def find_spec(self, name, *_):
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
for name in Absent.names:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Absent())
"""
SNAPSHOT = {"type": "snapshot", "cursor": "1", "items": [], "epoch": "e", "now": ""}


@pytest.fixture
def elsewhere(publisher, tmp_path):
    """An editor on a system without the modules and signals that only Linux has."""
    (tmp_path / "sitecustomize.py").write_text(ELSEWHERE)
    publisher.environ["PYTHONPATH"] = f"{tmp_path}:{publisher.environ['PYTHONPATH']}"
    return publisher


def test_every_verb_works_without_what_only_linux_has(elsewhere, newsroom):
    editor = elsewhere
    assert editor("login", newsroom.url, stdin=newsroom.token).code == 0
    write = editor.editor("text = 'Bus hit\\n\\nA drone.\\n'")
    posted = editor("post", "--edit", "--json", EDITOR=write)
    assert posted.code == 0, posted.err
    number = str(posted.json["id"])
    for words in (
        ["update", number, "-"],
        ["fix", number, "--tag=sumy"],
        ["correct", number, "--note=Wrong."],
        ["hold", number],
        ["release", number],
        ["pin", number],
        ["unpin", number],
        ["kill", number, "--note=Wrong."],
        ["list"],
        ["show", number],
    ):
        done = editor(*words, stdin="A text")
        assert done.code == 0, (words, done.err)
    watching = editor.start("watch")
    try:
        assert "following world" in watching.stderr.readline()
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=30) == 0
    finally:
        watching.kill()
        watching.communicate()


def test_what_waited_is_sent_without_what_only_linux_has(elsewhere, newsroom):
    editor = elsewhere.at(newsroom.url, newsroom.token)
    port = newsroom.port
    newsroom.stop()
    waits = editor("post", "Bus hit", "--timeout=0.5")
    assert waits.code == 3
    assert "Bus hit" in editor("outbox", "list").out
    newsroom.start(port)
    sent = editor("outbox", "send", "--yes")
    assert sent.code == 0, sent.err
    assert "Bus hit" in editor("list").out
    assert editor("outbox", "--json").json == {"outbox": []}


def test_an_event_stream_is_followed_without_what_only_linux_has(elsewhere, hostile):
    server = hostile(*streams(SNAPSHOT, {"type": "ended"}))
    done = elsewhere.at(server.url)("watch")
    assert done.code == 0, done.err
    assert "is closed" in done.err


@pytest.mark.parametrize("seconds", [0.3, 3600])
@pytest.mark.parametrize("verb", ["list", "watch"])
def test_a_name_server_that_answers_late_or_never_is_given_up_in_time(
    publisher, tmp_path, verb, seconds
):
    (tmp_path / "sitecustomize.py").write_text(
        f"import socket, time\nsocket.getaddrinfo = lambda *_, **__: time.sleep({seconds})\n"
    )
    path = f"{tmp_path}:{publisher.environ['PYTHONPATH']}"
    publisher.at("https://news.example")
    failed = publisher(verb, "--timeout=0.2", PYTHONPATH=path)
    assert failed.code == 3
    assert "https://news.example does not answer; gave up after" in failed.err
    assert all(
        line.startswith(("publisher: ", "Is the server")) for line in failed.err.splitlines()
    )


def test_a_connection_that_ended_while_the_editor_was_open_is_not_used_again(publisher, hostile):
    def ends_later(connection: socket.socket, _: Request) -> None:
        body = json.dumps(ITEM).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        connection.sendall(f"{head}\r\n\r\n".encode() + body)
        connection.shutdown(socket.SHUT_RDWR)

    server = hostile(ends_later, answers(201, ITEM))
    change = publisher.editor("text = text.replace('Bus hit', 'Bus hit, 9 dead', 1)")
    done = publisher.at(server.url)("update", "128", "--edit", EDITOR=change)
    assert done.code == 0
    assert done.err == ""
    assert [request.method for request in server.requests] == ["GET", "POST"]


def test_watch_follows_no_redirect(publisher, hostile):
    there = hostile(answers(200, {}))
    away = answers(301, b"", "text/plain", location=f"{there.url}/v1/feeds/world/live")
    failed = publisher.at(hostile(away).url)("watch")
    assert failed.code == 3
    assert "does not answer as a feedserver does" in failed.err
    assert there.requests == []
