"""What remains of a connected client: its socket, its position and its cohort.

A `Position` is a record that readers have been brought to. Sockets that are caught up belong to
cohorts, and a cohort has one position: "is caught up" is one comparison for all its readers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable
from dataclasses import dataclass

from feedserver.live.messages import Encode


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader stands: a record of the feed."""

    sequence: int
    check: str


class Reader(ABC):
    """A connected socket, as small as can be.

    While it has a cohort, nothing is unsent and `send` goes straight to the kernel. What that does
    not take is for `keep`, which makes the reader fall behind until it has drained.
    """

    __slots__ = ("cohort", "encode", "send")

    cohort: Cohort | None  # None: behind, or gone
    encode: Encode  # a message into its frame
    send: Callable[[bytes], int]  # returns the bytes taken; raises OSError for none

    @property
    def position(self) -> Position | None:
        """Where it stands, if it is neither behind nor gone."""
        return self.cohort.position if self.cohort is not None else None

    @abstractmethod
    def fileno(self) -> int:
        """Return the descriptor that `send` writes to; -1 where it does not go to the kernel."""

    @abstractmethod
    def keep(self, data: memoryview) -> None:
        """Send the rest as the socket takes it, and fall behind meanwhile."""

    def push(self, data: bytes) -> None:
        """Send, whatever of it is taken at once."""
        try:
            taken = self.send(data)
        except OSError:
            taken = 0  # full, or broken: the transport finds out which
        if taken < len(data):
            self.keep(memoryview(data)[taken:])

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
    """Sockets of one encoding that stand together, up to a slice of them."""

    __slots__ = ("descriptors", "encode", "phase", "position", "readers")

    def __init__(self, reader: Reader, position: Position | None) -> None:
        self.encode = reader.encode
        self.position = position
        self.phase = 0  # in which second of the heartbeat's interval it gets one
        self.readers = [reader]
        self.descriptors = array("i", [reader.fileno()])
        reader.cohort = self

    def add(self, reader: Reader) -> None:
        """Let a reader stand here."""
        self.readers.append(reader)
        self.descriptors.append(reader.fileno())
        reader.cohort = self

    def remove(self, reader: Reader) -> None:
        """Let a reader go; the last one takes its seat."""
        seat = self.readers.index(reader)
        self.readers[seat] = self.readers[-1]
        self.readers.pop()
        self.descriptors[seat] = self.descriptors[-1]
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
        """Take in all who stand in another cohort, at the same position; it is left empty."""
        for reader in other.readers:
            reader.cohort = self
        self.readers += other.readers
        self.descriptors += other.descriptors
        other.readers.clear()
        del other.descriptors[:]


SendAll = Callable[["array[int]", bytes], list[tuple[int, int]]]
"""Send a frame to many descriptors. Returns which did not take it whole, and the bytes each took.
"""
