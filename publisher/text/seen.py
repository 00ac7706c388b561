"""The versions of items that this editor was last shown whole, with their words.

A folder beside the outbox holds a file for each item and editor, readable by its owner alone. It
is an aid, not a promise: what cannot be read was never seen, and what cannot be written stays as it
was, so that an older version is named and a colleague's edit is told, not overwritten.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.text.files import DIGEST, digest, keep_newest, state_folder, write_private
from publisher.text.words import alike

if TYPE_CHECKING:
    from feedserver.wire import Json

FORMAT = 1
ITEMS_MAX = 500  # more than a newsroom works on in a week
BYTES_MAX = 8 * 1024 * 1024  # a hundred of the longest items
ITEM_BYTES_MAX = 1024 * 1024  # an item of the contract has less


@dataclass(frozen=True, slots=True)
class Seen:
    """A version of an item, and its words as they were shown."""

    etag: str
    version: int
    words: Json


class SeenVersions:
    """What one editor was shown on one server. No method raises: a verb goes on without it."""

    def __init__(self, folder: Path | None, server: str, editor: str) -> None:
        self._folder = folder
        self._server = digest(server)
        self._editor = digest(f"{server}\0{editor}")

    def get(self, feed: str, item: int) -> Seen | None:
        """Return the version that was last shown; None where none is known."""
        if self._folder is None:
            return None
        return _read(self._path(self._folder, feed, item))

    def keep(self, feed: str, item: int, seen: Seen) -> None:
        """Remember a version in place of the one before it; the oldest items make room."""
        if self._folder is None:
            return
        data = _data(seen)
        if len(data) > ITEM_BYTES_MAX:
            self.forget(feed, item)
            return
        with suppress(OSError):
            write_private(self._path(self._folder, feed, item), data, sync=False)
            keep_newest(self._folder, files=ITEMS_MAX, size=BYTES_MAX)

    def forget(self, feed: str, item: int) -> None:
        """Remove the words of an item that was withdrawn, whoever was shown them."""
        if self._folder is None:
            return
        for path in self._of_everybody(self._folder, feed, item):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def keep_only(self, feed: str, item: int, words: Json) -> None:
        """Remove all words but these, whoever was shown them, as an earlier version was erased.

        That a version was shown is still known, so that a newer one is not written over unseen.
        """
        if self._folder is None:
            return
        for path in self._of_everybody(self._folder, feed, item):
            seen = None if path.name.startswith(".") else _read(path)
            with suppress(OSError):
                if seen is None:
                    path.unlink(missing_ok=True)
                    continue
                same = {
                    name: x for name, x in seen.words.items() if alike(name, x, words.get(name))
                }
                if same != seen.words:
                    path.unlink()
                    write_private(path, _data(Seen(seen.etag, seen.version, same)), sync=False)

    def forget_all(self) -> None:
        """Remove all that this editor was shown on this server."""
        if self._folder is None:
            return
        with suppress(OSError):
            for path in self._folder.glob(f"*{self._server}-{self._editor}-*"):
                path.unlink(missing_ok=True)

    def _path(self, folder: Path, feed: str, item: int) -> Path:
        return folder / f"{self._server}-{self._editor}-{item}-{feed}.json"

    def _of_everybody(self, folder: Path, feed: str, item: int) -> list[Path]:
        """Return what each editor was shown, and what commands left that died as they wrote."""
        name = f"{self._server}-{'?' * DIGEST}-{item}-{feed}.json"
        try:
            return [*folder.glob(name), *folder.glob(f".{name}.*")]
        except OSError:
            return []


def open_seen(server: str, editor: str) -> SeenVersions:
    """Return what an editor was shown; `editor` is what tells one from another on a server."""
    try:
        folder = state_folder() / "seen"
    except OSError:
        folder = None
    return SeenVersions(folder, server, editor)


def _read(path: Path) -> Seen | None:
    try:
        raw = json.loads(path.read_bytes())
        if raw["format"] != FORMAT:
            return None
        seen = Seen(raw["etag"], raw["version"], raw["words"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    whole = isinstance(seen.etag, str) and isinstance(seen.words, dict)
    return seen if whole and isinstance(seen.version, int) else None


def _data(seen: Seen) -> bytes:
    return json.dumps({"format": FORMAT, **asdict(seen)}, ensure_ascii=False).encode()
