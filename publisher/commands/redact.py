"""`publisher redact`: the words of an earlier version must go."""

from publisher.command_line import Command
from publisher.editing.options import (
    add_common,
    add_item,
    add_note,
    add_sending,
    add_version,
    add_yes,
)
from publisher.editing.redacting import redact_item
from publisher.parser import Parser


def _add_arguments(parser: Parser) -> None:
    add_item(parser)
    add_version(parser)
    add_note(
        parser,
        "why, for colleagues; of a kill or a correction, what readers see from now on instead",
        required=True,
    )
    add_yes(parser)
    add_sending(parser, editing=True, backdating=False)
    add_common(parser)


COMMAND = Command(
    "ID --version V --note TEXT",
    _add_arguments,
    redact_item,
    ('publisher redact 131 --version 128 --note "It named a victim."',),
)
