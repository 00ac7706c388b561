"""Whether a text bears out a number of its headline."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose

from feedserver.lint.language import PERSON
from feedserver.lint.quantity import STATUSES, Kind, Quantity

ROUNDED = 0.04  # how far, as a part of it, a headline may round
ROUND_FROM = 10_000  # from where a number of one or two digits and zeros is a round one
FEW = 20  # digits' worth up to which a number is rounded to its last digit: 5 million
ABOVE = 1.5  # times "more than" may be exceeded
SHARE_SLACK = 3.5  # points that a third, a quarter … may stand for
HALF_SLACK = 6.0  # points that half may stand for
PARTS_MAX = 4  # numbers that may add up to the headline's
RATIOS_MAX = 12  # numbers whose shares are looked at
HOURS = {"hour": 1.0, "day": 24.0, "night": 24.0, "month": 730.0, "year": 8760.0}

_EXACT = frozenset({Kind.ORDINAL, Kind.DATE, Kind.CLOCK, Kind.YEAR, Kind.AGE})
_SUMMED = frozenset({Kind.COUNT, Kind.MONEY, Kind.SHARE, Kind.MEASURE})
_APART = frozenset({Kind.CLOCK, Kind.DATE, Kind.SPAN, Kind.YEAR})
_BY = frozenset({"by", "mit", "um"})


def bears_out(claim: Quantity, one: Quantity) -> bool:
    """Say whether a number of the text is the claim."""
    if Kind.SCORE in {claim.kind, one.kind}:
        return _bears_out_score(claim, one)
    if claim.kind is Kind.COUNT and claim.value == 1:
        return one.value == 1 and (
            one.kind is Kind.ONE
            or (one.kind is Kind.COUNT and bool({PERSON} & one.about or claim.about & one.about))
        )
    if one.kind is Kind.ONE:
        return False
    if claim.ratio and one.kind is Kind.SHARE and abs(claim.ratio - one.value) <= SHARE_SLACK:
        return True
    if claim.kind is not one.kind:
        return _may_be_the_same(claim, one) and _agrees(claim, one)
    if claim.kind is Kind.MEASURE and claim.unit != one.unit:
        hours = HOURS.get(claim.unit), HOURS.get(one.unit)
        if hours[0] is None or hours[1] is None:
            return False
        return isclose(claim.value * hours[0], one.value * hours[1], rel_tol=0.02)
    if claim.kind is Kind.COUNT and _has_other_fate(claim, one):
        return False
    return _agrees(claim, one)


def _bears_out_score(claim: Quantity, one: Quantity) -> bool:
    if claim.kind is one.kind:
        return {claim.value, claim.other} == {one.value, one.other}
    if claim.kind is Kind.SCORE or claim.value not in {one.value, one.other}:
        return False
    return claim.unit == "point" or (claim.kind is Kind.COUNT and "goals" not in claim.about)


def _may_be_the_same(claim: Quantity, one: Quantity) -> bool:
    """Say whether numbers of two kinds may be one: 9th and nine, 12 million and £12 million."""
    if _APART & {claim.kind, one.kind}:
        return False
    if claim.kind is Kind.COUNT and one.kind is Kind.ORDINAL:
        return bool(claim.about & one.about) or not one.about
    if claim.kind is Kind.COUNT and claim.about:
        return one.kind not in {Kind.AGE, Kind.SHARE, Kind.MEASURE}
    return True


def _has_other_fate(claim: Quantity, one: Quantity) -> bool:
    mine, theirs = claim.about & STATUSES, one.about & STATUSES
    return bool(mine and theirs and not mine & theirs)


def _agrees(claim: Quantity, one: Quantity) -> bool:
    if one.low <= claim.value <= one.high or claim.low <= one.value <= claim.high:
        return True
    if claim.is_lower_bound and claim.value <= one.value <= ABOVE * claim.value:
        return True
    if claim.kind in _EXACT:
        return isclose(claim.value, one.value)
    if claim.kind is Kind.SPAN:
        return abs(claim.value - one.value) < 1
    if claim.is_fraction != one.is_fraction:
        slack = HALF_SLACK if 50 in {claim.value, one.value} else SHARE_SLACK
        return abs(claim.value - one.value) <= slack
    return _rounds(claim, one)


def _rounds(claim: Quantity, one: Quantity) -> bool:
    """Say whether the claim is the other number, rounded or cut to fewer digits."""
    shown = abs(claim.value / claim.factor)
    step = claim.step if shown >= 100 or claim.step < claim.factor else claim.factor
    over = one.value - claim.value
    if one.step >= step or not over:
        return isclose(claim.value, one.value)
    is_few = shown < FEW or (shown >= ROUND_FROM and claim.value < FEW * step)
    if abs(over) <= step / 2 * 1.0001 and (is_few or abs(over) <= ROUNDED * abs(claim.value)):
        return True
    return shown >= 100 and 0 <= over < min(step, ROUNDED * claim.value)


def adds_up(claim: Quantity, said: Sequence[Quantity]) -> bool:
    """Say whether numbers that follow one another in a sentence make up the claim."""
    if claim.kind not in _SUMMED:
        return False
    for start, first in enumerate(said):
        if is_article(first):
            continue
        if _is_sum(claim, said, start) or _is_gap(claim, first, said[start + 1 : start + 2]):
            return True
        if first.is_each and any(isclose(first.value * one.value, claim.value) for one in said):
            return True
    return False


def _is_sum(claim: Quantity, said: Sequence[Quantity], start: int) -> bool:
    kinds = {claim.kind, Kind.COUNT}
    if claim.kind is Kind.COUNT:
        kinds |= {Kind.MONEY} if claim.value >= 1000 else {Kind.ONE}
    first, total = said[start], 0.0
    for one in said[start : start + PARTS_MAX]:
        if one.sentence != first.sentence:
            break
        if one.kind not in kinds:
            if one.kind in {Kind.AGE, Kind.ORDINAL}:
                continue
            break
        if one is not first and (one.is_part or is_article(one)):
            continue
        if claim.status and one.about & STATUSES and claim.status not in one.about:
            continue
        total += one.value
        if one is not first and isclose(total, claim.value):
            return True
    return False


def _is_gap(claim: Quantity, first: Quantity, following: Sequence[Quantity]) -> bool:
    """Say whether the claim is the difference between two numbers that follow one another."""
    if not following:
        return False
    second = following[0]
    if claim.is_difference and (
        first.kind is second.kind or {first.kind, second.kind} <= {claim.kind, Kind.COUNT}
    ):
        if isclose(abs(first.value - second.value), claim.value):
            return True
        if claim.unit and first.kind is Kind.COUNT and second.unit == claim.unit:
            return isclose(abs(first.value * claim.factor - second.value), claim.value)
    if not claim.kind is first.kind is second.kind is Kind.COUNT or claim.value == 1:
        return False
    if first.sentence != second.sentence:
        return False
    is_rest = second.is_part and not _counts_the_same(claim, first)
    return (claim.lead in _BY or is_rest) and isclose(abs(first.value - second.value), claim.value)


def _counts_the_same(claim: Quantity, one: Quantity) -> bool:
    return bool(claim.about & one.about - {PERSON} or (claim.status and claim.status == one.status))


def is_article(one: Quantity) -> bool:
    """Say whether “one” may be an article: ein Brand, eine Lawine."""
    return one.is_word and one.value == 1 and one.kind is Kind.COUNT and PERSON not in one.about


def is_ratio(claim: Quantity, said: Sequence[Quantity]) -> bool:
    """Say whether two numbers of the text stand to each other as the claim says."""
    if not claim.ratio and not claim.is_fraction:
        return False
    share = claim.ratio or claim.value
    counts = [one for one in said if one.kind in {Kind.COUNT, Kind.MEASURE}][:RATIOS_MAX]
    return any(
        abs(100 * one.value / two.value - share) <= SHARE_SLACK
        for one in counts
        for two in counts
        if one is not two and two.value
    )
