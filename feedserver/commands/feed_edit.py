"""`feedserver feed edit`: other settings for a feed; those that are left out stay."""

from argparse import Namespace

from feedserver.commands.folder import add_data, existing_feed, work_in_folder
from feedserver.commands.results import outcome_result
from feedserver.newsroom import Newsroom
from feedserver.sqlite.mirror import SQLiteMirror
from feedserver.submission import FeedOutcome
from publisher.command_line import Command
from publisher.failures import Misused
from publisher.output import Screen, clean_line
from publisher.parser import Parser

_SETTINGS = {
    "title": "its name for readers",
    "language": 'e.g. en, uk, pt-BR; "" leaves it to English',
    "timezone": 'e.g. Europe/Kyiv; "" leaves it to UTC',
    "description": 'a sentence for readers; "" removes it',
}


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("slug", metavar="SLUG")
    for name, help_text in _SETTINGS.items():
        parser.add_argument(f"--{name}", help=help_text)
    add_data(parser)


def _run(args: Namespace, screen: Screen) -> None:
    given = {name: vars(args)[name] for name in _SETTINGS if vars(args)[name] is not None}
    if not given:
        options = ", ".join(f"--{name}" for name in _SETTINGS)
        raise Misused(f"say what to change: {options}")

    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> FeedOutcome:
        await existing_feed(mirror, args.slug)
        settings = {name: value or None for name, value in given.items()}
        return await newsroom.configure(args.slug, settings, None)

    outcome = work_in_folder(args, work)
    feed = outcome.feed
    screen.give(outcome_result(outcome))
    if outcome.unchanged:
        screen.say(f"the feed {feed.slug} says so already; nothing changed")
        return
    changed = ", ".join(given)
    screen.say(f"changed {changed} of the feed {feed.slug}: {clean_line(feed.title)}")


COMMAND = Command(
    "SLUG",
    _add_arguments,
    _run,
    (
        'feedserver feed edit world --title "News of the world"',
        "feedserver feed edit world --language uk --timezone Europe/Kyiv",
    ),
)
