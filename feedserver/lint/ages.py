"""Whether a number is somebody's age."""

from __future__ import annotations

from feedserver.lint.language import words
from feedserver.lint.surroundings import Surroundings

AGE_MAX = 115  # years that a number alone may be the age of somebody
CHILD = 3  # years from which it may be, where little else says so

_ENDS = frozenset({"", ",", "."})
_AT_AGE = words("dies died dead retires retired weds")
_SINCE = words(  # what makes years behind a person a time: a man for 20 years
    "на за через після до з із від по в für nach vor zu seit von for after in"
)


def is_age(around: Surroundings, i: int, end: int) -> bool:
    """Say whether the number from one token to another is an age."""
    language, before, after = around.language, around.at(i - 1), around.at(end)
    if language.age.match(_behind(around, end)) or before in language.age_before:
        return True
    if before in {"у", "в"} and after == "років":
        return True
    if around.tokens[i].kind != "number":
        return False
    value = float(around.tokens[i].text) if around.tokens[i].text.isdigit() else 0
    if not 1 <= value <= AGE_MAX:
        return False
    if before == ",":
        return after in _ENDS or (after in language.years and around.at(end + 1) in {",", ""})
    if before in language.turns:
        return after in _ENDS or after in language.years
    if before == "at" and around.at(i - 2) in _AT_AGE:
        return after in _ENDS
    if before == "of":
        return around.is_person(around.at(i - 2)) and around.unit_of(after) is None
    if before in {"is", "was"} and around.at(i - 2) in {"who", "he", "she"}:
        return value >= CHILD and (after in _ENDS or after == "and")
    if around.clause(i - 1) != around.clause(i):
        return False
    if after in _ENDS or after == ";":
        return value >= CHILD and around.is_person(before)
    if after in language.years and language.decimal == ",":
        people = (around.at(i - 1), around.at(i - 2))
        return before not in _SINCE and any(map(around.is_person, people))
    return False


def _behind(around: Surroundings, end: int) -> str:
    """Return the next words as they are written, without a hyphen before them."""
    if end >= len(around.tokens):
        return ""
    last = around.tokens[min(end + 3, len(around.tokens) - 1)]
    written = around.text[around.tokens[end].start : last.end]
    return written.casefold().lstrip(" -")
