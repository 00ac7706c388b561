"""The programs as somebody gets them who installs the wheel."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.server import ROOT
from terminal import clean_environ

BUILD_SECONDS = 300


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with nothing but the wheel and what it needs; made once a run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # all workers of the run share it
    place = folder / "installed"
    with (folder / "installed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            _install(place)
            (place / "done").touch()
    return place


def _install(place: Path) -> None:
    wheels = place / "wheels"
    there = [f"BIN={Path(sys.executable).parent}", f"DIST={wheels}"]
    _run(["make", "--directory", str(ROOT), "--old-file=.venv/.test", "wheel", *there])
    _run([sys.executable, "-m", "venv", str(place / ".venv")])
    [wheel] = wheels.glob("*.whl")
    constraints = str(ROOT / "constraints.txt")
    pip = [str(place / ".venv/bin/pip"), "--disable-pip-version-check", "install", "--quiet"]
    _run([*pip, "--constraint", constraints, str(wheel)])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=clean_environ(),
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
