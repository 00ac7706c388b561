"""The outbox: commands with their keys, each in a file from before it is sent until it is done.

A folder holds `N.json`, readable by its owner alone, and `N.lock`, which is locked while a command
sends it. The lock file is made first and removed last, so whoever made it owns the number.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from publisher.text.files import make_private_folder, state_folder, write_private
from publisher.text.locks import FileLock, lock_file

if TYPE_CHECKING:
    from feedserver.wire import Json

FORMAT = 1
_PATIENCE = 0.5  # seconds; who only looks whether an entry is being sent holds it for a moment
_CLAIMS = 50  # numbers that are tried; more only fail where files cannot be locked at all
_FILE = re.compile(r"([1-9][0-9]{0,8})\.(?:json|lock)")
_TEXT = ("server", "feed", "profile", "verb", "key", "at", "stored")


@dataclass(frozen=True, slots=True)
class Entry:
    """A command that the server may not have yet.

    `at`: when it was typed, as RFC 3339. `etag`: the version it was written against. `headline`:
    that of its item. `stored`: "no" where no try can have been stored, else "unknown". `refused`:
    the server's sentence. `text`: the file of ours that holds the same words. `changes`, `merges`,
    `sent`: as an Edit has them. `overwrites`: it takes whatever version there is.
    """

    server: str
    feed: str
    profile: str
    verb: str
    fields: Json
    key: str
    at: str
    item: int | None = None
    etag: str | None = None
    headline: str | None = None
    stored: str = "unknown"
    refused: str | None = None
    text: str | None = None
    changes: Json = field(default_factory=dict)
    merges: bool = False
    overwrites: bool = False
    sent: Json | None = None

    @property
    def of_feed(self) -> bool:
        """Whether it changes the feed itself, and no item."""
        return self.item is None and self.verb != "post"

    def age(self, now: datetime) -> float:
        """Return the seconds since it was typed; less than 0 where a clock was set back."""
        return (now - datetime.fromisoformat(self.at)).total_seconds()

    def same_command(self, other: Entry) -> bool:
        """Say whether both ask the same of the same server under one key."""
        names = ("server", "feed", "profile", "key", "verb", "item")
        same = all(getattr(self, name) == getattr(other, name) for name in names)
        alike = (self.fields, self.changes) == (other.fields, other.changes)
        return same and (alike or self.refused is not None)


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry as it was read. `entry` is None where its file cannot be read."""

    number: int
    entry: Entry | None


