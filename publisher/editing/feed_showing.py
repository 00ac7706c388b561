"""A feed's key points, and its versions, in the words that editors use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from publisher.editing.call import Call
from publisher.editing.feed_looking import feed_words, summary_in
from publisher.output import clean, clean_line
from publisher.text.items import local_time

if TYPE_CHECKING:
    from feedserver.wire import Json


def feed_lines(call: Call, feed: Json, stream: TextIO | None = None) -> list[str]:
    """Return a feed's key points, painted for `stream` or stdout, with their time and version."""
    title = clean_line(feed.get("title") or feed["slug"])
    lines = [call.screen.paint(title, "bold", stream=stream or sys.stdout)]
    if summary := summary_in(feed_words(feed)):
        lines.append(f"\n{clean(summary)}\n")
    if feed.get("summary_at"):
        lines.append(f"Changed {local_time(feed['summary_at'])}")
    return [*lines, f"Version: {clean_line(feed['etag'])}", call.feed_page()]
