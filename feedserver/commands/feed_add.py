"""`feedserver feed add`: a new feed."""

from argparse import Namespace

from feedserver.commands.folder import add_data, work_in_folder
from feedserver.commands.results import feed_result
from feedserver.errors import FeedError
from feedserver.model import Feed
from feedserver.newsroom import Newsroom
from feedserver.sqlite.mirror import SQLiteMirror
from publisher.command_line import Command
from publisher.output import Screen, clean_line
from publisher.parser import Parser


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("slug", metavar="SLUG", help="its name in addresses, e.g. world")
    parser.add_argument("--title", required=True, help="its name for readers")
    parser.add_argument("--language", help="e.g. en, uk, pt-BR; English if it is left out")
    parser.add_argument("--timezone", help="e.g. Europe/Kyiv; UTC if it is left out")
    parser.add_argument("--description", help="a sentence for readers")
    add_data(parser)


def _run(args: Namespace, screen: Screen) -> None:
    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> Feed:
        if await mirror.feed(args.slug) is not None:
            raise FeedError(f"there is a feed {args.slug} already")
        settings = {
            "title": args.title,
            "language": args.language,
            "timezone": args.timezone,
            "description": args.description,
        }
        return (await newsroom.configure(args.slug, settings, None)).feed

    feed = work_in_folder(args, work, may_begin=True)
    screen.give(feed_result(feed))
    screen.say(f"added the feed {feed.slug}: {clean_line(feed.title)}")


COMMAND = Command(
    "SLUG --title TITLE",
    _add_arguments,
    _run,
    ('feedserver feed add world --title "World news" --language en --timezone Europe/Kyiv',),
)
