"""After a kill or redact: destroy the keys of the words that were withdrawn.

What is to do is derived, not listed twice: the kills and redacts above the keys' `erased_to`, and
above what the search file says that it was cleaned to.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3

import orjson

from feedserver.journal import Purge
from feedserver.model import Millis
from feedserver.sqlite.folder import BEFORE
from feedserver.sqlite.keys import KeyFile, destroy_in_copy

log = logging.getLogger("feedserver.purge")

DUE_MAX = 1000  # kills and redacts executed in one go

NEWEST = (1 << 63) - 1  # above every sequence

_NEWEST_ERASURE = (
    "SELECT max(sequence) FROM records WHERE act IN ('kill', 'redact') AND sequence <= ?"
)
_DUE = (
    "SELECT sequence, act, item, at, settings FROM records"
    " WHERE act IN ('kill', 'redact') AND sequence > ? ORDER BY sequence LIMIT ?"
)


def destroy_keys(connection: sqlite3.Connection, keys: KeyFile) -> bool:
    """Destroy the keys of all that was killed or redacted and is not yet; say whether all are.

    Safe to repeat, and in several processes at once. Faults are logged, for a later try.
    """
    try:
        while due := connection.execute(_DUE, (keys.erased_to or 0, DUE_MAX)).fetchall():
            for sequence, act, item, at, settings in due:
                erased = erased_by(connection, sequence, act, item, settings)
                keys.destroy(erased, sequence, act, at)
                _destroy_in_copies(keys, erased, sequence, act, at)
                keys.note_erased(sequence)
    except Exception as fault:  # also what nobody foresaw: the record is stored by now
        is_foreseen = isinstance(fault, OSError | sqlite3.Error)
        log.warning(
            "keys of withdrawn words could not be destroyed, will retry: %r",
            fault,
            exc_info=None if is_foreseen else fault,
        )
        return False
    return True


def erased_by(
    connection: sqlite3.Connection, sequence: int, act: str, item: int | None, settings: str | None
) -> list[int]:
    """Return the records whose words a kill or redact erases."""
    if act == "redact":
        listed: list[int] = orjson.loads(settings or "{}")["erases"]
        return listed
    earlier = "SELECT sequence FROM records WHERE item = ? AND sequence < ?"
    return [row[0] for row in connection.execute(earlier, (item, sequence))]


def is_due(connection: sqlite3.Connection, keys: KeyFile) -> bool:
    """Say whether a kill or redact is not executed yet."""
    return connection.execute(_DUE, (keys.erased_to or 0, 1)).fetchone() is not None


def newest_erasure(connection: sqlite3.Connection, up_to: int = NEWEST) -> int:
    """Return the newest kill or redact up to a record; 0: there is none."""
    found: int | None = connection.execute(_NEWEST_ERASURE, (up_to,)).fetchone()[0]
    return found or 0


def unfinished(connection: sqlite3.Connection, keys: KeyFile, cleaned_to: int) -> list[Purge]:
    """List the kills and redacts that are not wholly executed; `cleaned_to`: by the search file."""
    done = min(keys.erased_to or 0, cleaned_to)
    rows = connection.execute(_DUE, (done, DUE_MAX)).fetchall()
    return [Purge(sequence, item, at) for sequence, _, item, at, _ in rows]


def _destroy_in_copies(
    keys: KeyFile, erased: list[int], sequence: int, act: str, at: Millis
) -> None:
    """Destroy the same keys in what restores have set aside of this journal. Raises OSError."""
    owners = {one: owner for one in erased if (owner := keys.owner(one)) is not None}
    for path in keys.path.parent.glob(f"{BEFORE}*/{keys.path.name}"):
        with contextlib.suppress(FileNotFoundError):  # it was deleted meanwhile
            destroy_in_copy(path, owners, sequence, act, at)
