"""An item in the words that editors use: its marks, its times, its text, what happened to it."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from feedserver.model import Status
from publisher.output import clean_line

if TYPE_CHECKING:
    from feedserver.wire import Json


def marks(item: Json) -> str:
    """Return the marks of an item in a few words; empty for a plain one."""
    if item.get("status") == Status.KILLED:
        return "withdrawn"
    found = [
        word
        for word, is_so in (
            ("BREAKING", item.get("breaking")),
            ("pinned", item.get("pinned")),
            ("being checked", item.get("status") == Status.HELD),
            ("corrected", item.get("corrections")),
            ("updated", item.get("updated_at") and not item.get("corrections")),
        )
        if is_so
    ]
    return ", ".join(found)


def what_changed(before: Json | None, item: Json) -> str:
    """Say what happened between two states of an item that a reader was sent."""
    if item.get("status") == Status.KILLED:
        return "withdrawn"
    if before is None:
        return "new" if item.get("version") == item.get("id") else "changed"
    found = []
    if len(item.get("corrections") or ()) > len(before.get("corrections") or ()):
        found.append("corrected")
    elif item.get("updated_at") != before.get("updated_at"):
        found.append("updated")
    if item.get("status") != before.get("status"):
        found.append("held" if item.get("status") == Status.HELD else "released")
    if item.get("pinned") != before.get("pinned"):
        found.append("pinned" if item.get("pinned") else "unpinned")
    return ", ".join(found) or "fixed"


def local_time(
    text: str | None, zone: tzinfo | None = None, *, today: datetime | None = None
) -> str:
    """Return a time of the contract in a zone, with its date unless it is today's.

    Without a zone it is this machine's.
    """
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text).astimezone(zone)
    except (ValueError, OverflowError):  # no time, or one that no clock here can show
        return clean_line(text)
    now = today or datetime.now().astimezone(zone)
    day = "" if moment.date() == now.date() else f"{moment:%Y-%m-%d} "
    return f"{day}{moment:%H:%M %Z}"


def plain(blocks: Any) -> str:
    """Return the words of an item's blocks, a blank line between them, links in brackets."""
    return "\n\n".join(filter(None, map(_block, blocks or ())))


def _block(block: Any) -> str:
    """Return a paragraph, a list or a quote; of a kind that is not known, its words."""
    match block:
        case {"list": [*entries]}:
            ordered = block.get("ordered")
            return "\n".join(
                f"{f'{number}.' if ordered else '-'} {_words(entry)}"
                for number, entry in enumerate(entries, 1)
            )
        case {"quote": [*paragraphs]}:
            lines = [*map(_words, paragraphs)]
            cite = block.get("cite")
            return "\n".join(f"> {line}" for line in [*lines, *([f"— {cite}"] if cite else [])])
    return _words(block)


def _words(content: Any) -> str:
    match content:
        case str():
            return content
        case {"text": str(text), "href": str(href)}:
            return f"{text} ({href})"
        case {"text": str(text)}:
            return text
        case dict():
            return "\n".join(filter(None, map(_words, content.values())))
        case list():
            return "".join(map(_words, content))
    return ""
