"""Which number of a headline its text contradicts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from feedserver.lint.agreement import adds_up, bears_out, is_ratio
from feedserver.lint.findings import Code, Finding
from feedserver.lint.language import PERSON, Language
from feedserver.lint.quantity import STATUSES, Kind, Quantity
from feedserver.lint.reading import quantities
from feedserver.lint.slips import is_slip

CLAIMS_MAX = 8  # numbers of a headline that are looked at
BEFORE_MAX = 24  # characters of the text before a number that are shown, …
BEHIND_MAX = 32  # … and behind it
LARGE = 5000  # from where a number that stands alone is hardly about something else
SCALED = 1000  # from where a number may be money without saying so
YEARS_APART = 15  # years at most between one and what it was mistaken for
OLD = 200  # years from where an age is a thing's
JOINED_MAX = 12  # people in a list of whom some have no number
LIKE = 4  # times that one number may be the other and still count the same

_CLAUSE_END = re.compile(r"[,;:.!?…\n](?=\s|\Z)")


def contradiction(headline: str, body: str, language: Language) -> Iterator[Finding]:
    """Find the first number of the headline that the body contradicts."""
    found = contradicted(headline, body, language)
    if found is not None:
        claim, rival = found
        claimed = headline[claim.start : claim.end]
        told = body[rival.start : rival.end]
        detail = f"the headline says “{claimed}”, the text “{_around(body, rival)}”"
        yield Finding(Code.NUMBER, "/headline", detail, _mended(headline, claim, told, rival))


def _around(body: str, one: Quantity) -> str:
    """Return a number of the text with the words of its clause beside it."""
    before = _CLAUSE_END.split(body[max(0, one.start - BEFORE_MAX) : one.start])[-1]
    if one.start > BEFORE_MAX and len(before) == BEFORE_MAX:
        before = before.partition(" ")[2]  # a whole word first
    behind = _CLAUSE_END.split(body[one.end : one.end + BEHIND_MAX])[0]
    if len(behind) == BEHIND_MAX:
        behind = behind.rpartition(" ")[0]
    return " ".join(f"{before}{body[one.start : one.end]}{behind}".split())


def _mended(headline: str, claim: Quantity, told: str, rival: Quantity) -> str | None:
    """Return the headline with the text's number in place of its own."""
    if claim.kind is not rival.kind:
        return None
    told = told[0].upper() + told[1:] if claim.start == 0 else told[0].lower() + told[1:]
    return headline[: claim.start] + told + headline[claim.end :]


def changed_number(before: str, after: str, language: Language | None) -> tuple[str, str] | None:
    """Return a number of a headline and the other one that a change puts in its place."""
    if language is None or before == after:
        return None
    old, new = quantities(before, language), quantities(after, language)
    if len(old) != len(new):
        return None
    for one, two in zip(old, new, strict=True):
        if one.kind is two.kind and (one.value, one.other) != (two.value, two.other):
            return before[one.start : one.end], after[two.start : two.end]
    return None


def contradicted(headline: str, body: str, language: Language) -> tuple[Quantity, Quantity] | None:
    """Return a number of the headline and what the body says instead; None if there is none."""
    claims = quantities(headline, language)[:CLAIMS_MAX]
    if not claims:
        return None
    said = quantities(body, language)
    meant = {one.start for one in said if any(bears_out(claim, one) for claim in claims)}
    for claim in claims:
        rival = _rival(claim, said, meant)
        if rival is not None:
            return claim, rival
    return None


def _rival(claim: Quantity, said: Sequence[Quantity], meant: set[int]) -> Quantity | None:
    """Return what contradicts a claim; what is `meant` by another claim does not."""
    if _says_nothing(claim):
        return None
    current = [one for one in said if not one.is_former]
    if any(bears_out(claim, one) for one in current) or adds_up(claim, said):
        return None
    current = [one for one in current if one.start not in meant]
    if is_ratio(claim, current):
        return None
    if claim.kind is Kind.SCORE and not any(one.kind is Kind.SCORE for one in current):
        return _half_counted(claim, current)
    if claim.kind is Kind.SCORE and _is_counted(claim, current):
        return None
    if claim.kind is Kind.YEAR:
        return _other_year(claim, current)
    for one in current:
        if _rivals(claim, one):
            return one
    return _only_ordinal(claim, current) or _only_count(claim, current)


def _says_nothing(claim: Quantity) -> bool:
    """Say whether a number is too common a word to be held against a text."""
    if claim.kind is Kind.ONE or claim.is_whole or claim.is_label:
        return True
    if claim.kind is Kind.ORDINAL and claim.value == 1:
        return True
    if claim.value == 0 and claim.kind is not Kind.SCORE:
        return True
    return claim.kind is Kind.COUNT and claim.value == 1 and not claim.about & STATUSES


