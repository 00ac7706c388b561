"""One cache for all that is encoded: bounded by bytes, and free of what was withdrawn."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedserver.live import encoded
from feedserver.live.encoded import ENTRY_BYTES, SHARE_MAX, EncodedCache, item_json
from feedserver.model import Item

SIZE = 10_000 - ENTRY_BYTES  # of an entry that takes 10,000 bytes with what it is kept in


def full() -> EncodedCache:
    """A cache of ten entries, each of an item of its own."""
    cache = EncodedCache(100_000)
    for number in range(10):
        cache.put(number, f"page {number}", SIZE, items=(number,), since=cache.moment)
    assert cache.bytes == 100_000
    return cache


def kept(cache: EncodedCache) -> list[int]:
    return [number for number in range(20) if cache.get(number) is not None]


def test_what_was_used_least_recently_goes_first() -> None:
    cache = full()
    cache.get(0)
    for number in range(10, 14):
        cache.get(0)  # a page that is asked for again and again
        cache.put(number, "page", SIZE, since=cache.moment)
    assert kept(cache) == [0, 5, 6, 7, 8, 9, 10, 11, 12, 13]


def test_an_answer_that_would_push_out_most_others_is_not_kept() -> None:
    cache = full()
    cache.put(10, "page", 100_000 // SHARE_MAX, since=cache.moment)
    assert kept(cache) == list(range(10))
    cache.put(10, "page", 100_000 // SHARE_MAX - ENTRY_BYTES, since=cache.moment)
    assert kept(cache) == [3, 4, 5, 6, 7, 8, 9, 10]


def test_all_that_holds_words_of_an_item_is_forgotten_with_it() -> None:
    cache = full()
    cache.put("list", "of two", 1, items=(4, 5), feed="world", since=cache.moment)
    cache.forget_item(4)
    assert kept(cache) == [1, 2, 3, 5, 6, 7, 8, 9]  # and 0, for which the list came
    assert cache.get("list") is None
    cache.put("list", "of one", 1, items=(5,), feed="world", since=cache.moment)
    cache.forget_feed("world")
    assert cache.get("list") is None
    assert cache.get(5) is not None
    assert cache.bytes == 80_000


def test_what_was_read_before_a_withdrawal_is_not_kept_after_it() -> None:
    cache = EncodedCache(100_000)
    before = cache.moment
    cache.forget_item(1)
    cache.put("page", "with the words", 10, items=(1, 2), since=before)
    assert cache.get("page") is None
    cache.put("other", "without them", 10, items=(2,), since=before)
    cache.put("page", "the tombstone", 10, items=(1, 2), since=cache.moment)
    assert cache.get("other") == "without them"
    assert cache.get("page") == "the tombstone"


def test_a_read_so_old_that_nobody_remembers_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoded, "FORGOTTEN_MAX", 3)
    cache = EncodedCache(100_000)
    before = cache.moment
    for item in range(4):
        cache.forget_item(item)
    cache.put("page", "of another item", 10, items=(9,), since=before)
    assert cache.get("page") is None
    assert len(cache._forgotten) == 3


def test_another_journal_leaves_nothing() -> None:
    cache = full()
    before = cache.moment
    cache.clear()
    cache.put(3, "from the former one", 10, since=before)
    assert kept(cache) == []
    assert cache.bytes == 0
    cache.put(3, "from this one", 10, since=cache.moment)
    assert cache.get(3, since=before) is None, "the key meant something else then"
    assert cache.get(3, since=cache.moment) == "from this one"


def test_an_item_is_encoded_once_for_each_version(monkeypatch: pytest.MonkeyPatch) -> None:
    encodings: list[Item] = []

    def encode(item: Item) -> bytes:
        encodings.append(item)
        return b"{}"

    monkeypatch.setattr(encoded, "encode_item", encode)
    cache = EncodedCache()
    first, second = (Item(7, "world", version, "abcd", 0) for version in (7, 9))
    for item in (first, first, second, second, first):
        item_json(cache, item, since=cache.moment)
    assert encodings == [first, second]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 9), st.integers(0, 4_000), st.integers(0, 5)),
        st.tuples(st.just("get"), st.integers(0, 9)),
        st.tuples(st.just("forget"), st.integers(0, 5)),
    ),
    max_size=60,
)


@given(STEPS)
def test_it_never_holds_more_than_it_may_and_counts_right(steps: list[tuple[Any, ...]]) -> None:
    cache = EncodedCache(12_000)
    for step in steps:
        match step:
            case "put", key, size, item:
                cache.put(key, (key, size), size, items=(item, item + 1), since=cache.moment)
            case "get", key:
                assert (cache.get(key) or (key,))[0] == key
            case "forget", item:
                cache.forget_item(item)
                assert all(item not in entry.owners for entry in cache._entries.values())
        assert cache.bytes == sum(entry.size for entry in cache._entries.values()) <= 12_000
        owned = {(owner, key) for owner, keys in cache._owned.items() for key in keys}
        entries = cache._entries.items()
        assert owned == {(owner, key) for key, entry in entries for owner in entry.owners}
