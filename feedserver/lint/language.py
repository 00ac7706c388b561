"""What the check of numbers knows of a language: its numerals, units and words, as plain tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

TIME = {"hour": 1.0, "day": 24.0, "night": 24.0, "month": 730.0, "year": 8760.0}
MONEY = {"$": "dollar", "£": "pound", "€": "euro", "₴": "hryvnia", "¥": "yen"}
PERSON = "people"


@dataclass(frozen=True, slots=True)
class Language:
    """Words are in lower case, with straight apostrophes; a stem stands for what begins with it."""

    decimal: str
    groups: str  # what may stand between groups of three digits, as a regex class's inside
    cardinal: Callable[[str], float | None]
    ordinal: Callable[[str], float | None]
    aged: Callable[[str], float | None]  # the age in one word
    ordinal_end: re.Pattern[str]  # behind digits: "th", "-й", "."
    scales: Mapping[str, float]
    fractions: Mapping[str, float]  # in percent
    units: Mapping[str, tuple[str, float]]  # a stem: its unit, and how many of it
    months: Mapping[str, int]
    hours: Mapping[str, int]  # a word behind digits that makes them a time: hours to add
    hour_before: frozenset[str]  # a word before digits that makes them a time
    age: re.Pattern[str]  # a word behind a number that makes it an age
    age_before: frozenset[str]
    more: frozenset[str]
    than: frozenset[str]
    less: frozenset[str]
    about: frozenset[str]
    former: frozenset[str]  # words that mark what was said or was so before
    classes: Mapping[str, tuple[str, ...]]  # a class: stems of its words
    person_ends: tuple[str, ...]
    ones: frozenset[str]  # articles and possessives that make a person one
    halves: frozenset[str]  # words beside a score that is not the last
    before_noun: frozenset[str]  # what may stand between a number and its noun
    turns: frozenset[str]  # a word before a number that makes it an age: turns 80
    years: frozenset[str]
    singles: frozenset[str]  # words for a person that are one by themselves
    numbered: frozenset[str]  # words that a number behind them counts off: stage 14
    stops: frozenset[str]
    stem: int  # letters of a word that tell it
    money_words: frozenset[str] = field(default=frozenset())


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


def stems(text: str) -> tuple[str, ...]:
    """Return the stems in a text."""
    return tuple(text.split())
