"""`publisher post`: a new item."""

from feedserver.model import Verb
from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.edit import Edit, new_key
from publisher.editing.fields import fields_of
from publisher.editing.lint_options import add_linting
from publisher.editing.options import (
    TIME_EXAMPLE,
    add_common,
    add_content,
    add_sending,
    add_words,
    take_words,
)
from publisher.editing.outcome import finish
from publisher.editing.submitting import submit
from publisher.failures import Misused
from publisher.parser import Parser
from publisher.text.editor import write_in_editor
from publisher.text.saved import saving_text
from publisher.text.typed import Text, read_typed


def _add_arguments(parser: Parser) -> None:
    add_words(parser, headline=True)
    add_content(parser, editing=False)
    add_sending(parser, editing=False)
    add_linting(parser)
    group = parser.add_argument_group("when it is not new")
    group.add_argument(
        "--published-at", metavar="TIME", help=f"its time in the feed, {TIME_EXAMPLE}"
    )
    group.add_argument("--origin-uri", metavar="URI", help="where it was imported from")
    group.add_argument("--origin-id", metavar="ID", help="what it is called there")
    add_common(parser)


def _run(call: Call) -> None:
    args = call.args
    take_words(args, headline=True)
    fields = fields_of(args)
    with saving_text() as saved, call.editor() as client:
        text = read_typed(args, saved)
        if args.edit:
            about = f"A new item in {call.feed}\n"
            written = write_in_editor(text, about, saved, call.environ)
            if written == Text():
                saved.remove()
                raise Misused("nothing was written; nothing was sent")
            text = written
            saved.try_to_save(str(text))
        if not text.headline:
            raise Misused('an item needs a headline: publisher post "…", or write it with --edit')
        fields |= {name: value for name, value in text.fields().items() if value is not None}
        edit = Edit(Verb.POST, fields, args.key or new_key())
        finish(call, client, submit(call, client, edit, saved))


COMMAND = Command(
    "HEADLINE [-]",
    _add_arguments,
    _run,
    (
        'publisher post "Drone strike on bus in Sumy Oblast kills 9" --tag ukraine --breaking',
        'publisher post "Drone strike on bus in Sumy Oblast kills 9" - < text.txt',
        "publisher post --edit",
        'publisher post "…" --media https://news.example/bus.jpg --alt "The burnt-out bus"',
    ),
)
