"""What readers may ask for costs little, however much there is: counted in reads and bytes."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from support.server import Server

from feedserver import wire
from feedserver.api import editing, feed_list, lookups, reading
from feedserver.api.context import Context
from feedserver.live import encoded, hub
from feedserver.live.messages import Messages
from feedserver.live.window import RECENT
from feedserver.service import make_app, open_context
from feedserver.settings import read_settings
from feedserver.syndication import sitemap

pytestmark = pytest.mark.anyio

LONG = "x" * 60_000


class Counted:
    """A mirror that counts what it is asked for, and may be told to wait."""

    def __init__(self, mirror: Any) -> None:
        self.reads: Counter[str] = Counter()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.waiting = 0  # for that
        self._mirror = mirror

    def __getattr__(self, name: str) -> Any:
        read = getattr(self._mirror, name)

        async def counted(*given: Any, **more: Any) -> Any:
            self.reads[name] += 1
            found = await read(*given, **more)
            self.waiting += 1
            await self.go_on.wait()
            self.waiting -= 1
            return found

        return counted


@dataclass
class House:
    """A server in this process, its readers and its editor."""

    here: Context
    mirror: Counted
    reader: httpx.AsyncClient
    editor: httpx.AsyncClient

    async def post(self, slug: str = "world", **fields: Any) -> dict[str, Any]:
        answer = await self.editor.post(f"/v1/feeds/{slug}/items", json={"headline": "N"} | fields)
        assert answer.status_code == 201, answer.text
        item: dict[str, Any] = answer.json()
        return item

    async def revise(self, item: dict[str, Any], verb: str, **fields: Any) -> None:
        answer = await self.editor.post(
            f"/v1/feeds/{item['feed']}/items/{item['id']}/revisions",
            json={"verb": verb} | fields,
            headers={"If-Match": "*"},
        )
        assert answer.status_code == 201, answer.text

    async def get(self, path: str, status: int = 200, **headers: str) -> httpx.Response:
        answer = await self.reader.get(path, headers=headers)
        assert answer.status_code == status, answer.text[:300]
        return answer


@asynccontextmanager
async def opened(folder: Path, **given: str) -> AsyncIterator[House]:
    started = Server(folder / "data")
    faults: list[BaseException] = []
    settings = read_settings({"data": str(started.data)} | given, {})
    async with open_context(settings, "http://test", faults.append) as here:
        mirror = Counted(here.mirror)
        here.hub._mirror = here.hub.feeds._mirror = mirror  # type: ignore[assignment]
        app = make_app(None)
        app.state.context = here = replace(here, mirror=mirror)  # type: ignore[arg-type]
        door = httpx.ASGITransport(app)
        token = {"Authorization": f"Bearer {started.token}"}
        async with (
            httpx.AsyncClient(transport=door, base_url="http://test") as reader,
            httpx.AsyncClient(transport=door, base_url="http://test", headers=token) as editor,
        ):
            yield House(here, mirror, reader, editor)
    assert not faults


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path) as made:
        yield made


def bytes_read() -> int:
    """How many bytes this process has read of all files."""
    counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counts["rchar"])


def windows(house: House) -> list[str]:
    return list(house.here.hub._channels)


def paths(item: dict[str, Any]) -> list[str]:
    one = f"/v1/feeds/world/items/{item['id']}"
    return [
        "/v1/feeds", "/v1/feeds/world", "/v1/feeds/world/items", "/v1/feeds/world/items?limit=7",
        "/v1/feeds/world/items?tag=a", "/v1/feeds/world/items?q=n", one, f"{one}/history",
        "/feeds/world?tag=a", "/feeds/world?q=n", f"/feeds/world/items/{item['id']}",
        "/feeds/world/embed", "/",
    ]  # fmt: skip


async def test_a_window_is_loaded_for_live_readers_and_the_front_page_alone(house: House) -> None:
    item = await house.post(tags=["a"])
    for path in [*paths(item), "/v1/feeds/world/items?limit=1&before=9999999999999.1"]:
        await house.get(path)
        assert windows(house) == [], path
    assert house.mirror.reads["initial_state"] == 0
    await house.get("/v1/feeds/world/changes")
    assert windows(house) == ["world"]


async def test_what_is_kept_is_answered_without_a_read_until_its_feed_changes(
    house: House,
) -> None:
    item = await house.post(tags=["a"])
    asked = [*paths(item), "/feeds/world", "/v1/feeds/world/changes"]
    known = {path: (await house.get(path)).headers["etag"] for path in asked}
    house.mirror.reads.clear()
    for path, etag in known.items():
        await house.get(path)
        await house.get(path, 304, **{"If-None-Match": etag})
        suffixed = f'{etag[:-1]}-gzip"'
        await house.get(path, 304, **{"If-None-Match": suffixed})
    assert not house.mirror.reads
    await house.revise(item, "fix", headline="Changed")
    for path, etag in known.items():
        if path != "/":  # which is made anew once a second
            answer = await house.get(path, **{"If-None-Match": etag})
            assert answer.headers["etag"] != etag, path
    assert house.mirror.reads


async def test_a_long_history_is_cut_in_the_answer_and_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 256 * 1024
    for module in (lookups, reading):
        monkeypatch.setattr(module, "HISTORY_BYTES", room)
    marks = ("*a* " * 1_000)[:-1]  # each grows in the answer to some seven times its length
    item = await house.post(body=marks)
    for number in range(14):
        await house.revise(item, "update", headline=f"{number}", body=f"{number} {marks[:-4]}")
    path = f"/v1/feeds/world/items/{item['id']}"
    answer = await house.get(f"{path}/history")
    assert room - 30_000 < len(answer.content) <= room
    told = answer.json()
    assert told["truncated"] is True
    shown = [line["headline"] for line in told["history"]]
    assert shown == [str(number) for number in range(14 - len(shown), 14)]
    await house.get(f"/feeds/world/items/{item['id']}")
    reads = house.mirror.reads["history"]
    for again in (f"{path}/history", f"/feeds/world/items/{item['id']}"):
        await house.get(again)
    assert house.mirror.reads["history"] == reads == 2


async def test_a_history_of_short_lines_is_cut_by_its_bytes_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "HISTORY_BYTES", 1000)
    item = await house.post(headline="\\" * 300)  # each takes two bytes in JSON
    for _ in range(3):
        await house.revise(item, "update", body="x")
    answer = await house.get(f"/v1/feeds/world/items/{item['id']}/history")
    assert len(answer.content) <= 1000
    assert (len(answer.json()["history"]), answer.json()["truncated"]) == (1, True)


async def test_another_items_change_leaves_an_item_and_its_history_kept(house: House) -> None:
    item, other = await house.post(), await house.post()
    asked = paths(item)[6:8]
    for path in asked:
        await house.get(path)
    await house.revise(other, "fix", headline="Changed")
    house.mirror.reads.clear()
    for path in asked:
        await house.get(path)
    assert not house.mirror.reads


async def test_what_many_ask_for_at_once_is_read_and_encoded_once(house: House) -> None:
    item = await house.post(body="1")
    for number in range(2, 20):
        await house.revise(item, "update", body=f"{number}")
    path = f"/v1/feeds/world/items/{item['id']}/history"
    house.mirror.go_on.clear()
    asking = [asyncio.create_task(house.get(path)) for _ in range(16)]
    while not house.mirror.reads["history"]:
        await asyncio.sleep(0)
    house.mirror.go_on.set()
    texts = {answer.text for answer in await asyncio.gather(*asking)}
    assert len(texts) == 1
    assert house.mirror.reads["history"] == 1


async def test_who_asks_after_a_withdrawal_never_gets_what_was_being_made_before_it(
    house: House,
) -> None:
    item = await house.post("world", headline="Unspeakable", body="Unspeakable")
    one = f"/v1/feeds/world/items/{item['id']}"
    asked = {
        "/v1/feeds/world/items": 200, one: 410, f"{one}/history": 410, "/feeds/world/embed": 200,
        f"/feeds/world/items/{item['id']}": 410, "/feeds/world?q=unspeakable": 200,
    }  # fmt: skip
    await house.get("/v1/feeds/world")
    house.mirror.reads.clear()
    house.mirror.go_on.clear()
    early = [asyncio.create_task(house.reader.get(path)) for path in asked]
    while sum(house.mirror.reads.values()) < 4:  # at least one in each lane, and the item
        await asyncio.sleep(0)
    house.mirror.go_on.set()
    house.mirror.go_on = asyncio.Event()  # they wait on
    house.mirror.go_on.set()
    await house.revise(item, "kill", note="It was not so.")
    await asyncio.gather(*early)
    for path, status in asked.items():
        for _ in range(2):
            answer = await house.get(path, status)
            if "q=" not in path:  # which is the question itself
                assert "Unspeakable" not in answer.text, path
    assert b"Unspeakable" not in b"".join(
        piece
        for entry in house.here.hub.cache._entries.values()
        for piece in getattr(entry.value, "chunks", ())
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/feeds/world/items", 200), ("/v1/feeds/world/items?at={}", 200),
        ("/v1/feeds/world/items/{}", 410), ("/v1/feeds/world/items/{}/history", 410),
        ("/v1/feeds/world/changes", 200), ("/feeds/world", 200), ("/feeds/world?at={}", 200),
        ("/feeds/world/embed", 200), ("/feeds/world/items/{}", 410),
        ("/feeds/world/items/{}.ninjs", 410), ("/feeds/world.atom", 200), ("/feeds/world.md", 200),
        ("/sitemap-news.xml", 200), ("/oembed?url=http://test/feeds/world/items/{}", 410),
    ],
)  # fmt: skip
async def test_who_asks_after_a_withdrawal_does_not_wait_for_an_answer_from_before_it(
    house: House, path: str, status: int
) -> None:
    item = await house.post("world", headline="Unspeakable", body="Unspeakable")
    path = path.format(item["id"])
    await house.get("/v1/feeds")
    await house.get("/v1/feeds/world")
    house.mirror.go_on.clear()
    early = asyncio.create_task(house.reader.get(path))
    while not house.mirror.waiting and not early.done():
        await asyncio.sleep(0)
    held, house.mirror.go_on = house.mirror.go_on, asyncio.Event()
    house.mirror.go_on.set()
    await house.revise(item, "kill", note="It was not so.")
    late = asyncio.create_task(house.reader.get(path))
    await asyncio.wait([late], timeout=0.2)  # until it is answered, or waits for something
    held.set()
    await early
    answer = await late
    assert answer.status_code == status
    assert "Unspeakable" not in answer.text


async def test_the_list_of_feeds_is_made_anew_with_a_feeds_words_and_not_with_each_news(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedserver.site.pages.INDEX_SECONDS", 3_600.0)

    async def configure(**settings: Any) -> int:
        answer = await house.editor.put("/v1/feeds/world", json=settings)
        version: int = answer.json()["version"]
        return version

    async def index() -> str:
        return (await house.get("/")).text

    await house.get("/v1/feeds")
    spoken = await configure(title="Unspeakable")
    assert "Unspeakable" in await index()
    house.mirror.reads.clear()
    house.mirror.go_on.clear()
    await house.post("world")
    house.here.hub.cache.forget_feed("world")
    early = asyncio.create_task(index())
    async with asyncio.timeout(10):
        while not house.mirror.waiting:
            await asyncio.sleep(0)
    held, house.mirror.go_on = house.mirror.go_on, asyncio.Event()
    house.mirror.go_on.set()  # for all but the list that is being made
    await configure(title="World")
    redact = {"verb": "redact", "version": spoken, "note": "a name"}
    answer = await house.editor.post(
        "/v1/feeds/world/revisions", json=redact, headers={"If-Match": "*"}
    )
    assert answer.headers["purge"] == "done"
    late = asyncio.create_task(index())
    for _ in range(100):  # until it waits for what it asked for
        await asyncio.sleep(0)
    held.set()
    assert "Unspeakable" in await early
    assert "Unspeakable" not in await late
    assert "Unspeakable" not in await index(), "what was made before it is not kept"
    house.mirror.reads.clear()
    await house.post("world")
    await index()
    assert not house.mirror.reads


async def test_what_is_being_made_of_a_journal_that_is_replaced_is_given_to_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.post("world")
    asked = ["/v1/feeds/world/items", "/feeds/world?tag=a", "/feeds/world/embed", "/"]
    hub = house.here.hub
    for number, path in enumerate(asked):
        await house.get("/v1/feeds")
        await house.get("/v1/feeds/world")
        house.mirror.reads.clear()
        house.mirror.go_on.clear()
        early = asyncio.create_task(house.reader.get(path))
        while not house.mirror.reads:
            await asyncio.sleep(0)
        identity = replace(house.here.journal.identity, epoch=f"another{number}")
        monkeypatch.setattr(hub, "_journal", SimpleNamespace(identity=identity))
        hub.restart()
        late = asyncio.create_task(house.reader.get(path))
        house.mirror.go_on.set()
        refused, answer = await early, await late
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1"), path
        assert answer.status_code == 200, path
        assert f"another{number}" in answer.headers["etag"]


async def test_changes_that_are_not_made_yet_are_made_in_turn_and_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = (await house.get("/v1/feeds/world")).json()["cursor"]
    await house.post(headline="Later")
    made: list[int] = []
    since = Messages.since

    def counted(self: Messages, sequence: int, check: str) -> Any:
        made.append(sequence)
        return since(self, sequence, check)

    monkeypatch.setattr(Messages, "since", counted)
    path = f"/v1/feeds/world/changes?since={cursor}"
    async with house.here.work.newest.turn:
        waiting = [asyncio.create_task(house.get(path)) for _ in range(4)]
        async with asyncio.timeout(10):
            while not house.here.work.newest.waiting:
                await asyncio.sleep(0.001)
        assert not made
    for answer in await asyncio.gather(*waiting):
        assert [item["headline"] for item in answer.json()["items"]] == ["Later"]
    assert len(made) == 1
    async with house.here.work.newest.turn:
        await house.get(path)  # for which nothing is to be made


async def test_long_items_are_encoded_beside_the_loop(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await house.post(body=LONG)
    threads: list[threading.Thread] = []
    encode_item = encoded.encode_item

    def encode(item: Any) -> bytes:
        threads.append(threading.current_thread())
        return encode_item(item)

    monkeypatch.setattr("feedserver.api.answers.encode_item", encode)
    house.here.hub.cache.clear()
    page = await house.get("/v1/feeds/world/items?limit=200")
    assert len(page.json()["items"]) == 3
    assert len(threads) == 3
    assert threading.main_thread() not in threads
    await house.get("/v1/feeds/world/items?limit=199")
    assert len(threads) == 3, "another page of the same items is joined from what is kept"


async def test_pages_of_many_sizes_stay_within_the_cache_and_leave_the_hot_one(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, cache_mib="16") as house:
        for _ in range(20):
            await house.post(body=LONG)
        cache, hot = house.here.hub.cache, "/v1/feeds/world/items"
        await house.get(hot)
        for limit in range(1, 65):
            await house.get(f"/v1/feeds/world/items?limit={limit}")
            assert cache.bytes <= 16 * 1024 * 1024
            house.mirror.reads.clear()
            await house.get(hot)
            assert not house.mirror.reads, f"limit={limit} pushed out what is asked for all along"


async def test_idle_windows_are_bounded_in_bytes_and_the_newest_stays(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "IDLE_BYTES", 600_000)
    for number in range(5):
        slug = f"feed-{number}"
        await house.editor.put(f"/v1/feeds/{slug}", json={"title": slug})
        for _ in range(2):
            await house.post(slug, body=LONG)
        await house.get(f"/feeds/{slug}")
        loaded = list(house.here.hub._channels.values())
        assert sum(channel.window.memory for channel in loaded) <= 600_000
        assert windows(house)[-1] == slug
    assert windows(house) == ["feed-3", "feed-4"]


async def test_a_window_that_somebody_is_about_to_use_is_not_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "IDLE_BYTES", 0)
    for slug in ("one", "two"):
        await house.editor.put(f"/v1/feeds/{slug}", json={"title": slug})
    cursor = (await house.get("/v1/feeds/one")).json()["cursor"]
    await house.post("one", headline="Later")
    own = house.here.hub
    channel = await own.channel("one")
    assert channel is not None
    channel.window._checks.clear()  # so that the cursor is looked up in the file
    house.mirror.go_on.clear()
    arriving = asyncio.create_task(own.arrive("one", cursor))
    while not house.mirror.reads["check"]:
        await asyncio.sleep(0)
    own._forget_idle()
    assert windows(house) == ["one"]
    house.mirror.go_on.set()
    found = await arriving
    assert found is not None
    assert found[0] is channel
    own._forget_idle()
    assert windows(house) == []


def note_headlines(house: House, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the ids of the items whose headlines are read."""
    noted: list[int] = []
    mirror = house.mirror._mirror
    read = mirror.headlines

    async def headlines(ids: list[int]) -> Any:
        noted.extend(ids)
        return await read(ids)

    monkeypatch.setattr(mirror, "headlines", headlines)
    return noted


