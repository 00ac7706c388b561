"""A restore: the backup's state with all that was withdrawn since, at whatever step it dies."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from support import archive
from support.archive import Archive, hash_of, open_archive
from support.cut_short import cut_short
from support.forensics import opened, sealed_in
from support.records import NOON

from feedserver.errors import SetupError, Unavailable
from feedserver.model import Act, Item, Status, Verb
from feedserver.sqlite import (
    backup,
    checking,
    connecting,
    copying,
    findings,
    key_header,
    keys,
    keys_in_place,
    moving_in,
    opening,
    restoring,
    slots,
    staging,
)
from feedserver.sqlite.backup import back_up
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.folder import DATABASE, RESTORE
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.restoring import Restored, restore

pytestmark = pytest.mark.anyio
LATER = NOON + 86_400_000


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A newsroom, and a backup of it beside it."""
    data = tmp_path / "home" / "data"
    async with open_archive(data) as here:
        await archive.fill(here)
    back_up(data, data.parent / "backup", NOON)
    return data


@pytest.fixture
def saved(data: Path) -> Path:
    return data.parent / "backup"


def wrong(data: Path) -> list[str]:
    found: list[findings.Finding] = []
    checking.check(data, LATER * 2, found.append, lambda remark: None)
    return [one.detail for one in found]


def remarks(data: Path) -> list[str]:
    found: list[str] = []
    checking.check(data, LATER * 2, lambda one: None, found.append)
    return found


def meta(data: Path, name: str) -> str:
    with closing(copying.open_copy(data / DATABASE)) as connection:
        found = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(found[0])


def names(data: Path) -> list[str]:
    """List what is in the folder, but for SQLite's own, the search and the last backup's note."""
    others = ("search.db", f"{DATABASE}-", "last_backup.json")
    return sorted(name for name in os.listdir(data) if not name.startswith(others))


def go(data: Path, saved: Path, *, to_keys: bool = False) -> Restored:
    return restore(data, saved, to_keys=to_keys, now=LATER)


async def test_the_state_is_the_backups_under_a_new_epoch_far_above(
    data: Path, saved: Path
) -> None:
    before, epoch = hash_of(saved), meta(data, "epoch")
    async with open_archive(data) as here:
        await here.item(Verb.POST, headline="Lost again")
        await here.item(Verb.UPDATE, await first(here), body="Other")
    done = go(data, saved)
    assert hash_of(data) == before
    assert meta(data, "epoch") != epoch
    assert done.staged.following == 100_000
    assert wrong(data) == []
    async with open_archive(data) as here:
        item = await here.item(Verb.POST, headline="Goes on")
        assert item.id == 100_000
    assert wrong(data) == []
    assert names(data) == ["before-restore-20250518T120000Z", DATABASE, keys.FILE, "lock"]
    again = go(data, saved)
    assert again.staged.following == 200_000  # what was posted since is not named again


async def first(here: Archive) -> Any:
    page = await here.storage.mirror.page("world", 1)
    assert page is not None
    return page.items[0]


async def test_kills_redacts_and_revocations_are_done_again(data: Path, saved: Path) -> None:
    async with open_archive(data) as here:
        mirror = here.storage.mirror
        killed = await find(here, "Bus hit")
        at = here.now[0] + 1000
        await here.item(Verb.KILL, killed, note="Ivan Secret asked us")
        shown = await find(here, "News 1")
        changed = await here.item(Verb.UPDATE, shown, headline="Another text")
        await here.do(Verb.REDACT, changed, version=shown.words_at, note="a name")
        await here.room.revoke_token("ida")
        await here.add_token("ida", importer=True)
        pieces = sealed_in(data)
        await here.purged()
        revisions = await mirror.revisions("world", killed.id)
    done = go(data, saved)
    assert done.staged.redone.killed == sorted({killed.id, shown.id})
    assert done.staged.redone.revoked == ["ida"]
    assert done.staged.good_again == []
    assert wrong(data) == []
    async with open_archive(data) as here:
        tombstone = await here.storage.mirror.item("world", killed.id)
        assert tombstone is not None
        assert tombstone.status is Status.KILLED
        assert tombstone.note == "Знято до відновлення цієї копії"  # the feed speaks Ukrainian
        assert tombstone.killed_at == at
        log = await here.storage.mirror.revisions("world", killed.id)
        assert (log[-1].act, log[-1].editor, log[-1].at) == (Verb.KILL, None, at)
        assert not (await here.storage.mirror.tokens())[1].may_edit("world")
        gone = {one.version for one in revisions if one.act is not Verb.KILL}
        assert opened(data, [*pieces, *sealed_in(saved)]).keys() & gone == set()


