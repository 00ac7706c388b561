"""How the command line is read: a misspelt word is answered with the one that was meant."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from feedserver.errors import Invalid
from feedserver.suggestions import did_you_mean, unknown_option

POSITIONAL = {"slug": "SLUG", "name": "NAME"}  # a field's name to what help calls the argument


class Parser(argparse.ArgumentParser):
    """argparse with suggestions. Options are written whole: a prefix may mean another one later."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False} | more)

    def parse_known_args(  # type: ignore[override]  # argparse's overloads say no more than this
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, as each command does for itself; nothing is left for the one above to refuse."""
        words = list(args or ())
        if self._subparsers is None:  # before argparse misses what a misspelt option was to give
            name = unknown_option(words, self._options())
            if name is not None:
                self.error(f"there is no option {name}{_meant(name, self._options())}")
        found, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"{' '.join(rest)} is too much")
        return found, rest

    def _options(self) -> list[str]:
        return [name for name in self._option_string_actions if name.startswith("--")]

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(
                action, f"there is no {value}{_meant(value, action.choices)}"
            )


def as_typed(fault: Invalid) -> str:
    """Return the sentences about bad fields, with what set them on the command line."""
    return "; ".join(f"{_typed(error.pointer[1:])}: {error.detail}" for error in fault.errors)


def _typed(field: str) -> str:
    return POSITIONAL.get(field) or f"--{field}"


def _meant(word: str, known: Iterable[str]) -> str:
    return did_you_mean(word, known) or f"; there is {', '.join(known)}"