async def in_sitemap(house: House) -> list[int]:
    text = (await house.get("/sitemap-news.xml")).text
    return [int(found) for found in re.findall(r"/items/(\d+)</loc>", text)]


async def test_a_sitemap_reads_the_headlines_of_what_it_lists_and_nothing_else(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "ITEMS_MAX", 12)
    ids = []
    for slug in ("one", "two", "three"):
        await house.editor.put(f"/v1/feeds/{slug}", json={"title": slug})
        ids += [(await house.post(slug, body=LONG))["id"] for _ in range(8)]
    read = note_headlines(house, monkeypatch)
    parsed: list[str] = []
    monkeypatch.setattr("feedserver.markup.paragraphs", parsed.append)
    house.mirror.reads.clear()
    for _ in range(2):
        assert await in_sitemap(house) == ids[:-13:-1]
        assert read == ids[:-13:-1]
    assert set(house.mirror.reads) == {"feeds", "newest_live", "headlines"}
    assert not parsed, "the bodies are not parsed"


async def test_a_sitemap_reads_each_version_of_an_item_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "ITEMS_MAX", 4)
    oldest, older, *_, last = items = [await house.post() for _ in range(6)]
    ids = [item["id"] for item in items]
    assert await in_sitemap(house) == ids[:1:-1]
    read = note_headlines(house, monkeypatch)
    await house.revise(items[3], "fix", headline="Changed")
    assert "<news:title>Changed</news:title>" in (await house.get("/sitemap-news.xml")).text
    assert read == [items[3]["id"]]
    await house.revise(oldest, "pin")
    await house.revise(last, "kill", note="It was not so.")
    assert await in_sitemap(house) == ids[4:0:-1]
    assert read == [items[3]["id"], older["id"]], "which is listed in the place of the last"


