"""All of a newsroom's files, open together: the journal, its mirror, and the search."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from feedserver.model import Millis
from feedserver.sqlite.backup import last_backup
from feedserver.sqlite.database import Database, open_database
from feedserver.sqlite.filesystem import FileSystem, file_system
from feedserver.sqlite.journal import SQLiteJournal, open_journal
from feedserver.sqlite.mirror import SQLiteMirror
from feedserver.sqlite.opening import GLANCED_MAX
from feedserver.sqlite.search import Search, open_search


@dataclass(frozen=True, slots=True)
class Storage:
    """The open parts, and what is known of the folder that they are in."""

    database: Database
    journal: SQLiteJournal
    mirror: SQLiteMirror
    search: Search
    found_on: FileSystem

    @property
    def filesystem(self) -> str:
        """The name of the folder's file system."""
        return self.found_on.name

    @property
    def filesystem_remark(self) -> str | None:
        """What to know about erasing on that file system; None: nothing."""
        return self.found_on.remark

    async def last_backup(self) -> Millis | None:
        """Return when the last backup was made; None: never, as far as it is known."""
        last = await asyncio.to_thread(last_backup, self.database.path.parent)
        return last.at if last is not None else None


@asynccontextmanager
async def open_storage(
    folder: Path,
    *,
    begins: bool = False,
    serves: bool = True,
    reads_only: bool = False,
    checked_max: int = GLANCED_MAX,
    on_fault: Callable[[BaseException], None] | None = None,
) -> AsyncIterator[Storage]:
    """Open the newsroom in `folder`; one that `begins` makes it where there is none.

    One that does not serve, a command, keeps no search up to date and does no purge; one that
    `reads_only` changes nothing at all.

    Raises NoNewsroom, SetupError. Tells `on_fault` should a part of it ever die.
    """
    async with (
        open_database(
            folder, begins=begins, reads_only=reads_only, checked_max=checked_max
        ) as database,
        open_search(database, serves=serves) as search,
        open_journal(database, search, serves=serves, on_fault=on_fault) as journal,
    ):
        # Once for all questions: open files do not move to another file system.
        found_on = await asyncio.to_thread(file_system, database.keys.path)
        yield Storage(database, journal, SQLiteMirror(database, journal), search, found_on)