def _rivals(claim: Quantity, one: Quantity) -> bool:
    """Say whether a number says something else of what the claim is about."""
    if one.kind is Kind.ONE or one.is_label or one.is_article or _is_part(claim, one):
        return False
    if claim.kind is not one.kind:
        return _rivals_other_kind(claim, one)
    if claim.kind in {Kind.MONEY, Kind.MEASURE}:
        return claim.unit == one.unit
    if claim.kind is Kind.ORDINAL:
        return bool(claim.about & one.about) or is_slip(claim.value, one.value)
    return claim.kind is not Kind.COUNT or _counts_the_same(claim, one)


def _rivals_other_kind(claim: Quantity, one: Quantity) -> bool:
    if {claim.kind, one.kind} == {Kind.AGE, Kind.MEASURE}:
        return claim.unit == one.unit == "year" and claim.value > OLD
    if claim.kind is not Kind.COUNT:
        return False
    if one.kind in {Kind.MONEY, Kind.MEASURE} and claim.value >= SCALED:
        return is_slip(claim.value, one.value) or (one.kind is Kind.MONEY and not claim.about)
    return one.kind is Kind.SCORE and "goals" in claim.about


def _counts_the_same(claim: Quantity, one: Quantity) -> bool:
    if is_slip(claim.value, one.value) or (claim.about & one.about) - {PERSON} - STATUSES:
        return True
    is_of_people = bool(claim.about & (STATUSES | {PERSON}))
    if claim.status and claim.status == one.status:
        return is_of_people or PERSON in one.about or not claim.about
    if is_of_people and PERSON in one.about and not claim.status:
        return True
    return any(key.startswith("=") for key in claim.near & one.near)


def _is_part(claim: Quantity, one: Quantity) -> bool:
    """Say whether a smaller number may be a part of the claim, the rest of which has no number."""
    if one.value >= claim.value:
        return False
    return one.is_further or one.is_part or (one.is_joined and claim.value <= JOINED_MAX)


def _is_counted(claim: Quantity, said: Sequence[Quantity]) -> bool:
    counts = {one.value for one in said if one.kind is Kind.COUNT}
    return {claim.value, claim.other} <= counts


def _half_counted(claim: Quantity, said: Sequence[Quantity]) -> Quantity | None:
    """Return one of two counts that stand together, where the other is the claim's."""
    claimed = {claim.value, claim.other}
    if _is_counted(claim, said):
        return None
    for one, two in pairwise(said):
        values = {one.value, two.value}
        is_pair = one.kind is two.kind is Kind.COUNT and one.sentence == two.sentence
        if is_pair and min(values) > 9 and len(values & claimed) == 1:
            return two if one.value in claimed else one
    return None


def _other_year(claim: Quantity, said: Sequence[Quantity]) -> Quantity | None:
    """Return the text's year, where it names a single one that is not far from the claim."""
    years = [one for one in said if one.kind is Kind.YEAR]
    is_single = len({one.value for one in years}) == 1
    return years[0] if is_single and abs(years[0].value - claim.value) <= YEARS_APART else None


def _only_ordinal(claim: Quantity, said: Sequence[Quantity]) -> Quantity | None:
    """Return the only ordinal, where it can mean nothing else."""
    if claim.kind is not Kind.ORDINAL:
        return None
    found = [one for one in said if one.kind is Kind.ORDINAL]
    if len({one.value for one in found}) == 1 and found[0].value > 1:
        return found[0] if found[0].unit == claim.unit else None
    return None


def _only_count(claim: Quantity, said: Sequence[Quantity]) -> Quantity | None:
    """Return the only count, of people or of all, where it can mean nothing else."""
    if claim.kind is not Kind.COUNT or claim.value <= 1:
        return None
    counts = [one for one in said if one.kind is Kind.COUNT]
    if claim.about & (STATUSES | {PERSON}):
        people = [one for one in counts if PERSON in one.about and not _is_part(claim, one)]
        if len(people) == 1 and people[0].status in {"", claim.status}:
            return people[0]
    others = [one for one in counts if one.value > 1 and not one.is_label and not one.is_whole]
    if len(others) == 1 and not _is_part(claim, others[0]) and _could_be_one(claim, others[0]):
        return others[0] if others[0].value > claim.value or claim.value > JOINED_MAX else None
    if claim.value >= LARGE:
        large = [one for one in said if one.kind in {Kind.COUNT, Kind.MONEY} and one.value >= LARGE]
        if len(large) == 1 and (not claim.about or _could_be_one(claim, large[0])):
            return large[0]
    return None


def _could_be_one(claim: Quantity, one: Quantity) -> bool:
    """Say whether two counts of other words could count the same."""
    if claim.status and one.status and claim.status != one.status:
        return False
    if max(claim.value, one.value) > LIKE * min(claim.value, one.value):
        return False
    mine, theirs = _classes(claim), _classes(one)
    return mine == theirs or not (mine and theirs)


def _classes(one: Quantity) -> set[str]:
    found = {key for key in one.about if not key.startswith("=")} - STATUSES
    return found | {PERSON} if one.about & STATUSES else found
