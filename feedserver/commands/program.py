"""The commands of `feedserver`. All work beside a running server, through the database."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shlex
import stat
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from html import escape
from io import TextIOWrapper
from pathlib import Path

from feedserver import __version__
from feedserver.api import access
from feedserver.commands import backup, check, demo, migrate, restore
from feedserver.commands.adapter import run_command
from feedserver.commands.arguments import Parser, as_typed
from feedserver.errors import BadSetting, FeedError, Invalid, NotFound, SetupError, Unavailable
from feedserver.live.hub import now_millis
from feedserver.model import Feed, Token
from feedserver.newsroom import Newsroom
from feedserver.service import serve
from feedserver.settings import TABLE, Settings, read_settings
from feedserver.site.assets import released_sri, ticker_version
from feedserver.sqlite.folder import NoNewsroom
from feedserver.sqlite.mirror import SQLiteMirror
from feedserver.sqlite.opening import damaged
from feedserver.sqlite.storage import open_storage
from feedserver.suggestions import did_you_mean
from feedserver.wire import time_text

COMMANDS = {
    "backup": backup.COMMAND,
    "restore": restore.COMMAND,
    "check": check.COMMAND,
    "migrate": migrate.COMMAND,
}
Arguments = argparse.Namespace
Work = Callable[[Newsroom, SQLiteMirror], Awaitable[None]]

WRONG_USAGE = 2
STDOUT = 1
PAUSE_MAX = 3600.0  # seconds
WILDCARDS = {"", "0.0.0.0", "::"}  # noqa: S104 - where a server listens, but nobody can go
# Controls move a terminal's cursor; the bidirectional ones make a line read as what it is not.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_FIRST_STEPS = """\
to look at it:
  feedserver demo
to begin a feed:
  feedserver feed add world --title "World news" --language en --timezone Europe/Kyiv
  (umask 077; feedserver token add "Ann Example" > ann.token)
  feedserver serve

feedserver COMMAND --help tells more. What is kept is in the folder feed-data, or in the one that
--data or FEEDSERVER_DATA names.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Exit code 0: done, 1: refused, 2: wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a title may have letters that a terminal has not
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = _parser().parse_args(argv)
        code: int = arguments.run(arguments)
        print(end="", flush=True)
    except FeedError as fault:
        detail = as_typed(fault) if isinstance(fault, Invalid) else fault.detail
        print(f"feedserver: {detail}", file=sys.stderr)
        return WRONG_USAGE if isinstance(fault, BadSetting) else 1
    except KeyboardInterrupt:
        return 130
    except OSError as fault:
        _drop_output()
        if isinstance(fault, BrokenPipeError):
            return 0  # who reads it has read enough
        print(f"feedserver: cannot write the answer: {fault.strerror}", file=sys.stderr)
        return 1
    return code


def _drop_output() -> None:
    """Throw away what stdout still holds, or Python would try once more as it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDOUT)
    os.close(nowhere)


def _overview(parser: Parser, arguments: Arguments) -> int:
    parser.print_help(sys.stderr)
    return WRONG_USAGE


def _serve(arguments: Arguments) -> int:
    return serve(_settings(arguments), ready=_say_ready)


def _say_ready(address: str) -> None:
    print(f"feedserver is ready at {address}", flush=True)


def _feed_add(arguments: Arguments) -> int:
    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> None:
        if await mirror.feed(arguments.slug) is not None:
            raise FeedError(f"there is a feed {arguments.slug} already")
        raw = {
            "title": arguments.title,
            "language": arguments.language,
            "timezone": arguments.timezone,
            "description": arguments.description,
        }
        feed = (await newsroom.configure(arguments.slug, raw, None)).feed
        print(f"added the feed {feed.slug}: {feed.title}")

    return _run(arguments, work, begins=True)


def _feed_list(arguments: Arguments) -> int:
    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> None:
        feeds = await mirror.feeds()
        _print_rows(("FEED", "STATE", "LANGUAGE", "TIMEZONE", "TITLE"), map(_feed_line, feeds))
        if not feeds:
            print(_how_to_begin(_settings(arguments).data), file=sys.stderr)

    return _run(arguments, work)


def _feed_line(feed: Feed) -> tuple[str, ...]:
    state = f"closed since {time_text(feed.closed_at)}" if feed.closed_at is not None else "open"
    return feed.slug, state, feed.language or "-", feed.timezone or "-", feed.title


def _print_rows(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows: with tabs for a program, in columns with headings on a terminal."""
    lines = [[_CONTROLS.sub("\ufffd", cell) for cell in row] for row in rows]
    if not (sys.stdout and sys.stdout.isatty()):
        for line in lines:
            print("\t".join(line))
    elif lines:
        lines.insert(0, list(headings))
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = map(str.ljust, line, widths)
            print("  ".join(cells).rstrip())


def _feed_close(arguments: Arguments) -> int:
    return _close(arguments, closed=True)


