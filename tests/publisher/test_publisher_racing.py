"""Two editors race on one item: no word of one is lost that the other was not shown before."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from editors import Publisher

TOKEN = re.compile(r"(?:ann|bob)\d+")


def tokens(value):
    return set(TOKEN.findall(json.dumps(value)))


@pytest.mark.parametrize("count", [150, pytest.param(1000, marks=pytest.mark.more)])
def test_no_word_is_lost_without_its_editor_having_been_shown_it(tmp_path, newsroom, count):
    home = tmp_path / "anna"
    home.mkdir()
    anna = Publisher(home).at(newsroom.url, newsroom.token)
    item = str(anna("post", "Drone kills 9", "--body=A text.", "--json").json["id"])
    racers = {name: _start(tmp_path / name, newsroom, name, item, count) for name in ("ann", "bob")}
    for racer in racers.values():
        assert racer.stdout.readline() == "ready\n"
    for racer in racers.values():
        racer.stdin.write("go\n")
        racer.stdin.flush()
    logs = {name: [json.loads(line) for line in _output(one)] for name, one in racers.items()}

    refused = 0
    for log in logs.values():
        for one in log:
            assert one["code"] in {0, 1, 2}, one
            if one["code"] == 2:  # a rework in the editor that left nothing to change
                assert "nothing was" in one["shown"].lower(), one
            if one["code"] == 1:
                refused += 1
    revisions = anna("show", item, "--revisions", "--json").json["revisions"]
    state: dict[str, object] = {}
    written_over = 0
    for revision in revisions:
        for field, value in revision.get("fields", {}).items():
            lost = tokens(state.get(field)) - tokens(value)
            state[field] = value
            editor = revision["editor"]
            foreign = {token for token in lost if not token.startswith(editor)}
            written_over += bool(foreign)
            if foreign:
                assert foreign <= _shown_before(logs[editor], revision["note"]), revision
    # It was a race: both had conflicts, and both wrote over what they had been shown.
    assert refused >= 5, refused
    assert written_over >= 5, written_over
    assert {revision["editor"] for revision in revisions} == {"anna", "ann", "bob"}

    done = {revision.get("note") for revision in revisions}
    for log in logs.values():
        for one in log:
            note = next((word[7:] for word in one["words"] if word.startswith("--note=")), None)
            nothing = "nothing changed" in one["shown"] or "--json" in one["words"]
            if note and one["code"] == 0 and not nothing:
                assert note in done, one


def _start(home: Path, newsroom, name: str, item: str, count: int) -> subprocess.Popen[str]:
    home.mkdir()
    editor = Publisher(home).at(newsroom.url, newsroom.cli("token", "add", name))
    driver = Path(__file__).with_name("racing.py")
    return subprocess.Popen(
        [sys.executable, str(driver), name, item, str(count), "1"],
        env=editor.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def _output(racer: subprocess.Popen[str]) -> list[str]:
    out, err = racer.communicate(timeout=900)
    assert racer.returncode == 0, err
    return out.splitlines()


def _shown_before(log, note):
    """Return what an editor was shown before the command that made the revision of this note."""
    shown: set[str] = set()
    for one in log:
        shown |= tokens(one["opened"])
        if f"--note={note}" in one["words"] and one["code"] == 0:
            return shown
        shown |= tokens(one["shown"])
    raise AssertionError(f"nobody made {note}")
