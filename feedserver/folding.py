"""Which texts count as one: a fold for search, and a stricter one for tags.

Both are made from the table `folding.json`, which programs in other languages can read as well.

`fold`: apostrophes are one and invisible characters go; NFKD; combining marks go after Latin,
Greek, Cyrillic, Hebrew and Arabic letters, but for the few that make another letter (й, ї, a hamza
that does not stand on an alef); vowel signs of Indic and South-East Asian scripts and the voicing
marks of kana stay; then case; then NFC, so that a letter is one character again.

`fold_tag`: the same, but marks count, and blanks are one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize

APOSTROPHE = "'"

_TABLE = json.loads(Path(__file__).with_suffix(".json").read_bytes())


def fold(text: str) -> str:
    """Return what stands for a text where it is searched."""
    if text.isascii():
        return text.lower().replace("`", APOSTROPHE)
    text = normalize("NFKD", _clean(text))
    for letter, decomposed in _LETTERS:
        if decomposed[-1] in text:
            text = text.replace(decomposed, letter)
    return normalize("NFC", _MARKS.sub("", text).casefold())


def fold_tag(tag: str) -> str:
    """Return what stands for a tag: two tags are one if it is the same for both."""
    folded = normalize("NFKD", _clean(tag)).casefold()
    return _BLANKS.sub(" ", normalize("NFKC", folded)).strip(" ")


def distinct_tags(tags: Iterable[str]) -> list[str]:
    """Return the tags without those that are one with an earlier one."""
    kept: dict[str, str] = {}
    for tag in tags:
        kept.setdefault(fold_tag(tag), tag)
    return list(kept.values())


def characters(*names: str) -> str:
    """Return lists of the table as the inside of a regular expression's character class."""
    return "".join(
        "-".join(f"\\U{int(end, 16):08x}" for end in entry.split("-"))
        for name in names
        for entry in _TABLE[name]
    )


def _clean(text: str) -> str:
    if _ODD.search(text):
        return _INVISIBLE.sub("", _APOSTROPHES.sub(APOSTROPHE, text))
    return text


_APOSTROPHES = re.compile(f"[{characters('apostrophes')}]")
_BLANKS = re.compile(f"[{characters('blanks')}]+")
_INVISIBLE = re.compile(f"[{characters('invisible')}]+")
_ODD = re.compile(f"[{characters('apostrophes', 'invisible')}]")
_MARKS = re.compile(f"[{characters('marks')}]+")
_LETTERS = [
    (letter, normalize("NFKD", letter)) for letter in (chr(int(e, 16)) for e in _TABLE["letters"])
]
