"""Our server as it once was: a commit that today's is held against."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.errors import BenchError
from bench.peers.feedserver import Feedserver
from bench.places import ROOT, cache

COMMIT = "ada85fb"  # the first edition's last: text four times in one file, kills that rewrite it


@dataclass(slots=True)
class Reference(Feedserver):
    """The server of `COMMIT`, in the same environment as today's."""

    name: ClassVar[str] = f"feedserver-{COMMIT}"

    def program(self) -> list[str]:
        # -P: not the modules of the folder that it is started in, which are today's.
        return [sys.executable, "-P", "-m", "feedserver"]

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(checkout())}


def checkout() -> Path:
    """The files of that commit, taken out of the repository at the first use."""
    folder = cache("commits") / COMMIT
    done = folder / ".done"
    if not done.exists():
        folder.mkdir(exist_ok=True)
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", COMMIT], capture_output=True, check=False
        )
        if archive.returncode:
            said = archive.stderr.decode().strip()
            raise BenchError(f"Commit {COMMIT} is measured too, but git cannot give it: {said}")
        subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
        done.touch()
    return folder
