"""The program `feedserver`: the table of its commands, and how one of them is run.

Another command is a module with its COMMAND and a line in the table.
"""

from __future__ import annotations

import sqlite3
from argparse import Namespace
from collections.abc import Sequence

from feedserver.errors import BadSetting, FeedError, Invalid, Refused, Unavailable
from publisher.command_line import INTERRUPTED, Command, Entry, Program, run_program
from publisher.failures import Broken, Failure, Misused, NotDone
from publisher.output import Screen

TABLE = tuple(
    Entry(name, f"feedserver.commands.{module}", summary)
    for name, module, summary in (
        ("demo", "demo", "play the seed story on a feed of its own"),
        ("serve", "serve", "serve the feeds of one folder"),
        ("feed add", "feed_add", "add a feed"),
        ("feed edit", "feed_edit", "change a feed's title, language, timezone or description"),
        ("feed list", "feed_list", "list the feeds"),
        ("feed close", "feed_close", "end a feed; what is there can still be corrected"),
        ("feed reopen", "feed_reopen", "go on with a closed feed"),
        ("embed", "embed", "print what puts a feed on another page"),
        ("token add", "token_add", "make a token for an editor and print it, once"),
        ("token list", "token_list", "list the tokens"),
        ("token revoke", "token_revoke", "end a token"),
        ("backup", "backup", "copy the newsroom into a folder, beside a running server"),
        (
            "restore",
            "restore",
            "put the newsroom of a backup in the place of what is there",
        ),
        ("check", "check", "look through all files for what is wrong with them"),
        ("migrate", "migrate", "take a folder of an older feedserver over"),
        ("settings", "list_settings", "list the settings that serve would take"),
        ("completion", "completion", "print what makes a shell complete the words of this command"),
    )
)

_ABOUT = """\
usage: feedserver COMMAND …

A live news feed.

{commands}

to look at it:
  feedserver demo
to begin a feed:
  feedserver feed add world --title "World news" --language en --timezone Europe/Kyiv
  (umask 077; feedserver token add "Ann Example" > ann.token)
  feedserver serve

feedserver COMMAND --help tells more; feedserver --version tells the version. Exit codes: 0 done,
1 refused, 2 wrong usage. The data is in the folder feed-data, or in the one that --data or
FEEDSERVER_DATA names. With --json each command answers and fails in JSON."""

SYNONYMS = {
    "help": "for help: feedserver --help",
    "run": "to serve a folder: feedserver serve",
    "start": "to serve a folder: feedserver serve",
}
ARGUMENTS = {"slug": "SLUG", "name": "NAME"}  # fields that are no options, and their names in help


def main(words: Sequence[str] | None = None) -> int:
    """Run one command. Exit code 0: done, 1: refused, 2: wrong usage."""
    try:
        return run_program(PROGRAM, words)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(_: Entry, command: Command, args: Namespace, screen: Screen) -> int | None:
    try:
        return command.run(args, screen)
    except sqlite3.Error as fault:
        from feedserver.commands.folder import settings_of  # only now: they take long to load
        from feedserver.sqlite.folder import DATABASE
        from feedserver.sqlite.opening import unreadable

        raise unreadable(settings_of(args).data / DATABASE, fault) from None


def _as_failure(fault: BaseException) -> Failure:
    """Return an expected fault as a failure. Any other goes on, with its traceback."""
    match fault:
        case Broken():
            return NotDone(fault.problem)
        case Failure():
            return fault
        case BadSetting():
            return Misused(fault.detail, see_help=False)
        case Invalid():
            return _bad_fields(fault)
        case Refused() | Unavailable():
            return NotDone({"type": fault.slug, "title": fault.title, "detail": fault.detail})
        case FeedError():
            return NotDone({"type": "not-done", "title": "Not done", "detail": fault.detail})
        case OSError():
            return NotDone({"type": "system", "title": "System error", "detail": str(fault)})
    raise fault


def _bad_fields(fault: Invalid) -> NotDone:
    errors = [
        {"pointer": error.pointer, "detail": error.detail, "option": _option(error.pointer[1:])}
        for error in fault.errors
    ]
    detail = "; ".join(f"{error['option']}: {error['detail']}" for error in errors)
    return NotDone({"type": fault.slug, "title": fault.title, "detail": detail, "errors": errors})


def _option(field: str) -> str:
    return ARGUMENTS.get(field) or f"--{field}"


PROGRAM = Program("feedserver", _ABOUT, TABLE, run=_run, as_failure=_as_failure, synonyms=SYNONYMS)