async def test_others_of_their_lane_go_between_the_reads_for_a_sitemap(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "TURN_ITEMS", 3)
    items = [await house.post() for _ in range(10)]
    await house.get("/v1/feeds/world")
    order: list[str] = []
    go_on = asyncio.Event()

    def note(name: str) -> None:
        read = getattr(house.mirror._mirror, name)

        async def noted(*given: Any) -> Any:
            order.append(name)
            await go_on.wait()
            return await read(*given)

        monkeypatch.setattr(house.mirror._mirror, name, noted)

    note("headlines")
    note("history")
    making = asyncio.create_task(house.get("/sitemap-news.xml"))
    async with asyncio.timeout(10):
        while not order:
            await asyncio.sleep(0.001)
        other = asyncio.create_task(house.get(f"/v1/feeds/world/items/{items[0]['id']}/history"))
        while not house.here.work.archive.waiting:
            await asyncio.sleep(0.001)
    go_on.set()
    await asyncio.gather(making, other)
    assert order == ["headlines", "history", "headlines", "headlines", "headlines"]


async def test_a_window_is_loaded_without_the_words_of_what_it_does_not_show(house: House) -> None:
    """Its 4,096 newest records may all be long: only their beginnings are read."""
    for _ in range(60):
        await house.post(body=LONG)
    for _ in range(RECENT):
        last = await house.post()
    before = bytes_read()
    await house.get("/v1/feeds/world/changes")
    assert house.mirror.reads["initial_state"] == 1
    assert bytes_read() - before < 60 * len(LONG) / 2
    window = house.here.hub._channels["world"].window
    assert len(window._checks) > 60 + RECENT
    assert wire.time_text(window.changed_at or 0) == last["published_at"]


