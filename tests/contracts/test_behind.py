"""A process that is behind the journal never answers for the whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.requests import Request
from support.records import Open, Opened, feed, item_of, made, post, token

from feedserver.api import lookups
from feedserver.api.access import Tokens, digest
from feedserver.api.context import Context, Site
from feedserver.errors import Behind, NotFound, Unauthorized
from feedserver.live import hub as hubs
from feedserver.live.hub import Hub
from feedserver.model import Cursor, Feed, Item, Token
from feedserver.newsroom import Newsroom

pytestmark = pytest.mark.anyio


@dataclass
class Late:
    """A machine's journal and mirror before it has heard of the newest records."""

    opened: Opened
    head_then: int
    is_level: bool = False
    comes: bool = False  # whether it gets level when it waits for that

    @property
    def identity(self) -> Any:
        return self.opened.journal.identity

    async def head(self) -> int:
        return await self.opened.journal.head() if self.is_level else self.head_then

    async def level(self) -> bool:
        self.is_level = self.is_level or self.comes
        return self.is_level

    async def given(self, sequence: int) -> bool:
        return await self.opened.journal.given(sequence)

    async def feed(self, slug: str) -> Feed | None:
        found = await self.opened.mirror.feed(slug)
        return found if self.is_level or (found and found.version <= self.head_then) else None

    async def initial_state(self, slug: str, recent: int, checks: int) -> Any:
        if await self.feed(slug) is None:
            return None
        return await self.opened.mirror.initial_state(slug, recent, checks)

    async def item(self, slug: str, item: int) -> Item | None:
        known = self.is_level or item <= self.head_then
        return await self.opened.mirror.item(slug, item) if known else None

    async def tokens(self) -> tuple[Token, ...]:
        return await self.opened.mirror.tokens() if self.is_level else ()

    async def check(self, slug: str, sequence: int) -> str | None:
        known = self.is_level or sequence <= self.head_then
        return await self.opened.mirror.check(slug, sequence) if known else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.opened.mirror, name)


@dataclass
class There:
    """That machine, and what was appended since."""

    late: Late
    here: Context
    hub: Hub
    item: Item
    cursor: str


@pytest.fixture
async def there(opening: Open) -> AsyncIterator[There]:
    async with opening() as opened:
        await opened.journal.append(feed())
        late = Late(opened, await opened.journal.head())
        hub = Hub(late, late, page_url=lambda slug: f"/feeds/{slug}")  # type: ignore[arg-type]
        here = Context(
            journal=late,  # type: ignore[arg-type]
            mirror=late,  # type: ignore[arg-type]
            newsroom=Newsroom(late, late, lambda: 0),  # type: ignore[arg-type]
            hub=hub,
            crowd=hub,
            tokens=Tokens(()),
            site=Site("http://127.0.0.1", "News"),
        )
        assert await hub.channel("world")
        changes = await made(opened.journal, feed("sport"), token(), post("News"))
        item = item_of(changes[-1])
        cursor = str(Cursor(late.identity.epoch, item.version, item.check))
        yield There(late, here, hub, item, cursor)


def request(secret: str = "", **path: str) -> Request:
    headers = [(b"authorization", b"Bearer " + secret.encode())] if secret else []
    return Request(
        {"type": "http", "method": "GET", "path": "/", "headers": headers, "path_params": path}
    )


async def test_what_it_does_not_know_is_asked_for_later_and_not_said_to_be_missing(
    there: There,
) -> None:
    for look in (
        lookups.find_feed(there.here, request(feed="sport")),
        lookups.find_item(there.here, request(feed="world", item=str(there.item.id))),
        lookups.arrive(there.here, request(feed="sport"), None),
    ):
        with pytest.raises(Behind):
            await look
    with pytest.raises(Behind):
        await there.here.editor(request("anna's"))


async def test_once_it_is_level_it_knows_and_what_is_missing_is_missing(there: There) -> None:
    there.late.comes = True
    found = await lookups.find_item(there.here, request(feed="world", item=str(there.item.id)))
    assert found == there.item
    assert (await lookups.find_feed(there.here, request(feed="sport"))).slug == "sport"
    with pytest.raises(NotFound):
        await lookups.find_feed(there.here, request(feed="nowhere"))
    with pytest.raises(Unauthorized):
        await there.here.editor(request("a stranger's"))


async def test_a_token_made_at_another_process_is_good_here_at_once(opening: Open) -> None:
    async with opening() as opened:
        await opened.journal.append(feed())
        hub = Hub(opened.journal, opened.mirror, page_url=str)
        here = Context(
            journal=opened.journal,  # type: ignore[arg-type]
            mirror=opened.mirror,  # type: ignore[arg-type]
            newsroom=Newsroom(opened.journal, opened.mirror, lambda: 0),
            hub=hub,
            crowd=hub,
            tokens=Tokens((), await opened.journal.head()),
            site=Site("http://127.0.0.1", "News"),
        )
        await here.newsroom.add_token("ben", digest("ben's"), (), importer=False)
        assert (await here.editor(request("ben's"))).name == "ben"
        reads = 0
        tokens = opened.mirror.tokens

        async def counted() -> tuple[Token, ...]:
            nonlocal reads
            reads += 1
            return await tokens()

        opened.mirror.tokens = counted  # type: ignore[method-assign]
        for _ in range(5):  # and guessing costs no reads
            with pytest.raises(Unauthorized):
                await here.editor(request("a stranger's"))
        assert reads == 0


async def test_a_cursor_that_is_ahead_of_it_is_held_and_then_sent_back(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "BEHIND_TIMEOUT", 0.01)
    with pytest.raises(Behind):
        await there.hub.arrive("world", there.cursor)


async def test_a_cursor_that_the_journal_never_gave_is_answered_with_a_snapshot(
    there: There,
) -> None:
    epoch, _, check = there.cursor.split(".")
    found = await there.hub.arrive("world", f"{epoch}.{10**9}.{check}")
    assert found is not None
    assert found[1] is None


async def test_a_cursor_ahead_of_it_goes_on_once_its_record_is_taken_in(there: There) -> None:
    there.late.comes = True
    arriving = asyncio.create_task(there.hub.arrive("world", there.cursor))
    async with asyncio.timeout(10):
        async for changes in there.late.opened.journal.follow(there.late.head_then):
            there.hub.apply(changes)
            if changes[-1].sequence >= there.item.version:
                break
        found = await arriving
    assert found is not None
    channel, position = found
    assert position is not None
    assert position.sequence == channel.position.sequence == there.item.version
