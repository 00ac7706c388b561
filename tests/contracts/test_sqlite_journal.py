"""What the journal in SQLite promises beyond the contract: clean files, and other processes."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.records import (
    NOON,
    Opened,
    edit,
    feed,
    followed,
    item_of,
    key,
    kill,
    made,
    open_sqlite,
    post,
    token,
)

from feedserver.errors import Killed, OutcomeUnknown, Unavailable
from feedserver.model import Item, Logged, Record, Verb
from feedserver.newsroom import Newsroom, Submission
from feedserver.rules import Change, Duplicate
from feedserver.sqlite import database, ledger, purge, watched
from feedserver.sqlite import journal as journals
from feedserver.sqlite.database import open_database
from feedserver.sqlite.journal import SQLiteJournal, open_journal, read_tail, transact

pytestmark = pytest.mark.anyio

PATIENCE = 20.0
KEYS = itertools.count()


def secret(number: int) -> list[str]:
    """Make words that nobody else writes: in a headline, a body, a tag, a note."""
    draw = random.Random(number)
    return ["".join(draw.choices("bcdfghjklmnpqrstvwxz", k=12)) for _ in range(4)]


def leaks(folder: Path, words: list[str]) -> list[str]:
    """Find words in any file of the folder, as they are or as an index keeps them.

    FTS5 writes a term without the beginning that it shares with the term before it.
    """
    found = []
    for path in folder.rglob("*"):
        content = path.read_bytes().lower() if path.is_file() else b""
        found += [
            f"{word} in {path.name}"
            for word in words
            if any(word.lower().encode()[cut:] in content for cut in range(4))
        ]
    return found


async def withdrawn(opened: Opened, item: Item) -> None:
    log = await opened.mirror.log("world", item.id)
    await opened.journal.append(kill(item, editor="anna"))


async def told(opened: Opened, words: list[str], edits: int = 0) -> Item:
    """Post an item that holds the words, and edit it, with a key each time."""
    headline, body, tag, note = words
    draft = {"headline": headline.title(), "body": f"So **{body.upper()}** said", "tags": [tag]}
    record = post(**draft, editor="anna", key=key(str(next(KEYS))))
    item = item_of(await opened.journal.append(record))
    for number in range(edits):
        verb = (Verb.FIX, Verb.UPDATE, Verb.CORRECT)[number % 3]
        fields = draft | {"body": f"{draft['body']} {'and more ' * number}"}
        used = key(str(next(KEYS)))
        record = edit(item, verb, editor="anna", note=note, key=used, **fields)
        item = item_of(await opened.journal.append(record))
    return item


@asynccontextmanager
async def opened_with_anna(folder: Path) -> AsyncIterator[tuple[SQLiteJournal, Opened]]:
    async with open_sqlite(folder) as (journal, mirror):
        opened = Opened(journal, mirror)
        if await mirror.feed("world") is None:
            await made(journal, feed(), token())
        yield journal, opened


async def test_the_words_of_a_killed_item_are_in_no_file(tmp_path: Path) -> None:
    async with opened_with_anna(tmp_path) as (journal, opened):
        # Small and large neighbours and many edits, so that pages split, merge and are copied.
        items = []
        for number in range(60):
            items.append(await told(opened, secret(number), edits=number % 7))
            await journal.append(post(f"Neighbour {number}", body="x" * (number * 53 % 900)))
        for number in random.Random(1).sample(range(60), 30):
            await withdrawn(opened, items[number])
            assert await journal.purged(PATIENCE)
            assert leaks(tmp_path, secret(number)) == []
            assert await opened.mirror.unfinished() == 0
            await told(opened, secret(1_000 + number), edits=2)
    assert leaks(tmp_path, secret(1_000 + number)) != []  # the search does find what is there


async def test_a_kills_record_keeps_what_a_mirror_made_anew_must_know(tmp_path: Path) -> None:
    async with opened_with_anna(tmp_path) as (journal, opened):
        item = await told(opened, secret(1), edits=2)
        log = await opened.mirror.log("world", item.id)
        killed = await journal.append(kill(item))
        find = "SELECT payload FROM records WHERE sequence = ?"
        payload = await journal._database.read(
            lambda c: c.execute(find, [killed.sequence]).fetchone()[0]
        )
        assert json.loads(payload)["erased"] == [
            {"sequence": one.sequence, "check": one.record.check, "key": one.record.key.mac}
            for one in log
            if one.record.key is not None
        ]
        assert len(log) == 3


async def test_copies_of_the_words_in_a_pages_free_space_are_gone_too(tmp_path: Path) -> None:
    async with opened_with_anna(tmp_path) as (journal, opened):
        words = secret(1)
        item = await told(opened, words)
        # SQLite leaves such copies when it rebalances a tree, in 1 of 120 kills: here by hand.
        with closing(sqlite3.connect(tmp_path / database.FILE, isolation_level=None)) as careless:
            careless.execute("PRAGMA secure_delete = OFF")
            careless.execute("INSERT INTO meta VALUES ('copy', ?)", [" ".join(words)])
            careless.execute("DELETE FROM meta WHERE name = 'copy'")
            careless.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await withdrawn(opened, item)
        assert await journal.purged(PATIENCE)
        assert leaks(tmp_path, words) == []


async def test_several_kills_at_once_are_all_purged(tmp_path: Path) -> None:
    async with opened_with_anna(tmp_path) as (journal, opened):
        items = [await told(opened, secret(number), edits=3) for number in range(10)]
        await asyncio.gather(*(withdrawn(opened, item) for item in items))
        assert await journal.purged(PATIENCE)
        assert leaks(tmp_path, [word for number in range(10) for word in secret(number)]) == []


async def test_a_reader_in_the_way_delays_the_purge_and_nothing_else(tmp_path: Path) -> None:
    async with opened_with_anna(tmp_path) as (journal, opened):
        item = await told(opened, secret(1), edits=3)
        in_the_way = sqlite3.connect(tmp_path / database.FILE, isolation_level=None)
        in_the_way.execute("BEGIN")
        in_the_way.execute("SELECT count(*) FROM items").fetchone()
        await withdrawn(opened, item)
        assert not await journal.purged(0.3)
        assert await opened.mirror.unfinished() == 1
        started = time.monotonic()
        await made(journal, *(post(f"News {number}") for number in range(20)))
        assert time.monotonic() - started < database.BUSY_SECONDS  # news did not wait for it
        in_the_way.close()
        assert await journal.purged(PATIENCE)
        assert await opened.mirror.unfinished() == 0
        assert leaks(tmp_path, secret(1)) == []


async def test_while_a_reader_is_in_the_way_the_file_is_not_rewritten_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrites = 0
    rewrite = purge._rewrite

    def counted(connection: sqlite3.Connection) -> None:
        nonlocal rewrites
        rewrites += 1
        rewrite(connection)

    monkeypatch.setattr(purge, "_rewrite", counted)
    monkeypatch.setattr(purge, "RETRY_SECONDS", (0.001,))
    async with opened_with_anna(tmp_path) as (journal, opened):
        item = await told(opened, secret(1))
        in_the_way = sqlite3.connect(tmp_path / database.FILE, isolation_level=None)
        in_the_way.execute("BEGIN")
        in_the_way.execute("SELECT count(*) FROM items").fetchone()
        await withdrawn(opened, item)
        assert not await journal.purged(0.2)
        assert rewrites == 1
        in_the_way.close()
        assert await journal.purged(PATIENCE)
        await withdrawn(opened, await told(opened, secret(2)))
        assert await journal.purged(PATIENCE)
        assert rewrites == 2


async def test_what_is_killed_by_another_process_amid_a_purge_is_not_taken_for_purged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_with_anna(tmp_path) as (journal, opened):
        monkeypatch.setattr(journal.purge, "start", lambda: None)  # the test does it, in its time
        first, second = [await told(opened, secret(number)) for number in (1, 2)]
        await withdrawn(opened, first)
        later = kill(second)
        empty = purge._empty_wal

        def interrupted(connection: sqlite3.Connection) -> bool:
            monkeypatch.setattr(purge, "_empty_wal", empty)
            with closing(database.connect(tmp_path / database.FILE, read_only=False)) as elsewhere:
                journals.transact(elsewhere, [later])
            return empty(connection)

        monkeypatch.setattr(purge, "_empty_wal", interrupted)
        rewritten: set[int] = set()
        assert await journal._database.write(lambda c: purge.purge(c, rewritten))
        assert await opened.mirror.unfinished() == 1
        assert await journal._database.write(lambda c: purge.purge(c, rewritten))
        assert await opened.mirror.unfinished() == 0
        assert leaks(tmp_path, secret(1) + secret(2)) == []


async def test_a_purge_is_not_over_while_another_process_still_has_its_own_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_with_anna(tmp_path) as (one, opened), open_sqlite(tmp_path) as (other, _):
        assert await other.purged(PATIENCE)
        with monkeypatch.context() as patched:
            patched.setattr(one.purge, "start", lambda: None)
            await withdrawn(opened, await told(opened, secret(1)))
        assert not await other.purged(0.1)
        one.purge.start()
        assert await other.purged(PATIENCE)
        assert leaks(tmp_path, secret(1)) == []


async def test_a_purge_leaves_the_writer_as_it_was(tmp_path: Path) -> None:
    def look(connection: sqlite3.Connection) -> list[int]:
        names = ("busy_timeout", "temp_store", "secure_delete", "synchronous")
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    async with opened_with_anna(tmp_path) as (journal, opened):
        before = await journal._database.write(look)
        await withdrawn(opened, await told(opened, secret(1)))
        assert await journal.purged(PATIENCE)
        assert await journal._database.write(look) == before


async def test_a_purge_of_which_nothing_can_be_read_is_not_called_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(connection: sqlite3.Connection) -> int:
        raise sqlite3.OperationalError("disk I/O error")

    async with opened_with_anna(tmp_path) as (journal, opened):
        await withdrawn(opened, await told(opened, secret(1)))
        monkeypatch.setattr(purge, "unfinished", failing)
        assert not await journal.purged(PATIENCE)


KILLED_BEFORE_THE_PURGE = """
import asyncio, os, signal, sys
from pathlib import Path
from feedserver.sqlite import purge
from contracts.test_sqlite_journal import opened_with_anna, secret, told, withdrawn

