"""`publisher outbox`: what was typed and has not reached the server yet."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.edit import repeating
from publisher.editing.flushing import choose, send_outbox
from publisher.editing.keeping import about, age_of, edit_of
from publisher.editing.options import add_common, add_yes
from publisher.failures import Misused, NotDone, NotReached
from publisher.output import clean_line
from publisher.parser import Parser
from publisher.server.profile import DEFAULT, ENVIRONMENT
from publisher.text.outbox import Entry, Listed, Outbox, open_outbox
from publisher.text.saved import SavedText

if TYPE_CHECKING:
    from feedserver.wire import Json

_ACTIONS = ("list", "send", "drop")


def _add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "words", nargs="*", default=[], metavar="list | send [N…] | drop N…",
        help="show what is in it (as without a word), send it, or remove it",
    )  # fmt: skip
    add_yes(parser)
    parser.add_argument("--all", action="store_true", help="drop everything")
    add_common(parser)


def _run(call: Call) -> int | None:
    action, *words = call.args.words or ["list"]
    if action not in _ACTIONS:
        raise Misused(f"unexpected argument: {action}; say list, send or drop")
    if action == "list" and words:
        raise Misused(f"unexpected argument: {words[0]}")
    if call.args.all and (action != "drop" or words):
        raise Misused("--all stands alone behind drop: publisher outbox drop --all")
    numbers = [_number(word) for word in words]
    try:
        match action:
            case "send":
                return _send(call, numbers)
            case "drop":
                return _drop(call, numbers)
            case _:
                _list(call)
    except OSError as fault:
        raise Misused(f"the outbox cannot be read: {fault.strerror}", see_help=False) from None
    return None


def _list(call: Call) -> None:
    outbox = open_outbox()
    entries = outbox.entries()
    call.screen.give({"outbox": [_data(outbox, listed) for listed in entries]})
    rows = []
    for listed in entries:
        entry = listed.entry
        if entry is None:
            rows.append((listed.number, "", "cannot be read", ""))
            continue
        where = f"{about(entry)} · {entry.feed} at {entry.server}"
        rows.append((listed.number, age_of(entry), _state(outbox, listed, entry), where))
    call.screen.say_rows(("N", "AGE", "STATE", "COMMAND"), rows)
    for listed in entries:
        if listed.entry is not None and listed.entry.refused is not None:
            call.screen.say(clean_line(f"{listed.number} was refused: {listed.entry.refused}"))
            call.screen.say(clean_line(f"  {_command(call, listed.entry)}"))
    if not entries:
        call.screen.notice("the outbox is empty")


def _state(outbox: Outbox, listed: Listed, entry: Entry) -> str:
    if outbox.is_being_sent(listed):
        return "being sent"
    if entry.refused is not None:
        return "refused"
    return "not sent" if entry.stored == "no" else "may be stored"


def _data(outbox: Outbox, listed: Listed) -> Json:
    entry = listed.entry
    if entry is None:
        return {"number": listed.number, "state": "cannot be read"}
    members = {
        "server": entry.server, "feed": entry.feed, "verb": entry.verb, "item": entry.item,
        "fields": entry.fields, "key": entry.key, "at": entry.at, "refused": entry.refused,
    }  # fmt: skip
    given = {name: value for name, value in members.items() if value is not None}
    return {"number": listed.number, "state": _state(outbox, listed, entry), **given}


def _command(call: Call, entry: Entry) -> str:
    options = {**vars(call.args), "feed": entry.feed}
    if entry.profile not in {DEFAULT, ENVIRONMENT}:
        options["profile"] = entry.profile
    try:
        edit = edit_of(entry)
    except ValueError:
        return f"publisher {entry.verb}"
    own = Call(Namespace(**options), call.environ, call.screen)
    return repeating(own, edit, SavedText(), key=entry.key, etag=entry.etag)


def _send(call: Call, numbers: list[int]) -> int:
    outcome = send_outbox(call, numbers, yes=call.args.yes)
    call.screen.give({"sent": outcome.sent, "refused": outcome.refused, "waiting": outcome.waiting})
    if not (outcome.sent or outcome.refused or outcome.waiting):
        call.screen.notice("there is nothing to send")
    if outcome.waiting:
        return NotReached.exit_code
    return NotDone.exit_code if outcome.refused else 0


def _drop(call: Call, numbers: list[int]) -> int:
    if not numbers and not call.args.all:
        raise Misused("which entries? publisher outbox drop N…, or --all")
    outbox = open_outbox()
    entries = outbox.entries()
    dropped = []
    kept = False
    for listed in entries if call.args.all else choose(entries, numbers):
        what = f", {about(listed.entry)}" if listed.entry is not None else ""
        if outbox.drop(listed):
            dropped.append(listed.number)
            call.screen.say(clean_line(f"Dropped {listed.number}{what}"))
        else:
            kept = True
            call.screen.notice(f"{listed.number}{what} stays: another command is sending it")
    call.screen.give({"dropped": dropped})
    return NotDone.exit_code if kept else 0


def _number(word: str) -> int:
    if not word.isdecimal() or not word.isascii() or len(word) > 9 or not int(word):
        raise Misused(f"{word!r} is not a number of the outbox; see: publisher outbox")
    return int(word)


COMMAND = Command(
    "[list | send [N…] | drop N…]",
    _add_arguments,
    _run,
    ("publisher outbox", "publisher outbox send", "publisher outbox drop 2"),
)