async def test_an_answer_is_sent_in_chunks_as_it_is_taken(house: House) -> None:
    """One who reads slowly then holds a chunk, and not a copy of the whole page."""
    for number in range(6):
        await house.post(body=LONG, headline=str(number))
    sent: list[bytes] = []

    async def take(message: Any) -> None:
        sent.append(message.get("body", b""))

    async def nothing() -> Any:
        await asyncio.Event().wait()

    app = make_app(None)
    app.state.context = house.here
    for path, header in [
        ("/v1/feeds/world/items", (b"accept", b"*/*")),
        ("/feeds/world", (b"accept-encoding", b"identity")),
    ]:
        whole = (await house.get(path, **{"Accept-Encoding": "identity"})).content
        sent.clear()
        scope = {"type": "http", "method": "GET", "path": path, "headers": [header],
                 "query_string": b"", "app": app}  # fmt: skip
        await app(scope, nothing, take)
        assert len(b"".join(sent)) == len(whole) > 300_000
        assert max(map(len, sent)) <= 66_000
    pieces = {id(entry.value) for entry in house.here.hub.cache._entries.values()}
    kept = house.here.hub.cache.get(next(
        key for key in house.here.hub.cache._entries if isinstance(key, tuple) and key[0] == "page"
    ))  # fmt: skip
    shared = [chunk for chunk in kept.chunks if id(chunk) in pieces]
    assert len(shared) == 6, "pages share the text of their items"