async def never(self): await asyncio.Event().wait()

async def main():
    purge.Purge.work = never
    async with opened_with_anna(Path(sys.argv[1])) as (journal, opened):
        await withdrawn(opened, await told(opened, secret(7), edits=5))
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_purge_cut_short_by_kill_9_is_finished_at_the_next_start(tmp_path: Path) -> None:
    tests = Path(__file__).parents[1]
    paths = os.pathsep.join([str(tests), str(tests.parent)])
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KILLED_BEFORE_THE_PURGE, tmp_path],
        env=os.environ | {"PYTHONPATH": paths},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert leaks(tmp_path, secret(7)) != []
    async with open_sqlite(tmp_path) as (journal, mirror):
        assert await journal.purged(PATIENCE)
        assert await mirror.unfinished() == 0
        assert leaks(tmp_path, secret(7)) == []


async def test_another_processs_commit_is_followed_within_50_ms(tmp_path: Path) -> None:
    script = """
import asyncio, sys, time
from pathlib import Path
from support.records import open_sqlite, post

async def main():
    async with open_sqlite(Path(sys.argv[1])) as (journal, mirror):
        print("ready", flush=True)
        for line in sys.stdin:
            change = await journal.append(post(line.strip()))
            print(change.sequence, time.monotonic(), flush=True)

asyncio.run(main())
"""
    tests = Path(__file__).parents[1]
    async with opened_with_anna(tmp_path) as (journal, _):
        other = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            script,
            str(tmp_path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])},
        )
        assert other.stdin
        assert other.stdout
        assert await other.stdout.readline() == b"ready\n"
        head = await journal.head()
        seen: dict[int, float] = {}
        delays = []
        changes = journal.follow(head)
        for number in range(15):
            other.stdin.write(f"News {number}\n".encode())
            for change in await anext(changes):
                seen[change.sequence] = time.monotonic()
            sequence, committed_at = (await other.stdout.readline()).split()
            delays.append(seen[int(sequence)] - float(committed_at))
            mine = await journal.append(post("Mine"))  # the two take turns
            assert [c.sequence for c in await anext(changes)] == [mine.sequence]
        other.stdin.close()
        assert await other.wait() == 0
    assert statistics.median(delays) < 0.05


