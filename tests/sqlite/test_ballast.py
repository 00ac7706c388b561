"""A full disk: what is kept back for kills, redacts and revocations, and who gets it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from support.records import edit, feed, item_of, kill, made, open_sqlite, post, revoke, token
from support.server import WITH_TESTS

from feedserver.errors import OutcomeUnknown, Unavailable
from feedserver.model import Verb
from feedserver.sqlite import ballast as ballasts
from feedserver.sqlite.ballast import SIZE, Ballast
from feedserver.sqlite.folder import LOCK

pytestmark = pytest.mark.anyio

PATIENCE = 20.0
MOUNT = ["unshare", "--map-root-user", "--mount", "--propagation", "private"]


def test_the_room_is_kept_given_up_and_kept_again(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / LOCK)
    for left in (0, 1, SIZE // 2):  # as a process that died amid its making leaves it
        (tmp_path / LOCK).write_bytes(bytes(left))
        assert not ballast.is_whole()
        assert ballast.make()
        assert ballast.is_whole()
        assert (tmp_path / LOCK).stat().st_blocks * 512 >= SIZE
    ballast.release()
    ballast.release()
    assert (tmp_path / LOCK).stat().st_blocks == 0


def test_the_room_is_not_taken_from_the_last_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ballast = Ballast(tmp_path / LOCK)
    monkeypatch.setattr(ballasts, "_free", lambda fd: SIZE - 1)
    assert not ballast.make()
    monkeypatch.undo()

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert not ballast.make()
    assert (tmp_path / LOCK).stat().st_size == 0
    monkeypatch.undo()
    assert ballast.make()
    ballast.release_to_open()
    assert ballast.is_whole()
    monkeypatch.setattr(ballasts, "_free", lambda fd: 4096)
    ballast.release_to_open()
    assert not ballast.is_whole()


async def test_on_a_full_disk_kills_and_revocations_are_done_and_news_takes_none_of_their_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_sqlite(tmp_path) as (journal, _):
        await made(journal, feed(), token())
        posted = await made(journal, *(post(f"News {n}") for n in range(4)))
        other, *items = map(item_of, posted)
        write, ballast = journal._database.write, journal._database.files.ballast
        writing: list[sqlite3.Connection] = []

        def limit(connection: sqlite3.Connection) -> None:
            writing.append(connection)
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

        def give_up(self: Ballast) -> None:
            release(self)
            writing[0].execute("PRAGMA max_page_count = 1000000")

        release = Ballast.release
        await write(limit)
        monkeypatch.setattr(Ballast, "release", give_up)
        too_much = [post(body="x" * 60_000) for _ in range(10)]
        with pytest.raises(Unavailable, match="no room on the disk") as refusal:
            await made(journal, *too_much)
        assert not isinstance(refusal.value, OutcomeUnknown)
        assert ballast.is_whole()  # no news made it go
        await made(journal, *(edit(one, Verb.KILL, note="x" * 9000) for one in items))
        await journal.append(revoke())
        assert not ballast.is_whole()
        assert await journal.purged(PATIENCE)
        monkeypatch.setattr(ballasts, "_free", lambda fd: 4096)
        with pytest.raises(Unavailable, match="no room on the disk"):
            await journal.append(post("Refused, though it would fit"))
        assert journal.trouble is not None
        await journal.append(kill(other))
        assert journal.trouble is not None  # it is no sign that news can be written
        monkeypatch.undo()
        await journal.append(post("Taken"))
        assert journal.trouble is None
        assert ballast.is_whole()


FULL = """
import asyncio, os, sys
from pathlib import Path
from feedserver.sqlite.ballast import Ballast
from feedserver.sqlite.folder import LOCK
from feedserver.errors import Unavailable
from support.records import *

folder = Path(sys.argv[1])

def pad(name):
    with open(folder.parent / name, "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass

async def refused(journal):
    try:
        await journal.append(post(body="x" * 5000))
    except Unavailable as fault:
        return "no room on the disk" in fault.detail
    return False

async def main():
    async with open_sqlite(folder) as (journal, _):
        await made(journal, feed(), token(), token("bob"))
        items = [item_of(await journal.append(post(f"News {n}"))) for n in range(20)]
        assert await journal.purged(20)
        pad("pad")
        while not await refused(journal):
            pass
        pad("more")
        for item in items:
            await journal.append(kill(item))
            assert await refused(journal)
        assert await journal.purged(20)
        await journal.append(revoke())
        os.unlink(folder.parent / "pad")
        assert not await refused(journal)
        assert Ballast(folder / LOCK).is_whole()
        pad("again")
    pad("most")
    async with open_sqlite(folder) as (journal, _):  # and it can be opened
        await journal.append(revoke("bob"))
    print("done")

asyncio.run(main())
"""


def test_on_a_small_disk_that_is_really_full_twenty_kills_and_two_revocations_are_done(
    tmp_path: Path,
) -> None:
    script = 'mount -t tmpfs -o size=12m none "$1" && shift && exec "$@"'
    mounted = [*MOUNT, "sh", "-c", script, "sh", str(tmp_path)]
    probe = subprocess.run([*mounted, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("this user may not mount a file system, not even in a namespace of its own")
    done = subprocess.run(
        [*mounted, sys.executable, "-c", FULL, str(tmp_path / "data")],
        env=os.environ | WITH_TESTS,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr
