"""Reads the quantities of a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from feedserver.lint.ages import is_age
from feedserver.lint.language import MONEY, PERSON, Language, words
from feedserver.lint.names import is_name
from feedserver.lint.numerals import Numeral, numeral_at
from feedserver.lint.quantity import Kind, Quantity
from feedserver.lint.surroundings import ANDS, Surroundings, Unit
from feedserver.lint.tokens import tokens

QUANTITIES_MAX = 300  # of one text that are looked at

_CURRENCIES = frozenset({"dollar", "pound", "euro", "franc", "yen", "hryvnia", "crown", "zloty"})
_PAIRS = words("couple ehepaar ehepaars подружжя zwillinge twins drillinge")
_LISTED = ANDS | frozenset({"or", "oder", "bis", "to", "до", "-", "–", "of", "von", "із", "з"})
_OF = frozenset({"of", "out of", "in", "von", "von den", "aus", "із", "з", "of the", "of its"})
_QUAKES = frozenset({"quake", "earthquake", "землетрус", "beben", "erdbeben"})
_MAGNITUDES = frozenset({"magnitude", "магнітудою", "stärke", "силою"})
_COUNTED = frozenset({PERSON, "homes", "jobs", "flights", "cars"})
_TIMED = frozenset({"on", "to", "in", "local", ".", ","})  # behind an hour: at ten on Monday
_NOON = 12 * 60  # minutes


def quantities(text: str, language: Language) -> list[Quantity]:
    """Return the quantities of a text in order; the first so many."""
    around = Surroundings(text, tokens(text, language), language)
    found: list[Quantity] = []
    for quantity in _Reader(around).read():
        found.append(quantity)
        if len(found) >= QUANTITIES_MAX:
            break
    return _with_ratios(found, around)


class _Reader:
    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.language = around.language
        self.at = around.at

    def read(self) -> Iterator[Quantity]:
        around = self.around
        i = 0
        while i < len(around.tokens):
            if around.tokens[i].kind in {"clock", "score", "span"}:
                yield self._pair(i)
                i += 1
                continue
            numeral = numeral_at(around.tokens, i, self.language)
            if numeral is None:
                yield from self._without_numeral(i)
                i += 1
            elif is_name(around, i, numeral):
                i = numeral.next
            elif (together := self._hours(i)) is not None:
                quantity, i = together
                yield quantity
            else:
                yield self._quantity(i, numeral)
                i = numeral.next

    def _without_numeral(self, i: int) -> Iterator[Quantity]:
        unit = self.around.unit_of(self.at(i + 1)) if self.at(i) in {"a", "an"} else None
        if unit is not None and unit[0] not in _CURRENCIES and unit[0] != "%":
            yield replace(self._measure(i, i + 2, unit[1], unit), is_article=True)
        if self.around.is_one(i):
            yield self._make(i, i + 1, Kind.ONE, 1, is_word=True)

    def _hours(self, i: int) -> tuple[Quantity, int] | None:
        """Read 2 hours, 4 minutes and 45 seconds as one."""
        total, parts, j, end = 0.0, 0, i, i
        while parts < 3 and j < len(self.around.tokens):
            numeral = numeral_at(self.around.tokens, j, self.language)
            if numeral is None or numeral.ordinal or numeral.fraction:
                break
            unit = self.around.unit_of(self.at(numeral.next))
            if unit is None or unit[0] != "hour":
                break
            total, parts, end = total + numeral.value * unit[1], parts + 1, numeral.next + 1
            j = end
            while self.at(j) == "," or self.at(j) in ANDS:
                j += 1
        return (self._make(i, end, Kind.SPAN, total * 3600), end) if parts > 1 else None

    def _pair(self, i: int) -> Quantity:
        token = self.around.tokens[i]
        parts = [float(p) for p in token.text.replace("-", ":").replace(".", ":").split(":")]
        if token.kind == "span":
            return self._make(i, i + 1, Kind.SPAN, parts[0] * 3600 + parts[1] * 60 + parts[2])
        if token.kind == "clock":
            after_noon = self.at(i + 1) in {"pm", "p"} and parts[0] < 12
            return self._make(i, i + 1, Kind.CLOCK, parts[0] * 60 + parts[1] + _NOON * after_noon)
        made = self._make(i, i + 1, Kind.SCORE, parts[0])
        is_interval = any(
            self.at(j) in self.language.halves and self.around.clause(j) == token.clause
            for j in range(i - 14, i + 8)
        )
        return replace(made, other=parts[1], is_former=made.is_former or is_interval)

    def _quantity(self, i: int, numeral: Numeral) -> Quantity:
        return (
            (self._ordinal(i, numeral) if numeral.ordinal else None)
            or self._date(i, numeral)
            or self._clock(i, numeral)
            or self._numbered(i, numeral)
            or self._signed(i, numeral)
            or self._listed(i, numeral)
            or self._with_unit(i, numeral)
            or self._bare(i, numeral)
        )

    def _ordinal(self, i: int, numeral: Numeral) -> Quantity:
        value, end = numeral.value, numeral.next
        after = self.at(end)
        if not numeral.is_word and value <= 31 and (month := self.language.months.get(after)):
            return self._make(i, end + 1, Kind.DATE, month * 100 + value)
        if 1900 <= value <= 2100:
            return self._make(i, end, Kind.YEAR, value)
        if after.startswith(("birthday", "geburtstag")):
            return self._make(i, end, Kind.AGE, value, unit="year")
        unit = self.around.unit_of(after)
        return self._make(
            i,
            end,
            Kind.ORDINAL,
            value,
            is_word=numeral.is_word,
            unit=f"{unit[1]:g} {unit[0]}" if unit else "",
        )

    def _date(self, i: int, numeral: Numeral) -> Quantity | None:
        value, end = numeral.value, numeral.next
        if numeral.is_word or not 1 <= value <= 31 or value != int(value):
            return None
        if month := self.language.months.get(self.at(end)):
            return self._make(i, end + 1, Kind.DATE, month * 100 + value)
        if self.language.decimal == "." and (month := self.language.months.get(self.at(i - 1))):
            return self._make(i - 1, end, Kind.DATE, month * 100 + value)
        return None

    def _clock(self, i: int, numeral: Numeral) -> Quantity | None:
        value, end = numeral.value, numeral.next
        if value != int(value) or not 0 <= value <= 24:
            return None
        after, after2, after3 = self.at(end), self.at(end + 1), self.at(end + 2)
        later, language = None, self.language
        if after in language.hours:
            later, end = language.hours[after] > 0, end + 1
        elif after in {"a", "p"} and (after2, after3) == (".", "m"):
            later = after == "p"
        elif (after, after2) == ("in", "the") and after3 in {"morning", "afternoon", "evening"}:
            later = after3 != "morning"
        elif (
            self.at(i - 1) in language.hour_before
            and self.around.unit_of(after) is None
            and (after in _TIMED or (language.decimal == "," and not numeral.is_word))
        ):
            later = False
        if later is None:
            return None
        return self._make(i, end, Kind.CLOCK, value * 60 + _NOON * (later and value < 12))

    def _numbered(self, i: int, numeral: Numeral) -> Quantity | None:
        """Read a number that counts off what stands before it: game 11."""
        before, after = self.at(i - 1), self.at(numeral.next)
        if before not in self.language.numbered or numeral.value >= 200:
            return None
        if numeral.is_word and before not in {"platz", "rang"}:
            return None
        if after in MONEY or after == "%" or self.around.unit_of(after) is not None:
            return None
        made = self._make(i, numeral.next, Kind.ORDINAL, numeral.value)
        return replace(made, about=made.about | self.around.keys(before))

    def _signed(self, i: int, numeral: Numeral) -> Quantity | None:
        """Read a number whose unit is a sign, or in the word itself."""
        value, end = numeral.value, numeral.next
        before, after = self.at(i - 1), self.at(end)
        step = numeral.step
        if before in MONEY:
            return self._make(i - 1, end, Kind.MONEY, value, unit=MONEY[before], step=step)
        if after in MONEY:
            return self._make(i, end + 1, Kind.MONEY, value, unit=MONEY[after], step=step)
        if after == "%":
            return self._make(i, end + 1, Kind.SHARE, value, step=step)
        if after == "°":
            return self._make(i, end + 1, Kind.MEASURE, value, unit="degree", step=step)
        if numeral.fraction:
            return self._make(i, end, Kind.SHARE, value, step=step, is_fraction=True)
        if numeral.age:
            return self._make(i, end, Kind.AGE, value, unit="year")
        return None

    def _listed(self, i: int, numeral: Numeral) -> Quantity | None:
        """Read a number whose unit stands behind the next one: 54 and 72 years, 2 to 4 percent."""
        end, value, found = numeral.next, numeral.value, self.around.tokens
        if self.at(end) not in _LISTED or end + 1 >= len(found):
            return None
        following = numeral_at(found, end + 1, self.language)
        if following is None or following.ordinal or following.fraction:
            return None
        behind = self.at(following.next)
        if behind in self.language.hours and value <= 24:
            return self._make(i, end, Kind.CLOCK, value * 60)
        unit, at = self.around.unit_behind(following.next)
        if behind == "%" or (unit is not None and unit[0] == "%" and at == following.next):
            return self._make(i, end, Kind.SHARE, value, step=numeral.step)
        if unit is None or at != following.next:
            return None
        if unit[0] == "year" and self.at(end) in ANDS:
            return self._make(i, end, Kind.AGE, value, unit="year")
        scale = following.scale if value < 1000 else 1.0
        return self._measure(i, end, value * unit[1] * scale, unit)

    def _with_unit(self, i: int, numeral: Numeral) -> Quantity | None:
        unit, at = self.around.unit_behind(numeral.next)
        if is_age(self.around, i, numeral.next):
            return self._make(i, numeral.next, Kind.AGE, numeral.value, unit="year")
        if unit is None:
            return None
        if unit[0] == "%":
            return self._make(i, at + 1, Kind.SHARE, numeral.value, step=numeral.step)
        return self._measure(i, at + 1, numeral.value * unit[1], unit, step=numeral.step)

    def _bare(self, i: int, numeral: Numeral) -> Quantity:
        value, end, step = numeral.value, numeral.next, numeral.step
        before = self.at(i - 1)
        if (value < 10 and step < 1 and before in _QUAKES) or before in _MAGNITUDES:
            return self._make(i, end, Kind.MEASURE, value, unit="magnitude", step=step)
        if numeral.plain and 1900 <= value <= 2100 and self._is_year(value, end):
            return self._make(i, end, Kind.YEAR, value)
        if numeral.is_word and self.at(i) in _PAIRS:
            return self._make(i, end, Kind.ONE, value, is_word=True)
        made = self._make(i, end, Kind.COUNT, value, step=step, is_word=numeral.is_word)
        if numeral.is_word and self.at(end - 1).startswith(("dozen", "dutzend")):
            made = replace(made, low=value - 2, high=max(made.high, value + 2))
        return made

    def _is_year(self, value: float, end: int) -> bool:
        after = self.at(end)
        if self.around.classes(after) & _COUNTED:
            return False
        return value != 2000 or after in self.language.stops or not after.isalpha()

    def _measure(self, i: int, end: int, value: float, unit: Unit, step: float = 1.0) -> Quantity:
        name, factor = unit
        kind = Kind.MONEY if name in _CURRENCIES else Kind.MEASURE
        return self._make(i, end, kind, value, unit=name, factor=factor, step=step * factor)

    def _make(self, i: int, end: int, kind: Kind, value: float, **more: Any) -> Quantity:
        around = self.around
        bound = around.bound(i)
        low = high = value
        if bound == "more" or self.at(end) == "+":
            high = value + more.get("step", 1.0) * 0.99
        elif bound == "less":
            low = value * 0.8
        elif bound == "about":
            low, high = value * 0.88, value * 1.12
        if kind not in {Kind.COUNT, Kind.MONEY, Kind.SHARE, Kind.MEASURE, Kind.AGE}:
            low = high = value
        is_counted = kind in {Kind.COUNT, Kind.ORDINAL}
        about = around.counted(end) if is_counted else frozenset[str]()
        is_german = self.language.decimal == ","
        return Quantity(
            kind,
            value,
            low,
            high,
            around.tokens[i].start,
            around.tokens[min(end, len(around.tokens)) - 1].end,
            around.tokens[i].sentence,
            about=about,
            near=around.near(i, end),
            status=around.status(i, end, about),
            lead=self.at(i - 1),
            is_former=around.is_former(i),
            is_each=around.is_each(i, end),
            is_part=around.is_part(i, end),
            is_further=around.is_further(i, end),
            is_joined=around.is_joined(i, end),
            is_lower_bound=bound == "more",
            is_article=is_german and bool(more.get("is_word")) and self.at(i).startswith("ein"),
            is_difference=around.is_difference(i, end),
            is_label=kind is Kind.COUNT and around.is_label(i, end),
            **more,
        )


def _with_ratios(found: list[Quantity], around: Surroundings) -> list[Quantity]:
    """Mark pairs such as “two of three” with their share."""
    for n in range(len(found) - 1):
        one, two = found[n], found[n + 1]
        if one.kind is two.kind is Kind.COUNT and 0 < one.value < two.value:
            between = around.text[one.end : min(two.start, one.end + 12)].strip().casefold()
            if between in _OF:
                ratio = 100 * one.value / two.value
                found[n] = replace(one, ratio=ratio)
                found[n + 1] = replace(two, ratio=ratio, is_whole=True)
    return found
