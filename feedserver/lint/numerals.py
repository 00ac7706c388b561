"""Numbers as they are written: digits with their groups, words, scales, ordinals and fractions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from feedserver.lint.language import MONEY, Language
from feedserver.lint.tokens import Token

WORDS_MAX = 8  # of one numeral


@dataclass(frozen=True, slots=True)
class Numeral:
    """`next` is the token behind it; `step` what its last digit that is not 0 stands for."""

    value: float
    next: int
    is_word: bool
    step: float = 1.0
    ordinal: bool = False
    fraction: bool = False
    age: bool = False  # in the word itself: vierjährig, п'ятирічний
    scale: float = 1.0
    plain: bool = False  # digits alone: 2025, not 2,025 nor 2 thousand


def numeral_at(found: Sequence[Token], i: int, language: Language) -> Numeral | None:
    """Read the numeral that begins at a token; None if none does."""
    token = found[i]
    if token.kind == "number":
        return _digits(found, i, language)
    if token.kind == "word":
        return _words(found, i, language)
    return None


def _digits(found: Sequence[Token], i: int, language: Language) -> Numeral:
    text = found[i].text
    whole, _, rest = text.partition(language.decimal)
    plain = whole.isdigit()
    whole = re.sub(r"\D", "", whole)
    value = float(f"{whole}.{rest}" if rest else whole or "0")
    step = _step(whole, rest)
    end = i + 1
    for j in range(end, min(end + 4, len(found))):
        if (
            found[j].text == "-"
            and found[j].glued
            and end == j
            and _text(found, j + 1) in language.scales
        ):
            continue
        scale = language.scales.get(found[j].text)
        if scale is None or (len(found[j].text) == 1 and not found[j].glued):
            break
        if found[j].text == "m" and _text(found, i - 1) not in MONEY:
            follows = found[j + 1] if j + 1 < len(found) else None
            if follows is None or follows.kind != "word" or follows.text in language.stops:
                break
        value, step, end, plain = value * scale, step * scale, j + 1, False
        if _text(found, end) == "." and found[j].text in {"mio", "mrd", "tsd", "тис", "млн"}:
            end += 1
    if end == i + 1:
        if _text(found, end) == "½":
            return Numeral(value + 0.5, end + 1, is_word=False, step=0.5)
        if _text(found, end) == "in" and found[i].text == "1":
            return _one_in(found, i, language) or Numeral(value, end, False, step, plain=plain)
        behind = "".join(t.text for t in found[end : end + 2])
        glued = end < len(found) and found[end].glued
        if glued and _text(found, end) in {"st", "nd", "rd", "th"} and language.decimal == ".":
            return Numeral(value, end + 1, is_word=False, ordinal=True)
        if glued and _text(found, end) == "-" and language.ordinal_end.match(behind):
            return Numeral(value, end + 2, is_word=False, ordinal=True)
        if glued and _text(found, end) == "." and end + 1 < len(found):
            follows = found[end + 1]
            if language.ordinal_end.pattern.startswith(r"\.") and follows.kind == "word":
                if not follows.glued and value < 200 and follows.text in language.months:
                    return Numeral(value, end + 1, is_word=False, ordinal=True)
                if not follows.glued and value < 200 and follows.text not in language.stops:
                    return Numeral(value, end + 1, is_word=False, ordinal=True)
    scale = language.scales.get(found[end - 1].text, 1.0) if end > i + 1 else 1.0
    return Numeral(value, end, is_word=False, step=step, plain=plain, scale=scale)


def _words(found: Sequence[Token], i: int, language: Language) -> Numeral | None:
    word = found[i].text
    if (share := _share(found, i, language)) is not None:
        return share
    if (age := language.aged(word)) is not None:
        return Numeral(age, i + 1, is_word=True, age=True)
    total, current, j, seen = 0.0, 0.0, i, False
    previous = 0.0
    while j < min(i + WORDS_MAX, len(found)):
        token = found[j]
        if token.kind != "word":
            if seen and token.text == "-" and token.glued and _is_number(found, j + 1, language):
                j += 1
                continue
            break
        text = token.text
        scale = language.scales.get(text) if len(text) > 2 else None
        if scale is not None and (seen or text not in {"m", "k", "b"}):
            if not seen and language.decimal == "." and _text(found, i - 1) not in {"a", "the"}:
                return None
            base = current or 1.0
            if scale == 100:
                current = base * 100
            else:
                total, current = total + base * scale, 0.0
            previous = scale
            seen = True
            j += 1
            continue
        value = language.cardinal(text)
        if value is None:
            ordinal = language.ordinal(text)
            if ordinal is not None and (
                not seen or (current % 10 == 0 and ordinal < 10 <= current)
            ):
                return Numeral(total + current + ordinal, j + 1, is_word=True, ordinal=True)
            if (
                seen
                and text in {"and", "und"}
                and previous >= 100
                and _is_number(found, j + 1, language)
            ):
                j += 1
                continue
            break
        if (
            seen
            and not previous >= 100
            and not (previous >= 20 and value < 10 and previous % 10 == 0)
        ):
            break
        current += value
        previous = value if value else 1
        seen = True
        j += 1
    if not seen:
        return None
    value = total + current
    if _text(found, j) == "and" and _text(found, j + 1) == "a" and _text(found, j + 2) == "half":
        value, j = value + 0.5, j + 3
    if _text(found, j) in {"з", "із"} and _text(found, j + 1) == "половиною":
        value, j = value + 0.5, j + 2
    return Numeral(value, j, is_word=True, step=_step_of(value))


def _share(found: Sequence[Token], i: int, language: Language) -> Numeral | None:
    """Read half, two thirds, one in five, every fifth."""
    word = found[i].text
    one = language.fractions.get(word)
    if one is not None:
        behind = _text(found, i + 1)
        if word in {"half", "halbe", "halben"} and (unit := _half_unit(found, i + 1, language)):
            return unit
        if word == "half" and behind not in {"of", "the", "a", "an", "all", "its", "their"}:
            return None
        if word in {"half", "halbe", "пів"} and (
            behind in {"a", "an"} or behind in language.scales
        ):
            at = i + 1 + (behind in {"a", "an"})
            scale = language.scales.get(_text(found, at))
            return Numeral(0.5 * scale, at + 1, is_word=True) if scale else None
        if word in {"third", "thirds", "fifth", "quarter", "tenth", "quarters"}:
            before = _text(found, i - 1)
            if before not in {"a", "-", "than", "over", "by"} and behind not in {"of"}:
                return None
            if before == "the":
                return None
        return Numeral(one, i + 1, is_word=True, fraction=True)
    value = language.cardinal(word)
    if value is not None and 1 <= value <= 9:
        at = i + 1 + (_text(found, i + 1) == "-")
        part = language.fractions.get(_text(found, at))
        if part is not None and value * part < 100 and value != int(value) + 0.5:
            return Numeral(value * part, at + 1, is_word=True, fraction=True)
        if value == 1 and "in" in {_text(found, i + 1), _text(found, i + 2)}:
            return _one_in(found, i, language) if language.decimal == "." else None
    if word in {"jeder", "jede", "jedes", "кожен", "кожна", "кожне", "кожний", "every"}:
        ordinal = language.ordinal(_text(found, i + 1))
        if ordinal and ordinal > 2:
            return Numeral(100 / ordinal, i + 2, is_word=True, fraction=True)
    return None


def _half_unit(found: Sequence[Token], i: int, language: Language) -> Numeral | None:
    at = i + (_text(found, i) in {"a", "an"})
    word = _text(found, at)
    is_unit = any(
        word.startswith(unit) and len(word) <= len(unit) + 2
        for unit in language.units
        if len(unit) > 3
    )
    return Numeral(0.5, at, is_word=True, step=0.5) if is_unit else None


def _one_in(found: Sequence[Token], i: int, language: Language) -> Numeral | None:
    at = i + 1 + (_text(found, i + 1) != "in")
    if at + 1 >= len(found) or _text(found, at) != "in":
        return None
    of, i = found[at + 1], at - 1
    value = (
        float(of.text) if of.text.isascii() and of.text.isdigit() else language.cardinal(of.text)
    )
    if value is None or not 1 < value <= 1000:
        return None
    return Numeral(100 / value, i + 3, is_word=True, fraction=True)


def _is_number(found: Sequence[Token], i: int, language: Language) -> bool:
    if i >= len(found) or found[i].kind != "word":
        return False
    word = found[i].text
    return (
        language.cardinal(word) is not None
        or language.ordinal(word) is not None
        or word in language.scales
    )


def _text(found: Sequence[Token], i: int) -> str:
    return found[i].text if 0 <= i < len(found) else ""


def _step(whole: str, rest: str) -> float:
    if rest:
        return float(10 ** -min(len(rest), 9))
    zeros = len(whole) - len(whole.rstrip("0"))
    return float(10 ** min(zeros, 15)) if whole.strip("0") else 1.0


def _step_of(value: float) -> float:
    return _step(str(int(value)), "") if value == int(value) and value < 1e15 else 0.5
