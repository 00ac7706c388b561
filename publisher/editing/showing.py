"""One item, whole, in the words that editors use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from feedserver.model import Status
from publisher.editing.call import Call
from publisher.output import clean, clean_line
from publisher.text.items import local_time, marks, plain
from publisher.text.words import medium_text

if TYPE_CHECKING:
    from feedserver.wire import Json


def item_lines(call: Call, item: Json, stream: TextIO | None = None) -> list[str]:
    """Return what an item is, a line each, painted for `stream`; without one, for stdout."""

    def paint(text: str, style: str) -> str:
        return call.screen.paint(text, style, stream=stream or sys.stdout)

    def at(text: str | None) -> str:
        return local_time(text, call.zone)

    killed = item.get("status") == Status.KILLED
    title = f"Withdrawn {at(item.get('killed_at'))}" if killed else item.get("headline") or ""
    times = [f"Published {at(item.get('published_at'))}"]
    if item.get("updated_at"):
        times.append(f"updated {at(item['updated_at'])}")
    if item.get("occurred_at"):
        times.append(f"happened {at(item['occurred_at'])}")
    lines = [paint(clean_line(title), "bold"), paint(" · ".join(times), "dim")]
    if marks(item) and not killed:
        lines.append(paint(marks(item), "yellow"))
    text = item.get("body") or plain(item.get("blocks")) or item.get("note")
    if text:
        lines.append(f"\n{clean(text)}\n")
    for name in ("byline", "source", "url", "language"):
        if item.get(name):
            label = name.capitalize() if name != "url" else "URL"
            lines.append(f"{label}: {clean_line(item[name])}")
    if item.get("tags"):
        lines.append(f"Tags: {clean_line(', '.join(item['tags']))}")
    for number, medium in enumerate(item.get("media") or (), 1):
        lines.append(f"Picture {number}: {clean_line(medium_text(medium))}")
    for correction in item.get("corrections") or ():
        note = clean_line(correction.get("note") or "")
        lines.append(f"Correction {at(correction.get('at'))}: {note}")
    lines.append(f"Version: {clean_line(item.get('etag'))}")
    lines.append(call.page(item["id"]))
    return lines
