"""All of a newsroom's files, open together: the journal, its mirror, and the search."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from feedserver.sqlite.database import Database, open_database
from feedserver.sqlite.journal import SQLiteJournal, open_journal
from feedserver.sqlite.mirror import SQLiteMirror
from feedserver.sqlite.opening import GLANCED_MAX
from feedserver.sqlite.search import Search, open_search


@dataclass(frozen=True, slots=True)
class Storage:
    """The open parts."""

    database: Database
    journal: SQLiteJournal
    mirror: SQLiteMirror
    search: Search


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
        yield Storage(database, journal, SQLiteMirror(database, journal), search)
