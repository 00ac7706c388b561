"""Withdrawn words: after a kill or redact no file of the folder gives them back to anybody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.forensics import in_plain, keys_in, opened, sealed_in
from support.records import NOON, edit, feed, item_of, key, kill, made, open_sqlite, post, token
from support.server import WITH_TESTS

from feedserver import wire
from feedserver.errors import SetupError, Unavailable
from feedserver.model import Item, Revision, Status, Token, Verb
from feedserver.newsroom import Newsroom
from feedserver.sqlite import keys, revisions, rows, search, slots
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.folder import DATABASE
from feedserver.sqlite.journal import SQLiteJournal
from feedserver.sqlite.mirror import SQLiteMirror
from feedserver.sqlite.storage import open_storage
from feedserver.submission import Outcome, Submission

pytestmark = pytest.mark.anyio

PATIENCE = 20.0


def secret(number: int) -> list[str]:
    """Make words that nobody else writes: for a headline, a body, a tag, a note."""
    draw = random.Random(number)
    return ["".join(draw.choices("bcdfghjklmnpqrstvwxz", k=12)) for _ in range(4)]


class Desk:
    """An editor, anna, at the feed world of one folder."""

    def __init__(self, journal: SQLiteJournal, mirror: SQLiteMirror, anna: Token) -> None:
        self.journal, self.mirror = journal, mirror
        self.room = Newsroom(journal, mirror, lambda: NOON)
        self._anna = anna

    async def do(self, verb: Verb, item: Item | None = None, **raw: Any) -> Outcome:
        condition = ((item.version, item.check),) if item else None
        used = raw.pop("key", None)
        return await self.room.submit(
            Submission("world", verb, raw, self._anna, item.id if item else None, condition, used)
        )

    async def item(self, verb: Verb, item: Item | None = None, **raw: Any) -> Item:
        return (await self.do(verb, item, **raw)).item

    async def summary(self, text: str) -> int:
        return (await self.room.configure("world", {"summary": text}, self._anna)).feed.version

    async def redact_summary(self, version: int) -> None:
        raw = {"verb": "redact", "version": version, "note": "a name"}
        await self.room.redact_feed("world", raw, self._anna, (), None)

    async def revisions(self, item: int | None) -> tuple[Revision, ...]:
        """Return the revisions of an item, or of the feed's own."""
        if item is None:
            return await self.mirror.feed_revisions("world")
        return await self.mirror.revisions("world", item)


@asynccontextmanager
async def desk_in(folder: Path) -> AsyncIterator[Desk]:
    async with open_sqlite(folder) as (journal, mirror):
        if await mirror.feed("world") is None:
            await made(journal, feed(), token())
        [anna] = await mirror.tokens()
        yield Desk(journal, mirror, anna)


async def test_no_file_ever_holds_a_word_in_plain(tmp_path: Path) -> None:
    words = secret(1)
    async with desk_in(tmp_path) as desk:
        item = await desk.item(Verb.POST, headline=words[0], body=words[1], tags=[words[2]])
        await desk.item(Verb.CORRECT, item, note=words[3])
        await desk.mirror.page("world", 10, words=words[0])
        assert in_plain(tmp_path, words) == []
        pieces = sealed_in(tmp_path)
        told = b"".join(opened(tmp_path, pieces).values())
        assert all(word.encode() in told for word in words)  # the search does find what is there
    assert in_plain(tmp_path, words) == []


async def test_after_a_kill_no_copy_of_the_words_can_be_opened_with_the_folders_keys(
    tmp_path: Path,
) -> None:
    async with desk_in(tmp_path) as desk:
        item = await desk.item(Verb.POST, headline="Grivna", body="Zolotnik", key="post")
        item = await desk.item(Verb.FIX, item, body="Arshin")
        item = await desk.item(Verb.HOLD, item, note="Sazhen")
        other = await desk.item(Verb.POST, headline="Other")
        pieces = sealed_in(tmp_path)  # as a backup, a freed block or a WAL has them
        tombstone = await desk.item(Verb.KILL, item, note="Withdrawn: wrong", key="kill")
        assert await desk.journal.purged(PATIENCE)
        gone = {item.id, *(one.version for one in await desk.mirror.revisions("world", item.id))}
        gone -= {tombstone.version}
        left = opened(tmp_path, [*pieces, *sealed_in(tmp_path)])
        assert left.keys() & gone == set()
        assert {other.id, tombstone.version} <= left.keys()
        assert b"Other" in left[other.id]
        assert b"wrong" in left[tombstone.version]
        retry = await desk.do(Verb.KILL, item, note="Withdrawn: wrong", key="kill")
        assert retry.replayed
        assert retry.item == tombstone


