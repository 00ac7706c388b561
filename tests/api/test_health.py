"""Is it alive, is it ready?"""

from __future__ import annotations

from pathlib import Path

import httpx
import orjson
import pytest
from support.answers import Feed, problem
from support.server import Server

from feedserver.sqlite.filesystem import file_system


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_nobody_keeps_a_report(anyone: httpx.Client, path: str) -> None:
    answer = anyone.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    head = anyone.head(path)
    assert head.status_code == 200
    assert head.content == b""
    problem(anyone.post(path), 405, "wrong-method")


def test_healthz_says_that_the_process_runs(anyone: httpx.Client) -> None:
    assert anyone.get("/healthz").json() == {"status": "ok"}


def test_readyz_says_what_it_reads_and_what_is_left_to_do(feed: Feed) -> None:
    before = feed.reader.get("/readyz").json()
    assert before["status"] == "ready"
    item = feed.item()
    after = feed.reader.get("/readyz").json()
    assert after["head"] >= item["version"] > before["head"] - 1
    assert feed.cursor.startswith(after["epoch"])
    assert isinstance(after["readers"], int)
    assert "unfinished_purges" not in after


def test_a_purge_that_was_waited_for_is_no_longer_reported(feed: Feed) -> None:
    answer = feed.editor.revise(feed.item(), "kill", note="n")
    assert answer.headers["purge"] == "done"
    assert "unfinished_purges" not in feed.reader.get("/readyz").json()


def test_readyz_says_when_the_last_backup_was_made_and_on_what_the_files_are(
    tmp_path: Path,
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    with Server(data) as house, house.reading() as client:
        before = client.get("/readyz").json()
        assert before["filesystem"]["name"] == file_system(data / "feed.keys").name
        assert before["filesystem"].get("remark") == file_system(data / "feed.keys").remark
        assert "last_backup" not in before
        house.cli("backup", str(copy))
        last = client.get("/readyz").json()["last_backup"]
        made = orjson.loads((copy / "backup.json").read_bytes())
        assert last["at"] == made["at"]
        assert last["seconds_ago"] >= 0
        assert str(copy) not in client.get("/readyz").text


NOT_IN_PLACE = "from feedserver.sqlite import filesystem; filesystem._IN_PLACE = frozenset()"


def test_readyz_warns_where_a_destroyed_key_may_still_be_read(tmp_path: Path) -> None:
    with Server(tmp_path / "data", first=NOT_IN_PLACE) as house, house.reading() as client:
        answer = client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["status"] == "ready"
        remark = answer.json()["filesystem"]["remark"]
        assert "a key that was destroyed may still be read from the device" in remark


def test_a_file_that_breaks_under_a_running_server_is_told_to_operators_alone(
    tmp_path: Path,
) -> None:
    with Server(tmp_path / "data") as house, house.editing() as editor:
        editor.item()
    with Server(tmp_path / "data", new=False) as house, house.reading() as client:
        path = tmp_path / "data/feed.db"
        path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096))
        answer = client.get("/v1/feeds/world/items")
        body = problem(answer, 503, "unavailable")
        assert "malformed" not in body["detail"]
        report = client.get("/readyz")
        assert report.status_code == 503
        assert report.json()["status"] == "no database"
        assert "malformed" in report.json()["detail"]
