"""What a command in a file of its own is given: its arguments, and where its answer goes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from feedserver.settings import TABLE, Settings, read_settings


class Screen:
    """Where a command writes: lines for people, or JSON for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def say(self, line: str) -> None:
        """Print a line of the result for people."""
        if not self.as_json:
            print(line, flush=True)

    def give(self, data: Any) -> None:
        """Print the result for programs, on one line."""
        if self.as_json:
            print(orjson.dumps(data).decode(), flush=True)

    def notice(self, line: str) -> None:
        """Tell people something that is not the result."""
        if not self.as_json:
            print(f"feedserver: {line}", file=sys.stderr)

    def ask(self, question: str) -> bool | None:
        """Ask the person at the terminal; None where nobody is there to be asked."""
        if self.as_json or sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        print(f"feedserver: {question} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in {"y", "yes"}


@dataclass(frozen=True, slots=True)
class Command:
    """What one command takes and does; `run` may return an exit code."""

    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Screen], int | None]
    examples: tuple[str, ...]


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command has."""
    parser.add_argument("--data", help="the folder that holds the database (FEEDSERVER_DATA)")
    parser.add_argument("--json", action="store_true", help="answer in JSON")


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings: from options, else variables, else defaults. Raises BadSetting."""
    return read_settings({setting.name: getattr(args, setting.name, None) for setting in TABLE})


def run_command(command: Command, args: argparse.Namespace) -> int:
    """Run a command and return its exit code."""
    return command.run(args, Screen(as_json=args.json)) or 0
