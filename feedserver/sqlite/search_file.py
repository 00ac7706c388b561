"""The search file: its tables, and a connection to it. It holds no words, only keyed terms.

A partition is 32,768 sequences of the journal, in an FTS table of its own, whose terms are made
under a key of its own. Two keys, and two tables, serve a partition by turns.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from feedserver.model import Millis
from feedserver.sqlite.connecting import Connection, code_of, connect_patiently
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.search_batch import EARLIEST, LATEST
from feedserver.sqlite.slots import PARTITION, Gone, Unreadable

FORMAT = "1"  # of the tables and of the terms: a file of another one is made anew
LOCK_MILLIS = 100  # how long the step of another process is waited for
LOG_MAX = 16 * 1024 * 1024  # bytes of the write-ahead log that are kept
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNMERGED, _MERGING, _MERGED = range(3)

_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT",
    # `proof` tells whether the key in the slot is the one that the terms were made with. What was
    # erased up to the record `clean_to` is not in the partition.
    "CREATE TABLE partitions (partition INTEGER PRIMARY KEY, turn INTEGER NOT NULL,"
    " proof BLOB NOT NULL, clean_to INTEGER NOT NULL, merged INTEGER NOT NULL,"
    " smallest INTEGER NOT NULL, largest INTEGER NOT NULL) STRICT",
    # The earliest and latest publishing times of the rows of 1,024 sequences.
    "CREATE TABLE blocks (block INTEGER PRIMARY KEY,"
    " smallest INTEGER NOT NULL, largest INTEGER NOT NULL) STRICT",
    # One for each record that holds words of an item.
    "CREATE TABLE rows (sequence INTEGER PRIMARY KEY, item INTEGER NOT NULL,"
    " published_at INTEGER NOT NULL) STRICT",
    # Partitions that are being made anew, and up to which record they are.
    "CREATE TABLE remakes (partition INTEGER PRIMARY KEY, turn INTEGER NOT NULL,"
    " proof BLOB NOT NULL, clean_to INTEGER NOT NULL, position INTEGER NOT NULL) STRICT",
)
_PARTITION = "SELECT partition, turn, proof, clean_to, smallest, largest FROM partitions"


Identity = tuple[int, int]


class NoIndex(Exception):
    """The search file has no tables yet."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition as it is searched; times are those of its earliest and latest items."""

    number: int
    turn: int
    proof: bytes
    clean_to: int
    smallest: Millis
    largest: Millis

    @property
    def table(self) -> str:
        """The name of its table."""
        return _table_of(self.number, self.turn)

    @property
    def first(self) -> int:
        """The first sequence that belongs to it."""
        return self.number * PARTITION

    @property
    def last(self) -> int:
        """The last sequence that belongs to it."""
        return self.first + PARTITION - 1


@dataclass(frozen=True, slots=True)
class Remake:
    """A partition that is being made anew, up to the record `position`."""

    number: int
    turn: int
    proof: bytes
    clean_to: int
    position: int

    @property
    def table(self) -> str:
        """The name of its table."""
        return _table_of(self.number, self.turn)


def open_file(path: Path, keys: KeyFile) -> Connection:
    """Open the search file to write it; an empty one is made where there is none, or a damaged one.

    Raises sqlite3.Error, OSError.
    """
    try:
        connection = _open(path)
    except sqlite3.DatabaseError as fault:
        if code_of(fault) not in DAMAGE:
            raise
        replace_file(path, keys, identity_of(path))
        connection = _open(path)
    for setting in (
        f"busy_timeout = {LOCK_MILLIS}",
        f"journal_size_limit = {LOG_MAX}",
        "secure_delete = ON",
        "synchronous = NORMAL",  # what a power cut takes is made anew
    ):
        connection.execute(f"PRAGMA {setting}")
    return connection


def replace_file(path: Path, keys: KeyFile, damaged: Identity | None) -> None:
    """Remove the damaged file of this identity; one that another process has put there stays.

    Who has it open notices, and opens the new one.
    """
    with keys.locked():
        if damaged is not None and identity_of(path) == damaged:
            for one in (path, *(path.with_name(f"{path.name}-{end}") for end in ("wal", "shm"))):
                one.unlink(missing_ok=True)
            path.touch(mode=0o600)


def identity_of(path: Path) -> Identity | None:
    """Return the device and inode of a file; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _open(path: Path) -> Connection:
    path.touch(mode=0o600)
    return connect_patiently(path)


@contextmanager
def locked(
    search: sqlite3.Connection, journal: sqlite3.Connection, *, durable: bool = False
) -> Iterator[None]:
    """Hold the search file's write lock, and see the journal at one moment after that."""
    if durable:
        search.execute("PRAGMA synchronous = FULL")
    try:
        search.execute("BEGIN IMMEDIATE")
        try:
            journal.execute("BEGIN")
            try:
                yield
            finally:
                journal.execute("COMMIT")
        except BaseException:
            if search.in_transaction:
                search.execute("ROLLBACK")
            raise
        search.execute("COMMIT")
    finally:
        if durable:
            search.execute("PRAGMA synchronous = NORMAL")


def create(search: sqlite3.Connection) -> None:
    """Make the tables, in place of all that is there; in a transaction."""
    found = search.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall()
    # The tables that an FTS table consists of go with it.
    found.sort(key=lambda row: not row[1].startswith("CREATE VIRTUAL"))
    for name, _ in found:
        search.execute(f"DROP TABLE IF EXISTS {name}")
    for statement in _SCHEMA:
        search.execute(statement)


