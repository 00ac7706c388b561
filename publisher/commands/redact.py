"""`publisher redact`: the words of an earlier version must go."""

from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.options import (
    add_common,
    add_item,
    add_note,
    add_sending,
    add_version,
    add_yes,
)
from publisher.editing.redacting import redact_item, redact_summary
from publisher.failures import Misused
from publisher.parser import Parser


def _add_arguments(parser: Parser) -> None:
    add_item(parser, needed=False)
    parser.add_argument(
        "--summary", action="store_true", help="of the feed's key points, in place of an item"
    )
    add_version(parser)
    add_note(
        parser,
        "why, for colleagues; of a kill or a correction, what readers see from now on instead",
        required=True,
    )
    add_yes(parser)
    add_sending(parser, editing=True, backdating=False)
    add_common(parser)


def _run(call: Call) -> None:
    if call.args.summary and call.args.id is not None:
        raise Misused("say either an item's number or --summary")
    if call.args.summary:
        redact_summary(call)
    elif call.args.id is None:
        raise Misused(
            "which item? its number comes first: publisher redact 131 …; "
            "of the feed's key points: publisher redact --summary …"
        )
    else:
        redact_item(call)


COMMAND = Command(
    "(ID | --summary) --version V --note TEXT",
    _add_arguments,
    _run,
    (
        'publisher redact 131 --version 128 --note "It named a victim."',
        'publisher redact --summary --version 140 --note "It named a victim."',
    ),
)
