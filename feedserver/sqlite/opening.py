"""Make, check and open the files of a newsroom, before anything is served from them."""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from feedserver.errors import SetupError
from feedserver.journal import Identity
from feedserver.model import Millis, random_id
from feedserver.sqlite import copying, key_header, keys, moving_in
from feedserver.sqlite import folder as folders
from feedserver.sqlite.ballast import Ballast
from feedserver.sqlite.connecting import BUSY_SECONDS, code_of, connect, connect_patiently, uri_of
from feedserver.sqlite.folder import DATABASE, LOCK
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.rows import newest_sequence
from feedserver.sqlite.schema import APPLICATION_ID, FIRST, MIGRATIONS

SCHEMA = FIRST + len(MIGRATIONS) - 1
SMALLEST = 512  # bytes: no database has fewer
CHECKED_MAX = 64 * 1024 * 1024  # bytes of a file that a server looks through first: some 0.2 s, …
GLANCED_MAX = 1024 * 1024  # … and that a command does


class Older(SetupError):
    """A file of a former format: `feedserver migrate` takes it over."""


def prepare(folder: Path, checked_max: int = GLANCED_MAX, *, reads_only: bool = False) -> Identity:
    """Check the files, and bring an older schema up to date. Raises NoNewsroom, SetupError.

    A database of up to `checked_max` bytes is looked through: a broken page is found now, rather
    than when a reader asks for it.
    """
    folders.check(folder)
    if not reads_only:
        Ballast(folder / LOCK).release_to_open()
        moving_in.finish(folder)
    elif moving_in.is_begun(folder):
        raise SetupError(f"a migration of {folder} was cut short: run feedserver migrate again")
    path = folder / DATABASE
    try:
        check_owner(path)
        writable = not reads_only and is_writable(path)
        connection = connect_patiently(path) if writable else connect(path, read_only=True)
    except sqlite3.Error as fault:
        raise unreadable(path, fault) from None
    except OSError as fault:
        raise SetupError(
            f"cannot write to {path} ({fault.strerror}): give this user the right to write there "
            f"and in {folder}, or choose another folder with --data"
        ) from None
    try:
        with closing(connection):
            if writable:
                _migrate(connection, path)
            if path.stat().st_size <= checked_max:
                _look_through(connection, path)
            return identity_of(connection)
    except sqlite3.Error as fault:
        raise unreadable(path, fault) from None


def begin(folder: Path) -> None:
    """Make a newsroom where there is none. Raises SetupError. Safe in several processes at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise SetupError(f"cannot make the folder {folder}: {fault.strerror}") from None
    with suppress_made(folder), folders.occupied(folder, exclusive=True):
        try:
            folders.check(folder)
        except folders.NoNewsroom:
            _make(folder)


@contextmanager
def suppress_made(folder: Path) -> Iterator[None]:
    """Let pass that others are in the folder, if what they made is there."""
    try:
        yield
    except SetupError:
        if not (folder / DATABASE).exists():
            raise


def open_keys(folder: Path, *, read_only: bool) -> KeyFile:
    """Open the keys that belong to the database. Raises SetupError."""
    path = folder / DATABASE
    with closing(connect(path, read_only=True)) as connection:
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        newest = newest_sequence(connection)
    key_file = KeyFile(folder / keys.FILE, read_only=read_only)
    try:
        if key_file.keyring.hex() != meta["keyring"]:
            raise SetupError(
                f"{key_file.path} belongs to another journal than {path}: put back the keys "
                "that belong to it"
            )
        if newest and key_file.end <= newest:
            raise SetupError(
                f"{key_file.path} is older than {path}: it has keys up to record "
                f"{key_file.end - 1}, and the newest record is {newest}. Put back the newest copy"
            )
    except BaseException:
        key_file.close()
        raise
    return key_file


def identity_of(connection: sqlite3.Connection) -> Identity:
    """Read which journal a file holds."""
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    return Identity(meta["epoch"], meta["salt"])


def clock_accepted(connection: sqlite3.Connection) -> str | None:
    """Return when an operator took the machine's clock as it was; None: never."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'clock_accepted'").fetchone()
    return row[0] if row else None


def accept_clock(folder: Path, at: Millis) -> None:
    """Tell all who have the files open to take the machine's clock as it is. Raises SetupError."""
    prepare(folder, 0)
    with closing(connect_patiently(folder / DATABASE)) as connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('clock_accepted', ?)", (str(at),))


