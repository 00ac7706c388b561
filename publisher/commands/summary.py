"""`publisher summary`: the feed's key points, as they are or as they are to be."""

from __future__ import annotations

from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.feed_looking import (
    FEED,
    feed_path,
    feed_words,
    fetch_feed,
    note_feed_shown,
)
from publisher.editing.feed_showing import feed_lines
from publisher.editing.looking import forget_redacted
from publisher.editing.options import add_common, add_sending
from publisher.editing.summarizing import change_summary
from publisher.editing.versions import lines_of
from publisher.failures import Misused
from publisher.parser import Parser
from publisher.server.schemas import is_revisions


def _add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "words", nargs="*", default=[], metavar="TEXT | -",
        help="the new key points in quotes, or - to read them from stdin",
    )  # fmt: skip
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--edit", action="store_true", help="write them in $EDITOR")
    ways.add_argument("--clear", action="store_true", help="take them away")
    ways.add_argument("--revisions", action="store_true", help="who changed them when, and to what")
    parser.add_argument(
        "--typo", action="store_true", help="no fact changed: readers see the same time as before"
    )
    add_sending(parser, editing=True, writing=True, backdating=False)
    add_common(parser)


def _run(call: Call) -> None:
    args = call.args
    args.stdin = "-" in args.words
    texts = [word for word in args.words if word != "-"]
    if len(texts) > 1 or (texts and args.stdin):
        raise Misused(f"unexpected argument: {texts[-1]}; put the key points in quotes")
    given = bool(texts) or args.stdin
    if args.clear and given:
        raise Misused("--clear and a text cannot be used together")
    if args.edit and args.stdin:
        raise Misused("--edit needs the terminal that - reads from; give one of them")
    _check_versions(call)
    if given or args.edit or args.clear:
        if args.revisions:
            raise Misused("--revisions and a text cannot be used together")
        change_summary(call, texts[0] if texts else None)
    elif args.typo:
        raise Misused("--typo goes with the new key points: publisher summary TEXT --typo")
    elif args.revisions:
        _show_revisions(call)
    else:
        _show(call)


def _check_versions(call: Call) -> None:
    args = call.args
    if args.seen and (args.if_match or args.overwrite):
        other = "--if-match" if args.if_match else "--overwrite"
        raise Misused(f"--seen and {other} cannot be used together")


def _show(call: Call) -> None:
    with call.reader() as client:
        feed = fetch_feed(call, client)
        shown_whole = client.has_token and not call.screen.as_json
    call.screen.give(feed)
    for line in feed_lines(call, feed):
        call.screen.say(line)
    if not feed_words(feed):
        call.screen.notice("there are no key points; to write some: publisher summary TEXT")
    if shown_whole:
        note_feed_shown(call, feed)


def _show_revisions(call: Call) -> None:
    with call.editor() as client:
        data = client.get(f"{feed_path(call)}/revisions", is_revisions).data
    forget_redacted(call, FEED, data["revisions"])
    call.screen.give(data)
    for line in lines_of(data["revisions"]):
        call.screen.say(line)


COMMAND = Command(
    "[TEXT | - | --edit | --clear]",
    _add_arguments,
    _run,
    (
        "publisher summary",
        'publisher summary "Nine people died, seven are in hospital."',
        "publisher summary - < points.txt",
        "publisher summary --edit --typo",
        "publisher summary --revisions",
    ),
)
