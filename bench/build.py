"""Compile the C parts."""

import subprocess
from pathlib import Path

from bench.errors import BenchError
from bench.places import BENCH, cache

FLAGS = ("-O2", "-Wall", "-Wextra", "-std=gnu11")


def program(name: str) -> Path:
    """The compiled `c/NAME.c`, built again if a source is newer."""
    sources = sorted((BENCH / "c").glob("*.[ch]"))
    target = cache("bin") / name
    newest = max(source.stat().st_mtime for source in sources)
    if not target.exists() or target.stat().st_mtime < newest:
        command = ["gcc", *FLAGS, "-o", str(target), str(BENCH / "c" / f"{name}.c")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise BenchError(f"gcc could not build {name}:\n{done.stderr}")
    return target
