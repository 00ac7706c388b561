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
    ("whoami", "whose token is used, where, and what it may do"),
    ("logout", "remove a saved token, and what was shown with it"),
    ("feeds", "the feeds of the server"),
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
_TO_MEND = "for a typo, a link or a tag, where no fact changes: publisher fix ID"
_TO_HOLD = "to mark an item as being checked: publisher hold ID"
_TO_FREE = "to end a hold, where the doubt is cleared: publisher release ID"
_TO_FIND = "to find items: publisher list, with --search, --tag, --held, --mine or --since"
_TO_RESEND = "to see what was not sent, and send it: publisher outbox"
_TO_BE_WHO = "to see whose token is used: publisher whoami"
_TO_LOG_IN = "to save a token: publisher login URL; a second one: --as NAME"
# By hand, since what looks alike may mean the opposite.
SYNONYMS = {
    word: meaning
    for words, meaning in (
        (
            "delete del remove rm erase retract withdraw recall unpublish takedown pull",
            _TO_WITHDRAW,
        ),
        ("edit change modify amend revise rewrite", _TO_CHANGE),
        ("undo revert restore undelete unkill rollback", _TO_UNDO),
        ("typo patch repair", _TO_MEND),
        ("suspend doubt", _TO_HOLD),
        ("unhold", _TO_FREE),
        ("publish add new create", "for a new item: publisher post HEADLINE"),
        ("view get cat read open", "to read an item: publisher show ID"),
        (
            "history log revisions diff",
            "to see what became of an item: publisher show ID --history",
        ),
        ("ls search find items", _TO_FIND),
        ("follow tail stream", "to follow the feed: publisher watch"),
        ("stick top", "to keep an item on top: publisher pin ID"),
        ("unstick", "to let an item go back to its position: publisher unpin ID"),
        ("check validate", "to see what may be wrong before readers do: publisher lint"),
        ("queue pending drafts retry resend send", _TO_RESEND),
        ("who me", _TO_BE_WHO),
        ("auth signin sign-in log-in profile profiles", _TO_LOG_IN),
        ("signout sign-out log-out", "to remove a saved token: publisher logout"),
        ("feed", "to see the feeds: publisher feeds; whoever runs the server changes them"),
        ("help", "for help: publisher --help"),
    )
    for word in words.split()
}
# One takes a text away for good, the other a public warning. Whoever wants that types it.
UNSUGGESTED = frozenset({"kill", "release"})

_ABOUT = """\
usage: publisher COMMAND …

Post to a live news feed, and keep correcting it.

{commands}

publisher COMMAND --help tells more; publisher --version tells the version. Exit codes: 0 done,
1 refused by the server, 2 wrong usage, 3 server not reached, 70 a fault on this side.
PUBLISHER_URL, PUBLISHER_TOKEN and PUBLISHER_FEED override what login saved; --as NAME takes what
login saved under that name."""


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
        from publisher.editing.naming import settle_item
        from publisher.editing.times import settle_times
    except KeyboardInterrupt:
        return INTERRUPTED  # quietly: nothing was begun
    call = Call(args, os.environ, screen)
    if entry.name != "outbox":
        notice_outbox(call)
    try:
        settle_item(call, entry.name)
        settle_times(call)
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
