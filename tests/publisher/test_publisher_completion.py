"""What a Tab offers in bash, zsh and fish, and what it costs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from editors import Publisher
from support.server import ROOT, Server

from feedserver.commands.program import PROGRAM as FEEDSERVER
from publisher.commands.program import PROGRAM
from publisher.completion.feeds import feeds_of_folder
from publisher.completion.known import selected, state_folder
from publisher.failures import Failure
from publisher.server.profile import Profile, resolve, save
from publisher.text import files
from publisher.text.listed import ALL_MAX, ITEMS_MAX, note_feeds, note_items

COMMANDS = [(program, entry) for program in (PROGRAM, FEEDSERVER) for entry in program.table]
NAMES = [f"{program.name} {entry.name}" for program, entry in COMMANDS]


def tab(editor: Publisher, line: str, **environ: str) -> list[str]:
    """Return what is offered where a line ends, as a shell is told it, without what is beside."""
    name = line.split()[0]
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(editor.home / "offered"),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    done = subprocess.run(
        [sys.executable, "-m", name],
        env=editor.environ | asked | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return [word.rstrip(" ") for word in (editor.home / "offered").read_text().splitlines()]


def kept(editor: Publisher) -> str:
    """Return all that is kept for completion."""
    folder = editor.home / ".local/state/publisher/completion"
    return "".join(path.read_text() for path in folder.glob("*.known.json"))


@pytest.fixture
def at_home(publisher, monkeypatch):
    """The editor's home is that of this process, too."""
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(publisher.home))
    return publisher.at("https://news.example")


def test_a_tab_offers_the_commands(publisher):
    assert set(tab(publisher, "publisher ")) >= {entry.name for entry in PROGRAM.table}
    assert tab(publisher, "publisher unp") == ["unpin"]
    assert "feed" in tab(publisher, "feedserver ")
    assert tab(publisher, "feedserver feed ") == ["add", "edit", "list", "close", "reopen"]
    assert tab(publisher, "publisher nonsense ") == []


@pytest.mark.parametrize(("program", "entry"), COMMANDS, ids=NAMES)
def test_a_tab_offers_every_option_of_a_command(tmp_path_factory, program, entry):
    home = tmp_path_factory.getbasetemp() / "completing"  # one for all: what it keeps is used
    home.mkdir(exist_ok=True)
    parser = program.parser(entry, entry.load())
    options = {name for one in parser.arguments() for name in one["names"] if name[:2] == "--"}
    offered = tab(Publisher(home), f"{program.name} {entry.name} --", COMP_TYPE="64")
    assert set(offered) == options


def test_a_tab_offers_values(publisher, tmp_path):
    (tmp_path / "story.txt").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / "stories").mkdir()
    there = f"{tmp_path}/"
    assert tab(publisher, "publisher completion ") == ["bash", "zsh", "fish"]
    assert tab(publisher, f"publisher post --file {there}sto") == [
        f"{there}stories/",
        f"{there}story.txt",
    ]
    assert tab(publisher, f"feedserver backup {there}s") == [f"{there}stories/"]
    assert tab(publisher, f"publisher post --file {there}nothing/") == []
    assert tab(publisher, "publisher post --headline ") == []


def test_a_tab_offers_items_with_their_headlines(editor, shared_newsroom):
    posted = editor("post", "Bus hit: 9 *dead* [live]", "--json").json
    number = str(posted["id"])
    assert tab(editor, "publisher show ") == [number]
    other = str(editor("post", "Rain", "--json").json["id"])
    shown = tab(editor, "publisher show ", _ARGCOMPLETE_SHELL="bash", COMP_TYPE="9")
    assert sorted(shown) == sorted([f"{number}  Bus hit: 9 dead live", f"{other}  Rain"])
    inserted = tab(editor, "publisher show ", _ARGCOMPLETE_SHELL="bash", COMP_TYPE="37")
    assert sorted(inserted) == sorted([number, other])
    told = tab(editor, "publisher show ", _ARGCOMPLETE_SHELL="fish", _ARGCOMPLETE_DFS="\t")
    assert f"{number}\tBus hit: 9 *dead* [live]" in told
    told = tab(editor, "publisher kill --note x ", _ARGCOMPLETE_SHELL="zsh")
    assert f"{number}:Bus hit: 9 *dead* [live]" in told
    for path in (editor.home / ".local/state/publisher/completion").glob("*.known.*"):
        assert path.stat().st_mode & 0o077 == 0


