"""Do these keys belong to this data, and do they reach as far?"""

from __future__ import annotations

import sqlite3

from feedserver.sqlite import rows
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.rows import Reader, Row
from feedserver.sqlite.slots import Gone, Unreadable, hash_of


def last_with_key(connection: sqlite3.Connection, keys: KeyFile) -> int:
    """Return the newest record whose key is there or was destroyed; 0 where there is none.

    It is the newest of all, unless the keys are older than the data.
    """
    reader = Reader(keys)
    for row in connection.execute(
        f"SELECT {rows.RECORD} FROM records WHERE sequence < ?"  # noqa: S608
        " ORDER BY sequence DESC",
        (keys.end,),
    ):
        if _has_key(reader, row):
            return int(row[0])
    return 0


def _has_key(reader: Reader, row: Row) -> bool:
    """Say whether a slot is that of the record. One that is damaged counts as if it were."""
    try:
        reader.words(row)
    except Gone:
        return True
    except Unreadable:
        return reader.keys.owner(row[0]) in {None, hash_of(row[2])}
    return True