async def test_a_kill_waits_for_its_own_words_and_not_for_those_of_later_kills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_in(tmp_path) as desk:
        items = [await desk.item(Verb.POST, headline=f"Grivna {n}") for n in range(2)]
        one, two = [await desk.item(Verb.KILL, item, note="Withdrawn") for item in items]
        assert await desk.journal.purged(PATIENCE)
        monkeypatch.setattr(desk.journal.eraser, "_cleaned_to", lambda: one.version)
        assert await desk.journal.purged(PATIENCE, one.version)
        assert not await desk.journal.purged(0.1, two.version)
        assert not await desk.journal.purged(0.1)


async def test_an_old_copy_of_the_data_beside_the_present_keys_gives_no_killed_word(
    tmp_path: Path,
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    async with desk_in(here) as desk:
        item = await desk.item(Verb.POST, headline="Grivna")
        kept = await desk.item(Verb.POST, headline="Other")
        there.mkdir()
        with (
            closing(sqlite3.connect(here / DATABASE)) as data,
            closing(sqlite3.connect(there / DATABASE)) as copy,
        ):
            data.backup(copy)
        await desk.item(Verb.KILL, item, note="Withdrawn")
        assert await desk.journal.purged(PATIENCE)
    shutil.copy(here / keys.FILE, there / keys.FILE)
    assert opened(there, sealed_in(there)).keys() & {item.id} == set()
    assert kept.id in opened(there, sealed_in(there))


async def test_a_redact_erases_one_revision_and_those_that_repeat_it(tmp_path: Path) -> None:
    async with desk_in(tmp_path) as desk:
        posted = await desk.item(Verb.POST, headline="Minister met Ivan Secret", body="Text")
        fixed = await desk.item(Verb.FIX, posted, tags=["kyiv"])  # repeats the headline
        pinned = await desk.item(Verb.PIN, fixed)
        updated = await desk.item(Verb.UPDATE, pinned, headline="Minister met a witness")
        pieces = sealed_in(tmp_path)
        outcome = await desk.do(Verb.REDACT, updated, version=posted.version, note="a name")
        assert outcome.redacted == (posted.version, fixed.version)
        assert await desk.journal.purged(PATIENCE)
        left = opened(tmp_path, [*pieces, *sealed_in(tmp_path)])
        assert all(b"Secret" not in words for words in left.values())
        assert outcome.item.headline == "Minister met a witness"
        assert outcome.item.version > updated.version
        revisions = await desk.mirror.revisions("world", posted.id)
        assert [(one.act, one.erased_at is not None) for one in revisions] == [
            (Verb.POST, True),
            (Verb.FIX, True),
            (Verb.PIN, False),
            (Verb.UPDATE, False),
            (Verb.REDACT, False),
        ]
        assert await desk.mirror.item("world", posted.id) == outcome.item


async def test_a_redacted_correction_shows_its_new_text_and_the_old_one_is_gone(
    tmp_path: Path,
) -> None:
    async with desk_in(tmp_path) as desk:
        item = await desk.item(Verb.POST, headline="Bus hit")
        corrected = await desk.item(Verb.CORRECT, item, note="It was Ivan Secret")
        item = await desk.item(Verb.FIX, corrected, headline="Bus was hit")
        pieces = sealed_in(tmp_path)
        outcome = await desk.do(
            Verb.REDACT, item, version=corrected.version, note="It was another person"
        )
        assert outcome.redacted == (corrected.version, item.version)
        assert await desk.journal.purged(PATIENCE)
        assert [one.note for one in outcome.item.corrections] == ["It was another person"]
        assert outcome.item.headline == "Bus was hit"
        left = opened(tmp_path, [*pieces, *sealed_in(tmp_path)])
        assert all(b"Secret" not in words for words in left.values())
        assert await desk.mirror.item("world", item.id) == outcome.item


async def test_the_note_of_a_kill_can_be_redacted_and_nothing_else_done_to_it(
    tmp_path: Path,
) -> None:
    async with desk_in(tmp_path) as desk:
        item = await desk.item(Verb.POST, headline="One")
        killed = await desk.item(Verb.KILL, item, note="Ivan Secret asked us")
        pieces = sealed_in(tmp_path)
        again = await desk.item(
            Verb.REDACT, killed, version=killed.version, note="Withdrawn on request"
        )
        assert await desk.journal.purged(PATIENCE)
        assert (again.status, again.note, again.killed_at) == (
            Status.KILLED,
            "Withdrawn on request",
            killed.killed_at,
        )
        third = await desk.item(Verb.REDACT, again, version=again.version, note="Withdrawn")
        assert await desk.journal.purged(PATIENCE)
        assert await desk.mirror.item("world", item.id) == third
        left = opened(tmp_path, [*pieces, *sealed_in(tmp_path)])
        assert all(b"Secret" not in words for words in left.values())


@dataclass
class Withdrawal:
    """A kill of an item, a redact of one revision, or, without an item, of the feed's words."""

    verb: Verb
    item: Item | None
    version: int
    erases: set[int]

    async def do(self, desk: Desk) -> None:
        if self.item is None:
            await desk.redact_summary(self.version)
        elif self.verb is Verb.KILL:
            await desk.item(Verb.KILL, self.item, note="Withdrawn")
        else:
            await desk.item(Verb.REDACT, self.item, version=self.version, note="Other words")

    async def is_done(self, desk: Desk) -> bool:
        """Say whether it was committed."""
        revisions = await desk.revisions(self.item.id if self.item else None)
        if self.item is not None:
            return any(one.act is self.verb for one in revisions)
        erased = {one.version for one in revisions if one.erased_at is not None}
        return self.version in erased


async def to_kill(desk: Desk, number: int) -> Withdrawal:
    item = await desk.item(Verb.POST, headline=f"Grivna {number}")
    item = await desk.item(Verb.FIX, item, body="Zolotnik")
    return Withdrawal(Verb.KILL, item, item.version, {item.id, item.version})


async def to_redact(desk: Desk, number: int) -> Withdrawal:
    post = await desk.item(Verb.POST, headline=f"Grivna {number}")
    fix = await desk.item(Verb.FIX, post, body="Zolotnik")  # it repeats the headline
    item = await desk.item(Verb.UPDATE, fix, headline="Other")
    return Withdrawal(Verb.REDACT, item, post.version, {post.version, fix.version})


async def to_redact_a_correction(desk: Desk, number: int) -> Withdrawal:
    post = await desk.item(Verb.POST, headline=f"Other {number}")
    item = await desk.item(Verb.CORRECT, post, note=f"Grivna {number}")
    return Withdrawal(Verb.REDACT, item, item.version, {item.version})  # which is shown


async def to_redact_of_the_feed(desk: Desk, number: int) -> Withdrawal:
    version = await desk.summary(f"Grivna {number}")
    await desk.summary("Other")
    return Withdrawal(Verb.REDACT, None, version, {version})


DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from sqlite.test_erasure import Withdrawal, desk_in
from feedserver.model import Verb

left, item, version = map(int, sys.argv[2:5])

def dying(name):
    real = getattr(os, name)
    def call(*given):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given)
    return call

