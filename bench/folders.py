"""Newsrooms' folders that take long to fill: made once, kept in `bench/.cache/folders`."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.errors import BenchError
from bench.machine import load_core, server_core
from bench.peers.feedserver import executable
from bench.peers.peer import Made
from bench.places import BENCH, ROOT, cache

# What says how a folder looks, as far as there is such a module; another one makes it anew.
FORMAT = ("schema", "keys", "sealing", "rows", "search")
WORDS = (BENCH / "prose.py", BENCH / "fill.py")
FILL_SECONDS = 7200


def archive(items: int) -> Made:
    """A folder with so many prose-like items in the feed `bench`."""
    return _made(f"items-{items}", "--items", str(items))


def long_feeds(feeds: int, each: int, characters: int) -> Made:
    """A folder with so many feeds `long-N`, each of so many items of so many characters."""
    numbers = {"--feeds": feeds, "--each": each, "--characters": characters}
    words = [word for name, number in numbers.items() for word in (name, str(number))]
    return _made(f"feeds-{feeds}-{each}-{characters}", *words)


def _made(name: str, *numbers: str) -> Made:
    folder = cache("folders") / f"{name}-{_format()}"
    token = folder / "token"
    if not token.exists():
        for old in folder.parent.glob(f"{name}-*"):  # half made, or of another format
            shutil.rmtree(old)
        folder.mkdir()
        _fill(folder, numbers)
    return Made(folder / "data", token.read_text())


def _fill(folder: Path, numbers: tuple[str, ...]) -> None:
    print(f"filling {folder.name} …", file=sys.stderr, flush=True)
    data = ["--data", str(folder / "data")]
    _run([executable(), "feed", "add", "bench", "--title", "Bench", *data])
    token = _run([executable(), "token", "add", "bench", *data]).strip()
    both = f"{server_core()},{load_core()}"
    program = ["taskset", "--cpu-list", both, sys.executable, "-m", "bench.fill"]
    _run([*program, str(folder / "data"), *numbers])
    os.sync()
    (folder / "token").write_text(token)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=FILL_SECONDS, cwd=ROOT)
    if done.returncode:
        raise BenchError(f"{' '.join(command)}: {done.stderr[-2000:] or done.stdout}")
    return done.stdout


def _format() -> str:
    files = [ROOT / "feedserver" / "sqlite" / f"{name}.py" for name in FORMAT]
    found = [file.read_bytes() for file in (*files, *WORDS) if file.exists()]
    return hashlib.sha256(b"\0".join(found)).hexdigest()[:12]
