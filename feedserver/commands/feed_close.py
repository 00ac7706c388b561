"""`feedserver feed close`: no new items; what is there can still be corrected.

Its counterpart is `feed_reopen`.
"""

from argparse import Namespace
from functools import partial

from feedserver.commands.folder import add_data, existing_feed, work_in_folder
from feedserver.commands.results import outcome_result
from feedserver.newsroom import Newsroom
from feedserver.sqlite.mirror import SQLiteMirror
from feedserver.submission import FeedOutcome
from publisher.command_line import Command
from publisher.output import Screen
from publisher.parser import Parser


def closing(*, closed: bool, done: str, example: str) -> Command:
    """Return the command that closes a feed or opens it again."""
    return Command("SLUG", _add_arguments, partial(_run, closed=closed, done=done), (example,))


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("slug", metavar="SLUG")
    add_data(parser)


def _run(args: Namespace, screen: Screen, *, closed: bool, done: str) -> None:
    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> FeedOutcome:
        await existing_feed(mirror, args.slug)
        return await newsroom.configure(args.slug, {"closed": closed}, None)

    outcome = work_in_folder(args, work)
    slug = outcome.feed.slug
    screen.give(outcome_result(outcome))
    if outcome.unchanged:
        screen.say(f"the feed {slug} is {'closed' if closed else 'open'} already; nothing changed")
    else:
        screen.say(f"{done} the feed {slug}")


COMMAND = closing(closed=True, done="closed", example="feedserver feed close world")