async def find(here: Archive, headline: str) -> Any:
    page = await here.storage.mirror.page("world", 100)
    assert page is not None
    return next(item for item in page.items if item.headline == headline)


async def test_an_item_whose_shown_words_were_redacted_since_shows_an_earlier_text_and_is_held(
    data: Path, saved: Path, tmp_path: Path
) -> None:
    async with open_archive(data) as here:
        item = await here.item(Verb.POST, headline="The first text", tags=["one"])
        item = await here.item(Verb.UPDATE, item, headline="Ivan Secret did it", tags=["two"])
        pinned = await here.item(Verb.PIN, item)
        back_up(data, tmp_path / "later", NOON)
        now = await here.item(Verb.UPDATE, pinned, headline="A man did it")
        outcome = await here.do(Verb.REDACT, now, version=item.version, note="a name")
        assert outcome.redacted == (item.version,)
        await here.purged()
    done = go(data, tmp_path / "later")
    assert done.staged.redone.redacted == [item.id]
    assert wrong(data) == []
    async with open_archive(data) as here:
        found = await here.storage.mirror.item("world", item.id)
        assert found is not None
        assert (found.headline, found.tags, found.pinned) == ("The first text", ("one",), True)
        assert found.status is Status.HELD
        log = await here.storage.mirror.revisions("world", item.id)
        assert [one.act for one in log[-2:]] == [Verb.REDACT, Verb.HOLD]
        assert log[1].erased_at is not None
    [told] = [one for one in remarks(data) if "since a restore" in one]
    assert f"item {item.id} of world" in told
    async with open_archive(data) as here:
        found = await here.storage.mirror.item("world", item.id)
        assert found is not None
        found = await here.item(Verb.UPDATE, found, headline="Written anew")
        await here.item(Verb.RELEASE, found)
    assert remarks(data) == []


async def test_key_points_redacted_since_are_not_shown_again(data: Path, tmp_path: Path) -> None:
    async with open_archive(data) as here:
        feed = await here.feed(summary="Ivan Secret", title="The world")
        back_up(data, tmp_path / "later", NOON)
        await here.feed(summary="A man")
        feed_now = await here.storage.mirror.feed("world")
        assert feed_now is not None
        await here.room.redact_feed(
            "world",
            {"verb": "redact", "version": feed.version, "note": "a name"},
            here.tokens["anna"],
            ((feed_now.version, feed_now.version_check),),
        )
        await here.purged()
    done = go(data, tmp_path / "later")
    assert done.staged.redone.feeds == ["world"]
    assert wrong(data) == []
    async with open_archive(data) as here:
        found = await here.storage.mirror.feed("world")
        assert found is not None
        assert (found.title, found.summary) == ("World", "- Two\n- Three")
        revisions = await here.storage.mirror.feed_revisions("world")
        assert [one.act for one in revisions[-2:]] == [Act.FEED, Verb.REDACT]


async def test_a_withdrawn_note_that_was_redacted_since_is_not_shown_again(
    data: Path, tmp_path: Path
) -> None:
    async with open_archive(data) as here:
        item = await here.item(Verb.POST, headline="One")
        killed = await here.item(Verb.KILL, item, note="Ivan Secret asked us")
        back_up(data, tmp_path / "later", NOON)
        await here.do(Verb.REDACT, killed, version=killed.version, note="Withdrawn")
        await here.purged()
    assert go(data, tmp_path / "later").staged.redone.redacted == [item.id]
    assert wrong(data) == []
    async with open_archive(data) as here:
        found = await here.storage.mirror.item("world", item.id)
        assert found is not None
        assert (found.status, found.killed_at) == (Status.KILLED, killed.killed_at)
        assert found.note == "Знято до відновлення цієї копії"


