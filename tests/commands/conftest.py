"""The commands of `feedserver`, run as an operator runs them."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from support.server import PATIENCE, ROOT

from feedserver.commands import program as cli

Done = subprocess.CompletedProcess[str]
Command = Callable[..., Done]

PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
LIBC = ctypes.CDLL(None)


def respect_permissions() -> None:
    """Let even root be refused by a file's permissions. Does nothing for anybody else."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def feedserver(tmp_path: Path) -> Command:
    """Run one command, in an empty folder."""

    def run(*words: str | Path, stdout: int | IO[str] = subprocess.PIPE, **environ: str) -> Done:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("FEEDSERVER_")}
        return subprocess.run(
            [sys.executable, "-m", "feedserver", *map(str, words)],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=clean | {"PYTHONPATH": str(ROOT)} | environ,
            cwd=tmp_path,
            timeout=PATIENCE,
            check=False,
            preexec_fn=respect_permissions,
        )

    return run


@pytest.fixture
def within(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run one command in this very process: quicker, where it makes no difference."""
    for name in [name for name in os.environ if name.startswith("FEEDSERVER_")]:
        monkeypatch.delenv(name)

    def run(*words: str | Path, **environ: str) -> Done:
        with monkeypatch.context() as patched:
            for name, value in environ.items():
                patched.setenv(name, value)
            try:
                code = cli.main([str(word) for word in words])
            except SystemExit as leaving:
                code = int(leaving.code or 0)
        return Done(words, code, *capsys.readouterr())

    return run
