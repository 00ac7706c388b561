"""Where an item is already as an edit would leave it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from feedserver.model import Status, Verb
from publisher.editing.call import Call
from publisher.editing.edit import FeedVerb
from publisher.text.words import alike

if TYPE_CHECKING:
    from feedserver.wire import Json


def why_done(verb: Verb | FeedVerb, item: Json, fields: Json) -> str:
    """Return in which way the item is already as the verb would leave it; empty if it is not."""
    status = item.get("status")
    if "at" in fields or status == Status.KILLED:
        return ""
    match verb:
        case Verb.FIX | Verb.UPDATE if _says(item, fields):
            return "says so already"
        case Verb.HOLD if status == Status.HELD:
            return "is held already"
        case Verb.RELEASE if status == Status.LIVE:
            return "is not held"
        case Verb.PIN if item.get("pinned"):
            return "is pinned already"
        case Verb.UNPIN if not item.get("pinned"):
            return "is not pinned"
    return ""


def why_erased(log: Sequence[Json], version: int) -> str:
    """Return that a redact has nothing left to erase; empty where it has."""
    erased = any(one["version"] == version and one.get("redacted_at") for one in log)
    return f"has no words of version {version} any more" if erased else ""


def say_unchanged(call: Call, item: Json, why: str, note: str | None) -> None:
    """Print that an item needs no change, so that no revision was made."""
    link = call.page(item["id"])
    call.screen.give({**item, "link": link, "unchanged": True})
    told = ", and the note was not stored" if note else ""
    call.screen.say(f"Item {item['id']} {why}; nothing changed, no revision was made{told}")
    call.screen.say(link)


def _says(item: Json, fields: Json) -> bool:
    return all(alike(n, fields[n], item.get(n)) for n in fields if n != "note")
