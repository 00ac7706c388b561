"""Whether a number is part of a name."""

from __future__ import annotations

from feedserver.lint.ages import is_age
from feedserver.lint.numerals import Numeral, numeral_at
from feedserver.lint.surroundings import Surroundings

_NUMBER = frozenset({"nummer", "nr", "number", "no", "№", "номер", "tsv", "bundesliga"})
_LASTING = (  # what makes a number with a hyphen a measure: 3-tägig, 14-денний
    *("tägig", "stündig", "wöchig", "monatig", "minütig", "jähr", "prozentig"),
    *("денн", "годинн", "тижн"),
)


def is_name(around: Surroundings, i: int, numeral: Numeral) -> bool:
    """Say whether a number is part of a name: B31, Su-30, number 4, a five-storey house."""
    found, end = around.tokens, numeral.next
    token, before = found[i], around.at(i - 1)
    is_joined = before == "-" and token.glued and found[i - 1].glued
    if (
        is_joined
        and i > 1
        and found[i - 2].kind == "word"
        and (not numeral.is_word or numeral.value > 9)
    ):
        return True
    if _is_hyphened(around, end) and not numeral.ordinal:
        return not _is_measured(around, i, end)
    if numeral.is_word:
        return False
    if token.glued and i and found[i - 1].kind == "word":
        return True
    if before in _NUMBER or (before == "." and around.at(i - 2) in {"nr", "no"}):
        return True
    # A road, as German headlines write it: A 3.
    return around.language.decimal == "," and i <= 2 and before in {"a", "b", "m"}


def _is_hyphened(around: Surroundings, end: int) -> bool:
    """Say whether a hyphen joins a word to what ends here."""
    if end + 1 >= len(around.tokens):
        return False
    hyphen, word = around.tokens[end : end + 2]
    return hyphen.text == "-" and hyphen.glued and word.glued and word.kind == "word"


def _is_measured(around: Surroundings, i: int, end: int) -> bool:
    """Say whether what a hyphen joins to a number is its unit: 48-hour, 14-річний."""
    word = around.at(end + 1)
    return (
        numeral_at(around.tokens, end + 1, around.language) is not None
        or around.unit_of(word) is not None
        or word.startswith(_LASTING)
        or is_age(around, i, end)
    )
