"""Run a command of the publisher that dies (SIGKILL) before its first step, its second, and so on.

A step is a call that changes a file or uses a socket. Prints one JSON object a line: the words of
the command, the step before which it died, how it ended, and what was in the outbox then.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import sys
from typing import Any

import publisher.commands.outbox
import publisher.commands.post
import publisher.server.client  # noqa: F401  # loaded here, so that importing it is no step
from publisher.commands.program import main
from publisher.text.outbox import open_outbox

OF_FILES = ("open", "fsync", "replace", "unlink", "mkdir", "chmod")
OF_SOCKETS = ("connect", "send", "recv")
MOST = 100


def die_before(number: int, report: int) -> None:
    """From now on count the steps, and die before the one of this number."""
    steps = 0

    def counted(name: str, real: Any) -> Any:
        def step(*args: Any, **more: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == number:
                os.write(report, name.encode())
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **more)

        return step

    for name in OF_FILES:
        setattr(os, name, counted(name, getattr(os, name)))
    for name in OF_SOCKETS:
        setattr(socket.socket, name, counted(name, getattr(socket.socket, name)))
    sqlite3.connect = counted("lock", sqlite3.connect)


def run(words: list[str], number: int) -> tuple[int, str]:
    """Run a command in a process of its own; return its exit code and the step it died before."""
    reader, report = os.pipe()
    child = os.fork()
    if not child:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        die_before(number, report)
        os._exit(main(words))
    os.close(report)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reader) as died:
        return os.waitstatus_to_exitcode(status), died.read()


run(["post", "News 0"], MOST * MOST)  # which makes the folder
for number in range(1, MOST):
    headline = f"News {number}"
    code, step = run(["post", headline, "--body=A text."], number)
    found = [one.entry is not None for one in open_outbox().entries()]
    sent, _ = run(["outbox", "send"], MOST * MOST)
    folder = open_outbox().folder
    left = os.listdir(folder) if folder.exists() else []
    line = {"headline": headline, "code": code, "step": step, "kept": found, "sent": sent}
    print(json.dumps({**line, "left": left}), flush=True)
    if code != -signal.SIGKILL:
        sys.exit()
