"""Work that dies (-9) before its first step on the disk, its second, and so on, then is run again.

A step is a call that changes a name or makes something durable, and every seventh that writes in
place. Each try is a process of its own, over its own copy of a folder. Under the profile `more`
all steps are tried, else a seeded few, with the first and the last.
"""

from __future__ import annotations

import json
import os
import random
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

from support.server import WITH_TESTS

STEPS = ("replace", "rename", "link", "unlink", "mkdir", "fsync", "fdatasync")
WRITES = ("pwrite",)
EVERY = 7  # writes in place are many and alike
FEW = 10  # tries, where not all steps are tried


@dataclass(frozen=True)
class Cut:
    """One try: the step before which it died, and what `look` said of the folder when it was done
    by another run. The last one's step is none: it came to the end."""

    number: int
    step: str
    found: Any


@dataclass(frozen=True)
class Cuts:
    """All steps of the work, and those that were tried."""

    steps: list[str]
    tried: list[Cut]


def cut_short(
    template: Path, scratch: Path, work: str, look: str, again: str | None = None
) -> Cuts:
    """Do `work` on copies of `template`, dying one step later each time; return what `look` finds
    once `again`, or else `work`, was done there too.

    All are functions of the copy's path, named as module:function.
    """
    done = subprocess.run(
        [sys.executable, "-m", "support.cut_short", template, scratch, work, look, again or work],
        env=os.environ | WITH_TESTS,
        capture_output=True,
        text=True,
        timeout=3000,  # all steps of a long work, on a busy machine
        check=False,
    )
    assert done.returncode == 0, done.stderr
    steps, *tried = map(json.loads, done.stdout.splitlines())
    return Cuts(steps, [Cut(*one) for one in tried])


def some(steps: int) -> list[int]:
    """Return the numbers of the steps to die before, the first and the last among them."""
    if os.environ.get("HYPOTHESIS_PROFILE") == "more" or steps <= FEW:
        return list(range(steps))
    return sorted({0, steps - 1, *random.Random(steps).sample(range(steps), FEW - 2)})


def _main(template: Path, scratch: Path, work: str, look: str, again: str) -> None:
    def end(copy: Path, number: int, step: str) -> None:
        found = _child(partial(_named(look), copy))
        print(json.dumps([number, step, found]), flush=True)
        shutil.rmtree(copy)

    whole = Path(shutil.copytree(template, scratch / "whole"))
    status, steps = _steps(None, partial(_named(work), whole))
    assert status == 0, "it failed by itself"
    print(json.dumps(steps), flush=True)
    for number in some(len(steps)):
        copy, done = _killed(template, scratch / str(number), work, number)
        fault = _child(partial(_named(again), copy))
        assert fault is None, fault
        end(copy, number, done[-1])
    end(whole, len(steps), "")


def _killed(template: Path, copy: Path, work: str, number: int) -> tuple[Path, list[str]]:
    """Do it on a copy and die before that step; return the copy and the steps it began.

    What works beside it makes a run some steps longer or shorter than the one before: a run that
    ended too early is done anew, and dies before what was the last step of it.
    """
    for _ in range(20):
        shutil.copytree(template, copy)
        status, done = _steps(number, partial(_named(work), copy))
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return copy, done
        assert status == 0, "it failed by itself"
        shutil.rmtree(copy)
        number = min(number, len(done)) - 1
    raise AssertionError(f"it never came to step {number}")


def _steps(dies_before: int | None, work: Callable[[], None]) -> tuple[int, list[str]]:
    """Do it in a process of its own, which dies before that step; return its status and steps."""
    here, there = os.pipe()
    child = os.fork()
    if not child:
        os.close(here)
        _arm(dies_before, there)
        work()
        os._exit(0)
    os.close(there)
    with open(here) as told:
        steps = told.read().splitlines()
    return os.waitpid(child, 0)[1], steps


def _arm(dies_before: int | None, told: int) -> None:
    done = 0

    def counting(name: str, every: int) -> Callable[..., Any]:
        real = getattr(os, name)
        calls = 0

        def call(*given: Any, **more: Any) -> Any:
            nonlocal done, calls
            calls += 1
            if calls % every == 0:
                os.write(told, f"{name} {given[0]}\n".encode())
                if done == dies_before:
                    os.kill(os.getpid(), signal.SIGKILL)
                done += 1
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
