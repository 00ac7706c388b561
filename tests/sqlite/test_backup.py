"""A backup: two files of one moment, whole or not there, of which nothing newer can be opened."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from support import archive
from support.archive import hash_of, open_archive
from support.cut_short import cut_short
from support.forensics import opened, sealed_in
from support.records import NOON

from feedserver.errors import SetupError
from feedserver.model import Verb
from feedserver.sqlite import backup, copying, keys
from feedserver.sqlite.backup import back_up, last_backup
from feedserver.sqlite.folder import DATABASE, RESTORE, NoNewsroom
from feedserver.sqlite.keys import KeyFile

NAMES = [backup.ABOUT, DATABASE, keys.FILE]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    archive.made(tmp_path / "home" / "data")
    return tmp_path / "home" / "data"


def test_a_backup_holds_the_whole_state_and_says_what_it_is(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    made = back_up(data, target, NOON)
    assert sorted(os.listdir(target)) == NAMES
    assert hash_of(target) == hash_of(data)
    about = orjson.loads((target / backup.ABOUT).read_bytes())
    assert about == made.to_json()
    assert (about["items"], about["feeds"], about["withdrawn"], about["tokens"]) == (18, 2, 1, 2)
    assert about["at"] == "2025-05-17T12:00:00.000Z"
    assert all((target / name).stat().st_mode & 0o077 == 0 for name in NAMES)
    assert target.stat().st_mode & 0o077 == 0
    last = last_backup(data)
    assert last is not None
    assert (last.at, last.folder, last.newest) == (NOON, str(target), made.newest)


@pytest.mark.anyio
async def test_beside_the_work_it_is_of_one_moment_and_opens_nothing_newer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, target = tmp_path / "data", tmp_path / "backup"
    async with open_archive(data) as here:
        await archive.fill(here)
        before = hash_of(data)
        real = copying.copy_database

        def slow(*given: Any) -> None:
            real(*given)
            # Posted by another process between the copy of the data and that of the keys.
            with closing(sqlite3.connect(data / DATABASE)) as other:
                other.execute("INSERT OR REPLACE INTO meta VALUES ('other', '1')")
                other.commit()

        monkeypatch.setattr(copying, "copy_database", slow)
        made = back_up(data, target, NOON)
        assert hash_of(target) == before
        item = await here.item(Verb.POST, headline="Tomorrow's news")
        assert item.version > made.newest
        newer = [piece for piece in sealed_in(data) if piece.sequence > made.newest]
        assert newer
        assert opened(target, newer) == {}
        assert opened(data, newer).keys() == {piece.sequence for piece in newer}
        again = back_up(data, target, NOON + 1)
        assert again.newest == item.version
        assert hash_of(target) == hash_of(data)


@pytest.mark.anyio
async def test_the_keys_of_the_former_backup_are_overwritten(tmp_path: Path) -> None:
    data, target = tmp_path / "data", tmp_path / "backup"
    async with open_archive(data) as here:
        item = await here.item(Verb.POST, headline="Grivna")
        back_up(data, target, NOON)
        os.link(target / keys.FILE, tmp_path / "device.keys")  # the blocks that it stands in
        pieces = sealed_in(data)
        assert item.version in opened(tmp_path, pieces)
        await here.item(Verb.KILL, item, note="Withdrawn")
        back_up(data, target, NOON)
        assert item.version not in opened(tmp_path, pieces)


@pytest.mark.parametrize("what", ["file", "others", "mixed", "data", "newsroom"])
def test_what_is_no_place_for_a_backup_is_refused(data: Path, tmp_path: Path, what: str) -> None:
    target = tmp_path / "target"
    if what == "file":
        target.write_text("x")
    elif what == "others":
        target.mkdir()
        (target / "letter.txt").write_text("x")
    elif what == "mixed":
        back_up(data, target, NOON)
        (target / "letter.txt").write_text("x")
    elif what == "data":
        target = data
    else:
        archive.made(target)
    before = set(os.listdir(target)) if target.is_dir() else set()
    with pytest.raises(SetupError, match=r"is a file|not empty|data folder itself"):
        back_up(data, target, NOON)
    assert not before or set(os.listdir(target)) <= before


def test_the_backup_of_another_newsroom_is_not_overwritten(data: Path, tmp_path: Path) -> None:
    other, target = tmp_path / "other", tmp_path / "backup"
    archive.made(other)
    back_up(other, target, NOON)
    before = hash_of(target)
    with pytest.raises(SetupError, match="another newsroom"):
        back_up(data, target, NOON)
    assert hash_of(target) == before


def test_where_there_is_nothing_to_copy_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoNewsroom):
        back_up(tmp_path / "data", tmp_path / "backup", NOON)
    assert os.listdir(tmp_path) == []


def test_a_damaged_database_is_not_copied_over_a_good_backup(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    back_up(data, target, NOON)
    before = hash_of(target)
    with closing(sqlite3.connect(data / DATABASE)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        find = "SELECT rootpage FROM sqlite_master WHERE name = 'records_of_item'"
        page = connection.execute(find).fetchone()[0]
    with (data / DATABASE).open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xff" * 4096)
    with pytest.raises(SetupError, match="damaged"):
        back_up(data, target, NOON)
    assert hash_of(target) == before


def test_while_a_restore_is_under_way_none_is_made(data: Path, tmp_path: Path) -> None:
    (data / RESTORE).write_text('{"source": "/backups/old"}')
    with pytest.raises(SetupError, match="feedserver restore /backups/old --data"):
        back_up(data, tmp_path / "backup", NOON)


def make(folder: Path) -> None:
    back_up(folder / "data", folder / "backup", NOON)


def look(folder: Path) -> Any:
    target = folder / "backup"
    copy = KeyFile(target / keys.FILE, read_only=True)
    copy.close()
    return sorted(os.listdir(target)), hash_of(target)


def test_killed_between_any_two_steps_another_run_makes_it_whole(
    data: Path, tmp_path: Path
) -> None:
    cuts = cut_short(
        data.parent, tmp_path / "cuts", "sqlite.test_backup:make", "sqlite.test_backup:look"
    )
    assert len(cuts.steps) > 8, cuts.steps
    for cut in cuts.tried:
        assert cut.found == [NAMES, hash_of(data)], cut.step


def look_at_former(folder: Path) -> Any:
    """Read the former backup, or the new one: at each moment one of them is whole."""
    return hash_of(folder / "backup")


def nothing(folder: Path) -> None:
    """Leave the folder as the killed process left it."""


@pytest.mark.anyio
async def test_killed_amid_a_renewal_there_is_always_one_that_can_be_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with open_archive(home / "data") as here:
        await archive.fill(here)
        back_up(home / "data", home / "backup", NOON)
        before = hash_of(home / "backup")
        await here.item(Verb.POST, headline="Newer")
        await here.item(Verb.KILL, here.items["news 1"], note="Withdrawn")
    cuts = cut_short(
        home,
        tmp_path / "cuts",
        "sqlite.test_backup:make",
        "sqlite.test_backup:look_at_former",
        again="sqlite.test_backup:nothing",
    )
    after = hash_of(home / "data")
    found = [cut.found for cut in cuts.tried]
    assert found[0] == before
    assert found[-1] == after
    # Between the two names keys are newer than data: what was withdrawn is gone already.
    assert all(one in {before, after} or "Overtaken" in one for one in found), found
