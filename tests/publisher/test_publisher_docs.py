"""docs/publishing.md says what the parsers know, no more and no less."""

from __future__ import annotations

import argparse
import re
import shlex

import pytest
from support.server import ROOT

from publisher.commands.program import PROGRAM, TABLE

GUIDE = (ROOT / "docs" / "publishing.md").read_text()
COMMANDS = {entry.name: entry.load() for entry in TABLE}
PARSERS = {entry.name: PROGRAM.parser(entry, COMMANDS[entry.name]) for entry in TABLE}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def chapter(title: str) -> str:
    return re.split(r"^## ", GUIDE.split(f"\n## {title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


VERBS = dict(
    part.split("\n", 1) for part in re.split(r"^### ", chapter("The verbs"), flags=re.MULTILINE)[1:]
)
SHARED = set(OPTION.findall(chapter("What an item says") + chapter("What every verb takes")))
OF_SERVER = {"--import"}  # an option of `feedserver token add`
OF_SHOW = {"--revisions"}  # which tells the version that other verbs take


def options(verb: str) -> set[str]:
    found: set[str] = set()
    for action in PARSERS[verb]._actions:
        names = [option.partition("=")[0] for option in action.option_strings]
        found |= {name for name in names if name.startswith("--")}
    return found


def test_every_verb_has_its_section_in_the_order_of_help():
    assert list(VERBS) == list(COMMANDS)


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_section_names_the_verbs_own_options_and_no_others(verb):
    named = set(OPTION.findall(VERBS[verb])) - OF_SERVER
    assert named - OF_SHOW <= options(verb)
    assert options(verb) - SHARED <= named


def test_no_option_is_invented():
    everything = set().union(*map(options, COMMANDS))
    assert everything >= SHARED - OF_SERVER


COMMAND_LINES = [
    line for block in re.findall(r"```\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()
    if re.match(r"publisher [a-z]", line)
]  # fmt: skip
EXAMPLES = [example for command in COMMANDS.values() for example in command.examples]


@pytest.mark.parametrize("line", [*COMMAND_LINES, *EXAMPLES])
def test_every_example_is_a_command(line):
    _, verb, *words = shlex.split(re.split(r" [<|] ", line)[0])
    args = PARSERS[verb].parse_intermixed_args(words)
    assert isinstance(args, argparse.Namespace)


@pytest.mark.parametrize("verb", COMMANDS)
def test_help_shows_an_example(publisher, verb):
    done = publisher(verb, "--help")
    assert done.code == 0
    assert f"publisher {verb}" in done.out.split("examples:")[1]
