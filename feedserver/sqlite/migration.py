"""Take a folder over from the format before this one. Nobody else may be in the folder."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from feedserver.errors import SetupError
from feedserver.model import Verb
from feedserver.sqlite import copying, key_header, keys, moving_in, opening, rows
from feedserver.sqlite import folder as folders
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.copying import Progress, quiet
from feedserver.sqlite.folder import DATABASE, occupied
from feedserver.sqlite.former import Former, Moved, open_former
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.moving_in import WRITING, WRITING_KEYS
from feedserver.sqlite.slots import hash_of

NEEDED = 1.5  # times the size of the old file, free on the disk
REPORTED = 5000  # records between two reports of the progress


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was taken over. `kept` is where the old file is, None where it is removed."""

    records: int
    items: int
    before: int  # bytes
    after: int
    kept: Path | None


def migrate(folder: Path, *, keeps: bool, progress: Progress = quiet) -> Migrated | None:
    """Write the files of today's format, and put them in place; None where they are in place.

    Another run finishes one that was cut short. Raises SetupError.
    """
    folders.check(folder)
    path = folder / DATABASE
    with occupied(folder, exclusive=True):
        begun = moving_in.is_begun(folder)
        if begun:
            moving_in.put_in_place(folder, keeps=keeps, progress=progress)
        if not _is_old(path):
            return _report(folder, 0) if begun else None
        before = _size(path)
        kept = folder / moving_in.KEPT
        if keeps and kept.exists() and not kept.samefile(path):
            raise SetupError(f"{kept} is there already: move it away, to keep this file as well")
        if not (folder / moving_in.NEW).exists():
            _write(folder, progress)
        moving_in.put_in_place(folder, keeps=keeps, progress=progress)
        if _is_old(path):  # news came between two runs
            raise SetupError(f"{path} was changed meanwhile: run the same command again")
        return _report(folder, before)


def _is_old(path: Path) -> bool:
    """Say whether a file is of the former format. Raises SetupError where it is not ours."""
    try:
        opening.check_owner(path)
    except opening.Older:
        return True
    except sqlite3.DatabaseError as fault:
        raise opening.unreadable(path, fault) from None
    return False


def _report(folder: Path, before: int) -> Migrated:
    path, kept = folder / DATABASE, folder / moving_in.KEPT
    with closing(copying.open_copy(path)) as connection:
        records, items = connection.execute(
            "SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM items)"
        ).fetchone()
    after = _size(path) + (folder / keys.FILE).stat().st_size
    return Migrated(records, items, before, after, kept if kept.exists() else None)


def _write(folder: Path, progress: Progress) -> None:
    """Write the new files under other names, whole and synced."""
    path = folder / DATABASE
    copying.overwrite(folder / WRITING_KEYS)
    for name in (moving_in.NEW_KEYS, WRITING, f"{WRITING}-wal", f"{WRITING}-shm"):
        (folder / name).unlink(missing_ok=True)
    _check_room(folder, _size(path))
    try:
        with closing(open_former(path)) as connection:
            _fill(Former(connection), folder / WRITING, folder / WRITING_KEYS, progress)
    except sqlite3.OperationalError as fault:
        raise SetupError(
            f"{path} cannot be migrated ({fault}): end all that works on it, then try again"
        ) from None
    except sqlite3.Error as fault:
        raise SetupError(f"{path} cannot be migrated: {fault}; it was left as it is") from None
    except OSError as fault:
        raise SetupError(f"cannot write to {folder}: {fault.strerror}") from None
    os.replace(folder / WRITING_KEYS, folder / moving_in.NEW_KEYS)
    os.replace(folder / WRITING, folder / moving_in.NEW)
    copying.sync_folder(folder)


def _check_room(folder: Path, size: int) -> None:
    found = os.statvfs(folder)
    free, needed = found.f_bavail * found.f_frsize, int(NEEDED * size)
    if free < needed:
        raise SetupError(
            f"there is too little room in {folder}: {free // 2**20} MiB are free, and "
            f"{needed // 2**20 + 1} MiB are needed, {NEEDED} times the size of {DATABASE}"
        )


def _fill(former: Former, path: Path, key_path: Path, progress: Progress) -> None:
    keyring = secrets.token_bytes(16)
    key_header.create(key_path, keyring)
    opening.make_database(path, former.identity, keyring)
    key_file = KeyFile(key_path)
    try:
        with closing(connect(path, read_only=False, wal=False)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")  # the file is synced at the end
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("BEGIN")
            _take_over(former, connection, key_file, progress)
            connection.execute("COMMIT")
            _compare(former, connection, path)
        key_file.sync()
    finally:
        key_file.close()
    copying.sync_file(path)


def _take_over(
    former: Former, connection: sqlite3.Connection, key_file: KeyFile, progress: Progress
) -> None:
    newest, _ = former.newest()
    last_kill = 0
    for number, moved in enumerate(former.records()):
        _store(connection, key_file, moved)
        if moved.record.act is Verb.KILL:
            last_kill = moved.change.sequence
        if number % REPORTED == 0:
            progress("migrated", moved.change.sequence, newest)
    for feed in former.feeds():
        rows.store_feed(connection, feed)
    for token in former.tokens():
        rows.store_token(connection, token)
    key_file.begin_at(newest, last_kill)
    progress("migrated", newest, newest)


def _store(connection: sqlite3.Connection, key_file: KeyFile, moved: Moved) -> None:
    record, change = moved.record, moved.change
    sequence = change.sequence
    key_file.ensure(sequence, 1, reserved=True)
    key = key_file.take(sequence, hash_of(record.rid))
    if moved.killed is None:
        rows.store_record(connection, record, change, key)
    else:
        rows.insert_record(connection, record, change, None)
        by, at = moved.killed
        key_file.destroy([sequence], by, Verb.KILL, at, synced=False)
    if record.retry_key is not None:
        connection.execute("INSERT INTO retry_keys VALUES (?, ?)", (record.retry_key.mac, sequence))
    if change.item is None:
        return
    if record.origin_mac is not None:
        connection.execute("INSERT INTO origins VALUES (?, ?)", (record.origin_mac, change.item.id))
    if moved.is_last:
        rows.store_item(connection, change.item)


def _compare(former: Former, connection: sqlite3.Connection, path: Path) -> None:
    """See that nothing was left out. Raises SetupError."""
    found = connection.execute(
        "SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM retry_keys)"
    ).fetchone()
    if tuple(found) != former.counts():
        raise SetupError(
            f"the journal in {path.parent / DATABASE} does not tell of all its items and keys: it "
            "is damaged, and was left as it is"
        )


def _size(path: Path) -> int:
    log = path.with_name(f"{path.name}-wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)