async def test_two_journals_on_one_file_agree_on_every_key_and_version(tmp_path: Path) -> None:
    async with (
        opened_with_anna(tmp_path) as (one, opened),
        open_sqlite(tmp_path) as (two, _),
    ):
        assert one.identity == two.identity
        head = await one.head()
        answers = await asyncio.gather(
            *(
                journal.append(post(f"News {n}", editor="anna", key=key(str(n))))
                for n in range(50)
                for journal in (one, two)
            ),
            return_exceptions=True,
        )
        assert sum(isinstance(answer, Change) for answer in answers) == 50
        assert sum(isinstance(answer, Duplicate) for answer in answers) == 50
        page = await opened.mirror.page("world", 200)
        assert page is not None
        last = page.feed.head
        assert len(page.items) == 50
        for journal in (one, two):
            found = [change.sequence for change in await followed(journal, head, last)]
            assert found == list(range(head + 1, last + 1))


async def test_two_processes_may_make_the_file_at_once(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(5)]
    for folder in folders:
        async with asyncio.TaskGroup() as group:
            opening = [group.create_task(_identity(folder)) for _ in range(4)]
        assert len({task.result() for task in opening}) == 1


async def test_what_another_process_killed_is_not_told_again_from_memory(tmp_path: Path) -> None:
    async with opened_with_anna(tmp_path) as (one, opened), open_sqlite(tmp_path) as (other, _):
        head = await one.head()
        item = item_of(await one.append(post("Grivna")))
        [change] = await followed(one, head, item.version)
        assert item_of(change).headline == "Grivna"  # from memory
        await other.append(kill(item))
        await anext(one.follow(item.version))
        changes = await anext(one.follow(head))
        assert [item_of(change).headline for change in changes] == ["", ""]


