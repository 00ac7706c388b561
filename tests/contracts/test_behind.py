"""A process that is behind the journal never answers for the whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from support.records import NOON, Open, Opened, feed, item_of, made, post, token

from feedserver import service
from feedserver.api import lookups
from feedserver.api.access import Tokens, digest
from feedserver.api.context import Context, Site
from feedserver.errors import Behind, NotFound, Unauthorized
from feedserver.live import hub as hubs
from feedserver.live.hub import Hub
from feedserver.model import Cursor, Feed, Item, Record, Token
from feedserver.newsroom import Newsroom
from feedserver.rules import Change

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

    async def append(self, record: Record) -> Change:
        return await self.opened.journal.append(record)

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

    @property
    def misplaced(self) -> str | None:
        return None

    async def feed_revisions(self, slug: str) -> Any:
        return await self.opened.mirror.feed_revisions(slug) if await self.feed(slug) else ()

    async def revisions(self, slug: str, item: int) -> Any:
        known = await self.item(slug, item) is not None
        return await self.opened.mirror.revisions(slug, item) if known else ()

    async def history(self, slug: str, item: int, bytes_max: int) -> Any:
        known = await self.item(slug, item) is not None
        return await self.opened.mirror.history(slug, item, bytes_max) if known else None

    async def page(self, slug: str, *rest: Any, **more: Any) -> Any:
        known = await self.feed(slug) is not None
        return await self.opened.mirror.page(slug, *rest, **more) if known else None

    async def page_after(self, slug: str, *rest: Any) -> Any:
        return await self.opened.mirror.page_after(slug, *rest) if await self.feed(slug) else None

    async def page_around(self, slug: str, limit: int, item: int) -> Any:
        known = await self.item(slug, item) is not None
        return await self.opened.mirror.page_around(slug, limit, item) if known else None

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
        room = Newsroom(opened.journal, opened.mirror, lambda: NOON)
        ben = await room.add_token("ben", digest("ben's"), (), importer=False)
        late = Late(opened, await opened.journal.head())
        hub = Hub(late, late, page_url=lambda slug: f"/feeds/{slug}")  # type: ignore[arg-type]
        here = Context(
            journal=late,  # type: ignore[arg-type]
            mirror=late,  # type: ignore[arg-type]
            newsroom=Newsroom(late, late, lambda: NOON),  # type: ignore[arg-type]
            hub=hub,
            crowd=hub,
            tokens=Tokens((ben,)),
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


DRAFT = {"headline": "News"}
WRONG = {"headline": ""}
NOTE = {"verb": "kill", "note": "withdrawn"}
REDACT = {"verb": "redact", "version": 1, "note": "a name"}
ANY, NONE = {"If-Match": "*"}, dict[str, str]()
DOORS: list[tuple[str, str, dict[str, Any] | None, dict[str, str]]] = [
    *(
        ("GET", f"{path}", None, NONE)
        for path in (
            "/v1/feeds/sport",
            "/v1/feeds/sport/items",
            "/v1/feeds/sport/items?at={item}",
            "/v1/feeds/sport/items?before=1747483200000.1",
            "/v1/feeds/sport/items?after=1747483200000.1",
            "/v1/feeds/sport/items?tag=t",
            "/v1/feeds/sport/items/{item}",
            "/v1/feeds/sport/items/{item}/history",
            "/v1/feeds/sport/items/{item}/revisions",
            "/v1/feeds/sport/changes",
            "/v1/feeds/sport/stream",
            "/v1/feeds/sport/revisions",
            "/v1/feeds/sport/readers",
            "/v1/feeds/world/items?at={item}",
            "/v1/feeds/world/items/{item}",
            "/v1/feeds/world/items/{item}/history",
            "/v1/feeds/world/items/{item}/revisions",
            "/feeds/sport",
            "/feeds/sport?at={item}",
            "/feeds/sport/embed",
            "/feeds/sport/embed/new",
            "/feeds/sport.atom",
            "/feeds/sport.rss",
            "/feeds/sport.json",
            "/feeds/sport.ninjs",
            "/feeds/sport.jsonld",
            "/feeds/sport.md",
            "/feeds/world?at={item}",
            "/feeds/world/items/{item}",
            "/feeds/world/items/{item}.ninjs",
            "/oembed?url=http://127.0.0.1/feeds/sport",
            "/oembed?url=http://127.0.0.1/feeds/world/items/{item}",
        )
    ),
    ("POST", "/v1/feeds/sport/items", WRONG, NONE),
    ("POST", "/v1/feeds/sport/lint", DRAFT, NONE),
    ("POST", "/v1/feeds/world/lint", {"item": 0, "verb": "fix"} | DRAFT, NONE),
    ("POST", "/v1/feeds/world/lint", {"item": 0, "verb": "redact", "version": 1}, NONE),
    ("POST", "/v1/feeds/sport/revisions", REDACT, ANY),
    ("POST", "/v1/feeds/world/items/{item}/revisions", NOTE, NONE),
    ("POST", "/v1/feeds/world/items/{item}/revisions", {"verb": "fix"} | DRAFT, ANY),
    ("POST", "/v1/feeds/world/items/{item}/revisions", {"verb": "fix"} | WRONG, ANY),
    ("POST", "/v1/feeds/world/items/{item}/revisions", REDACT, ANY),
    ("POST", "/v1/feeds/sport/items/{item}/revisions", {"verb": "fix"} | DRAFT, ANY),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"), DOORS, ids=[" ".join(map(str, door)) for door in DOORS]
)
async def test_at_no_door_it_says_that_something_is_missing_before_it_is_level(
    there: There, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
) -> None:
    app = service.make_app(None)
    app.state.context = there.here
    if body is not None and "item" in body:
        body = body | {"item": there.item.id}
    address = "http://127.0.0.1" + path.format(item=there.item.id)
    headers = headers | {"Authorization": "Bearer ben's"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        answer = await client.request(method, address, json=body, headers=headers)
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True), answer.text
        if path.endswith("stream"):  # which would not end
            return
        there.late.comes = True
        answer = await client.request(method, address, json=body, headers=headers)
        is_there = "sport" not in path or "{item}" not in path
        assert answer.status_code != 503
        assert (answer.status_code != 404) == is_there, answer.text


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
