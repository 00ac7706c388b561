"""A feed's messages, made of a window: where each chain leads."""

from __future__ import annotations

from dataclasses import replace

from feedserver.journal import InitialState
from feedserver.live.chains import Chains
from feedserver.live.messages import MESSAGE_MAX, Messages
from feedserver.live.readers import Position
from feedserver.live.window import Window
from feedserver.model import Cursor, Feed, Item
from feedserver.rules import Change

FEED = Feed("world", "World", 0, 1, 3, "c3")
LONG = "x" * 60_000


def item(item_id: int, version: int) -> Item:
    return Item(item_id, "world", version, f"c{version}", 100, headline="News", body=LONG)


def sequence_of(text: str) -> int:
    cursor = Cursor.parse(text)
    assert cursor is not None
    return cursor.sequence


def test_a_long_catch_up_over_records_read_back_leads_past_no_change() -> None:
    """Each record was read back when its item had been changed again, far beyond the head."""
    first = item(3, 3)
    window = Window(InitialState(FEED, (first,), (), (first,), {3: "c003"}))
    newest = replace(FEED, head=500, check="c500")
    for sequence in range(4, 44):
        state = item(sequence, 400 + sequence)
        assert window.apply(Change(sequence, f"c{sequence:03}", 0, feed=newest, item=state))
    messages = Messages(window, "epoch123", "https://news.example", 25)
    chain = Chains(window, messages).since(Position(3, "c003", "epoch123"))
    assert len(chain) > 2
    told = [one.id for message in chain for one in message.items]
    assert told == list(range(4, 44)), "each message has items of its own"
    assert all(len(message.stem) < MESSAGE_MAX for message in chain)
    # What is still to come, up to 443, changes other items: a reader must not stand beyond it.
    assert [sequence_of(message.cursor) for message in chain] == [43] * len(chain)
