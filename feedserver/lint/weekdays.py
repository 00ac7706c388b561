"""Weekdays that do not go with the date beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from feedserver.lint.english import ENGLISH
from feedserver.lint.findings import Code, Finding
from feedserver.lint.german import GERMAN
from feedserver.lint.ukrainian import UKRAINIAN

DATES_MAX = 50  # of one text that are looked at

_DAYS = {
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "uk": "понеділок вівторок середа четвер п'ятниця субота неділя",
}
_FORMS = {
    **{word: day for days in _DAYS.values() for day, word in enumerate(days.split())},
    "sonnabend": 5,
    "середу": 2,
    "п'ятницю": 4,
    "суботу": 5,
    "неділю": 6,
}
_MONTHS = {**ENGLISH.months, **GERMAN.months, **UKRAINIAN.months}
_NAMES = {language: days.split() for language, days in _DAYS.items()}
_ACCUSATIVE = ["понеділок", "вівторок", "середу", "четвер", "п'ятницю", "суботу", "неділю"]

_DAY = "|".join(sorted(_FORMS, key=len, reverse=True)).replace("'", "['’ʼ]")
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"(?:,? +(?P<year{n}>(?:19|20)\d\d)\b)?"
_DATED = re.compile(
    rf"\b(?P<day>{_DAY})\b,? +(?:(?:the|dem|den|der) +)?"
    rf"(?:(?P<number1>\d{{1,2}})(?:st|nd|rd|th|\.)? +(?:of +)?(?P<month1>{_MONTH})\b"
    rf"{_YEAR.format(n=1)}"
    rf"|(?P<month2>{_MONTH}) +(?P<number2>\d{{1,2}})(?:st|nd|rd|th)?\b{_YEAR.format(n=2)})",
    re.IGNORECASE,
)


def weekdays(pointer: str, text: str, today: date) -> Iterator[Finding]:
    """Find weekdays beside dates that fall on another; without a year, on the nearest such date."""
    wrong: list[str] = []
    mended, end = [], 0
    for count, match in enumerate(_DATED.finditer(text)):
        if count == DATES_MAX:
            break
        named = _FORMS[re.sub("[’ʼ]", "'", match["day"].casefold())]
        meant = _date_of(match, today)
        if meant is None or meant.weekday() == named:
            continue
        right = _as_written(match["day"], meant.weekday())
        wrong.append(f"{match[0][len(match['day']) :].lstrip(', ')} is a {_english(meant)}")
        mended += [text[end : match.start("day")], right]
        end = match.end("day")
    if wrong:
        yield Finding(Code.WEEKDAY, pointer, "; ".join(wrong), "".join([*mended, text[end:]]))


def _date_of(match: re.Match[str], today: date) -> date | None:
    number = int(match["number1"] or match["number2"])
    month = _MONTHS[(match["month1"] or match["month2"]).casefold()]
    year = match["year1"] or match["year2"]
    if year:
        return _date(int(year), month, number)
    near = [_date(today.year + step, month, number) for step in (-1, 0, 1)]
    known = [one for one in near if one is not None]
    return min(known, key=lambda one: abs(one - today), default=None)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _as_written(word: str, day: int) -> str:
    """Return the right weekday in the language and the case of the wrong one."""
    folded = re.sub("[’ʼ]", "'", word.casefold())
    for names in (*_NAMES.values(), _ACCUSATIVE):
        if folded in names:
            right = names[day]
            break
    else:
        right = _NAMES["de"][day]
    if folded in _ACCUSATIVE:
        right = _ACCUSATIVE[day]
    return right.capitalize() if word[0].isupper() else right


def _english(day: date) -> str:
    return _NAMES["en"][day.weekday()].capitalize()
