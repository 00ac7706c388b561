"""Give a file of keys another content in its place, while running servers have it open.

First what the new data needs is written; it changes no slot that the present data uses, unless that
is another journal's. Once the data is replaced, the keys that only the former data used are drawn
anew.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feedserver.sqlite import copying, slots
from feedserver.sqlite.key_header import NUMBER, REDRAWS, keep_in_place
from feedserver.sqlite.keys import KeyFile
from feedserver.sqlite.slots import HEADER, SLOT

_CHUNK = SLOT * 16_384  # bytes compared at once
_REDRAWS = slice(REDRAWS, REDRAWS + NUMBER)  # which processes compare with what they saw


def write_needed(staged: Path, target: Path) -> None:
    """Write the header and all slots of `staged` into `target`, durably. Raises OSError."""
    if not target.exists():
        partial = target.with_name(f"{target.name}.part")
        partial.unlink(missing_ok=True)
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with staged.open("rb") as new, open(fd, "wb") as file:
            keep_in_place(fd)
            shutil.copyfileobj(new, file)
            file.flush()
            os.fsync(fd)
        os.replace(partial, target)
        copying.sync_folder(target.parent)
        return
    with staged.open("rb") as new, _locked(target) as fd:
        header = bytearray(new.read(HEADER))
        header[_REDRAWS] = os.pread(fd, HEADER, 0)[_REDRAWS]
        # First, as it names the hole that a jump leaves: nobody must fill it.
        os.pwrite(fd, header, 0)
        at = HEADER
        while wanted := new.read(_CHUNK):
            _write_slots(fd, at, wanted)
            at += len(wanted)
        os.fsync(fd)
    _count_redraw(target)


def draw_others(staged: Path, target: Path) -> None:
    """Draw the keys anew that are in `target` alone, durably. Raises OSError."""
    with staged.open("rb") as new, _locked(target) as fd:
        new.seek(HEADER)
        size = os.fstat(fd).st_size
        for at in range(HEADER, size - SLOT + 1, _CHUNK):
            wanted, found = new.read(_CHUNK), os.pread(fd, _CHUNK, at)
            for place in range(0, len(found) - SLOT + 1, SLOT):
                own = wanted[place : place + SLOT]
                if found[place : place + SLOT] != bytes(SLOT) and not any(own):
                    number = (at + place - HEADER) // SLOT
                    os.pwrite(fd, slots.drawn(number), at + place)
        os.fsync(fd)
    _count_redraw(target)


def _write_slots(fd: int, at: int, wanted: bytes) -> None:
    found = os.pread(fd, len(wanted), at)
    if found == wanted:
        return
    for place in range(0, len(wanted), SLOT):
        slot = wanted[place : place + SLOT]
        if any(slot) and found[place : place + SLOT] != slot:
            os.pwrite(fd, slot, at + place)


def _count_redraw(target: Path) -> None:
    key_file = KeyFile(target)
    try:
        key_file.count_redraw()
        key_file.sync()
    finally:
        key_file.close()


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open a file of keys; no process fills it meanwhile."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield fd
    finally:
        os.close(fd)
