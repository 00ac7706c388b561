"""Processes whose writes and syncs are recorded, and the record of them: `recorder.c` does it."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.server import WITH_TESTS

SOURCE = Path(__file__).with_name("recorder.c")
_HEAD = struct.Struct("<5Q")
SECONDS = 600  # that a process may take


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done to the files, or a mark.

    Kinds: C a file was created, W written, T cut or lengthened to `offset`, S synced, R renamed,
    L given a second name, U unlinked, K a folder made, D a folder synced, M a mark.
    """

    kind: str
    inode: int
    offset: int
    text: bytes  # the name, what was written, the mark
    other: bytes  # the new name

    @property
    def name(self) -> str:
        return self.text.decode()

    @property
    def mark(self) -> dict[str, Any]:
        marked: dict[str, Any] = json.loads(self.text) if self.kind == "M" else {}
        return marked

    def __str__(self) -> str:
        shown = f"{self.name} {self.other.decode()}" if self.kind in "CRLUKDM" else len(self.text)
        return f"{self.kind} {self.inode} at {self.offset}: {shown}"[:200]


def built(folder: Path) -> Path:
    """Compile the recorder; fails where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler, "the tests of power cuts need a C compiler: apt-get install gcc libc6-dev"
    library = folder / "recorder.so"
    flags = ("-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
    done = subprocess.run(
        [compiler, *flags, "-o", library, SOURCE, "-ldl", "-lpthread"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return library


def run(
    recorder: Path, module: str, *words: object, recorded: tuple[Path, Path] | None = None
) -> str:
    """Run a module with the recorder in place; `recorded` names the folder and the log."""
    environ = os.environ | WITH_TESTS | {"LD_PRELOAD": str(recorder)}
    if recorded is not None:
        environ |= {"POWER_FOLDER": str(recorded[0]), "POWER_LOG": str(recorded[1])}
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def mark(**shown: Any) -> None:
    """Write a mark into the log of this process, between its steps."""
    text = json.dumps(shown).encode()
    ctypes.CDLL(None).power_mark(text, ctypes.c_size_t(len(text)))


def record(folder: Path | None, log: Path | None = None) -> None:
    """Record from now on what this process does in a folder; None: nothing more."""
    names = [None if path is None else os.fsencode(path) for path in (folder, log)]
    ctypes.CDLL(None).power_record(*names)


def steps_of(log: Path) -> Iterator[Step]:
    """Read a log."""
    raw, at = log.read_bytes(), 0
    while at < len(raw):
        kind, inode, offset, length, other = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        text = raw[at : at + length]
        at += length
        yield Step(chr(kind), inode, offset, text, raw[at : at + other])
        at += other
