"""`feedserver token list`: who may edit what."""

from argparse import Namespace

from feedserver.commands.folder import add_data, read_in_folder
from feedserver.commands.results import token_result
from feedserver.model import Token
from feedserver.sqlite.mirror import SQLiteMirror
from feedserver.wire import time_text
from publisher.command_line import Command
from publisher.output import Screen


def _run(args: Namespace, screen: Screen) -> None:
    tokens = read_in_folder(args, SQLiteMirror.tokens)
    screen.give([token_result(token) for token in tokens])
    screen.say_rows(("NAME", "STATE", "FEEDS", "RIGHTS", "CREATED"), map(_row, tokens))


def _row(token: Token) -> tuple[str, ...]:
    revoked = token.revoked_at
    state = f"revoked at {time_text(revoked)}" if revoked is not None else "good"
    feeds = ",".join(token.feeds) or "all feeds"
    rights = "imports" if token.importer else "-"
    return token.name, state, feeds, rights, time_text(token.created_at)


COMMAND = Command("", add_data, _run, ("feedserver token list",))
