"""No statement of the search reads through a table that grows with the archive."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite.search_room import found, level, newsroom, page, shrink
from support.records import NOON, edit, item_of, kill, made, post, redact

from feedserver.model import Act, Record, Verb, random_id
from feedserver.sqlite import connecting, search
from feedserver.sqlite.connecting import Connection
from feedserver.sqlite.folder import DATABASE, SEARCH

pytestmark = pytest.mark.anyio

# Tables with a row for each partition, of 32,768 records, or fewer rows than that.
SMALL = ("meta", "partitions", "remakes", "sqlite_schema")
NO_PLAN = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "CREATE", "DROP", "--")


class Told:
    """The statements that were executed, without their values."""

    def __init__(self) -> None:
        self.statements: dict[str, str] = {}

    def note(self, statement: str) -> None:
        is_of_fts = "'main'.'terms" in statement
        if not statement.startswith(NO_PLAN) and not is_of_fts:
            shape = re.sub(r"terms_\d+_\d", "terms", re.sub(r"x?'[^']*'|-?\b\d+\b", "?", statement))
            self.statements.setdefault(shape, statement)


async def test_every_statement_uses_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, PARTITION=512, BLOCK=64, FEW=100)
    monkeypatch.setattr(search, "LEVEL_SECONDS", 0.1)
    told = Told()

    class Tracing(Connection):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            self.set_trace_callback(told.note)

    async with newsroom(tmp_path) as storage:
        changes = []
        for _ in range(12):
            changes += await asyncio.gather(
                *(storage.journal.append(post(f"News {n}", tags=["t"])) for n in range(256))
            )
        await level(storage)
    monkeypatch.setattr(connecting, "Connection", Tracing)
    async with newsroom(tmp_path) as storage:
        for question in (
            {"words": "news"},
            {"words": "255 new"},
            {"tag": "t"},
            {"words": "unheard"},
        ):
            await found(storage, **question)
            await page(storage, before=(NOON, changes[700].sequence), **question)
        item = item_of(await storage.journal.append(post("News", NOON + 3_600_000)))
        item = item_of(await storage.journal.append(edit(item, Verb.FIX, body="b")))
        await made(
            storage.journal, Record(random_id(), Act.RESTAMP, NOON, feed="world", item=item.id)
        )
        await found(storage, words="news")
        changed = await storage.mirror.item("world", item.id)
        assert changed is not None
        await made(storage.journal, redact(changed, item.id), kill(item_of(changes[5])))
        assert await storage.journal.purged(30)
        with closing(sqlite3.connect(tmp_path / SEARCH, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await made(storage.journal, post("News"))
            await found(storage, words="news")  # as of an earlier moment
            other.execute("ROLLBACK")
        await level(storage)
        (tmp_path / SEARCH).unlink()
        assert storage.search.cleaned_to
    async with newsroom(tmp_path) as storage:
        await level(storage)
        assert await storage.journal.purged(30)
    with (
        closing(sqlite3.connect(tmp_path / DATABASE)) as journal,
        closing(sqlite3.connect(tmp_path / SEARCH)) as index,
    ):
        ours = {name for (name,) in index.execute("SELECT name FROM sqlite_schema")}
        assert len(told.statements) > 35
        for shape, statement in told.statements.items():
            assert not _scans(index, journal, statement, ours), shape


def _scans(
    index: sqlite3.Connection, journal: sqlite3.Connection, statement: str, ours: set[str]
) -> list[str]:
    """Return the steps of a statement's plan that read through a table which grows."""
    names = set(re.findall(r"\w+", statement))
    if names & {f"terms_{n}_{turn}" for n in range(100) for turn in (0, 1)} - ours:
        return []  # a partition's table that was made anew since
    where = index if names & (ours - {"meta"}) else journal
    plan = where.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    steps = [row[3] for row in plan]
    return [
        step
        for step in steps
        if step.startswith("SCAN")
        and "VIRTUAL TABLE INDEX" not in step
        and not step.startswith(tuple(f"SCAN {name}" for name in (*SMALL, "(subquery")))
        and not (step.startswith("SCAN records USING COVERING INDEX records_that_erase"))
    ]
