"""What `check` finds: each record that was changed, cut or swapped, by its number; and repairs."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support import archive
from support.archive import hash_of, open_archive
from support.records import NOON

from feedserver import wire
from feedserver.errors import Unavailable
from feedserver.model import Item, Millis, Status, Verb
from feedserver.sqlite import checking, findings, keys, slots
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.findings import Finding
from feedserver.sqlite.folder import DATABASE
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.repairing import repair

pytestmark = pytest.mark.anyio
LATER = NOON + 86_400_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Item]]:
    data = tmp_path_factory.mktemp("whole") / "data"
    return data, archive.made(data)


@pytest.fixture
def items(whole: tuple[Path, dict[str, Item]]) -> dict[str, Item]:
    return whole[1]


@pytest.fixture
def data(whole: tuple[Path, dict[str, Item]], tmp_path: Path) -> Path:
    shutil.copytree(whole[0], tmp_path / "data")
    return tmp_path / "data"


def check(data: Path, now: Millis = LATER) -> list[Finding]:
    found: list[Finding] = []
    checking.check(data, now, found.append, lambda remark: None)
    return found


def told(found: list[Finding]) -> list[tuple[str, int | None]]:
    return [(one.kind, one.sequence) for one in found]


def change(data: Path, statement: str, *values: object) -> None:
    with closing(connect(data / DATABASE, read_only=False)) as connection:
        assert connection.execute(statement, values).rowcount > 0


def test_where_nothing_is_wrong_nothing_is_found(data: Path) -> None:
    found: list[Finding] = []
    looked = checking.check(data, LATER, found.append, lambda remark: None)
    assert found == []
    assert (looked.records, looked.items) == (42, 18)


# What stands in a record, and what each of its columns is when somebody changed it.
CHANGED = {
    "sealed": (  # whichever of two values a random byte does not have
        "CAST(substr(sealed, 1, 20) || CASE substr(sealed, 21, 1) WHEN x'00' THEN x'01' ELSE x'00'"
        " END || substr(sealed, 22) AS BLOB)"
    ),
    "rid": "rid || 'x'",
    "editor": "'somebody'",
    "at": "at + 1",
    "claimed_at": "1",
    "base_version": "coalesce(base_version, 0) + 1",
    "breaking": "NOT coalesce(breaking, 0)",
    "language": "'de'",
    "occurred_at": "17",
    "retry_mac": "x'00'",
    "origin_mac": "x'00'",
    "settings": "'{}'",
    "act": "'fix'",
    "v": "v + 1",
    "feed": "'sport'",
}
DERIVED = {
    "effective_at": "effective_at + 86400000",
    "words_at": "words_at - 1",
    "status": "'held'",
    "pinned": "1",
    "published_at": "published_at + 1",
    "updated_at": "17",
}


@pytest.mark.parametrize("column", CHANGED)
def test_whatever_is_changed_in_a_record_it_is_named(
    data: Path, items: dict[str, Item], column: str
) -> None:
    posted = items["news 0"].id
    change(data, f"UPDATE records SET {column} = {CHANGED[column]} WHERE sequence = ?", posted)
    named = [one for one in check(data) if one.sequence == posted]
    assert named, column
    assert f"record {posted}" in named[0].detail


@pytest.mark.parametrize("column", DERIVED)
def test_what_was_derived_is_held_against_the_records(
    data: Path, items: dict[str, Item], column: str
) -> None:
    posted = items["news 0"].id
    change(data, f"UPDATE records SET {column} = {DERIVED[column]} WHERE sequence = ?", posted)
    found = check(data)
    assert found
    assert {one.kind for one in found} == {findings.CONTRADICTION}
    assert any(f"item {posted}" in one.detail for one in found)


def test_a_record_without_words_cannot_be_changed_unseen(
    data: Path, items: dict[str, Item]
) -> None:
    pinned = items["rich"].version - 2  # it was pinned, held, released
    change(data, "UPDATE records SET editor = 'bob' WHERE sequence = ?", pinned)
    assert told(check(data)) == [(findings.UNREADABLE, pinned)]


@pytest.mark.parametrize("how", ["NULL", "x''", "substr(sealed, 1, 30)"])
async def test_a_sealed_part_that_was_cut_is_named_and_its_item_left_out(
    data: Path, items: dict[str, Item], how: str
) -> None:
    posted = items["news 0"].id
    cut = f"CAST({how} AS BLOB)" if how != "NULL" else how
    change(data, f"UPDATE records SET sealed = {cut} WHERE sequence = ?", posted)
    [found] = check(data)
    assert (found.kind, found.sequence) == (findings.UNREADABLE, posted)
    assert f"record {posted} of item {posted} of world cannot be read" in found.detail
    async with open_archive(data) as here:
        mirror = here.storage.mirror
        with pytest.raises(Unavailable, match="cannot be read"):  # and no empty one
            await mirror.item("world", posted)
        page = await mirror.page("world", 100)
        assert page is not None
        assert posted not in {item.id for item in page.items}
        assert len(page.items) == 15
        # What cannot be read can be withdrawn all the same.
        bare = items["news 0"]
        killed = await here.item(Verb.KILL, bare, note="It cannot be read")
        assert killed.status is Status.KILLED


async def test_a_status_that_no_item_has_is_named_and_follows_from_the_verbs(
    data: Path, items: dict[str, Item], caplog: pytest.LogCaptureFixture
) -> None:
    released = items["rich"].version
    held = released - 1
    change(data, "UPDATE records SET status = 'hfld' WHERE sequence IN (?, ?)", held, released)
    assert told(check(data)) == [
        (findings.CONTRADICTION, held),
        (findings.CONTRADICTION, released),
    ]
    async with open_archive(data) as here:
        revisions = await here.storage.mirror.revisions("world", items["rich"].id)
        assert here.storage.mirror.unreadable == 2
    states = [one.item.status if one.item else None for one in revisions]
    assert states == [Status.LIVE] * 5 + [Status.HELD, Status.LIVE]
    assert revisions[-1].item == items["rich"]
    assert f"record {held} of item {items['rich'].id}" in caplog.text
    assert "no item has the status 'hfld'" in caplog.text


async def test_words_beside_a_damaged_status_are_redacted_with_those_that_repeat_them(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    async with open_archive(data) as here:
        first = await here.item(Verb.POST, headline="Ivan Secret won")
        second = await here.item(Verb.FIX, first, byline="Ann")
        last = await here.item(Verb.UPDATE, second, headline="A man won")
    change(data, "UPDATE records SET status = '' WHERE sequence = ?", second.version)
    async with open_archive(data) as here:
        erases = await here.room.erases("world", first.id, first.version)
        assert erases == (first.version, second.version)
        assert last.version not in erases


async def test_a_record_with_an_act_that_there_is_not_is_left_out_of_the_revisions(
    data: Path, items: dict[str, Item]
) -> None:
    released = items["rich"].version
    change(data, "UPDATE records SET act = 'relegate' WHERE sequence = ?", released)
    async with open_archive(data) as here:
        revisions = await here.storage.mirror.revisions("world", items["rich"].id)
        assert [one.version for one in revisions][-1] == released - 1
        assert here.storage.mirror.unreadable == 1


async def test_a_retry_of_what_cannot_be_read_any_more_is_told_so(
    data: Path, items: dict[str, Item]
) -> None:
    posted = items["news 0"].id
    change(data, "UPDATE records SET act = 'roast' WHERE sequence = ?", posted)
    async with open_archive(data) as here:
        with pytest.raises(Unavailable, match=f"record {posted}, cannot be read"):
            await here.item(Verb.POST, headline="News 0", key="n0")


def test_two_records_that_were_swapped_are_both_named(data: Path, items: dict[str, Item]) -> None:
    one, other = items["news 0"].id, items["news 2"].id
    with closing(connect(data / DATABASE, read_only=False)) as connection:
        find = "SELECT sealed FROM records WHERE sequence = ?"
        parts = [connection.execute(find, (number,)).fetchone()[0] for number in (other, one)]
        store = "UPDATE records SET sealed = ? WHERE sequence = ?"
        connection.executemany(store, zip(parts, (one, other), strict=True))
    assert told(check(data)) == [(findings.UNREADABLE, one), (findings.UNREADABLE, other)]


def place(sequence: int) -> int:
    return slots.HEADER + slots.SLOT * slots.number_of(sequence)


def swap_slots(path: Path, one: int, other: int) -> None:
    raw = bytearray(path.read_bytes())
    first, second = (slice(place(n), place(n) + slots.SLOT) for n in (one, other))
    raw[first], raw[second] = raw[second], raw[first]
    path.write_bytes(raw)


def forge_slots(path: Path, one: int, other: int) -> None:
    """Swap two keys with all that belongs to them, checksums made anew."""
    raw = bytearray(path.read_bytes())
    parts = [bytes(raw[place(n) : place(n) + slots.SLOT]) for n in (one, other)]
    for number, part in zip((other, one), parts, strict=True):
        forged = slots.begun(slots.number_of(number), part[:32])
        raw[place(number) : place(number) + slots.SLOT] = forged[:44] + part[44:]
    path.write_bytes(raw)


@pytest.mark.parametrize("swap", [swap_slots, forge_slots])
def test_two_slots_that_were_swapped_are_both_named(
    data: Path, items: dict[str, Item], swap: Callable[[Path, int, int], None]
) -> None:
    one, other = items["news 0"].id, items["news 2"].id
    swap(data / keys.FILE, one, other)
    assert told(check(data)) == [(findings.UNREADABLE, one), (findings.UNREADABLE, other)]


@pytest.mark.parametrize("at", [0, 31, 33, 41, 45])
def test_a_slot_in_which_one_bit_was_flipped_is_named(
    data: Path, items: dict[str, Item], at: int
) -> None:
    posted = items["news 0"].id
    path = data / keys.FILE
    raw = bytearray(path.read_bytes())
    raw[place(posted) + at] ^= 4
    path.write_bytes(raw)
    assert told(check(data)) == [(findings.UNREADABLE, posted)]


def test_a_hole_in_the_keys_is_no_kill(data: Path, items: dict[str, Item]) -> None:
    posted = items["news 0"].id
    path = data / keys.FILE
    raw = bytearray(path.read_bytes())
    raw[place(posted) : place(posted) + slots.SLOT] = bytes(slots.SLOT)
    path.write_bytes(raw)
    assert told(check(data)) == [(findings.UNREADABLE, posted)]


def test_a_key_that_is_gone_without_a_kill_is_named(data: Path, items: dict[str, Item]) -> None:
    posted = items["news 0"].id
    key_file = KeyFile(data / keys.FILE)
    key_file.destroy([posted], 40, "kill", NOON)
    key_file.close()
    [found] = check(data)
    assert (found.kind, found.sequence) == (findings.UNEXPLAINED, posted)
    assert "gone by the kill 40, which the journal does not have" in found.detail


async def test_a_kill_that_is_not_executed_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with open_archive(data) as here:
        item = await here.item(Verb.POST, headline="Grivna")
        item = await here.item(Verb.FIX, item, body="Zolotnik")
        before = (data / keys.FILE).read_bytes()
        await here.item(Verb.KILL, item, note="Withdrawn")
        await here.purged()
    with (data / keys.FILE).open("r+b") as file:  # an old key came back, from wherever
        file.seek(place(item.version))
        file.write(before[place(item.version) : place(item.version) + slots.SLOT])
    [found] = check(data)
    assert (found.kind, found.sequence) == (findings.NOT_ERASED, item.version)
    assert "words of 1 records can still be read" in found.detail


def test_records_that_are_missing_are_named(data: Path, items: dict[str, Item]) -> None:
    lost = items["news 3"]
    change(data, "DELETE FROM records WHERE item = ?", lost.id)
    change(data, "DELETE FROM retry_keys WHERE sequence = ?", lost.id)
    found = check(data)
    assert (findings.MISSING, lost.id) in told(found)
    assert (findings.CONTRADICTION, None) in told(found)
    assert any(f"item {lost.id} has no records" in one.detail for one in found)


ROWS = {
    "items": ("UPDATE items SET pinned = 1 WHERE id = {news}", "item {news}", "pinned"),
    "words": ("UPDATE items SET words_at = 1 WHERE id = {news}", "item {news}", "words_at"),
    "no item": ("DELETE FROM items WHERE id = {news}", "item {news}", "no row"),
    "feed": ("UPDATE feeds SET head = 1 WHERE slug = 'world'", "the feed world", "head"),
    "stamp": ("UPDATE feeds SET stamped_at = 1 WHERE slug = 'sport'", "sport", "stamped_at"),
    "token": ("UPDATE tokens SET revoked_at = NULL WHERE name = 'bob'", "token bob", "revoked_at"),
    "retry": ("DELETE FROM retry_keys WHERE sequence = {news}", "retry_keys", "retry key"),
    "origin": ("UPDATE origins SET item = 1", "origins", "origin"),
}


@pytest.mark.parametrize("row", ROWS)
async def test_a_row_that_differs_is_named_and_made_anew_by_a_repair(
    data: Path, items: dict[str, Item], row: str
) -> None:
    before = hash_of(data)
    statement, *words = (part.format(news=items["news 0"].id) for part in ROWS[row])
    change(data, statement)
    found = check(data)
    assert {one.kind for one in found} == {findings.CONTRADICTION}
    assert any(all(word in one.detail for word in words) for one in found), found
    stamped, made = await repair(data, found, lambda: LATER)
    assert stamped == 0
    assert made > 0
    assert check(data) == []
    assert hash_of(data) == before


def test_a_broken_page_is_what_sqlite_says(data: Path) -> None:
    with closing(sqlite3.connect(data / DATABASE)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        find = "SELECT rootpage FROM sqlite_master WHERE name = 'items_by_time'"
        page = connection.execute(find).fetchone()[0]
    with (data / DATABASE).open("r+b") as file:
        file.seek(4096 * (page - 1) + 8)
        file.write(b"\x00" * 4)
    found = check(data)
    assert found
    assert {one.kind for one in found} == {findings.DATABASE_FAULT}


def test_a_journal_that_went_back_is_said(data: Path) -> None:
    key_file = KeyFile(data / keys.FILE)
    key_file.note_committed(50)
    key_file.close()
    [found] = check(data)
    assert found.kind == findings.WENT_BACK
    assert "record 50 was committed, and the newest is 42" in found.detail


async def test_items_of_the_future_get_the_time_of_now_in_their_order(tmp_path: Path) -> None:
    data = tmp_path / "data"
    year = 365 * 86_400_000
    async with open_archive(data) as here:
        early = await here.item(Verb.POST, headline="Before")
        here.now[0] += year  # the clock is wrong …
        wrong = [await here.item(Verb.POST, headline=f"Ahead {number}") for number in range(3)]
        changed = await here.item(Verb.UPDATE, early, body="Changed ahead")
        killed = await here.item(Verb.POST, headline="Ahead and wrong")
        killed = await here.item(Verb.KILL, killed, note="Withdrawn")
        here.now[0] -= year  # … and right again
        now = here.now[0] + 60_000
    found = check(data, now)
    future = {one.item for one in found if one.kind == findings.FUTURE}
    assert future == {*(one.id for one in wrong), changed.id, killed.id}
    assert len(found) == 5
    ticks = iter(range(now, now + 100))
    stamped, _ = await repair(data, found, lambda: next(ticks))
    assert stamped == 5
    assert check(data, now + 100) == []
    async with open_archive(data) as here:
        mirror = here.storage.mirror
        page = await mirror.page("world", 10)
        assert page is not None
        assert [item.id for item in page.items] == [
            killed.id,
            *(one.id for one in reversed(wrong)),
            early.id,
        ]
        assert all(now <= item.published_at < now + 100 for item in page.items[:-1])
        assert page.items[-1].published_at == early.published_at
        assert page.items[-1].updated_at is not None
        assert page.items[-1].updated_at < now + 100
        assert page.items[0].status is Status.KILLED
        assert page.items[0].note == "Withdrawn"
        log = await mirror.revisions("world", wrong[0].id)
        told_of = wire.revisions_json(log)
        assert (told_of[-1]["verb"], told_of[-1]["version"]) == ("restamp", log[-1].version)
        assert "fields" not in told_of[-1]
        assert told_of[0]["fields"] == {"headline": "Ahead 0"}
        here.now[0] = now + 200
        news = await here.item(Verb.POST, headline="Breaking")  # and breaking news is on top
        page = await mirror.page("world", 1)
        assert page is not None
        assert page.items[0].id == news.id


async def test_times_within_ten_minutes_are_no_fault(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with open_archive(data) as here:
        await here.item(Verb.POST, headline="By a clock that is some minutes ahead")
        now = here.now[0] - 599_000
    assert check(data, now) == []
    assert [one.kind for one in check(data, now - 2_000)] == [findings.FUTURE]