async def test_news_that_comes_while_a_follower_is_busy_is_not_overlooked(tmp_path: Path) -> None:
    async with opened_with_anna(tmp_path) as (one, _), open_sqlite(tmp_path) as (other, _):
        changes = one.follow(await one.head())
        for number in range(5):
            for journal in (one, other):  # from memory, and read back
                waiting = asyncio.ensure_future(anext(changes))
                await asyncio.sleep(0)
                first = await journal.append(post(f"First {number}"))
                assert [c.sequence for c in await waiting] == [first.sequence]
                second = await journal.append(post(f"Second {number}"))
                one.nudge()
                async with asyncio.timeout(PATIENCE):
                    assert [c.sequence for c in await anext(changes)] == [second.sequence]


async def test_anothers_news_right_after_ones_own_is_not_lost_sight_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_with_anna(tmp_path) as (journal, _):
        head = await journal.head()

        def overtaken(connection: sqlite3.Connection, records: list[Record]) -> Any:
            decisions = transact(connection, records)
            with closing(database.connect(tmp_path / database.FILE, read_only=False)) as elsewhere:
                transact(elsewhere, [post("Another's")])
            end = time.monotonic() + PATIENCE
            while journal._newest < head + 2 and time.monotonic() < end:
                time.sleep(0.001)  # until the journal has seen it, before it hears of its own
            return decisions

        monkeypatch.setattr(journals, "transact", overtaken)
        await journal.append(post("Own"))
        async with asyncio.timeout(PATIENCE):
            changes = await followed(journal, head, head + 2)
        assert [item_of(change).headline for change in changes] == ["Own", "Another's"]


async def test_a_look_for_news_that_fails_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "RETRY_SECONDS", 0.01)
    async with opened_with_anna(tmp_path) as (one, _), open_sqlite(tmp_path) as (other, _):
        for look in ("data_version", "newest_sequence"):
            failed = asyncio.Event()

            def failing(look: str = look, failed: asyncio.Event = failed) -> int:
                monkeypatch.undo()
                monkeypatch.setattr(journals, "RETRY_SECONDS", 0.01)
                failed.set()
                raise sqlite3.OperationalError("disk I/O error")

            head = await one.head()
            monkeypatch.setattr(one._database, look, failing)
            change = await other.append(post())
            async with asyncio.timeout(PATIENCE):
                await failed.wait()
                assert [c.sequence for c in await anext(one.follow(head))] == [change.sequence]


async def test_a_follower_whose_reading_fails_goes_on_when_it_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "RETRY_SECONDS", 0.01)
    async with opened_with_anna(tmp_path) as (one, _), open_sqlite(tmp_path) as (other, _):
        failed = 0

        def failing(connection: sqlite3.Connection, after: int) -> tuple[Change, ...]:
            nonlocal failed
            failed += 1
            if failed > 3:
                return read_tail(connection, after)
            raise sqlite3.OperationalError("disk I/O error")

        monkeypatch.setattr(journals, "read_tail", failing)
        head = await one.head()
        change = await other.append(post())
        async with asyncio.timeout(PATIENCE):
            assert [c.sequence for c in await anext(one.follow(head))] == [change.sequence]
        assert failed == 4


