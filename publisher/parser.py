"""Reads the words of a verb, and says what is wrong with them in full sentences."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from feedserver.suggestions import did_you_mean, unknown_option
from publisher.failures import Misused

_MISSING = "the following arguments are required: "
_OPTIONAL = {"-", "HEADLINE -"}  # argparse counts them as required when words are intermixed


class Parser(ArgumentParser):
    """An argument parser that raises Misused where argparse would exit."""

    def parse_intermixed_args(  # type: ignore[override]  # argparse's overloads say no more
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Namespace:
        """Parse. A misspelt option is told before argparse misses the right one."""
        words = list(args or ())
        known = [name for name in self._option_string_actions if name.startswith("--")]
        name = unknown_option(words, known)
        if name is not None:
            raise Misused(f"there is no option {name}{did_you_mean(name, known)}")
        found: Namespace = super().parse_intermixed_args(words, namespace)
        return found

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong, in words that argparse lacks."""
        if message.startswith(_MISSING):
            missing = set(message.removeprefix(_MISSING).split(", ")) - _OPTIONAL
            if "id" in missing:
                raise Misused(f"which item? its number comes first: {self.prog} 131 …")
            raise Misused(f"{self.prog.split()[-1]} needs {' and '.join(sorted(missing))}")
        for pattern, say in _SENTENCES:
            found = pattern.fullmatch(message)
            if found:
                raise Misused(say(found, self.usage or self.prog))
        raise Misused(message)


_SENTENCES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str], str]], ...] = (
    (
        re.compile(r"argument (--[\w-]+): expected one argument"),
        lambda found, _: (
            f"{found[1]} needs a value; one that begins with - is written {found[1]}=-x"
        ),
    ),
    (
        re.compile(r"argument (--[\w-]+)(?:, --[\w-]+)?: ignored explicit argument .*", re.DOTALL),
        lambda found, _: f"{found[1]} takes no value",
    ),
    (
        re.compile(r"argument (--[\w-]+): not allowed with argument (--[\w-]+)"),
        lambda found, _: f"{found[1]} and {found[2]} do not go together",
    ),
    (
        re.compile(r"unrecognized arguments: (.*)", re.DOTALL),
        lambda found, usage: f"{found[1]!r} is too much; write: {usage}",
    ),
)
