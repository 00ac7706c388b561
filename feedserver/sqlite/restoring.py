"""Restore a backup: first copy what is here, then replace content, not names.

`restore.json` is made before the first byte changes, and is there until all is done; while it
stands nothing is served or written but by those who run already, and they only read. Each step can
be done again, so the same command finishes a restore that was cut short:

1. `copy`: what is here is copied to `before-restore-…/`.
2. `prepare`: the files to be put in place are made beside the present ones.
3. `replace`: they are written into the present files, the keys first; running servers then find
   another epoch.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from feedserver.errors import SetupError
from feedserver.model import Millis
from feedserver.sqlite import backup, copying, keys, keys_in_place, moving_in, staging
from feedserver.sqlite.connecting import BUSY_SECONDS, code_of, connect, connect_patiently
from feedserver.sqlite.copying import Progress, quiet
from feedserver.sqlite.folder import (
    BEFORE,
    DATABASE,
    OURS,
    RESTORE,
    occupied,
    unfinished_restore,
)
from feedserver.sqlite.staging import Source, Staged
from feedserver.wire import time_text

COPY, PREPARE, REPLACE = "copy", "prepare", "replace"
BUSY = "restores a backup in"
ROOM = 3  # times the size of the backup, free on the disk beside a copy of what is here
SESSIONS = "sessions.db"
_LOG, _INDEX = f"{DATABASE}-wal", f"{DATABASE}-shm"


@dataclass(frozen=True, slots=True)
class State:
    """What `restore.json` says. `before` is None where there was nothing to copy."""

    source: str
    step: str
    at: Millis
    to_keys: bool
    before: str | None
    staged: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored. `before` is where the former state is."""

    staged: Staged
    source: Path
    before: Path | None


def unfinished(data: Path) -> State | None:
    """Return how far a restore has come that was cut short; None: nothing was changed yet."""
    try:
        raw = orjson.loads((data / RESTORE).read_bytes())
        del raw["newsfeed_restore"]
        return State(**raw)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None  # it is made before anything is changed, and from then on replaced whole


def look_at(data: Path, source: Path, *, to_keys: bool) -> Source | None:
    """Look at a backup before anything is changed; None: a restore of it is to be finished.

    Raises SetupError. Where a restore was cut short before it had replaced anything, and its backup
    is not there or not good any more, that restore is ended.
    """
    if unfinished(data) is None:
        return _look_at(data, source, to_keys)
    with copying.alone(data, BUSY):
        try:
            return _look_at(data, source, to_keys)
        except SetupError:
            _withdraw(data)
            raise


