"""Files on this machine that only their owner reads, in folders of the publisher's own."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from publisher.failures import Misused

DIGEST = 12  # characters of a digest
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


def own_folder(environ: Mapping[str, str], variable: str, default: str) -> Path:
    """Return this program's own folder under an XDG base folder. Raises Misused."""
    base = environ.get(variable, "")
    if base.startswith("/"):  # the XDG specification says to ignore a relative path
        return Path(base) / "publisher"
    try:
        return Path.home() / default / "publisher"
    except RuntimeError:
        raise Misused(
            f"it is not known where your files are kept; set HOME or {variable}", see_help=False
        ) from None


def state_folder() -> Path:
    """Return the folder of what is kept between commands. Raises OSError where there is none."""
    from platformdirs import user_state_path  # only now: help does without it

    folder = user_state_path("publisher")
    if not folder.is_absolute():  # no home folder is known
        raise OSError(errno.ENOENT, "it is not known where your files are kept; set HOME")
    return folder


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner reads, where it is not there yet. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
    folder.chmod(_PRIVATE_FOLDER)


def write_private(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a file that only its owner reads, whole or not at all. Raises OSError.

    `sync`: it outlives a power cut.
    """
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    if sync:
        _sync_folder(path.parent)


def keep_newest(folder: Path, *, files: int, size: int) -> None:
    """Remove the oldest files of a folder, down to so many files and bytes. Raises OSError."""
    with os.scandir(folder) as entries:
        found = [(entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in entries]
    used = 0
    for kept, (_, length, path) in enumerate(sorted(found, reverse=True)):
        used += length
        if kept >= files or used > size:
            Path(path).unlink(missing_ok=True)


def digest(text: str) -> str:
    """Return a short name for a text, for the name of a file that is not to tell it."""
    return sha256(text.encode()).hexdigest()[:DIGEST]


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder outlive a power cut, where the system can do that."""
    with suppress(OSError):  # Windows opens no folder, and needs no sync of one
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
