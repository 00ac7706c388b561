"""`publisher show`: one item, and how it came to be what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedserver.errors import Killed
from feedserver.model import Status
from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.looking import note_listed, note_shown
from publisher.editing.options import add_common, add_item
from publisher.editing.showing import item_lines
from publisher.editing.times import ask_zone
from publisher.failures import ServerRefusal
from publisher.output import clean, clean_line
from publisher.parser import Parser
from publisher.server.schemas import is_history, is_revisions, is_versioned_item, tombstone_of
from publisher.text.items import local_time, plain

if TYPE_CHECKING:
    from feedserver.wire import Json


def _add_arguments(parser: Parser) -> None:
    add_item(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--history", action="store_true", help="what readers were shown, and when")
    which.add_argument("--revisions", action="store_true", help="who did what, and when")
    add_common(parser)


def _run(call: Call) -> None:
    path = call.items_path(call.args.id)
    if call.args.revisions:
        with call.editor() as client:
            data = client.get(f"{path}/revisions", is_revisions).data
            ask_zone(call, client)
        call.screen.give(data)
        for revision in data["revisions"]:
            _say_revision(call, revision)
        return
    with call.reader() as client:
        if call.args.history:
            data = client.get(f"{path}/history", is_history).data
            ask_zone(call, client)
            call.screen.give(data)
            for shown in data["history"]:
                _say_shown(call, shown)
            return
        try:
            item = client.get(path, is_versioned_item).data
        except ServerRefusal as refusal:
            item = tombstone_of(refusal)
            if refusal.status != Killed.status or not item:
                raise
        ask_zone(call, client)
        shown_whole = client.has_token and not call.screen.as_json  # without one, it has no body
    call.screen.give(item)
    for line in item_lines(call, item):
        call.screen.say(line)
    note_listed(call, [item])
    if shown_whole and item.get("status") != Status.KILLED:
        note_shown(call, item)


def _say_revision(call: Call, revision: Json) -> None:
    fields = revision.get("fields") or {}
    what = [f"{revision['verb']} by {revision.get('editor') or 'the operator'}"]
    if fields:
        what.append(", ".join(fields))
    if revision.get("note"):
        what.append(f"“{revision['note']}”")
    at = local_time(revision.get("at"), call.zone)
    call.screen.say(clean_line(f"{revision.get('version')}  {at}  {' · '.join(what)}"))


def _say_shown(call: Call, shown: Json) -> None:
    screen = call.screen
    at = local_time(shown.get("at"), call.zone)
    screen.say(screen.paint(clean_line(f"{at}  {shown['verb']}"), "dim"))
    screen.say(screen.paint(clean_line(shown.get("headline") or ""), "bold"))
    screen.say(f"{clean(plain(shown.get('blocks')))}\n")


COMMAND = Command(
    "ID",
    _add_arguments,
    _run,
    ("publisher show 131", "publisher show 131 --history", "publisher show 131 --revisions"),
)
