"""Child processes: placed on one core, and never left behind."""

import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from bench.places import ROOT

END_WAIT = 10.0  # seconds from SIGTERM to SIGKILL: a server may drain


def start(
    command: Iterable[str],
    core: int,
    *,
    env: Mapping[str, str] | None = None,
    errors: Path | None = None,
) -> subprocess.Popen[str]:
    """Start a command on one core, in a group of its own, to be killed if the bench dies."""
    placed = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(core), *command]
    sink = errors.open("a") if errors else None
    try:
        return subprocess.Popen(
            placed,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sink,
            text=True,
            bufsize=1,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    finally:
        if sink:
            sink.close()


def stop(process: subprocess.Popen[str]) -> None:
    """End a process and whatever it started. Safe to call twice."""
    if process.stdin and not process.stdin.closed:
        with suppress(BrokenPipeError):
            process.stdin.close()
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_WAIT)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(END_WAIT)
    if process.stdout:
        process.stdout.close()


def tree(root: int) -> list[int]:
    """The process and all its descendants, parents first."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        parent = int(text.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found
