"""What stands around a number in a text, and what it says of the number."""

from __future__ import annotations

from collections.abc import Sequence

from feedserver.lint.language import MONEY, PERSON, Language, words
from feedserver.lint.numerals import numeral_at
from feedserver.lint.quantity import STATUSES
from feedserver.lint.tokens import Token

STATUS_NEAR = 13  # tokens away from a number that may tell what happened to those it counts
FORMER_NEAR = 12  # tokens before a number that may say that it is out of date
WORD_MAX = 60  # letters of a word that is looked at

ANDS = frozenset({"and", "und", "та", "і", "й", "sowie", "plus", "with", "mit"})
_ARTICLES = frozenset({"a", "ein", "eine", "einem", "einer", "die", "der", "the", "das"})
_OF_THEM = frozenset(
    {("of", "them"), ("of", "whom"), ("of", "these"), ("із", "них"), ("з", "них"), ("von", "ihnen")}
)
_PARTS_BEFORE = frozenset({"including", "among", "davon", "darunter", "серед", "зокрема", "них"})
_PARTS_BEHIND = frozenset({"davon", "darunter"})
_DIFFERENCE_BEHIND = words(
    "more less higher lower dearer cheaper longer earlier later mehr weniger teurer billiger höher "
    "niedriger später früher більше менше дорожче дешевше вище нижче"
)
_DIFFERENCE_BEFORE = words("by um на up down мінус плюс minus plus +")
_FURTHER = words(
    "another more further other others additional weitere weiteren weiterer andere anderen ще "
    "інші інших решта"
)
_EACH = frozenset({"each", "по", "je", "jeweils", "per", "pro", "apiece", "кожен", "кожному"})
_CLOSING = frozenset({",", ".", ":", ";", "–", "—", "“", "»", ")"})

Unit = tuple[str, float]


