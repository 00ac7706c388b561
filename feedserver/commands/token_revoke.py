"""`feedserver token revoke`: the end of a token, at once."""

from argparse import Namespace

from feedserver.commands.folder import add_data, work_in_folder
from feedserver.commands.results import token_result
from feedserver.errors import FeedError, NotFound, OutcomeUnknown, Unavailable
from feedserver.model import Token
from feedserver.newsroom import Newsroom
from feedserver.sqlite.mirror import SQLiteMirror
from publisher.command_line import Command
from publisher.output import Screen
from publisher.parser import Parser


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    add_data(parser)


def _run(args: Namespace, screen: Screen) -> None:
    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> list[Token]:
        try:
            await newsroom.revoke_token(args.name)
        except NotFound as fault:
            raise FeedError(f"{fault.detail}; see: feedserver token list") from None
        except OutcomeUnknown:
            raise FeedError(
                f"the commit failed, and it is not known whether {args.name} was shut out: look "
                "with feedserver token list, and revoke the token again if it is still good"
            ) from None
        except Unavailable as fault:
            raise FeedError(
                f"the token of {args.name} is NOT revoked, and still good: {fault.detail}"
            ) from None
        return [token for token in await mirror.tokens() if token.name == args.name]

    for token in work_in_folder(args, work):
        screen.give(token_result(token))
    screen.say(f"revoked the token of {args.name}")


COMMAND = Command("NAME", _add_arguments, _run, ('feedserver token revoke "Ann Example"',))
