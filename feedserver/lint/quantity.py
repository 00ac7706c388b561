"""A quantity: a number of a text with what it counts or measures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

STATUSES = frozenset({"dead", "hurt", "saved", "missing", "held", "moved", "back", "out"})
"""The classes that say what happened to people."""


class Kind(StrEnum):
    """What sort of quantity a number is."""

    COUNT = "count"
    ONE = "one"  # people without a numeral: a driver, their guide, a couple
    ORDINAL = "ordinal"
    MONEY = "money"
    SHARE = "share"  # in percent
    MEASURE = "measure"
    AGE = "age"  # in years
    CLOCK = "clock"  # in minutes after midnight
    DATE = "date"  # month * 100 + day
    YEAR = "year"
    SCORE = "score"
    SPAN = "span"  # hours, minutes and seconds, in seconds


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its surroundings; `low` to `high` is what may be true of it.

    `start` and `end` are its place in the text, its unit included.
    """

    kind: Kind
    value: float
    low: float
    high: float
    start: int
    end: int
    sentence: int
    unit: str = ""
    factor: float = 1.0  # what one of its unit is worth
    step: float = 1.0  # what it is rounded to
    other: float = 0.0  # the second number of a score
    is_word: bool = False
    is_fraction: bool = False  # in words: half, a third, one in five
    about: frozenset[str] = frozenset()  # classes and stems of what it counts
    near: frozenset[str] = frozenset()  # classes and stems of the words beside it
    status: str = ""  # what happened to whom it counts
    lead: str = ""  # the word before it
    is_former: bool = False  # it was said or was so before
    is_each: bool = False  # it is said of each of several
    is_part: bool = False  # of what was counted before: two of them
    is_further: bool = False  # beside those counted before: two more
    is_joined: bool = False  # it stands in a list, with “and” beside it
    is_lower_bound: bool = False  # more than
    is_article: bool = False  # it may be no number at all: ein, a metre
    is_difference: bool = False  # ten more, up by ten
    is_label: bool = False  # it stands behind a name and may be part of it: Apollo 13
    is_whole: bool = False  # the number before is a part of it: two of three
    ratio: float = 0.0  # of “two of three”, in percent