def _feed_reopen(arguments: Arguments) -> int:
    return _close(arguments, closed=False)


def _close(arguments: Arguments, *, closed: bool) -> int:
    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> None:
        await _existing(mirror, arguments.slug)
        await newsroom.configure(arguments.slug, {"closed": closed}, None)
        print(f"{'closed' if closed else 'reopened'} the feed {arguments.slug}")

    return _run(arguments, work)


async def _existing(mirror: SQLiteMirror, slug: str) -> Feed:
    feed = await mirror.feed(slug)
    if feed is None:
        known = [feed.slug for feed in await mirror.feeds()]
        feeds = ", ".join(known) or "none yet"
        raise FeedError(f"there is no feed {slug}; the feeds: {feeds}{did_you_mean(slug, known)}")
    return feed


def _embed(arguments: Arguments) -> int:
    settings = _settings(arguments)
    if not settings.url and (settings.port == 0 or settings.host in WILDCARDS):
        raise BadSetting("which address do readers see? Say it with --url https://news.example")
    site = settings.public_url

    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> None:
        feed = await _existing(mirror, arguments.slug)
        version, integrity = ticker_version(), released_sri()
        page = f"{site}/feeds/{feed.slug}"
        if integrity:
            print(
                f"<!-- or, to stay with version {version}:\n"
                f'<script type="module" src="{site}/ticker-{version}.js"\n'
                f'  integrity="{integrity}" crossorigin="anonymous"></script>\n'
                "-->"
            )
        else:
            why = f"the ticker {version} is not released: its file changes with every build"
            print(f"{why}, so there is none to pin", file=sys.stderr)
        print(
            f'<script type="module" src="{site}/ticker.js"></script>\n'
            f'<live-ticker src="{page}"><a href="{page}">{escape(feed.title)}</a></live-ticker>\n'
            "<!-- and in the page's style sheet, so that nothing on it moves:\n"
            "live-ticker:not([layout=line]) { display: block; block-size: 28em } -->"
        )

    return _run(arguments, work)


def _token_add(arguments: Arguments) -> int:
    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> None:
        secret, digest = access.new_secret()
        feeds = tuple(arguments.feed)
        for slug in feeds:
            await _existing(mirror, slug)
        await newsroom.add_token(arguments.name, digest, feeds, importer=arguments.importer)
        noun = "feed" if len(feeds) == 1 else "feeds"
        scope = f"the {noun} {', '.join(feeds)}" if feeds else "all feeds"
        print(
            f"a token for {arguments.name}, for {scope}; it will not be shown again:",
            file=sys.stderr,
        )
        try:
            print(secret, flush=True)
        except OSError as fault:
            await newsroom.revoke_token(arguments.name)
            _drop_output()
            raise SetupError(
                f"the token could not be written ({fault.strerror}), so it was revoked; "
                "make room, then add it again"
            ) from None
        if _others_may_read(STDOUT):
            print("others on this machine can read that file: chmod 600 it", file=sys.stderr)

    return _run(arguments, work, begins=True)


