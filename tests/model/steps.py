"""Counts what a function does, so that a test can hold its cost without a clock.

A step is a line of Python, or one instruction of a regular expression's matcher. Python's matcher
does not count, so a second one does, which backtracks as it does and has to find the same.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from types import FrameType, ModuleType
from typing import Any

import pytest


@dataclass(frozen=True, slots=True)
class Take:
    """Take one character, if it is one of these, and go on behind."""

    accepts: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Fork:
    """Go on behind; if that leads nowhere, so many instructions on."""

    other: int


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on so many instructions on."""

    by: int


Program = list[Take | Fork | Jump]


class CountedPattern:
    """A pattern that counts the steps of its matcher in `steps`."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self._flags = pattern.flags
        self._program = self._compile(_parser.parse(pattern.pattern, pattern.flags))
        self.steps = 0

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Find as the pattern does, and count."""
        found = list(self._pattern.finditer(text))
        spans = []
        start = 0
        while start <= len(text):
            end = self._match(text, start)
            if end is None:
                start += 1
            else:
                assert end > start, "a pattern that takes nothing is not counted"
                spans.append((start, end))
                start = end
        assert spans == [match.span() for match in found], "the two matchers differ"
        return iter(found)

    def split(self, text: str) -> list[str]:
        """Split as the pattern does, and count."""
        for _ in self.finditer(text):
            pass
        return self._pattern.split(text)

    def match(self, text: str, start: int = 0) -> re.Match[str] | None:
        """Match as the pattern does from a place on, and count."""
        found = self._pattern.match(text, start)
        end = self._match(text, start)
        assert end == (found.end() if found else None), "the two matchers differ"
        return found

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Match as the pattern does, and count."""
        found = self._pattern.fullmatch(text)
        end = self._match(text, 0)
        assert found is None or end == len(text), "the two matchers differ"
        return found

    def _match(self, text: str, start: int) -> int | None:
        program, size = self._program, len(text)
        ways = [(0, start)]  # where to go on if this way leads nowhere: instruction, place
        while ways:
            at, place = ways.pop()
            while True:
                self.steps += 1
                if at == len(program):
                    return place
                step = program[at]
                if isinstance(step, Jump):
                    at += step.by
                elif isinstance(step, Fork):
                    ways.append((at + step.other, place))
                    at += 1
                elif place < size and step.accepts(text[place]):
                    at, place = at + 1, place + 1
                else:
                    break
        return None

    def _compile(self, tree: Any) -> Program:
        program: Program = []
        for op, what in tree:
            if op is ops.SUBPATTERN:
                program += self._compile(what[3])
            elif op is ops.BRANCH:
                program += _one_of([self._compile(branch) for branch in what[1]])
            elif op is ops.MAX_REPEAT:
                least, most, inner = what
                program += _repeated(self._compile(inner), least, most)
            else:
                program.append(Take(self._test(op, what)))
        return program

    def _test(self, op: Any, what: Any) -> Callable[[str], bool]:
        source = {ops.LITERAL: "{}", ops.NOT_LITERAL: "[^{}]"}
        if op in source:
            text = source[op].format(re.escape(chr(what)))
        elif op is ops.ANY:
            text = "."
        elif op is ops.IN:
            text = _class(what)
        else:
            raise NotImplementedError(f"{op} in {self._pattern.pattern}")
        return _accepts(text, self._flags)


def _accepts(text: str, flags: int) -> Callable[[str], bool]:
    one, known = re.compile(text, flags), dict[str, bool]()

    def accepts(char: str) -> bool:
        if char not in known:
            known[char] = one.fullmatch(char) is not None
        return known[char]

    return accepts


def _class(parts: Any) -> str:
    categories = {
        ops.CATEGORY_SPACE: r"\s",
        ops.CATEGORY_NOT_SPACE: r"\S",
        ops.CATEGORY_DIGIT: r"\d",
        ops.CATEGORY_NOT_DIGIT: r"\D",
        ops.CATEGORY_WORD: r"\w",
        ops.CATEGORY_NOT_WORD: r"\W",
    }
    text = ""
    for op, what in parts:
        if op is ops.NEGATE:
            text += "^"
        elif op is ops.LITERAL:
            text += re.escape(chr(what))
        elif op is ops.RANGE:
            text += "-".join(re.escape(chr(end)) for end in what)
        else:
            text += categories[what]
    return f"[{text}]"


def _one_of(branches: list[Program]) -> Program:
    *others, last = branches
    program = last
    for branch in reversed(others):
        program = [Fork(len(branch) + 2), *branch, Jump(len(program) + 1), *program]
    return program


def _repeated(once: Program, least: int, most: Any) -> Program:
    program = once * least
    if most is ops.MAXREPEAT:
        return [*program, Fork(len(once) + 2), *once, Jump(-len(once) - 1)]
    rest: Program = []
    for _ in range(most - least):
        rest = [Fork(len(once) + len(rest) + 1), *once, *rest]
    return program + rest


def count(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any], *modules: ModuleType) -> int:
    """Return the steps that `act` takes, those of the modules' patterns included."""
    lines = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_filename == __file__:
            return None
        lines += event == "line"
        return trace

    with monkeypatch.context() as patch:
        counted = [
            (module, name, CountedPattern(value))
            for module in modules
            for name, value in vars(module).items()
            if isinstance(value, re.Pattern)
        ]
        for module, name, pattern in counted:
            patch.setattr(module, name, pattern)
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            act()
        finally:
            sys.settrace(before)
    return lines + sum(pattern.steps for _, _, pattern in counted)
