"""Editors at their terminals: the real `publisher`, in a process of its own or in this one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from support.server import ROOT

from publisher.commands.program import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def problem(self) -> Any:
        return json.loads(self.err)


def program(name: str) -> list[str]:
    """Return the command that starts one of the two programs, installed or not."""
    installed = shutil.which(name, path=str(Path(sys.executable).parent))
    return [installed] if installed else [sys.executable, "-m", name]


@dataclass(frozen=True)
class Terminal:
    master: int
    process: subprocess.Popen[str]

    def read_until(self, words: str) -> str:
        """Return what the terminal showed, up to these words."""
        shown = ""
        while words not in shown:
            shown += os.read(self.master, 4096).decode()
        return shown

    def type(self, line: str) -> None:
        os.write(self.master, f"{line}\n".encode())

    def result(self) -> tuple[int, str]:
        out, _ = self.process.communicate(timeout=60)
        return self.process.returncode, out


class Publisher:
    """An editor at a terminal: a home folder, an environment, and the program."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TZ": "Europe/Kyiv",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "200",
        }

    def at(self, url: str, token: str = "secret", feed: str = "world") -> Publisher:
        self.environ |= {
            "PUBLISHER_URL": url,
            "PUBLISHER_TOKEN": token,
            "PUBLISHER_FEED": feed,
        }
        return self

    def __call__(self, *words: str, stdin: str | bytes = b"", **environ: str) -> Done:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [*program("publisher"), *words],
            input=data,
            capture_output=True,
            env=self.environ | environ,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*program("publisher"), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environ | environ,
            text=True,
        )

    def through_shell(self, line: str) -> Done:
        """Run a line of a shell in which `publisher` is the program."""
        command = f'publisher() {{ {shlex.join(program("publisher"))} "$@"; }}\n{line}'
        done = subprocess.run(
            ["bash", "-c", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self.environ,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    @contextmanager
    def at_terminal(self, *words: str) -> Iterator[Terminal]:
        """Run it where stdin and stderr are a terminal; stdout is a pipe."""
        master, slave = os.openpty()
        process = subprocess.Popen(
            [*program("publisher"), *words],
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            env=self.environ,
            text=True,
        )
        os.close(slave)
        try:
            yield Terminal(master, process)
        finally:
            process.kill()
            process.communicate()
            os.close(master)

    def editor(self, script: str) -> str:
        """Return an $EDITOR that runs a Python script on `text` (the file's) and saves it."""
        path = self.home / "editor.py"
        path.write_text(
            "import pathlib, sys\nfile = pathlib.Path(sys.argv[1])\n"
            f"text = file.read_text()\n{script}\nfile.write_text(text)\n"
        )
        return f"{sys.executable} {path}"

    @property
    def texts(self) -> list[str]:
        """The texts that are kept for the editor."""
        folder = self.home / ".local/state/publisher/texts"
        return [path.read_text() for path in sorted(folder.glob("*"))] if folder.exists() else []


class InProcess(Publisher):
    """An editor whose commands run in this process, which saves the time that starting takes."""

    def __call__(self, *words: str, stdin: str | bytes = b"", **environ: str) -> Done:
        out, err = io.StringIO(), io.StringIO()
        given = stdin.encode() if isinstance(stdin, str) else stdin
        data = io.TextIOWrapper(io.BytesIO(given))
        with (
            mock.patch.dict(os.environ, self.environ | environ, clear=True),
            mock.patch("sys.stdin", data),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main(words)
        return Done(code, out.getvalue(), err.getvalue())
