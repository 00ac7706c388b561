"""The one parser of both programs: it says what is wrong with the words in full sentences."""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any, NoReturn

from feedserver.suggestions import did_you_mean, unknown_option
from publisher.failures import Misused

_MISSING = "the following arguments are required: "
_NEEDS_VALUE = re.compile(r"argument (--[\w-]+): expected one argument")
_TAKES_NONE = re.compile(
    r"argument (--[\w-]+)(?:, --[\w-]+)?: ignored explicit argument .*", re.DOTALL
)
_CONTRADICTS = re.compile(r"argument (--[\w-]+): not allowed with argument (--[\w-]+)")
_UNEXPECTED = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)


class _Argument(str):
    """A word after --: an argument, even if it looks like an option."""

    __slots__ = ()


class _Formatter(RawDescriptionHelpFormatter):
    """Shows one argument at a time as --help does."""

    def shown(self, action: Action) -> str:
        """Return an option with its value, or an argument."""
        return self._format_action_invocation(action)

    def told(self, action: Action) -> str:
        """Return what is said of it."""
        return self._expand_help(action) if action.help else ""


class Parser(ArgumentParser):
    """The parser of one command. It raises Misused where argparse would exit.

    Options are typed whole, as a prefix may match another one later. A word that begins with one
    hyphen is a text, such as a headline about -10 °C.
    """

    def __init__(
        self,
        program: str,
        command: str,
        usage: str,
        summary: str,
        *,
        examples: Sequence[str] = (),
    ) -> None:
        super().__init__(
            prog=f"{program} {command}",
            usage=" ".join(filter(None, [program, command, usage, "[options]"])),
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog="\n".join(["examples:", *(f"  {line}" for line in examples)] * bool(examples)),
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._command = command
        self._when_missing: dict[str, str] = {}
        self.add_argument("--json", action="store_true", help="answer and fail in JSON")

    def when_missing(self, argument: str, sentence: str) -> None:
        """Set the sentence for a required argument that is missing."""
        self._when_missing[argument] = sentence

    def arguments(self) -> list[dict[str, Any]]:
        """Return what it takes, in the order of --help, as plain data.

        `group`: the heading it stands under; `names`: of an option, none of an argument; `shown`:
        as --help shows it; `values`: 0 for none, None for one, else argparse's nargs.
        """
        formatter = _Formatter(self.prog)
        return [
            {
                "group": group.title or "",
                "dest": action.dest,
                "names": list(action.option_strings),
                "shown": formatter.shown(action),
                "metavar": str(action.metavar or ""),
                "values": action.nargs,
                "choices": [str(choice) for choice in action.choices or ()],
                "help": formatter.told(action),
            }
            for group in self._action_groups
            for action in group._group_actions  # noqa: SLF001  # argparse has no other way
        ]

    def parse_intermixed_args(  # type: ignore[override]  # argparse's overloads say no more
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Namespace:
        """Parse. An unknown option is reported before argparse misses a required one."""
        words = list(args or ())
        known = [name for name in self._option_string_actions if name.startswith("--")]
        name = unknown_option(words, known)
        if name is not None:
            hint = did_you_mean(name, known)
            if not hint and self._get_positional_actions():
                hint = "; if it is a text and no option, put -- before it"
            raise Misused(f"there is no option {name}{hint}")
        if "--" in words:  # argparse loses it on the way to the second half of its work
            end = words.index("--")
            words = [*words[:end], *map(_Argument, words[end + 1 :])]
        found: Namespace = super().parse_intermixed_args(words, namespace)
        return found

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong, in words that argparse lacks."""
        if message.startswith(_MISSING):
            missing = message.removeprefix(_MISSING).split(", ")
            for argument in missing:
                if argument in self._when_missing:
                    raise Misused(self._when_missing[argument])
            raise Misused(f"{self._command} needs {' and '.join(missing)}")
        if found := _NEEDS_VALUE.fullmatch(message):
            name = found[1]
            raise Misused(f"{name} needs a value; type one that begins with -- as {name}=--x")
        if found := _TAKES_NONE.fullmatch(message):
            raise Misused(f"{found[1]} takes no value")
        if found := _CONTRADICTS.fullmatch(message):
            raise Misused(f"{found[1]} and {found[2]} cannot be used together")
        if found := _UNEXPECTED.fullmatch(message):
            raise Misused(f"unexpected argument: {found[1]}")
        raise Misused(message)

    def _parse_optional(self, arg_string: str) -> Any:
        one_hyphen = arg_string.startswith("-") and not arg_string.startswith("--")
        is_text = one_hyphen and arg_string not in self._option_string_actions
        if is_text or isinstance(arg_string, _Argument):
            return None  # which means to argparse: it is no option
        return super()._parse_optional(arg_string)

    def _get_values(self, action: Action, arg_strings: list[str]) -> Any:
        if action.option_strings and action.nargs is None and arg_strings == ["--"]:
            return self._get_value(action, "--")  # which older Pythons take for the end of options
        return super()._get_values(action, arg_strings)

    def _get_value(self, action: Action, arg_string: str) -> Any:
        return super()._get_value(action, str(arg_string))
