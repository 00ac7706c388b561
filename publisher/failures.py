"""How a command can fail. The class carries the exit code.

Failure
├── NotDone      1   understood and refused; nothing was stored
│   └── ServerRefusal    refused by the server
├── Misused      2   wrong usage, or stopped here before anything was sent
├── NotReached   3   no answer, or none that a feedserver gives
├── Broken      70   this machine or this program failed
└── Stopped    130   Ctrl-C before anything was sent
"""

from __future__ import annotations

import os
from typing import Any, ClassVar


class Failure(Exception):
    """Base of every failure. `problem` is what --json prints; people read `headline` and `hints`.

    The members of `problem` are those of RFC 9457, with those that the server or `add` gave.
    """

    exit_code: ClassVar[int]

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["detail"])
        self.problem = problem
        self.headline = str(problem["detail"])
        self.hints: list[str] = []

    def add(self, *hints: str, **members: Any) -> None:
        """Say more about this failure: hints for people, members for programs."""
        self.hints += hints
        self.problem.update(members)


class NotDone(Failure):
    """The command was understood and refused; nothing was changed."""

    exit_code = 1


class ServerRefusal(NotDone):
    """The problem of the server at `url`, as it sent it."""

    def __init__(self, problem: dict[str, Any], url: str) -> None:
        super().__init__(problem)
        self.url = url

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return int(self.problem.get("status", 0))


class Misused(Failure):
    """The command cannot be carried out as it was given. `see_help`: its help says more."""

    exit_code = 2

    def __init__(self, detail: str, *, see_help: bool = True) -> None:
        super().__init__({"type": "usage", "title": "Wrong usage", "detail": detail})
        self.see_help = see_help


class NotReached(Failure):
    """No feedserver answered. `in_doubt`: an earlier try may have been stored all the same."""

    exit_code = 3

    def __init__(self, detail: str, *, in_doubt: bool = False) -> None:
        super().__init__({"type": "not-reached", "title": "Server not reached", "detail": detail})
        self.in_doubt = in_doubt


class Broken(Failure):
    """This machine or this program failed. Whoever knows adds what became of the work."""

    exit_code = 70  # EX_SOFTWARE of sysexits.h; none of the others

    def __init__(self, detail: str) -> None:
        super().__init__({"type": "broken", "title": "Fault on this side", "detail": detail})


class Stopped(Failure):
    """Ctrl-C, when the server had been sent nothing that it could store."""

    exit_code = 130  # as shells count a command that Ctrl-C ended

    def __init__(self) -> None:
        super().__init__(
            {"type": "stopped", "title": "Stopped", "detail": "stopped; nothing was stored"}
        )


def as_failure(fault: BaseException) -> Failure:
    """Return what ended a command of the publisher as a failure. An unexpected fault is Broken."""
    if isinstance(fault, Failure):
        return fault
    if isinstance(fault, KeyboardInterrupt):
        return Stopped()
    from traceback import extract_tb  # only now: it would double the time that --version takes

    failure = Broken("publisher failed with an unexpected error")
    frames = extract_tb(fault.__traceback__)[-1:]
    where = "".join(f" at {os.path.basename(frame.filename)}:{frame.lineno}" for frame in frames)
    failure.add(
        "It is not known whether anything was stored. Look before you repeat it: publisher list",
        f"To report it: {type(fault).__name__}{where}: {fault}",
        stored="unknown",
        fault=f"{type(fault).__name__}{where}: {fault}",
    )
    return failure
