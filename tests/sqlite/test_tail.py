"""The newest changes in memory: as many as there is room for, and none with a hole."""

from __future__ import annotations

import pytest

from feedserver.model import Correction, Item, Media
from feedserver.rules import Change
from feedserver.sqlite.tail import BYTES_MAX, COUNT_MAX, Tail


def change(sequence: int, **fields: object) -> Change:
    item = Item(sequence, "world", sequence, "abcd", published_at=0, **fields)  # type: ignore[arg-type]
    return Change(sequence, "abcd", 0, item=item)


def kept(tail: Tail, last: int) -> int:
    """Count the newest changes that are there without a hole."""
    count = 0
    while len(tail.since(last - count - 1)) == count + 1:
        count += 1
    return count


def test_short_news_is_kept_by_number() -> None:
    tail = Tail()
    changes = [change(number) for number in range(1, COUNT_MAX + 11)]
    tail.extend(changes)
    assert tail.since(10) == tuple(changes[10:])
    assert tail.since(9) == ()
    assert tail.since(changes[-1].sequence) == ()


@pytest.mark.parametrize(
    "long",
    [
        {"body": "x" * 64_000},
        {"corrections": tuple(Correction(0, "x" * 1_000) for _ in range(50))},
        {"media": tuple(Media("https://a.example/" + "x" * 2_000, "y" * 900) for _ in range(10))},
    ],
    ids=["body", "corrections", "media"],
)
def test_long_news_is_kept_as_far_as_there_is_room(long: dict[str, object]) -> None:
    tail = Tail()
    for number in range(1, 2_001):
        tail.extend([change(number, **long)])
    assert BYTES_MAX // 70_000 < kept(tail, 2_000) < BYTES_MAX // 25_000


def test_what_was_forgotten_makes_room_and_leaves_a_hole() -> None:
    tail = Tail()
    count = BYTES_MAX // 70_000
    tail.extend(change(number, body="x" * 64_000) for number in range(1, count + 1))
    tail.forget(set(range(2, count + 1)), set())
    assert tail.since(0) == (change(1, body="x" * 64_000),)
    tail.extend(change(number, body="x" * 64_000) for number in range(2, count + 1))
    assert kept(tail, count) == count
    tail.forget({count - 1}, set())
    assert kept(tail, count) == 1
    assert tail.since(0) == ()
    tail.forget(set(), {"world"})  # whose own words each of its changes has
    assert kept(tail, count) == 0
