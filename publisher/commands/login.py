"""`publisher login`: check a token with its server and save both."""

from __future__ import annotations

import codecs
import getpass
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from feedserver.errors import Unauthorized
from feedserver.model import is_slug
from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.hints import no_feed
from publisher.editing.options import add_common
from publisher.failures import Misused, ServerRefusal
from publisher.output import clean_line
from publisher.parser import Parser
from publisher.server.address import split_feed
from publisher.server.profile import Profile, chosen_name, save
from publisher.server.schemas import is_feeds, is_readers
from publisher.text.listed import note_feeds
from publisher.text.typed import decode
from publisher.text.zones import keep_zones

if TYPE_CHECKING:
    from publisher.server.client import Client


def _add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help="the server's address, or that of a feed's page; the token is asked for, or read from "
        "stdin",
    )
    add_common(parser)


def _run(call: Call) -> None:
    args = call.args
    address = args.url or call.environ.get("PUBLISHER_URL")
    if not address:
        raise Misused("which server? publisher login https://news.example")
    name = chosen_name(call.environ, args.profile)
    url, feed_of_page = split_feed(address)
    token = _read_token(call)
    with call.client(url, token) as client:
        told = client.get("/v1/feeds", is_feeds).data["feeds"]
        keep_zones(url, {feed["slug"]: feed.get("timezone") for feed in told})
        feeds = [feed["slug"] for feed in told]
        wanted = args.feed or feed_of_page or call.environ.get("PUBLISHER_FEED")
        if wanted and (not is_slug(wanted) or wanted not in feeds):
            raise Misused(no_feed(url, wanted, feeds))
        mine = [slug for slug in feeds if _may_edit(client, slug)]
        if not feeds:
            _may_edit(client, "any")  # a token that is not known is refused before the feed is
    if wanted and wanted not in mine:
        raise Misused(
            f"this token does not edit the feed {wanted}; it edits: {', '.join(mine) or 'none'}"
        )
    feed = wanted or (mine[0] if len(mine) == 1 else None)
    path = save(Profile(url, token, feed, name), call.environ)
    note_feeds(url, feeds)
    for variable in ("PUBLISHER_URL", "PUBLISHER_TOKEN", "PUBLISHER_FEED"):
        if call.environ.get(variable) and not args.profile:
            call.screen.notice(
                f"{variable} is set, and goes before what is saved: unset {variable}"
            )

    call.screen.give({"url": url, "feed": feed, "feeds": mine, "profile": str(path), "as": name})
    call.screen.say(f"Logged in at {url}; saved in {path}")
    if feed:
        call.screen.say(f"The feed is {clean_line(feed)}, unless you say --feed.")
    elif mine:
        call.screen.say(f"Choose a feed with --feed: {clean_line(', '.join(mine))}")


def _read_token(call: Call) -> str:
    token = (call.environ.get("PUBLISHER_TOKEN") or "").strip()
    if token:
        call.screen.notice("the token is that of PUBLISHER_TOKEN; stdin is not read")
        return token
    if sys.stdin is not None:
        with suppress(EOFError):  # Ctrl-D
            at_terminal = sys.stdin.isatty()
            token = (getpass.getpass("Token: ") if at_terminal else _read_line()).strip()
    if not token:
        raise Misused("no token: type it when asked, or send it on stdin")
    return token


def _read_line() -> str:
    """Return the first line of stdin, in UTF-16 if it begins with that mark."""
    assert sys.stdin is not None
    line = sys.stdin.buffer.readline()
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        line += sys.stdin.buffer.read()  # readline cut its last character in half
    return (decode(line, "the token on stdin").splitlines() or [""])[0]


def _may_edit(client: Client, slug: str) -> bool:
    """Say whether the token edits a feed. Raises ServerRefusal for an unknown token."""
    try:
        client.get(f"/v1/feeds/{slug}/readers", is_readers)
    except ServerRefusal as refusal:
        if refusal.status == Unauthorized.status:
            raise
        return False
    return True


COMMAND = Command(
    "URL",
    _add_arguments,
    _run,
    (
        "publisher login https://news.example",
        "publisher login https://sport.example --as sport",
        "publisher login http://127.0.0.1:8000/feeds/world < token.txt",
    ),
)
