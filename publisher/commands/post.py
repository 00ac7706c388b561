"""`publisher post`: a new item."""

from argparse import ArgumentParser

from feedserver.model import Verb
from publisher.editing.call import Call, Command
from publisher.editing.options import (
    A_TIME,
    add_content,
    add_sending,
    add_words,
    fields_of,
    take_words,
)
from publisher.editing.submitting import Submission, new_key, submit
from publisher.failures import Misused
from publisher.text.typed import Text, keeping, read_typed, write_in_editor


def _add_arguments(parser: ArgumentParser) -> None:
    add_words(parser, headline=True)
    add_content(parser, editing=False)
    add_sending(parser, editing=False)
    group = parser.add_argument_group("when it is not new")
    group.add_argument("--published-at", metavar="TIME", help=f"its time in the feed, {A_TIME}")
    group.add_argument("--origin-uri", metavar="URI", help="where it was imported from")
    group.add_argument("--origin-id", metavar="ID", help="what it is called there")


def _run(call: Call) -> None:
    args = call.args
    take_words(args, headline=True)
    fields = fields_of(args)
    with keeping() as kept, call.editor() as client:
        text = read_typed(args, kept, call.environ)
        if args.edit:
            about = f"A new item in {call.feed}\n"
            made = write_in_editor(text, about, kept, call.environ)
            if made == Text():
                kept.forget()
                raise Misused("nothing was written; nothing was sent")
            text = made
            kept.keep(str(text), call.environ)
        if not text.headline:
            raise Misused('an item needs a headline: publisher post "…", or write it with --edit')
        fields |= {name: value for name, value in text.fields().items() if value is not None}
        submit(call, client, Submission(Verb.POST, fields, args.key or new_key()), kept)


COMMAND = Command(
    "post",
    "HEADLINE [-]",
    "a new item",
    (
        'publisher post "Drone strike on bus in Sumy Oblast kills 9" --tag ukraine --breaking',
        'publisher post "Drone strike on bus in Sumy Oblast kills 9" - < text.txt',
        "publisher post --edit",
        'publisher post "…" --media https://news.example/bus.jpg --alt "The burnt-out bus"',
    ),
    _add_arguments,
    _run,
)
