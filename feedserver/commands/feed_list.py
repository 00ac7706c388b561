"""`feedserver feed list`: the feeds of a folder."""

from argparse import Namespace

from feedserver.commands.folder import add_data, how_to_begin, read_in_folder, settings_of
from feedserver.commands.results import feed_result
from feedserver.model import Feed
from feedserver.sqlite.mirror import SQLiteMirror
from feedserver.wire import time_text
from publisher.command_line import Command
from publisher.output import Screen


def _run(args: Namespace, screen: Screen) -> None:
    feeds = read_in_folder(args, SQLiteMirror.feeds)
    screen.give([feed_result(feed) for feed in feeds])
    screen.say_rows(("FEED", "STATE", "LANGUAGE", "TIMEZONE", "TITLE"), map(_row, feeds))
    if not feeds:
        screen.notice(how_to_begin(settings_of(args).data))


def _row(feed: Feed) -> tuple[str, ...]:
    state = f"closed since {time_text(feed.closed_at)}" if feed.closed_at is not None else "open"
    return feed.slug, state, feed.language or "-", feed.timezone or "-", feed.title


COMMAND = Command("", add_data, _run, ("feedserver feed list",))
