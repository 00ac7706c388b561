"""What a Tab offers: commands, options, feeds, files, and items with their headlines."""

import os
from argparse import ArgumentParser, HelpFormatter, Namespace
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from argcomplete.completers import SuppressCompleter
from argcomplete.finders import CompletionFinder
from argcomplete.lexers import split_line

from publisher.completion.feeds import feeds_of_folder
from publisher.completion.known import read_known, selected
from publisher.completion.table import Commands, load_commands, make_commands

TOLD_MAX = 60  # characters of what stands beside a word
_LISTED = {"9", "33", "63", "64"}  # the kinds of a Tab in bash that show words and insert none
_OF_GLOBS = str.maketrans("", "", "*?[]\\")  # bash takes them for patterns of file names
_PLACES = {"PATH", "FILE", "DIR"}

Completer = Callable[..., Iterable[str] | Mapping[str, str]]


def answer(name: str, module: str) -> None:
    """Answer a shell that asks as argcomplete's script does, and end this process.

    `module` has the PROGRAM of that name.
    """
    commands = load_commands(name) or make_commands(import_module(module).PROGRAM)
    line, point = os.environ["COMP_LINE"], int(os.environ["COMP_POINT"])
    first = int(os.environ["_ARGCOMPLETE"])
    words = split_line(line, point)[3][first:]
    parser, used = parser_for(name, commands, words)
    os.environ["_ARGCOMPLETE"] = str(first + used)  # argcomplete leaves out so many words
    with_dash_only = any(not action.option_strings for action in parser._actions)  # noqa: SLF001
    _Finder()(
        parser, always_complete_options=not with_dash_only, default_completer=SuppressCompleter()
    )


def parser_for(name: str, commands: Commands, words: list[str]) -> tuple[ArgumentParser, int]:
    """Return the parser of what is typed behind these words, and how many of them are a command."""
    parser = ArgumentParser(
        prog=name, add_help=False, allow_abbrev=False, formatter_class=_formatter
    )
    for used in (2, 1):
        command = commands.get(" ".join(words[:used]))
        if command is not None and len(words) >= used:
            for argument in command["arguments"]:
                _add(parser, name, argument)
            return parser, used
    group = "".join(f"{word} " for word in words)
    offered: dict[str, str] = {}
    for full, command in commands.items():
        if full.startswith(group):
            first, more, _ = full[len(group) :].partition(" ")
            offered[first] = "" if more else command["summary"]
    if not words:
        offered |= {"--help": "all commands", "--version": "the version"}
    parser.add_argument("command").completer = _fixed(offered)  # type: ignore[attr-defined]
    return parser, len(words)


def _formatter(prog: str) -> HelpFormatter:
    return HelpFormatter(prog, width=80)  # without it, it loads what asks for the terminal's


class _Finder(CompletionFinder):
    """argcomplete's finder, which in bash too shows what stands beside a word."""

    def quote_completions(
        self, completions: list[str], cword_prequote: str, last_wordbreak_pos: int | None
    ) -> list[str]:
        """Return the words as the shell takes them."""
        words = super().quote_completions(completions, cword_prequote, last_wordbreak_pos)
        in_bash = os.environ.get("_ARGCOMPLETE_SHELL") == "bash"
        if not in_bash or len(words) < 2 or os.environ.get("COMP_TYPE") not in _LISTED:
            return words
        told = self.get_display_completions()
        width = max(map(len, words))
        return [
            f"{word:<{width}}  {_cut(told.get(word) or '').translate(_OF_GLOBS)}".rstrip()
            for word in words
        ]


def _add(parser: ArgumentParser, program: str, argument: dict[str, Any]) -> None:
    names = [name for name in argument["names"] if name.startswith("--")]
    values, told = argument["values"], argument["help"].replace("%", "%%")
    if not names:
        action = parser.add_argument(argument["dest"], nargs=values, help=told)
    elif values == 0:
        action = parser.add_argument(*names, action="store_true", help=told)
    else:
        action = parser.add_argument(*names, action="append", nargs=values, help=told)
    completer = _completer(program, argument)
    if completer is not None:
        action.completer = completer  # type: ignore[attr-defined]


def _completer(program: str, argument: dict[str, Any]) -> Completer | None:
    if argument["choices"]:
        return _fixed(dict.fromkeys(argument["choices"], ""))
    if not argument["names"] and argument["dest"] == "id":
        return _items
    if argument["metavar"] == "SLUG":
        return _feeds if program == "publisher" else _feeds_here
    if kinds := _PLACES & set(argument["metavar"].split("|")):
        return _folders if kinds == {"DIR"} else _files
    return None


def _fixed(offered: dict[str, str]) -> Completer:
    return lambda **_: offered


def _items(*, parsed_args: Namespace, **_: object) -> dict[str, str]:
    given = vars(parsed_args)
    server, feed = selected(os.environ, _last(given.get("feed")), _last(given.get("as")))
    return read_known(server).get(feed, {}) if server and feed else {}


def _feeds(*, parsed_args: Namespace, **_: object) -> list[str]:
    server, _feed = selected(os.environ, None, _last(vars(parsed_args).get("as")))
    return sorted(read_known(server)) if server else []


def _feeds_here(*, parsed_args: Namespace, **_: object) -> list[str]:
    given = _last(getattr(parsed_args, "data", None))
    return feeds_of_folder(given or os.environ.get("FEEDSERVER_DATA") or "feed-data")


def _folders(*, prefix: str, **_: object) -> list[str]:
    return [path for path in _files(prefix=prefix) if path.endswith("/")]


def _files(*, prefix: str, **_: object) -> list[str]:
    folder, start = os.path.split(prefix)
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries)
    except OSError:
        return []
    hidden = start.startswith(".")
    return [
        os.path.join(folder, name) + "/" * is_folder
        for name, is_folder in found
        if hidden or not name.startswith(".")
    ]


def _last(given: list[str] | None) -> str | None:
    """Return the last value of an option that may be repeated."""
    return given[-1] if given else None


def _cut(text: str) -> str:
    return text if len(text) <= TOLD_MAX else f"{text[: TOLD_MAX - 1]}…"
