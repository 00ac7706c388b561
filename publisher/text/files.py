"""Files on this machine that only their owner reads, in folders of the publisher's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from publisher.failures import Misused

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


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
    path.parent.chmod(_PRIVATE_FOLDER)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
