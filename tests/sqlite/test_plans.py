"""No statement that somebody waits for reads through the archive, or sorts what it has read."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlite.statements import Executed, Statement, modules, noted, sites_in
from support.archive import Archive, fill, open_archive
from support.records import NOON

from feedserver.commands import program
from feedserver.errors import Killed, Refused, WrongState
from feedserver.model import Act, Item, Record, Verb, random_id
from feedserver.outgoing.cursors import Cursors
from feedserver.sqlite import headlines
from feedserver.sqlite.folder import DATABASE
from feedserver.sqlite.opening import accept_clock
from feedserver.sqlite.storage import open_storage

pytestmark = pytest.mark.anyio

FEW, MANY = 600, 4_000  # items; answers are as long over both
GROUP = 256  # posted at once
MORE_WORK = 5  # over many items than over few, in tens of SQLite's opcodes: a full read is 500

# Tables that do not grow with the archive.
SMALL = ("feeds", "tokens", "meta", "told", "failing")
# What walks through the records or sorts, and why it may.
WALKS = {
    " ".join(headlines._NEWEST_LIVE.split()): "it leaves a feed at the first item too old to sort",
    "SELECT at FROM records ORDER BY sequence DESC LIMIT 1": "it stops at the first, the newest",
}

# Modules whose statements may read all there is, since that is what they are for.
READ_ALL = {
    "sqlite/backup.py": "it counts what it has copied, beside the server",
    "sqlite/checking.py": "`check` looks at every record, beside the server",
    "sqlite/comparing.py": "`check` compares every row, beside the server",
    "sqlite/former.py": "`migrate` takes everything over while nobody is served",
    "sqlite/key_coverage.py": "a restore looks which records have keys, before the server goes on",
    "sqlite/migration.py": "`migrate` takes everything over while nobody is served",
    "sqlite/moving_in.py": "the end of `migrate`, while nobody is served",
    "sqlite/repairing.py": "`check --repair` makes rows anew",
    "sqlite/replaying.py": "`check`, `migrate` and `restore` derive every row from the records",
    "sqlite/restoring.py": "a restore works while nobody can write",
    "sqlite/staging.py": "a restore looks through the copy that it is given",
    "sqlite/state_hash.py": "it is a number for the whole state, for tests and for `restore`",
}
# Modules whose statements test_search_plans looks at, in partitions that it makes small.
OF_THE_SEARCH = "sqlite/search"


async def filled(folder: Path, count: int) -> None:
    """Fill a folder with some of everything, then with so many items of the feed world."""
    async with open_archive(folder) as archive:
        await fill(archive)
        for start in range(0, count, GROUP):
            numbers = range(start, min(start + GROUP, count))
            posts = [archive.do(Verb.POST, headline=f"News {n}", key=f"key {n}") for n in numbers]
            await asyncio.gather(*posts)
        await archive.purged()


async def everything(folder: Path) -> None:
    """Begin, write, withdraw, read, follow and look through, in all ways there are."""
    async with open_storage(folder.with_name(f"{folder.name}.new"), begins=True):
        pass
    old = folder.with_name(f"{folder.name}.old")
    async with open_archive(folder) as archive:
        items = await written(archive)
        with (
            closing(sqlite3.connect(folder / DATABASE)) as data,
            closing(sqlite3.connect(old)) as copy,
        ):
            data.backup(copy)
        await withdrawn(archive, items)
        await read(archive, items)
    for command in ("feed list", "token list", "check"):
        await asyncio.to_thread(program.main, [*command.split(), "--data", str(folder)])
    copies = folder.with_name(f"{folder.name}.backup")
    await asyncio.to_thread(program.main, ["backup", str(copies), "--data", str(folder)])
    told_others(folder)
    accept_clock(folder, NOON)
    old.replace(folder / DATABASE)  # older data beside newer keys: what was withdrawn stays so
    async with open_archive(folder) as archive:
        assert await archive.storage.journal.purged(20)


async def written(archive: Archive) -> list[Item]:
    await archive.feed("business", title="Business")
    await archive.add_token("carl", "world")
    item = await archive.item(Verb.POST, headline="Grivna", key="new")
    again = await archive.do(Verb.POST, headline="Grivna", key="new")
    assert again.replayed
    for verb, raw in (
        (Verb.FIX, {"body": "Zolotnik"}),
        (Verb.UPDATE, {"headline": "Arshin"}),
        (Verb.CORRECT, {"headline": "Sazhen", "note": "not Arshin"}),
        (Verb.PIN, {}),
        (Verb.HOLD, {"note": "perhaps"}),
        (Verb.RELEASE, {}),
    ):
        item = await archive.item(verb, item, **raw)
    origin: Any = {"uri": "https://old.example/new", "id": "1"}
    imported = {"headline": "Old", "origin": origin, "by": "ida", "at": "2020-01-01T00:00:00Z"}
    await archive.item(Verb.POST, **imported)
    with pytest.raises(Refused):  # it was imported before
        await archive.item(Verb.POST, **imported)
    restamp = Record(random_id(), Act.RESTAMP, NOON, feed="world", item=item.id)
    await archive.storage.journal.append(restamp)
    others = [await archive.item(Verb.POST, headline=f"One of {n}", key=f"{n}") for n in range(3)]
    others[1] = await archive.item(Verb.UPDATE, others[1], headline="Another")
    for text in ("One", "Two", "Three"):
        await archive.feed(summary=text)
    found = await archive.storage.mirror.item("world", item.id)
    assert found is not None
    return [found, *others]


async def withdrawn(archive: Archive, items: list[Item]) -> None:
    mirror, room, anna = archive.storage.mirror, archive.room, archive.tokens["anna"]
    item, killed, shown, _ = items
    item = await archive.item(Verb.REDACT, item, version=item.id, note="a name")
    corrected = next(
        one.version for one in await mirror.revisions("world", item.id) if one.act is Verb.CORRECT
    )
    await archive.item(Verb.REDACT, item, version=corrected, note="not that")
    tombstone = await archive.item(Verb.KILL, killed, note="withdrawn")
    with pytest.raises(Killed):
        await archive.do(Verb.POST, headline="One of 0", key="0")
    await archive.item(Verb.REDACT, tombstone, version=tombstone.version, note="gone")
    # Its words before are gone in the copy that is older, where they are shown.
    later = await archive.item(Verb.UPDATE, shown, headline="A third")
    await archive.item(Verb.REDACT, later, version=shown.version, note="a name")
    await room.configure("world", {"summary": "Four"}, anna, None, "feed")
    again = await room.configure("world", {"summary": "Four"}, anna, None, "feed")
    assert again.replayed
    for version in [one.version for one in await mirror.feed_revisions("world")][-4:-1]:
        raw = {"verb": "redact", "version": version, "note": "a name"}
        with suppress(WrongState):  # an earlier one of these has erased it too
            await room.redact_feed("world", raw, anna, (), None)
    assert (await room.configure("world", {"summary": "Four"}, anna, None, "feed")).replayed
    await room.revoke_token("carl")
    await archive.purged()


async def read(archive: Archive, items: list[Item]) -> None:
    journal, mirror = archive.storage.journal, archive.storage.mirror
    newest = await mirror.newest_live(NOON, 10)
    assert await mirror.headlines([one.id for one in newest])
    item, middle = items[0], items[0].id - 300
    await mirror.feeds()
    await mirror.empty_feeds()
    await mirror.feed("world")
    await mirror.feed_revisions("world")
    await mirror.tokens()
    await mirror.item("world", item.id)
    await mirror.history("world", item.id, 1 << 20)
    await mirror.revisions("world", item.id)
    first = await mirror.page("world", 50)
    assert first is not None
    assert first.next is not None
    below = await mirror.page("world", 50, before=first.next)
    assert below is not None
    assert await mirror.page("world", 50, held=True)
    assert await mirror.page("world", 50, before=first.next, held=True)
    await mirror.page_after("world", 50, below.items[-1].order)
    await mirror.page_around("world", 50, middle)
    await mirror.neighbours("world", middle)
    await mirror.page("world", 50, words="grivna")
    assert await mirror.initial_state("world", 50, 100)
    await mirror.check("world", middle)
    await mirror.purges()
    await journal.given(middle)
    await journal.head()
    await journal.newest_at()
    await journal.look_again()
    async for _ in journal.follow(0):
        break


def told_others(folder: Path) -> None:
    with closing(Cursors(folder)) as cursors:
        cursors.lock()
        cursors.tell("hub", "world", "epoch", 1)
        cursors.told("hub", "epoch")
        cursors.fail("hub", NOON, "it did not answer")
        cursors.failing(NOON)
        cursors.recover("hub")
        cursors.forget_all_but("hub")


def is_waited_for(statement: Statement) -> bool:
    module = statement.site.module
    return module not in READ_ALL and not module.startswith(OF_THE_SEARCH)


def bad_steps(statement: Statement) -> list[str]:
    """Return the steps of a plan that read through a table which grows, or sort."""
    if statement.text in WALKS:
        return []
    return [
        step
        for step in statement.plan
        if (
            step.startswith("SCAN")
            # What it scans of a subquery, the steps of that have found.
            and not step.startswith(tuple(f"SCAN {n}" for n in (*SMALL, "(subquery")))
        )
        or "TEMP B-TREE" in step
        or "AUTOMATIC" in step
    ]


async def test_no_statement_reads_through_the_archive_sorts_or_costs_more_as_it_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over: list[Executed] = []
    for count in (FEW, MANY):
        folder = tmp_path / f"{count}"
        await filled(folder, count)
        with noted(monkeypatch) as executed:
            await everything(folder)
        over.append(executed)
    few, many = (
        {key: one for key, one in each.statements.items() if is_waited_for(one)} for each in over
    )
    assert {one.text: bad for one in many.values() if (bad := bad_steps(one))} == {}
    grown = {
        one.text: (few[key].work, one.work)
        for key, one in many.items()
        if key in few and one.work > few[key].work + MORE_WORK
    }
    assert grown == {}
    assert [not_met(one) for one in over] == [[], []]
    assert unused_indexes(folder, over[1]) == []


def unused_indexes(folder: Path, executed: Executed) -> list[str]:
    """List the indexes that no plan makes use of: what they are for was not executed."""
    with closing(sqlite3.connect(folder / DATABASE)) as data:
        made = data.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL")
        return [name for (name,) in made if name not in executed.indexes]


def not_met(executed: Executed) -> list[str]:
    """List the places that execute a statement and were not met."""
    return [
        f"{module}:{first}"
        for module in modules()
        if module not in READ_ALL and not module.startswith(OF_THE_SEARCH)
        for first, last in sites_in(module)
        if not any(site.module == module and first <= site.line <= last for site in executed.sites)
    ]
