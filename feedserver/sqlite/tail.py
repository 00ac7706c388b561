"""The newest changes: kept as they were made here, or read back from the file."""

from __future__ import annotations

import sqlite3
import sys
from collections import deque
from collections.abc import Iterable

import orjson

from feedserver.model import Act, Verb
from feedserver.rules import Change
from feedserver.sqlite import rows
from feedserver.sqlite.rows import Reader

COUNT_MAX = 4096  # changes …
BYTES_MAX = 16 * 1024 * 1024  # … and the memory that they may take together, by estimate
BARE_BYTES = 2048  # of a change without its long texts
READ_MAX = 500  # changes read back at once


class Tail:
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

    def forget_all(self) -> None:
        """Drop everything: another journal is here."""
        self._kept.clear()
        self._bytes = 0

    def forget(self, items: set[int], feeds: set[str]) -> None:
        """Drop what may hold withdrawn words: of these items, and of feeds.

        `feeds` are those whose own words were withdrawn: the changes of their items hold them too.
        """
        self._kept = deque(
            (change, size)
            for change, size in self._kept
            if change.item is not None
            and change.item.id not in items
            and change.item.feed not in feeds
        )
        self._bytes = sum(size for _, size in self._kept)


def read_tail(connection: sqlite3.Connection, reader: Reader, after: int) -> tuple[Change, ...]:
    """Read accepted changes after `after` back, with the state of now."""
    found = connection.execute(
        "SELECT sequence, substr(rid, 1, 4), act, at, effective_at, feed, item, settings"
        " FROM records"
        " WHERE sequence > ? ORDER BY sequence LIMIT ?",
        (after, READ_MAX),
    ).fetchall()
    changes = []
    for sequence, check, act, at, effective_at, slug, item, settings in found:
        token = None
        if slug is None and settings is not None:
            token = rows.find_token(connection, orjson.loads(settings)["name"])
        changes.append(
            Change(
                sequence,
                check,
                effective_at,
                Act(act) if act in frozenset(Act) else Verb(act),
                feed=rows.find_feed(connection, reader, slug) if slug is not None else None,
                item=rows.find_item(connection, reader, item) if item is not None else None,
                token=token,
                at=at,
            )
        )
    return tuple(changes)


def _size(change: Change) -> int:
    item = change.item
    if item is None:
        return BARE_BYTES
    texts = [item.headline, item.body, *(one.note for one in item.corrections)]
    texts += [text for one in item.media for text in (one.url, one.alt or "", one.caption or "")]
    return BARE_BYTES + sum(map(sys.getsizeof, texts))
