"""Remembers the feeds and items that were told last, with headlines, for completion in a shell.

It is an aid: where nothing can be written, a command does its work all the same. What it keeps is
read by publisher/completion/known.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from publisher.completion.known import Feeds, known_file, read_known
from publisher.output import clean_line
from publisher.text.files import make_private_folder, write_private
from publisher.text.locks import lock_file

ITEMS_MAX = 100  # of a feed; a list that a person looks through
ALL_MAX = 1000  # of all feeds of a server, so that a Tab reads little
HEADLINE_MAX = 100  # characters
_T = TypeVar("_T")
_PATIENCE = 1.0  # seconds for another command that writes


def note_feeds(server: str, feeds: Iterable[str]) -> None:
    """Remember all feeds of a server; what is known of others is forgotten."""
    slugs = list(feeds)
    _change(server, lambda known: {slug: known.get(slug, {}) for slug in slugs})


def note_items(server: str, feed: str, headlines: Mapping[int, str]) -> None:
    """Remember items with their headlines, before those that were told of earlier."""
    told = {str(item): _short(headline) for item, headline in headlines.items()}

    def change(known: Feeds) -> Feeds:
        earlier = _without(known.get(feed, {}), told)
        return {feed: told | earlier, **_without(known, [feed])}

    if told:
        _change(server, change)


def forget_headline(server: str, feed: str, item: int) -> None:
    """Forget an item that was withdrawn."""
    if str(item) in read_known(server).get(feed, {}):
        _change(
            server,
            lambda known: {**known, feed: _without(known.get(feed, {}), [str(item)])},
            removes=True,
        )


def _change(server: str, change: Callable[[Feeds], Feeds], *, removes: bool = False) -> None:
    """Change what is known of a server; one that `removes` does it beside another that writes."""
    with suppress(OSError, UnicodeError):
        path = Path(known_file(server))
        make_private_folder(path.parent)
        place = path.with_suffix(".lock")
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT, 0o600))
        lock = lock_file(place, patience=_PATIENCE)
        if lock is None and not removes:
            return
        try:
            feeds = _within_limits(change(read_known(server)))
            data = json.dumps({"server": server, "feeds": feeds}, ensure_ascii=False).encode()
            write_private(path, data, sync=False)
        finally:
            if lock is not None:
                lock.release()


def _within_limits(feeds: Feeds) -> Feeds:
    left = ALL_MAX
    kept: Feeds = {}
    for feed, items in feeds.items():
        kept[feed] = dict(list(items.items())[: min(left, ITEMS_MAX)])
        left -= len(kept[feed])
    return kept


def _without(known: Mapping[str, _T], names: Iterable[str]) -> dict[str, _T]:
    left_out = set(names)
    return {name: value for name, value in known.items() if name not in left_out}


def _short(headline: str) -> str:
    text = clean_line(headline)
    return text if len(text) <= HEADLINE_MAX else f"{text[: HEADLINE_MAX - 1]}…"