class Kept:
    """An entry that this process holds: no other command sends it meanwhile."""

    def __init__(self, path: Path, entry: Entry, lock: FileLock, *, is_new: bool = False) -> None:
        self.path = path
        self.entry = entry
        self.is_new = is_new
        self._lock = lock

    @property
    def number(self) -> int:
        """The number by which people name it."""
        return int(self.path.stem)

    def write(self) -> None:
        """Write it to its file. Raises OSError."""
        data = json.dumps({"format": FORMAT, **asdict(self.entry)}, ensure_ascii=False, indent=1)
        write_private(self.path, data.encode() + b"\n")

    def renew(self, entry: Entry) -> None:
        """Put the same command in its place, as it was typed once more. Raises OSError.

        What may be stored already is asked for again in the same words.
        """
        before = self.entry
        sent = before.sent if before.refused is None else None
        self.entry = replace(entry, text=entry.text or before.text, sent=sent)
        self.write()
        if before.text and before.text != self.entry.text:
            with suppress(OSError):
                Path(before.text).unlink(missing_ok=True)

    def change(self, **members: Any) -> None:
        """Note what became of it; where that cannot be written, it stays as it was."""
        self.entry = replace(self.entry, **members)
        with suppress(OSError):
            self.write()

    def remove(self) -> None:
        """Remove it with all its words, as it is needed no more."""
        if self.entry.text:
            with suppress(OSError):
                Path(self.entry.text).unlink(missing_ok=True)
        self.take_back()

    def take_back(self) -> None:
        """Remove it, and leave the file of its text to the editor."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self._lock.remove()

    def give_back(self) -> None:
        """Leave all as it was before the command, as nothing was sent."""
        if self.is_new:
            self.take_back()
        else:
            self.release()

    def release(self) -> None:
        """Leave it in the outbox for another command."""
        self._lock.release()


class Outbox:
    """The commands that are kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entries(self) -> list[Listed]:
        """Return what is in it, the oldest first. Raises OSError."""
        found = []
        for number in self._numbers():
            try:
                found.append(Listed(number, _read(self._path(number))))
            except FileNotFoundError:
                self._remove_unfinished(number)
            except (OSError, ValueError):
                found.append(Listed(number, None))
        return found

    def keep(self, entry: Entry) -> Kept | None:
        """Put a command on disk and hold it; None where another process sends it right now.

        The same command under the same key is kept once. Raises OSError.
        """
        for listed in self.entries():
            if listed.entry is not None and listed.entry.same_command(entry):
                kept = self.take(listed)
                if kept is not None:
                    kept.renew(entry)
                    return kept
                if self._path(listed.number).exists():
                    return None
        number, lock = self._claim()
        kept = Kept(self._path(number), entry, lock, is_new=True)
        try:
            kept.write()
        except OSError:
            lock.remove()
            raise
        return kept

    def take(self, listed: Listed) -> Kept | None:
        """Hold an entry that was listed; None where another process holds it or it is gone."""
        path = self._path(listed.number)
        lock = lock_file(self._lock_path(listed.number), patience=_PATIENCE)
        if lock is None:
            return None
        try:
            entry = _read(path)
        except (OSError, ValueError):
            entry = None
        # A number may be given anew once its entry is gone.
        if entry is None or listed.entry is None or entry.key != listed.entry.key:
            lock.release()
            return None
        return Kept(path, entry, lock)

    def is_being_sent(self, listed: Listed) -> bool:
        """Say whether another process holds an entry right now."""
        lock = lock_file(self._lock_path(listed.number))
        if lock is not None:
            lock.release()
        return lock is None and self._lock_path(listed.number).exists()

    def drop(self, listed: Listed) -> bool:
        """Remove an entry, unless another process sends it right now."""
        if listed.entry is None:
            with suppress(OSError):
                self._path(listed.number).unlink(missing_ok=True)
                self._lock_path(listed.number).unlink(missing_ok=True)
            return not self._path(listed.number).exists()
        kept = self.take(listed)
        if kept is None:
            return not self._path(listed.number).exists()
        kept.remove()
        return not self._path(listed.number).exists()

    def _claim(self) -> tuple[int, FileLock]:
        make_private_folder(self.folder)
        first = max(self._numbers(), default=0) + 1
        for number in range(first, first + _CLAIMS):
            path = self._lock_path(number)
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                continue
            lock = lock_file(path)
            if lock is not None:  # else another process took it for one that was left behind
                return number, lock
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    def _remove_unfinished(self, number: int) -> None:
        """Remove what a command left that was killed before its entry was whole."""
        lock = lock_file(self._lock_path(number))
        if lock is None:
            return
        if not self._path(number).exists():
            for draft in self.folder.glob(f".{number}.json.*"):
                with suppress(OSError):
                    draft.unlink(missing_ok=True)
            lock.remove()
        lock.release()

    def _numbers(self) -> list[int]:
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        found = (_FILE.fullmatch(name) for name in names)
        return sorted({int(match[1]) for match in found if match})

    def _path(self, number: int) -> Path:
        return self.folder / f"{number}.json"

    def _lock_path(self, number: int) -> Path:
        return self.folder / f"{number}.lock"


def open_outbox() -> Outbox:
    """Return this user's outbox. Raises OSError where there is no folder for it."""
    return Outbox(state_folder() / "outbox")


def waiting(entries: list[Listed]) -> Iterator[tuple[Listed, Entry]]:
    """Yield the entries that can be read and were not refused."""
    for listed in entries:
        if listed.entry is not None and listed.entry.refused is None:
            yield listed, listed.entry


def now_text() -> str:
    """Return the time of now as an entry keeps it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _read(path: Path) -> Entry:
    """Read an entry. Raises OSError, ValueError."""
    raw = json.loads(path.read_bytes())
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ValueError("of another format")
    known = {field.name for field in fields(Entry)}
    try:
        entry = Entry(**{name: value for name, value in raw.items() if name in known})
    except TypeError:
        raise ValueError("it lacks members") from None
    if not all(isinstance(getattr(entry, name), str) for name in _TEXT):
        raise ValueError("a member is no text")
    if not isinstance(entry.fields, dict) or not isinstance(entry.changes, dict):
        raise ValueError("its fields cannot be read")
    if not isinstance(entry.sent, dict | None) or datetime.fromisoformat(entry.at).tzinfo is None:
        raise ValueError("its fields or its time cannot be read")
    return entry
