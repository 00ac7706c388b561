"""Feeds, tokens and settings from a terminal, beside a running server or without one."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from endings import Done, done, refused
from support.lines import eventually
from support.server import ROOT, Server

from feedserver.commands import embed
from feedserver.settings import TABLE
from feedserver.site.assets import ticker_version
from feedserver.sqlite import connecting, writer
from feedserver.sqlite.database import GLANCED_MAX

Command = Callable[..., Done]
Opening = Callable[[Path], Done]


def test_a_feed_is_added_listed_closed_and_reopened(within: Command, data: Path) -> None:
    add = ["feed", "add", "world", "--title", "World news", "--data", data]
    assert "world" in done(
        within(*add, "--language", "uk", "--timezone", "Europe/Kyiv", "--description", "d")
    )
    done(within("feed", "add", "a-1", "--title", "A", "--data", data))
    first, second = done(within("feed", "list", "--data", data)).splitlines()
    assert first.split("\t") == ["a-1", "open", "-", "-", "A"]
    assert second.split("\t") == ["world", "open", "uk", "Europe/Kyiv", "World news"]
    refused(within(*add), "world", "already")
    done(within("feed", "close", "world", "--data", data))
    assert "closed since 20" in done(within("feed", "list", "--data", data))
    done(within("feed", "reopen", "world", "--data", data))
    assert "closed" not in done(within("feed", "list", "--data", data))
    for words in (
        ["feed", "close", "wrld"],
        ["embed", "wrld"],
        ["token", "add", "x", "--feed=wrld"],
    ):
        suggestion = "no feed wrld; the feeds: a-1, world; did you mean world?"
        refused(within(*words, "--data", data), suggestion)
    assert "mean" not in refused(within("feed", "reopen", "q", "--data", data), "feeds: a-1, world")


def test_a_feed_is_edited_and_what_is_left_out_stays(within: Command, data: Path) -> None:
    more = ["--data", data]
    done(within("feed", "add", "world", "--title", "World", "--language", "en", *more))
    assert "world" in done(within("feed", "edit", "world", "--title", "World news", *more))
    done(within("feed", "edit", "world", "--timezone", "Europe/Kyiv", *more))
    [line] = done(within("feed", "list", *more)).splitlines()
    assert line.split("\t") == ["world", "open", "en", "Europe/Kyiv", "World news"]
    done(within("feed", "edit", "world", "--language", "", "--description", "d", *more))
    [line] = done(within("feed", "list", *more)).splitlines()
    assert line.split("\t")[2] == "-"
    refused(within("feed", "edit", "world", "--timezone", "Kyiv", *more), "--timezone: ")
    refused(within("feed", "edit", "world", "--title", "", *more), "--title: ")
    refused(within("feed", "edit", "wrld", "--title", "T", *more), "did you mean world?")
    refused(within("feed", "edit", "world", *more), "say what to change: --title", code=2)
    assert done(within("feed", "list", *more)).splitlines() == [line]


def test_a_feed_that_is_so_already_is_left_as_it_is(within: Command, data: Path) -> None:
    more = ["--data", data]
    done(within("feed", "add", "world", "--title", "World", "--language", "en", *more))
    for words, says in (
        (["edit", "world", "--title", "World", "--timezone", ""], "says so already"),
        (["reopen", "world"], "is open already"),
    ):
        before = records(data)
        assert says in done(within("feed", *words, *more))
        told = json.loads(done(within("feed", *words, "--json", *more)))
        assert told["unchanged"] is True
        assert told["title"] == "World"
        assert records(data) == before
    told = json.loads(done(within("feed", "edit", "world", "--title", "W", "--json", *more)))
    assert "unchanged" not in told
    done(within("feed", "close", "world", *more))
    before = records(data)
    assert "is closed already" in done(within("feed", "close", "world", *more))
    assert records(data) == before


def records(data: Path) -> int:
    with closing(sqlite3.connect(data / "feed.db")) as connection:
        count: int = connection.execute("SELECT count(*) FROM records").fetchone()[0]
        return count


def test_lists_have_headings_and_columns_on_a_terminal_alone(
    within: Command, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(within("feed", "add", "world", "--title", "World news", "--data", data))
    done(within("feed", "add", "a", "--title", "A", "--data", data))
    done(within("token", "add", "anna", "--data", data))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert done(within("feed", "list", "--data", data)).splitlines() == [
        "FEED   STATE  LANGUAGE  TIMEZONE  TITLE",
        "a      open   -         -         A",
        "world  open   -         -         World news",
    ]
    headings, anna = done(within("token", "list", "--data", data)).splitlines()
    assert headings.split() == ["NAME", "STATE", "FEEDS", "RIGHTS", "CREATED"]
    assert anna.index("good") == headings.index("STATE")


@pytest.mark.parametrize("integrity", [None, "sha384-abc"], ids=["under way", "released"])
def test_what_embeds_a_feed_pins_only_a_released_ticker(
    within: Command, data: Path, monkeypatch: pytest.MonkeyPatch, integrity: str | None
) -> None:
    monkeypatch.setattr(embed, "released_sri", lambda: integrity)
    done(within("feed", "add", "world", "--title", "A & B", "--data", data))
    printed = within("embed", "world", "--url", "https://news.example", "--data", data)
    assert "{ display: block; block-size: 28em }" in done(printed)
    pasted = re.sub(r"<!--.*?-->\n", "", done(printed), flags=re.DOTALL)
    assert pasted.splitlines() == [
        '<script type="module" src="https://news.example/ticker.js"></script>',
        '<live-ticker src="https://news.example/feeds/world">'
        '<a href="https://news.example/feeds/world">A &amp; B</a></live-ticker>',
    ]
    version = ticker_version()
    pinned = f'src="https://news.example/ticker-{version}.js"\n  integrity="{integrity}"'
    assert (pinned in printed.stdout) == bool(integrity)
    assert ("not released" in printed.stderr) == (integrity is None)


def test_what_embeds_a_feed_names_an_address_that_readers_can_go_to(
    within: Command, data: Path
) -> None:
    done(within("feed", "add", "world", "--title", "T", "--data", data))
    embed = ["embed", "world", "--data", str(data)]
    printed = done(within(*embed, FEEDSERVER_HOST="::1", FEEDSERVER_PORT="9000"))
    assert 'src="http://[::1]:9000/ticker.js"' in printed
    for nowhere in ({"FEEDSERVER_HOST": "0.0.0.0"}, {"FEEDSERVER_PORT": "0"}):
        refused(within(*embed, **nowhere), "--url https://news.example", code=2)
        done(within(*embed, "--url", "https://news.example", **nowhere))


def test_a_title_cannot_move_the_cursor_of_a_terminal(
    within: Command, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(within("feed", "add", "world", "--title", "a\u202eb\u2066c", "--data", data))
    for terminal in (True, False):
        monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)  # noqa: B023
        assert "a\ufffdb\ufffdc" in done(within("feed", "list", "--data", data))


def test_a_terminal_without_the_letters_of_a_title_still_lists_it(
    feedserver: Command, data: Path
) -> None:
    done(feedserver("feed", "add", "world", "--title", "Новини", "--data", data))
    listed = feedserver("feed", "list", "--data", data, PYTHONIOENCODING="ascii")
    assert "\\u041d" in done(listed)


def test_an_answer_that_cannot_be_written_is_said_and_its_token_is_revoked(
    feedserver: Command, data: Path
) -> None:
    done(feedserver("feed", "add", "world", "--title", "T", "--data", data))
    with Path("/dev/full").open("w") as full:
        for words in (["feed", "list"], ["settings"]):
            command = feedserver(*words, "--data", data, stdout=full)
            assert command.returncode == 1
            assert command.stderr.count("\n") == 1
            assert "No space left" in command.stderr
        command = feedserver("token", "add", "anna", "--data", data, stdout=full)
        assert command.returncode == 1
        assert "so it was revoked" in command.stderr
    assert "revoked at 20" in done(feedserver("token", "list", "--data", data))


def test_who_has_read_enough_of_an_answer_is_not_troubled(feedserver: Command, data: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as pipe:
        for words in (["settings"], ["--help"]):
            command = feedserver(*words, stdout=pipe)
            assert (command.returncode, command.stderr) == (0, "")


@pytest.mark.parametrize("slug", ["World", "a b", "", "ї", "a_b", "a" * 64, "../x"])
def test_a_bad_slug_says_what_a_slug_is(within: Command, data: Path, slug: str) -> None:
    command = within("feed", "add", slug, "--title", "T", "--data", data)
    refused(command, "SLUG: ", "small letters", "e.g. world")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--title", ""], ["--title: ", "needs a title"]),
        (["--title", "x" * 201], ["--title: ", "at most 200"]),
        (["--title", "a\x1bb"], ["--title: ", "U+001B"]),
        (["--title", "T", "--language", "english"], ["--language: ", "pt-BR"]),
        (["--title", "T", "--timezone", "Kyiv"], ["--timezone: ", "Europe/Kyiv"]),
    ],
)
def test_a_bad_setting_of_a_feed_is_named(
    within: Command, data: Path, options: list[str], words: list[str]
) -> None:
    refused(within("feed", "add", "world", *options, "--data", data), *words)
    assert done(within("feed", "list", "--data", data)) == ""


def test_a_token_is_printed_alone_and_once_and_only_its_hash_is_kept(
    feedserver: Command, data: Path
) -> None:
    command = feedserver("token", "add", "anna", "--data", data)
    token = done(command).removesuffix("\n")
    assert token.startswith("nf_")
    assert len(token) > 40
    assert token.split() == [token]
    assert token not in command.stderr
    assert token not in done(feedserver("token", "list", "--data", data))
    for path in data.iterdir():
        assert token.removeprefix("nf_").encode() not in path.read_bytes()


def test_tokens_are_listed_with_what_they_may_do_and_revoked(within: Command, data: Path) -> None:
    for slug in ("world", "sport"):
        done(within("feed", "add", slug, "--title", "T", "--data", data))
    scope = ["--feed", "world", "--feed", "sport"]
    done(within("token", "add", "ben", *scope, "--import", "--data", data))
    done(within("token", "add", "anna", "--data", data))
    anna, ben = done(within("token", "list", "--data", data)).splitlines()
    assert anna.split("\t")[:4] == ["anna", "good", "all feeds", "-"]
    assert ben.split("\t")[:4] == ["ben", "good", "world,sport", "imports"]
    refused(within("token", "add", "ben", "--data", data), "revoke it first", "ends ben's login")
    done(within("token", "revoke", "ben", "--data", data))
    assert "revoked at 20" in done(within("token", "list", "--data", data))
    refused(within("token", "revoke", "ben", "--data", data), "ben is revoked already")
    refused(within("token", "revoke", "bob", "--data", data), "no token bob", "token list")
    done(within("token", "add", "ben", "--data", data))
    for more, said in ((["--feed=sport"], "the feed sport;"), (scope, "the feeds world, sport;")):
        assert said in within("token", "add", f"n{len(more)}", *more, "--data", data).stderr


def test_whether_a_token_is_still_good_is_said_in_the_commands_own_words(
    within: Command, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ["--data", data]
    done(within("feed", "add", "world", "--title", "World", *more))
    done(within("token", "add", "ben", *more))
    failing = sqlite3.OperationalError("disk I/O error")
    for fault, words in (
        (writer.NoRoom(), ("ben is NOT revoked", "no room on the disk")),
        (failing, ("not known whether ben was shut out", "token list")),
    ):

        def fail(*given: object, fault: Exception = fault) -> None:
            raise fault

        with monkeypatch.context() as patched:
            patched.setattr(writer, "transact", fail)
            assert "Idempotency" not in refused(within("token", "revoke", "ben", *more), *words)
            told = refused(within("feed", "close", "world", *more))
            assert "Idempotency" not in told
    done(within("token", "revoke", "ben", *more))


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb", "a\tb", "a\x1b[31m"])
def test_a_token_needs_a_name_that_can_be_read(within: Command, data: Path, name: str) -> None:
    refused(within("token", "add", name, "--data", data), "NAME: ", "100 printable")


def test_a_token_in_a_file_that_others_can_read_is_said(feedserver: Command, data: Path) -> None:
    files = data.parent / "open", data.parent / "private"
    for path, mode in zip(files, (0o644, 0o600), strict=True):
        path.touch(mode=mode)
        with path.open("w") as file:
            command = feedserver("token", "add", path.name, "--data", data, stdout=file)
        assert command.returncode == 0
        assert path.read_text().startswith("nf_")
        assert ("chmod 600" in command.stderr) is (mode == 0o644)


def test_commands_beside_a_running_server_take_effect_at_once(server: Server) -> None:
    with server.reading() as client:
        server.cli("feed", "add", "sport", "--title", "Sport")
        assert client.get("/v1/feeds/sport").json()["title"] == "Sport"
        first = client.get("/v1/feeds/sport").json()["cursor"]
        server.cli("feed", "close", "sport")
        while "closed_at" not in (feed := client.get("/v1/feeds/sport").json()):
            assert feed["cursor"] == first
        server.cli("feed", "reopen", "sport")
        while "closed_at" in client.get("/v1/feeds/sport").json():
            pass


READING = (["feed", "list"], ["token", "list"], ["embed", "world"])
WRITING = (
    ["feed", "add", "sport", "--title", "Sport"],
    ["feed", "edit", "world", "--title", "T"],
    ["feed", "close", "world"],
    ["token", "add", "ben"],
    ["token", "revoke", "anna"],
    ["check", "--accept-clock"],
)


@pytest.fixture
def begun(within: Command, data: Path) -> Path:
    done(within("feed", "add", "world", "--title", "World", "--data", data))
    done(within("token", "add", "anna", "--data", data))
    return data


@contextmanager
def written_to(data: Path) -> Iterator[None]:
    """Hold the write lock, as long work of another process does."""
    with closing(sqlite3.connect(data / "feed.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_commands_that_read_wait_for_no_writer_and_draw_no_keys(
    within: Command, begun: Path
) -> None:
    keys = (begun / "feed.keys").read_bytes()
    with written_to(begun):
        for words in READING:
            assert done(within(*words, "--data", begun))
    assert (begun / "feed.keys").read_bytes() == keys


def test_commands_that_read_work_where_nothing_may_be_written(
    feedserver: Command, begun: Path
) -> None:
    def readable_alone() -> None:
        for path in begun.iterdir():
            path.chmod(0o444)
        begun.chmod(0o555)

    readable_alone()
    for words in READING:
        assert done(feedserver(*words, "--data", begun)), words
    begun.chmod(0o755)
    with closing(sqlite3.connect(begun / "feed.db")) as beside:  # as a server: it keeps a log
        beside.execute("INSERT INTO meta VALUES ('x', 'y')")
        beside.commit()
        readable_alone()
        for words in READING:
            assert done(feedserver(*words, "--data", begun)), words
        begun.chmod(0o755)


@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_a_command_that_waits_for_a_writer_in_vain_says_so(
    within: Command, begun: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setattr(connecting, "BUSY_SECONDS", 0.05)
    with written_to(begun):
        command = within(*words, "--data", begun)
    refused(command, "another process is writing to", "feed.db", "try again")


# Settings


def test_every_setting_is_listed_with_its_variable_and_its_value(
    within: Command, data: Path
) -> None:
    lines = done(within("settings", "--data", data, FEEDSERVER_HEARTBEAT="7")).splitlines()
    found = {line.split("\t")[0]: line.split("\t")[1] for line in lines}
    assert set(found) == {setting.variable for setting in TABLE}
    assert found["FEEDSERVER_HEARTBEAT"] == "7"
    assert found["FEEDSERVER_DATA"] == str(data)
    assert found["FEEDSERVER_WORKERS"] == "1"
    assert found["FEEDSERVER_IO_URING"] == "off"
    listed = done(within("settings", FEEDSERVER_IO_URING="on"))
    assert "FEEDSERVER_IO_URING\ton\t" in listed
    assert all(line.split("\t")[2] for line in lines)


def test_the_data_folder_may_come_from_its_variable_and_an_option_wins(
    within: Command, data: Path, tmp_path: Path
) -> None:
    done(within("feed", "add", "world", "--title", "T", FEEDSERVER_DATA=str(data)))
    assert (data / "feed.db").exists()
    elsewhere = str(tmp_path / "elsewhere")
    assert "world" in done(within("feed", "list", "--data", data, FEEDSERVER_DATA=elsewhere))


BAD_SETTINGS = {
    "data": ["", " "],
    "host": ["", "a..b", "x" * 300],
    "port": ["65536", "-1", "http", "", "80.0", "٣"],
    "url": [
        "news.example",
        "ftp://x",
        "https://",
        "https://a b",
        "https://[",
        "https://a?b",
        "//a",
    ],
    "site_name": ["", " ", "x" * 101, "a\x1bb"],
    "site_image": ["card.png", "https://", "https://cdn.example", "ftp://x/y", 'https://x/"y'],
    "site_links": ["Imprint", "=/x", "Imprint=javascript:x", "a=/b c", " =/x", "a=/b,c"],
    "websub_hub": ["hub.example", "https://", "ftp://hub.example/", "https://hub.example/a b"],
    "workers": ["0", "65", "two", "-1"],
    "heartbeat": ["0", "301", "x", "1.5"],
    "readers": ["0", "-5", "many", "1000001"],
    "reader_rate": ["0", "x", "100001"],
    "cache_mib": ["0", "15", "x", "65537"],
    "aio": ["yes", "", "ON"],
    "io_uring": ["yes", "", "ON"],
    "log_level": ["loud", "", "INFO"],
}
FITS = {
    "data": "folder",
    "host": "host",
    "port": "0 to 65535",
    "url": "https://news.example",
    "site_name": "at most 100 characters",
    "site_image": "https://news.example/card.png",
    "site_links": "Imprint=https://news.example/imprint",
    "websub_hub": "https://hub.example/",
    "workers": "1 to 64",
    "heartbeat": "1 to 300",
    "readers": "1 to 1000000",
    "reader_rate": "1 to 100000",
    "cache_mib": "16 to 65536",
    "aio": "on or off",
    "io_uring": "on or off",
    "log_level": "debug, info, warning or error",
}


def test_every_setting_has_bad_values_to_try() -> None:
    assert set(BAD_SETTINGS) == set(FITS) == {setting.name for setting in TABLE}


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_a_bad_setting_is_named_with_what_fits(within: Command, data: Path, name: str) -> None:
    option, variable = f"--{name.replace('_', '-')}", f"FEEDSERVER_{name.upper()}"
    base = [] if name == "data" else ["--data", data]
    first, *others = BAD_SETTINGS[name]
    for value in (first, *others):
        command = within("serve", *base, f"{option}={value}")
        # That a host's name means nothing is found out only by trying it.
        refused(command, option, FITS[name], code=1 if name == "host" and value else 2)
    sentence = refused(within("serve", *base, **{variable: first}), FITS[name], code=2)
    assert variable in sentence or option in sentence
    assert not data.exists(), "something was made before the settings were read"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["serve", "extra"],
        ["serve", "--nonsense"],
        ["feed"],
        ["feed", "add"],
        ["feed", "add", "world"],
        ["feed", "list", "--port", "1"],
        ["token", "add"],
        ["token", "revoke"],
        ["demo", "--pause", "x"],
    ],
)
def test_wrong_usage_is_2_and_says_what_is_right(within: Command, words: list[str]) -> None:
    refused(within(*words), "usage: feedserver", code=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sevre"], "there is no command 'sevre'; did you mean serve?"),
        (["feed", "lsit"], "there is no command 'feed lsit'; did you mean list?"),
        (["serve", "--prot=1"], "there is no option --prot; did you mean --port?"),
        (["serve", "--dat", "x"], "there is no option --dat; did you mean --data?"),
        (["feed", "add", "world", "--titel", "T"], "no option --titel; did you mean --title?"),
        (["token", "qqq"], "there is no command 'token qqq'; the commands: add, list, revoke"),
        (["start"], "there is no command 'start'; to serve a folder: feedserver serve"),
        (["--data", "d", "serve"], "the command comes before --data: demo, serve, feed, embed"),
        (["token", "--data=d", "list"], "the command comes before --data=d: add, list, revoke"),
    ],
)
def test_a_misspelt_word_is_answered_with_a_suggestion(
    within: Command, words: list[str], said: str
) -> None:
    refused(within(*words), said, code=2)


def test_the_command_alone_shows_the_first_steps(within: Command) -> None:
    overview = refused(within(), "feedserver demo", code=2)
    steps = [overview.index(f"feedserver {step}") for step in ("feed add", "token add", "serve\n")]
    assert steps == sorted(steps)
    refused(within("feed"), "reopen", code=2)
    refused(within("token"), "revoke", code=2)


def test_help_and_version_are_there(within: Command) -> None:
    assert done(within("--version")).startswith("feedserver 0.")
    for words in ([], ["serve"], ["feed", "add"], ["token", "add"]):
        assert "usage: feedserver" in done(within(*words, "--help"))
    helped = done(within("serve", "--help"))
    for setting in TABLE:
        assert setting.variable in helped.replace("\n", "").replace(" ", "")


# Serving


@pytest.mark.parametrize("closing", ["", " >&-"], ids=["read", "closed"])
def test_serve_says_json_where_asked_and_works_where_stdout_is_closed(
    data: Path, closing: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    serve = f"{sys.executable} -m feedserver serve --json --data {data} --port {url[17:]}"
    shell = ["/bin/sh", "-c", f"exec {serve}{closing}"]
    process = subprocess.Popen(shell, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line == ("" if closing else f'{{"status": "ready", "url": "{url}"}}\n')
        eventually(lambda: answers(f"{url}/healthz"))
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False


def test_a_command_whose_result_has_nowhere_to_go_does_nothing(data: Path) -> None:
    command = f"{sys.executable} -m feedserver token add anna --data {data} >&-"
    failed = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, cwd=ROOT, text=True, check=False
    )
    assert failed.returncode == 2
    assert "stdout is closed" in failed.stderr
    assert not data.exists()


def test_serve_says_one_line_when_it_is_ready_and_ends_cleanly(
    within: Command, data: Path, tmp_path: Path
) -> None:
    done(within("feed", "add", "world", "--title", "T", "--data", data))
    for number in (signal.SIGTERM, signal.SIGINT):
        server = Server(data, new=False)
        command = [sys.executable, "-m", "feedserver", "serve", "--data", str(data), "--port", "0"]
        with (tmp_path / "errors").open("w") as errors:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, text=True
            )
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("feedserver is ready at http://127.0.0.1:")
            server.url = line.split()[-1]
            with server.reading() as client:
                assert client.get("/healthz").status_code == 200
            process.send_signal(number)
            rest = process.stdout.read()
            process.stdout.close()
        assert process.wait(20) == 0
        assert rest == ""
        assert (tmp_path / "errors").read_text() == ""
        names = {path.name for path in data.iterdir()}
        assert names <= {"feed.db", "feed.keys", "lock", "search.db"}, "a log was left behind"


def test_a_port_in_use_is_said_and_what_to_do(server: Server, within: Command, data: Path) -> None:
    port = str(server.port)
    for more in ([], ["--workers", "2"]):
        command = within("serve", "--data", data / "other", "--port", port, *more)
        refused(command, f"port {port}", "in use", "--port")
        assert not (data / "other").exists()
    with server.reading() as client:
        assert client.get("/healthz").status_code == 200


def test_an_address_of_another_machine_is_refused(within: Command, data: Path) -> None:
    refused(within("serve", "--data", data, "--host", "192.0.2.1", "--port", "0"), "192.0.2.1")


# The folder and its file


@pytest.fixture(params=["serve", "feed list"])
def opening(request: pytest.FixtureRequest, feedserver: Command, within: Command) -> Opening:
    """Both ways to open the folder: for good, and for one command beside a server."""
    if request.param == "serve":
        return lambda folder: feedserver("serve", "--port", "0", "--data", folder)
    return lambda folder: within("feed", "list", "--data", folder)


@pytest.fixture
def serving(feedserver: Command) -> Opening:
    """Open it as a process of its own, for which permissions count."""
    return lambda folder: feedserver("serve", "--port", "0", "--data", folder)


def test_a_folder_that_cannot_be_made_is_said(
    serving: Opening, feedserver: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    refused(serving(tmp_path / "file"), "is a file", "--data", "feed.db")
    begin = ("feed", "add", "world", "--title", "T", "--data")
    refused(feedserver(*begin, tmp_path / "file" / "data"), "file/data")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    refused(feedserver(*begin, locked / "data"), "locked/data", "Permission denied")


@pytest.mark.parametrize("make", [False, True], ids=["no folder", "an empty one"])
def test_a_folder_without_a_feed_says_how_to_begin_and_is_left_alone(
    within: Command, data: Path, make: bool
) -> None:
    if make:
        data.mkdir()
    for words in (
        ["feed", "list"],
        ["feed", "close", "world"],
        ["feed", "reopen", "world"],
        ["feed", "edit", "world", "--title", "T"],
        ["embed", "world"],
        ["token", "list"],
        ["token", "revoke", "anna"],
    ):
        refused(within(*words, "--data", data), f"no feed in {data}", f"--data {data}")
        assert [path.name for path in data.parent.iterdir()] == ["data"] * make
        assert not make or not list(data.iterdir())
    done(within("token", "add", "anna", "--data", data))
    listed = within("feed", "list", "--data", data)
    assert done(listed) == ""
    assert "begin with: feedserver feed add" in listed.stderr


def test_a_folder_that_may_not_be_looked_into_is_not_called_empty(
    feedserver: Command, data: Path
) -> None:
    data.mkdir(mode=0)
    refused(feedserver("feed", "list", "--data", data), "Permission denied")


def test_a_folder_that_cannot_be_written_says_what_to_do(feedserver: Command, data: Path) -> None:
    data.mkdir(mode=0o555)
    adding = feedserver("feed", "add", "world", "--title", "T", "--data", data)
    refused(adding, "cannot write", "Permission denied")
    assert list(data.iterdir()) == []


def test_a_read_only_file_is_said_and_not_touched(
    serving: Opening, within: Command, data: Path
) -> None:
    done(within("feed", "add", "world", "--title", "T", "--data", data))
    path = data / "feed.db"
    before = path.read_bytes()
    path.chmod(0o444)
    refused(serving(data), "cannot write", "Permission denied", "--data")
    assert path.read_bytes() == before


def test_a_folder_in_the_files_place_is_said(opening: Opening, data: Path) -> None:
    (data / "feed.db").mkdir(parents=True)
    refused(opening(data), "feed.db")


@pytest.mark.parametrize(
    "content",
    [b"not a database, but a text " * 50, b"\x00" * 4096, b"x",
     b"SQLite format 3\x00"],
    ids=["text", "zeroes", "a byte", "a head alone"],
)  # fmt: skip
def test_a_file_that_is_no_database_is_left_as_it_is(
    opening: Opening, data: Path, content: bytes
) -> None:
    data.mkdir()
    (data / "feed.db").write_bytes(content)
    refused(opening(data), "feed.db", "not a feedserver database", "--data")
    assert (data / "feed.db").read_bytes() == content
    assert [path.name for path in data.iterdir()] == ["feed.db"]


def test_another_programs_database_is_left_as_it_is(opening: Opening, data: Path) -> None:
    data.mkdir()
    connection = sqlite3.connect(data / "feed.db")
    connection.executescript("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);")
    connection.close()
    before = (data / "feed.db").read_bytes()
    refused(opening(data), "not a feedserver database", "--data")
    assert (data / "feed.db").read_bytes() == before
    assert [path.name for path in data.iterdir()] == ["feed.db"]


def test_a_database_of_a_newer_schema_is_left_to_the_newer_program(
    opening: Opening, within: Command, data: Path
) -> None:
    done(within("feed", "add", "world", "--title", "T", "--data", data))
    connection = sqlite3.connect(data / "feed.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (data / "feed.db").read_bytes()
    refused(opening(data), "newer feedserver", "schema 99", "install")
    assert (data / "feed.db").read_bytes() == before


def test_a_damaged_database_is_called_so(opening: Opening, within: Command, data: Path) -> None:
    done(within("feed", "add", "world", "--title", "T", "--data", data))
    path = data / "feed.db"
    whole = path.read_bytes()
    for page in range(len(whole) // 4096):
        content = bytearray(whole)
        begin = 4096 * page + (0 if page else 100)  # the first page's head says what file it is
        content[begin : 4096 * (page + 1)] = b"\xff" * (4096 * (page + 1) - begin)
        path.write_bytes(content)
        refused(opening(data), "damaged", "restore a backup")
        assert path.read_bytes() == bytes(content)


def large(data: Path) -> sqlite3.Connection:
    """Make the file larger than a command looks through; return a connection to it."""
    connection = sqlite3.connect(data / "feed.db")
    connection.execute("INSERT INTO meta VALUES ('ballast', ?)", ["x" * GLANCED_MAX])
    connection.commit()
    return connection


def break_table(data: Path, connection: sqlite3.Connection, table: str) -> bytes:
    """Overwrite a table's first page; return what the file then holds."""
    find = "SELECT rootpage FROM sqlite_master WHERE name = ?"
    page = connection.execute(find, [table]).fetchone()[0]
    connection.close()
    path = data / "feed.db"
    content = bytearray(path.read_bytes())
    content[4096 * (page - 1) : 4096 * page] = b"\xff" * 4096
    path.write_bytes(content)
    return bytes(content)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_broken_page_of_a_large_file_is_found_by_serve_before_anybody_asks_for_it(
    feedserver: Command, within: Command, data: Path, workers: int
) -> None:
    done(within("feed", "add", "world", "--title", "T", "--data", data))
    content = break_table(data, large(data), "items")
    end = feedserver("serve", "--port", "0", "--workers", str(workers), "--data", data)
    refused(end, "damaged", "restore a backup")
    assert (data / "feed.db").read_bytes() == content
    # A command does without what it does not read.
    assert "world" in done(within("feed", "list", "--data", data))


def test_a_command_that_meets_a_broken_page_says_so(within: Command, data: Path) -> None:
    done(within("feed", "add", "world", "--title", "T", "--data", data))
    break_table(data, large(data), "feeds")
    refused(within("feed", "list", "--data", data), "damaged", "restore a backup")
    assert done(within("token", "list", "--data", data)) == ""


def test_an_empty_file_is_a_beginning(within: Command, data: Path) -> None:
    data.mkdir()
    (data / "feed.db").touch()
    done(within("feed", "add", "world", "--title", "T", "--data", data))
    assert "world" in done(within("feed", "list", "--data", data))


def test_nobody_else_may_read_the_file(within: Command, data: Path) -> None:
    done(within("feed", "add", "world", "--title", "T", "--data", data))
    assert (data / "feed.db").stat().st_mode & 0o077 == 0
