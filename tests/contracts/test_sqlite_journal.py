"""What the journal in SQLite promises beyond the contract: other processes, faults, full disks."""

from __future__ import annotations

import asyncio
import os
import sqlite3
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
    feed,
    followed,
    item_of,
    key,
    kill,
    made,
    open_sqlite,
    post,
    revoke,
    token,
)

from feedserver.errors import Killed, OutcomeUnknown, Unavailable
from feedserver.journal import Retry
from feedserver.model import Record, Verb, random_id
from feedserver.newsroom import Newsroom
from feedserver.rules import Change, Duplicate
from feedserver.sqlite import connecting, tail, writer
from feedserver.sqlite import journal as journals
from feedserver.sqlite.database import open_database
from feedserver.sqlite.folder import DATABASE, Files
from feedserver.sqlite.headlines import newest_live
from feedserver.sqlite.journal import SQLiteJournal, open_journal
from feedserver.sqlite.keys import AHEAD, FILE, RESERVED, KeyFile
from feedserver.sqlite.ledger import Ledger
from feedserver.sqlite.opening import open_keys
from feedserver.sqlite.rows import Reader
from feedserver.sqlite.search import open_search
from feedserver.sqlite.tail import read_tail
from feedserver.sqlite.writer import transact
from feedserver.submission import Submission

pytestmark = pytest.mark.anyio

PATIENCE = 20.0


@asynccontextmanager
async def opened_with_anna(folder: Path) -> AsyncIterator[tuple[SQLiteJournal, Opened]]:
    async with open_sqlite(folder) as (journal, mirror):
        opened = Opened(journal, mirror)
        if await mirror.feed("world") is None:
            await made(journal, feed(), token())
        yield journal, opened


