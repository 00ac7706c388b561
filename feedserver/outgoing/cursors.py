"""How far others were told of each feed: `outgoing.db`, beside the journal and no part of it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from feedserver.errors import SetupError
from feedserver.model import Millis

NAME = "outgoing.db"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS told (
    target TEXT, feed TEXT, epoch TEXT NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY (target, feed)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS failing (
    target TEXT PRIMARY KEY, since INTEGER NOT NULL, detail TEXT NOT NULL
) WITHOUT ROWID, STRICT;
"""


class Cursors:
    """The open file. Each call is short, and made beside the loop."""

    def __init__(self, folder: Path) -> None:
        """Open it, and make it where there is none. Raises SetupError."""
        path = folder / NAME
        # Kept open for the lock. One that is closed would take SQLite's own locks along.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._database.executescript(_SCHEMA)
        except sqlite3.DatabaseError as fault:
            self.close()
            raise SetupError(
                f"{path} cannot be used ({fault}): if it is damaged, move it away; each feed is "
                "then told of once more"
            ) from None

    def close(self) -> None:
        """Close the file, and let another process send."""
        self._database.close()
        os.close(self._file)

    def lock(self) -> bool:
        """Become the one process that sends; False: another one is."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def forget_all_but(self, target: str) -> None:
        """Forget the targets of former settings."""
        for table in ("told", "failing"):
            self._database.execute(f"DELETE FROM {table} WHERE target != ?", (target,))  # noqa: S608

    def told(self, target: str, epoch: str) -> dict[str, int]:
        """Return up to which sequence a target was told of each feed of this journal."""
        found = self._database.execute(
            "SELECT feed, sequence FROM told WHERE target = ? AND epoch = ?", (target, epoch)
        )
        return dict(found.fetchall())

    def tell(self, target: str, feed: str, epoch: str, sequence: int) -> None:
        """Remember that a target was told of a feed up to here."""
        self._database.execute(
            "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?)", (target, feed, epoch, sequence)
        )

    def fail(self, target: str, since: Millis, detail: str) -> None:
        """Remember since when a target takes nothing, and why."""
        self._database.execute(
            "INSERT INTO failing VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET detail = excluded.detail",
            (target, since, detail),
        )

    def recover(self, target: str) -> None:
        """Forget that a target took nothing."""
        self._database.execute("DELETE FROM failing WHERE target = ?", (target,))

    def failing(self, before: Millis) -> dict[str, tuple[Millis, str]]:
        """Return who has taken nothing since `before` or longer: since when, and why."""
        found = self._database.execute(
            "SELECT target, since, detail FROM failing WHERE since <= ?", (before,)
        )
        return {target: (since, detail) for target, since, detail in found.fetchall()}
