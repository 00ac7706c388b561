"""The man page of a program, from the same table as its --help.

`python -m publisher.manual MODULE` prints that of the PROGRAM in a module.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from feedserver import __version__
from publisher.command_line import Program
from publisher.description import describe

# What roff takes for something else, or prints as a typographic sign.
_SIGNS = str.maketrans(
    {"\\": r"\e", "-": r"\-", "'": r"\(aq", '"': r"\(dq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
)


def manual_page(program: Program) -> str:
    """Return the page in roff's man macros."""
    opening, _, closing = program.about.partition("{commands}")
    usage, summary = (" ".join(part.split()) for part in opening.strip().split("\n\n"))
    lines = [
        f'.TH {program.name.upper()} 1 "" "feedserver {__version__}" "User Commands"',
        ".SH NAME",
        rf"{program.name} \- {_text(summary[0].lower() + summary[1:].rstrip('.'))}",
        ".SH SYNOPSIS",
        _text(usage.removeprefix("usage: ")),
        ".SH DESCRIPTION",
        _text(summary),
        *_paragraphs(closing),
        ".SH COMMANDS",
    ]
    for command in describe(program):
        lines += _command(command)
    return "\n".join(lines) + "\n"


def _command(command: dict[str, Any]) -> Iterator[str]:
    yield f'.SS "{_text(command["usage"])}"'
    yield _text(command["description"])
    group = None
    for argument in command["arguments"]:
        if argument["group"] != group:
            group = argument["group"]
            yield ".PP"
            yield _text(f"{group}:")
        yield ".TP"
        yield rf"\fB{_text(argument['shown'])}\fR"
        yield _text(argument["help"]) if argument["help"] else r"\&"
    if command["examples"]:
        yield ".PP"
        yield "examples:"
        yield from _literal(command["examples"])


def _paragraphs(text: str) -> Iterator[str]:
    """Set paragraphs; a line that is indented stands as it is."""
    for paragraph in text.strip().split("\n\n"):
        yield ".PP"
        for line in paragraph.splitlines():
            yield from _literal([line.strip()]) if line.startswith("  ") else [_text(line)]


def _literal(lines: list[str]) -> list[str]:
    return [".RS 4", ".nf", *map(_text, lines), ".fi", ".RE"]


def _text(text: str) -> str:
    """Return words that roff prints as they are."""
    plain = text.translate(_SIGNS)
    return rf"\&{plain}" if plain.startswith((".", r"\(aq")) else plain


def main() -> None:
    """Print the page of the program in the module that is named."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    print(manual_page(import_module(sys.argv[1]).PROGRAM), end="")


if __name__ == "__main__":
    main()
