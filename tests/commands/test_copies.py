"""Backup, restore, check and migrate from a terminal, beside a running server or without one."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from endings import Done, done, refused
from support import archive
from support.archive import hash_of
from support.former import fill, former_server
from support.server import Server

from feedserver.commands import progress
from feedserver.service import NEWSROOM_POLL_SECONDS
from feedserver.sqlite import keys, slots
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.folder import DATABASE, RESTORE
from publisher.output import Screen

Command = Callable[..., Done]


@pytest.fixture
def full(data: Path) -> Path:
    archive.made(data)
    return data


def told(command: Done) -> Any:
    return json.loads(done(command))


def test_a_backup_is_made_beside_a_running_server_and_restored_under_it(
    server: Server, tmp_path: Path
) -> None:
    saved = tmp_path / "backup"
    with server.editing() as anna:
        kept, killed = anna.item("Kept"), anna.item("Withdrawn later")
        assert "2 items in 1 feeds" in server.cli("backup", str(saved))
        lost = anna.item("Lost again")
        anna.revised(killed, "kill", note="It was wrong")
        before = anna.get("/v1/feeds/world/items").json()
        restored = server.cli("restore", str(saved), "--yes")
        assert "restored" in restored
        assert "withdrawn again: 1 item\n" in restored
        assert "before-restore-" in restored
        deadline = time.monotonic() + 20
        while (now := anna.get("/v1/feeds/world/items").json())["epoch"] == before["epoch"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert [(item["id"], item["status"]) for item in now["items"]] == [
            (killed["id"], "killed"),
            (kept["id"], "live"),
        ]
        assert now["items"][0]["note"] == "Withdrawn before this copy was restored"
        changes = anna.get("/v1/feeds/world/changes", params={"since": before["cursor"]}).json()
        assert changes["type"] == "snapshot"  # nobody is left with what was replaced
        assert anna.item("Goes on")["id"] > 100_000 > lost["id"]
    checked = server.cli("check")
    assert "nothing is wrong" in checked
    assert "the last backup was made today" in checked
    assert str(saved) in checked


def test_a_server_that_waits_for_a_newsroom_takes_up_the_one_that_is_restored(
    full: Path, within: Command, tmp_path: Path
) -> None:
    saved, empty = tmp_path / "backup", tmp_path / "empty"
    done(within("backup", saved, "--data", full))
    empty.mkdir()
    server = Server(empty, new=False)
    with server, server.reading() as anyone:
        assert anyone.get("/readyz").json()["status"] == "no database"
        (empty / RESTORE).write_text(f'{{"source": "{saved}", "newsfeed_restore": 1}}')
        time.sleep(2 * NEWSROOM_POLL_SECONDS)  # it is looked for while the restore is under way
        assert anyone.get("/readyz").json()["status"] == "no database"
        server.cli("restore", str(saved), "--yes")
        deadline = time.monotonic() + 20
        while anyone.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(anyone.get("/v1/feeds/world/items").json()["items"]) == 16


def test_a_backup_says_in_json_what_it_is(within: Command, full: Path, tmp_path: Path) -> None:
    saved = tmp_path / "backup"
    made = told(within("backup", saved, "--json", "--data", full))
    assert made["folder"] == str(saved)
    assert (made["items"], made["feeds"], made["newest"]) == (18, 2, 42)
    assert made["at"].endswith("Z")
    refused(within("backup", full, "--data", full), "is the data folder itself")
    refused(within("backup", saved, "--data", tmp_path / "none"), "no newsroom")


def test_a_restore_is_not_begun_unless_somebody_says_yes(
    within: Command, full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "backup"
    done(within("backup", saved, "--data", full))
    before = hash_of(full)
    refused(within("restore", saved, "--data", full), "--yes", code=2)
    asked: list[str] = []

    def answered(answer: bool) -> Callable[[Screen, str], bool]:
        def ask(screen: Screen, question: str) -> bool:
            asked.append(question)
            return answer

        return ask

    monkeypatch.setattr(Screen, "ask", answered(answer=False))
    refused(within("restore", saved, "--data", full), "nothing was changed")
    assert "replace what is in" in asked[0]
    assert "18 items in 2 feeds, up to record 42" in asked[0]
    assert hash_of(full) == before
    assert not list(full.glob("before-restore-*"))
    monkeypatch.setattr(Screen, "ask", answered(answer=True))
    done(within("restore", saved, "--data", full))
    assert len(list(full.glob("before-restore-*"))) == 1
    assert hash_of(full) == before


def test_a_restore_says_what_it_did(within: Command, full: Path, tmp_path: Path) -> None:
    saved, there = tmp_path / "backup", tmp_path / "there"
    done(within("backup", saved, "--data", full))
    done(within("token", "revoke", "anna", "--data", full))
    restored = told(within("restore", saved, "--yes", "--json", "--data", full))
    assert restored["redone"]["revoked"] == ["anna"]
    assert restored["good_again"] == []
    assert restored["following"] == 100_001
    assert Path(restored["before"]).parent == full
    anew = within("restore", saved, "--yes", "--data", there)
    assert "tokens that are good, and were not before: anna, ida" in done(anew)
    listed = done(within("token", "list", "--data", there))
    assert listed.count("good") == 2


def test_keys_that_are_too_old_are_said_with_what_would_be_lost(
    within: Command, full: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "backup"
    done(within("backup", saved, "--data", full))
    path = saved / keys.FILE
    path.write_bytes(path.read_bytes()[: slots.HEADER + slots.SLOT * (slots.number_of(40) + 1)])
    refused(
        within("restore", saved, "--yes", "--data", full),
        "up to record 40, and the newest record is 42",
        "--to-keys",
    )
    restored = done(within("restore", saved, "--yes", "--to-keys", "--data", full))
    assert "lost with their keys: 2 records:" in restored
    assert "  41 feed in world at 2025-05-17T" in restored
    assert "nothing is wrong" in done(within("check", "--data", full))


@pytest.mark.parametrize("words", ["serve --port 0", "feed list", "check", "backup b"])
def test_while_a_restore_is_unfinished_all_others_name_it(
    feedserver: Command, full: Path, words: str
) -> None:
    (full / RESTORE).write_text('{"source": "/backups/my feed", "newsfeed_restore": 1}')
    command = feedserver(*words.split(), "--data", full)
    refused(command, f"feedserver restore '/backups/my feed' --data {full}")


def test_a_check_says_what_is_wrong_and_ends_with_1(within: Command, full: Path) -> None:
    report = told(within("check", "--json", "--data", full))
    assert (report["records"], report["items"], report["wrong"]) == (42, 18, [])
    assert "no backup was ever made" in report["remarks"][0]
    with closing(connect(full / DATABASE, read_only=False)) as connection:
        connection.execute("UPDATE records SET editor = 'bob' WHERE sequence = 6")
        connection.execute("UPDATE items SET pinned = NULL WHERE id = 6")
    command = within("check", "--data", full)
    assert command.returncode == 1
    assert "wrong: record 6 of item 6 of world cannot be read" in command.stdout
    assert "wrong: the row of item 6 is not what its records say: pinned" in command.stdout
    assert command.stdout.rstrip().endswith("2 things are wrong")
    command = within("check", "--json", "--data", full)
    assert command.returncode == 1
    wrong = json.loads(command.stdout)["wrong"]
    assert [one["kind"] for one in wrong] == ["unreadable", "contradiction"]
    assert [one.get("sequence") for one in wrong] == [6, None]
    command = within("check", "--repair", "--data", full)
    assert command.returncode == 1  # of what cannot be mended
    assert "repaired: 1 rows were made anew" in command.stdout
    assert command.stdout.rstrip().endswith("1 thing is wrong")


def test_an_old_folder_is_refused_by_all_but_migrate(
    former_code: Path, feedserver: Command, within: Command, data: Path
) -> None:
    server = former_server(former_code, data)
    with server:
        fill(server)
        refused(within("migrate", "--data", data), "end all that works on it")
    for words in ("feed list", "serve --port 0", "backup b", "check"):
        refused(feedserver(*words.split(), "--data", data), f"feedserver migrate --data {data}")
    shutil.copytree(data, data.parent / "kept")
    migrated = done(within("migrate", "--data", data))
    assert "migrated" in migrated
    assert "items" in migrated
    assert "is of today's format already" in done(within("migrate", "--data", data))
    assert "World" in done(within("feed", "list", "--data", data))
    assert "nothing is wrong" in done(within("check", "--data", data))
    kept = within("migrate", "--keep", "--json", "--data", data.parent / "kept")
    assert told(kept)["kept"] == str(data.parent / "kept" / "feed.db.v1")
    refused(within("migrate", "--data", data.parent / "none"), "no newsroom")


def test_long_work_shows_how_far_it_is_at_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.0)
    for terminal, quiet in ((True, False), (True, True), (False, False)):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal, raising=False)
        with progress.shown_progress(quiet=quiet) as show:
            show("migrated", 1, 4)
        written = capsys.readouterr().err
        assert ("migrated: 25 %" in written) == (terminal and not quiet)
        assert not written or written.endswith("\r\x1b[K")  # nothing of it is left
