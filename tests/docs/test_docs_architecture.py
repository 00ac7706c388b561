"""docs/architecture.md draws the system as it is."""

from __future__ import annotations

import re
import tomllib

import pytest
from prose import DOCS, blocks, chapter, table
from support.server import ROOT

from feedserver import journal
from feedserver.live import channel, rounds
from feedserver.model import Verb
from feedserver.sqlite.schema import MIGRATIONS

PAGE = DOCS / "architecture.md"


def test_the_layers_are_those_that_imports_are_held_to() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in contracts["contracts"] if c["type"] == "layers")
    (drawn,) = blocks(chapter(PAGE, "The layers"), "layers")
    assert [re.split(r"\s{2,}", line)[0] for line in drawn.splitlines()] == layers


def test_every_table_is_named_and_no_other() -> None:
    made = re.findall(r"CREATE (?:VIRTUAL )?TABLE (\w+)", "".join(MIGRATIONS))
    named = [row[0].strip("`") for row in table(chapter(PAGE, "What lives in which file"), "table")]
    assert named == made


def test_the_words_name_every_verb() -> None:
    meaning = dict(table(chapter(PAGE, "The words"), "word"))["verb"]
    assert meaning.partition(":")[2].replace(",", "").split() == list(Verb)


def test_every_race_has_an_outcome_and_a_reason() -> None:
    races = table(chapter(PAGE, "Who wins the race?"), "two things at once")
    assert len(races) >= 15
    assert all(len(race) == 3 and all(race) for race in races)


@pytest.mark.parametrize("protocol", [journal.Journal, journal.Mirror])
def test_the_journals_protocols_are_named(protocol: type) -> None:
    assert f"`{protocol.__name__}`" in chapter(PAGE, "Where a replicated journal plugs in")


def test_the_straight_line_counts_its_steps() -> None:
    steps = table(chapter(PAGE, "The straight line"), "step")
    assert [int(row[0].split(".")[0]) for row in steps] == list(range(1, len(steps) + 1))


def test_a_rounds_numbers_are_those_of_the_code() -> None:
    text = chapter(PAGE, "Rounds")
    assert f"{rounds.SLICE} at a time" in text
    assert f"without any progress for {channel.STALL_SECONDS:.0f} s" in text
