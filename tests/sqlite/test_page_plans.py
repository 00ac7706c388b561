"""A page costs as much as it shows, however large the archive."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite.search_room import newsroom
from support.records import NOON, edit, item_of, post

from feedserver.model import Verb
from feedserver.sqlite import connecting
from feedserver.sqlite.connecting import Connection
from feedserver.sqlite.folder import DATABASE

pytestmark = pytest.mark.anyio


async def test_held_items_are_found_by_an_index_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Tracing(Connection):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            self.set_trace_callback(told.append)

    monkeypatch.setattr(connecting, "Connection", Tracing)
    async with newsroom(tmp_path) as storage:
        held = item_of(await storage.journal.append(post("News", NOON)))
        await storage.journal.append(edit(held, Verb.HOLD))
        for before in (None, (NOON + 1, 0)):
            page = await storage.mirror.page("world", 50, before, held=True)
            assert page is not None
            assert [item.id for item in page.items] == [held.id]
    statements = {statement for statement in told if "AND items.held" in statement}
    assert len(statements) == 2
    with closing(sqlite3.connect(tmp_path / DATABASE)) as journal:
        for statement in statements:
            steps = [row[3] for row in journal.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert steps[0].startswith("SEARCH items USING INDEX items_held (feed=?")
            assert not any("SCAN" in step or "TEMP B-TREE" in step for step in steps)
