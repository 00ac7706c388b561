"""A feed's newest state: what it takes in, and what it leaves."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from feedserver.journal import InitialState
from feedserver.live import window as windows
from feedserver.live.window import Window
from feedserver.model import Feed, Item
from feedserver.rules import Change

FEED = Feed("world", "World", 0, 1, 3, "c3")


def item(version: int, item_id: int = 3, **more: object) -> Item:
    made = Item(item_id, "world", version, f"c{version}", 100, headline=f"version {version}")
    return replace(made, **more)  # type: ignore[arg-type]


def change(sequence: int, state: Item, *, head: int | None = None) -> Change:
    """Make a change as watched, or, with `head`, as read back when the feed had that head."""
    newest = head or sequence
    feed = replace(FEED, head=newest, check=f"c{newest}")
    return Change(sequence, f"c{sequence}", 0, feed=feed, item=state)


@pytest.fixture
def window() -> Window:
    first = item(3)
    return Window(InitialState(FEED, (first,), (), (first,), {3: "c3"}))


def shown(window: Window) -> list[Item]:
    return window.snapshot()


def test_an_older_state_does_not_take_the_place_of_a_newer_one(window: Window) -> None:
    newest = item(6, pinned=True)
    assert window.apply(change(4, newest, head=6))  # read back: it comes as it is by now
    assert window.apply(change(5, item(5)))  # from memory: as it was then
    assert window.head == 5
    assert shown(window) == [newest]
    assert window.changed_since(3) == [newest]
    assert orjson.loads(window.json(shown(window)[0]))["headline"] == "version 6"
    assert window.apply(change(6, newest))
    assert shown(window) == window.changed_since(5) == [newest]


def test_a_change_that_is_in_already_changes_nothing(window: Window) -> None:
    assert window.apply(change(4, item(4)))
    for again in (change(3, item(3)), change(4, item(9, item_id=4))):
        assert not window.apply(again)
    assert window.cursor("epoch") == "epoch.4.c4"
    assert shown(window) == [item(4)]


def test_the_head_is_that_of_the_change_however_new_the_feed_comes(window: Window) -> None:
    assert window.apply(change(4, item(6), head=6))
    assert window.cursor("epoch") == "epoch.4.c4"
    assert (window.check(4), window.check(6)) == ("c4", None)


def test_an_item_that_was_stamped_in_the_future_takes_its_new_place_alone(window: Window) -> None:
    ahead = item(4, item_id=4, published_at=9_000)
    window.apply(change(4, ahead))
    assert [one.id for one in shown(window)] == [4, 3]
    window.apply(change(5, item(5, item_id=5, published_at=300)))
    window.apply(change(6, replace(ahead, version=6, check="c6", published_at=200)))
    assert [one.id for one in shown(window)] == [5, 4, 3]
    assert window.floor() == (100, 3)


def test_when_a_fact_changed_last_never_goes_back_whatever_is_forgotten(window: Window) -> None:
    assert window.changed_at == 100
    window.apply(change(4, item(4, item_id=4, updated_at=900)))
    assert window.changed_at == 900
    for sequence in range(5, 5 + 2 * windows.RECENT):
        window.apply(change(sequence, item(sequence, sequence, published_at=sequence)))
        window.forget_burst(sequence)
    assert 4 not in window._items
    assert window.changed_at == 900
    of_older = InitialState(FEED, (), (), (), {}, changed_at=700)
    assert Window(of_older).changed_at == 700


def test_a_time_of_the_future_that_was_mended_counts_no_more(window: Window) -> None:
    ahead = item(4, item_id=4, published_at=9_000)
    window.apply(change(4, ahead))
    window.apply(change(5, replace(ahead, version=5, published_at=200)))
    assert window.changed_at == 200


def spoilt(*readable: Item, oldest: int, complete_after: int) -> Window:
    """A window of a feed with more items, some of which cannot be read."""
    feed = replace(FEED, head=90, check="c90")
    order = (oldest, oldest)
    return Window(InitialState(feed, readable, (), readable, {}, order, complete_after))


def test_items_that_cannot_be_read_hide_neither_older_pages_nor_earlier_changes() -> None:
    readable = [item(number, number, published_at=number) for number in (90, 80, 70)]
    window = spoilt(*readable, oldest=60, complete_after=59)
    assert (window.snapshot(), window.following) == (readable, (70, 70))
    assert window.floor() == (70, 70)
    assert window.changed_since(58) is None
    assert window.changed_since(59) == readable[::-1]
    nothing = spoilt(oldest=60, complete_after=59)
    assert (nothing.snapshot(), nothing.following) == ([], (60, 60))
    assert nothing.floor() == (60, 60)


def test_an_old_item_is_no_floor_over_items_that_a_window_does_not_know() -> None:
    window = spoilt(item(90, 90, published_at=90), oldest=60, complete_after=59)
    changed = item(91, 20, published_at=20)
    assert window.apply(change(91, changed))
    assert window.changed_since(90) == [changed]
    assert [one.id for one in shown(window)] == [90]
    assert window.floor() == (90, 90)
    assert window.apply(change(92, item(92, 75, published_at=75)))  # it can be read again
    assert [one.id for one in shown(window)] == [90, 75]


def test_a_catch_up_of_few_items_is_whole_however_long_they_are(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "CATCH_UP_MAX", 3)
    monkeypatch.setattr(windows, "LIVE_BYTES", 20_000)

    def take(first: int, last: int) -> list[Item]:
        taken = [item(n, n, body="x" * 3_000) for n in range(first, last + 1)]
        assert all(window.apply(change(one.version, one)) for one in taken)
        return taken

    burst = take(4, 8)
    assert window.changed_since(3) == burst, "who was level before it gets it all"
    window.forget_burst(8)
    assert window.changed_since(5) == burst[2:]
    assert window.changed_since(4) is None
    burst = take(9, 13)
    assert window.changed_since(8) == burst
    burst += take(14, 16)
    assert window.changed_since(8) is None, "too long a burst for those who were level, too"
    assert window.changed_since(13) == burst[5:]
