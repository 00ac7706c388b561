"""One SQLite file: how it is opened, and what happens when it can no longer be written."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.forensics import opened, sealed_in
from support.records import feed
from support.server import Editor, Server

from feedserver.errors import SetupError, Unavailable
from feedserver.sqlite.connecting import connect, open_in_thread
from feedserver.sqlite.database import open_database
from feedserver.sqlite.folder import DATABASE, LOCK, SEARCH
from feedserver.sqlite.keys import FILE
from feedserver.sqlite.opening import SCHEMA, fold_log
from feedserver.sqlite.schema import APPLICATION_ID, MIGRATIONS
from feedserver.sqlite.storage import open_storage

pytestmark = pytest.mark.anyio


def pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


async def test_the_writer_is_durable_and_writes_no_files_that_we_do_not_know_of(
    tmp_path: Path,
) -> None:
    async with open_database(tmp_path, begins=True) as database:

        def look(connection: sqlite3.Connection) -> tuple[Any, ...]:
            names = ("journal_mode", "synchronous", "temp_store")
            return tuple(pragma(connection, name) for name in names)

        assert await database.write(look) == ("wal", 2, 2)


async def test_readers_cannot_write(tmp_path: Path) -> None:
    async with open_database(tmp_path, begins=True) as database:
        with pytest.raises(Unavailable, match="cannot be read"):
            await database.read(lambda c: c.execute("DELETE FROM meta"))
        assert await database.read(lambda c: c.execute("SELECT count(*) FROM meta").fetchone()) == (
            3,
        )


async def test_all_that_a_read_sees_is_of_one_moment(tmp_path: Path) -> None:
    async with open_database(tmp_path, begins=True) as database:

        def twice(connection: sqlite3.Connection) -> tuple[Any, ...]:
            count = "SELECT count(*) FROM meta"
            before = connection.execute(count).fetchone()
            with closing(connect(tmp_path / DATABASE, read_only=False)) as other:
                other.execute("INSERT INTO meta VALUES ('x', 'y')")
            return before, connection.execute(count).fetchone()

        assert await database.read(twice) == ((3,), (3,))
        assert await database.read(lambda c: c.execute("SELECT count(*) FROM meta").fetchone()) == (
            4,
        )


async def test_a_read_that_fails_leaves_its_connection_usable(tmp_path: Path) -> None:
    async with open_database(tmp_path, begins=True) as database:
        for _ in range(5):
            with pytest.raises(Unavailable, match="cannot be read"):
                await database.read(lambda c: c.execute("SELECT nonsense"))
        assert await database.read(lambda c: c.in_transaction)
        assert database.damage is None


async def test_a_read_that_nobody_waits_for_leaves_its_connection_usable(tmp_path: Path) -> None:
    async with open_database(tmp_path, begins=True) as database:
        for _ in range(5):
            reading = asyncio.create_task(database.read(lambda c: time.sleep(0.02)))
            await asyncio.sleep(0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        assert await database.read(lambda c: c.in_transaction)


async def test_a_file_keeps_its_identity_and_two_files_have_two(tmp_path: Path) -> None:
    async def identity(folder: Path) -> object:
        async with open_database(folder, begins=True) as database:
            return database.identity

    first = await identity(tmp_path / "one")
    assert await identity(tmp_path / "one") == first
    assert await identity(tmp_path / "two") != first


async def test_a_new_file_is_marked_as_ours_and_closing_leaves_it_alone_and_whole(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "deep" / "er"
    async with open_storage(folder, begins=True) as storage:
        await storage.journal.append(feed())
    assert {path.name for path in folder.iterdir()} == {DATABASE, FILE, LOCK, SEARCH}
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        assert pragma(connection, "application_id") == APPLICATION_ID
        assert pragma(connection, "user_version") == SCHEMA
        assert pragma(connection, "integrity_check") == "ok"


async def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database(tmp_path, begins=True):
        pass
    before = (tmp_path / DATABASE).read_bytes()
    broken = (*MIGRATIONS, "CREATE TABLE more (x) STRICT; CREATE TABLE broken (")
    monkeypatch.setattr("feedserver.sqlite.opening.MIGRATIONS", broken)
    monkeypatch.setattr("feedserver.sqlite.opening.SCHEMA", SCHEMA + 1)
    with pytest.raises(SetupError):
        async with open_database(tmp_path, begins=True):
            pass
    assert (tmp_path / DATABASE).read_bytes() == before


async def test_an_older_file_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database(tmp_path, begins=True) as database:
        identity = database.identity
    more = (*MIGRATIONS, "CREATE TABLE more (x TEXT DEFAULT 'a;b') STRICT; -- a comment; with more")
    monkeypatch.setattr("feedserver.sqlite.opening.MIGRATIONS", more)
    monkeypatch.setattr("feedserver.sqlite.opening.SCHEMA", SCHEMA + 1)
    for _ in range(2):
        async with open_database(tmp_path, begins=True) as database:
            assert database.identity == identity
            assert await database.read(lambda c: pragma(c, "user_version")) == SCHEMA + 1
            assert await database.read(lambda c: c.execute("SELECT count(*) FROM more").fetchone())


# A full disk


@contextmanager
def full_disk(server: Server, room: int) -> Iterator[None]:
    """Let no file of the server grow more than `room` bytes beyond the largest one."""
    largest = max(path.stat().st_size for path in server.data.iterdir() if path.name != LOCK)
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (largest + room, hard))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))


def until(done: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not (found := done()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def all_items(client: httpx.Client) -> dict[str, int]:
    found: dict[str, int] = {}
    query: dict[str, Any] = {"limit": 200}
    while True:
        page = client.get("/v1/feeds/world/items", params=query).json()
        found |= {item["headline"]: item["id"] for item in page["items"] if "headline" in item}
        if "next" not in page:
            return found
        query["before"] = page["next"]


def fill(editor: Editor, kept: dict[str, int]) -> httpx.Response:
    """Post until it is refused; return the refusal."""
    for n in range(100):
        answer = editor.submit(f"item {n}", body="x" * 30_000, key=f"key-{n}")
        if answer.status_code != 201:
            return answer
        kept[f"item {n}"] = answer.json()["id"]
    raise AssertionError("the disk is never full")


def test_a_full_disk_is_said_loses_nothing_and_heals_by_itself(server: Server) -> None:
    kept: dict[str, int] = {}
    with server.editing() as editor, server.reading() as reader:
        cursor = reader.get("/v1/feeds/world").json()["cursor"]
        with full_disk(server, room=300_000):
            refused = fill(editor, kept)
            assert refused.status_code == 503
            assert refused.headers["content-type"] == "application/problem+json"
            assert int(refused.headers["retry-after"]) > 0
            problem = refused.json()
            assert problem["type"] in {"unavailable", "outcome-unknown"}
            assert "retry" in problem["detail"]
            assert kept, "nothing fitted at all"
            # Readers are served, and are shown nothing that was refused.
            assert all_items(reader) == kept
            message = reader.get("/v1/feeds/world/changes", params={"since": cursor}).json()
            assert {item["id"] for item in message["items"]} == set(kept.values())
            assert editor.submit("again", body="x" * 30_000).status_code == 503
        missing = len(kept)
        answer = editor.submit(f"item {missing}", body="x" * 30_000, key=f"key-{missing}")
        assert answer.status_code == 201, answer.text
        kept[f"item {missing}"] = answer.json()["id"]
        assert all_items(reader) == kept
        server.restart()
        with server.reading() as later:
            assert all_items(later) == kept


def test_a_kill_on_a_disk_that_is_nearly_full_destroys_its_keys_at_once(server: Server) -> None:
    with server.editing() as editor, server.reading() as reader:
        item = editor.item("unspeakable", body="unspeakable " * 100)
        pieces = sealed_in(server.data)
        assert opened(server.data, pieces)
        for n in range(30):
            editor.item(f"other {n}", body="y" * 60_000)
        with full_disk(server, room=60_000):  # no copy of the file would fit
            answer = editor.revise(item, "kill", note="withdrawn")
            assert answer.status_code == 201, answer.text
            assert reader.get(f"/v1/feeds/world/items/{item['id']}").status_code == 410
            assert item["id"] not in opened(server.data, pieces)
        assert until(lambda: "unfinished_purges" not in reader.get("/readyz").json())


def test_a_database_that_another_process_holds_is_waited_for_and_then_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Server(tmp_path / "data") as server, server.editing() as editor:
        with closing(sqlite3.connect(server.data / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = editor.submit("blocked", key="k")
            assert answer.status_code == 503
            assert editor.submit("blocked", key="k").status_code == 503
            assert capfd.readouterr().err.count("nothing can be written") == 1
            assert answer.json()["type"] == "unavailable"
            assert "busy" in answer.json()["detail"]
            assert int(answer.headers["retry-after"]) > 0
            assert editor.get("/v1/feeds/world/items").json()["items"] == []
            other.execute("ROLLBACK")
        assert editor.submit("blocked", key="k").status_code == 201
        assert capfd.readouterr().err.count("written again") == 1


def test_what_processes_that_ended_together_left_beside_the_file_is_put_away(
    server: Server,
) -> None:
    with server.editing() as editor:
        item = editor.item()
    server.kill9()  # as good as: nobody puts the log away
    assert (server.data / f"{DATABASE}-wal").exists()
    fold_log(server.data)
    assert not (server.data / f"{DATABASE}-wal").exists()
    server.start()
    with server.reading() as anyone:
        assert anyone.get(f"/v1/feeds/world/items/{item['id']}").status_code == 200


async def test_an_opening_that_is_cancelled_leaves_no_thread_and_no_connection() -> None:
    before = threading.active_count()
    goes_on = threading.Event()
    opened: list[sqlite3.Connection] = []

    def slow() -> sqlite3.Connection:
        assert goes_on.wait(20)
        opened.append(sqlite3.connect(":memory:", check_same_thread=False))
        return opened[0]

    opening = asyncio.create_task(open_in_thread(slow))
    while threading.active_count() == before:
        await asyncio.sleep(0.001)
    opening.cancel()
    await asyncio.sleep(0)
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await opening
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")
