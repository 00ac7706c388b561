"""Which languages the check of numbers knows."""

from __future__ import annotations

import re

from feedserver.lint.english import ENGLISH
from feedserver.lint.german import GERMAN
from feedserver.lint.language import Language
from feedserver.lint.ukrainian import UKRAINIAN

GUESSED_FROM = 2_000  # characters of a text by which its language is guessed
STOPS_MIN = 3  # of its small words that a text must have for that

_KNOWN = {"en": ENGLISH, "de": GERMAN, "uk": UKRAINIAN}
_WORD = re.compile(r"[^\W\d_]+")


def language_of(tag: str | None, text: str) -> Language | None:
    """Return what is known of a language by its tag, without one by the text; None: nothing."""
    if tag:
        return _KNOWN.get(tag.partition("-")[0].casefold())
    words = _WORD.findall(text[:GUESSED_FROM].casefold())
    counts = {
        name: sum(word in language.stops for word in words) for name, language in _KNOWN.items()
    }
    likeliest = max(counts, key=lambda name: counts[name])
    rest = max(count for name, count in counts.items() if name != likeliest)
    if likeliest == "uk" and not set("іїєґ") & set("".join(words)):
        return None  # another language in Cyrillic letters
    is_clear = counts[likeliest] >= max(STOPS_MIN, 2 * rest)
    return _KNOWN[likeliest] if is_clear else None
