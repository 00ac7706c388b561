"""docs/operating.md and the README: every setting, and commands that can be typed as they stand."""

from __future__ import annotations

import re
import shlex

import pytest
from prose import DOCS, blocks, chapter, name_of, table
from support.server import ROOT

from feedserver import settings
from feedserver.commands.program import PROGRAM
from feedserver.sqlite.connecting import BUSY_SECONDS
from feedserver.sqlite.folder import DATABASE
from feedserver.sqlite.keys import AHEAD
from feedserver.sqlite.keys import FILE as KEYS
from feedserver.sqlite.migration import NEEDED
from feedserver.sqlite.restoring import ROOM
from feedserver.sqlite.writer import JUMP
from feedserver.websocket import listening, server
from publisher.commands.program import PROGRAM as PUBLISHER

PAGE = DOCS / "operating.md"
TEXT = PAGE.read_text()


def test_every_setting_is_in_the_table_with_its_variable_and_default() -> None:
    rows = table(chapter(PAGE, "Settings"), "setting")
    assert [[cell.strip("`") for cell in row[:3]] for row in rows] == [
        [setting.name, setting.variable, setting.default or "empty"] for setting in settings.TABLE
    ]
    assert f"less {settings.RESERVED_FILES}" in dict((row[0], row[3]) for row in rows)["`readers`"]


def test_no_variable_is_invented() -> None:
    known = {setting.variable for setting in settings.TABLE}
    for page in [PAGE, ROOT / "README.md", DOCS / "architecture.md"]:
        assert set(re.findall(rf"{settings.PREFIX}[A-Z_]*[A-Z]", page.read_text())) <= known


def lines() -> list[tuple[str, str]]:
    """Every line to be typed: in blocks and in sentences, without what a shell does around it."""
    found = []
    for page in [PAGE, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        text = page.read_text()
        typed = [line for block in blocks(text) for line in block.splitlines()]
        typed += re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        typed += re.findall(r"`([^`\n]+)`", text)
        for line in typed:
            words = re.sub(
                r"^(sudo|runuser) -u \w+ (-- )?|\S*/(?=(feedserver|publisher) )", "", line.strip()
            )
            if re.match(r"(feedserver|publisher) [a-z]", words):
                found.append((name_of(page), re.split(r" [<|>] ", words)[0]))
    return found


@pytest.mark.parametrize(("page", "line"), lines())
def test_every_command_can_be_typed_as_it_stands(page: str, line: str) -> None:
    name, *words = shlex.split(line)
    program = PROGRAM if name == "feedserver" else PUBLISHER
    entry = program.find(words)
    assert entry
    rest = [*words, *_left_out(words)][len(entry.name.split()) :]
    assert program.parser(entry, entry.load()).parse_intermixed_args(rest)


def _left_out(words: list[str]) -> list[str]:
    """Return what a command that is only named in a sentence needs besides."""
    needs = {("token", "add"): 3, ("token", "revoke"): 3, ("feed", "close"): 3}
    needs |= {("backup", ""): 2, ("restore", ""): 2}
    missing = needs.get((words[0], words[1] if words[1:] else ""), 0) - len(words)
    return ["NAME"] * missing


def test_the_commands_of_the_server_are_all_told_of() -> None:
    told = [shlex.split(line)[1:] for _, line in lines() if line.startswith("feedserver ")]
    assert {PROGRAM.find(words) for words in told} == set(PROGRAM.table)


@pytest.mark.parametrize(
    "words",
    [
        f"held the write lock for {BUSY_SECONDS:.0f} s",
        f"up to {server.GOODBYE_SECONDS + server.GRACE_SECONDS:.0f} s while readers are told",
        f"about {2 * listening.SEND_BUFFER // 1024} KiB in the kernel",
        f"`net.core.somaxconn` of at least {listening.BACKLOG}",
        f"keeps idle connections for {server.KEEP_ALIVE_SECONDS} s",
        f"| `{DATABASE}` |",
        f"| `{KEYS}` |",
        f"and {NEEDED} times the size of `{DATABASE}` free",
        f"keys of up to {AHEAD:,} records that are not posted yet",
        f"the next multiple of {JUMP:,} above all numbers",
        "for three times the backup must be free" if ROOM == 3 else "another size",
    ],
)
def test_a_number_is_that_of_the_code(words: str) -> None:
    assert words in " ".join(TEXT.split())