async def test_an_old_copy_of_the_data_beside_the_present_keys_forgets_before_the_first_answer(
    data: Path, saved: Path
) -> None:
    async with open_archive(data) as here:
        killed = await find(here, "Bus hit")
        await here.item(Verb.KILL, killed, note="Withdrawn")
        await here.purged()
        newest = await here.storage.journal.head()
    shutil.copy(saved / DATABASE, data / DATABASE)
    for log in ("-wal", "-shm"):
        (data / f"{DATABASE}{log}").unlink(missing_ok=True)
    epoch = meta(data, "epoch")
    async with open_archive(data) as here:
        page = await here.storage.mirror.page("world", 100)
        assert page is not None
        found = next(item for item in page.items if item.id == killed.id)
        assert found.status is Status.KILLED
        assert here.storage.journal.identity.epoch == meta(data, "epoch") != epoch
        assert found.version == 100_000 > newest
    assert wrong(data) == []


def open_once(home: Path) -> None:
    async def opened() -> None:
        async with open_archive(home / "data"):
            pass

    asyncio.run(opened())


def look_at_killed(home: Path) -> Any:
    async def looked() -> list[Any]:
        async with open_archive(home / "data") as here:
            page = await here.storage.mirror.page("world", 100)
            assert page is not None
            killed = [item for item in page.items if item.status is Status.KILLED]
            return [len(page.items), sorted(item.version for item in killed)]

    return [*asyncio.run(looked()), wrong(home / "data")]


async def test_killed_while_it_brings_old_data_up_to_date_the_next_start_does_it(
    data: Path, saved: Path, tmp_path: Path
) -> None:
    async with open_archive(data) as here:
        for name in ("News 1", "News 3", "Bus hit"):
            await here.item(Verb.KILL, await find(here, name), note="Withdrawn")
        await here.purged()
    shutil.copy(saved / DATABASE, data / DATABASE)
    cuts = cut_short(
        data.parent,
        tmp_path / "cuts",
        "sqlite.test_restoring:open_once",
        "sqlite.test_restoring:look_at_killed",
    )
    assert len(cuts.steps) > 5, cuts.steps
    for cut in cuts.tried:
        count, killed, found = cut.found
        assert (count, found) == (16, []), cut.step
        assert len(killed) == 4
        assert all(version >= 100_000 for version in killed[1:])


async def test_old_data_and_the_newest_keys_make_a_backup_that_has_forgotten(
    data: Path, saved: Path, tmp_path: Path
) -> None:
    async with open_archive(data) as here:
        killed = await find(here, "Bus hit")
        await here.item(Verb.KILL, killed, note="Withdrawn")
        await here.purged()
    back_up(data, tmp_path / "newest", NOON)
    shutil.copy(tmp_path / "newest" / keys.FILE, saved / keys.FILE)
    there = tmp_path / "there"
    assert go(there, saved).staged.redone.killed == [killed.id]
    assert wrong(there) == []
    assert opened(there, sealed_in(saved)).keys() & {killed.id} == set()


