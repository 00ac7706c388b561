"""The statements that the server executes: their plans, and how much work each of them was."""

from __future__ import annotations

import ast
import re
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import feedserver
from feedserver.sqlite.connecting import Connection

ROOT = Path(feedserver.__file__).parent
OPCODES = 10  # of SQLite's virtual machine, between two counts
NO_PLAN = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "CREATE", "DROP")
EXECUTES = frozenset({"execute", "executemany"})


@dataclass(frozen=True)
class Site:
    """A place in the program that executes a statement."""

    module: str  # its path below the package
    line: int


@dataclass
class Statement:
    """One that was executed from a site, without its values."""

    text: str
    site: Site
    plan: list[str]
    work: int = 0  # the most that it ever was, in `OPCODES`


@dataclass
class Executed:
    """All that were executed."""

    statements: dict[tuple[str, str], Statement] = field(default_factory=dict)
    sites: set[Site] = field(default_factory=set)

    def note(
        self, connection: sqlite3.Connection, text: str, values: Any, frame: FrameType
    ) -> Statement | None:
        """Note a statement that is about to be executed for `frame`, with its plan."""
        path = Path(frame.f_code.co_filename)
        if not path.is_relative_to(ROOT):
            return None  # a test's own
        site = Site(str(path.relative_to(ROOT)), frame.f_lineno)
        self.sites.add(site)
        if text.startswith(NO_PLAN):
            return None
        shape = " ".join(re.sub(r"terms_\d+_\d", "terms", text).split())
        key = shape, site.module
        if key not in self.statements:
            explain = f"EXPLAIN QUERY PLAN {text}"
            rows = sqlite3.Connection.execute(connection, explain, values).fetchall()
            self.statements[key] = Statement(shape, site, [row[3] for row in rows])
        return self.statements[key]

    @property
    def indexes(self) -> set[str]:
        """The names of all indexes that a plan makes use of."""
        plans = "\n".join(step for one in self.statements.values() for step in one.plan)
        return set(re.findall(r"INDEX (\w+) ", plans))


@contextmanager
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Executed]:
    """Note what is executed on every connection that is opened meanwhile."""
    executed = Executed()

    class Noting(Connection):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            self._running: Statement | None = None
            self._done = 0
            super().set_progress_handler(self._count, OPCODES)

        def _count(self) -> None:
            self._done += 1
            if self._running is not None:
                self._running.work = max(self._running.work, self._done)

        def set_progress_handler(self, *given: Any) -> None:
            """Leave the counter in its place: nothing here is late."""

        def _begin(self, text: str, values: Any, frame: FrameType) -> None:
            self._running = None
            self._running = executed.note(self, text, values, frame)
            self._done = 0

        def execute(self, statement: Any, parameters: Any = (), /) -> Any:
            if not callable(statement):
                self._begin(statement, parameters, sys._getframe(1))
            return super().execute(statement, parameters)

        def executemany(self, statement: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
            rows = list(parameters)
            if rows:
                self._begin(statement, rows[0], sys._getframe(1))
            return super().executemany(statement, rows)

    connect = sqlite3.connect

    def connecting(*given: Any, **more: Any) -> sqlite3.Connection:
        return connect(*given, **more | {"factory": Noting})

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", connecting)
        yield executed


def sites_in(module: str) -> Iterator[tuple[int, int]]:
    """Yield the first and the last line of each place in a module that executes a statement.

    Not of those that need no plan, or that pass on what they were given.
    """
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in EXECUTES
            and not _needs_none(node.args[0])
        ):
            yield node.lineno, node.end_lineno or node.lineno


def _needs_none(statement: ast.expr) -> bool:
    if isinstance(statement, ast.JoinedStr):
        statement = statement.values[0]
    if isinstance(statement, ast.Constant):
        return str(statement.value).startswith(NO_PLAN)
    return isinstance(statement, ast.Name) and statement.id == "statement"


def modules() -> list[str]:
    """List the modules that execute statements."""
    paths = (str(path.relative_to(ROOT)) for path in sorted(ROOT.rglob("*.py")))
    return [path for path in paths if any(sites_in(path))]