async def test_a_list_of_feeds_is_paged_and_kept_until_one_of_them_changes(house: House) -> None:
    slugs = [f"f{number:03}" for number in range(25)]
    for slug in slugs:
        await house.editor.put(f"/v1/feeds/{slug}", json={"title": slug})
    slugs.append("world")
    everything = (await house.get("/v1/feeds")).json()
    assert [feed["slug"] for feed in everything["feeds"]] == slugs
    assert "next" not in everything
    found: list[str] = []
    query = "?limit=10"
    while query:
        answer = (await house.get(f"/v1/feeds{query}")).json()
        assert len(answer["feeds"]) <= 10
        found += [feed["slug"] for feed in answer["feeds"]]
        query = f"?limit=10&after={answer['next']}" if "next" in answer else ""
    assert found == slugs
    between = (await house.get("/v1/feeds?after=f0235")).json()["feeds"]
    assert [feed["slug"] for feed in between] == ["f024", "world"]
    for wrong in ("limit=0", "limit=1001", "limit=x", "after=", "after=A B", "after=%00"):
        assert "limit" in (await house.get(f"/v1/feeds?{wrong}", 400)).text or "after" in wrong
    house.mirror.reads.clear()
    await house.editor.put("/v1/feeds/f003", json={"title": "Renamed"})
    await house.post("f004")
    renamed = {feed["slug"]: feed for feed in (await house.get("/v1/feeds")).json()["feeds"]}
    assert renamed["f003"]["title"] == "Renamed"
    assert renamed["f004"]["cursor"] != renamed["f003"]["cursor"]
    assert house.mirror.reads["feeds"] == 0


