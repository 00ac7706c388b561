"""A mirror that starts empty, after kills, refusals and redactions, equals all others."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pytest
from support import archive
from support.memory import Store
from support.records import (
    NOON,
    SECOND,
    Open,
    Opened,
    edit,
    feed,
    in_memory,
    in_sqlite,
    key,
    kill,
    level,
    made,
    post,
    redact,
    revoke,
    token,
)

from feedserver.errors import FeedError, Refused
from feedserver.model import Item, Origin, Record, Revision, Verb
from feedserver.redaction import redaction_of
from feedserver.rules import Duplicate
from feedserver.sqlite import replaying
from feedserver.sqlite.connecting import connect
from feedserver.sqlite.folder import DATABASE
from feedserver.sqlite.keys import FILE
from feedserver.sqlite.state_hash import hash_of_state

pytestmark = pytest.mark.anyio

SLUGS = ("world", "sport")
STEPS = 150
EDITS = (Verb.FIX, Verb.UPDATE, Verb.CORRECT, Verb.HOLD, Verb.RELEASE, Verb.PIN, Verb.UNPIN)


@dataclass
class Told:
    """All that a mirror says: the hash of its state, and what was done to each item."""

    state: str
    revisions: dict[int, tuple[Revision, ...]]


@dataclass
class Editing:
    """Editors at several processes, who know what their process knows; seeded."""

    processes: tuple[Opened, ...]
    draw: random.Random
    now: int = NOON
    ids: list[tuple[str, int]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    async def begin(self) -> None:
        await made(
            self.processes[0].journal,
            *map(feed, SLUGS),
            token("anna"),
            token("bob", "sport"),
            token("ida", importer=True),
        )
        await level(*self.processes)

    async def step(self) -> None:
        self.now += SECOND
        here = self.draw.choice(self.processes)
        record = await self._record(here)
        if record is None:
            return
        try:
            change = await here.journal.append(record)
        except (Refused, Duplicate):
            self.done["refused"] += 1
            return
        self.done[record.act] += 1
        if record.act is Verb.POST and change.item is not None:
            self.ids.append((change.item.feed, change.item.id))

    async def _record(self, here: Opened) -> Record | None:
        kind = self.draw.choices(
            ("post", "edit", "kill", "redact", "import", "revoke", "close"),
            (30, 60, 8, 30, 6, 1, 3),
        )[0]
        match kind:
            case "post":
                return self._post()
            case "import":
                origin = Origin("https://old.example/feed", f"{self.draw.randrange(4)}")
                return post(at=self.now, origin=origin, claimed_at=NOON, editor="ida")
            case "revoke":
                return revoke("bob")
            case "close":
                sport = await here.mirror.feed("sport")
                assert sport is not None
                return feed("sport", self.now, sport, closed=sport.closed_at is None)
        item = await self._item(here)
        if item is None:
            return None
        match kind:
            case "kill":
                return kill(item, self.now)
            case "redact":
                return await self._redact(here, item)
        return self._edit(item)

    def _post(self) -> Record:
        slug = self.draw.choice(SLUGS)
        self.keys.append(f"{self.draw.randrange(40)}")  # now and then one that was used
        editor = "bob" if slug == "sport" else "anna"
        text = f"{self.now} is said"
        return post(text, self.now, slug, editor=editor, retry_key=key(self.keys[-1]))

    async def _item(self, here: Opened) -> Item | None:
        return await here.mirror.item(*self.draw.choice(self.ids)) if self.ids else None

    def _edit(self, item: Item) -> Record:
        verb = self.draw.choice(EDITS)
        fields = {}
        if verb in {Verb.FIX, Verb.UPDATE, Verb.CORRECT}:
            name = self.draw.choice(("headline", "body", "byline"))
            fields = {name: f"{name} of {self.now}", "breaking": self.draw.random() < 0.2}
        self.keys.append(f"{self.now}")
        note = f"note of {self.now}" if verb in {Verb.CORRECT, Verb.HOLD} else None
        return edit(item, verb, self.now, note=note, retry_key=key(self.keys[-1]), **fields)

    async def _redact(self, here: Opened, item: Item) -> Record:
        revisions = await here.mirror.revisions(item.feed, item.id)
        version = self.draw.choice(revisions).version
        note = f"another text at {self.now}"
        try:
            redaction, content = redaction_of(version, note, item, revisions)
        except FeedError:
            return redact(item, version, at=self.now)  # the rules are asked too
        return edit(item, Verb.REDACT, self.now, redaction=redaction, content=content, note=note)

    async def told(self, opened: Opened) -> Told:
        mirror = opened.mirror
        pages = [await mirror.page(slug, 1_000) for slug in SLUGS]
        items = sorted(
            chain.from_iterable(page.items for page in pages if page is not None),
            key=lambda item: item.id,
        )
        macs = sorted({key(name).mac for name in self.keys})
        retries = [(mac, await mirror.retry(mac)) for mac in macs]
        state = hash_of_state(
            await mirror.feeds(),
            items,
            await mirror.tokens(),
            [(mac, retry.revision.version) for mac, retry in retries if retry is not None],
        )
        return Told(state, {item.id: await mirror.revisions(item.feed, item.id) for item in items})


@dataclass
class Stage:
    """A journal, and how a mirror of it starts that has nothing but the records."""

    opening: Open
    empty: Callable[[], AbstractAsyncContextManager[Opened]]
    folder: Path | None = None


@pytest.fixture(params=["sqlite-0", "sqlite-1", "memory-0", "memory-1", "memory-2"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    name, _, seed = request.param.partition("-")
    if name == "memory":
        store = Store(int(seed))
        return Stage(in_memory(store=store), lambda: in_memory(store=store.without_erased())())
    here, there = tmp_path / "here", tmp_path / "there"
    return Stage(in_sqlite(here), lambda: in_sqlite(derived_anew(here, there))(), here)


def derived_anew(folder: Path, other: Path) -> Path:
    """Copy a folder's records and keys, and derive all else from them."""
    other.mkdir()
    with (
        closing(sqlite3.connect(folder / DATABASE)) as data,
        closing(sqlite3.connect(other / DATABASE)) as copy,
    ):
        data.backup(copy)
    shutil.copy(folder / FILE, other / FILE)
    with closing(connect(other / DATABASE, read_only=False)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        replaying.rebuild(connection)
        connection.execute("COMMIT")
    return other


@pytest.mark.parametrize("seed", range(3))
async def test_after_kills_refusals_and_redactions_all_mirrors_are_one(
    stage: Stage, seed: int
) -> None:
    async with stage.opening() as one, stage.opening() as other:
        editing = Editing((one, other), random.Random(seed))
        await editing.begin()
        for _ in range(STEPS):
            await editing.step()
        await level(one, other)
        assert min(editing.done[what] for what in ("refused", "kill", "redact")) >= 3
        told = await editing.told(one)
        assert any(line.erased_at for lines in told.revisions.values() for line in lines)
        assert await editing.told(other) == told
        async with stage.empty() as new:
            assert await editing.told(new) == told
    if stage.folder is not None:  # by the rows, and not by what a mirror says of them
        assert archive.hash_of(stage.folder) == told.state