def restore(
    data: Path,
    source: Path,
    *,
    to_keys: bool = False,
    now: Millis,
    progress: Progress = quiet,
    looked_at: Source | None = None,
) -> Restored:
    """Restore the backup in `source`, or finish that. Raises SetupError.

    `looked_at` is what `look_at` found there, where the caller has asked it before.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with occupied(data), copying.alone(data, BUSY):
            found = looked_at or _look_at(data, source, to_keys)
            state = unfinished(data)
            if state is None or state.source != str(source.resolve()):
                _withdraw(data)
                state = _begin(data, source, to_keys, now)
            try:
                return _finish(data, state, found, progress)
            except BaseException:
                _withdraw(data)
                raise
    except OSError as fault:
        raise SetupError(f"cannot restore in {data}: {fault.strerror or fault}") from None
    except sqlite3.Error as fault:
        raise SetupError(f"cannot restore in {data}: {fault}") from None


def _look_at(data: Path, source: Path, to_keys: bool) -> Source | None:
    if data.is_file():
        raise SetupError(f"{data} is a file; --data takes the folder that holds {DATABASE}")
    state = unfinished(data)
    if state is not None and state.step == REPLACE:
        if state.source != str(source.resolve()):
            raise SetupError(str(unfinished_restore(data)))
        return None
    if source.resolve() == data.resolve():
        raise SetupError(f"{source} is the data folder itself; name a backup")
    return staging.look_at(source, to_keys=to_keys)


def _begin(data: Path, source: Path, to_keys: bool, now: Millis) -> State:
    """Check the room, and say durably that a restore has begun."""
    _check_room(data, source)
    is_there = any((data / ours).exists() for ours in OURS)
    before = _new_name(data, now) if is_there else None
    state = State(str(source.resolve()), COPY, now, to_keys, before)
    (data / RESTORE).unlink(missing_ok=True)  # of an attempt that had replaced nothing
    fd = os.open(data / RESTORE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(_dumped(state))
        file.flush()
        os.fsync(fd)
    copying.sync_folder(data)
    return state


def _new_name(data: Path, now: Millis) -> str:
    """Return the name of a folder that is not there yet, for what is here now."""
    name = f"{BEFORE}{time_text(now).replace('-', '').replace(':', '')[:15]}Z"
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(one for one in names if not (data / one).exists())


def _finish(data: Path, state: State, source: Source | None, progress: Progress) -> Restored:
    before = data / state.before if state.before else None
    if state.step == COPY:
        _wait_for_writers(data)
        if before is not None:
            _copy(data, before, state.at, progress)
        state = _go_on(data, replace(state, step=PREPARE))
    if state.step == PREPARE:
        assert source is not None
        staged = staging.stage(source, data, before, progress)
        state = _go_on(data, replace(state, step=REPLACE, staged=staged.to_json()))
    assert state.staged is not None
    _replace(data, progress)
    (data / RESTORE).unlink()
    copying.sync_folder(data)
    return Restored(Staged.from_json(state.staged), Path(state.source), before)


def _withdraw(data: Path) -> None:
    """End a restore that failed before anything was replaced, as if it had never begun."""
    state = unfinished(data)
    if state is None or state.step == REPLACE:
        return
    staging.remove(data)
    if state.before is not None:
        _remove_copy(data / state.before)
    (data / RESTORE).unlink()
    copying.sync_folder(data)


def _remove_copy(before: Path) -> None:
    """Remove a copy that nobody needs, whole or not: no kill would look for keys in it."""
    if before.is_dir():
        for path in before.iterdir():
            copying.overwrite(path)
        before.rmdir()


def _wait_for_writers(data: Path) -> None:
    """Let a transaction that began before `restore.json` was there come to its end."""
    if not (data / DATABASE).exists():
        return
    try:
        with closing(connect_patiently(data / DATABASE)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as fault:
        if code_of(fault) == sqlite3.SQLITE_BUSY:
            raise SetupError(
                f"another process has been writing in {data} for {BUSY_SECONDS:.0f} s: end it, "
                "then restore again"
            ) from None
        # Into what cannot be read nobody writes.


def _copy(data: Path, before: Path, now: Millis, progress: Progress) -> None:
    """Make a backup of what is here; where that cannot be read, copy the files as they are."""
    if (before / backup.ABOUT).exists():
        return
    before.mkdir(mode=0o700, exist_ok=True)
    try:
        backup.copy_newsroom(data, before, now, progress)
    except (SetupError, sqlite3.Error, FileNotFoundError):
        for path in before.iterdir():
            copying.overwrite(path)
        for name in OURS:
            if (data / name).exists() and name != _INDEX:
                shutil.copyfile(data / name, before / name)
                (before / name).chmod(0o600)
                copying.sync_file(before / name)
        about = {"newsfeed_backup": backup.FORMAT, "at": time_text(now), "as_it_was": True}
        copying.write_file(before / backup.ABOUT, orjson.dumps(about))


def _replace(data: Path, progress: Progress) -> None:
    """Put the prepared files in place, and remove them."""
    staged, staged_keys = data / staging.DATA, data / staging.KEYS
    path = data / DATABASE
    if staged.exists():
        keys_in_place.write_needed(staged_keys, data / keys.FILE)
        is_put = path.exists() and path.samefile(staged)
        if not is_put and not _write_into(staged, path, progress):
            _put(staged, data)
        keys_in_place.draw_others(staged_keys, data / keys.FILE)
        (data / SESSIONS).unlink(missing_ok=True)
        staged.unlink()
        copying.sync_folder(data)
    copying.overwrite(staged_keys)
    for name in (moving_in.WRITING_KEYS, moving_in.WRITING):  # of what is replaced
        copying.overwrite(data / name)


def _write_into(staged: Path, path: Path, progress: Progress) -> bool:
    """Replace the content of the present database in one transaction; False: it cannot be used."""
    if not path.exists():
        return False
    try:
        with (
            closing(connect_patiently(path)) as target,
            closing(copying.open_copy(staged)) as source,
        ):
            copying.copy_pages(source, target, progress)
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with closing(connect(path, read_only=True)) as again:
            again.execute("SELECT count(*) FROM meta").fetchall()
    except sqlite3.OperationalError as fault:
        if code_of(fault) != sqlite3.SQLITE_READONLY:  # its pages are of another size
            raise
        return False
    except sqlite3.DatabaseError:  # damaged, or no database at all
        return False
    return True


def _put(staged: Path, data: Path) -> None:
    """Give the prepared database the name, where there is no file that can be written into."""
    for name in (_LOG, _INDEX):  # a log of other data must never meet this
        (data / name).unlink(missing_ok=True)
    partial = data / f"{DATABASE}.part"
    partial.unlink(missing_ok=True)
    os.link(staged, partial)
    os.replace(partial, data / DATABASE)
    copying.sync_folder(data)


def _check_room(data: Path, source: Path) -> None:
    found = os.statvfs(data)
    here = _sizes(data)
    needed = ROOM * _sizes(source) + here
    free = found.f_bavail * found.f_frsize
    if free < needed:
        raise SetupError(
            f"there is too little room in {data}: {free // 2**20} MiB are free, and "
            f"{needed // 2**20 + 1} MiB are needed, {ROOM} times the backup's size and once that "
            "of what is here"
        )


def _sizes(folder: Path) -> int:
    return sum((folder / name).stat().st_size for name in OURS if (folder / name).exists())


def _go_on(data: Path, state: State) -> State:
    copying.write_file(data / RESTORE, _dumped(state))
    return state


def _dumped(state: State) -> bytes:
    return orjson.dumps({"newsfeed_restore": 1} | _plain(state), option=orjson.OPT_INDENT_2)


def _plain(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in State.__slots__}
