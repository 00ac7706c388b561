"""A folder of the former format, taken over: all answers stay, and no step can be cut short."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.archive import hash_of, made
from support.cut_short import cut_short
from support.forensics import in_plain, opened, sealed_in
from support.former import Json, answers, fill, former_hash, former_server
from support.server import Server

from feedserver.errors import SetupError
from feedserver.sqlite import keys, migration, moving_in, opening, replaying
from feedserver.sqlite.backup import back_up
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.folder import DATABASE
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.restoring import restore

TABLES = ("items", "feeds", "tokens", "retry_keys", "origins")


@pytest.fixture(scope="module")
def former(former_code: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Json, Json]:
    """A folder that the old program has filled, what was done, and its answers."""
    data = tmp_path_factory.mktemp("former") / "data"
    server = former_server(former_code, data)
    with server:
        known = fill(server)
        known["anna"] = server.token
        return data, known, answers(server, known)


@pytest.fixture
def data(former: tuple[Path, Json, Json], tmp_path: Path) -> Path:
    shutil.copytree(former[0], tmp_path / "data")
    return tmp_path / "data"


def test_every_answer_is_as_it_was_before(former: tuple[Path, Json, Json], data: Path) -> None:
    _, known, before = former
    migration.migrate(data, keeps=False)
    (data.parent / "token").write_text(known["anna"])
    server = Server(data, new=False)
    with server:
        after = answers(server, known)
    for question, answer in before.items():
        assert after[question] == answer, question


def test_the_state_is_the_same_by_its_hash(data: Path) -> None:
    before = former_hash(data)
    migration.migrate(data, keeps=False)
    assert hash_of(data) == before


def test_what_a_killed_server_left_in_its_log_is_taken_over(
    former_code: Path, former: tuple[Path, Json, Json], data: Path
) -> None:
    (data.parent / "token").write_text(former[1]["anna"])
    server = former_server(former_code, data, new=False).start()
    with server.editing() as anna:
        item = anna.item("In the log alone")
    server.kill9()
    assert (data / f"{DATABASE}-wal").stat().st_size > 0
    before = former_hash(data)
    migration.migrate(data, keeps=False)
    assert hash_of(data) == before
    with closing(connect(data / DATABASE, read_only=True)) as connection:
        assert replaying.item_of(connection, item["id"])


def test_the_tables_are_what_the_records_say(data: Path) -> None:
    migration.migrate(data, keeps=False)
    before = hash_of(data)
    with closing(connect(data / DATABASE, read_only=False)) as connection:
        stored = _tables(connection)
        for _, group in replaying.item_records(connection):
            item = None
            for row in group:
                item = replaying.item_after(item, row)
                assert replaying.is_derived(item, row), row
        connection.execute("BEGIN IMMEDIATE")
        replaying.rebuild(connection)
        connection.execute("COMMIT")
        assert _tables(connection) == stored
    assert hash_of(data) == before


def test_withdrawn_items_have_no_words_and_their_slots_say_by_which_kill(data: Path) -> None:
    migration.migrate(data, keeps=False)
    with closing(connect(data / DATABASE, read_only=True)) as connection:
        rows = connection.execute(
            "SELECT r.sequence, r.sealed, k.sequence, k.at FROM records r JOIN records k"
            " ON k.item = r.item AND k.act = 'kill' AND r.sequence < k.sequence"
        ).fetchall()
    key_file = KeyFile(data / keys.FILE, read_only=True)
    assert len(rows) >= 5
    for sequence, sealed, kill, at in rows:
        assert sealed is None
        gone = key_file.gone(sequence)
        assert gone is not None
        assert (gone.by, gone.act, gone.at) == (kill, "kill", at)
    assert key_file.committed_to == opening_newest(data)
    assert key_file.erased_to == max(kill for _, _, kill, _ in rows)
    key_file.close()


def opening_newest(data: Path) -> int:
    with closing(connect(data / DATABASE, read_only=True)) as connection:
        newest: int = connection.execute("SELECT max(sequence) FROM records").fetchone()[0]
        return newest


def test_no_word_is_left_in_plain_unless_the_old_file_is_kept(data: Path, tmp_path: Path) -> None:
    words = ["Druzhkivka", "ministry", "All that rolls", "Filed late"]
    assert in_plain(data, words)
    shutil.copytree(data, tmp_path / "kept")
    migrated = migration.migrate(data, keeps=False)
    assert migrated is not None
    assert migrated.kept is None
    assert in_plain(data, words) == []
    assert sorted(os.listdir(data)) == [DATABASE, keys.FILE, "lock"]
    told = b"".join(opened(data, sealed_in(data)).values())
    assert all(word.encode() in told for word in words)
    kept = tmp_path / "kept"
    old = (kept / DATABASE).read_bytes()
    migrated = migration.migrate(kept, keeps=True)
    assert migrated is not None
    assert migrated.kept == kept / moving_in.KEPT
    assert sorted(os.listdir(kept)) == [DATABASE, moving_in.KEPT, keys.FILE, "lock"]
    with closing(sqlite3.connect(kept / moving_in.KEPT)) as there:
        assert there.execute("PRAGMA user_version").fetchone()[0] == 1
    assert abs(len(old) - (kept / moving_in.KEPT).stat().st_size) < 4096


def test_what_is_new_already_is_left_alone(data: Path) -> None:
    assert migration.migrate(data, keeps=False)
    before = (data / DATABASE).read_bytes()
    assert migration.migrate(data, keeps=False) is None
    assert (data / DATABASE).read_bytes() == before


def migrate(data: Path) -> None:
    migration.migrate(data, keeps=False)


def look(data: Path) -> Any:
    names = sorted(os.listdir(data))
    return hash_of(data), names, opening.prepare(data).epoch


def test_killed_between_any_two_steps_another_run_finishes_it(data: Path, tmp_path: Path) -> None:
    cuts = cut_short(
        data, tmp_path / "cuts", "sqlite.test_migration:migrate", "sqlite.test_migration:look"
    )
    assert len(cuts.steps) > 15, cuts.steps
    migration.migrate(data, keeps=False)
    epoch = opening.prepare(data).epoch
    for cut in cuts.tried:
        # Whatever was done twice: the state is the same, and nothing lies about.
        assert cut.found == [cuts.tried[-1].found[0], [DATABASE, keys.FILE, "lock"], epoch], (
            cut.step
        )


def start(data: Path) -> None:
    """Migrate, and where that was cut short late enough, open the folder as any command does."""
    try:
        opening.prepare(data)
    except SetupError:
        migration.migrate(data, keeps=False)


def test_once_the_keys_are_in_place_any_command_finishes_it(data: Path, tmp_path: Path) -> None:
    cuts = cut_short(
        data, tmp_path / "cuts", "sqlite.test_migration:start", "sqlite.test_migration:look"
    )
    assert {len(cut.found[1]) for cut in cuts.tried} == {3}
    assert len({cut.found[0] for cut in cuts.tried}) == 1


def test_an_old_server_in_the_folder_is_refused(
    former_code: Path, former: tuple[Path, Json, Json], data: Path
) -> None:
    (data.parent / "token").write_text(former[1]["anna"])
    before = (data / DATABASE).read_bytes()
    with former_server(former_code, data, new=False) as server:
        with pytest.raises(SetupError, match="end all that works on it"):
            migration.migrate(data, keeps=False)
        with server.editing() as anna:
            anna.item("Still serving")
    assert (data / DATABASE).read_bytes() != before
    assert migration.migrate(data, keeps=False)


def die_before_the_data(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrate, and die when the keys are in place and the data is not."""
    real = os.replace

    def dying(source: Any, target: Any) -> None:
        if str(target).endswith(DATABASE):
            raise KeyboardInterrupt
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", dying)
        with pytest.raises(KeyboardInterrupt):
            migration.migrate(data, keeps=False)


