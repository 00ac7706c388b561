"""A feed itself: its key points, which version of them this editor was last shown, and the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from publisher.editing.call import Call
from publisher.editing.edit import FeedVerb
from publisher.editing.looking import forget_redacted, seen_versions
from publisher.failures import NotReached, ServerRefusal
from publisher.server.schemas import is_feed, is_revisions
from publisher.text.items import plain
from publisher.text.seen import Seen

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client

FEED = 0  # the feed itself among what was shown; no item has this number


def fetch_feed(call: Call, client: Client) -> Json:
    """Return the feed as it is now. Raises Failure."""
    try:
        return client.get(feed_path(call), is_feed, patient=True).data
    except NotReached as failure:
        failure.in_doubt = False  # to read stores nothing
        raise


def feed_path(call: Call) -> str:
    """Return the path of the feed's own settings."""
    return f"/v1/feeds/{call.feed}"


def feed_words(feed: Json) -> Json:
    """Return a feed's words as its editors write them: its key points, where there are any."""
    summary = feed.get("body") or plain(feed.get("summary"))
    return {"summary": summary} if summary else {}


def summary_in(words: Json | None) -> str:
    """Return the key points among a feed's words; empty where there are none."""
    return str((words or {}).get("summary") or "")


def seen_feed(call: Call) -> Seen | None:
    """Return the version of the key points that was last shown; None where none is known."""
    return seen_versions(call).get(call.feed, FEED)


def note_feed_shown(call: Call, feed: Json) -> None:
    """Remember that the key points were shown whole to a person."""
    seen = Seen(feed["etag"], int(feed["version"]), feed_words(feed))
    seen_versions(call).keep(call.feed, FEED, seen)


def feed_revisions(call: Call, client: Client) -> list[Json]:
    """Return who changed the feed itself, oldest first; nothing where the server does not tell."""
    try:
        log = list(client.get(f"{feed_path(call)}/revisions", is_revisions).data["revisions"])
    except (NotReached, ServerRefusal):
        return []  # what it is for is told without it
    forget_redacted(call, FEED, log)
    return log


def summary_changes(log: Sequence[Json]) -> list[Json]:
    """Return the lines of the log that changed the key points, as the verb that does so."""
    return [
        {**line, "verb": FeedVerb.SUMMARY.value}
        for line in log
        if "summary" in (line.get("fields") or {})
    ]


def summary_at(log: Sequence[Json], etag: str | None) -> str | None:
    """Return the key points as they were at a version; None where the log does not tell."""
    version = (etag or "").partition("-")[0]
    summary = ""
    for line in log:
        if line.get("redacted_at") or line.get("unreadable"):
            return None
        if "summary" in (line.get("fields") or {}):
            summary = line["fields"]["summary"] or ""
        if str(line["version"]) == version:
            return summary
    return None
