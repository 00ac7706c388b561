"""The command line: `publisher VERB …`. Exit 0 done, 1 refused, 2 wrong usage, 3 not reached."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Sequence

from feedserver import __version__
from publisher.advice import advise
from publisher.arguments import Parser, add_common
from publisher.call import Call, Command
from publisher.commands import COMMANDS
from publisher.failures import Failure, Misused
from publisher.output import Screen

INTERRUPTED = 130  # as shells count a command that Ctrl-C ended
_ABOUT = """\
usage: publisher VERB …

Post to a live news feed, and keep correcting it.

{verbs}

publisher VERB --help tells more; publisher --version tells the version. Exit codes: 0 done,
1 refused by the server, 2 wrong usage, 3 server not reached. PUBLISHER_URL, PUBLISHER_TOKEN and
PUBLISHER_FEED override what login saved.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if words[:1] == ["--version"]:
        print(f"publisher {__version__}")
        return 0
    if not words or words[0] in {"-h", "--help"}:
        print(_about(), end="", file=sys.stdout if words else sys.stderr)
        return 0 if words else Misused.exit_code
    screen = Screen(as_json="--json" in words)
    try:
        code = _run(words, screen)
        sys.stdout.flush()
    except Failure as failure:
        screen.fail(failure)
        return failure.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the result has seen enough; the work itself is done.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def parser_for(command: Command) -> Parser:
    """Return the parser of one verb."""
    parser = Parser(
        prog=f"publisher {command.name}",
        usage=" ".join(["publisher", command.name, *filter(None, [command.usage]), "[options]"]),
        description=f"{command.summary[0].upper()}{command.summary[1:]}.",
        epilog="examples:\n" + "\n".join(f"  {example}" for example in command.examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    add_common(parser)
    return parser


def _run(words: list[str], screen: Screen) -> int:
    verb, *rest = words
    command = COMMANDS.get(verb)
    if command is None:
        near = difflib.get_close_matches(verb, COMMANDS, n=1)
        raise Misused(
            f"there is no verb {verb!r}; "
            + (f"did you mean {near[0]}?" if near else "see: publisher --help")
        )
    try:
        # Intermixed, so that `update 131 --headline … -` reads as well as `update 131 - …`.
        args = parser_for(command).parse_intermixed_args(rest)
        call = Call(args, os.environ, screen)
        try:
            command.run(call)
        except Failure as failure:
            advise(call, verb, failure)
            raise
    except SystemExit as done:  # --help
        return int(done.code or 0)
    except Misused as misuse:
        if misuse.see_help:
            misuse.add(f"More: publisher {verb} --help")
        raise
    return 0


def _about() -> str:
    lines = [f"  {name:<9}{command.summary}" for name, command in COMMANDS.items()]
    return _ABOUT.format(verbs="\n".join(lines))