def test_news_of_an_old_server_between_two_runs_is_not_lost(
    former_code: Path, former: tuple[Path, Json, Json], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data.parent / "token").write_text(former[1]["anna"])
    die_before_the_data(data, monkeypatch)
    assert (data / keys.FILE).exists()
    with former_server(former_code, data, new=False) as server, server.editing() as anna:
        item = anna.item("Came between")
    with pytest.raises(SetupError, match="feedserver migrate"):
        opening.prepare(data)
    assert migration.migrate(data, keeps=False)
    with closing(connect(data / DATABASE, read_only=True)) as connection:
        assert replaying.item_of(connection, item["id"])


def test_a_backup_restored_amid_a_migration_keeps_its_keys(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "new")
    back_up(tmp_path / "new", tmp_path / "backup", 0)
    die_before_the_data(data, monkeypatch)
    restore(data, tmp_path / "backup", now=1)
    assert (data / moving_in.NEW).exists()
    opening.prepare(data)
    assert hash_of(data) == hash_of(tmp_path / "new")
    left = {name for name in os.listdir(data) if "migrat" in name or "old" in name}
    assert left == set()


def test_too_little_room_is_said_before_anything_is_written(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs

    def nearly_full(path: Any) -> Any:
        found = real(path)
        return type("Found", (), {"f_bavail": 3, "f_frsize": found.f_frsize})

    monkeypatch.setattr(os, "statvfs", nearly_full)
    with pytest.raises(SetupError, match=r"0 MiB are free.* 1.5 times the size"):
        migration.migrate(data, keeps=False)
    assert not [name for name in os.listdir(data) if "migrat" in name or "keys" in name]


def test_items_folded_anew_are_the_same(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = data.parent / "other"
    shutil.copytree(data, other)
    migration.migrate(data, keeps=False)
    monkeypatch.setattr("feedserver.sqlite.former.STATES_MAX", 0)  # none is kept in memory
    migration.migrate(other, keeps=False)
    assert hash_of(other) == hash_of(data)


def _tables(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in TABLES
    }
