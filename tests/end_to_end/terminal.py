"""What a person does at a terminal: start a demo, wait for a line, press Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 60.0  # seconds; nothing here should ever need them
WITHOUT = ("FEEDSERVER_", "PUBLISHER_", "PYTHON")


def clean_environ(**more: str) -> dict[str, str]:
    """Return an environment without anything of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(WITHOUT)}
    return kept | more


class Demo:
    """`feedserver demo` in the foreground of a terminal of its own."""

    def __init__(
        self,
        program: Sequence[str],
        folder: Path,
        *options: str,
        port: str | None = "0",
        **environ: str,
    ) -> None:
        self.lines: list[str] = []
        self.faults: list[str] = []
        self._process = subprocess.Popen(
            [*program, "demo", *(["--port", port] if port else []), "--pause", "0.2", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=clean_environ(**environ),
            start_new_session=True,
            text=True,
        )
        pipes = ((self._process.stdout, self.lines), (self._process.stderr, self.faults))
        self._hearing = [threading.Thread(target=_hear, args=pipe) for pipe in pipes]
        for thread in self._hearing:
            thread.start()

    def __enter__(self) -> Demo:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._end()

    @property
    def text(self) -> str:
        return "".join(self.lines)

    @property
    def url(self) -> str:
        found = re.search(r"(http://\S+)/feeds/world", self.text)
        assert found, self.text
        return found[1]

    @property
    def group(self) -> list[int]:
        """The processes in the foreground of its terminal."""
        return [pid for pid in _processes() if _group(pid) == self._process.pid]

    def wait_for(self, words: str) -> None:
        """Wait until it says so."""
        end = time.monotonic() + PATIENCE
        while words not in self.text:
            assert self._process.poll() is None, "".join(self.faults) or self.text
            assert time.monotonic() < end, self.text
            time.sleep(0.02)

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit code."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self._end()

    def terminate(self) -> int:
        """End it as an init system does; return the exit code."""
        self._process.terminate()
        return self._end()

    def ended(self) -> int:
        """Wait for its own end; return the exit code."""
        return self._end()

    def _end(self) -> int:
        try:
            return self._process.wait(PATIENCE)
        finally:
            for thread in self._hearing:
                thread.join(PATIENCE)


def _hear(pipe: object, lines: list[str]) -> None:
    with pipe as text:  # type: ignore[attr-defined]
        lines.extend(iter(text.readline, ""))


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _group(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[2]) if fields[0] != "Z" else 0
