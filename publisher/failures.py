"""How a command can fail. The class carries the exit code.

Failure
├── Refused      1   the server understood and said no; nothing was stored
├── Misused      2   wrong usage, or stopped here before anything was sent
└── NotReached   3   no answer, or none that a feedserver gives
"""

from __future__ import annotations

from typing import Any, ClassVar


class Failure(Exception):
    """Base of every failure. `problem` is what --json prints; people read `headline` and `advice`.

    The members of `problem` are those of RFC 9457, with those that the server or `add` gave.
    """

    exit_code: ClassVar[int]

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["detail"])
        self.problem = problem
        self.headline = str(problem["detail"])
        self.advice: list[str] = []

    def add(self, *advice: str, **members: Any) -> None:
        """Say more about this failure, for people and for programs."""
        self.advice += advice
        self.problem.update(members)


class Refused(Failure):
    """The problem of the server at `url`, as it sent it."""

    exit_code = 1

    def __init__(self, problem: dict[str, Any], url: str) -> None:
        super().__init__(problem)
        self.url = url

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return int(self.problem.get("status", 0))


class Misused(Failure):
    """The command cannot be carried out as it was given. `see_help`: the verb's help tells more."""

    exit_code = 2

    def __init__(self, detail: str, *, see_help: bool = True) -> None:
        super().__init__({"type": "usage", "title": "Wrong usage", "detail": detail})
        self.see_help = see_help


class NotReached(Failure):
    """No feedserver answered. `doubt`: an earlier try may have been stored all the same."""

    exit_code = 3

    def __init__(self, detail: str, *, doubt: bool = False) -> None:
        super().__init__({"type": "not-reached", "title": "Server not reached", "detail": detail})
        self.doubt = doubt
