"""Records that cannot be read are left out, and what a reader is told of the rest stays true."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import orjson
import pytest
from support.records import feed, item_of, made, open_sqlite, post

from feedserver.live.hub import Hub
from feedserver.model import CATCH_UP_MAX, SNAPSHOT_ITEMS, Cursor
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.folder import DATABASE

pytestmark = pytest.mark.anyio


async def test_one_of_them_hides_no_news_from_who_was_away_and_no_page_from_who_comes(
    tmp_path: Path,
) -> None:
    async with open_sqlite(tmp_path) as (journal, _):
        [made_feed] = await made(journal, feed())
        changes = await made(journal, *(post(f"News {n}") for n in range(CATCH_UP_MAX + 20)))
    spoilt = item_of(changes[-20])
    with closing(connect(tmp_path / DATABASE, read_only=False)) as connection:
        flip = "UPDATE records SET sealed = zeroblob(length(sealed)) WHERE sequence = ?"
        connection.execute(flip, (spoilt.id,))
    async with open_sqlite(tmp_path) as (journal, mirror):
        hub = Hub(journal, mirror, page_url=str)
        channel = await hub.channel("world")
        assert channel is not None
        [snapshot] = channel.chain(None)
        assert len(snapshot.items) == SNAPSHOT_ITEMS
        assert orjson.loads(snapshot.json(0))["next"]
        cursor = Cursor(hub.epoch, made_feed.sequence, made_feed.check)
        found = await hub.arrive("world", str(cursor))
        assert found is not None
        assert list(channel.chain(found[1])) == [snapshot], "it is too far behind for its changes"
