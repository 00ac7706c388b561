"""Power cuts behind each step of the writer: what was acknowledged stays, nothing is half there."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from power import recording
from power.disk import SECTOR, Disk
from power.recording import Step
from power.story import DATA

# `make test` cuts before one sync of so many, and behind one other step of so many; …
SYNCS, OTHERS = 8, 120
PARTS = 8  # … `make test-all` at all of them, in so many parts

WORDS = (b"Bus hit", b"Zolotnik", b"Arshin", b"Secretov", b"Withdrawn", b"The world", b"Dead 0")


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recording.built(tmp_path_factory.mktemp("recorder"))


@pytest.fixture(scope="module")
def recorded(recorder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Run the story once, recorded; return the folder and the log of what was done in it."""
    scratch = tmp_path_factory.mktemp("story")
    folder, log = scratch / "disk", scratch / "log"
    folder.mkdir()
    recording.run(recorder, "power.story", "write", folder / DATA, recorded=(folder, log))
    return folder, log


def test_the_log_has_all_that_was_done_to_the_files(recorded: tuple[Path, Path]) -> None:
    folder, log = recorded
    logged, real = Disk(), Disk.of(folder)
    for step in recording.steps_of(log):
        logged.do(step)
    assert logged.none_lost() == real.none_lost()


def test_no_key_ever_sealed_two_texts_and_no_word_was_written_in_plain(
    recorded: tuple[Path, Path],
) -> None:
    steps = list(recording.steps_of(recorded[1]))
    keys = Counter(step.mark["key"] for step in steps if "key" in step.mark)
    assert len(keys) > 70
    assert set(keys.values()) == {1}
    written = b"".join(step.text for step in steps if step.kind == "W")
    assert [word for word in WORDS if word in written] == []


@pytest.mark.parametrize(
    ("first", "syncs", "others"),
    [
        (0, SYNCS, OTHERS),
        *(pytest.param(part, PARTS, PARTS, marks=pytest.mark.more) for part in range(PARTS)),
    ],
)
def test_after_a_power_cut_behind_any_step_the_folder_is_as_it_was_acknowledged(
    recorded: tuple[Path, Path],
    recorder: Path,
    tmp_path: Path,
    first: int,
    syncs: int,
    others: int,
) -> None:
    answer = recording.run(recorder, "power.recovery", recorded[1], tmp_path, first, syncs, others)
    counts = json.loads(answer)
    assert counts["faults"] == [], f"the log is {recorded[1]}"
    assert counts["cuts"] > 2000 // others
    assert counts["second cuts"] > 0


def test_what_was_synced_survives_and_other_sectors_show_some_earlier_moment() -> None:
    disk = Disk()
    for step in (
        Step("C", 7, 0, b"one", b""),
        Step("W", 7, 0, b"a" * 2 * SECTOR, b""),
        Step("S", 7, 0, b"", b""),
        Step("D", 0, 0, b"", b""),
        Step("W", 7, 0, b"b" * 2 * SECTOR, b""),
        Step("W", 7, 10, b"c", b""),
    ):
        disk.do(step)
    assert disk.all_lost() == {"one": b"a" * 2 * SECTOR}
    assert disk.none_lost()["one"] == b"b" * 10 + b"c" + b"b" * (2 * SECTOR - 11)
    seen = {disk.sectors_lost(draw)["one"] for draw in map(random.Random, range(200))}
    firsts = {b"a" * SECTOR, b"b" * SECTOR, b"b" * 10 + b"c" + b"b" * (SECTOR - 11)}
    seconds = {b"a" * SECTOR, b"b" * SECTOR}
    assert seen == {first + second for first in firsts for second in seconds}


def test_a_name_is_durable_once_its_folder_was_synced_and_names_change_in_order() -> None:
    disk = Disk()
    for step in (Step("C", 7, 0, b"one", b""), Step("R", 0, 0, b"one", b"two")):
        disk.do(step)
    assert disk.all_lost() == {}
    seen = {tuple(disk.files_lost(draw)) for draw in map(random.Random, range(50))}
    assert seen == {(), ("one",), ("two",)}
    disk.do(Step("D", 0, 0, b"", b""))
    assert disk.all_lost() == {"two": b""}