async def test_a_restore_into_a_missing_folder_makes_the_newsroom(
    saved: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there" / "data"
    done = go(there, saved)
    assert hash_of(there) == hash_of(saved)
    assert done.before is None
    assert done.staged.good_again == ["anna", "ida"]
    assert wrong(there) == []
    assert names(there) == [DATABASE, keys.FILE, "lock"]
    assert meta(there, "epoch") != meta(saved, "epoch")


async def test_the_former_state_is_set_aside_and_can_be_restored(data: Path, saved: Path) -> None:
    async with open_archive(data) as here:
        await here.item(Verb.POST, headline="Lost again")
        news = await here.item(Verb.POST, headline="Grivna")
    former = hash_of(data)
    done = go(data, saved)
    assert done.before is not None
    assert hash_of(done.before) == former
    pieces = sealed_in(done.before)
    assert news.version in opened(data, pieces)
    restore(data, done.before, now=LATER + 1000)
    assert hash_of(data) == former
    assert wrong(data) == []
    async with open_archive(data) as here:  # a kill reaches the keys that were set aside
        item = await find(here, "Grivna")
        await here.item(Verb.KILL, item, note="Withdrawn")
        await here.purged()
    assert news.version not in opened(data, pieces)


async def test_another_newsrooms_backup_takes_the_place_of_this_one(
    data: Path, tmp_path: Path
) -> None:
    async with open_archive(tmp_path / "other") as there:
        await there.item(Verb.POST, headline="Elsewhere")
    back_up(tmp_path / "other", tmp_path / "other backup", NOON)
    go(data, tmp_path / "other backup")
    assert hash_of(data) == hash_of(tmp_path / "other")
    assert wrong(data) == []
    async with open_archive(data) as here:
        await here.item(Verb.POST, headline="Goes on")


@pytest.mark.parametrize("how", ["garbage", "empty", "no data", "no keys", "other keys", "page"])
async def test_what_is_there_may_be_damaged(
    data: Path, saved: Path, tmp_path: Path, how: str
) -> None:
    async with open_archive(data) as here:
        killed = await find(here, "Bus hit")
        await here.item(Verb.KILL, killed, note="Withdrawn")
        await here.purged()
    path = data / DATABASE
    if how == "garbage":
        path.write_bytes(b"no database at all " * 500)
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "no data":
        path.unlink()
        (data / f"{DATABASE}-wal").write_bytes(b"a log of something else" * 100)
    elif how == "no keys":
        (data / keys.FILE).unlink()
    elif how == "other keys":
        archive_keys = tmp_path / "foreign"
        async with open_archive(archive_keys):
            pass
        shutil.copy(archive_keys / keys.FILE, data / keys.FILE)
    else:
        with path.open("r+b") as file:
            file.seek(4096 * 3)
            file.write(b"\xff" * 4096 * 5)
    done = go(data, saved)
    assert done.before is not None
    assert wrong(data) == []
    async with open_archive(data) as here:
        found = await here.storage.mirror.item("world", killed.id)
        assert found is not None
        if "keys" not in how:  # the keys know what was withdrawn, whatever became of the data
            assert found.status is Status.KILLED
        await here.item(Verb.POST, headline="Goes on")
    assert not (data / RESTORE).exists()


def cut_keys(folder: Path, last: int) -> None:
    path = folder / keys.FILE
    path.write_bytes(path.read_bytes()[: slots.HEADER + slots.SLOT * (slots.number_of(last) + 1)])


async def test_keys_older_than_the_data_are_refused_with_the_numbers(
    data: Path, saved: Path
) -> None:
    before = hash_of(data)
    cut_keys(saved, 30)
    with pytest.raises(
        SetupError, match=r"up to record 30, and the newest record is 42.*--to-keys"
    ):
        go(data, saved)
    assert hash_of(data) == before
    assert not (data / RESTORE).exists()


async def test_older_keys_end_the_journal_where_that_is_wanted(data: Path, saved: Path) -> None:
    cut_keys(saved, 20)
    done = go(data, saved, to_keys=True)
    assert [one["sequence"] for one in done.staged.lost] == list(range(21, 43))
    assert {"act", "feed", "item", "editor", "at"} <= done.staged.lost[0].keys()
    assert wrong(data) == []
    async with open_archive(data) as here:
        assert done.staged.redone.revoked == ["bob"]
        assert (await here.storage.journal.head()) == 100_000  # that revocation, and no lost record
        page = await here.storage.mirror.page("world", 100)
        assert page is not None
        assert max(item.version for item in page.items) <= 20
        await here.item(Verb.POST, headline="Goes on", key="n3")  # its key was used by a lost post


async def test_keys_ahead_that_were_drawn_anew_are_no_keys_of_those_records(
    data: Path, saved: Path, tmp_path: Path
) -> None:
    """A copy of the keys from before, with slots ahead: the records came later, under others."""
    early = tmp_path / "early"
    async with open_archive(early) as here:
        await here.item(Verb.POST, headline="Before")
        head = await here.storage.journal.head()
    copy = (early / keys.FILE).read_bytes()
    async with open_archive(early) as here:  # draws what is ahead anew
        for number in range(5):
            await here.item(Verb.POST, headline=f"After {number}")
    back_up(early, tmp_path / "early backup", NOON)
    (tmp_path / "early backup" / keys.FILE).write_bytes(copy)
    with pytest.raises(
        SetupError, match=f"up to record {head}, and the newest record is {head + 5}"
    ):
        go(data, tmp_path / "early backup")
    done = go(data, tmp_path / "early backup", to_keys=True)
    assert len(done.staged.lost) == 5


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda saved: (saved / keys.FILE).unlink(), "feed.keys is missing"),
        (lambda saved: (saved / DATABASE).unlink(), "there is no backup in"),
        (
            lambda saved: (saved / DATABASE).write_bytes(b"x" * 5000),
            "not a feedserver|cannot be read",
        ),
        (lambda saved: (saved / keys.FILE).write_bytes(b"x" * 5000), "not a feedserver's keys"),
        (lambda saved: other_keys(saved), "belongs to another journal"),
        (lambda saved: flip(saved / DATABASE, 4096 * 5), "damaged"),
    ],
    ids=["no keys", "no data", "no database", "no key file", "other keys", "damaged"],
)
async def test_a_bad_backup_is_refused_before_anything_changes(
    data: Path, saved: Path, spoil: Callable[[Path], None], words: str
) -> None:
    before = hash_of(data)
    spoil(saved)
    with pytest.raises(SetupError, match=words):
        go(data, saved)
    assert hash_of(data) == before
    assert not (data / RESTORE).exists()
    assert not [name for name in names(data) if name.startswith("before")]