def journal_of(journal: sqlite3.Connection) -> str:
    """Return what names a journal and its epoch, from the database."""
    meta = dict(journal.execute("SELECT name, value FROM meta").fetchall())
    return f"{FORMAT} {meta['keyring']} {meta['epoch']}"


def meta_of(search: sqlite3.Connection) -> dict[str, str]:
    """Return the file's own facts: `journal`, `position`, `cleaned_to`. Raises NoIndex."""
    try:
        return dict(search.execute("SELECT name, value FROM meta").fetchall())
    except sqlite3.OperationalError as fault:
        if "no such table" in str(fault):
            raise NoIndex from None
        raise


def note(search: sqlite3.Connection, name: str, value: str | int) -> None:
    """Store one of the file's own facts."""
    search.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, str(value)))


def partitions_of(search: sqlite3.Connection) -> list[Partition]:
    """Return all partitions."""
    return [Partition(*row) for row in search.execute(_PARTITION).fetchall()]


def partition_of(search: sqlite3.Connection, number: int) -> Partition | None:
    """Return one partition."""
    row = search.execute(f"{_PARTITION} WHERE partition = ?", (number,)).fetchone()
    return Partition(*row) if row else None


def begin_partition(
    search: sqlite3.Connection, number: int, key: bytes, clean_to: int
) -> Partition:
    """Make a new partition, empty."""
    part = Partition(number, 0, proof_of(key), clean_to, LATEST, EARLIEST)
    _create_terms(search, part.table)
    search.execute(
        "INSERT INTO partitions VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number, part.turn, part.proof, clean_to, _UNMERGED, part.smallest, part.largest),
    )
    return part


def remake_of(search: sqlite3.Connection) -> Remake | None:
    """Return the partition that is being made anew; None if there is none."""
    row = search.execute(
        "SELECT partition, turn, proof, clean_to, position FROM remakes LIMIT 1"
    ).fetchone()
    return Remake(*row) if row else None


def begin_remake(search: sqlite3.Connection, remake: Remake) -> None:
    """Make the other table of a partition, empty."""
    _create_terms(search, remake.table)
    search.execute(
        "INSERT OR REPLACE INTO remakes VALUES (?, ?, ?, ?, ?)",
        (remake.number, remake.turn, remake.proof, remake.clean_to, remake.position),
    )


def note_remade(search: sqlite3.Connection, remake: Remake, position: int) -> None:
    """Store how far a partition is made anew."""
    search.execute("UPDATE remakes SET position = ? WHERE partition = ?", (position, remake.number))


def finish_remake(search: sqlite3.Connection, remake: Remake, old: Partition) -> None:
    """Put a partition's new table in place of the old one."""
    search.execute(
        "UPDATE partitions SET turn = ?, proof = ?, clean_to = ?, merged = ? WHERE partition = ?",
        (remake.turn, remake.proof, remake.clean_to, _UNMERGED, remake.number),
    )
    search.execute("DELETE FROM remakes WHERE partition = ?", (remake.number,))
    search.execute(f"DROP TABLE {old.table}")


def unmerged_of(search: sqlite3.Connection) -> int | None:
    """Return a partition whose records are all there, and whose table can be merged."""
    row = search.execute(
        "SELECT min(partition) FROM partitions WHERE merged < ? AND (partition + 1) * ? <= "
        "(SELECT CAST(value AS INTEGER) + 1 FROM meta WHERE name = 'position')"
        " AND partition NOT IN (SELECT partition FROM remakes)",
        (_MERGED, PARTITION),
    ).fetchone()
    return None if row is None else row[0]


def merge(search: sqlite3.Connection, part: Partition, pages: int) -> None:
    """Merge some pages of a partition's table."""
    where = "WHERE partition = ?"
    merged = search.execute(f"SELECT merged FROM partitions {where}", (part.number,)).fetchone()[0]  # noqa: S608
    if merged == _MERGED:
        return
    before = search.total_changes
    search.execute(
        f"INSERT INTO {part.table} ({part.table}, rank) VALUES ('merge', ?)",  # noqa: S608
        # The first time a negative number: all there is shall become one.
        (pages if merged == _MERGING else -pages,),
    )
    is_done = search.total_changes - before < 2
    search.execute(
        f"UPDATE partitions SET merged = ? {where}",  # noqa: S608
        (_MERGED if is_done else _MERGING, part.number),
    )


def key_of(keys: KeyFile, part: Partition | Remake) -> bytes | None:
    """Return the key of a partition's terms; None if it is no longer there."""
    try:
        key = keys.partition_key(part.number, part.turn)
    except (Gone, Unreadable):
        return None
    return key if proof_of(key) == part.proof else None


def proof_of(key: bytes) -> bytes:
    """Return what tells a key from others, and nothing else about it."""
    return blake2b(b"proof", key=key, digest_size=8).digest()


def live_keys(keys: KeyFile) -> list[tuple[int, int]]:
    """Return partition and turn of all keys that are there."""
    found = []
    for slot in ((n, turn) for n in range(keys.end // PARTITION + 1) for turn in (0, 1)):
        try:
            keys.partition_key(*slot)
        except (Gone, Unreadable):
            continue
        found.append(slot)
    return found


def now() -> Millis:
    """Return the time, for the slots of keys that are destroyed."""
    return time.time_ns() // 1_000_000


def _table_of(number: int, turn: int) -> str:
    return f"terms_{number}_{turn}"


def _create_terms(search: sqlite3.Connection, table: str) -> None:
    search.execute(f"DROP TABLE IF EXISTS {table}")
    search.execute(
        f"CREATE VIRTUAL TABLE {table} USING fts5"
        "(t, content='', detail=none, columnsize=0, tokenize=ascii)"
    )
