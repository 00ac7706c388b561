"""`publisher show`: one item, and how it came to be what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedserver.errors import Killed
from feedserver.model import Status
from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.options import add_common, add_item
from publisher.failures import ServerRefusal
from publisher.output import Screen, clean, clean_line
from publisher.parser import Parser
from publisher.server.schemas import is_history, is_revisions, is_versioned_item, tombstone_of
from publisher.text.items import local_time, marks, plain

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
        call.screen.give(data)
        for revision in data["revisions"]:
            _say_revision(call.screen, revision)
        return
    with call.reader() as client:
        if call.args.history:
            data = client.get(f"{path}/history", is_history).data
            call.screen.give(data)
            for shown in data["history"]:
                _say_shown(call.screen, shown)
            return
        try:
            item = client.get(path, is_versioned_item).data
        except ServerRefusal as refusal:
            item = tombstone_of(refusal)
            if refusal.status != Killed.status or not item:
                raise
    call.screen.give(item)
    _say_item(call, item)


def _say_item(call: Call, item: Json) -> None:
    screen = call.screen
    killed = item.get("status") == Status.KILLED
    title = (
        f"Withdrawn {local_time(item.get('killed_at'))}" if killed else item.get("headline") or ""
    )
    screen.say(screen.paint(clean_line(title), "bold"))
    times = [f"Published {local_time(item.get('published_at'))}"]
    if item.get("updated_at"):
        times.append(f"updated {local_time(item['updated_at'])}")
    if item.get("occurred_at"):
        times.append(f"happened {local_time(item['occurred_at'])}")
    screen.say(screen.paint(" · ".join(times), "dim"))
    if marks(item) and not killed:
        screen.say(screen.paint(marks(item), "yellow"))
    text = item.get("body") or plain(item.get("blocks")) or item.get("note")
    if text:
        screen.say(f"\n{clean(text)}\n")
    for name in ("byline", "source", "url", "language"):
        if item.get(name):
            screen.say(f"{name.capitalize() if name != 'url' else 'URL'}: {clean_line(item[name])}")
    if item.get("tags"):
        screen.say(f"Tags: {clean_line(', '.join(item['tags']))}")
    for medium in item.get("media") or ():
        about = [medium.get("alt"), medium.get("caption"), medium.get("credit")]
        screen.say(clean_line(" · ".join(filter(None, [f"Media: {medium['url']}", *about]))))
    for correction in item.get("corrections") or ():
        note = clean_line(correction.get("note") or "")
        screen.say(f"Correction {local_time(correction.get('at'))}: {note}")
    screen.say(f"Version: {clean_line(item.get('etag'))}")
    screen.say(call.page(item["id"]))


def _say_revision(screen: Screen, revision: Json) -> None:
    fields = revision.get("fields") or {}
    what = [f"{revision['verb']} by {revision.get('editor') or 'the operator'}"]
    if fields:
        what.append(", ".join(fields))
    if revision.get("note"):
        what.append(f"“{revision['note']}”")
    at = local_time(revision.get("at"))
    screen.say(clean_line(f"{revision.get('version')}  {at}  {' · '.join(what)}"))


def _say_shown(screen: Screen, shown: Json) -> None:
    at = local_time(shown.get("at"))
    screen.say(screen.paint(clean_line(f"{at}  {shown['verb']}"), "dim"))
    screen.say(screen.paint(clean_line(shown.get("headline") or ""), "bold"))
    screen.say(f"{clean(plain(shown.get('blocks')))}\n")


COMMAND = Command(
    "ID",
    _add_arguments,
    _run,
    ("publisher show 131", "publisher show 131 --history", "publisher show 131 --revisions"),
)
