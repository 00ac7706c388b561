"""A backup: data, then keys, beside a running server.

The data is one moment's state. The keys are read after it, so that no kill which the data knows is
missing in them, and end at the data's newest record, so that they open nothing that is posted
later. `backup.json` says what the two files are.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from feedserver.errors import SetupError
from feedserver.model import Millis
from feedserver.sqlite import copying, erasing, keys, opening
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.copying import Progress, quiet
from feedserver.sqlite.folder import DATABASE, occupied
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.rows import newest_sequence
from feedserver.wire import time_text

ABOUT = "backup.json"  # in a backup
LAST = "last_backup.json"  # in the data folder
FORMAT = 1

_PART, _NEW, _OLD = ".part", ".new", ".old"
_OURS = frozenset(
    f"{name}{suffix}"
    for name in (DATABASE, keys.FILE, f"{keys.FILE}{_NEW}", ABOUT)
    for suffix in ("", _PART, _NEW, _OLD)
) | {f"{DATABASE}-wal", f"{DATABASE}-shm"}  # left by whoever looked inside


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup is of. `newest` is the sequence of its newest record."""

    at: Millis
    epoch: str
    keyring: str
    newest: int
    feeds: int
    items: int
    withdrawn: int
    tokens: int

    def to_json(self) -> dict[str, Any]:
        """Return it as `backup.json` has it."""
        return {"newsfeed_backup": FORMAT} | asdict(self) | {"at": time_text(self.at)}


@dataclass(frozen=True, slots=True)
class LastBackup:
    """When the last backup of a folder was made, and where."""

    at: Millis
    folder: str
    newest: int


def back_up(data: Path, target: Path, now: Millis, progress: Progress = quiet) -> Backup:
    """Copy the newsroom in `data` to `target`, which is new, empty, or a former backup of it.

    Raises SetupError.
    """
    opening.prepare(data)
    with occupied(data):
        _look_at(data, target)
        try:
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
            with copying.alone(target, "makes a backup in"):
                made = copy_newsroom(data, target, now, progress)
        except OSError as fault:
            raise SetupError(f"cannot write to {target}: {fault.strerror}") from None
        _remember(data, LastBackup(now, str(target.resolve()), made.newest))
    return made


def copy_newsroom(data: Path, target: Path, now: Millis, progress: Progress = quiet) -> Backup:
    """Copy the newsroom in `data` to the folder `target`.

    Raises SetupError, OSError, sqlite3.Error.
    """
    opening.check_owner(data / DATABASE)
    about = target / f"{ABOUT}{_PART}"
    _write_about(about, {"newsfeed_backup": FORMAT})  # it is ours, should this be cut short
    copied = target / f"{DATABASE}{_PART}"
    read_only = not opening.is_writable(data / DATABASE)
    key_file = opening.open_keys(data, read_only=read_only)
    try:
        with closing(connect(data / DATABASE, read_only=True)) as source:
            source.execute("BEGIN")
            made = look(source, now)
            if not read_only:
                erasing.destroy_keys(source, key_file)
            copying.copy_database(source, copied, progress)
        _look_through(copied)
        key_file.copy_to(target / f"{keys.FILE}{_NEW}", made.newest)
    except sqlite3.Error as fault:
        raise SetupError(f"{data / DATABASE} cannot be copied: {fault}") from None
    finally:
        key_file.close()
    # Keys newer than the data are welcome, older ones are not: so they get their name first.
    _put(target / keys.FILE)
    for log in (f"{DATABASE}-wal", f"{DATABASE}-shm"):
        (target / log).unlink(missing_ok=True)  # the log of other data must never meet this
    os.replace(copied, target / DATABASE)
    copying.sync_folder(target)
    _write_about(about, made.to_json())
    os.replace(about, target / ABOUT)
    copying.sync_folder(target)
    return made


def look(connection: sqlite3.Connection, now: Millis) -> Backup:
    """Return what a database holds. Raises sqlite3.Error."""
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())

    def count(what: str) -> int:
        found: int = connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0]  # noqa: S608
        return found

    return Backup(
        now,
        meta["epoch"],
        meta["keyring"],
        newest_sequence(connection),
        count("feeds"),
        count("items"),
        count("items WHERE killed_at IS NOT NULL"),
        count("tokens WHERE revoked_at IS NULL"),
    )


def last_backup(data: Path) -> LastBackup | None:
    """Return when the last backup of a folder was made; None: never, as far as it is known."""
    try:
        raw = orjson.loads((data / LAST).read_bytes())
        return LastBackup(int(raw["at"]), str(raw["folder"]), int(raw["newest"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _look_at(data: Path, target: Path) -> None:
    """Look at where a backup is to go. Raises SetupError."""
    if target.exists() and not target.is_dir():
        raise SetupError(f"{target} is a file; a backup takes a folder")
    if target.resolve() == data.resolve():
        raise SetupError(f"{target} is the data folder itself; name another for the backup")
    found = set(os.listdir(target)) if target.exists() else set()
    if not found:
        return
    if not found <= _OURS or not found & {ABOUT, f"{ABOUT}{_PART}"}:
        raise SetupError(
            f"{target} is not empty and holds no backup: name a new or empty folder, or that of a "
            "former backup"
        )
    keyring = _keyring_in(target)
    if keyring is not None and keyring != _keyring_in(data):
        raise SetupError(f"{target} holds the backup of another newsroom: name another folder")


def _keyring_in(folder: Path) -> bytes | None:
    try:
        key_file = KeyFile(folder / keys.FILE, read_only=True)
    except SetupError:
        return None
    try:
        return key_file.keyring
    finally:
        key_file.close()


def _look_through(path: Path) -> None:
    with closing(copying.open_copy(path)) as copy:
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise opening.damaged(path, found.splitlines()[-1])


def _put(path: Path) -> None:
    """Give new keys their name; the old ones are overwritten, not merely forgotten."""
    new, old = (path.with_name(f"{path.name}{suffix}") for suffix in (_NEW, _OLD))
    if old.exists():  # of an attempt that was cut short
        if path.exists() and path.samefile(old):
            old.unlink()
        else:
            copying.overwrite(old)
    if path.exists():
        os.link(path, old)
    os.replace(new, path)
    copying.sync_folder(path.parent)
    copying.overwrite(old)


def _write_about(path: Path, about: dict[str, Any]) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(orjson.dumps(about, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        file.flush()
        os.fsync(file.fileno())


def _remember(data: Path, made: LastBackup) -> None:
    """Keep in the data folder when this was; where nothing can be written, nobody knows."""
    try:
        copying.write_file(data / LAST, orjson.dumps(asdict(made)))
    except OSError:
        return
