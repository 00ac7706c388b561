"""Several processes over one folder: one of them indexes at a time, and all of them find all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite.search_room import found, level, newsroom, shrink
from support.forensics import in_plain, terms_in
from support.records import item_of, kill, made, post
from support.server import WITH_TESTS, Server

from feedserver.model import Status

pytestmark = pytest.mark.anyio

COUNT = 60  # items that each process posts
SECRET = "grivnatraktzolotnik"

PROCESS = f"""
import asyncio, sys
from pathlib import Path
from support.records import item_of, kill, post
from feedserver.errors import Unavailable
from sqlite.search_room import newsroom, page, shrink

async def complete(storage, word, posted):
    '''A page has all of these that its cursor covers.'''
    while True:
        try:
            told = await page(storage, 200, words=word)
        except Unavailable:
            await asyncio.sleep(0.01)
            continue
        due = {{version for version in posted if version <= told.feed.head}}
        assert due <= {{item.id for item in told.items}}, (due, told)
        return told.feed.head >= max(posted)

async def main(folder, word):
    shrink(PARTITION=64, BLOCK=16)
    async with newsroom(Path(folder)) as storage:
        posted = []
        for number in range({COUNT}):
            change = await storage.journal.append(post(f"News {{word}} {{number}}"))
            posted.append(change.sequence)
            await complete(storage, word, posted)
            if number % 20 == 7:
                secret = await storage.journal.append(post("{SECRET}"))
                await complete(storage, "news", posted)
                await storage.journal.append(kill(item_of(secret)))
            print(number, flush=True)
        while not await complete(storage, word, posted):
            pass
        assert await storage.journal.purged(60)

asyncio.run(main(*sys.argv[1:]))
"""


def start(folder: Path, word: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, folder, word],
        env=os.environ | WITH_TESTS,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_all_processes_find_all_and_one_that_dies_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, PARTITION=64, BLOCK=16)
    async with newsroom(tmp_path) as storage:
        await level(storage)
    processes = [start(tmp_path, word) for word in ("alpha", "bravo", "charlie")]
    for number in range(3):  # some die in the middle of it, wherever that is
        dying = start(tmp_path, f"dying{number}")
        assert dying.stdout is not None
        for _ in range(5 + 7 * number):
            dying.stdout.readline()
        dying.kill()
        dying.communicate()
    for process in processes:
        told, fault = process.communicate(timeout=120)
        assert process.returncode == 0, fault
        assert len(told.split()) == COUNT
    async with newsroom(tmp_path) as storage:
        await level(storage)
        assert await storage.journal.purged(60)
        for word in ("alpha", "bravo", "charlie"):
            assert len(await found(storage, words=word, limit=200)) == COUNT
        there = await storage.mirror.page("world", 1000)
        assert there is not None
        # Whoever died may have left its secret where nobody withdrew it.
        for item in there.items:
            if item.headline == SECRET:
                await storage.journal.append(kill(item))
        assert await storage.journal.purged(60)
        live = [i.id for i in there.items if i.status is Status.LIVE and i.headline != SECRET]
        assert await found(storage, words="news", limit=1000) == live
        assert terms_in(tmp_path, "world", [SECRET]) == []
        assert in_plain(tmp_path, [SECRET]) == []


async def test_two_processes_share_the_making_of_a_new_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, PARTITION=64, BLOCK=16, BATCH_BYTES=2000)
    async with newsroom(tmp_path) as storage:
        changes = await made(storage.journal, *(post(f"News {n}") for n in range(300)))
        await storage.journal.append(kill(item_of(changes[10])))
    for name in ("search.db", "search.db-wal", "search.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    async with newsroom(tmp_path) as one, newsroom(tmp_path) as two:
        await level(one)
        for storage in (one, two):
            assert await storage.journal.purged(20)
            assert len(await found(storage, words="news", limit=1000)) == 299


def test_every_worker_of_a_server_finds_a_post_and_none_a_withdrawn_item(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--workers", "2") as server, server.editing() as anna:
        kept = anna.item("News kept", tags=["Sea"])
        secret = anna.item(SECRET, tags=["sea"])

        def asked(**question: str) -> list[int]:
            with server.reading() as reader:  # a connection of its own, to any worker
                answer = reader.get("/v1/feeds/world/items", params=question)
                assert answer.status_code == 200, answer.text
                return [item["id"] for item in answer.json()["items"]]

        for _ in range(8):
            assert asked(tag="SEA") == [secret["id"], kept["id"]]
            assert asked(q=SECRET) == [secret["id"]]
        killed = anna.revise(secret, "kill", note="Withdrawn")
        assert killed.headers["purge"] == "done"
        for _ in range(8):
            assert asked(tag="sea") == [kept["id"]]
            assert asked(q=SECRET) == []
        assert terms_in(tmp_path / "data", "world", [SECRET]) == []
        server.kill9()
        server.start()
        assert asked(q="news") == [kept["id"]]
