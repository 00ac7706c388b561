"""A socket's state, and its cohort.

A `Position` is a record that readers have been brought to. Sockets that are caught up belong to
cohorts, and a cohort has one position: "is caught up" is one comparison for all its readers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedserver.live.messages import Encode


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader has been brought: a record of the feed."""

    sequence: int
    check: str
    epoch: str = ""

    def is_before(self, other: Position) -> bool:
        """Say whether `other` is newer, or of another journal than this one."""
        return self.epoch != other.epoch or self.sequence < other.sequence


@dataclass(slots=True)
class Stall:
    """A reader that is behind: its position, how much was pending, and since when it stays so."""

    position: Position
    pending: int
    since: float


@dataclass(slots=True)
class Count:
    """How many readers several channels have together."""

    readers: int = 0


class Reader(ABC):
    """A connected socket, as small as can be.

    While it has a cohort, nothing is unsent, and `send` goes straight to the kernel. What the
    kernel does not take is passed to `keep`; the reader is then behind until that is sent.
    """

    __slots__ = ("cohort", "encode", "send")

    cohort: Cohort | None  # None: behind, or gone
    encode: Encode  # turns a message into a frame
    send: Callable[[bytes], int]  # returns the bytes taken; raises OSError if there are none

    @property
    def position(self) -> Position | None:
        """Its position, unless it is behind or gone."""
        return self.cohort.position if self.cohort is not None else None

    @abstractmethod
    def fileno(self) -> int:
        """Return the descriptor that `send` writes to; -1 where it does not go to the kernel."""

    @abstractmethod
    def send_parts(self, parts: Sequence[bytes]) -> int:
        """Send several parts with one system call; return and raise what `send` does."""

    @abstractmethod
    def keep(self, rest: list[memoryview]) -> None:
        """Send the rest as the socket takes it; the reader falls behind meanwhile.

        Must not copy it: a thousand readers may keep the rest of one snapshot.
        """

    def push(self, *parts: bytes) -> None:
        """Send what the socket takes of these parts at once, and keep the rest."""
        try:
            taken = self.send_parts(parts)
        except OSError:
            taken = 0  # full, or broken: the transport finds out which
        rest = []
        for part in parts:
            if taken < len(part):
                rest.append(memoryview(part)[taken:])
            taken = max(0, taken - len(part))
        if rest:
            self.keep(rest)

    @abstractmethod
    def pending(self) -> int:
        """Return the bytes sent that the other side has not taken yet."""

    @abstractmethod
    def finish(self, code: int) -> None:
        """Close with `code` once all is sent."""

    @abstractmethod
    def abort(self) -> None:
        """Drop the connection and what is unsent."""


class Cohort:
    """Caught-up sockets of one encoding at one position, which a round sends to together."""

    __slots__ = ("descriptors", "encode", "phase", "position", "readers")

    def __init__(self, reader: Reader, position: Position | None) -> None:
        self.encode = reader.encode
        self.position = position
        self.phase = 0  # in which second of the heartbeat's interval its readers get one
        self.readers = [reader]
        self.descriptors = array("i", [reader.fileno()])
        reader.cohort = self

    def add(self, reader: Reader) -> None:
        """Add a reader that is at the same position."""
        self.readers.append(reader)
        self.descriptors.append(reader.fileno())
        reader.cohort = self

    def remove(self, reader: Reader) -> None:
        """Remove a reader; the last one takes its index."""
        at = self.readers.index(reader)
        self.readers[at] = self.readers[-1]
        self.readers.pop()
        self.descriptors[at] = self.descriptors[-1]
        self.descriptors.pop()
        reader.cohort = None

    def split(self, count: int) -> Cohort:
        """Keep the first `count` readers; return a cohort of the others, at the same position."""
        rest = Cohort(self.readers[count], self.position)
        for reader in self.readers[count + 1 :]:
            rest.add(reader)
        rest.phase = self.phase
        del self.readers[count:], self.descriptors[count:]
        return rest

    def join(self, other: Cohort) -> None:
        """Take over the readers of another cohort at the same position; it is left empty."""
        for reader in other.readers:
            reader.cohort = self
        self.readers += other.readers
        self.descriptors += other.descriptors
        other.readers.clear()
        del other.descriptors[:]