async def test_a_follower_reads_back_what_there_was_no_memory_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "BYTES_MAX", 5 * 60_000)
    async with opened_with_anna(tmp_path) as (journal, _):
        head = await journal.head()
        texts = [f"{number} " + "x" * 60_000 for number in range(20)]
        changes = await made(journal, *(post("News", body=text) for text in texts))
        found = await followed(journal, head, changes[-1].sequence)
        assert [item_of(change).body for change in found] == texts
        assert [change.sequence for change in found] == [change.sequence for change in changes]


async def _identity(folder: Path) -> object:
    async with open_sqlite(folder) as (journal, _):
        return journal.identity


async def test_a_commit_that_cannot_be_made_is_refused_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    async with opened_with_anna(tmp_path) as (journal, opened):
        other = sqlite3.connect(tmp_path / database.FILE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            with pytest.raises(Unavailable) as unavailable:
                await journal.append(post("Too early"))
            assert not isinstance(unavailable.value, OutcomeUnknown)  # nothing was stored
        other.execute("ROLLBACK")
        other.close()
        await journal.append(post("In time"))
        page = await opened.mirror.page("world", 10)
        assert page is not None
        assert [item.headline for item in page.items] == ["In time"]


class FailingCommit:
    """A connection whose COMMIT fails, after it was done or before."""

    def __init__(self, connection: sqlite3.Connection, *, stored: bool) -> None:
        self._connection = connection
        self._stored = stored

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement == "COMMIT":
            if self._stored:
                self._connection.execute(statement)
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.parametrize("stored", [False, True])
async def test_of_a_commit_that_fails_only_a_retry_can_tell_whether_it_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    async with opened_with_anna(tmp_path) as (journal, opened):
        record = post("Perhaps", editor="anna", key=key())
        with monkeypatch.context() as patched:
            patched.setattr(
                journals,
                "transact",
                lambda c, records: transact(FailingCommit(c, stored=stored), records),  # type: ignore[arg-type]
            )
            for one in (post("Without a key"), record):
                with pytest.raises(OutcomeUnknown, match="same Idempotency-Key"):
                    await journal.append(one)
            assert journal.trouble == "disk I/O error"
        if stored:
            with pytest.raises(Duplicate):
                await journal.append(record)
        else:
            await journal.append(record)
        assert journal.trouble is None
        page = await opened.mirror.page("world", 10)
        assert page is not None
        assert [item.headline for item in page.items] == ["Perhaps", "Without a key"][: 1 + stored]


async def test_what_cannot_be_written_before_the_commit_is_not_stored_and_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_with_anna(tmp_path) as (journal, opened):

        def failing(connection: sqlite3.Connection, record: Record, sequence: int) -> Change:
            apply(connection, record, sequence)
            raise sqlite3.OperationalError("disk I/O error")

        apply = ledger.apply
        with monkeypatch.context() as patched:
            patched.setattr(ledger, "apply", failing)
            with pytest.raises(Unavailable, match="cannot be written") as unavailable:
                await journal.append(post("Lost"))
        assert not isinstance(unavailable.value, OutcomeUnknown)
        await journal.append(post("Kept"))
        page = await opened.mirror.page("world", 10)
        assert page is not None
        assert [item.headline for item in page.items] == ["Kept"]


async def test_more_at_once_than_fits_in_a_transaction_is_all_stored(tmp_path: Path) -> None:
    async with opened_with_anna(tmp_path) as (journal, _):
        count = 2 * journals.GROUP_MAX + 1
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(journal.append(post(f"News {n}")) for n in range(count)))


async def test_whoever_waits_for_a_journal_that_ends_is_told_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection, records: list[Record]) -> list[journals.Decision]:
        writing.set()
        go_on.wait(PATIENCE)
        return transact(connection, records)

    async with open_database(tmp_path) as opened:
        async with open_journal(opened) as journal:
            await made(journal, feed(), token())
            monkeypatch.setattr(journals, "transact", slow)
            begun = asyncio.create_task(journal.append(post("Begun", editor="anna", key=key())))
            await asyncio.to_thread(writing.wait, PATIENCE)
            waiting = asyncio.create_task(journal.append(post("Waiting")))
            await asyncio.sleep(0)
        go_on.set()
        async with asyncio.timeout(PATIENCE):
            answers = await asyncio.gather(
                begun, waiting, journal.append(post("Late")), return_exceptions=True
            )
        assert [type(answer) for answer in answers] == [OutcomeUnknown, Unavailable, Unavailable]
    async with open_sqlite(tmp_path) as (journal, mirror):
        page = await mirror.page("world", 10)
        assert page is not None
        assert [item.headline for item in page.items] == ["Begun"]