def test_items_are_known_from_list_and_show(editor, shared_newsroom, tmp_path):
    number = str(editor("post", "Only the other editor saw it", "--json").json["id"])
    home = tmp_path / "colleague"
    home.mkdir()
    colleague = Publisher(home).at(shared_newsroom.url, shared_newsroom.token)
    assert tab(colleague, "publisher fix ") == []
    assert colleague("show", number).code == 0
    assert tab(colleague, "publisher fix ") == [number]
    assert colleague("list", "--json").code == 0
    assert number in tab(colleague, "publisher fix ")
    assert len(tab(colleague, "publisher fix ")) > 1
    assert tab(colleague, "publisher fix --feed culture ") == []


def test_the_words_of_a_withdrawn_item_leave_it(editor, shared_newsroom, tmp_path):
    number = str(editor("post", "Secretname was hurt", "--json").json["id"])
    home = tmp_path / "colleague"
    home.mkdir()
    colleague = Publisher(home).at(shared_newsroom.url, shared_newsroom.token)
    assert colleague("list").code == 0
    assert "Secretname" in kept(editor)
    assert "Secretname" in kept(colleague)
    assert editor("kill", number, "--note=Not told before the family.", "--yes").code == 0
    assert "Secretname" not in kept(editor)
    assert colleague("list").code == 0
    assert "Secretname" not in kept(colleague)
    assert number not in tab(colleague, "publisher show ")


def test_login_tells_the_feeds(publisher, shared_newsroom):
    done = publisher("login", shared_newsroom.url, stdin=shared_newsroom.token)
    assert done.code == 0, done.err
    assert "world" in tab(publisher, "publisher list --feed ")
    assert tab(publisher, "publisher list --feed=wor", _ARGCOMPLETE_SHELL="fish") == [
        "--feed=world"
    ]


def test_the_server_offers_the_feeds_of_its_folder_and_touches_nothing(publisher, tmp_path):
    with Server(tmp_path / "data") as room:
        data = room.data
    before = {path.name: path.stat().st_mtime_ns for path in data.iterdir()}
    assert tab(publisher, f"feedserver embed --data {data} ") == ["world"]
    assert tab(publisher, "feedserver embed ", FEEDSERVER_DATA=str(data)) == ["world"]
    assert {path.name: path.stat().st_mtime_ns for path in data.iterdir()} == before
    assert feeds_of_folder(str(tmp_path / "none")) == []
    assert not (tmp_path / "none").exists()


def test_a_change_of_the_program_is_offered_at_once(publisher):
    assert tab(publisher, "publisher unp") == ["unpin"]
    path = publisher.home / ".local/state/publisher/completion/publisher.commands.json"
    made = json.loads(path.read_text())
    del made["commands"]["unpin"]
    path.write_text(json.dumps(made))
    assert tab(publisher, "publisher unp") == []
    made["stamp"][-1] += 1  # the files were of another size
    path.write_text(json.dumps(made))
    assert tab(publisher, "publisher unp") == ["unpin"]
    for broken in ("", "[]", '{"stamp": 1}'):
        path.write_text(broken)
        assert tab(publisher, "publisher unp") == ["unpin"]


def test_a_tab_works_where_nothing_can_be_kept(publisher):
    assert tab(publisher, "publisher unp", XDG_STATE_HOME="/proc/none") == ["unpin"]
    assert tab(publisher, "publisher unp", XDG_STATE_HOME="relative") == ["unpin"]


def test_a_tab_loads_next_to_nothing(publisher):
    """That is what keeps it below four times the CPU of a Python that does nothing."""
    report = (
        "import json, os, sys\nfrom pathlib import Path\n"
        "def ended(code):\n"
        f"    Path({str(publisher.home / 'loaded')!r}).write_text(json.dumps(list(sys.modules)))\n"
        "    real(code)\n"
        "real, os._exit = os._exit, ended\n"
    )
    base = f"{report}import argcomplete.finders, gc, importlib\nos._exit(0)\n"
    asks = f"{report}from publisher.cli import main\nmain()\n"
    note = {"COMP_LINE": "publisher show ", "COMP_POINT": "15", "_ARGCOMPLETE": "1"}
    there = {"_ARGCOMPLETE_STDOUT_FILENAME": os.devnull}
    publisher.at("https://news.example")
    tab(publisher, "publisher ")  # what the commands take is kept from now on
    loaded = []
    for code in (base, asks):
        subprocess.run(
            [sys.executable, "-c", code], env=publisher.environ | note | there, check=True
        )
        loaded.append(set(json.loads((publisher.home / "loaded").read_text())))
    own = {f"publisher.completion.{name}" for name in ("answer", "feeds", "known", "table")}
    assert loaded[1] - loaded[0] == own | {
        *("feedserver", "publisher", "publisher.cli", "publisher.start", "publisher.completion")
    }


