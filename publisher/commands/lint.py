"""`publisher lint`: what may be wrong with a text, or with an item that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.fields import fields_of, option_for
from publisher.editing.naming import item_number
from publisher.editing.options import add_common, add_content, add_words, take_words
from publisher.failures import Misused
from publisher.output import clean, clean_line
from publisher.parser import Parser
from publisher.text.item_name import read_item_name
from publisher.text.saved import saving_text
from publisher.text.typed import read_typed

if TYPE_CHECKING:
    from feedserver.wire import Json

FOUND = 1  # the exit code where anything was found


def _add_arguments(parser: Parser) -> None:
    add_words(parser, headline=True)
    add_content(parser, editing=False)
    add_common(parser)


def _run(call: Call) -> int:
    args = call.args
    name = read_item_name(args.words[0]) if len(args.words) == 1 else None
    body = {"item": item_number(call, name, "lint")} if name is not None else _draft(call)
    with call.editor() as client:
        warnings = client.lint(call.feed, body)
    call.screen.give({"warnings": warnings})
    for one in warnings:
        _say(call, one)
    if not warnings:
        call.screen.say("Nothing found")
    return FOUND if warnings else 0


def _draft(call: Call) -> Json:
    args = call.args
    take_words(args, headline=True)
    fields = fields_of(args)
    with saving_text() as saved:
        text = read_typed(args, saved)
    if args.edit:
        raise Misused("lint looks at a text that is given; --edit goes with post")
    if not text.headline:
        raise Misused('what is to be looked at? publisher lint "HEADLINE" -, or publisher lint ID')
    return {**fields, **{name: value for name, value in text.fields().items() if value is not None}}


def _say(call: Call, warning: Json) -> None:
    screen = call.screen
    where = option_for(str(warning["pointer"]))
    code = screen.paint(clean_line(warning["code"]), "yellow")
    screen.say(f"{code}  {where}: {clean_line(warning['detail'])}")
    if suggestion := warning.get("suggestion"):
        screen.say(f"  better: {clean(suggestion)}")


COMMAND = Command(
    "HEADLINE [-] | ID",
    _add_arguments,
    _run,
    (
        'publisher lint "Four killed in coach crash" - < text.txt',
        "publisher lint --file text.txt",
        "publisher lint 131",
    ),
)
