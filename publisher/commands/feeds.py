"""`publisher feeds`: the feeds of the server, and which of them are yours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.options import add_common
from publisher.failures import Failure
from publisher.server.schemas import is_feeds, is_session

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client


def _run(call: Call) -> None:
    with call.reader() as client:
        feeds = _feeds(client)
        edits = _edits(client)
    usual = call.profile.feed
    data: Json = {"feeds": feeds}
    if edits is not None:
        data["edits"] = [feed["slug"] for feed in feeds if not edits or feed["slug"] in edits]
    if usual:
        data["feed"] = usual
    call.screen.give(data)
    rows = [
        (feed["slug"], feed.get("title") or "", _marks(feed, usual, edits), feed.get("url") or "")
        for feed in feeds
    ]
    call.screen.say_rows(("FEED", "TITLE", "", "PAGE"), rows)
    if not feeds:
        call.screen.notice("there are no feeds yet")


def _feeds(client: Client) -> list[Json]:
    """Return all feeds of the server, by slug."""
    feeds: list[Json] = []
    after: str | None = None
    while True:
        page = client.get("/v1/feeds", is_feeds, after=after).data
        feeds += page["feeds"]
        if not page["feeds"] or not page.get("next"):
            return feeds
        after = page["next"]


def _edits(client: Client) -> list[str] | None:
    """Return the feeds that the token edits, none for all of them; None: it is not known."""
    if not client.has_token:
        return None
    try:
        return client.get("/v1/session", is_session).data.get("feeds") or []
    except Failure:
        return None  # the feeds are told without it


def _marks(feed: Json, usual: str | None, edits: list[str] | None) -> str:
    found = (
        ("usual", feed["slug"] == usual),
        ("closed", feed.get("closed_at")),
        ("not yours", edits and feed["slug"] not in edits),
    )
    return ", ".join(word for word, is_so in found if is_so)


COMMAND = Command("", add_common, _run, ("publisher feeds", "publisher feeds --json"))
