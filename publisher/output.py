"""What the terminal shows. Text that came from the server never reaches it with control characters.

Results go to stdout, everything else to stderr; with --json both are JSON, one object each.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TextIO

from publisher.failures import Broken, Failure

# Controls move the cursor or recolour; the bidirectional ones make a line read as what it is not.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile("[\t\n\u2028\u2029]+")
_STYLES = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "green": "32"}


def clean(text: object) -> str:
    """Return text that is safe to print; it keeps its lines."""
    return _CONTROLS.sub("\ufffd", str(text).replace("\r\n", "\n"))


def clean_line(text: object) -> str:
    """Return text that is safe to print, on one line."""
    return clean(_BREAKS.sub(" ", str(text)))


def local_time(text: str | None, *, today: datetime | None = None) -> str:
    """Write a time of the contract in this machine's zone; without its date if it is today's."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):  # no time, or one that no clock here can show
        return clean_line(text)
    now = today or datetime.now().astimezone()
    day = "" if moment.date() == now.date() else f"{moment:%Y-%m-%d} "
    return f"{day}{moment:%H:%M %Z}"


def plain(blocks: Any) -> str:
    """Return the words of an item's blocks, a blank line between paragraphs, links in brackets."""
    return "\n\n".join("".join(_span(span) for span in block) for block in blocks or ())


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
    """Where a command writes: people's lines, or JSON for programs."""

    def __init__(self, *, as_json: bool, environ: Mapping[str, str] = os.environ) -> None:
        self.as_json = as_json
        self._colour = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"

    def say(self, line: str = "") -> None:
        """Print a line of the result, for people. Raises Broken, BrokenPipeError."""
        if not self.as_json:
            tell(line)

    def give(self, data: Any) -> None:
        """Print the result, for programs, on one line. Raises Broken, BrokenPipeError."""
        if self.as_json:
            tell(_json(data))

    def notice(self, line: str) -> None:
        """Tell people what goes on meanwhile."""
        if not self.as_json:
            _aside(f"publisher: {clean_line(line)}")

    def ask(self, question: str) -> bool | None:
        """Ask the person at the terminal; None where nobody is there to be asked."""
        if self.as_json or sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        print(f"publisher: {clean_line(question)} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def fail(self, failure: Failure) -> None:
        """Print why the command failed and what can be done."""
        if self.as_json:
            _aside(_json(failure.problem))
            return
        mark = self.paint("publisher:", "red", stream=sys.stderr)
        _aside("\n".join([f"{mark} {clean(failure.headline)}", *map(clean, failure.advice)]))

    def paint(self, text: str, *styles: str, stream: TextIO | None = None) -> str:
        """Return text in a style where the terminal shows colours, else as it is."""
        if not self._colour or not (stream or sys.stdout).isatty():
            return text
        codes = ";".join(_STYLES[style] for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m"

    def columns(self) -> int | None:
        """Return the terminal's width; None where lines need not fit one."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def abandon(stream: TextIO | None) -> None:
    """See that nothing is written to a stream any more, nor complained about at exit."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def tell(text: str) -> None:
    """Print on stdout. Raises Broken, and BrokenPipeError where nobody reads on."""
    with _telling():
        print(text, flush=True)  # at once in a pipe, too: `watch` may wait for hours


def told() -> None:
    """See that all of stdout is out. Raises as `tell` does."""
    with _telling():
        sys.stdout.flush()


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as fault:
        raise Broken(f"the result cannot be written to stdout: {fault.strerror}") from None


def _aside(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        abandon(sys.stderr)  # that nobody can be told is no reason to leave the work undone


def _span(span: Any) -> str:
    if isinstance(span, str):
        return span
    href = span.get("href")
    return f"{span['text']} ({href})" if href else str(span["text"])


def _json(data: Any) -> str:
    """Write JSON in which no raw control character is left for a terminal to obey."""
    text = json.dumps(data, ensure_ascii=False)
    text = _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text.encode("utf-8", "backslashreplace").decode()
