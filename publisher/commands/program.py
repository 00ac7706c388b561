"""The program `publisher`: the table of its commands, and how one of them is run."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from publisher.command_line import INTERRUPTED, Command, Entry, Program, run_program
from publisher.failures import Failure, as_failure
from publisher.output import Screen

_VERBS = (
    ("login", "check a token with its server, and save both"),
    ("post", "a new item"),
    ("fix", "put right a typo, a link or a tag; readers see the new text without a mark"),
    ("update", "the story moved on; readers see “Updated” and the time"),
    ("correct", "we were wrong; readers see “Correction” with the note, for good"),
    ("hold", "it is in doubt; the text stays, marked “Being checked”"),
    ("release", "it is cleared; the mark “Being checked” goes"),
    ("kill", "it must not be shown; readers see “Withdrawn” and the note, its text is erased"),
    ("pin", "keep it on top of the feed"),
    ("unpin", "let it go back to its position in the feed"),
    ("lint", "what may be wrong with a text or an item, before readers see it"),
    ("list", "the newest items of the feed"),
    ("show", "one item as it is, with the version that --if-match takes"),
    ("outbox", "what was typed and has not reached the server yet; send it, or drop it"),
    ("watch", "follow the feed as readers do, a line for each change"),
    ("completion", "what makes bash, zsh or fish complete the words of this command"),
)
_MODULES = {"list": "list_items"}  # a module does not bear the name of one of Python's own
TABLE = tuple(
    Entry(verb, f"publisher.commands.{_MODULES.get(verb, verb)}", summary)
    for verb, summary in _VERBS
)

_TO_WITHDRAW = "to withdraw an item for good: publisher kill ID --note …"
_TO_CHANGE = "to change an item: publisher fix, update or correct"
_TO_UNDO = (
    "nothing is taken back, as readers have seen it: publisher correct says what was wrong, "
    "kill withdraws an item for good, release and unpin end a hold and a pin"
)
SYNONYMS = (
    dict.fromkeys(("delete", "remove", "rm", "retract", "withdraw", "unpublish"), _TO_WITHDRAW)
    | dict.fromkeys(("edit", "change", "modify", "amend", "revise"), _TO_CHANGE)
    | dict.fromkeys(("undo", "revert", "restore", "undelete"), _TO_UNDO)
    | dict.fromkeys(("publish", "add", "new", "create"), "for a new item: publisher post HEADLINE")
    | dict.fromkeys(("view", "get", "cat"), "to read an item: publisher show ID")
    | dict.fromkeys(("ls", "search"), "to find items: publisher list, with --search or --tag")
    | dict.fromkeys(("follow", "tail"), "to follow the feed: publisher watch")
    | {"unhold": "to end a hold: publisher release ID", "help": "for help: publisher --help"}
)
# One takes a text away for good, the other a public warning. Whoever wants that types it.
UNSUGGESTED = frozenset({"kill", "release"})

_ABOUT = """\
usage: publisher COMMAND …

Post to a live news feed, and keep correcting it.

{commands}

publisher COMMAND --help tells more; publisher --version tells the version. Exit codes: 0 done,
1 refused by the server, 2 wrong usage, 3 server not reached, 70 a fault on this side.
PUBLISHER_URL, PUBLISHER_TOKEN and PUBLISHER_FEED override what login saved."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    return run_program(PROGRAM, words)


def _run(entry: Entry, command: Command, args: Namespace, screen: Screen) -> int | None:
    if entry.name == "completion":  # which asks no server, and is no place for notices
        return command.run(args, screen)
    try:
        # Only now: help, completion and wrong usage do without the libraries that it loads.
        import_module("publisher.server.client")
        from publisher.editing.call import Call
        from publisher.editing.hints import add_hints
        from publisher.editing.keeping import notice_outbox
    except KeyboardInterrupt:
        return INTERRUPTED  # quietly: nothing was begun
    call = Call(args, os.environ, screen)
    if entry.name != "outbox":
        notice_outbox(call)
    try:
        return command.run(call)
    except Failure as failure:
        add_hints(call, entry.name, failure)
        raise


PROGRAM = Program(
    "publisher",
    _ABOUT,
    TABLE,
    run=_run,
    as_failure=as_failure,
    synonyms=SYNONYMS,
    unsuggested=UNSUGGESTED,
)
