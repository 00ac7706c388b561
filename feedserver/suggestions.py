"""Suggestions for misspelt words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that names the nearest known word; empty if none is near."""
    from difflib import get_close_matches  # only now: most commands are spelt right

    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def unknown_option(words: Sequence[str], known: Iterable[str]) -> str | None:
    """Return the first long option that is not known, or None; words with spaces are texts."""
    options = set(known)
    for word in words[: words.index("--") if "--" in words else None]:
        name = word.partition("=")[0]
        if word.startswith("--") and " " not in name and name not in options:
            return name
    return None
