"""A text as tokens: words, numbers, times, scores and signs, each with its clause and sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from feedserver.lint.language import Language

LONGEST = {"number": 20, "word": 60}  # characters that a number or word of the news may have

_APOSTROPHES = str.maketrans("’ʼ‘`", "''''")
_END = re.compile(r"[.!?…:;\n]")
_ABBREVIATED = re.compile(
    r"(?<!\w)(?:тис|млн|млрд|грн|св|вул|ім|mio|mrd|tsd|ca|nr|no|dr|mr|st|bzw|p|a|m)\Z"
)
_BREAK = re.compile(r"[,.!?…:;()\n—–]")


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is word, number, clock, score, span or sign; `text` is folded."""

    kind: str
    text: str
    start: int
    end: int
    glued: bool  # no blank before it
    sentence: int
    clause: int


def tokens(text: str, language: Language) -> list[Token]:
    """Read a text, in time proportional to its length."""
    folded = text.translate(_APOSTROPHES).casefold()
    if len(folded) != len(text):  # a letter that casefold makes two: offsets must hold
        folded = text.translate(_APOSTROPHES).lower()[: len(text)]
    found: list[Token] = []
    sentence = clause = 0
    end = -1
    for match in _pattern(language.decimal, language.groups).finditer(folded):
        kind = match.lastgroup or "sign"
        word = match.group()
        if kind in {"number", "word"} and len(word) > LONGEST[kind]:
            kind = "sign"
        found.append(
            Token(kind, word, match.start(), match.end(), match.start() == end, sentence, clause)
        )
        end = match.end()
        if kind == "sign":
            if word == "." and _is_ordinal_dot(folded, match.start(), language):
                continue
            if _END.match(word):
                sentence += 1
            if _BREAK.match(word):
                clause += 1
    return found


def _is_ordinal_dot(text: str, at: int, language: Language) -> bool:
    if text[at] != ".":
        return False
    if _ABBREVIATED.search(text, max(0, at - 6), at):
        return True
    return language.decimal == "," and text[at - 1 : at].isdigit() and text[at + 1 : at + 2] == " "


@cache
def _pattern(decimal: str, groups: str) -> re.Pattern[str]:
    number = rf"\d{{1,3}}(?:[{groups}]\d{{3}}(?!\d))+(?:\{decimal}\d+)?|\d+(?:\{decimal}\d+)?"
    return re.compile(
        r"(?P<span>\d{1,2}:\d\d:\d\d)"
        r"|(?P<clock>(?<![\d.,])\d{1,2}[:.]\d\d(?=\s*(?:uhr|am\b|pm\b|a\.m|p\.m))"
        r"|(?<![\d:.,])(?:[01]?\d|2[0-4]):[0-5]\d(?!:?\d))"
        r"|(?P<score>(?<![\d:.,–-])\d{1,3}\s?:\s?\d{1,3}(?!:?\d)"
        r"|(?<![\d:.,–-])\d{1,3}-\d{1,3}(?![\d:-]|[.,]\d))"
        rf"|(?P<number>{number})"
        r"|(?P<word>(?:[^\W\d_]|(?<=[^\W\d_])'(?=[^\W\d_]))+)"
        r"|(?P<sign>[^\w\s]|\n)"
    )
