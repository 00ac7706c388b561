"""A newsroom with some of everything in it: every verb, kills, redacts, imports, retries."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedserver.model import Feed, Item, Millis, Token, Verb
from feedserver.newsroom import Newsroom
from feedserver.sqlite.copying import open_copy
from feedserver.sqlite.folder import DATABASE
from feedserver.sqlite.keys import FILE, KeyFile
from feedserver.sqlite.rows import Reader
from feedserver.sqlite.state_hash import state_hash
from feedserver.sqlite.storage import Storage, open_storage
from feedserver.submission import Outcome, Submission
from support.records import NOON

PATIENCE = 20.0


@dataclass
class Archive:
    """The open newsroom of one folder, with anna, who edits all feeds, and the importer ida."""

    storage: Storage
    room: Newsroom
    tokens: dict[str, Token]
    now: list[Millis] = field(default_factory=lambda: [NOON])
    items: dict[str, Item] = field(default_factory=dict)

    async def do(self, verb: Verb, item: Item | None = None, **raw: Any) -> Outcome:
        """Do a verb, to the feed world unless `slug` says another, a second after the last."""
        self.now[0] += 1000
        slug, editor = raw.pop("slug", "world"), raw.pop("by", "anna")
        key = raw.pop("key", None)
        condition = ((item.version, item.check),) if item else None
        return await self.room.submit(
            Submission(
                item.feed if item else slug,
                verb,
                raw,
                self.tokens[editor],
                item.id if item else None,
                condition,
                key,
            )
        )

    async def item(self, verb: Verb, item: Item | None = None, **raw: Any) -> Item:
        return (await self.do(verb, item, **raw)).item

    async def feed(self, slug: str = "world", **raw: Any) -> Feed:
        self.now[0] += 1000
        return (await self.room.configure(slug, raw, None)).feed

    async def add_token(self, name: str, *feeds: str, importer: bool = False) -> None:
        self.now[0] += 1000
        digest = hashlib.sha256(f"{name} {self.now[0]}".encode()).hexdigest()
        self.tokens[name] = await self.room.add_token(name, digest, feeds, importer=importer)

    async def purged(self) -> None:
        assert await self.storage.journal.purged(PATIENCE)


@asynccontextmanager
async def open_archive(folder: Path) -> AsyncIterator[Archive]:
    """Open the newsroom of a folder; it is made where there is none."""
    async with open_storage(folder, begins=True) as storage:
        now = [NOON]
        room = Newsroom(storage.journal, storage.mirror, lambda: now[0])
        tokens = {token.name: token for token in await storage.mirror.tokens()}
        archive = Archive(storage, room, tokens, now)
        head = await storage.journal.head()
        now[0] = NOON + 1000 * head
        if not tokens:
            await archive.feed(title="World", language="uk", timezone="Europe/Kyiv")
            await archive.add_token("anna")
            await archive.add_token("ida", importer=True)
        yield archive


async def fill(archive: Archive, seed: int = 1) -> None:
    """Do some of everything, leaving items by name in `archive.items`."""
    items = archive.items
    await archive.feed("sport", title="Sport", description="All that rolls")
    await archive.add_token("bob", "sport")
    rich = {
        "headline": "Bus hit in Druzhkivka",
        "body": "**Seven** hurt, says [the police](https://police.example/1).\n\nMore soon.",
        "tags": ["druzhkivka", "bus"],
        "byline": "Ann Example",
        "source": "Police",
        "url": "https://news.example/1",
        "media": [{"url": "https://cdn.example/a.jpg", "alt": "The bus", "width": 1200}],
        "language": "en",
        "occurred_at": "2025-05-17T10:13:00Z",
        "breaking": True,
    }
    item = await archive.item(Verb.POST, **rich, key="rich")
    item = await archive.item(Verb.FIX, item, tags=["druzhkivka"], note="a tag", key="fix")
    item = await archive.item(Verb.UPDATE, item, body="Four hurt.\nNobody killed.", byline=None)
    item = await archive.item(Verb.CORRECT, item, headline="Bus hit", note="It was four, not seven")
    item = await archive.item(Verb.PIN, item)
    item = await archive.item(Verb.HOLD, item, note="the ministry denies it")
    items["rich"] = await archive.item(Verb.RELEASE, item)
    item = await archive.item(Verb.POST, headline="Grivna falls", body="Zolotnik", key="grivna")
    item = await archive.item(Verb.UPDATE, item, body="Arshin", key="grivna 2")
    items["killed"] = await archive.item(Verb.KILL, item, note="It was wrong", key="kill")
    items["held"] = await archive.item(Verb.HOLD, await archive.item(Verb.POST, headline="Doubt"))
    origin = {"uri": "https://old.example/feed", "id": "17"}
    item = await archive.item(
        Verb.POST, headline="Old news", origin=origin, at="2020-01-01T00:00:00Z", by="ida"
    )
    items["imported"] = await archive.item(
        Verb.UPDATE, item, body="Older", at="2020-01-02T00:00:00Z", by="ida"
    )
    items["dated"] = await archive.item(
        Verb.POST, headline="Filed late", published_at="2025-05-17T09:00:00Z", slug="sport"
    )
    item = await archive.item(Verb.POST, headline="Ivan Secret won", slug="sport", by="bob")
    redacted = item.version
    item = await archive.item(Verb.UPDATE, item, headline="A man won", by="bob")
    items["redacted"] = await archive.item(
        Verb.REDACT, item, version=redacted, note="a name", key="redact"
    )
    draw = random.Random(seed)
    for number in range(12):
        item = await archive.item(
            Verb.POST, headline=f"News {number}", body="x" * draw.randint(0, 900), key=f"n{number}"
        )
        if draw.random() < 0.4:
            item = await archive.item(Verb.FIX, item, headline=f"News {number}!")
        items[f"news {number}"] = item
    await archive.room.revoke_token("bob")
    await archive.feed("sport", closed=True)
    await archive.feed(summary="- One\n- Two")
    await archive.feed(summary="- Two\n- Three", description="The world")
    await archive.purged()


def made(folder: Path, seed: int = 1) -> dict[str, Item]:
    """Make such a newsroom in a folder and close it; return its items by name."""

    async def make() -> dict[str, Item]:
        async with open_archive(folder) as archive:
            await fill(archive, seed)
            return archive.items

    return asyncio.run(make())


def hash_of(folder: Path) -> str:
    """Return the hash of the state in a folder."""
    with closing(open_copy(folder / DATABASE)) as connection:
        keys = KeyFile(folder / FILE, read_only=True)
        try:
            reader = Reader(keys)
            found = state_hash(connection, reader)
            assert not reader.unreadable
            return found
        finally:
            keys.close()
