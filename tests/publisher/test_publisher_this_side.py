"""What goes wrong on the editor's own machine is a sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import pwd
import signal
import socket

import pytest
from hostile import CERTIFICATE, ITEM, answers, streams

from publisher.failures import Broken, Misused, as_failure
from publisher.text.files import own_folder

posted = answers(201, ITEM)
PAGE = {"items": [ITEM]}


def test_a_result_that_cannot_be_written_says_that_the_item_is_stored(publisher, hostile):
    publisher.at(hostile(posted).url)
    for words in ("post x --json", "post x --body=Text"):
        failed = publisher.through_shell(f"publisher {words} > /dev/full")
        assert failed.code == 70
        assert "No space left on device" in failed.err
        assert "Traceback" not in failed.err
    failed = publisher.through_shell("publisher post x --json > /dev/full")
    assert (failed.problem["stored"], failed.problem["id"]) == ("yes", 128)
    failed = publisher.through_shell("publisher post x > /dev/full")
    assert "Item 128 is stored all the same: http://" in failed.err


@pytest.mark.parametrize("line", ["--help", "--version", "list --help"])
def test_help_that_cannot_be_written_says_so(publisher, line):
    failed = publisher.through_shell(f"publisher {line} > /dev/full")
    assert failed.code == 70
    assert "cannot be written to stdout" in failed.err
    assert "Traceback" not in failed.err


def test_where_stdout_is_closed_nothing_is_sent(publisher, hostile):
    server = hostile(posted)
    publisher.at(server.url)
    for words in ("list", "post x"):
        failed = publisher.through_shell(f"publisher {words} >&-")
        assert failed.code == 2
        assert failed.err.startswith("publisher: stdout is closed")
    assert server.requests == []


def test_where_stdin_is_closed_no_text_can_come_from_it(publisher, hostile):
    server = hostile(posted)
    publisher.at(server.url)
    failed = publisher.through_shell("publisher post x - <&-")
    assert failed.code == 2
    assert "stdin is closed" in failed.err
    failed = publisher.through_shell("publisher post x - 0> /dev/null")
    assert failed.code == 2
    assert "stdin cannot be read" in failed.err
    assert server.requests == []


@pytest.mark.parametrize("line", ["--help", "list", "post x", "post x --json"])
def test_a_reader_that_has_seen_enough_is_no_fault(publisher, hostile, line):
    response = answers(200, PAGE) if line == "list" else posted
    publisher.at(hostile(response).url)
    # `true` is gone, and its end of the pipe closed, before the program has begun.
    done = publisher.through_shell(f"exec 3> >(true); wait $!; publisher {line} >&3; exit $?")
    assert (done.code, done.err) == (0, "")


def test_ctrl_c_while_the_modules_load_is_a_quiet_end(publisher, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'httpx':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Stop())\n"
    )
    path = f"{tmp_path}:{publisher.environ['PYTHONPATH']}"
    publisher.at("http://127.0.0.1:9")
    stopped = publisher("list", PYTHONPATH=path)
    assert (stopped.code, stopped.out, stopped.err) == (130, "", "")


def test_ctrl_c_before_anything_was_sent_is_130(publisher):
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        publisher.at(f"http://127.0.0.1:{taken.getsockname()[1]}")
        waiting = publisher.start("post", "Bus hit")
        assert "trying again" in waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        _, err = waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert "stopped; nothing was stored" in err
    assert "not known" not in err


def test_ctrl_c_in_json_is_an_object_too(publisher, tmp_path):
    publisher.at("http://127.0.0.1:9")
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, socket\n"
        "def refuse(*_, **__):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "socket.socket.connect = refuse\n"
    )
    path = f"{tmp_path}:{publisher.environ['PYTHONPATH']}"
    stopped = publisher("post", "x", "-", "--json", stdin="Text", PYTHONPATH=path)
    assert stopped.code == 130
    assert stopped.problem["type"] == "stopped"
    assert stopped.problem["saved"].startswith(str(publisher.home))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1", "the proxy in ALL_PROXY cannot be used"),
        ("HTTP_PROXY", "ftp://127.0.0.1:1", "the proxy in HTTP_PROXY cannot be used"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:1", "the proxy in HTTPS_PROXY cannot be used"),
        ("SSL_CERT_FILE", "/nonexistent", "SSL_CERT_FILE names no certificates"),
        ("SSL_CERT_FILE", "/etc/passwd", "SSL_CERT_FILE names no certificates"),
    ],
)
def test_an_environment_that_cannot_be_used_is_wrong_usage(publisher, name, value, said):
    failed = publisher.at("https://news.invalid")("list", **{name: value})
    assert failed.code == 2
    assert said in failed.err
    if name != "ALL_PROXY":  # which a WebSocket does not ask
        assert publisher("watch", "--json", **{name: value}).code in {2, 3}


@pytest.mark.parametrize("url", ["http://a..b", f"http://{'a' * 70}", "http://xn--a"])
@pytest.mark.parametrize("verb", ["list", "watch"])
def test_a_host_that_no_name_server_takes_is_wrong_usage(publisher, url, verb):
    failed = publisher.at(url)(verb)
    assert failed.code == 2
    assert "is not the address of a server" in failed.err


@pytest.mark.parametrize(
    "profile",
    [
        b"[]",
        b"{",
        b"\xff",
        b'{"url": 5, "token": "t", "feed": "world"}',
        b'{"url": "http://127.0.0.1:1", "token": 5, "feed": "world"}',
        b'{"url": "http://127.0.0.1:1", "token": "t", "feed": 5}',
        b'{"url": "http://a..b:x", "token": "t", "feed": "world"}',
    ],
)
def test_a_broken_profile_is_told_in_a_sentence(publisher, hostile, profile):
    path = publisher.home / ".config/publisher/profile.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(profile)
    failed = publisher("list")
    assert failed.code == 2
    assert f"the profile {path} cannot be read: it" in failed.err
    assert "publisher login URL" in failed.err
    server = hostile(answers(200, PAGE))
    given = {"PUBLISHER_URL": server.url, "PUBLISHER_TOKEN": "t"}
    assert publisher("list", "--feed=world", **given).code == 0  # which needs no profile


def test_without_a_home_folder_nothing_is_read_and_a_sentence_told(monkeypatch):
    def unknown(_: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(Misused, match="set HOME or XDG_CONFIG_HOME"):
        own_folder({}, "XDG_CONFIG_HOME", ".config")


def test_the_address_of_a_feeds_page_serves_every_verb(publisher, hostile):
    server = hostile(answers(200, PAGE))
    given = {"PUBLISHER_URL": f"{server.url}/feeds/world", "PUBLISHER_TOKEN": "t"}
    assert publisher("list", **given).code == 0
    assert server.requests[0].path.startswith("/v1/feeds/world/items?")


def test_an_unexpected_error_is_a_sentence_with_an_exit_code_of_its_own():
    failure = as_failure(ZeroDivisionError("by zero"))
    assert isinstance(failure, Broken)
    assert failure.exit_code == 70
    assert "unexpected error" in failure.headline
    assert "ZeroDivisionError" in failure.problem["fault"]


def test_a_certificate_that_cannot_be_verified_is_told_and_can_be_trusted(
    publisher, hostile, tmp_path
):
    pem = tmp_path / "own.pem"
    pem.write_text(CERTIFICATE)
    server = hostile(answers(200, PAGE), certificate=pem)
    publisher.at(server.url.replace("http:", "https:"))
    for verb in ("list", "watch"):
        failed = publisher(verb)
        assert failed.code == 3
        assert "its certificate cannot be verified" in failed.err
        assert "SSL_CERT_FILE" in failed.err
        assert "coming back" not in failed.err
    assert publisher("list", SSL_CERT_FILE=str(pem)).code == 0


def test_https_to_a_port_of_plain_http_names_the_address_to_use(publisher, hostile):
    server = hostile(answers(400, b"speak HTTP", "text/plain"))
    for verb in ("list", "watch"):
        failed = publisher.at(server.url.replace("http:", "https:"))(verb)
        assert failed.code == 3
        assert f"this port speaks plain http; use {server.url}" in failed.err
        assert "coming back" not in failed.err


def test_login_says_which_token_it_took(publisher, newsroom):
    done = publisher("login", newsroom.url, stdin="nf_other\n", PUBLISHER_TOKEN=newsroom.token)
    assert done.code == 0
    assert "the token is that of PUBLISHER_TOKEN" in done.err
    assert "unset PUBLISHER_TOKEN" in done.err


def test_an_address_that_the_environment_names_is_said_where_it_has_no_token(publisher, hostile):
    failed = publisher("post", "News", PUBLISHER_URL=hostile().url, PUBLISHER_FEED="world")
    assert failed.code == 2
    assert "(the address is that of PUBLISHER_URL)" in failed.err


def test_no_token_at_the_prompt_is_a_sentence(publisher):
    with publisher.at_terminal("login", "http://127.0.0.1:9") as terminal:
        terminal.read_until("Token: ")
        os.write(terminal.master, b"\x04")  # Ctrl-D
        assert "no token" in terminal.read_until("stdin")
        assert terminal.result()[0] == 2


def test_watch_tells_into_a_pipe_at_once(publisher, hostile):
    position = {"epoch": "e", "now": "2025-05-17T07:13:00.000Z"}
    item = {"id": 7, "version": 9, "headline": "At once"}

    server = hostile(
        *streams(
            {"type": "snapshot", "cursor": "1", "items": [], **position},
            {"type": "changes", "since": "1", "cursor": "2", "items": [item], **position},
        )
    )
    watching = publisher.at(server.url).start("watch")
    try:
        assert "At once" in watching.stdout.readline()
    finally:
        watching.kill()
        watching.communicate()