async def test_another_processs_commit_is_followed_without_being_told(tmp_path: Path) -> None:
    script = """
import asyncio, sys
from pathlib import Path
from support.records import open_sqlite, post

async def main():
    async with open_sqlite(Path(sys.argv[1])) as (journal, mirror):
        print("ready", flush=True)
        for line in sys.stdin:
            change = await journal.append(post(line.strip()))
            print(change.sequence, flush=True)

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
        changes = journal.follow(head)
        for number in range(15):
            other.stdin.write(f"News {number}\n".encode())
            async with asyncio.timeout(PATIENCE):
                seen = [change.sequence for change in await anext(changes)]
            assert seen == [int(await other.stdout.readline())]
            mine = await journal.append(post("Mine"))  # the two take turns
            assert [c.sequence for c in await anext(changes)] == [mine.sequence]
        other.stdin.close()
        assert await other.wait() == 0


async def test_two_journals_on_one_file_agree_on_every_key_and_version(tmp_path: Path) -> None:
    async with (
        opened_with_anna(tmp_path) as (one, opened),
        open_sqlite(tmp_path) as (two, _),
    ):
        assert one.identity == two.identity
        head = await one.head()
        answers = await asyncio.gather(
            *(
                journal.append(post(f"News {n}", editor="anna", retry_key=key(str(n))))
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
    async with opened_with_anna(tmp_path) as (one, _), open_sqlite(tmp_path) as (other, _):
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

        def overtaken(
            connection: sqlite3.Connection, own: Ledger, files: Files, records: list[Record]
        ) -> Any:
            decisions = transact(connection, own, files, records)
            with (
                closing(connecting.connect(tmp_path / DATABASE, read_only=False)) as elsewhere,
                closing(open_keys(tmp_path, read_only=False)) as keys,
            ):
                transact(elsewhere, Ledger(keys, Reader(keys)), files, [post("Another's")])
            end = time.monotonic() + PATIENCE
            while journal._newest < head + 2 and time.monotonic() < end:
                time.sleep(0.001)  # until the journal has seen it, before it hears of its own
            return decisions

        monkeypatch.setattr(writer, "transact", overtaken)
        await journal.append(post("Own"))
        async with asyncio.timeout(PATIENCE):
            changes = await followed(journal, head, head + 2)
        assert [item_of(change).headline for change in changes] == ["Own", "Another's"]


@pytest.mark.parametrize("name", [DATABASE, FILE])
async def test_what_is_committed_to_a_file_that_was_moved_meanwhile_is_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    check = Files.check

    def moved_right_after(files: Files) -> None:
        check(files)
        (tmp_path / name).rename(tmp_path / "elsewhere")

    async with opened_with_anna(tmp_path) as (journal, _):
        with monkeypatch.context() as patched:
            patched.setattr(Files, "check", moved_right_after)
            record = post("In doubt", editor="anna", retry_key=key("k"))
            with pytest.raises(OutcomeUnknown, match=name):
                await journal.append(record)
        (tmp_path / "elsewhere").rename(tmp_path / name)
        with pytest.raises(Duplicate):  # it had been stored, as a retry finds
            await journal.append(replace(record, rid=random_id()))
        await journal.append(post("After"))


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

        def failing(
            connection: sqlite3.Connection, reader: Reader, after: int
        ) -> tuple[Change, ...]:
            nonlocal failed
            failed += 1
            if failed > 3:
                return read_tail(connection, reader, after)
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
    monkeypatch.setattr(tail, "BYTES_MAX", 5 * 60_000)
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
    monkeypatch.setattr(connecting, "BUSY_SECONDS", 0.05)
    async with opened_with_anna(tmp_path) as (journal, opened):
        other = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
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

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        stored: bool,
        fault: type[Exception] = sqlite3.OperationalError,
    ) -> None:
        self._connection = connection
        self._stored = stored
        self._fault = fault

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement == "COMMIT":
            if self._stored:
                self._connection.execute(statement)
            raise self._fault("disk I/O error")
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.parametrize("stored", [False, True])
async def test_of_a_commit_that_fails_only_a_retry_can_tell_whether_it_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    async with opened_with_anna(tmp_path) as (journal, opened):
        record = post("Perhaps", editor="anna", retry_key=key())
        with monkeypatch.context() as patched:
            patched.setattr(
                writer,
                "transact",
                lambda c, *rest: transact(FailingCommit(c, stored=stored), *rest),  # type: ignore[arg-type]
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


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), TypeError()])
async def test_a_fault_after_the_commit_changes_no_answer_and_stores_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, fault: Exception
) -> None:
    def failing(*given: object) -> None:
        raise fault

    async with opened_with_anna(tmp_path) as (journal, opened):
        item = item_of(await journal.append(post("Withdrawn")))
        records = [kill(item), *(post(f"News {number}") for number in range(1, count))]
        with monkeypatch.context() as patched:
            if isinstance(fault, OSError):
                patched.setattr(KeyFile, "note_committed", failing)
            patched.setattr(KeyFile, "destroy", failing)
            answers = await asyncio.gather(*map(journal.append, records), return_exceptions=True)
            assert [type(answer) for answer in answers] == [Change] * count
        page = await opened.mirror.page("world", 10)
        assert page is not None
        assert len(page.items) == count
        assert await journal.purged(PATIENCE)


@pytest.mark.parametrize("stored", [False, True])
async def test_of_a_group_whose_commit_fails_in_an_unforeseen_way_nothing_is_stored_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    def failing(connection: sqlite3.Connection, *rest: Any) -> list[writer.Decision]:
        # As Python says it, when SQLite has no memory.
        commit: Any = FailingCommit(connection, stored=stored, fault=MemoryError)
        return transact(commit, *rest)

    async with opened_with_anna(tmp_path) as (journal, opened):
        with monkeypatch.context() as patched:
            patched.setattr(writer, "transact", failing)
            answers = await asyncio.gather(
                *(journal.append(post(f"News {number}")) for number in range(3)),
                return_exceptions=True,
            )
            assert [type(answer) for answer in answers] == [OutcomeUnknown] * 3
        await journal.append(post("Next"))
        page = await opened.mirror.page("world", 10)
        assert page is not None
        assert len(page.items) == 1 + 3 * stored


async def test_what_cannot_be_written_before_the_commit_is_not_stored_and_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_with_anna(tmp_path) as (journal, opened):

        def failing(own: Ledger, *rest: Any) -> Change:
            apply(own, *rest)
            raise sqlite3.OperationalError("disk I/O error")

        apply = Ledger.apply
        with monkeypatch.context() as patched:
            patched.setattr(Ledger, "apply", failing)
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

    def slow(*given: Any) -> list[writer.Decision]:
        writing.set()
        go_on.wait(PATIENCE)
        return transact(*given)

    async with open_database(tmp_path, begins=True) as opened, open_search(opened) as search:
        async with open_journal(opened, search) as journal:
            await made(journal, feed(), token())
            monkeypatch.setattr(writer, "transact", slow)
            begun = asyncio.create_task(
                journal.append(post("Begun", editor="anna", retry_key=key()))
            )
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

    def slow(*given: Any) -> list[writer.Decision]:
        writing.set()
        go_on.wait(PATIENCE)
        if fault is not None:
            raise fault
        return transact(*given)

    async with opened_with_anna(tmp_path) as (journal, opened):
        with monkeypatch.context() as patched:
            patched.setattr(writer, "transact", slow)
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
    apply = Ledger.apply

    def choking(
        own: Ledger, connection: sqlite3.Connection, record: Record, sequence: int
    ) -> Change:
        change = apply(own, connection, record, sequence)
        if record.content is not None and record.content.headline == "Poison":
            raise TypeError("nobody foresaw this")
        return change

    monkeypatch.setattr(Ledger, "apply", choking)
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


async def test_the_last_keys_of_a_full_disk_are_for_kills_and_revocations_whoever_posts_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened_with_anna(tmp_path) as (journal, _):
        item = item_of(await journal.append(post("Withdrawn")))

        def full(*given: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(KeyFile, "fill", full)
        with pytest.raises(Unavailable, match="no room on the disk"):
            await made(journal, *(post(f"News {number}") for number in range(AHEAD)))
        assert caplog.text.count("no keys can be drawn ahead") == 1
        assert journal._database.keys.end - await journal.head() - 1 == RESERVED
        await journal.append(kill(item))
        await journal.append(revoke())
        monkeypatch.undo()
        assert await journal.purged(PATIENCE)
        assert item_of(await journal.append(post("Again"))).headline == "Again"


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
        retry = mirror.retry

        async def slow(mac: bytes) -> Retry | None:
            found = await retry(mac)
            monkeypatch.setattr(mirror, "retry", retry)
            await room.submit(edit)
            return found

        monkeypatch.setattr(mirror, "retry", slow)
        assert await room.submit(first) == replace(posted, replayed=True)
        if verb is Verb.KILL:
            with pytest.raises(Killed):
                await room.submit(first)


async def test_a_window_does_not_say_that_a_fact_changed_in_the_future(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path) as (journal, mirror):
        await journal.append(feed())
        await journal.append(post(at=NOON + 3_600_000))
        for published_at in (NOON - 2_000, NOON - 9_000):  # the clock was an hour ahead
            await journal.append(post(published_at=published_at))
        initial = await mirror.initial_state("world", 1, 10)
        assert initial is not None
        assert initial.feed.head_at == NOON
        assert initial.changed_at == NOON - 2_000


async def test_the_newest_items_of_all_feeds_are_found_without_reading_the_others(
    tmp_path: Path,
) -> None:
    """Counted in steps of SQLite's machine: 16 times the items, and hardly more of them."""
    async with open_sqlite(tmp_path) as (journal, _):
        for slug in ("world", "other"):
            await journal.append(feed(slug))

        async def steps(items: int) -> int:
            for number in range(items):
                for slug in ("world", "other"):
                    await journal.append(post(slug=slug, published_at=NOON - number))
            counted = [0]

            def count() -> None:
                counted[0] += 1

            with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
                connection.set_progress_handler(count, 1)
                found = newest_live(connection, NOON - 1_000, 10)
            assert len(found) == 10
            return counted[0]

        few = await steps(20)
        assert await steps(300) < 2 * few
