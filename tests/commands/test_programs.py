"""What `feedserver` and `publisher` have in common: how they start, read words and fail."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from endings import Done, done, refused
from support.server import ROOT

from feedserver.commands.program import PROGRAM as FEEDSERVER
from publisher.command_line import Entry, Program
from publisher.commands.program import PROGRAM as PUBLISHER
from publisher.failures import Misused

Command = Callable[..., Done]
SLOW = {"httpx", "websockets", "starlette", "uvicorn", "aiosqlite", "orjson", "jinja2", "asyncio"}
COMMANDS = [(program, entry) for program in (FEEDSERVER, PUBLISHER) for entry in program.table]
NAMES = [f"{program.name} {entry.name}" for program, entry in COMMANDS]


def modules_of(code: str) -> set[str]:
    """Return the modules that a new Python has loaded after running this."""
    report = "import sys, json; print(json.dumps(list(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules among these."""
    return {name.split(".")[0] for name in modules_of(code)}


@pytest.mark.parametrize("main", ["feedserver.cli", "publisher.cli"])
def test_an_overview_loads_no_library(main: str) -> None:
    assert not SLOW & loaded_by(f"from {main} import main; main(['--help'])")


@pytest.mark.parametrize("name", ["feedserver", "publisher"])
def test_a_version_loads_nothing_but_the_start(name: str) -> None:
    bare = modules_of("import json, collections.abc")  # for the report; for what words are
    more = modules_of(f"from {name}.cli import main; main(['--version'])")
    assert more - bare == {"feedserver", "publisher", "publisher.start", f"{name}.cli"}


def test_the_help_of_a_publishers_command_loads_no_library() -> None:
    code = (
        "from publisher.commands.program import PROGRAM\n"
        "for entry in PROGRAM.table: PROGRAM.parser(entry, entry.load()).format_help()"
    )
    assert not SLOW & loaded_by(code)


@pytest.mark.parametrize(("program", "entry"), COMMANDS, ids=NAMES)
def test_a_command_stands_in_a_module_that_says_so(program: Program, entry: Entry) -> None:
    documented = importlib.import_module(entry.module).__doc__ or ""
    assert documented.startswith(f"`{program.name} {entry.name}`: ")


@pytest.mark.parametrize(("program", "entry"), COMMANDS, ids=NAMES)
def test_every_command_takes_json_and_shows_an_example(program: Program, entry: Entry) -> None:
    parser = program.parser(entry, entry.load())
    options = {option for action in parser._actions for option in action.option_strings}
    assert {"--json", "--help"} <= options
    works_on_a_folder = program is FEEDSERVER and entry.name != "completion"
    assert ("--data" in options) is works_on_a_folder
    assert f"{program.name} {entry.name}" in (parser.epilog or "")
    assert f"usage: {program.name} {entry.name} " in parser.format_help()


@pytest.mark.parametrize(("program", "entry"), COMMANDS, ids=NAMES)
def test_wrong_words_are_answered_alike_by_both(program: Program, entry: Entry) -> None:
    parser = program.parser(entry, entry.load())
    for word, said in (
        ("--nonsense", "there is no option --nonsense"),
        ("--jsno", "there is no option --jsno; did you mean --json?"),
        ("--json=x", "--json takes no value"),
    ):
        with pytest.raises(Misused, match=re.escape(said)):
            parser.parse_intermixed_args([word])


def test_a_misused_command_shows_its_usage_and_where_more_is(within: Command) -> None:
    said = refused(within("feed", "add", "world"), code=2)
    assert said == (
        "feedserver: feed add needs --title\n"
        "usage: feedserver feed add SLUG --title TITLE [options]"
        "  (feedserver feed add --help tells more)"
    )


def results(command: Done) -> list[Any]:
    """Return what a command printed in JSON, a line each."""
    return [json.loads(line) for line in done(command).splitlines()]


def test_every_command_of_the_server_answers_in_json(within: Command, data: Path) -> None:
    more = ["--json", "--data", data]
    world = {"slug": "world", "title": "World", "language": "en"}
    [added] = results(within("feed", "add", "world", "--title", "World", "--language=en", *more))
    assert {name: added[name] for name in world} == world
    assert results(within("feed", "list", *more)) == [[added]]
    [edited] = results(within("feed", "edit", "world", "--description", "News", *more))
    assert edited == {**added, "description": "News"}
    [closed] = results(within("feed", "close", "world", *more))
    assert closed["closed_at"].startswith("20")
    assert results(within("feed", "reopen", "world", *more)) == [edited]

    token = within("token", "add", "anna", "--feed", "world", *more)
    [anna] = results(token)
    assert token.stderr == ""
    assert (anna["name"], anna["feeds"]) == ("anna", ["world"])
    secret = anna.pop("token")
    assert secret.startswith("nf_")
    [ben] = results(within("token", "add", "ben", "--import", *more))
    assert (ben["feeds"], ben["import"]) == ([], True)
    del ben["token"]
    assert results(within("token", "list", *more)) == [[anna, ben]]
    [revoked] = results(within("token", "revoke", "anna", *more))
    assert revoked["revoked_at"].startswith("20")

    [embedded] = results(within("embed", "world", "--url", "https://news.example", *more))
    assert "<live-ticker" in embedded["html"]
    [settings] = results(within("settings", *more))
    assert {"variable": "FEEDSERVER_DATA", "value": str(data)}.items() <= settings[0].items()


@pytest.mark.parametrize(
    ("words", "code", "type_"),
    [
        (["feed", "add", "World", "--title", "T"], 1, "invalid-fields"),
        (["feed", "close", "culture"], 1, "not-done"),
        (["token", "revoke", "culture"], 1, "not-done"),
        (["feed", "add"], 2, "usage"),
        (["nonsense"], 2, "usage"),
        (["serve", "--port", "x"], 2, "usage"),
    ],
)
def test_a_failure_in_json_is_one_object_on_stderr(
    within: Command, data: Path, words: list[str], code: int, type_: str
) -> None:
    done(within("feed", "add", "world", "--title", "T", "--data", data))
    failed = within(*words, "--json", "--data", data)
    assert (failed.returncode, failed.stdout) == (code, "")
    problem = json.loads(failed.stderr)
    assert problem["type"] == type_
    assert problem["title"]
    assert len(problem["detail"].split()) > 3
    if type_ == "invalid-fields":
        assert problem["errors"][0]["option"] == "SLUG"