async def some_feeds(house: House, count: int) -> list[str]:
    """Make feeds with long key points, and tell their slugs."""
    slugs = [f"f{number:03}" for number in range(count)]
    for slug in slugs:
        await house.editor.put(f"/v1/feeds/{slug}", json={"title": slug, "summary": "x" * 4_000})
    return slugs


async def test_lists_of_feeds_share_what_they_have_in_common_and_none_is_kept_as_a_whole(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_list, "BLOCK_FEEDS", 8)
    slugs = [*await some_feeds(house, 48), "world"]
    here, etag = house.here, 'W/"1"'
    await house.get("/v1/feeds")
    bytes_kept = here.hub.cache.bytes
    some = [(limit, after) for limit in (47, 40, 33) for after in ("", "f000", "f003", "f007")]
    lists = [await feed_list.list_feeds(here, etag, *one) for one in some]
    assert here.hub.cache.bytes == bytes_kept
    for (limit, after), made in zip(some, lists, strict=True):
        told = json.loads(b"".join(made.chunks))["feeds"]
        assert [one["slug"] for one in told] == [s for s in slugs if s > after][:limit]
        assert max(map(len, made.chunks)) < 80_000
    in_all = [{id(chunk) for chunk in made.chunks if len(chunk) > 1_000} for made in lists]
    assert len(set.intersection(*in_all)) == 3, "blocks from 8, from 16 and from 24 on"


