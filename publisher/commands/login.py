"""`publisher login`: check a token with its server and save both."""

import getpass
import sys
from argparse import ArgumentParser
from contextlib import suppress

from feedserver.errors import Unauthorized
from feedserver.model import is_slug
from publisher.editing.call import Call, Command
from publisher.editing.hints import no_feed
from publisher.failures import Misused, Refused
from publisher.output import clean_line
from publisher.server.address import split_feed
from publisher.server.client import Client
from publisher.server.profile import Profile, save
from publisher.server.schemas import is_readers


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "url", nargs="?", metavar="URL", help="the server's address, or that of a feed's page"
    )


def _run(call: Call) -> None:
    args = call.args
    address = args.url or call.environ.get("PUBLISHER_URL")
    if not address:
        raise Misused("which server? publisher login https://news.example")
    url, feed_of_page = split_feed(address)
    token = _read_token(call)
    with call.client(url, token) as client:
        feeds = client.feeds()
        wanted = args.feed or feed_of_page or call.environ.get("PUBLISHER_FEED")
        if wanted and (not is_slug(wanted) or wanted not in feeds):
            raise Misused(no_feed(url, wanted, feeds))
        mine = [slug for slug in feeds if _may_edit(client, slug)]
        if not feeds:
            _may_edit(client, "any")  # a token that is not known is refused before the feed is
    if wanted and wanted not in mine:
        raise Misused(f"this token does not edit the feed {wanted}; it edits: {', '.join(mine)}")
    feed = wanted or (mine[0] if len(mine) == 1 else None)
    path = save(Profile(url, token, feed), call.environ)
    for name in ("PUBLISHER_URL", "PUBLISHER_TOKEN", "PUBLISHER_FEED"):
        if call.environ.get(name):
            call.screen.notice(f"{name} is set, and goes before what is saved: unset {name}")

    call.screen.give({"url": url, "feed": feed, "feeds": mine, "profile": str(path)})
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
        asked = sys.stdin.isatty()
        with suppress(EOFError):  # Ctrl-D
            token = (getpass.getpass("Token: ") if asked else sys.stdin.readline()).strip()
    if not token:
        raise Misused("no token: type it when asked, or send it on stdin")
    return token


def _may_edit(client: Client, slug: str) -> bool:
    """Ask what only an editor of that feed is told. Raises Refused for a token that is unknown."""
    try:
        client.get(f"/v1/feeds/{slug}/readers", is_readers)
    except Refused as refusal:
        if refusal.status == Unauthorized.status:
            raise
        return False
    return True


COMMAND = Command(
    "login",
    "URL",
    "check a token with its server and save both; the token is asked for, or read from stdin",
    (
        "publisher login https://news.example",
        "publisher login http://127.0.0.1:8000/feeds/world < token.txt",
    ),
    _add_arguments,
    _run,
)