def _others_may_read(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISREG(mode) and bool(mode & (stat.S_IRGRP | stat.S_IROTH))


def _token_list(arguments: Arguments) -> int:
    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> None:
        tokens = await mirror.tokens()
        _print_rows(("NAME", "STATE", "FEEDS", "RIGHTS", "CREATED"), map(_token_line, tokens))

    return _run(arguments, work)


def _token_line(token: Token) -> tuple[str, ...]:
    revoked = token.revoked_at
    state = f"revoked at {time_text(revoked)}" if revoked is not None else "good"
    feeds = ",".join(token.feeds) or "all feeds"
    rights = "imports" if token.importer else "-"
    return token.name, state, feeds, rights, time_text(token.created_at)


def _token_revoke(arguments: Arguments) -> int:
    async def work(newsroom: Newsroom, mirror: SQLiteMirror) -> None:
        try:
            await newsroom.revoke_token(arguments.name)
        except NotFound as fault:
            raise FeedError(f"{fault.detail}; see: feedserver token list") from None
        print(f"revoked the token of {arguments.name}")

    return _run(arguments, work)


def _list_settings(arguments: Arguments) -> int:
    settings = _settings(arguments)
    for setting in TABLE:
        value = getattr(settings, setting.name)
        if isinstance(value, bool):  # as it is written in the variable
            value = "on" if value else "off"
        elif isinstance(value, tuple):
            value = ",".join(f"{name}={address}" for name, address in value)
        print(f"{setting.variable}\t{value}\t{setting.help}")
    return 0


def _demo(arguments: Arguments) -> int:
    settings = _settings(arguments)
    return demo.run(settings.port, settings.data, arguments.pause)


def _run(arguments: Arguments, work: Work, *, begins: bool = False) -> int:
    """Do `work` on the database. Only a command that `begins` makes one where there is none."""
    settings = _settings(arguments)

    async def opened() -> None:
        async with open_storage(settings.data, begins=begins) as storage:
            database, mirror = storage.database, storage.mirror
            try:
                await work(Newsroom(storage.journal, mirror, now_millis), mirror)
            except Unavailable:
                if database.damage is None:
                    raise
                raise damaged(database.path, database.damage) from None

    try:
        asyncio.run(opened())
    except NoNewsroom:
        raise SetupError(_how_to_begin(settings.data)) from None
    return 0


def _how_to_begin(folder: Path) -> str:
    command = f'feedserver feed add world --title "World news" --data {shlex.quote(str(folder))}'
    return f"there is no feed in {folder} yet; begin with: {command}"


def _settings(arguments: Arguments) -> Settings:
    given = {setting.name: getattr(arguments, setting.name, None) for setting in TABLE}
    return read_settings(given)


def _parser() -> Parser:
    parser = Parser(
        prog="feedserver",
        description="A live news feed.",
        epilog=_FIRST_STEPS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=partial(_overview, parser))
    parser.add_argument("--version", action="version", version=f"feedserver {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND")

    shown = commands.add_parser("demo", help="play the seed story on a feed of its own")
    shown.add_argument("--port", help="default 8000; 0 takes a free one (FEEDSERVER_PORT)")
    # Begun anew each time, so FEEDSERVER_DATA must not name it.
    shown.add_argument(
        "--data", default="demo-data", help="the folder for all that it writes (demo-data)"
    )
    shown.add_argument(
        "--pause", type=_pause, default=6.0, help="seconds between the story's news (6)"
    )
    shown.set_defaults(run=_demo)

    served = commands.add_parser("serve", help="serve the feeds of one folder")
    for setting in TABLE:
        option = f"--{setting.name.replace('_', '-')}"
        served.add_argument(option, dest=setting.name, help=f"{setting.help} ({setting.variable})")
    served.set_defaults(run=_serve)

    feed = commands.add_parser("feed", help="add, list, close and reopen feeds")
    feed.set_defaults(run=partial(_overview, feed))
    feeds = feed.add_subparsers(metavar="WHAT")
    adding = _with_data(
        feeds.add_parser(
            "add",
            help="add a feed",
            epilog="Only the title is needed: without a language the pages speak English, without "
            "a timezone they show UTC.",
        ),
        _feed_add,
    )
    adding.add_argument("slug", metavar="SLUG", help="its name in addresses, e.g. world")
    adding.add_argument("--title", required=True, help="its name for readers")
    adding.add_argument("--language", help="e.g. en, uk, pt-BR")
    adding.add_argument("--timezone", help="e.g. Europe/Kyiv")
    adding.add_argument("--description", help="a sentence for readers")
    _with_data(feeds.add_parser("list", help="list the feeds"), _feed_list)
    for name, run, text in (
        ("close", _feed_close, "end a feed; what is there can still be corrected"),
        ("reopen", _feed_reopen, "go on with a closed feed"),
    ):
        ending = _with_data(feeds.add_parser(name, help=text), run)
        ending.add_argument("slug", metavar="SLUG")

    embedding = commands.add_parser("embed", help="print what puts a feed on another page")
    _with_data(embedding, _embed).add_argument("slug", metavar="SLUG")
    embedding.add_argument("--url", help="the address that readers see (FEEDSERVER_URL)")

    token = commands.add_parser("token", help="add, list and revoke editors' tokens")
    token.set_defaults(run=partial(_overview, token))
    tokens = token.add_subparsers(metavar="WHAT")
    giving = _with_data(tokens.add_parser("add", help="print a new token, once"), _token_add)
    giving.add_argument("name", metavar="NAME", help="the editor's name, kept with each revision")
    giving.add_argument("--feed", action="append", default=[], help="only this feed; repeatable")
    giving.add_argument(
        "--import", dest="importer", action="store_true", help="may set past times and origins"
    )
    _with_data(tokens.add_parser("list", help="list the tokens"), _token_list)
    revoking = _with_data(tokens.add_parser("revoke", help="end a token"), _token_revoke)
    revoking.add_argument("name", metavar="NAME")

    _with_data(commands.add_parser("settings", help="list what serve would take"), _list_settings)
    for name, command in COMMANDS.items():
        adding = commands.add_parser(
            name, help=command.summary, epilog=f"for instance: {command.examples[0]}"
        )
        command.add_arguments(adding)
        adding.set_defaults(run=partial(run_command, command))
    return parser


def _pause(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= PAUSE_MAX:
        raise argparse.ArgumentTypeError(f"takes seconds from 0 to {PAUSE_MAX:.0f}, not {text}")
    return seconds


def _with_data(parser: Parser, run: Callable[[Arguments], int]) -> Parser:
    parser.add_argument("--data", help="the folder that holds the database (FEEDSERVER_DATA)")
    parser.set_defaults(run=run)
    return parser
