"""What the command line says to every benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """None means the benchmark's own number, which is smaller with `short`."""

    short: bool = False
    systems: tuple[str, ...] | None = None
    readers: int | None = None
    batches: int | None = None
    messages: int | None = None
    workers: int | None = None
    items: int | None = None
    feeds: int | None = None
    parts: tuple[str, ...] | None = None

    def number(self, asked: int | None, full: int, short: int) -> int:
        return asked if asked is not None else short if self.short else full

    def names(self, default: Sequence[str]) -> list[str]:
        """The systems to measure, in the given order."""
        return list(self.systems or default)
