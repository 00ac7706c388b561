"""Decide on records and commit them: the only place where the journal grows.

Plain functions, called in the writer's thread.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable

from feedserver.errors import OutcomeUnknown, Refused, Unavailable
from feedserver.model import Act, Record, Verb, random_id
from feedserver.rules import Change, Duplicate
from feedserver.sqlite import erasing
from feedserver.sqlite.ballast import FULL
from feedserver.sqlite.folder import Files
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.ledger import Ledger
from feedserver.sqlite.rows import Newer, newest_sequence

log = logging.getLogger("feedserver.journal")

JUMP = 100_000  # a journal that went back goes on at the next multiple above all that is known
ERASES = frozenset({Verb.KILL, Verb.REDACT})
_RESERVED = ERASES | {Act.REVOKE}  # may use the last keys, and the ballast, on a full disk
NO_ROOM = "there is no room on the disk for more news: make room, then retry"

Decision = Change | Refused | Duplicate | Unavailable


class NoRoom(Unavailable):
    """The disk is full; nothing of the group was stored."""

    def __init__(self) -> None:
        super().__init__(NO_ROOM)


class RolledBack(Exception):
    """The rules choked on a record, its cause says how; nothing of its group was stored."""


def transact(
    connection: sqlite3.Connection, ledger: Ledger, files: Files, group: list[Record]
) -> list[Decision]:
    """Decide on a group of records in order, in one transaction, durable on return.

    Keys that a kill or redact destroys are gone on return, too, unless that failed: then the
    purge does it again. Raises Unavailable or RolledBack when nothing was stored, OutcomeUnknown
    where a file was moved away meanwhile, and any other error when nobody knows.
    """
    try:
        return _transact(connection, ledger, files, group)
    except NoRoom:
        if not any(record.act in _RESERVED for record in group):
            raise
    files.ballast.release()
    return _transact(connection, ledger, files, group, is_full=True)


def _transact(
    connection: sqlite3.Connection,
    ledger: Ledger,
    files: Files,
    group: list[Record],
    *,
    is_full: bool = False,
) -> list[Decision]:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as fault:
        if _is_full(fault):
            raise NoRoom from None
        raise Unavailable(f"the database is busy or cannot be written ({fault}); retry") from None
    keys = ledger.keys
    try:
        # Under the write lock: a restore may have begun while this waited for it.
        files.check()
    except Unavailable:
        connection.execute("ROLLBACK")  # no key was taken yet
        raise
    try:
        sequence = next_sequence(connection, keys) - 1
        # While the ballast is not whole, its room is for those who must not wait.
        is_full = is_full or not (is_reserved(group) or files.ballast.make())
        wanted = sum(record.act in _RESERVED for record in group)
        if keys.ensure(sequence + 1, wanted, reserved=True) < wanted and files.ballast.is_whole():
            raise NoRoom
        decisions = _decide(connection, ledger, group, sequence, is_full)
        changes = [one for one in decisions if isinstance(one, Change)]
        erases = any(record.act in ERASES for record in group)
        if erases and changes:
            # What a dead attempt sealed must not outlive the words that it held.
            keys.redraw(changes[-1].sequence, only_taken=True)
    except BaseException as fault:
        roll_back(connection, keys)
        if _is_full(fault):
            raise NoRoom from None
        if isinstance(fault, Unavailable):
            raise
        if isinstance(fault, sqlite3.Error):
            raise Unavailable(f"the database cannot be written ({fault}); retry later") from None
        if isinstance(fault, OSError):
            raise Unavailable(f"{keys.path} cannot be written ({fault}); retry later") from None
        if isinstance(fault, Newer):
            raise Unavailable(f"nothing can be written: {fault}", retry_after=30) from None
        if isinstance(fault, Exception):
            raise RolledBack from fault
        raise
    try:
        connection.execute("COMMIT")
    except BaseException as fault:
        roll_back(connection, keys)
        if _is_full(fault):  # before the log's last frame was written
            raise NoRoom from None
        raise
    if changes:
        note_committed(keys, changes[-1].sequence)
    if erases and changes:
        erasing.destroy_keys(connection, keys)
    if changes and (moved := files.moved()):
        raise OutcomeUnknown(f"it may be lost: {moved}, then retry with the same Idempotency-Key")
    return decisions


def note_committed(keys: KeyFile, sequence: int) -> None:
    """Remember how far the journal has come, after a COMMIT: so faults are only logged."""
    try:
        keys.note_committed(sequence)
    except OSError as fault:
        log.warning("%s does not know that record %d was committed: %s", keys.path, sequence, fault)


def is_reserved(group: Iterable[Record]) -> bool:
    """Say whether a group holds only what may use the last room on a full disk."""
    return all(record.act in _RESERVED for record in group)


def next_sequence(connection: sqlite3.Connection, keys: KeyFile) -> int:
    """Return the sequence of the next record; under the write lock.

    If the journal went back behind what was committed, it gets a new epoch first, and goes on far
    above all numbers that anybody may have seen.
    """
    newest = newest_sequence(connection)
    following = max(newest + 1, next_at_least(connection))
    committed = keys.committed_to
    if committed is None or committed < following:
        return following
    log.error(
        "the journal went back: record %d was committed, and the newest that is left is %d. It "
        "gets a new epoch, and goes on at another hundred thousand",
        committed,
        newest,
    )
    return begin_epoch(connection, keys, above=committed)


def begin_epoch(connection: sqlite3.Connection, keys: KeyFile, above: int) -> int:
    """Give the journal a new epoch, and let its sequence jump; in a transaction.

    Returns the sequence of the next record.
    """
    newest = newest_sequence(connection)
    following = max(newest, above) // JUMP * JUMP + JUMP
    skipped = (newest + 1, following - 1)
    if skipped not in keys.skipped:
        keys.skip(*skipped)
    store = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
    connection.executemany(store, [("next", str(following)), ("epoch", random_id(8))])
    return following


def roll_back(connection: sqlite3.Connection, keys: KeyFile) -> None:
    """Undo the transaction; the keys that it has taken are never used again."""
    if connection.in_transaction:  # SQLite itself rolls back when the disk is full
        connection.execute("ROLLBACK")
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            keys.redraw(newest_sequence(connection), only_taken=True)
        finally:
            connection.execute("ROLLBACK")
    except (sqlite3.Error, OSError) as fault:
        # Whoever meets a slot that is taken draws it anew before it uses it.
        log.warning("keys of a failed transaction are drawn anew later: %s", fault)


def _decide(
    connection: sqlite3.Connection,
    ledger: Ledger,
    group: list[Record],
    sequence: int,
    is_full: bool,
) -> list[Decision]:
    ledger.begin()
    ensure = ledger.keys.ensure
    usable = 0 if is_full or is_reserved(group) else ensure(sequence + 1, len(group))
    reserve = ensure(sequence + 1, len(group), reserved=True)
    decisions: list[Decision] = []
    taken = 0
    for record in group:
        if taken >= (reserve if record.act in _RESERVED else usable):
            decisions.append(Unavailable(NO_ROOM))
            continue
        try:
            decisions.append(ledger.apply(connection, record, sequence + taken + 1))
            taken += 1
        except (Refused, Duplicate) as refusal:  # raised before anything was written
            decisions.append(refusal)
    return decisions


def _is_full(fault: BaseException) -> bool:
    if isinstance(fault, sqlite3.Error):
        return getattr(fault, "sqlite_errorcode", None) in {
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR_SHMSIZE,
        }
    return isinstance(fault, OSError) and fault.errno in FULL


def next_at_least(connection: sqlite3.Connection) -> int:
    """Return what a jump of the sequence asks of the next record; 0 where there was none."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'next'").fetchone()
    return int(row[0]) if row else 0
