"""The command line of both programs, from the words that were typed to the exit code.

A program is a table of commands. A command's module is imported when the command is run or asked
for its help, so that `--version` and the overview start as fast as Python does.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module

from feedserver import __version__
from feedserver.suggestions import did_you_mean
from publisher.failures import Failure, Misused
from publisher.output import Screen, abandon, flush_result, open_streams, print_result
from publisher.parser import Parser

INTERRUPTED = 130  # the exit code that shells give to a command that Ctrl-C ended


@dataclass(frozen=True, slots=True)
class Command:
    """What one command takes and does.

    `usage`: its arguments in one line. `run` gets what the program calls it with, raises Failure
    where it cannot be done, and may return an exit code. `needs_stdout`: it is
    refused where stdout is closed.
    """

    usage: str
    add_arguments: Callable[[Parser], None]
    run: Callable[..., int | None]
    examples: tuple[str, ...] = ()
    needs_stdout: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a program's table: a name of one or two words, and the module with its COMMAND."""

    name: str
    module: str
    summary: str

    def load(self) -> Command:
        """Import the command."""
        command: Command = import_module(self.module).COMMAND
        return command


@dataclass(frozen=True, slots=True)
class Program:
    """A program: its commands, and how one of them is run and fails.

    `run` runs a command with its arguments. `as_failure` returns why a fault ended a command, or
    raises the fault again. `synonyms` answers words that people try for a command; `unsuggested`
    are never proposed for a word that looks alike. In `about`, {commands} is their list.
    """

    name: str
    about: str
    table: tuple[Entry, ...]
    run: Callable[[Entry, Command, Namespace, Screen], int | None]
    as_failure: Callable[[BaseException], Failure]
    synonyms: Mapping[str, str] = field(default_factory=dict)
    unsuggested: frozenset[str] = frozenset()

    def overview(self, group: str = "") -> str:
        """Return what `--help` prints: all commands, or those whose name begins with `group`."""
        shown = [entry for entry in self.table if entry.name.startswith(group and f"{group} ")]
        width = max(len(entry.name) for entry in shown)
        lines = [f"  {entry.name:<{width}}  {entry.summary}" for entry in shown]
        listed = "\n".join(lines)
        if group:
            more = f"{self.name} {group} COMMAND --help tells more."
            return f"usage: {self.name} {group} COMMAND …\n\n{listed}\n\n{more}"
        return self.about.replace("{commands}", listed)

    def find(self, words: Sequence[str]) -> Entry | None:
        """Return the command that the words begin with, if there is one."""
        table = {entry.name: entry for entry in self.table}
        return table.get(" ".join(words[:2])) or table.get(" ".join(words[:1]))

    def group(self, word: str) -> list[str]:
        """Return the second words of the commands that begin with this one."""
        return [e.name.split()[1] for e in self.table if e.name.startswith(f"{word} ")]

    def parser(self, entry: Entry, command: Command) -> Parser:
        """Return the parser of one command."""
        parser = Parser(
            self.name, entry.name, command.usage, entry.summary, examples=command.examples
        )
        command.add_arguments(parser)
        return parser


def run_program(program: Program, words: Sequence[str] | None = None) -> int:
    """Run one command of a program and return its exit code."""
    words = list(sys.argv[1:] if words is None else words)
    options = words[: words.index("--")] if "--" in words else words
    screen = Screen(program.name, as_json="--json" in options)
    try:
        open_streams()
        code = _run(program, words, screen)
        flush_result()
    except BrokenPipeError:
        # Whoever read the result has seen enough; the work itself is done.
        abandon(sys.stdout)
        return 0
    except (Exception, KeyboardInterrupt) as fault:
        failure = program.as_failure(fault)
        screen.fail(failure)
        abandon(sys.stdout)
        return failure.exit_code
    return code


def _run(program: Program, words: list[str], screen: Screen) -> int:
    entry = program.find(words)
    if entry is None:
        return _run_without_command(program, words)
    try:
        command = entry.load()
    except KeyboardInterrupt:
        return INTERRUPTED  # quietly: nothing was begun
    if command.needs_stdout and sys.stdout is None:
        raise Misused(
            "stdout is closed, so the result cannot be printed; nothing was done", see_help=False
        )
    parser = program.parser(entry, command)
    try:
        # Intermixed, so that `update 131 --headline … -` reads as well as `update 131 - …`.
        args = parser.parse_intermixed_args(words[len(entry.name.split()) :])
        return program.run(entry, command, args, screen) or 0
    except SystemExit as done:  # --help
        return int(done.code or 0)
    except Misused as misuse:
        if misuse.see_help:
            misuse.add(f"{parser.format_usage().strip()}  ({parser.prog} --help tells more)")
        raise


def _run_without_command(program: Program, words: list[str]) -> int:
    """Print the version or the list of commands. Raises Misused for an unknown command."""
    if words[:1] == ["--version"]:
        print_result(f"{program.name} {__version__}")
        return 0
    asked = words[-1:] in (["--help"], ["-h"])
    named = words[:-1] if asked else words
    seconds = program.group(named[0]) if named else []
    if not named or (seconds and len(named) == 1):
        overview = program.overview(*named)
        if asked:
            print_result(overview)
            return 0
        print(overview, file=sys.stderr)
        return Misused.exit_code
    raise _unknown(program, named, seconds)


def _unknown(program: Program, words: Sequence[str], seconds: Iterable[str]) -> Misused:
    if seconds:
        typed, known, group = words[1], list(seconds), f" {words[0]}"
    else:
        typed, group = words[0], ""
        known = list(dict.fromkeys(entry.name.split()[0] for entry in program.table))
    suggested = [name for name in known if name not in program.unsuggested]
    if typed.startswith("-"):
        detail = f"the command comes before {typed}: {', '.join(known)}"
    else:
        synonym = program.synonyms.get(typed.lower(), "") if not seconds else ""
        detail = f"there is no command {f'{group} {typed}'.strip()!r}" + (
            (synonym and f"; {synonym}")
            or did_you_mean(typed, suggested)
            or f"; the commands: {', '.join(known)}"
        )
    misuse = Misused(detail, see_help=False)
    misuse.add(f"usage: {program.name}{group} COMMAND …  ({program.name}{group} --help tells more)")
    return misuse
