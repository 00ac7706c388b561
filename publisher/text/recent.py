"""The items that this editor posted or changed last from this machine, which `last` names.

A folder beside the outbox holds a file for each item and editor, readable by its owner alone. What
cannot be read was never changed from here, and a verb does its work where nothing can be written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from publisher.text.files import DIGEST, digest, keep_newest, state_folder, write_private
from publisher.text.outbox import now_text

FORMAT = 1
ITEMS_MAX = 200  # more than anybody counts back
BYTES_MAX = 1024 * 1024  # of files that hold a headline each


@dataclass(frozen=True, slots=True)
class Recent:
    """An item that was posted or changed. `at`: when. `headline`: None once it was withdrawn.

    `item` is None while its post is in the outbox, as entry number `waits`.
    """

    feed: str
    item: int | None
    at: str
    headline: str | None = None
    waits: int | None = None


class RecentItems:
    """What one editor posted or changed on one server. No method raises."""

    def __init__(self, folder: Path | None, server: str, editor: str) -> None:
        self._folder = folder
        self._server = digest(server)
        self._editor = digest(f"{server}\0{editor}")

    def newest(self) -> list[Recent]:
        """Return the items, the one that was changed last first."""
        found = []
        for path in self._paths(f"{self._server}-{self._editor}-*.json"):
            with suppress(OSError, ValueError, TypeError, KeyError):
                found.append(_read(path))
        return sorted(found, key=lambda one: one.at, reverse=True)

    def note(self, feed: str, item: int, headline: str | None) -> None:
        """Remember that an item was posted or changed just now."""
        if self._folder is None:
            return
        path = self._folder / f"{self._server}-{self._editor}-{item}-{feed}.json"
        with suppress(OSError):
            _write(path, Recent(feed, item, now_text(), headline))
            keep_newest(self._folder, files=ITEMS_MAX, size=BYTES_MAX)

    def forget(self, feed: str, item: int) -> None:
        """Remove the headline of an item that was withdrawn, whoever changed it."""
        name = f"{self._server}-{'?' * DIGEST}-{item}-{feed}.json"
        for path in self._paths(f".{name}.*"):  # of commands that were killed while they wrote
            with suppress(OSError):
                path.unlink(missing_ok=True)
        for path in self._paths(name):
            try:
                known = _read(path)
                if known.headline is not None:
                    _write(path, Recent(known.feed, known.item, known.at))
            except (OSError, ValueError, TypeError, KeyError):
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def forget_all(self) -> None:
        """Remove all that this editor changed on this server."""
        for path in self._paths(f"*{self._server}-{self._editor}-*"):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _paths(self, pattern: str) -> Iterator[Path]:
        if self._folder is not None:
            with suppress(OSError):
                yield from list(self._folder.glob(pattern))


def open_recent(server: str, editor: str) -> RecentItems:
    """Return what an editor changed; `editor` is what tells one from another on a server."""
    try:
        folder = state_folder() / "recent"
    except OSError:
        folder = None
    return RecentItems(folder, server, editor)


def _read(path: Path) -> Recent:
    """Read a file. Raises OSError, ValueError, TypeError, KeyError."""
    raw = json.loads(path.read_bytes())
    found = Recent(raw["feed"], raw["item"], raw["at"], raw["headline"])
    texts = (found.feed, found.at, found.headline or "")
    if raw["format"] != FORMAT or not all(isinstance(text, str) for text in texts):
        raise ValueError("of another format")
    if not isinstance(found.item, int):
        raise ValueError("without an item's number")
    return found


def _write(path: Path, recent: Recent) -> None:
    members = {name: value for name, value in asdict(recent).items() if name != "waits"}
    data = json.dumps({"format": FORMAT, **members}, ensure_ascii=False).encode()
    write_private(path, data, sync=False)
