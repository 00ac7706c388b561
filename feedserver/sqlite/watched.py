"""The newest changes made here, kept so that followers need not read them back."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable

from feedserver.rules import Change

COUNT_MAX = 4096  # changes …
BYTES_MAX = 16 * 1024 * 1024  # … and the memory that they may take together, by estimate
BARE_BYTES = 2048  # of a change without its long texts


class Watched:
    """Changes in order, the oldest dropped first. What is missing, a follower reads back."""

    def __init__(self) -> None:
        self._kept: deque[tuple[Change, int]] = deque()
        self._bytes = 0

    def extend(self, changes: Iterable[Change]) -> None:
        """Keep newer changes too, as many as there is room for."""
        for change in changes:
            size = _size(change)
            self._kept.append((change, size))
            self._bytes += size
        while len(self._kept) > COUNT_MAX or self._bytes > BYTES_MAX:
            self._bytes -= self._kept.popleft()[1]

    def since(self, after: int) -> tuple[Change, ...]:
        """Return all changes from the one at `after` + 1 on; nothing if one of them is missing."""
        found: list[Change] = []
        for change, _ in reversed(self._kept):
            if change.sequence <= after:
                break
            found.append(change)
        found.reverse()
        # Another process's record in between makes a gap: then the file has to be read.
        end = after + len(found)
        return tuple(found) if found and found[-1].sequence == end else ()

    def forget(self, killed: set[int]) -> None:
        """Drop what holds the text of killed items."""
        if not killed:
            return
        self._kept = deque(
            (change, size)
            for change, size in self._kept
            if change.item is None or change.item.id not in killed
        )
        self._bytes = sum(size for _, size in self._kept)


def _size(change: Change) -> int:
    item = change.item
    if item is None:
        return BARE_BYTES
    texts = [item.headline, item.body, *(one.note for one in item.corrections)]
    texts += [text for one in item.media for text in (one.url, one.alt or "")]
    return BARE_BYTES + sum(map(sys.getsizeof, texts))
