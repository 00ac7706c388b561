"""The parts of the benchmark `archive`: what a newsroom's age costs, and what strangers can.

Each part has a `measure(sizes)` that answers a `Part`; one that cannot be measured raises
`NotMeasured` with a sentence.
"""

from dataclasses import dataclass, field

from bench.report import Table


class NotMeasured(Exception):
    """This server does not have what would be measured. The text says what."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large all is made. `rounds`: how often each question is asked."""

    items: int
    few: int = 1_000  # items of the small newsroom
    rounds: int = 60
    feeds: int = 500
    posts: int = 3_000  # of each batch
    batches: int = 7
    kills: int = 5


@dataclass(frozen=True, slots=True)
class Part:
    tables: list[Table]
    figures: dict[str, object]
    notes: list[str] = field(default_factory=list)