class Surroundings:
    """The tokens of a text, asked about one place at a time: each question looks at a few."""

    def __init__(self, text: str, tokens: Sequence[Token], language: Language) -> None:
        self.text = text
        self.tokens = tokens
        self.language = language
        self._classes: dict[str, frozenset[str]] = {}
        self._units: dict[str, Unit | None] = {}

    def at(self, i: int) -> str:
        """Return the word at a place; empty outside the text."""
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def clause(self, i: int) -> int:
        """Return the number of the clause that a place is in."""
        return self.tokens[i].clause if 0 <= i < len(self.tokens) else -1

    def classes(self, word: str) -> frozenset[str]:
        """Return the classes of a word."""
        found = self._classes.get(word)
        if found is None:
            names = self.language.classes.items()
            found = frozenset(name for name, starts in names if word.startswith(starts))
            if word.endswith(self.language.person_ends):
                found |= {PERSON}
            self._classes[word] = found
        return found

    def is_person(self, word: str) -> bool:
        """Say whether a word names people."""
        return PERSON in self.classes(word)

    def unit_of(self, word: str) -> Unit | None:
        """Return the unit that a word is, and how many of it."""
        if word not in self._units:
            self._units[word] = _unit_of(word, self.language)
        return self._units[word]

    def unit_behind(self, end: int) -> tuple[Unit | None, int]:
        """Return the unit behind a number, at most one word away, and its last token."""
        for at in (end, end + 1):
            word = self.at(at)
            if word == "-":
                continue
            if not word or self.clause(at) != self.clause(end - 1):
                break
            if self.tokens[at].kind != "word":
                break
            if (unit := self.unit_of(word)) is not None:
                return self._per_hour(unit, at)
            if at == end and word in self.language.stops:
                break
        return None, end

    def _per_hour(self, unit: Unit, at: int) -> tuple[Unit, int]:
        if unit[0] not in {"metre", "mile"}:
            return unit, at
        name = "kmh" if unit[0] == "metre" else "mph"
        if self.at(at) == "km" and self.at(at + 1) == "/":
            return (name, 1), at + 2
        if self.at(at + 1) in {"an", "per", "pro", "на", "за"} and (
            self.at(at + 2) in {"hour", "stunde", "годину"}
        ):
            return (name, 1), at + 2
        return unit, at

    def bound(self, i: int) -> str:
        """Say whether a number is a lower bound (more), an upper one (less) or rough (about)."""
        at = i - 2 if self.at(i - 1) in MONEY else i - 1
        if self.at(at) in _ARTICLES:
            at -= 1
        if self.at(at) in self.language.than:
            at -= 1
        word, language = self.at(at), self.language
        if word in language.more:
            return "more"
        if word in language.less:
            return "less"
        return "about" if word in language.about else ""

    def counted(self, end: int) -> frozenset[str]:
        """Return what is counted: classes and stems of the words behind the number."""
        found: set[str] = set()
        taken = False
        for j in range(end, min(end + 4, len(self.tokens))):
            token = self.tokens[j]
            if token.text == "-" and token.glued:
                continue
            if token.kind != "word":
                break
            if token.text in self.language.stops:
                if taken or token.text not in self.language.before_noun:
                    break
                found |= self.classes(token.text)
                continue
            found |= self.keys(token.text)
            taken = True
        return frozenset(found)

    def keys(self, word: str) -> frozenset[str]:
        """Return classes and stem of a word."""
        if word in self.language.stops or len(word) < 3:
            return self.classes(word)
        return self.classes(word) | {"=" + word[: self.language.stem]}

    def near(self, i: int, end: int) -> frozenset[str]:
        """Return classes and stems of the words beside a number."""
        found: set[str] = set()
        for j in (*range(max(0, i - 3), i), *range(end, min(end + 6, len(self.tokens)))):
            token = self.tokens[j]
            if token.kind == "word" and token.sentence == self.tokens[i].sentence:
                found |= self.keys(token.text)
        return frozenset(found)

    def status(self, i: int, end: int, about: frozenset[str]) -> str:
        """Return what happened to those counted: by their own words, else by the nearest."""
        if own := about & STATUSES:
            return min(own)
        for distance in range(1, STATUS_NEAR):
            for j in (end - 1 + distance, i - distance):
                if self.clause(j) == self.clause(i) and (
                    found := self.classes(self.at(j)) & STATUSES
                ):
                    return min(found)
        return ""

    def is_part(self, i: int, end: int) -> bool:
        """Say whether a number counts some of those counted before: two of them."""
        if (self.at(end), self.at(end + 1)) in _OF_THEM or self.at(end) in _PARTS_BEHIND:
            return True
        return any(
            self.at(j) in _PARTS_BEFORE
            for j in range(i - 3, i)
            if self.clause(j) == self.clause(i) or j == i - 1
        )

    def is_joined(self, i: int, end: int) -> bool:
        """Say whether a number stands in a list, beside what has no number."""
        if self.at(i - 1) in ANDS:
            return True
        for j in range(end, min(end + 5, len(self.tokens) - 1)):
            token = self.tokens[j]
            if token.kind != "word" or token.sentence != self.tokens[i].sentence:
                return False
            if token.text in ANDS:
                return numeral_at(self.tokens, j + 1, self.language) is None
        return False

    def is_former(self, i: int) -> bool:
        """Say whether a number is what was said or was so before."""
        return any(
            self.at(j) in self.language.former and self.clause(j) == self.clause(i)
            for j in range(i - FORMER_NEAR, i)
        )

    def is_each(self, i: int, end: int) -> bool:
        """Say whether a number is said of each of several."""
        return any(self.at(j) in _EACH for j in (i - 2, i - 1, *range(end, end + 6)))

    def is_further(self, i: int, end: int) -> bool:
        """Say whether a number counts others beside those counted before."""
        return any(self.at(j) in _FURTHER for j in (i - 1, end, end + 1))

    def is_difference(self, i: int, end: int) -> bool:
        """Say whether a number tells by how much something differs."""
        if self.at(i - 1) in _DIFFERENCE_BEFORE:
            return True
        return self.at(end) in _DIFFERENCE_BEHIND or self.at(end + 1) in _DIFFERENCE_BEHIND

    def is_label(self, i: int, end: int) -> bool:
        """Say whether a number stands behind a name, with nothing that it counts: Apollo 13."""
        token = self.tokens[i]
        if not i or end != i + 1 or len(token.text) > 3 or not token.text.isdigit():
            return False
        name = self.tokens[i - 1]
        if name.kind != "word" or name.clause != token.clause or len(name.text) < 3:
            return False
        language = self.language
        if not self.text[name.start].isupper() or name.text in language.stops:
            return False
        if name.text in language.numbered or name.text in language.months:
            return False
        follows = self.at(end)
        if self.is_person(name.text) or follows in language.before_noun:
            return False
        return not follows or follows in _CLOSING or follows in language.stops

    def is_one(self, i: int) -> bool:
        """Say whether a word makes a person one: a driver, their guide."""
        word = self.at(i)
        if word in self.language.singles:
            return True
        if word not in self.language.ones:
            return False
        for j in range(i + 1, i + 5):
            if self.clause(j) != self.clause(i):
                return False
            if self.is_person(self.at(j)):
                return True
            if self.at(j) in self.language.stops or self.at(j) in self.language.ones:
                return False
        return False


def _unit_of(word: str, language: Language) -> Unit | None:
    units = language.units
    if (unit := units.get(word)) is not None:
        return unit
    if len(word) > WORD_MAX:
        return None
    for size in range(len(word) - 1, max(3, len(word) - 7), -1):
        if (unit := units.get(word[:size])) is not None:
            return unit
    return None
