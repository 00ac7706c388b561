"""Rows derived from the records alone are those that the journal stored."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support import archive

from feedserver.sqlite import replaying
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.folder import DATABASE

TABLES = ("items", "feeds", "tokens", "retry_keys", "origins")


def tables(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in TABLES
    }


def test_all_tables_made_anew_from_the_records_are_as_they_were(tmp_path: Path) -> None:
    archive.made(tmp_path)
    before = archive.hash_of(tmp_path)
    with closing(connect(tmp_path / DATABASE, read_only=False)) as connection:
        stored = tables(connection)
        connection.execute("BEGIN IMMEDIATE")
        replaying.rebuild(connection)
        connection.execute("COMMIT")
        assert tables(connection) == stored
    assert archive.hash_of(tmp_path) == before


def test_so_are_those_of_a_feed_whose_own_words_were_redacted(tmp_path: Path) -> None:
    async def redact() -> None:
        async with archive.open_archive(tmp_path) as here:
            for summary in ("- Secret", "- Secret, and more", "- Four"):
                await here.feed(summary=summary)
            await here.feed(title="The world")
            lines = await here.storage.mirror.feed_revisions("world")
            raw = {"verb": "redact", "version": lines[-4].version, "note": "a name"}
            await here.room.redact_feed("world", raw, here.tokens["anna"], (), None)
            await here.purged()
            lines = await here.storage.mirror.feed_revisions("world")
            assert any(line.erased_at for line in lines)

    archive.made(tmp_path)
    asyncio.run(redact())
    before = archive.hash_of(tmp_path)
    with closing(connect(tmp_path / DATABASE, read_only=False)) as connection:
        stored = tables(connection)
        connection.execute("BEGIN IMMEDIATE")
        replaying.rebuild(connection)
        connection.execute("COMMIT")
        assert tables(connection) == stored
    assert archive.hash_of(tmp_path) == before


def test_each_record_bears_what_the_rules_derive_for_it(tmp_path: Path) -> None:
    archive.made(tmp_path)
    with closing(connect(tmp_path / DATABASE, read_only=True)) as connection:
        for _, group in replaying.item_records(connection):
            item = None
            for row in group:
                item = replaying.item_after(item, row)
                assert replaying.is_derived(item, row), row


def test_a_change_without_a_post_is_said(tmp_path: Path) -> None:
    items = archive.made(tmp_path)
    with closing(connect(tmp_path / DATABASE, read_only=False)) as connection:
        rich = items["rich"].id
        connection.execute("DELETE FROM records WHERE sequence = ?", (rich,))
        with pytest.raises(replaying.Unfounded, match=f"the first of item {rich}, and no post"):
            replaying.item_of(connection, rich)
        assert replaying.item_of(connection, 10_000) is None