async def test_after_a_change_of_one_feed_a_list_encodes_that_one_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_list, "BLOCK_FEEDS", 8)
    slugs = await some_feeds(house, 24)
    encoded: list[str] = []
    feed_json = Context.feed_json

    def counted(self: Context, feed: Any) -> Any:
        encoded.append(feed.slug)
        return feed_json(self, feed)

    monkeypatch.setattr(Context, "feed_json", counted)
    for query in ("", "?limit=20", "?after=f003&limit=9", ""):
        await house.get(f"/v1/feeds{query}")
    assert encoded == [*slugs, "world"]
    encoded.clear()
    item = await house.post("f010")
    for path in ("/v1/feeds", "/v1/feeds?after=f003"):
        told = {feed["slug"]: feed for feed in (await house.get(path)).json()["feeds"]}
        assert f".{item['version']}." in told["f010"]["cursor"]
    assert encoded == ["f010"]


async def test_the_loop_turns_behind_each_block_of_feeds_that_is_made(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_list, "BLOCK_FEEDS", 4)
    await some_feeds(house, 20)
    await house.here.hub.feeds.load_all()
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await feed_list.list_feeds(house.here, "", 20, "")
    assert turns == 5
    await feed_list.list_feeds(house.here, "", 20, "")
    assert turns == 5
    turning.cancel()


async def test_the_answer_to_a_kill_waits_for_processes_and_files_at_once() -> None:
    # Each of the two waits ends only once the other has begun.
    both = asyncio.Barrier(2)
    asked: list[tuple[int, float]] = []

    class Waiting:
        applied_to = 0

        async def applied(self, sequence: int, timeout: float) -> bool:
            await both.wait()
            asked.append((sequence, timeout))
            return True

        async def purged(self, timeout: float, version: int | None = None) -> bool:
            await both.wait()
            asked.append((version or 0, timeout))
            return True

    class Hub:
        async def applied(self, sequence: int, timeout: float) -> bool:
            return True

    here: Any = SimpleNamespace(hub=Hub(), crowd=Waiting(), journal=Waiting())
    request = Request({"type": "http", "headers": [(b"prefer", b"respond-async")]})
    async with asyncio.timeout(20):
        headers = await editing._progress(
            here, request, "world", 7, replayed=False, redacted=(), withdrawn=True
        )
    assert headers["Purge"] == "done"
    assert asked == [(7, editing.PURGE_SECONDS)] * 2