def make_database(path: Path, identity: Identity, keyring: bytes) -> None:
    """Make an empty database under this name, durably."""
    path.touch(mode=0o600)
    with closing(connect(path, read_only=False)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for step in MIGRATIONS:
            for statement in _statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("epoch", identity.epoch), ("salt", identity.salt), ("keyring", keyring.hex())],
        )
        connection.execute("COMMIT")


def check_owner(path: Path) -> None:
    """Look before anything is written into another program's file. Raises SetupError."""
    if 0 < path.stat().st_size < SMALLEST:  # SQLite would take it for empty, and overwrite it
        raise not_ours(path)
    with closing(
        sqlite3.connect(uri_of(path, read_only=True), uri=True, timeout=BUSY_SECONDS)
    ) as stranger:
        check_format(stranger, path)


def check_format(connection: sqlite3.Connection, path: Path) -> None:
    """See that a database is ours and of today's format. Raises SetupError."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise not_ours(path)
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA:
        raise SetupError(
            f"{path} was written by a newer feedserver (schema {found}, this one knows "
            f"{SCHEMA}): install the newer version again"
        )
    if found < FIRST:
        raise Older(
            f"{path} was written by an older feedserver: end all that works on it, then run "
            f"feedserver migrate --data {path.parent}"
        )


def is_writable(path: Path) -> bool:
    """Say whether the file system lets us write. Raises PermissionError where only we may not."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError as fault:
        if fault.errno == errno.EROFS:
            return False
        raise
    return os.access(path.parent, os.W_OK)


def damaged(path: Path, what: str) -> SetupError:
    """Return the error that says so; `what` are SQLite's words."""
    return SetupError(f"{path} is damaged ({what}): restore a backup with feedserver restore")


def unreadable(path: Path, fault: sqlite3.Error) -> SetupError:
    """Return the error for a file that SQLite cannot read or write."""
    no_room = SetupError(f"there is no room on the disk for {path}: make room, then try again")
    if getattr(fault, "sqlite_errorcode", None) == sqlite3.SQLITE_IOERR_SHMSIZE:
        return no_room
    match code_of(fault):
        case sqlite3.SQLITE_CORRUPT:
            return damaged(path, str(fault))
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return SetupError(
                f"another process is writing to {path} and goes on for too long: wait until it is "
                "done, or end it, then try again"
            )
        case sqlite3.SQLITE_FULL:
            return no_room
    if isinstance(fault, sqlite3.OperationalError):
        return SetupError(f"cannot open {path}: {fault}")
    return not_ours(path)


def not_ours(path: Path) -> SetupError:
    """Return the error for another program's file."""
    return SetupError(
        f"{path} is not a feedserver database: move it away, or choose another folder with --data"
    )


def fold_log(folder: Path) -> None:
    """Leave one file where the last processes ended at the same moment: neither put its log away,
    as each saw the other."""
    with suppress(sqlite3.Error, OSError):
        connect_patiently(folder / DATABASE).close()


def _make(folder: Path) -> None:
    """Make both files under other names, and give them theirs, the keys first."""
    folders.remove_leftovers(folder)
    identity, keyring = Identity(random_id(8), random_id(32)), secrets.token_bytes(16)
    path = folder / DATABASE
    partial = path.with_name(f"{DATABASE}.part")
    try:
        make_database(partial, identity, keyring)
        key_header.create(folder / keys.FILE, keyring)
        partial.replace(path)
        copying.sync_folder(folder)
    except OSError as fault:
        raise SetupError(
            f"cannot write to {path} ({fault.strerror}): give this user the right to write there "
            f"and in {folder}, or choose another folder with --data"
        ) from None
    except sqlite3.Error as fault:
        raise SetupError(f"cannot make {path}: {fault}") from None


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found == SCHEMA:
        return
    connection.execute("BEGIN IMMEDIATE")  # two processes may open an older file at once
    try:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        for step in MIGRATIONS[found - FIRST + 1 :]:
            for statement in _statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _look_through(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise damaged(path, found.splitlines()[-1])


def _statements(script: str) -> list[str]:
    # executescript would commit the transaction that the step runs in.
    statements, rest = [], ""
    for part in script.split(";"):
        rest += part
        if sqlite3.complete_statement(rest + ";"):
            statements.append(rest)
            rest = ""
        else:
            rest += ";"
    return [statement for statement in statements if statement.strip()]
