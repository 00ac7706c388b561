"""The names of a migration's files, and how one that was cut short is finished.

The new files are written under other names, then put in place, the keys first:

1. `feed.db.migrated` and `feed.keys.migrated` are complete and synced.
2. The old file gets a second name: `feed.db.old`, or `feed.db.v1` to keep it.
3. The keys get their name.
4. The data gets its name, which was the old file's until then.
5. `feed.db.old` is overwritten and removed.

From step 3 on any command finishes it; before, only another `migrate` does.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from feedserver.errors import SetupError
from feedserver.sqlite import copying, keys
from feedserver.sqlite.connecting import uri_of
from feedserver.sqlite.copying import Progress, quiet
from feedserver.sqlite.folder import DATABASE, occupied
from feedserver.sqlite.former import SCHEMA, Former, open_former
from feedserver.sqlite.schema import APPLICATION_ID

NEW = f"{DATABASE}.migrated"
NEW_KEYS = f"{keys.FILE}.migrated"
WRITING = f"{DATABASE}.migrating"  # until they are whole
WRITING_KEYS = f"{keys.FILE}.migrating"
OLD = f"{DATABASE}.old"
KEPT = f"{DATABASE}.v1"


def finish(folder: Path) -> None:
    """Finish a migration that was cut short. Raises SetupError."""
    if not is_begun(folder):
        return
    if not (folder / NEW).exists() and not os.access(folder, os.W_OK):
        return  # the old file cannot be removed; all else is in its place
    with occupied(folder, exclusive=True):
        if is_begun(folder):
            put_in_place(folder, keeps=False)


def is_begun(folder: Path) -> bool:
    """Say whether new files were being put in place, or an old one is left to be removed."""
    if (folder / NEW).exists():
        return (folder / keys.FILE).exists()
    return (folder / OLD).exists()


def put_in_place(folder: Path, *, keeps: bool, progress: Progress = quiet) -> None:
    """Do steps 2 to 5, or what is left of them; nobody else is in the folder. Raises SetupError."""
    old = folder / OLD
    try:
        if (folder / NEW).exists():
            if not is_former(folder / DATABASE):
                _remove_new(folder)  # a backup was restored meanwhile
            elif _is_level(folder):
                _rename(folder, KEPT if keeps else OLD)
            else:
                _discard(folder)
                return
        if keeps and old.exists():
            os.replace(old, folder / KEPT)
            copying.sync_folder(folder)
        if not old.exists():
            return
        if old.samefile(folder / DATABASE):  # it was discarded before it got anywhere
            old.unlink()
        else:
            copying.overwrite(old, progress)
    except OSError as fault:
        raise SetupError(f"the migration of {folder} cannot go on: {fault}") from None


def is_former(path: Path) -> bool:
    """Say whether a file is of the former format. Raises sqlite3.DatabaseError."""
    with closing(sqlite3.connect(uri_of(path, read_only=True), uri=True)) as connection:
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        found = connection.execute("PRAGMA user_version").fetchone()[0]
    return bool(owner == APPLICATION_ID and found == SCHEMA)


def _rename(folder: Path, second_name: str) -> None:
    path = folder / DATABASE
    if not _is(path, folder / KEPT) and not _is(path, folder / OLD):
        os.link(path, folder / second_name)
        copying.sync_folder(folder)
    if (folder / NEW_KEYS).exists():
        os.replace(folder / NEW_KEYS, folder / keys.FILE)
        copying.sync_folder(folder)
    os.replace(folder / NEW, path)
    copying.sync_folder(folder)


def _is(path: Path, other: Path) -> bool:
    return other.exists() and other.samefile(path)


def _is_level(folder: Path) -> bool:
    """Say whether the new file has all that the old one has: nobody wrote to that since."""
    path = folder / DATABASE
    try:
        with closing(open_former(path)) as connection:
            newest = Former(connection).newest()
        with closing(copying.open_copy(folder / NEW)) as new:
            found = new.execute(
                "SELECT sequence, rid FROM records ORDER BY sequence DESC LIMIT 1"
            ).fetchone()
    except sqlite3.OperationalError as fault:
        raise SetupError(f"{path} is in use ({fault}): end all that works on it") from None
    except sqlite3.DatabaseError:
        return False
    return newest == (tuple(found) if found else (0, ""))


def _discard(folder: Path) -> None:
    """Remove new files that lack news: an old program went on with the old one."""
    copying.overwrite(folder / keys.FILE)  # which the old one does not need
    _remove_new(folder)
    (folder / OLD).unlink(missing_ok=True)
    copying.sync_folder(folder)


def _remove_new(folder: Path) -> None:
    copying.overwrite(folder / NEW_KEYS)
    (folder / NEW).unlink()
    copying.sync_folder(folder)
