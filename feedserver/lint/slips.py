"""Slips of the finger."""

from __future__ import annotations

TYPED_FROM = 10  # of which two digits can be mistyped; smaller ones differ without a slip


def is_slip(one: float, two: float) -> bool:
    """Say whether one number is the other mistyped: 17 for 71, 27 or 170."""
    if one == two or min(one, two) < TYPED_FROM or one != int(one) or two != int(two):
        return False
    first, second = f"{one:.0f}", f"{two:.0f}"
    if first.rstrip("0") == second.rstrip("0"):
        return True
    first, second = _without_common_zeros(first, second)
    if len(first) == len(second):
        differing = [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]]
        return len(differing) == 1 or (len(differing) == 2 and sorted(first) == sorted(second))
    longer, shorter = sorted((first, second), key=len, reverse=True)
    if len(longer) != len(shorter) + 1:
        return False
    return any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))


def _without_common_zeros(first: str, second: str) -> tuple[str, str]:
    zeros = min(len(number) - len(number.rstrip("0")) for number in (first, second))
    return (first[:-zeros], second[:-zeros]) if zeros else (first, second)
