"""Search over one folder: pages of what is found, complete or refused, whatever happens beside."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite.search_room import found, level, newsroom, page, shrink
from support.records import (
    MINUTE,
    NOON,
    SECOND,
    edit,
    feed,
    item_of,
    kill,
    made,
    post,
)

from feedserver.errors import Unavailable
from feedserver.model import Act, Item, Record, Verb, random_id
from feedserver.sqlite import search, search_pool, search_query, search_worker, slots
from feedserver.sqlite.backup import back_up
from feedserver.sqlite.folder import SEARCH
from feedserver.sqlite.keys import FILE
from feedserver.sqlite.restoring import restore
from feedserver.sqlite.storage import Storage, open_storage

pytestmark = pytest.mark.anyio


async def walked(storage: Storage, limit: int, **question: Any) -> list[Item]:
    """Turn all pages of a question."""
    items: list[Item] = []
    before = None
    while True:
        part = await page(storage, limit, before=before, **question)
        assert len(part.items) <= limit
        items += part.items
        if part.next is None:
            return items
        assert before is None or part.next < before
        before = part.next


async def test_a_post_is_found_at_once_and_its_edits_are(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as storage:
        item = item_of(await storage.journal.append(post("Storm in Sumy", tags=["Weather"])))
        assert await found(storage, words="storm") == [item.id]
        item = item_of(await storage.journal.append(edit(item, Verb.FIX, headline="Gale")))
        assert await found(storage, words="storm") == []
        assert await found(storage, words="gale", tag="weather") == [item.id]
        held = item_of(await storage.journal.append(edit(item, Verb.HOLD)))
        assert (await page(storage, words="gale")).items == (held,)
        pinned = item_of(await storage.journal.append(edit(held, Verb.PIN)))
        assert (await page(storage, tag="WEATHER")).items == (pinned,)


async def test_a_withdrawn_item_is_not_found_and_the_rest_is(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as storage:
        items = [item_of(c) for c in await made(storage.journal, *map(post, ["One a", "Two a"]))]
        assert await found(storage, words="a") == [items[1].id, items[0].id]
        await storage.journal.append(kill(items[0]))
        assert await found(storage, words="a") == [items[1].id]
        assert await storage.journal.purged(20)
        assert await found(storage, words="a") == [items[1].id]
        assert await found(storage, words="withdrawn") == []


async def test_a_tag_is_shown_as_the_feed_first_wrote_it(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as storage:
        texts = ["KYIV", "Kyiv", "kyiv", "Київ"]
        items = [
            item_of(change)
            for change in await made(storage.journal, *(post("News", tags=[tag]) for tag in texts))
        ]
        told = await page(storage, tag="kYiV")
        assert (len(told.items), told.tag) == (3, "KYIV")
        assert (await page(storage, tag="unheard")).tag is None
        await storage.journal.append(kill(items[0]))
        await storage.journal.append(edit(items[1], Verb.FIX, tags=["other"]))
        assert (await page(storage, tag="KYIV")).tag == "kyiv"


async def test_one_feeds_items_are_not_found_in_another(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as storage:
        await made(storage.journal, feed("sport"), post("Match"), post("Match", slug="sport"))
        assert len(await found(storage, words="match")) == 1
        assert len(await found(storage, slug="sport", words="match")) == 1
        assert await storage.mirror.page("nowhere", 50, words="match") is None


@pytest.mark.parametrize("order", ["oldest first", "newest first", "any", "one moment", "two eras"])
@pytest.mark.parametrize("sizes", [(32_768, 1024, 512), (16, 4, 3), (16, 4, 100)])
async def test_pages_walk_through_all_that_is_found_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str, sizes: tuple[int, int, int]
) -> None:
    shrink(monkeypatch, **dict(zip(("PARTITION", "BLOCK", "FEW"), sizes, strict=True)))
    draw = random.Random(order)
    times = {
        "oldest first": [NOON - (60 - n) * SECOND for n in range(60)],
        "newest first": [NOON - n * SECOND for n in range(60)],
        "any": [NOON - draw.randrange(30) * SECOND for _ in range(60)],
        "one moment": [NOON - SECOND] * 60,
        "two eras": [NOON - (n % 2) * MINUTE - n * SECOND for n in range(60)],
    }[order]
    async with newsroom(tmp_path) as storage:
        texts = [f"News {'odd' if n % 2 else 'even'} {n}" for n in range(60)]
        changes = await made(
            storage.journal,
            *(post(text, published_at=at) for text, at in zip(texts, times, strict=True)),
        )
        items = sorted(map(item_of, changes), key=lambda item: item.order, reverse=True)
        # Several versions of some, so that rows of words that are no longer shown are in between.
        for item in items[::7]:
            fixed = item_of(await storage.journal.append(edit(item, Verb.FIX, body="changed")))
            items[items.index(item)] = fixed
        for limit in (1, 7, 200):
            assert await walked(storage, limit, words="news") == items
            odd = [item for item in items if "odd" in item.headline]
            assert await walked(storage, limit, words="odd") == odd
        assert await walked(storage, 3, words="odd 17") == [i for i in items if "17" in i.headline]


async def test_after_so_many_decrypted_items_a_page_ends_with_a_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_query, "CANDIDATES_MAX", 10)
    async with newsroom(tmp_path) as storage:
        texts = ["commission"] * 25 + ["community"] + ["commissar"] * 25
        items = [item_of(c) for c in await made(storage.journal, *map(post, texts))]
        pages = [await page(storage, words="communi")]
        while pages[-1].next is not None:
            pages.append(await page(storage, words="communi", before=pages[-1].next))
        assert [item for one in pages for item in one.items] == [items[25]]
        assert len(pages) == 6
        assert all(one.next is not None for one in pages[:-1])


async def test_versions_of_one_item_are_never_parted_by_the_end_of_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_query, "CANDIDATES_MAX", 1)
    async with newsroom(tmp_path) as storage:
        items = []
        for _ in range(4):
            item = item_of(await storage.journal.append(post("communal")))
            for _ in range(3):
                item = item_of(await storage.journal.append(edit(item, Verb.FIX, body="communal")))
            items.insert(0, item)
        assert await walked(storage, 2, words="communal") == items


async def test_a_search_that_takes_too_long_is_refused_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with newsroom(tmp_path) as storage:
        await made(storage.journal, *(post(f"News {n}") for n in range(20)))
        assert len(await found(storage, words="news")) == 20
        with monkeypatch.context() as patch:
            patch.setattr(search, "ANSWER_SECONDS", 0.0)
            for _ in range(5):
                with pytest.raises(Unavailable) as refused:
                    await found(storage, words="news")
                assert refused.value.retry_after
        with monkeypatch.context() as patch:
            # As a long scan inside of SQLite would be.
            patch.setattr(search_query, "OPCODES", 1)
            patch.setattr(search.time, "monotonic", _leaping(after=3))
            with pytest.raises(Unavailable):
                await found(storage, words="news")
        assert len(await found(storage, words="news")) == 20


def _leaping(after: int) -> Any:
    calls = iter(range(1_000_000))
    return lambda: 1e9 if next(calls) > after else 0.0


async def test_only_so_many_searches_run_at_once_and_the_others_wait_or_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with newsroom(tmp_path) as storage:
        await made(storage.journal, post("News"))
        answers = await asyncio.gather(*(found(storage, words="news") for _ in range(30)))
        assert all(len(answer) == 1 for answer in answers)
        assert len(storage.search.finders._idle) == search_pool.FINDERS


async def test_a_page_waits_for_the_index_or_tells_what_it_knows_with_a_smaller_cursor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "LEVEL_SECONDS", 0.1)
    async with newsroom(tmp_path) as storage:
        first = item_of(await storage.journal.append(post("News one")))
        await level(storage)
        with closing(sqlite3.connect(tmp_path / SEARCH, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # another process keeps the index
            second = item_of(await storage.journal.append(post("News two")))
            told = await page(storage, words="news")
            assert told.items == (first,)
            assert (told.feed.head, told.feed.check) == (first.version, first.check)
            other.execute("ROLLBACK")
        told = await page(storage, words="news")
        assert told.items == (second, first)
        assert told.feed.head == second.version


async def test_a_page_that_is_too_far_behind_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_query, "CATCH_UP_MAX", 3)
    monkeypatch.setattr(search, "LEVEL_SECONDS", 0.1)
    async with newsroom(tmp_path) as storage:
        await made(storage.journal, post("News one"))
        await level(storage)
        with closing(sqlite3.connect(tmp_path / SEARCH, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await made(storage.journal, *(post("News") for _ in range(4)))
            with pytest.raises(Unavailable):
                await page(storage, words="news")
            other.execute("ROLLBACK")
        assert len(await found(storage, words="news")) == 5


async def test_other_feeds_news_is_not_waited_for(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as storage:
        await made(storage.journal, feed("sport"), post("News one"))
        await level(storage)
        with closing(sqlite3.connect(tmp_path / SEARCH, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await made(storage.journal, post("Match", slug="sport"))
            told = await page(storage, words="news")
            assert len(told.items) == 1
            assert told.feed == await storage.mirror.feed("world")
            other.execute("ROLLBACK")


async def fifty(storage: Storage) -> list[Item]:
    """Post as many items as fill a few small partitions."""
    texts = [f"News {n}" for n in range(50)]
    return [item_of(change) for change in await made(storage.journal, *map(post, texts))]


async def test_a_search_file_that_was_deleted_or_damaged_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, PARTITION=16, BLOCK=4)
    async with newsroom(tmp_path) as storage:
        items = await fifty(storage)
        await storage.journal.append(kill(items.pop(20)))
        assert await storage.journal.purged(20)
    path = tmp_path / SEARCH

    def write(data: bytes) -> None:
        path.write_bytes(data)

    whole = path.read_bytes()
    for spoil in (
        path.unlink,
        lambda: write(b""),
        lambda: write(b"garbage" * 1000),
        lambda: write(whole[:4096] + b"\xff" * (len(whole) - 4096)),
        lambda: write(whole[: len(whole) // 2]),
        lambda: _in_sqlite(path, "UPDATE meta SET value = 'x' WHERE name = 'journal'"),
        lambda: _in_sqlite(path, "DROP TABLE meta"),
    ):
        spoil()
        async with newsroom(tmp_path) as storage:
            await level(storage)
            assert [i.id for i in await walked(storage, 20, words="news")] == [
                item.id for item in items[::-1]
            ]
            assert await storage.journal.purged(20)
            assert not await storage.mirror.purges()
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def _in_sqlite(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


async def test_damage_that_comes_while_it_runs_is_mended(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as storage:
        item = item_of(await storage.journal.append(post("News")))
        await level(storage)
        _in_sqlite(tmp_path / SEARCH, "DELETE FROM terms_0_0_data WHERE id > 10")
        with pytest.raises(Unavailable):
            await found(storage, words="news")
        await answered(storage, [item.id], words="news")


async def answered(storage: Storage, due: list[int], **question: Any) -> int:
    """Ask until there is an answer, which must be right; return how often it was refused."""
    refused = 0
    async with asyncio.timeout(20):
        while True:
            try:
                assert await found(storage, **question) == due
            except Unavailable:
                refused += 1
                await asyncio.sleep(0.01)
            else:
                return refused


async def test_a_partition_without_its_key_is_made_anew_and_until_then_nothing_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, PARTITION=16, BLOCK=4)
    async with newsroom(tmp_path) as storage:
        items = await fifty(storage)
        await level(storage)
        # As a restore of older keys leaves it, and a lost block.
        storage.search._database.keys.begin_partition(0, 0)
        with (tmp_path / FILE).open("r+b") as file:
            file.seek(slots.place_of(slots.partition_slot(1, 0)))
            file.write(bytes(64))
        waited = await answered(storage, [item.id for item in items[::-1]], words="news")
        assert waited == 0, "the search was refused, and not held until it was made anew"


async def test_a_read_only_folder_is_searched_as_far_as_there_is_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with newsroom(tmp_path) as storage:
        item = item_of(await storage.journal.append(post("News")))
        await level(storage)
        monkeypatch.setattr("feedserver.sqlite.opening.is_writable", lambda path: False)
        async with open_storage(tmp_path) as reading:
            assert await found(reading, words="news") == [item.id]


async def test_an_item_that_was_restamped_is_found_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, PARTITION=16, BLOCK=4)
    async with newsroom(tmp_path) as storage:
        [change] = await made(storage.journal, post("News", NOON + 60 * MINUTE))
        items = [item_of(change)]
        for number in range(40):
            items.append(
                item_of(await storage.journal.append(post("News", NOON + number * SECOND)))
            )
        await level(storage)
        at = NOON + 20 * SECOND + 1
        await made(
            storage.journal,
            Record(random_id(), Act.RESTAMP, at, feed="world", item=items[0].id),
        )
        items.insert(21, items.pop(0))
        assert await found(storage, words="news") == [item.id for item in items[::-1]]
    (tmp_path / SEARCH).unlink()
    async with newsroom(tmp_path) as storage:
        await level(storage)
        assert await found(storage, words="news") == [item.id for item in items[::-1]]


async def test_after_a_restore_what_is_there_now_is_found(tmp_path: Path) -> None:
    data, saved = tmp_path / "data", tmp_path / "saved"
    async with newsroom(data) as storage:
        kept = item_of(await storage.journal.append(post("News kept")))
        await storage.journal.append(edit(kept, Verb.FIX, headline="News fixed"))
        await level(storage)
        await asyncio.to_thread(back_up, data, saved, NOON)
        item = item_of(await storage.journal.append(post("News lost")))
        await made(storage.journal, post("News lost too"))
        assert len(await found(storage, words="news")) == 3
        await asyncio.to_thread(restore, data, saved, now=NOON)
        await answered(storage, [kept.id], words="news")
        assert await found(storage, words="fixed") == [kept.id]
        new = item_of(await storage.journal.append(post("News anew")))
        assert new.id > item.id
        assert await found(storage, words="news") == [new.id, kept.id]
        there = await storage.mirror.item("world", kept.id)
        assert there is not None
        await storage.journal.append(kill(there))
        assert await storage.journal.purged(20)


async def test_where_the_index_cannot_be_written_news_goes_on_and_search_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(search, "LEVEL_SECONDS", 0.1)
    monkeypatch.setattr(search_worker, "RETRY_SECONDS", (0.01,))
    with monkeypatch.context() as patch:

        def full(*_: Any) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        patch.setattr(search_worker.files, "open_file", full)
        async with newsroom(tmp_path) as storage:
            item = item_of(await storage.journal.append(post("News")))
            killed = await storage.journal.append(kill(item))
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await found(storage, words="news")
            assert not await storage.journal.purged(0.1)
            assert [purge.version for purge in await storage.mirror.purges()] == [killed.sequence]
            told = [one for one in caplog.records if one.name == "feedserver.search"]
            assert len(told) == 1
            patch.undo()
            assert await storage.journal.purged(20)
            await level(storage)
            assert await found(storage, words="news") == []


async def test_no_search_file_is_made_where_the_newsroom_was_moved_away(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    async with newsroom(here) as storage:
        await made(storage.journal, post("News"))
        await level(storage)
        here.rename(there)
        here.mkdir()
        async with asyncio.timeout(20):
            while not storage.search.worker._faults:  # it looks, and finds no newsroom
                storage.search.worker.hurry()
                await asyncio.sleep(0.01)
        assert list(here.iterdir()) == []
        here.rmdir()
        there.rename(here)
        await made(storage.journal, post("News"))
        await level(storage)
