"""What an item's state means, in the words that editors use."""

from __future__ import annotations

from feedserver.model import Status
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
