"""A figure that the project set out for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound, also as it is `said`; None: only reported.

    `read` finds in a report's figures what was measured: the number to hold against the bound,
    and how to say it. Raises KeyError if it was not.
    """

    what: str
    bound: float | None
    said: str
    report: str
    read: Callable[[Figures], tuple[float, str]]
    at_least: bool = False

    def row(self, figures: Figures) -> list[str]:
        number, measured = self.read(figures)
        if self.bound is None:
            return [self.what, self.said, measured, "-"]
        met = number >= self.bound if self.at_least else number <= self.bound
        return [self.what, self.said, measured, "yes" if met else "no"]
