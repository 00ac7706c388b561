"""A disk as the log of steps leaves it, and what a power cut may leave of that.

What was synced is there. Of what was not, each sector of 512 bytes holds what some earlier moment
wrote to it, sectors apart from one another; names change in order, as in a journaling file system,
and are durable once their folder was synced; a file may be longer than what of it is there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from power.recording import Step

SECTOR = 512  # bytes that a disk writes whole or not at all

Left = dict[str, bytes | None]
"""What a cut leaves: each name's content; None: it is a folder."""


@dataclass(eq=False, slots=True)
class File:
    """A file's content that is synced, and the writes and cuts that are not yet."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # None: cut to there

    def sync(self) -> None:
        for offset, data in self.pending:
            _put(self.synced, offset, data)
        self.pending.clear()

    def whole(self) -> bytes:
        image = bytearray(self.synced)
        for offset, data in self.pending:
            _put(image, offset, data)
        return bytes(image)

    def cut_at_random(self, draw: random.Random) -> bytes:
        """Return what a cut may leave of it."""
        chance = draw.choice((0.2, 0.5, 0.8))
        torn = draw.random() < 0.5
        kept = [draw.random() < chance for _ in self.pending]
        last: dict[int, int] = {}  # the newest write of which a sector shows something
        for number, (offset, data) in enumerate(self.pending):
            for sector, _, _ in _sectors(offset, data):
                if kept[number] and not (torn and draw.random() < 0.4):
                    last[sector] = number
        cuts = [number for number, (_, data) in enumerate(self.pending) if data is None]
        lost_cut = draw.choice([*cuts, len(self.pending)])  # from here on no cut was done
        image, end, longest = bytearray(self.synced), None, len(self.synced)
        for number, (offset, data) in enumerate(self.pending):
            if data is None:
                if number < lost_cut:
                    _put(image, offset, None)
                elif end is None or offset < end:
                    end = offset  # the blocks behind are not given anew before it is done
                continue
            for sector, start, part in _sectors(offset, data):
                if end is not None and start >= end:
                    continue
                longest = max(longest, start + len(part))
                if number <= last.get(sector, -1):
                    _put(image, start, part)
        if draw.random() < 0.25 and longest > len(image) and not cuts:
            image.extend(bytes(longest - len(image)))
        return bytes(image)


@dataclass(frozen=True, slots=True)
class Named:
    """A change of names, of the kinds that `Step` has; `file` is the one that was created."""

    kind: str
    name: str
    other: str = ""
    file: File | None = None

    def done_to(self, names: dict[str, File | None]) -> None:
        if self.kind in "CK":
            names[self.name] = self.file
        elif self.kind == "R":
            names[self.other] = names.pop(self.name)
        elif self.kind == "L":
            names[self.other] = names[self.name]
        else:
            del names[self.name]

    def is_in(self, folder: str) -> bool:
        return any(
            folder in {str(PurePosixPath(name).parent), f"{PurePosixPath(name).parent}/"}
            for name in (self.name, self.other)
            if name
        )


@dataclass
class Disk:
    """One folder's files on it."""

    names: dict[str, File | None] = field(default_factory=dict)  # those that are synced
    pending: list[Named] = field(default_factory=list)
    _files: dict[int, File] = field(default_factory=dict)  # by inode
    _now: dict[str, File | None] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Disk:
        """Take what is in a folder as synced."""
        disk = cls()
        for path in sorted(folder.rglob("*")):
            if path.name.endswith("-shm"):
                continue
            name = str(path.relative_to(folder))
            disk.names[name] = None if path.is_dir() else File(bytearray(path.read_bytes()))
            if (file := disk.names[name]) is not None:
                disk._files[path.stat().st_ino] = file
        disk._now = dict(disk.names)
        return disk

    def do(self, step: Step) -> None:
        """Follow one step."""
        match step.kind:
            case "C":
                file = self._files[step.inode] = File()
                self._rename(Named("C", step.name, file=file))
            case "K" | "U":
                self._rename(Named(step.kind, step.name))
            case "R" | "L":
                self._rename(Named(step.kind, step.name, step.other.decode()))
            case "W":
                self._files[step.inode].pending.append((step.offset, step.text))
            case "T":
                self._files[step.inode].pending.append((step.offset, None))
            case "S":
                self._files[step.inode].sync()
            case "D":
                self._sync_names(step.name or ".")

    def all_lost(self) -> Left:
        """Return what is left if all is lost that is not synced."""
        return {name: file and bytes(file.synced) for name, file in self.names.items()}

    def none_lost(self) -> Left:
        """Return what is left if nothing is lost."""
        return {name: file and file.whole() for name, file in self._now.items()}

    def files_lost(self, draw: random.Random) -> Left:
        """Return what is left if each file keeps all or only what is synced."""

        def content(file: File) -> bytes:
            return file.whole() if draw.random() < 0.5 else bytes(file.synced)

        return self._left(draw, content)

    def sectors_lost(self, draw: random.Random) -> Left:
        """Return what is left if each file keeps some of what is not synced."""
        return self._left(draw, lambda file: file.cut_at_random(draw))

    def _left(self, draw: random.Random, content: Callable[[File], bytes]) -> Left:
        names = dict(self.names)
        for change in self.pending[: draw.randint(0, len(self.pending))]:
            change.done_to(names)
        return {name: file and content(file) for name, file in names.items()}

    def _rename(self, change: Named) -> None:
        change.done_to(self._now)
        self.pending.append(change)

    def _sync_names(self, folder: str) -> None:
        here = [number for number, change in enumerate(self.pending) if change.is_in(folder)]
        synced = here[-1] + 1 if here else 0
        for change in self.pending[:synced]:
            change.done_to(self.names)
        del self.pending[:synced]


def write(left: Left, folder: Path) -> None:
    """Make a folder of what a cut left."""
    folder.mkdir()
    for name, content in sorted(left.items()):
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)


def _put(image: bytearray, offset: int, data: bytes | None) -> None:
    """Write into an image; None: cut or lengthen it to there."""
    if data is None:
        del image[offset:]
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    if data is not None:
        image[offset : offset + len(data)] = data


def _sectors(offset: int, data: bytes | None) -> list[tuple[int, int, bytes]]:
    """Split a write at the edges of sectors: each one's number, where it starts, and its bytes."""
    parts, at = [], 0
    while data is not None and at < len(data):
        sector = (offset + at) // SECTOR
        size = (sector + 1) * SECTOR - offset - at
        parts.append((sector, offset + at, data[at : at + size]))
        at += size
    return parts
