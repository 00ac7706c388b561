"""The file of keys: fixed slots that are filled ahead, taken once, and overwritten for good."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.forensics import flip

from feedserver.errors import SetupError
from feedserver.sqlite import key_header, keys, slots
from feedserver.sqlite.keys import AHEAD, KeyFile, NotFresh
from feedserver.sqlite.slots import PARTITION, Gone, Unreadable, hash_of

OWNER = hash_of("a" * 16)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    key_header.create(tmp_path / keys.FILE, b"k" * 16)
    return tmp_path / keys.FILE


@pytest.fixture
def key_file(path: Path) -> Iterator[KeyFile]:
    opened = KeyFile(path)
    yield opened
    opened.close()


def place(sequence: int) -> int:
    return slots.HEADER + slots.SLOT * slots.number_of(sequence)


def test_a_key_is_given_once_and_found_again(key_file: KeyFile) -> None:
    assert key_file.ensure(1, 3) == 3
    given = [key_file.take(sequence, OWNER) for sequence in (1, 2, 3)]
    assert len(set(given)) == 3
    assert [key_file.key(sequence, OWNER) for sequence in (1, 2, 3)] == given
    with pytest.raises(NotFresh):
        key_file.take(2, OWNER)


def test_slots_are_filled_ahead_and_say_when_they_run_low(key_file: KeyFile) -> None:
    key_file.ensure(1, 1)
    assert key_file.end == 1 + AHEAD
    assert not key_file.is_low(1)
    assert key_file.is_low(AHEAD // 2 + 2)
    size = key_file.path.stat().st_size
    key_file.ensure(2, 100)
    assert key_file.path.stat().st_size == size  # no second fsync for what is there


def test_slots_stand_where_the_format_says_across_partitions(key_file: KeyFile) -> None:
    key_file.fill(1, PARTITION + 10)
    assert slots.number_of(PARTITION - 1) == PARTITION + 1
    assert slots.number_of(PARTITION) == PARTITION + 4  # two keys of the next partition before it
    assert key_file.end == PARTITION + 11
    taken = [key_file.take(n, OWNER) for n in (PARTITION - 1, PARTITION, PARTITION + 1)]
    assert [key_file.key(n, OWNER) for n in (PARTITION - 1, PARTITION, PARTITION + 1)] == taken
    first, second = key_file.begin_partition(1, 0), key_file.begin_partition(1, 1)
    assert key_file.partition_key(1, 0) == first
    key_file.end_partitions([(1, 0)], at=5)
    assert key_file.partition_key(1, 1) == second
    with pytest.raises(Gone):
        key_file.partition_key(1, 0)
    assert [key_file.key(n, OWNER) for n in (PARTITION - 1, PARTITION, PARTITION + 1)] == taken


def test_a_jump_of_the_sequence_leaves_a_hole_and_is_remembered(path: Path) -> None:
    first = KeyFile(path)
    first.ensure(1, 1)
    first.skip(2, 99_999)
    assert first.ensure(100_000, 1) == 1
    first.take(100_000, OWNER)
    first.close()
    again = KeyFile(path)
    assert again.skipped == [(2, 99_999)]
    assert again.key(100_000, OWNER)
    assert path.stat().st_blocks * 512 < 200_000  # the hole takes no room
    with pytest.raises(Unreadable):
        again.key(50_000, OWNER)
    assert again.begin_partition(100_000 // PARTITION, 0)
    again.close()


def test_a_destroyed_key_says_by_what_and_when_and_cannot_come_back(key_file: KeyFile) -> None:
    key_file.ensure(1, 5)
    given = key_file.take(1, OWNER)
    key_file.take(2, OWNER)
    key_file.destroy([1], by=4, act="kill", at=1_700_000_000_000)
    assert given not in key_file.path.read_bytes()
    with pytest.raises(Gone) as gone:
        key_file.key(1, OWNER)
    assert (gone.value.by, gone.value.act, gone.value.at) == (4, "kill", 1_700_000_000_000)
    assert key_file.key(2, OWNER)
    key_file.destroy([1], by=9, act="redact", at=5)  # safe to repeat, and the first one stays
    assert key_file.gone(1) is not None
    assert key_file.gone(1).by == 4  # type: ignore[union-attr]
    assert key_file.gone(2) is None


def test_two_hundred_keys_are_destroyed_with_one_sync(
    key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file.ensure(1, 300)
    for sequence in range(1, 202):
        key_file.take(sequence, OWNER)
    syncs = []
    sync = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (syncs.append(fd), sync(fd)))
    key_file.destroy(range(1, 202), by=300, act="kill", at=1)
    assert len(syncs) == 1
    assert all(key_file.gone(sequence) for sequence in range(1, 202))


def test_after_a_sync_that_failed_the_keys_are_overwritten_again(
    key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file.ensure(1, 2)
    key_file.take(1, OWNER)
    faults = [OSError(5, "EIO")]
    written = []
    sync, pwrite = os.fdatasync, os.pwrite

    def failing(fd: int) -> None:
        if faults:
            raise faults.pop()
        sync(fd)

    monkeypatch.setattr(os, "fdatasync", failing)
    monkeypatch.setattr(os, "pwrite", lambda fd, d, at: (written.append(at), pwrite(fd, d, at))[1])
    key_file.destroy([1], by=2, act="kill", at=1)
    assert written == [place(1)] * 2
    assert key_file.gone(1)


def test_a_slot_that_was_taken_in_vain_is_drawn_anew(key_file: KeyFile) -> None:
    key_file.ensure(1, 5)
    first, dead = key_file.take(1, OWNER), key_file.take(2, OWNER)
    assert key_file.redraw(1, only_taken=True) == 1
    assert dead not in key_file.path.read_bytes()
    assert key_file.take(2, OWNER) != dead
    assert key_file.key(1, OWNER) == first


def test_a_process_uses_only_what_its_own_sync_has_covered(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = KeyFile(path), KeyFile(path)
    other.ensure(1, 1)
    syncs: list[str] = []
    sync = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (syncs.append("sync"), sync(fd)))
    # One fills, and dies before its sync: the other must sync before it uses such a slot.
    monkeypatch.setattr(one, "_sync", lambda: None)
    one.fill(AHEAD - 10, AHEAD)
    assert syncs == []
    assert other.ensure(2, 1) == 1
    assert syncs == []  # still among what it has synced itself
    assert other.ensure(AHEAD + 50, 1) == 1
    assert syncs == ["sync"]
    # One draws a slot anew, and dies before its sync.
    one.take(AHEAD + 60, OWNER)
    one.redraw(AHEAD + 50, only_taken=True)
    assert other.ensure(AHEAD + 51, 1) == 1
    assert syncs == ["sync", "sync"]
    assert other.ensure(AHEAD + 51, 1) == 1
    assert syncs == ["sync", "sync"]
    one.close()
    other.close()


def test_on_a_full_disk_the_last_slots_are_for_kills(
    key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file.ensure(1, 1)

    def full(first: int, count: int) -> None:
        raise OSError(28, "ENOSPC")

    monkeypatch.setattr(key_file, "fill", full)
    last = key_file.end - 1
    assert key_file.ensure(last - 200, 100) == 100
    assert key_file.ensure(last - 80, 100) == 81 - keys.RESERVED
    assert key_file.ensure(last - 80, 100, reserved=True) == 81
    assert key_file.ensure(last - keys.RESERVED, 1) == 1
    assert key_file.ensure(last - keys.RESERVED + 1, 1) == 0  # a single post takes none of them
    assert key_file.ensure(last - 10, 5, reserved=True) == 5
    assert key_file.ensure(last + 1, 1, reserved=True) == 0


@pytest.mark.parametrize(
    ("at", "words"),
    [(0, "damaged"), (36, "damaged"), (40, "damaged")],
)
def test_a_key_that_was_changed_is_noticed_and_named(path: Path, at: int, words: str) -> None:
    opened = KeyFile(path)
    opened.ensure(1, 2)
    opened.take(1, OWNER)
    flip(path, place(1) + at)
    with pytest.raises(Unreadable, match=words):
        opened.key(1, OWNER)
    assert opened.gone(1) is None  # a lost block is no kill
    opened.close()


def test_a_slot_in_another_ones_place_is_noticed(path: Path) -> None:
    opened = KeyFile(path)
    opened.ensure(1, 3)
    other = hash_of("b" * 16)
    opened.take(1, OWNER)
    opened.take(2, other)
    raw = path.read_bytes()
    one, two = (raw[place(n) : place(n) + slots.SLOT] for n in (1, 2))
    with path.open("r+b") as file:
        file.seek(place(1))
        file.write(two + one)
    for sequence, owner in ((1, OWNER), (1, other), (2, other)):
        with pytest.raises(Unreadable):
            opened.key(sequence, owner)
    opened.close()


def test_a_key_of_another_record_is_not_given_to_this_one(key_file: KeyFile) -> None:
    key_file.ensure(1, 2)
    key_file.take(1, OWNER)
    with pytest.raises(Unreadable, match="another record"):
        key_file.key(1, hash_of("b" * 16))


def test_a_key_whose_mark_a_power_cut_lost_is_still_that_of_its_record(path: Path) -> None:
    opened = KeyFile(path)
    opened.ensure(1, 1)
    fresh = path.read_bytes()  # as the disk has it: marks are not synced
    key = opened.take(1, OWNER)
    opened.close()
    path.write_bytes(fresh)
    again = KeyFile(path)
    assert again.key(1, OWNER) == key
    again.close()


def test_the_hole_that_a_jump_leaves_is_never_filled(path: Path) -> None:
    opened = KeyFile(path)
    opened.ensure(1, 1)
    opened.take(1, OWNER)
    dead = opened.take(2, OWNER)  # by an attempt that did not become a record
    opened.skip(2, 99_999)
    opened.fill(100_000, 1)
    for only_taken in (True, False):
        opened.redraw(1, only_taken=only_taken)
    raw = path.read_bytes()
    assert dead not in raw
    assert raw[place(2_000) : place(98_000)].count(0) == slots.SLOT * (
        slots.number_of(98_000) - slots.number_of(2_000)
    )
    assert opened.take(100_000, OWNER)
    opened.close()


@pytest.mark.parametrize("newest", [slots.PARTITION - 2, slots.PARTITION - 1, slots.PARTITION])
def test_lost_slots_at_a_partitions_edge_are_drawn_anew_and_no_others(
    path: Path, newest: int
) -> None:
    opened = KeyFile(path)
    opened.skip(1, newest - 10)
    opened.fill(newest - 9, 200)
    taken = {number: opened.take(number, OWNER) for number in range(newest - 9, newest + 1)}
    edge = slots.partition_slot(1, 0)
    first = max(edge, slots.number_of(newest + 1))
    with path.open("r+b") as file:  # a block was lost
        file.seek(slots.HEADER + slots.SLOT * first)
        file.write(bytes(slots.SLOT * 50))
    opened.redraw(newest, only_taken=True)
    assert all(opened.key(number, OWNER) == key for number, key in taken.items())
    for number in range(newest + 1, newest + 100):
        opened.take(number, OWNER)
    opened.close()


def test_of_many_jumps_the_newest_are_remembered(path: Path) -> None:
    opened = KeyFile(path)
    for number in range(key_header.RANGES_MAX + 3):
        opened.skip(10 * number, 10 * number + 5)
    opened.close()
    again = KeyFile(path)
    assert len(again.skipped) == key_header.RANGES_MAX
    assert again.skipped[-1] == (
        10 * (key_header.RANGES_MAX + 2),
        10 * (key_header.RANGES_MAX + 2) + 5,
    )
    again.close()


def test_how_far_the_journal_had_come_outlives_the_process(path: Path) -> None:
    opened = KeyFile(path)
    assert (opened.committed_to, opened.erased_to) == (0, 0)
    opened.note_committed(17)
    opened.note_erased(9)
    opened.close()
    again = KeyFile(path)
    assert (again.committed_to, again.erased_to) == (17, 9)
    flip(path, 64)
    assert (again.committed_to, again.erased_to) == (None, 9)  # known to be unknown
    again.close()


def test_a_process_that_comes_late_takes_nothing_back_of_what_another_noted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = KeyFile(path), KeyFile(path)
    other.note_committed(20)
    other.note_erased(19)
    one.note_committed(7)
    one.note_erased(6)
    assert (one.committed_to, one.erased_to) == (20, 19)
    noting = threading.Thread(target=other.note_committed, args=(40,))
    look = one.header.cell

    def looking(at: int) -> int | None:
        found = look(at)
        noting.start()
        noting.join(0.2)  # it must wait for the lock until this one has written
        return found

    monkeypatch.setattr(one.header, "cell", looking)
    one.note_committed(30)
    noting.join()
    monkeypatch.undo()
    assert one.committed_to == 40
    one.close()
    other.close()


@pytest.mark.parametrize("at", [0, 9, 20, 33, 300])
def test_a_header_that_was_changed_is_refused(path: Path, at: int) -> None:
    opened = KeyFile(path)
    opened.skip(2, 99_999)
    opened.close()
    flip(path, at)
    with pytest.raises(SetupError, match=r"put back|install"):
        KeyFile(path)


def test_a_missing_file_is_never_made_beside_records(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="missing"):
        KeyFile(tmp_path / keys.FILE)
    assert not (tmp_path / keys.FILE).exists()


def test_a_copy_ends_at_the_newest_record(key_file: KeyFile, tmp_path: Path) -> None:
    key_file.ensure(1, 3)
    kept, ahead = key_file.take(1, OWNER), key_file.take(2, OWNER)
    key_file.copy_to(tmp_path / "copy", newest=1)
    raw = (tmp_path / "copy").read_bytes()
    assert kept in raw
    assert ahead not in raw  # it would open what is posted after the copy
    copy = KeyFile(tmp_path / "copy")
    assert copy.keyring == key_file.keyring
    assert copy.key(1, OWNER) == kept
    copy.close()