SAVED = [
    Profile(),
    Profile("https://news.example", "t", "world"),
    Profile("https://news.example/base", "t", None),
]
GIVEN = [
    {},
    {"PUBLISHER_FEED": "culture"},
    {"PUBLISHER_URL": "https://other.example/feeds/sport/items/3"},
    {"PUBLISHER_URL": "https://news.example/", "PUBLISHER_TOKEN": "t"},
    {"PUBLISHER_URL": "http://127.0.0.1:8000/feeds/sport?page=2#x", "PUBLISHER_FEED": "culture"},
]


@pytest.mark.parametrize("feed", [None, "arts"])
@pytest.mark.parametrize("given", GIVEN, ids=lambda given: " ".join(given))
@pytest.mark.parametrize("saved", SAVED, ids=lambda saved: str(saved.url))
def test_a_tab_looks_where_the_command_would(tmp_path, saved, given, feed):
    environ = {"XDG_CONFIG_HOME": str(tmp_path), **given}
    save(saved, environ)
    try:
        used = resolve(environ, feed)
    except Failure:
        assert selected(environ, feed)[0] is None
    else:
        assert selected(environ, feed) == (used.url, used.feed)


def test_a_tab_looks_where_the_profile_that_is_named_would(tmp_path):
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "PUBLISHER_FEED": "culture"}
    save(Profile("https://other.example", "t", "sport", "sports"), environ)
    for given, option in ((environ, "sports"), (environ | {"PUBLISHER_PROFILE": "sports"}, None)):
        used = resolve(given, None, option)
        assert used.url == "https://other.example"
        assert selected(given, None, option) == (used.url, used.feed)


@pytest.mark.parametrize("state", [None, "", "/elsewhere", " "])
def test_it_is_kept_beside_the_outbox(at_home, monkeypatch, state):
    if state is not None:
        monkeypatch.setenv("XDG_STATE_HOME", state)
    assert Path(state_folder()) == files.state_folder()


def test_what_is_kept_has_an_end(at_home):
    server = "https://news.example"
    for feed in range(20):
        note_items(server, f"f{feed}", {item: "x" * 5000 for item in range(1, 200)})
    feeds = json.loads(kept(at_home))["feeds"]
    assert len(feeds["f19"]) == ITEMS_MAX
    assert next(iter(feeds["f19"])) == "1"
    assert sum(map(len, feeds.values())) == ALL_MAX
    assert len(kept(at_home)) < 200 * ALL_MAX
    note_feeds(server, ["f19", "new"])
    assert list(json.loads(kept(at_home))["feeds"]) == ["f19", "new"]


def test_a_headline_brings_no_controls_to_the_terminal(at_home):
    note_items("https://news.example", "world", {1: "a\x1b[31m\nb\tc\u202e"})
    fish = {"_ARGCOMPLETE_SHELL": "fish", "_ARGCOMPLETE_SUPPRESS_SPACE": "1"}
    [told] = tab(at_home, "publisher show ", **fish, _ARGCOMPLETE_DFS="\t")
    number, headline = told.split("\t")
    assert number == "1"
    assert headline.isprintable()


IN_SHELLS = {
    "bash": """
        eval "$(publisher completion bash)"
        COMP_LINE=TYPED COMP_POINT=${#COMP_LINE} COMP_TYPE=64
        _python_argcomplete publisher
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "zsh": """
        autoload -U compinit; compinit -D -u
        eval "$(publisher completion zsh)"
        _describe() { print -l -- "${(@P)2}" }
        BUFFER=TYPED CURSOR=${#BUFFER} words=(publisher)
        _python_argcomplete
    """,
    "fish": "publisher completion fish | source; complete -C TYPED",
}


@pytest.mark.parametrize("shell", IN_SHELLS)
def test_a_shell_asks_after_it_was_told_how(at_home, tmp_path, shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    note_items("https://news.example", "world", {131: "Bus hit; 9 `dead`", 14: "Rain"})
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/publisher"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m publisher "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    for line, offered in (
        ("publisher sho", "show"),
        ("publisher show 13", "131"),
        ("publisher post --headl", "--headline"),
    ):
        done = subprocess.run(
            [shell, "-c", IN_SHELLS[shell].replace("TYPED", f"'{line}'")],
            env=at_home.environ | {"PATH": path},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        [said] = done.stdout.splitlines()
        assert said.split("\t")[0].split(":")[0].strip() == offered, done.stderr
        if shell != "bash" and offered == "131":
            assert "Bus hit; 9 `dead`" in said


def test_the_script_is_given_in_json_too(publisher):
    given = publisher("completion", "zsh", "--json").json
    assert given["shell"] == "zsh"
    assert publisher("completion", "zsh").out.strip() == given["script"].strip()
    failed = publisher("completion")
    assert failed.code == 2
    assert "publisher completion bash|zsh|fish" in failed.err