async def main():
    global left
    async with desk_in(Path(sys.argv[1])) as desk:
        found = await desk.mirror.item("world", item)
        withdrawal = Withdrawal(Verb(sys.argv[5]), found, version, set())
        for name in ("pwrite", "fdatasync"):
            setattr(os, name, dying(name))
        await withdrawal.do(desk)
        left = 1 << 30  # it was done before the count ran out
        await desk.journal.purged(20)
        print("done", flush=True)

asyncio.run(main())
"""


def run(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        env=os.environ | WITH_TESTS,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "made", [to_kill, to_redact, to_redact_a_correction, to_redact_of_the_feed]
)
async def test_a_withdrawal_that_is_cut_short_between_any_two_steps_is_finished_at_the_next_start(
    tmp_path: Path, made: Callable[[Desk, int], Awaitable[Withdrawal]]
) -> None:
    async with desk_in(tmp_path) as desk:
        withdrawals = [await made(desk, number) for number in range(12)]
    pieces = sealed_in(tmp_path)
    endings = {True: 0, False: 0}  # by whether it was committed before the process died
    for number, one in enumerate(withdrawals):
        words = [piece for piece in pieces if piece.sequence in one.erases]
        assert len(words) == len(one.erases)
        item_id = one.item.id if one.item else 0
        done = run(DIES, tmp_path, number, item_id, one.version, one.verb)
        if done.returncode == 0:
            assert "done" in done.stdout
            assert opened(tmp_path, words) == {}
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        async with desk_in(tmp_path) as desk:
            is_done = await one.is_done(desk)
            endings[is_done] += 1
            if is_done:
                assert await desk.journal.purged(PATIENCE)
                assert opened(tmp_path, words) == {}
            else:  # nothing was withdrawn yet
                assert opened(tmp_path, words).keys() == one.erases
                if one.item is not None:
                    assert await desk.mirror.item("world", one.item.id) == one.item
    else:
        pytest.fail("it always died")
    assert endings[False] >= 1
    assert endings[True] >= 3


@pytest.mark.parametrize(
    "name",
    [
        "feed.keys.new",
        "feed.keys.part",
        "feed.keys.migrating",
        "feed.keys.old",
        "restoring.keys",
        "before-restore-1/feed.keys",
        "before-restore-1/feed.keys.new.part",
    ],
)
async def test_a_file_of_keys_that_is_left_behind_is_tried_by_these_tests(
    tmp_path: Path, name: str
) -> None:
    async with desk_in(tmp_path) as desk:
        item = await desk.item(Verb.POST, headline="Grivna")
    pieces, left = sealed_in(tmp_path), (tmp_path / keys.FILE).read_bytes()
    async with desk_in(tmp_path) as desk:
        await desk.item(Verb.KILL, item, note="Withdrawn")
        assert await desk.journal.purged(PATIENCE)
    assert item.id not in opened(tmp_path, pieces)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(left)
    assert item.id in opened(tmp_path, pieces)


async def test_what_a_dead_attempt_sealed_can_be_opened_by_no_key_that_lives_on(
    tmp_path: Path,
) -> None:
    # One process dies between sealing and COMMIT, as often as it likes; another keeps the log of
    # SQLite alive, and its records take the same sequences.
    script = """
