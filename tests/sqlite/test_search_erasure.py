"""After a kill or redact no file gives the words or their terms back, and search goes on."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite.search_room import found, level, newsroom, shrink
from support.forensics import in_plain, terms_in
from support.records import edit, item_of, kill, made, post, redact
from support.server import WITH_TESTS

from feedserver.model import Verb
from feedserver.sqlite import keys, search_file, slots
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.folder import SEARCH
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.search_remake import Remaker

pytestmark = pytest.mark.anyio

SECRET = ["grivnatrakt", "zolotnikovy", "arshinnapole", "sazhenbezmer"]  # nobody else writes these


def tables(folder: Path) -> set[str]:
    with closing(connect(folder / SEARCH, read_only=True)) as connection:
        return {part.table for part in search_file.partitions_of(connection)}


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_before_a_kill_the_terms_are_there_and_after_it_they_are_not(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as storage:
        item = item_of(
            await storage.journal.append(
                post(SECRET[0], body=f"a {SECRET[1]} and", tags=[SECRET[2], "common"])
            )
        )
        other = item_of(await storage.journal.append(post("Other", tags=["common"])))
        await level(storage)
        assert len({line.split()[0] for line in terms_in(tmp_path, "world", SECRET[:3])}) == 3
        keys_before = {storage.search._database.keys.partition_key(0, 0)}
        await storage.journal.append(kill(item))
        assert await storage.journal.purged(20)
        assert await found(storage, tag="common") == [other.id]
        assert terms_in(tmp_path, "world", SECRET) == []
        assert tables(tmp_path) == {"terms_0_1"}
        with pytest.raises(slots.Gone):
            storage.search._database.keys.partition_key(0, 0)
        assert not any(key in raw for key in keys_before for raw in contents(tmp_path))
        assert in_plain(tmp_path, SECRET) == []
        await storage.journal.append(kill(other))
        assert await storage.journal.purged(20)
        assert tables(tmp_path) == {"terms_0_0"}
        assert await found(storage, tag="common") == []


async def test_what_a_redact_erases_loses_its_terms_too(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as storage:
        item = item_of(await storage.journal.append(post(f"Met {SECRET[0]}", body="kept")))
        item = item_of(await storage.journal.append(edit(item, Verb.UPDATE, headline="Met one")))
        await level(storage)
        assert terms_in(tmp_path, "world", SECRET)
        await storage.journal.append(redact(item, item.id))
        assert await storage.journal.purged(20)
        assert terms_in(tmp_path, "world", SECRET) == []
        assert await found(storage, words="kept") == [item.id]
        assert await found(storage, words=SECRET[0]) == []


async def test_only_the_partitions_that_held_the_words_are_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, PARTITION=16, BLOCK=4)
    async with newsroom(tmp_path) as storage:
        item = item_of(await storage.journal.append(post(SECRET[0])))  # 0
        await made(storage.journal, *(post("News") for _ in range(16)))
        pinned = item_of(await storage.journal.append(edit(item, Verb.PIN)))  # 1, without words
        await made(storage.journal, *(post("News") for _ in range(16)))
        fixed = item_of(await storage.journal.append(edit(pinned, Verb.FIX, body=SECRET[1])))  # 2
        await made(storage.journal, *(post("News") for _ in range(30)))
        await level(storage)
        assert tables(tmp_path) == {f"terms_{number}_0" for number in range(5)}
        await storage.journal.append(kill(fixed))
        assert await storage.journal.purged(20)
        assert tables(tmp_path) == {
            "terms_0_1", "terms_1_0", "terms_2_1", "terms_3_0", "terms_4_0",
        }  # fmt: skip
        assert terms_in(tmp_path, "world", SECRET) == []
        assert len(await found(storage, words="news")) == 50


async def test_kills_of_one_moment_share_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    begin = KeyFile.begin_partition

    def counted(self: KeyFile, partition: int, turn: int) -> bytes:
        begun.append(partition)
        return begin(self, partition, turn)

    monkeypatch.setattr(KeyFile, "begin_partition", counted)
    async with newsroom(tmp_path) as storage:
        changes = await made(storage.journal, *(post(f"News {n}") for n in range(600)))
        await level(storage)
        begun.clear()
        await asyncio.gather(
            *(storage.journal.append(kill(item_of(change))) for change in changes[:100])
        )
        assert await storage.journal.purged(30)
        assert 1 <= len(begun) <= 8
        assert len(await found(storage, words="news", limit=200)) == 200


async def test_pages_are_answered_from_the_old_partition_while_it_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, BATCH_BYTES=500)
    async with newsroom(tmp_path) as storage:
        changes = await made(storage.journal, *(post(f"News {n}") for n in range(200)))
        await level(storage)
        due = [change.sequence for change in changes[1:]][::-1]
        asked = 0
        step = Remaker.step

        def held_up(remaker: Remaker) -> float | None:
            """Keep a new partition from taking its place until enough was asked for."""
            remake = search_file.remake_of(remaker._search)
            if asked < 4 and remake is not None and remaker._is_whole(remake):
                return 0.001
            return step(remaker)

        monkeypatch.setattr(Remaker, "step", held_up)
        await storage.journal.append(kill(item_of(changes[0])))
        while await storage.mirror.purges():
            assert await found(storage, words="news", limit=200) == due[:200]
            asked += 1
            # What comes meanwhile is found as well, and is not lost at the end.
            due.insert(0, (await storage.journal.append(post("News"))).sequence)
        assert asked >= 4
        assert await found(storage, words="news", limit=200) == due[:200]
        assert tables(tmp_path) == {"terms_0_1"}


async def test_words_erased_while_they_were_being_indexed_do_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what a step left in the log that never came to its COMMIT."""
    async with newsroom(tmp_path) as storage:
        await made(storage.journal, post("News"))
        await level(storage)
        part_key = storage.search._database.keys.partition_key(0, 0)
        with closing(connect(tmp_path / SEARCH, read_only=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            item = item_of(await storage.journal.append(post(SECRET[0])))
            await storage.journal.append(kill(item))
            assert not await storage.journal.purged(0.2)
            other.execute("ROLLBACK")
        # Its words are gone before it was ever indexed; its partition has another key all the same.
        assert await storage.journal.purged(20)
        assert part_key not in (tmp_path / keys.FILE).read_bytes()
        assert terms_in(tmp_path, "world", SECRET) == []


async def test_a_deleted_search_file_takes_the_keys_of_all_partitions_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a copy of it could still be read."""
    shrink(monkeypatch, PARTITION=16, BLOCK=4)
    async with newsroom(tmp_path) as storage:
        await made(storage.journal, *(post(f"News {n}") for n in range(40)))
        await level(storage)
        key_file = storage.search._database.keys
        before = {key_file.partition_key(number, 0) for number in range(3)}
    (tmp_path / SEARCH).unlink()
    async with newsroom(tmp_path) as storage:
        await level(storage)
        raw = (tmp_path / keys.FILE).read_bytes()
        assert not any(key in raw for key in before)


async def test_a_backup_holds_no_keys_of_the_search_file(tmp_path: Path) -> None:
    async with newsroom(tmp_path / "data") as storage:
        await made(storage.journal, post("News"))
        await level(storage)
        key_file = storage.search._database.keys
        key_file.copy_to(tmp_path / "copy.keys", await storage.journal.head())
        key = key_file.partition_key(0, 0)
        assert key not in (tmp_path / "copy.keys").read_bytes()
        assert key in (tmp_path / "data" / keys.FILE).read_bytes()


async def test_what_is_purged_is_known_to_all_processes_and_after_a_restart(
    tmp_path: Path,
) -> None:
    async with newsroom(tmp_path) as storage, newsroom(tmp_path) as beside:
        item = item_of(await storage.journal.append(post("News")))
        await level(storage)
        killed = await storage.journal.append(kill(item))
        assert await storage.journal.purged(20)
        assert await beside.journal.purged(20)
        assert storage.search.cleaned_to == beside.search.cleaned_to == killed.sequence
    async with newsroom(tmp_path) as storage:
        assert storage.search.cleaned_to == killed.sequence


def test_killed_before_any_step_it_is_finished_by_the_next(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sqlite.search_steps", tmp_path],
        env=os.environ | WITH_TESTS,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    whole, *tries = map(json.loads, done.stdout.splitlines())
    assert whole["steps"] > 20, whole
    assert tries
    assert all(one["fault"] is None for one in tries), tries
    assert any(one["killed"] for one in tries)


async def test_kills_without_end_do_not_keep_the_first_of_them_from_being_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with newsroom(tmp_path) as storage:
        items = [item_of(await storage.journal.append(post(f"News {n}"))) for n in range(40)]
        await level(storage)
        loop, finish = asyncio.get_running_loop(), search_file.finish_remake

        def finishing(*given: Any) -> None:
            finish(*given)
            if items:  # whenever a partition is made anew, another of its items is withdrawn
                killing = storage.journal.append(kill(items.pop()))
                asyncio.run_coroutine_threadsafe(killing, loop).result(20)

        monkeypatch.setattr(search_file, "finish_remake", finishing)
        first = await storage.journal.append(kill(items.pop()))
        assert await storage.journal.purged(20, first.sequence)
        assert items
        items.clear()
        assert await storage.journal.purged(20)