@pytest.mark.parametrize("fault", [None, sqlite3.OperationalError("disk full"), TypeError()])
async def test_who_goes_away_amid_a_transaction_takes_nobody_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception | None
) -> None:
    writing, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection, records: list[Record]) -> list[journals.Decision]:
        writing.set()
        go_on.wait(PATIENCE)
        if fault is not None:
            raise fault
        return transact(connection, records)

    async with opened_with_anna(tmp_path) as (journal, opened):
        with monkeypatch.context() as patched:
            patched.setattr(journals, "transact", slow)
            leaving = asyncio.create_task(journal.append(post("Left alone")))
            await asyncio.to_thread(writing.wait, PATIENCE)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            go_on.set()
            staying = await asyncio.gather(journal.append(post()), return_exceptions=True)
            assert isinstance(staying[0], Change if fault is None else Exception)
        async with asyncio.timeout(PATIENCE):
            await journal.append(post("Next"))
        page = await opened.mirror.page("world", 10)
        assert page is not None
        stored = [] if fault else ["News", "Left alone"]  # what was decided stands
        assert [item.headline for item in page.items] == ["Next", *stored]


async def test_a_record_that_the_rules_choke_on_takes_nobody_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = ledger.apply

    def choking(connection: sqlite3.Connection, record: Record, sequence: int) -> Change:
        change = apply(connection, record, sequence)
        if record.fields.get("headline") == "Poison":
            raise TypeError("nobody foresaw this")
        return change

    monkeypatch.setattr(ledger, "apply", choking)
    async with opened_with_anna(tmp_path) as (journal, opened):
        headlines = ["One", "Poison", "Two", "Poison", "Three"]
        answers = await asyncio.gather(
            *(journal.append(post(headline)) for headline in headlines), return_exceptions=True
        )
        assert [isinstance(answer, Change) for answer in answers] == [
            headline != "Poison" for headline in headlines
        ]
        page = await opened.mirror.page("world", 10)
        assert page is not None
        assert [item.headline for item in page.items] == ["Three", "Two", "One"]
        await journal.append(post("Four"))


async def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    async with opened_with_anna(tmp_path) as (journal, opened):
        kept = item_of(await journal.append(post("Before")))

        def limit(connection: sqlite3.Connection) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

        def unlimit(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA max_page_count = 1000000")

        await journal._database.write(limit)
        with pytest.raises(Unavailable):
            await journal.append(post("Too much", body="x" * 60_000))
        await journal._database.write(unlimit)
        after = item_of(await journal.append(post("After")))
        page = await opened.mirror.page("world", 10)
        assert page is not None
        assert page.items == (after, kept)


async def test_what_a_process_left_unpurged_is_purged_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "OTHERS_SECONDS", 0.0)
    words = secret(1)
    async with open_sqlite(tmp_path) as (one, mirror), open_sqlite(tmp_path) as (other, _):
        monkeypatch.setattr(one.purge, "start", lambda: None)  # as if it had died
        await one.append(feed())
        item = item_of(await one.append(post(words[0], body=words[1])))
        change = await one.append(kill(item))
        async for changes in other.follow(0):
            if changes[-1].sequence == change.sequence:
                break
        assert await other.purged(PATIENCE)
        assert not leaks(tmp_path, words)


@pytest.mark.parametrize("verb", [Verb.UPDATE, Verb.KILL])
async def test_a_replay_amid_somebody_elses_edit_is_the_revision_it_made_or_a_tombstone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: Verb
) -> None:
    async with open_sqlite(tmp_path) as (journal, mirror):
        room = Newsroom(journal, mirror, lambda: NOON)
        await room.configure("world", {"title": "World"}, None)
        anna = await room.add_token("anna", "d" * 8, (), importer=False)
        first = Submission("world", Verb.POST, {"headline": "First"}, anna, key="once")
        posted = await room.submit(first)
        raw = {"note": "n"} if verb is Verb.KILL else {"headline": "Other words"}
        edit = Submission("world", verb, raw, anna, item=posted.item.id, condition=())
        log = mirror.log

        async def slow(slug: str, item: int) -> tuple[Logged, ...]:
            found = await log(slug, item)
            monkeypatch.setattr(mirror, "log", log)
            await room.submit(edit)
            return found

        monkeypatch.setattr(mirror, "log", slow)
        if verb is Verb.KILL:
            with pytest.raises(Killed):
                await room.submit(first)
        else:
            assert await room.submit(first) == replace(posted, replayed=True)
