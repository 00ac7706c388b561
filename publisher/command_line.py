"""The command line: `publisher VERB …`, from its words to its exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from feedserver import __version__
from feedserver.suggestions import did_you_mean
from publisher.commands import COMMANDS
from publisher.editing.call import Call, Command
from publisher.editing.hints import advise
from publisher.editing.options import add_common
from publisher.failures import Failure, Misused, as_failure
from publisher.output import Screen, abandon, tell, told
from publisher.parser import Parser

_ABOUT = """\
usage: publisher VERB …

Post to a live news feed, and keep correcting it.

{verbs}

publisher VERB --help tells more; publisher --version tells the version. Exit codes: 0 done,
1 refused by the server, 2 wrong usage, 3 server not reached, 70 a fault on this side.
PUBLISHER_URL, PUBLISHER_TOKEN and PUBLISHER_FEED override what login saved."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    screen = Screen(as_json="--json" in words)
    try:
        _open_streams()
        code = _run(words, screen)
        told()
    except BrokenPipeError:
        # Whoever read the result has seen enough; the work itself is done.
        abandon(sys.stdout)
        return 0
    except (Exception, KeyboardInterrupt) as fault:
        failure = as_failure(fault)
        screen.fail(failure)
        abandon(sys.stdout)
        return failure.exit_code
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


def _open_streams() -> None:
    """See that there is a place for the result, before anything is done. Raises Misused."""
    # Python has None for a stream that was closed before it began.
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # open to the end
    if sys.stdout is None:
        raise Misused(
            "stdout is closed, so the result has no place to go; nothing was sent", see_help=False
        )
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _run(words: list[str], screen: Screen) -> int:
    if words[:1] == ["--version"]:
        tell(f"publisher {__version__}")
        return 0
    if not words:
        print(_about(), file=sys.stderr)
        return Misused.exit_code
    if words[0] in {"-h", "--help"}:
        tell(_about())
        return 0
    verb, *rest = words
    command = COMMANDS.get(verb)
    if command is None:
        meant = did_you_mean(verb, COMMANDS) or "; see: publisher --help"
        raise Misused(f"there is no verb {verb!r}{meant}")
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
