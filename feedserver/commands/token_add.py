"""`feedserver token add`: a token for an editor, printed once and alone on stdout."""

import os
import stat
from argparse import Namespace

from feedserver.api.access import new_secret
from feedserver.commands.folder import add_data, existing_feed, work_in_folder
from feedserver.commands.results import token_result
from feedserver.errors import SetupError
from feedserver.newsroom import Newsroom
from feedserver.sqlite.mirror import SQLiteMirror
from publisher.command_line import Command
from publisher.failures import Broken
from publisher.output import Screen
from publisher.parser import Parser

STDOUT = 1  # the descriptor


def _add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "name", metavar="NAME", help="the editor's name, as it stands in each revision"
    )
    parser.add_argument("--feed", action="append", default=[], help="only this feed; repeatable")
    parser.add_argument(
        "--import", dest="importer", action="store_true", help="may set past times and origins"
    )
    add_data(parser)


def _run(args: Namespace, screen: Screen) -> None:
    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> None:
        secret, digest = new_secret()
        feeds = tuple(args.feed)
        for slug in feeds:
            await existing_feed(mirror, slug)
        token = await newsroom.add_token(args.name, digest, feeds, importer=args.importer)
        noun = "feed" if len(feeds) == 1 else "feeds"
        scope = f"the {noun} {', '.join(feeds)}" if feeds else "all feeds"
        screen.notice(f"a token for {args.name}, for {scope}; it will not be shown again:")
        try:
            screen.give(token_result(token, secret))
            screen.say(secret)
        except (Broken, BrokenPipeError) as fault:
            await newsroom.revoke_token(args.name)
            why = fault.headline if isinstance(fault, Broken) else "nobody reads stdout"
            raise SetupError(
                f"the token could not be written, so it was revoked; add it again ({why})"
            ) from None
        if _others_may_read(STDOUT):
            screen.notice("others on this machine can read that file: chmod 600 it")

    work_in_folder(args, work, may_begin=True)


def _others_may_read(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISREG(mode) and bool(mode & (stat.S_IRGRP | stat.S_IROTH))


COMMAND = Command(
    "NAME",
    _add_arguments,
    _run,
    (
        '(umask 077; feedserver token add "Ann Example" > ann.token)',
        "feedserver token add wire-import --import --feed world",
    ),
)
