"""What a terminal shows, for both programs. Foreign text reaches it without control characters.

Results go to stdout, everything else to stderr. With --json a result is one object or one array on
a line of stdout, and a failure one object on stderr.
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Any, TextIO

from publisher.failures import Broken, Failure

# Controls move the cursor or recolour; the bidirectional ones make a line read as what it is not.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile("[\t\n\u2028\u2029]+")
_CHANGES = re.compile(r"\[-.*?-\]|\{\+.*?\+\}", re.DOTALL)  # as text/difference.py marks them
_STYLES = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "green": "32"}


def clean(text: object) -> str:
    """Return text that is safe to print; it keeps its lines."""
    return _CONTROLS.sub("\ufffd", str(text).replace("\r\n", "\n"))


def clean_line(text: object) -> str:
    """Return text that is safe to print, on one line."""
    return clean(_BREAKS.sub(" ", str(text)))


def fit(text: str, columns: int) -> str:
    """Cut a line to so many terminal columns, with an ellipsis where it was cut."""
    used = kept = 0
    for index, character in enumerate(text):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used < columns:
            kept = index + 1
        elif used > columns:
            return text[:kept] + "…"
    return text


class Screen:
    """Where a command of `program` writes: lines for people, or JSON for programs."""

    def __init__(
        self, program: str, *, as_json: bool, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.program = program
        self.as_json = as_json
        self._counting = False
        self._colour = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"

    def say(self, line: str = "") -> None:
        """Print a line of the result for people. Raises Broken, BrokenPipeError."""
        if not self.as_json:
            print_result(line)

    def say_rows(self, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print rows for people: columns with headings on a terminal, else cells between tabs."""
        lines = [[clean_line(cell) for cell in row] for row in rows]
        if not sys.stdout.isatty():
            for line in lines:
                self.say("\t".join(line))
        elif lines:
            lines.insert(0, list(headings))
            widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
            for line in lines:
                self.say("  ".join(map(str.ljust, line, widths)).rstrip())

    def say_changes(self, lines: Iterable[str]) -> None:
        """Print changes of a text, in colours where the terminal shows them."""
        for line in lines:
            self.say(self._coloured(clean_line(line), sys.stdout))

    def show(self, lines: Iterable[str]) -> None:
        """Show people at the terminal what a question is about; it is not the result."""
        if not self.as_json:
            _print_aside("\n".join(lines))

    def give(self, data: Any) -> None:
        """Print the result for programs, on one line. Raises Broken, BrokenPipeError."""
        if self.as_json:
            print_result(_json(data))

    def notice(self, line: str) -> None:
        """Tell people something that is not the result."""
        if not self.as_json:
            _print_aside(f"{self.program}: {clean_line(line)}")

    def count_down(self, left: float | None) -> None:
        """Show the person at the terminal how long it is still tried; None: that is over."""
        if self.as_json or not sys.stderr.isatty() or (left is None and not self._counting):
            return
        self._counting = left is not None
        line = "" if left is None else f"{self.program}: waiting for the server, {left:.0f} s left"
        with suppress(OSError):
            print(f"\r{line:<60}\r", end="", file=sys.stderr, flush=True)

    @property
    def can_ask(self) -> bool:
        """Whether there is a person at a terminal."""
        if self.as_json or sys.stdin is None:
            return False
        return sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str) -> bool | None:
        """Ask the person at the terminal; None where there is no terminal."""
        if not self.can_ask:
            return None
        text = f"{self.program}: {clean_line(question)} [y/N] "
        print(text, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def fail(self, failure: Failure) -> None:
        """Print why the command failed and what can be done."""
        if self.as_json:
            _print_aside(_json(failure.problem))
            return
        name = self.paint(f"{self.program}:", "red", stream=sys.stderr)
        hints = [self._coloured(clean(hint), sys.stderr) for hint in failure.hints]
        _print_aside("\n".join([f"{name} {clean(failure.headline)}", *hints]))

    def fail_aside(self, failure: Failure) -> None:
        """Tell people of a failure that does not end the command."""
        if not self.as_json:
            self.fail(failure)

    def paint(self, text: str, *styles: str, stream: TextIO | None = None) -> str:
        """Return text in a style where the terminal shows colours, else unchanged."""
        if not self._colour or not (stream or sys.stdout).isatty():
            return text
        codes = ";".join(_STYLES[style] for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m"

    def _coloured(self, text: str, stream: TextIO) -> str:
        def paint(found: re.Match[str]) -> str:
            return self.paint(found[0], "red" if found[0][0] == "[" else "green", stream=stream)

        return _CHANGES.sub(paint, text)

    def columns(self) -> int | None:
        """Return the terminal's width; None where lines need not fit one."""
        if not sys.stdout.isatty():
            return None
        from shutil import get_terminal_size  # only now, for the sake of --version

        return get_terminal_size().columns


def open_streams() -> None:
    """Make both streams take any text. A closed stderr is replaced by the null device."""
    # Python has None for a stream that was closed before it began.
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # open to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def abandon(stream: TextIO | None) -> None:
    """Discard what a stream still holds, so that Python does not complain about it at exit."""
    with suppress(AttributeError, OSError):  # it was closed, or is a test's without a descriptor
        descriptor = stream.fileno()  # type: ignore[union-attr]
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def print_result(text: str) -> None:
    """Print on stdout. Raises Broken, and BrokenPipeError where the reader has gone."""
    with _result_faults():
        print(text, flush=True)  # at once in a pipe, too: `watch` may wait for hours


def flush_result() -> None:
    """Write out what stdout still holds. Raises as `print_result` does."""
    with _result_faults():
        print(end="", flush=True)


@contextmanager
def _result_faults() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as fault:
        raise Broken(f"the result cannot be written to stdout: {fault.strerror}") from None


def _print_aside(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        abandon(sys.stderr)  # the work goes on without messages


def _json(data: Any) -> str:
    """Write JSON in which no raw control character is left for a terminal to obey."""
    text = json.dumps(data, ensure_ascii=False)
    text = _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text.encode("utf-8", "backslashreplace").decode()