def other_keys(saved: Path) -> None:
    (saved / keys.FILE).unlink()
    key_header.create(saved / keys.FILE, b"k" * 16)


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff" * 2048)


async def test_while_it_stands_unfinished_nothing_is_opened_and_nothing_written(
    data: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_archive(data) as here:  # a server that runs already
        real = restoring._replace
        monkeypatch.setattr(restoring, "_replace", dies)
        with pytest.raises(KeyboardInterrupt):
            go(data, saved)
        words = f"feedserver restore {saved} --data {data}"
        with pytest.raises(Unavailable, match=words):
            await here.item(Verb.POST, headline="Refused")
        assert (await find(here, "Bus hit")).headline == "Bus hit"  # readers are served
        with pytest.raises(SetupError, match=words):
            opening.prepare(data)
        with pytest.raises(SetupError, match=words):
            go(data, data.parent / "elsewhere")
        monkeypatch.setattr(restoring, "_replace", real)
        shutil.rmtree(saved)  # by now it stands on its own
        go(data, saved)
        epoch = here.storage.journal.identity.epoch
        await turns(lambda: here.storage.journal.identity.epoch != epoch)
        item = await here.item(Verb.POST, headline="Taken")
        assert item.id == 100_000


def dies(*given: object) -> None:
    raise KeyboardInterrupt


async def turns(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not happened():
            await asyncio.sleep(0.01)


async def test_a_running_newsroom_answers_with_the_restored_state(data: Path, saved: Path) -> None:
    async with open_archive(data) as here:
        epoch = here.storage.journal.identity.epoch
        await here.item(Verb.POST, headline="Lost again")
        killed = await here.item(Verb.KILL, await find(here, "Bus hit"), note="Withdrawn")
        go(data, saved)
        await turns(lambda: here.storage.journal.identity.epoch != epoch)
        page = await here.storage.mirror.page("world", 100)
        assert page is not None
        headlines = [item.headline for item in page.items]
        assert "Lost again" not in headlines
        assert "News 1" in headlines
        found = await here.storage.mirror.item("world", killed.id)
        assert found is not None
        assert found.status is Status.KILLED
        assert await searched(here, "lost") == []
        assert len(await searched(here, "news")) == 13
        item = await here.item(Verb.POST, headline="Goes on")
        assert item.id > 100_000
        assert await here.storage.mirror.item("world", item.id) == item
        assert await searched(here, "goes") == [item]
        await here.item(Verb.KILL, item, note="Withdrawn")
        await here.purged()
    assert wrong(data) == []


async def test_after_another_newsroom_was_restored_a_kill_reaches_what_is_set_aside_of_that_one(
    data: Path, tmp_path: Path
) -> None:
    async with open_archive(tmp_path / "other") as there:
        await there.item(Verb.POST, headline="Elsewhere")
    back_up(tmp_path / "other", tmp_path / "other backup", NOON)
    async with open_archive(data) as here:  # all the while
        epoch = here.storage.journal.identity.epoch
        go(data, tmp_path / "other backup")
        await turns(lambda: here.storage.journal.identity.epoch != epoch)
        here.tokens = {token.name: token for token in await here.storage.mirror.tokens()}
        item = await here.item(Verb.POST, headline="Ivan Secret")
        pieces = [piece for piece in sealed_in(data) if piece.sequence == item.version]
        epoch = here.storage.journal.identity.epoch
        back_up(data, tmp_path / "later", NOON)
        go(data, tmp_path / "later")
        await turns(lambda: here.storage.journal.identity.epoch != epoch)
        assert opened(data, pieces).keys() == {item.version}
        await here.item(Verb.KILL, item, note="Withdrawn")
        await here.purged()
        assert opened(data, pieces) == {}


async def test_a_kill_reaches_keys_that_were_set_aside_with_a_damaged_header(
    data: Path, saved: Path
) -> None:
    pieces = sealed_in(data)
    with (data / keys.FILE).open("r+b") as file:
        file.seek(20)
        file.write(b"?")
    done = go(data, saved)
    assert done.before is not None
    with pytest.raises(SetupError, match="damaged"):
        KeyFile(done.before / keys.FILE)
    async with open_archive(data) as here:
        item = await find(here, "News 1")
        assert item.version in opened(data, pieces)
        await here.item(Verb.KILL, item, note="Withdrawn")
        await here.purged()
    assert item.version not in opened(data, pieces)


async def test_what_a_migration_that_was_cut_short_had_written_goes_with_the_data_it_was_of(
    data: Path, saved: Path
) -> None:
    for name in (moving_in.WRITING, moving_in.WRITING_KEYS):
        (data / name).write_bytes(b"words and keys")
    go(data, saved)
    assert names(data) == ["before-restore-20250518T120000Z", DATABASE, keys.FILE, "lock"]


async def test_a_copy_of_the_keys_that_cannot_be_opened_leaves_a_purge_unfinished(
    data: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(data, saved)
    aside = data / names(data)[0] / keys.FILE
    async with open_archive(data) as here:
        item = await find(here, "News 1")
        real = os.open

        def refused(path: Any, *given: Any, **more: Any) -> int:
            if Path(path) == aside:
                raise PermissionError(13, "Permission denied")
            return real(path, *given, **more)

        with monkeypatch.context() as patched:
            patched.setattr(os, "open", refused)
            killed = await here.item(Verb.KILL, item, note="Withdrawn")
            assert not await here.storage.journal.purged(0.5)
            [left] = await here.storage.mirror.purges()
            assert left.version == killed.version
        await here.purged()
        key_file = KeyFile(aside)
        assert key_file.gone(item.version) is not None
        key_file.close()


async def test_while_a_restore_stands_unfinished_no_key_is_destroyed_in_its_files(
    data: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_archive(data) as here:
        monkeypatch.setattr(restoring, "_write_into", dies)  # the keys are in place, the data not
        with pytest.raises(KeyboardInterrupt):
            go(data, saved)
        monkeypatch.undo()
        before = (data / keys.FILE).read_bytes()
        committed = here.storage.database.keys.committed_to or 0
        here.storage.database.keys.begin_at(committed, 0)
        with pytest.raises(Unavailable, match="feedserver restore"):
            await here.storage.database.write(here.storage.journal.eraser._destroy)
        # Not the first two slots: the search, which goes on, takes a key of its own there.
        records = slice(slots.HEADER + 2 * slots.SLOT, None)
        assert (data / keys.FILE).read_bytes()[records] == before[records]


async def test_what_was_wrong_with_the_replaced_data_is_said_of_the_restored_no_more(
    data: Path, saved: Path
) -> None:
    async with open_archive(data) as here:
        item = await find(here, "News 1")
        with closing(connect(data / DATABASE, read_only=False)) as connection:
            flip = "UPDATE records SET sealed = CAST(sealed || 'x' AS BLOB) WHERE sequence = ?"
            connection.execute(flip, (item.words_at,))
        with pytest.raises(Unavailable):
            await here.storage.mirror.item("world", item.id)
        assert here.storage.mirror.unreadable == 1
        here.storage.database.damage = "a broken page"
        epoch = here.storage.journal.identity.epoch
        go(data, saved)
        await turns(lambda: here.storage.journal.identity.epoch != epoch)
        assert here.storage.mirror.unreadable == 0
        assert here.storage.journal.damage is None
        assert await here.storage.mirror.item("world", item.id) == item


async def test_a_writer_that_does_not_come_to_its_end_stops_a_restore_before_anything_changes(
    data: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "BUSY_SECONDS", 0.05)
    with closing(connect(data / DATABASE, read_only=False)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(SetupError, match="has been writing"):
            go(data, saved)
        connection.execute("INSERT INTO meta VALUES ('written', 'late')")
        connection.execute("COMMIT")
    assert not (data / RESTORE).exists()
    assert meta(data, "written") == "late"
    go(data, saved)


async def test_keys_that_no_longer_say_how_far_the_journal_had_come_make_old_data_forget_too(
    data: Path, saved: Path
) -> None:
    async with open_archive(data) as here:
        killed = await find(here, "Bus hit")
        await here.item(Verb.KILL, killed, note="Withdrawn")
        await here.purged()
    shutil.copy(saved / DATABASE, data / DATABASE)
    for log in ("-wal", "-shm"):
        (data / f"{DATABASE}{log}").unlink(missing_ok=True)
    with (data / keys.FILE).open("r+b") as file:
        file.seek(64)
        file.write(b"?" * 16)
    epoch = meta(data, "epoch")
    async with open_archive(data) as here:
        page = await here.storage.mirror.page("world", 100)
        assert page is not None
        found = next(item for item in page.items if item.id == killed.id)
        assert found.status is Status.KILLED
        assert here.storage.journal.identity.epoch == meta(data, "epoch") != epoch
        assert (await here.item(Verb.POST, headline="Goes on")).id > 100_000
    assert wrong(data) == []
    epoch = meta(data, "epoch")
    async with open_archive(data):  # it is known again
        assert meta(data, "epoch") == epoch


async def searched(here: Archive, words: str) -> list[Item]:
    """Search as often as the index is not level yet."""
    async with asyncio.timeout(20):
        while True:
            try:
                page = await here.storage.mirror.page("world", 100, words=words)
            except Unavailable:
                await asyncio.sleep(0.05)
                continue
            assert page is not None
            return list(page.items)


async def test_a_restore_that_fails_before_it_has_replaced_anything_leaves_all_as_it_was(
    data: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, left = hash_of(data), set(names(data))

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(staging, "_change", full)
    with pytest.raises(SetupError, match="No space left on device"):
        go(data, saved)
    assert hash_of(data) == before
    assert set(names(data)) == left
    async with open_archive(data) as here:
        await here.item(Verb.POST, headline="Goes on")


@pytest.mark.parametrize("at", ["_look_through", "_put", "_write_about"])
async def test_one_that_fails_while_it_copies_leaves_no_keys_beside_those_that_kills_destroy(
    data: Path, saved: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    left = set(names(data))

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(backup, at, full)
        with pytest.raises(SetupError, match="No space left on device"):
            go(data, saved)
    assert set(names(data)) == left


async def test_what_an_earlier_one_copied_and_did_not_need_is_removed_by_the_next(
    data: Path, saved: Path, tmp_path: Path
) -> None:
    aside = data / "before-restore-20250518T110000Z"
    aside.mkdir()
    (aside / f"{keys.FILE}.new.part").write_bytes((data / keys.FILE).read_bytes())
    state = restoring.State(str(tmp_path / "gone"), restoring.COPY, 1, False, aside.name)
    (data / RESTORE).write_bytes(restoring._dumped(state))
    assert go(data, saved).source == saved
    assert not aside.exists()


async def test_one_that_was_cut_short_early_gives_way_to_another_and_ends_with_its_backup(
    data: Path, saved: Path, tmp_path: Path
) -> None:
    state = restoring.State(str(tmp_path / "gone"), restoring.PREPARE, 1, False, None)
    (data / RESTORE).write_bytes(restoring._dumped(state))
    with pytest.raises(SetupError, match="there is no backup in"):
        restoring.look_at(data, tmp_path / "gone", to_keys=False)
    assert not (data / RESTORE).exists()
    (data / RESTORE).write_bytes(restoring._dumped(state))
    assert go(data, saved).source == saved
    assert wrong(data) == []


async def test_two_restores_exclude_each_other(data: Path, saved: Path) -> None:
    words = f"another process restores a backup in {data}"
    with copying.alone(data, "restores"), pytest.raises(SetupError, match=words):
        go(data, saved)


async def test_too_little_room_is_said_before_anything_changes(
    data: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs

    def nearly_full(path: Any) -> Any:
        return type("Found", (), {"f_bavail": 3, "f_frsize": real(path).f_frsize})

    monkeypatch.setattr(os, "statvfs", nearly_full)
    with pytest.raises(SetupError, match=r"too little room.*0 MiB are free"):
        go(data, saved)
    assert not (data / RESTORE).exists()


async def test_keys_of_news_that_was_replaced_are_drawn_anew(data: Path, saved: Path) -> None:
    async with open_archive(data) as here:
        item = await here.item(Verb.POST, headline="Lost again")
    pieces = [piece for piece in sealed_in(data) if piece.sequence == item.version]
    done = go(data, saved)
    assert done.before is not None
    shutil.rmtree(done.before)
    assert opened(data, pieces) == {}


def work(home: Path) -> None:
    restore(home / "data", home / "backup", now=LATER)


def look(home: Path) -> Any:
    data = home / "data"
    return [hash_of(data), names(data), wrong(data), meta(data, "next")]


async def test_killed_between_any_two_steps_another_run_finishes_it(
    data: Path, saved: Path, tmp_path: Path
) -> None:
    async with open_archive(data) as here:
        await here.item(Verb.POST, headline="Lost again")
        await here.item(Verb.KILL, await find(here, "Bus hit"), note="Withdrawn")
        await here.room.revoke_token("ida")
        await here.purged()
    cuts = cut_short(
        data.parent,
        tmp_path / "cuts",
        "sqlite.test_restoring:work",
        "sqlite.test_restoring:look",
    )
    assert len(cuts.steps) > 30, cuts.steps
    over = max(n for n, step in enumerate(cuts.steps) if f"/{RESTORE}" in step)
    assert "unlink" in cuts.steps[over]
    left = ["before-restore-20250518T120000Z", DATABASE, keys.FILE, "lock"]
    for cut in cuts.tried:
        if cut.number > over:  # another run is another restore
            continue
        state, *rest = cut.found
        # The kill's record has another random id each time that it is made.
        assert rest == [left, [], "100000"], cut.step
        assert len(state) == 64


async def test_keys_are_written_in_place_only_where_they_differ(
    data: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inodes = [(data / name).stat().st_ino for name in (DATABASE, keys.FILE)]
    written: list[int] = []
    real = os.pwrite

    def counted(fd: int, what: bytes, at: int) -> int:
        written.append(at)
        return real(fd, what, at)

    staging_of = staging.stage
    monkeypatch.setattr(staging, "stage", lambda *given: (staging_of(*given), written.clear())[0])
    monkeypatch.setattr(keys_in_place.os, "pwrite", counted)
    go(data, saved)
    assert [(data / name).stat().st_ino for name in (DATABASE, keys.FILE)] == inodes
    shared = range(slots.HEADER + slots.SLOT * 3, slots.HEADER + slots.SLOT * slots.number_of(42))
    assert not [at for at in written if at in shared]
    key_file = KeyFile(data / keys.FILE, read_only=True)
    assert (43, 99_999) in key_file.skipped
    key_file.close()


def test_what_restore_json_says_is_read_back() -> None:
    state = restoring.State("/b", restoring.COPY, 1, to_keys=False, before="before-restore-x")
    raw = orjson.loads(restoring._dumped(state))
    assert raw.pop("newsfeed_restore") == 1
    assert restoring.State(**raw) == state


async def test_a_restore_that_died_before_it_was_said_begins_anew(data: Path, saved: Path) -> None:
    (data / RESTORE).touch()
    assert go(data, saved).staged.following == 100_000
