"""Medians and how sure they are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

SURE = 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """A median over batches, and the order statistics that hold it with the given confidence.

    With fewer than six batches no pair of them reaches 95 %: then the outermost are given, with
    the confidence that they do reach.
    """

    median: float
    low: float
    high: float
    confidence: float
    batches: int

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f}, {self.high:.2f}]"


def figure(values: Sequence[float]) -> Figure:
    """The median of independent batches with its distribution-free interval."""
    ordered = sorted(values)
    n = len(ordered)
    depth, sure = 0, _confidence(n, 0)
    while depth + 1 < n - depth - 1 and _confidence(n, depth + 1) >= SURE:
        depth += 1
        sure = _confidence(n, depth)
    return Figure(median(ordered), ordered[depth], ordered[n - 1 - depth], sure, n)


def _confidence(n: int, depth: int) -> float:
    """Chance that the median lies between the values `depth` from either end of n."""
    outside: float = sum(math.comb(n, i) for i in range(depth + 1)) / 2.0**n
    return max(0.0, 1 - 2 * outside)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares slope of y over x."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    over = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return over / sum((x - mean_x) ** 2 for x, _ in points)
