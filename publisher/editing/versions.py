"""The versions of an item or a feed, with the words that are told of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from publisher.editing.looking import HAS_WORDS, label_of
from publisher.output import clean_line
from publisher.text.items import revision_line
from publisher.text.words import WORDS, as_text

if TYPE_CHECKING:
    from feedserver.wire import Json

_OF_FEED = ("title", "description", "summary")
LONGEST = 500  # characters of one field that are shown of a version


def lines_of(log: Iterable[Json], versions: Collection[int] | None = None) -> list[str]:
    """Return versions with the words that are told of them, a line each; all without `versions`."""
    lines = []
    is_told = True
    for line in log:
        has_words = line["verb"] in HAS_WORDS
        fields = line.get("fields") or {}
        if versions is None or line["version"] in versions:
            lines.append(revision_line(line))
            lines += _words_of(fields)
            if has_words and not (is_told or fields or _is_gone(line)):
                lines.append("  its words are not told, as those of the version before it are gone")
        if has_words:
            is_told = not _is_gone(line)
    return lines


def _is_gone(line: Json) -> bool:
    return bool(line.get("redacted_at") or line.get("unreadable"))


def _words_of(fields: Json) -> list[str]:
    lines = []
    for name in (*WORDS, *_OF_FEED):
        text = as_text(name, fields.get(name))
        if not text:
            continue
        more = len(text) - LONGEST
        if more > 0:
            text = f"{text[:LONGEST]}… ({more:,} characters more)"
        first, *rest = text.split("\n")
        lines.append(f"  {label_of(name)}: {clean_line(first)}")
        lines += [f"  │ {clean_line(one)}" for one in rest]
    return lines
