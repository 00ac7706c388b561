"""Work that dies (-9) before its first step on the disk, its second, and so on, then is run again.

A step is a call that changes a name or makes something durable, and every seventh that writes in
place. Each try is a process of its own, over its own copy of a folder.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from support.server import ROOT

STEPS = ("replace", "rename", "link", "unlink", "mkdir", "fsync", "fdatasync")
WRITES = ("pwrite",)
EVERY = 7  # writes in place are many and alike
TRIES_MAX = 400


@dataclass(frozen=True)
class Cut:
    """One try: the step before which it died, and what `look` said of the folder when it was done
    by another run."""

    step: str
    found: Any


def cut_short(
    template: Path, scratch: Path, work: str, look: str, again: str | None = None
) -> list[Cut]:
    """Do `work` on copies of `template`, dying one step later each time; return what `look` finds
    once `again`, or else `work`, was done there too.

    All are functions of the copy's path, named as module:function.
    """
    paths = os.pathsep.join([str(ROOT / "tests"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "support.cut_short", template, scratch, work, look, again or work],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Cut(*json.loads(line)) for line in done.stdout.splitlines()]


def _main(template: Path, scratch: Path, work: str, look: str, again: str) -> None:
    for number in range(TRIES_MAX):
        copy = scratch / str(number)
        shutil.copytree(template, copy)
        step = _dies(number, partial(_named(work), copy))
        fault = _child(partial(_named(again), copy)) if step is not None else None
        found = _child(partial(_named(look), copy))
        print(json.dumps([step or "", fault or found]), flush=True)
        shutil.rmtree(copy)
        if step is None:
            return
    raise AssertionError("it never came to its end")


def _dies(number: int, work: Callable[[], None]) -> str | None:
    """Do it in a process that dies before so many steps; return which, None if it came through."""
    here, there = os.pipe()
    child = os.fork()
    if not child:
        os.close(here)
        _arm(number, there)
        work()
        os._exit(0)
    os.close(there)
    _, status = os.waitpid(child, 0)
    with open(here, "rb") as told:
        step = told.read().decode()
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return step
    assert status == 0, f"it failed before step {number}"
    return None


def _arm(left: int, told: int) -> None:
    def counting(name: str, every: int) -> Callable[..., Any]:
        real = getattr(os, name)
        calls = 0

        def call(*given: Any, **more: Any) -> Any:
            nonlocal left, calls
            calls += 1
            if calls % every == 0:
                if left == 0:
                    os.write(told, f"{name} {given[0]}".encode())
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
            return real(*given, **more)

        return call

    for name in STEPS:
        setattr(os, name, counting(name, 1))
    for name in WRITES:
        setattr(os, name, counting(name, EVERY))


def _child(work: Callable[[], Any]) -> Any:
    """Do it in a process of its own; return what it returns, as JSON has it."""
    here, there = os.pipe()
    child = os.fork()
    if not child:
        os.close(here)
        try:
            answer = work()
        except Exception as fault:
            answer = repr(fault)
        os.write(there, json.dumps(answer).encode())
        os._exit(0)
    os.close(there)
    with open(here, "rb") as told:
        answer = json.loads(told.read())
    os.waitpid(child, 0)
    return answer


def _named(name: str) -> Callable[[Path], Any]:
    module, _, function = name.partition(":")
    found: Callable[[Path], Any] = getattr(import_module(module), function)
    return found


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
