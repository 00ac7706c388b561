"""The cases that live feeds get wrong, one by one, with the real limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import support.world
from support.client import Json, due, parse
from support.memory import MemoryMirror, turns
from support.records import Open, in_memory, in_sqlite
from support.sockets import SocketLine
from support.watcher import Watcher
from support.world import World, world

from feedserver.api.access import Tokens
from feedserver.api.context import Context, Site
from feedserver.journal import Page
from feedserver.live import channel, hub, rounds, window
from feedserver.live.chains import Chains
from feedserver.live.goodbyes import CLOSE_ENDED
from feedserver.live.messages import MESSAGE_MAX, Messages
from feedserver.live.sending import Sender
from feedserver.live.window import Window
from feedserver.model import CATCH_UP_MAX, SNAPSHOT_ITEMS, Cursor, Item, Verb
from feedserver.service import make_app

pytestmark = pytest.mark.anyio

LARGE = "x" * 60_000


@pytest.fixture(params=["sqlite", "memory"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    return in_sqlite(tmp_path) if request.param == "sqlite" else in_memory()


@pytest.fixture
async def here(opening: Open) -> AsyncIterator[World]:
    async with world(opening) as made:
        yield made


class Recorder(Watcher):
    """A watcher who keeps every message."""

    messages: list[Json]

    def take(self, text: bytes) -> bool:
        self.messages.append(parse(text))
        return super().take(text)


def recorder(here: World) -> Recorder:
    plain = here.watcher("world")
    here.watchers.remove(plain)
    watcher = Recorder("world", plain.client)
    watcher.messages = []
    here.watchers.append(watcher)
    return watcher


async def news(here: World, count: int = 1, **raw: Any) -> list[Item]:
    items = []
    for number in range(count):
        item = await here.submit("world", Verb.POST, headline=f"News {number}", **raw)
        assert item is not None
        items.append(item)
    return items


async def fixed(here: World, items: list[Item], headline: str = "Fixed", **raw: Any) -> list[Item]:
    done = [await here.submit("world", Verb.FIX, one, headline=headline, **raw) for one in items]
    return [one for one in done if one is not None]


async def test_who_reconnects_having_received_nothing_gets_it_all(here: World) -> None:
    await news(here, 3)
    watcher = recorder(here)
    await here.connected(watcher)
    await here.hang_up(watcher)  # before a byte of the snapshot was read
    await news(here)
    await here.connected(watcher)
    await here.settle()
    assert [message["type"] for message in watcher.messages] == ["snapshot", "changes"]
    await here.check(watcher)


async def test_two_outages_in_a_row_lose_nothing(here: World) -> None:
    watcher = recorder(here)
    items = await news(here, 3)
    await here.connected(watcher)
    await here.settle()
    for _ in range(2):
        await here.hang_up(watcher)
        [items[0]] = await fixed(here, items[:1])
        await news(here)
        await here.settle()
        await here.connected(watcher)  # and cut off again, before it could read
        await here.hang_up(watcher)
        await here.submit("world", Verb.KILL, items.pop(), note="It was not so.")
    await here.settle()
    await here.connected(watcher)
    await here.settle()
    assert [message["type"] for message in watcher.messages] == ["snapshot", "changes"]
    await here.check(watcher)


async def test_who_comes_back_before_anything_new_is_told_that_there_is_nothing(
    here: World,
) -> None:
    watcher = recorder(here)
    await news(here, 3)
    await here.connected(watcher)
    await here.settle()
    cursor = watcher.client.cursor
    await here.reopen()
    await here.connected(watcher)
    await here.settle()
    answer = watcher.messages[-1]
    assert (answer["type"], answer["since"], answer["cursor"]) == ("changes", cursor, cursor)
    assert answer["items"] == []
    await news(here)
    await here.settle()
    await here.check(watcher)


@pytest.mark.parametrize("more", [0, 1, 200])
async def test_up_to_200_changed_items_are_changes_and_more_are_a_snapshot(
    here: World, more: int
) -> None:
    watcher = recorder(here)
    old = await news(here, 30)
    await here.connected(watcher)
    await here.settle()
    await here.hang_up(watcher)
    watcher.messages.clear()
    await fixed(here, await fixed(here, old))  # changed twice, and one item all the same
    await news(here, CATCH_UP_MAX - 30 + more)
    await here.settle()
    await here.connected(watcher, room=10_000_000)
    await here.settle()
    [message] = watcher.messages
    assert message["type"] == ("snapshot" if more else "changes")
    await here.check(watcher)


async def told_at_once(here: World) -> None:
    """Let the hub hear of everything in one step, as after a stop of its process."""
    [station] = here.stations
    head = await station.opened.journal.head()
    while not station.backlog or station.backlog[-1].sequence < head:
        station.backlog.extend(await anext(station.changes))
    await here.settle()


@pytest.mark.parametrize("by_stream", [False, True])
async def test_who_is_connected_and_level_gets_every_change_of_a_burst(
    here: World, monkeypatch: pytest.MonkeyPatch, by_stream: bool
) -> None:
    monkeypatch.setattr(support.world, "HEARTBEAT", 3_600)  # or one may come in the middle of it
    await here.reopen()
    watcher = recorder(here)
    old = await news(here, 30)
    await here.connected(watcher, by_stream=by_stream, room=10_000_000)
    await here.settle()
    watcher.messages.clear()
    large = "x" * 6_000
    burst = await fixed(here, old) + await news(here, 3 * CATCH_UP_MAX, body=large)
    await told_at_once(here)
    assert {message["type"] for message in watcher.messages} == {"changes"}
    assert len(watcher.messages) > 3  # each of 1 MiB at most
    sent = [item["id"] for message in watcher.messages for item in message["items"]]
    assert sent == [item.id for item in burst]
    await here.check(watcher)
    followed = await here.stations[0].hub.channel("world")
    assert followed is not None
    assert len(followed.window._items) < 400, "the burst is kept"


@pytest.mark.parametrize(("owner", "part"), [(Chains, "since"), (Sender, "send")])
async def test_a_round_that_fails_is_said_and_nobody_misses_its_news(
    here: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    owner: type,
    part: str,
) -> None:
    monkeypatch.setattr(rounds, "REPEAT_SECONDS", 0.0)
    watcher = recorder(here)
    await here.connected(watcher, room=10_000_000)
    await here.settle()
    real = getattr(owner, part)

    def failing(self: object, *rest: Any) -> Any:
        monkeypatch.setattr(owner, part, real)
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(owner, part, failing)
    await news(here)
    await here.settle()
    await asyncio.sleep(0.01)
    await here.settle()
    assert "of world" in caplog.text
    if watcher.line is None:  # dropped: it comes back with its own cursor
        await here.connected(watcher, room=10_000_000)
        await here.settle()
    await here.check(watcher)


@pytest.mark.parametrize(("limit", "most"), [("LIVE_MAX", 250), ("LIVE_BYTES", 30_000)])
async def test_a_burst_beyond_all_bounds_is_a_snapshot(
    here: World, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    watcher = recorder(here)
    await here.connected(watcher, room=10_000_000)
    await here.settle()
    watcher.messages.clear()
    monkeypatch.setattr(window, limit, most)
    await news(here, CATCH_UP_MAX + 60)
    await told_at_once(here)
    assert [message["type"] for message in watcher.messages] == ["snapshot"]
    await here.check(watcher)


async def test_a_feed_of_many_items_shows_the_newest_and_the_pinned(here: World) -> None:
    items = await news(here, 400)
    for item in (items[0], items[200], items[399]):
        assert await here.submit("world", Verb.PIN, item)
    for _ in range(2):  # as followed from the first item on, and as loaded
        watcher = here.watcher("world")
        await here.connected(watcher, room=10_000_000)
        await here.settle()
        shown = [row["id"] for row in watcher.client.shown]
        pinned = [items[399].id, items[200].id, items[0].id]
        assert shown[:3] == pinned
        assert shown[3:] == [item.id for item in items[398:349:-1]]
        assert len(shown) == SNAPSHOT_ITEMS + 2
        await here.check(watcher)
        await here.reopen()


async def test_what_was_pinned_at_the_edge_of_a_snapshot_is_on_the_next_page(here: World) -> None:
    items = await news(here, SNAPSHOT_ITEMS + 10)
    edge = items[10]  # the last that a snapshot shows
    pinned = await here.submit("world", Verb.PIN, edge)
    watcher = recorder(here)
    await here.connected(watcher, room=10_000_000)
    await here.settle()
    assert await here.submit("world", Verb.UNPIN, pinned)
    await here.settle()
    at, item_id = watcher.client.next.split(".") if watcher.client.next else ("0", "0")
    page = await here.opened.mirror.page("world", 200, (int(at), int(item_id)))
    assert page is not None
    found = {row["id"] for row in watcher.client.shown} | {item.id for item in page.items}
    assert found == {item.id for item in items}
    await here.check(watcher)


async def test_pinned_items_too_large_for_a_snapshot_hide_nothing_behind_it(here: World) -> None:
    items = await news(here, 60)
    for item in await fixed(here, items[5:], body=LARGE):
        assert await here.submit("world", Verb.PIN, item)
    watcher = recorder(here)
    await here.connected(watcher, room=10_000_000)
    await here.settle()
    [snapshot] = watcher.messages
    assert len(snapshot["items"]) < SNAPSHOT_ITEMS
    at, item_id = snapshot["next"].split(".")
    page = await here.opened.mirror.page("world", 200, (int(at), int(item_id)))
    assert page is not None
    found = {row["id"] for row in snapshot["items"]} | {item.id for item in page.items}
    assert found == {item.id for item in items}


async def test_a_cursor_of_no_use_is_answered_with_a_snapshot_and_never_with_silence(
    here: World,
) -> None:
    await news(here, 3)
    other = await here.submit("sport", Verb.POST, headline="In another feed")
    assert other is not None
    feed, _ = await here.truth("world")
    epoch = here.opened.journal.identity.epoch
    for useless in (
        str(Cursor(epoch, feed.head + 1_000, feed.check)),  # from the future
        str(Cursor(epoch, feed.head, "0000" if feed.check != "0000" else "1111")),
        str(Cursor("otherdbx", feed.head, feed.check)),  # from another database
        str(Cursor(epoch, other.version, other.check)),  # from another feed
        "not-ours",
        "1",
    ):
        watcher = recorder(here)
        await here.connected(watcher, since=useless, lost=True)
        await here.settle()
        assert [message["type"] for message in watcher.messages] == ["snapshot"], useless
        await here.check(watcher)


async def test_another_database_at_the_same_address_makes_a_client_forget(
    here: World, tmp_path: Path
) -> None:
    watcher = here.watcher("world")
    await news(here, 5)
    await here.connected(watcher)
    await here.settle()
    await here.hang_up(watcher)
    async with world(in_sqlite(tmp_path / "restored")) as restored:
        await news(restored, 2)
        client = watcher.client
        back = Watcher("world", client)
        restored.watchers.append(back)
        await restored.connected(back)
        await restored.settle()
        assert client.versions.keys() == {row["id"] for row in client.rows.values()}
        await restored.check(back)


async def test_the_cursor_of_a_record_that_a_kill_erased_is_still_a_place(here: World) -> None:
    watcher = recorder(here)
    [item] = await news(here)
    await here.connected(watcher)
    await here.settle()  # its cursor is that of the post
    await here.hang_up(watcher)
    await here.submit("world", Verb.KILL, item, note="It was not so.")
    await here.reopen()
    await here.connected(watcher)
    await here.settle()
    assert watcher.messages[-1]["type"] == "changes"
    [tombstone] = watcher.messages[-1]["items"]
    assert tombstone.keys() == {
        "id",
        "uid",
        "feed",
        "version",
        "etag",
        "status",
        "published_at",
        "killed_at",
        "note",
    }
    await here.check(watcher)


async def test_a_catch_up_over_a_mebibyte_comes_in_pieces_that_may_be_cut_anywhere(
    here: World,
) -> None:
    watcher = recorder(here)
    items = await news(here, 40)
    await here.connected(watcher, room=10_000_000)
    await here.settle()
    await here.hang_up(watcher)
    watcher.messages.clear()
    await fixed(here, items, body=LARGE)
    await here.settle()
    for _ in range(3):
        await here.connected(watcher, room=100_000)
        seen = len(watcher.messages)
        while len(watcher.messages) == seen and watcher.line is not None:
            await here.read(watcher, 70_000)
        await here.hang_up(watcher)
    assert [len(message["items"]) for message in watcher.messages] == [17, 17, 6]
    for before, after in zip(watcher.messages, watcher.messages[1:], strict=False):
        assert after["since"] == before["cursor"]
    await here.converge()


@pytest.mark.parametrize("cut", [True, False], ids=["that breaks off", "that drains slowly"])
async def test_who_catches_up_in_pieces_learns_what_became_of_the_feed(
    here: World, cut: bool
) -> None:
    watcher = recorder(here)
    items = await news(here, 40)
    await here.configure("world", closed=True)
    await here.connected(watcher, room=10_000_000)
    await here.settle()  # and was told that it is over
    await here.configure("world", closed=False)
    await fixed(here, items, body=LARGE)
    await here.settle()
    await here.connected(watcher, room=100_000)
    if cut:  # behind the piece in which the feed was opened again
        seen = len(watcher.messages)
        while len(watcher.messages) == seen:
            await here.read(watcher, 70_000)
        await here.hang_up(watcher)
    await here.converge()


async def test_a_reader_that_drains_slowly_keeps_one_message_waiting_and_no_more(
    here: World,
) -> None:
    watcher = here.watcher("world")
    items = await news(here, 40)
    await here.connected(watcher, room=10_000_000)
    await here.settle()
    await here.hang_up(watcher)
    await fixed(here, items, body=LARGE)
    await here.settle()
    await here.connected(watcher, room=50_000)
    most = 0
    while isinstance(watcher.line, SocketLine) and watcher.line.waiting:
        most = max(most, watcher.line.waiting)
        await here.read(watcher, 200_000)
    assert 500_000 < most <= MESSAGE_MAX + 50_000
    await here.converge()


async def test_a_stalled_reader_gets_what_it_missed_as_one_batch(here: World) -> None:
    watcher = recorder(here)
    [item] = await news(here)
    await here.connected(watcher, room=2_000)
    await here.settle()
    watcher.messages.clear()
    for number in range(30):
        [item] = await fixed(here, [item], headline=f"Version {number}", body="x" * 900)
        await here.stations[0].announce()
        await turns(3)
    await here.settle()
    assert len(watcher.messages) <= 4  # what had left before it stalled, and one for the rest
    assert watcher.messages[-1]["items"][0]["headline"] == "Version 29"
    await here.check(watcher)


async def test_a_stalled_reader_is_given_up_and_one_that_moves_is_not(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "STALL_SECONDS", -1.0)  # at the next look, that is
    stalled, slow = here.watcher("world"), here.watcher("world")
    await news(here, 10, body="x" * 1_000)
    for watcher in (stalled, slow):
        await here.connected(watcher, room=1_000)
    found = await here.stations[0].hub.channel("world")
    assert found is not None
    assert len(found.behind) == 2
    await here.read(slow, 500)
    found.drop_stalled()
    assert len(found.behind) == 1
    await here.read(slow, 500)
    found.drop_stalled()
    assert len(found.behind) == 1
    found.drop_stalled()
    assert found.readers == 0
    await here.converge()


async def test_a_reader_that_is_behind_when_its_feed_ends_is_told_so_once_it_has_drained(
    here: World,
) -> None:
    for room in (300, 1_000):  # behind with the last change, and with one before it
        watcher = here.watcher("world")
        await here.configure("world", closed=False)
        await here.connected(watcher, room=room)
        await here.settle()
        await news(here, 1, body="x" * 2_000)
        await here.stations[0].announce()
        await turns(3)
        await here.configure("world", closed=True)
        await here.stations[0].announce()
        await turns(3)
        line = watcher.line
        assert line is not None
        assert line.waiting
        await here.settle()
        assert watcher.line is None
        assert line.code == CLOSE_ENDED
        await here.check(watcher)


async def test_who_joins_between_two_slices_of_a_round_misses_neither_change(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "SLICE", 1)
    crowd = [here.watcher("world") for _ in range(8)]
    for watcher in crowd:
        await here.connected(watcher)
    await here.settle()
    await news(here, 3)
    station = here.stations[0]
    await station.announce(1)
    await turns(2)
    assert station.is_busy
    for _ in range(2):
        await station.announce(1)
        latecomer = here.watcher("world")
        await here.connected(latecomer)
        assert station.is_busy
    await here.settle()
    for watcher in here.watchers:
        await here.check(watcher)


async def test_a_snapshot_over_a_mebibyte_leaves_the_oldest_for_the_next_page(here: World) -> None:
    items = await news(here, 30, body=LARGE)
    watcher = recorder(here)
    await here.connected(watcher, room=10_000_000)
    await here.settle()
    [snapshot] = watcher.messages
    shown = [item["id"] for item in snapshot["items"]]
    assert shown == [item.id for item in items[: -len(shown) - 1 : -1]]
    assert 10 < len(shown) < 30
    at, last = snapshot["next"].split(".")
    page = await here.opened.mirror.page("world", 50, (int(at), int(last)))
    assert page is not None
    assert [item.id for item in page.items] == [item.id for item in items[: -len(shown)]][::-1]
    await here.check(watcher)


async def test_however_much_is_pinned_a_snapshot_has_the_newest_item_and_the_way_to_the_rest(
    here: World,
) -> None:
    items = await news(here, 24, body=LARGE)
    for item in items[:20]:
        await here.submit("world", Verb.PIN, item)
    watcher = recorder(here)
    await here.connected(watcher, room=10_000_000)
    await here.settle()
    [snapshot] = watcher.messages
    ids = [item["id"] for item in snapshot["items"]]
    assert ids[0] == items[-1].id
    assert all(item.get("pinned") for item in snapshot["items"][1:])
    assert len(ids) > 10
    assert snapshot["next"]
    await fixed(here, items[-2:], body="Shorter")
    await here.settle()
    assert watcher.client.rows[items[-1].id]["blocks"] == [["Shorter"]]


@pytest.mark.parametrize(
    "text", ["*a* ", "[a](http://b) ", "a\n\n", '"\\\\', "**a** *b* ", "\u2028", "🙂", "<&>", "a\n"]
)
async def test_whatever_it_is_made_of_one_item_fits_into_one_message(text: str) -> None:
    body = text * (64 * 1024 // len(text.encode()))
    async with world(in_memory()) as here:
        await news(here, 1, body=body)
        watcher = recorder(here)
        await here.connected(watcher, room=10_000_000)
        await here.settle()
        [snapshot] = watcher.messages  # whose size was looked at
        assert len(snapshot["items"]) == 1
        await here.check(watcher)


async def test_a_page_that_was_read_before_a_kill_is_not_kept_after_it(
    opening: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(opening) as here:
        reading, go_on = asyncio.Event(), asyncio.Event()
        page_of = here.opened.mirror.page

        async def slow_page(*args: Any, **more: Any) -> Page | None:
            page = await page_of(*args, **more)
            reading.set()
            await go_on.wait()
            return page

        item = await here.submit("world", Verb.POST, headline="Grivna")
        assert item is not None
        await here.settle()
        monkeypatch.setattr(here.opened.mirror, "page", slow_page)
        async with reader_of(here) as http:
            first = asyncio.create_task(http.get("/v1/feeds/world/items"))
            await reading.wait()
            await here.submit("world", Verb.KILL, item, note="It was not so.")
            while await here.stations[0].announce():
                pass
            go_on.set()
            assert "Grivna" in (await first).text  # it had asked before
            for _ in range(2):
                assert "Grivna" not in (await http.get("/v1/feeds/world/items")).text
            assert "Grivna" not in (await http.get("/v1/feeds/world/changes")).text


def reader_of(here: World) -> httpx.AsyncClient:
    """Return an HTTP client of the first station."""
    app = make_app(None)
    own = here.stations[0].hub
    app.state.context = Context(
        here.opened.journal,  # type: ignore[arg-type]
        here.opened.mirror,
        here.newsrooms[0],
        own,
        own,
        Tokens(()),
        Site("http://news.example", "Live news"),
    )
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://news.example")


async def test_a_page_fetched_by_next_is_completed_by_the_changes_since_its_cursor(
    here: World,
) -> None:
    items = await news(here, 60)
    await here.settle()
    async with reader_of(here) as http:
        first = (await http.get("/v1/feeds/world/items")).json()
        rest = (await http.get("/v1/feeds/world/items", params={"before": first["next"]})).json()
        await fixed(here, items[:1], headline="Newer than the page")
        while await here.stations[0].announce():
            pass
        query = {"since": rest["cursor"]}
        changes = (await http.get("/v1/feeds/world/changes", params=query)).json()
    assert changes["since"] == rest["cursor"]
    assert [item["headline"] for item in changes["items"]] == ["Newer than the page"]
    assert [item["id"] for item in rest["items"]] == [item.id for item in items[9::-1]]


async def test_a_server_that_ends_lets_go_of_who_waits_for_a_place_that_never_comes(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "BEHIND_TIMEOUT", 0.01)
    watcher = recorder(here)
    own = here.stations[0].hub
    assert await own.channel("world")
    await news(here)  # which this station never hears of
    feed, _ = await here.truth("world")
    cursor = str(Cursor(own.epoch, feed.head, feed.check))
    await own.close()
    async with asyncio.timeout(5):
        await here.connected(watcher, since=cursor)
        await here.read(watcher, 100_000)
    # Not a snapshot, which would take it back behind what it knows.
    assert [message["type"] for message in watcher.messages] == ["goodbye"]


async def test_a_feed_that_nobody_reads_is_forgotten_only_when_nobody_is_about_to(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "CHANNELS_IDLE_MAX", 0)
    own = here.stations[0].hub
    found = await own.channel("world")
    own._forget_idle()
    assert await own.channel("world") is found
    monkeypatch.setattr(hub, "IDLE_SECONDS", -1.0)
    watcher = here.watcher("world")
    await here.connected(watcher)
    own._forget_idle()
    assert await own.channel("world") is found
    await here.hang_up(watcher)
    own._forget_idle()
    assert "world" not in own._channels
    await news(here)
    await here.converge()


async def test_news_since_a_view_was_loaded_is_as_if_it_were_loaded_now(here: World) -> None:
    """A view that has followed for long says the same as one that is loaded afresh."""
    own = here.stations[0].hub
    followed = await own.channel("world")
    assert followed is not None
    items = await news(here, 350)
    await fixed(here, items[::7])
    for item in items[3:6]:
        await here.submit("world", Verb.PIN, item)
    past = "2001-01-01T00:00:00Z"
    for _ in range(5):
        await here.submit("world", Verb.POST, headline="From the archive", at=past)
    await here.settle()
    state = await here.opened.mirror.initial_state("world", hub.RECENT, hub.CHECKS)
    assert state is not None
    loaded = Window(state)
    fresh = Messages(loaded, own.epoch, "https://news.example/feeds/world", 3)
    assert followed.messages.snapshot().stem == fresh.snapshot().stem
    sequences = sorted(state.checks)
    for sequence in (*sequences[:3], *sequences[-300::10], sequences[-1]):
        one, other = followed.window.changed_since(sequence), loaded.changed_since(sequence)
        assert one == other
    assert len(followed.window._items) < 350
    _, truth = await here.truth("world")
    watcher = here.watcher("world")
    await here.connected(watcher, room=10_000_000)
    await here.settle()
    assert watcher.client.shown == due(truth, watcher.client.floor)


async def test_what_is_filed_into_the_past_of_a_short_feed_is_shown_and_of_a_long_one_not(
    here: World,
) -> None:
    past = "2001-01-01T00:00:00Z"
    short = here.watcher("world")
    await news(here, 2)
    await here.connected(short, room=10_000_000)
    old = await here.submit("world", Verb.POST, headline="From the archive", at=past)
    await here.settle()
    assert old is not None
    assert short.client.floor is None
    assert [item["id"] for item in short.client.shown][-1] == old.id
    await here.check(short)
    await news(here, 60)
    await here.settle()
    long = here.watcher("world")
    await here.connected(long, room=10_000_000)
    older = await here.submit("world", Verb.POST, headline="Older still", at=past)
    await here.settle()
    assert older is not None
    assert older.id in long.client.versions
    assert older.id not in long.client.rows
    assert older.id in short.client.rows
    await here.check(long)


async def test_a_mirror_is_asked_once_however_many_come_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0
    initial_state = MemoryMirror.initial_state

    async def counted(*args: Any) -> Any:
        nonlocal asked
        asked += 1
        return await initial_state(*args)

    monkeypatch.setattr(MemoryMirror, "initial_state", counted)
    async with world(in_memory()) as here:
        await news(here, 10)
        crowd = [here.watcher("world") for _ in range(200)]
        for watcher in crowd:
            here.connect(watcher, room=100_000)
        await here.settle()
        assert asked == 1
        for watcher in crowd:
            await here.check(watcher)


async def crowd_in_cohorts_of_two(here: World, monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    """Connect four readers, of whom a round takes two at a time."""
    monkeypatch.setattr(rounds, "SLICE", 2)
    crowd = [recorder(here) for _ in range(4)]
    for watcher in crowd:
        await here.connected(watcher, room=1_000_000)
    return crowd


async def test_who_joined_in_one_round_and_is_ahead_of_the_next_is_told_nothing_twice(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = await crowd_in_cohorts_of_two(here, monkeypatch)
    await here.settle()
    station = here.stations[0]
    found = await station.hub.channel("world")
    assert found is not None
    await news(here, 4)
    await station.announce(1)
    await turns(1)  # a round is under way: two of them have the first item
    await station.announce(1)
    late = recorder(here)
    late.lost, late.station = True, station
    late.line = SocketLine(found, None, 1_000_000)
    gone = crowd.pop()  # and leaves a gap, where the late one would fit
    assert gone.line is not None
    await gone.line.close()
    gone.line = None
    await station.announce(1)
    await turns(1)  # the next round is under way, with three of the items
    await station.announce(1)
    await here.settle()
    assert [message["type"] for message in late.messages] == ["snapshot", "changes"]
    for watcher in (late, *crowd):
        await here.check(watcher)


async def test_a_cohort_that_was_merged_away_has_nobody(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = await crowd_in_cohorts_of_two(here, monkeypatch)
    found = await here.stations[0].hub.channel("world")
    assert found is not None
    kept, left = found.cohorts
    for watcher in crowd[::2]:
        await here.hang_up(watcher)
    await news(here)
    await here.settle()
    assert list(found.cohorts) == [kept]
    assert (len(kept.readers), len(kept.descriptors), found.cohorts.readers) == (2, 2, 2)
    assert not left.readers  # whoever still holds it writes to nobody
    assert not left.descriptors