import os, signal, sys
from pathlib import Path
from feedserver.sqlite import rows, writer
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.folder import DATABASE, Files
from feedserver.sqlite.ledger import Ledger
from feedserver.sqlite.opening import open_keys
from support.records import post

folder = Path(sys.argv[1])
keys = open_keys(folder, read_only=False)
connection = connect(folder / DATABASE, read_only=False)
connection.execute("PRAGMA cache_spill = 1")
connection.execute("PRAGMA cache_size = 1")
stored = rows.store_record

def noting(connection, record, change, key):
    stored(connection, record, change, key)
    row = connection.execute("SELECT sealed FROM records WHERE sequence = ?", (change.sequence,))
    with open(sys.argv[2], "ab") as file:
        file.write(key.hex().encode() + b"\\n")

rows.store_record = noting
group = [post(f"Dead words {n}", body="x" * 5000) for n in range(int(sys.argv[3]))]
decide = writer._decide

def dying(*given):
    decide(*given)
    os.kill(os.getpid(), signal.SIGKILL)

writer._decide = dying
writer.transact(connection, Ledger(keys, rows.Reader(keys)), Files(folder / DATABASE, keys), group)
"""
    noted = tmp_path / "noted"
    folder = tmp_path / "data"
    async with desk_in(folder) as desk:
        for number in (1, 3, 7):
            done = await asyncio.to_thread(run, script, folder, noted, number)
            assert done.returncode == -signal.SIGKILL, done.stderr
            item = await desk.item(Verb.POST, headline="Living words")
            dead = {bytes.fromhex(line) for line in noted.read_text().split()}
            assert len(dead) >= number
            # At the latest before the next kill is called done, nothing opens them.
            await desk.item(Verb.KILL, item, note="Withdrawn")
            assert await desk.journal.purged(PATIENCE)
            assert dead & set(keys_in(folder)) == set()


async def test_after_a_rollback_its_keys_are_drawn_anew_before_anybody_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from feedserver.sqlite import rows

    taken: list[bytes] = []
    stored = rows.store_record

    def failing(connection: sqlite3.Connection, record: Any, change: Any, key_: bytes) -> None:
        taken.append(key_)
        stored(connection, record, change, key_)
        raise sqlite3.OperationalError("disk full")

    async with desk_in(tmp_path) as desk:
        with monkeypatch.context() as patched:
            patched.setattr(rows, "store_record", failing)
            for number in range(3):
                with pytest.raises(Exception, match="cannot be written"):
                    await desk.journal.append(post(f"Lost {number}"))
                assert not set(taken) & set(keys_in(tmp_path))
        assert len(set(taken)) == 3
        await desk.item(Verb.POST, headline="Kept")


@pytest.mark.parametrize("at", [5, 34, 40])
async def test_a_damaged_slot_that_no_record_has_stops_no_write(tmp_path: Path, at: int) -> None:
    async with desk_in(tmp_path) as desk:
        item = await desk.item(Verb.POST, headline="Grivna")
        for verb, raw in ((Verb.POST, {"headline": "News"}), (Verb.KILL, {"note": "Withdrawn"})):
            following = await desk.journal.head() + 1
            with (tmp_path / keys.FILE).open("r+b") as file:
                for number in (following, following + 1):
                    file.seek(slots.HEADER + slots.SLOT * slots.number_of(number) + at)
                    file.write(b"?")
            done = await desk.item(verb, item if verb is Verb.KILL else None, **raw)
            assert done.version == following
            assert await desk.mirror.item("world", done.id) == done
        assert await desk.journal.purged(PATIENCE)
        group = await asyncio.gather(*(desk.journal.append(post(f"N {n}")) for n in range(3)))
        assert [one.sequence for one in group] == [following + 1, following + 2, following + 3]


async def test_a_slot_that_cannot_be_drawn_anew_is_said_to_be_no_room_for_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_in(tmp_path) as desk:
        head = await desk.journal.head()
        with (tmp_path / keys.FILE).open("r+b") as file:
            file.seek(slots.HEADER + slots.SLOT * slots.number_of(head + 1))
            file.write(b"?")
        with monkeypatch.context() as patched:
            patched.setattr(slots, "drawn", lambda number: b"?" * slots.SLOT)
            with pytest.raises(Unavailable, match="cannot be written"):
                await desk.journal.append(post("Refused"))
        assert (await desk.journal.append(post("Taken"))).sequence == head + 1


async def test_another_process_reads_killed_words_from_no_cache_of_keys(tmp_path: Path) -> None:
    async with desk_in(tmp_path) as one, desk_in(tmp_path) as other:
        item = await one.item(Verb.POST, headline="Grivna")
        assert (await other.mirror.item("world", item.id)) == item
        tombstone = await one.item(Verb.KILL, item, note="Withdrawn")
        assert await other.mirror.item("world", item.id) == tombstone
        [posted, _] = await other.mirror.revisions("world", item.id)
        assert posted.item is None


async def test_keys_that_lack_slots_or_belong_to_another_journal_are_refused_with_numbers(
    tmp_path: Path,
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        async with desk_in(folder) as desk:
            await desk.item(Verb.POST, headline="News")
    whole = (one / keys.FILE).read_bytes()
    (one / keys.FILE).write_bytes((two / keys.FILE).read_bytes())
    with pytest.raises(SetupError, match="another journal"):
        async with open_storage(one):
            pass
    (one / keys.FILE).write_bytes(whole[: slots.HEADER + slots.SLOT * slots.number_of(3)])
    with pytest.raises(SetupError, match=r"up to record 2.* newest record is 3"):
        async with open_storage(one):
            pass
    (one / keys.FILE).unlink()
    with pytest.raises(SetupError, match="missing"):
        async with open_storage(one):
            pass
    assert not (one / keys.FILE).exists()  # none is ever made beside records
    (one / keys.FILE).write_bytes(whole)
    async with open_storage(one) as storage:
        assert await storage.mirror.item("world", 3)


# The 21st byte is random, so it is given whichever of two values it does not have.
OTHER_BYTE = (
    "CAST(substr(sealed, 1, 20) || CASE substr(sealed, 21, 1) WHEN x'00' THEN x'01' ELSE x'00' END"
    " || substr(sealed, 22) AS BLOB)"
)


@pytest.mark.parametrize("column", ["sealed", "rid", "editor", "at", "settings", "language"])
async def test_a_record_that_was_changed_in_the_file_is_left_out_and_named(
    tmp_path: Path, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    changes = {
        "sealed": OTHER_BYTE,
        "rid": "rid || 'x'",
        "editor": "'somebody'",
        "at": "at + 1",
        "settings": "'{}'",
        "language": "'de'",
    }
    async with desk_in(tmp_path) as desk:
        await desk.item(Verb.POST, headline="Before")
        item = await desk.item(Verb.POST, headline="Flipped")
        await desk.item(Verb.POST, headline="After")
    with closing(connect(tmp_path / DATABASE, read_only=False)) as connection:
        change = f"UPDATE records SET {column} = {changes[column]} WHERE sequence = ?"
        connection.execute(change, (item.id,))
    async with desk_in(tmp_path) as desk:
        page = await desk.mirror.page("world", 10)
        assert page is not None
        assert [one.headline for one in page.items] == ["After", "Before"]
        for read in (desk.mirror.item("world", item.id), desk.mirror.history("world", item.id, 9)):
            with pytest.raises(Unavailable, match="cannot be read"):
                await read  # no tombstone, and not as if there were none
        assert desk.mirror.unreadable == 1
    assert caplog.text.count(f"record {item.id} of item {item.id}") == 1


@pytest.mark.parametrize("where", ["record", "slot"])
async def test_a_revision_that_cannot_be_read_is_no_redacted_one_and_can_be_redacted(
    tmp_path: Path, where: str
) -> None:
    async with desk_in(tmp_path) as desk:
        posted = await desk.item(Verb.POST, headline="Ivan Secret")
        await desk.item(Verb.UPDATE, posted, headline="A man")
        await desk.room.configure("world", {"title": "World", "summary": "Ivan Secret"}, None)
        points = (await desk.mirror.feed_revisions("world"))[-1]
        await desk.room.configure("world", {"title": "World", "summary": "A man"}, None)
    pieces = [one for one in sealed_in(tmp_path) if one.sequence in {posted.id, points.version}]
    if where == "record":
        flip = "UPDATE records SET sealed = CAST(sealed || 'x' AS BLOB) WHERE sequence IN (?, ?)"
        with closing(connect(tmp_path / DATABASE, read_only=False)) as connection:
            connection.execute(flip, (posted.id, points.version))
    else:
        with (tmp_path / keys.FILE).open("r+b") as file:
            for number in (posted.id, points.version):
                file.seek(slots.HEADER + slots.SLOT * slots.number_of(number) + 34)
                file.write(b"?")  # of the checksum: the key is there for who knows better
    async with desk_in(tmp_path) as desk:
        revisions = await desk.mirror.revisions("world", posted.id)
        told = wire.revisions_json(revisions)[0]
        assert told["unreadable"]
        assert "redacted_at" not in told
        assert "redacted" not in wire.shown_json(revisions[0])
        assert wire.shown_json(revisions[0])["unreadable"]
        points_told = wire.feed_revisions_json(await desk.mirror.feed_revisions("world"))[-2]
        assert points_told["unreadable"]
        assert opened(tmp_path, pieces).keys() == {posted.id, points.version}
        item = await desk.mirror.item("world", posted.id)
        await desk.item(Verb.REDACT, item, version=posted.version, note="a name")
        raw = {"verb": "redact", "version": points.version, "note": "a name"}
        await desk.room.redact_feed("world", raw, desk._anna, ())
        assert await desk.journal.purged(PATIENCE)
        assert opened(tmp_path, pieces) == {}
        assert desk.mirror.unreadable == 2
        told = wire.revisions_json(await desk.mirror.revisions("world", posted.id))[0]
        await desk.mirror.feed_revisions("world")
        assert desk.mirror.unreadable == 0
        assert "redacted_at" in told
        assert "unreadable" not in told


async def test_an_item_whose_words_cannot_be_read_can_be_killed(tmp_path: Path) -> None:
    async with desk_in(tmp_path) as desk:
        item = await desk.item(Verb.POST, headline="Ivan Secret")
    pieces = [one for one in sealed_in(tmp_path) if one.sequence == item.id]
    with closing(connect(tmp_path / DATABASE, read_only=False)) as connection:
        flip = "UPDATE records SET sealed = CAST(sealed || 'x' AS BLOB) WHERE sequence = ?"
        connection.execute(flip, (item.id,))
    async with desk_in(tmp_path) as desk:
        with pytest.raises(Unavailable):
            await desk.mirror.item("world", item.id)
        await desk.journal.append(kill(item))
        assert await desk.journal.purged(PATIENCE)
        assert opened(tmp_path, pieces) == {}
        found = await desk.mirror.item("world", item.id)
        assert found is not None
        assert found.status is Status.KILLED


async def test_a_record_of_a_newer_format_ends_the_answers_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "LEVEL_SECONDS", 0.1)  # it will never be level
    async with desk_in(tmp_path) as desk:
        item = await desk.item(Verb.POST, headline="News")
        found = None
        async with asyncio.timeout(20):
            while found is None or not found.items:  # or the search would rightly know nothing
                with contextlib.suppress(Unavailable):
                    found = await desk.mirror.page("world", 10, words="news")
                await asyncio.sleep(0.01)
        with closing(connect(tmp_path / DATABASE, read_only=False)) as connection:
            connection.execute("UPDATE records SET v = 2 WHERE sequence = ?", (item.id,))
        for reading in (
            desk.mirror.page("world", 10),
            desk.mirror.item("world", item.id),
            desk.mirror.page("world", 10, words="news"),
            desk.journal.append(edit(item, Verb.FIX, headline="Other")),
        ):
            with pytest.raises(Unavailable):
                await reading
        assert "newer feedserver" in (desk.journal.damage or "")
        desk.journal._tail.forget_all()
        following = asyncio.ensure_future(anext(desk.journal.follow(0)))
        await asyncio.wait([following], timeout=0.3)
        assert not following.done()  # it stops there, and neither skips nor dies
        following.cancel()


async def test_two_records_that_were_swapped_are_noticed(tmp_path: Path) -> None:
    async with desk_in(tmp_path) as desk:
        one = await desk.item(Verb.POST, headline="One")
        two = await desk.item(Verb.POST, headline="Two")
    with closing(connect(tmp_path / DATABASE, read_only=False)) as connection:
        sealed = dict(connection.execute("SELECT sequence, sealed FROM records WHERE item > 0"))
        for mine, others in ((one.id, two.id), (two.id, one.id)):
            connection.execute(
                "UPDATE records SET sealed = ? WHERE sequence = ?", (sealed[others], mine)
            )
    async with desk_in(tmp_path) as desk:
        page = await desk.mirror.page("world", 10)
        assert page is not None
        assert page.items == ()


async def test_a_kill_of_many_revisions_leaves_none(tmp_path: Path) -> None:
    async with desk_in(tmp_path) as desk:
        item = await desk.item(Verb.POST, headline="Zero")
        for number in range(200):
            item = item_of(
                await desk.journal.append(
                    edit(item, Verb.FIX, headline=f"Version {number}", retry_key=key(str(number)))
                )
            )
        pieces = sealed_in(tmp_path)
        await desk.journal.append(kill(item))
        assert await desk.journal.purged(PATIENCE)
        assert all(words == b"" for words in opened(tmp_path, pieces[2:]).values())


async def test_a_long_history_is_read_only_as_far_as_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_in(tmp_path) as desk:
        item = await desk.item(Verb.POST, headline="0")
        for number in range(30):
            change = edit(item, Verb.UPDATE, headline=str(number), body="x" * 1000)
            item = item_of(await desk.journal.append(change))
        await desk.journal.append(edit(item, Verb.UPDATE, retry_key=key("k"), headline="last"))
        read: list[int] = []
        load = revisions._known_revision

        def counted(reader: Any, row: rows.Row, past: Any) -> Revision | None:
            read.append(row[0])
            return load(reader, row, past)

        monkeypatch.setattr(revisions, "_known_revision", counted)
        history = await desk.mirror.history("world", item.id, 3500)
        assert history is not None
        assert [one.item and one.item.headline for one in history.shown] == ["28", "29", "last"]
        assert len(read) == 4  # one more, that does not fit
        read.clear()
        assert await desk.mirror.retry(key("k").mac)
        assert len(read) == 2  # with the first, which names the item
