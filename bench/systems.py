"""A server with its crowd, and one message sent through it under measurement."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench import cpu, peers
from bench.cpu import Cpu
from bench.crowd import Crowd, Manner
from bench.errors import BenchError
from bench.peers.peer import Peer, Setting
from bench.stories import Story

MESSAGE_WAIT = 10_000  # ms for one message to reach everybody
SLACK = 2  # bytes that a frame may differ from its fellows: digits of a sequence
HEADERS = {126: 2, 65536: 4}  # payload below → bytes of the frame's header


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to a whole crowd. Times in seconds after publishing began."""

    cpu: Cpu
    readers: int
    half: float
    last: float
    answered: float

    @property
    def each(self) -> float:
        """CPU per reader, in ns."""
        return self.cpu.total / self.readers


@dataclass(slots=True)
class System:
    peer: Peer
    crowd: Crowd

    @property
    def name(self) -> str:
        return self.peer.name

    def deliver(self, story: Story, *, same_size: bool = True) -> Delivery:
        """Publish, wait for the last reader, and read the server's CPU before and after.

        An error unless every reader got one message, of the story's size.
        """
        before = cpu.settled(self.peer.pids)
        self.crowd.await_messages(1, MESSAGE_WAIT)
        began = time.monotonic_ns()
        self.peer.publish(story)
        answered = time.monotonic_ns()
        got = self.crowd.got()
        spent = cpu.settled(self.peer.pids) - before
        if spent.total <= 0:
            raise BenchError(f"{self.name} seems to work in other processes than {self.peer.pids}.")
        size = got.bytes / got.readers
        if same_size and not got.others and abs(size - frame_size(story.message)) > SLACK:
            raise BenchError(
                f"{self.name} sent {size:.1f} bytes to each reader, "
                f"not {frame_size(story.message)}: the systems do not do the same work."
            )
        return Delivery(
            spent,
            got.readers,
            (got.half - began) / 1e9,
            (got.last - began) / 1e9,
            (answered - began) / 1e9,
        )


def frame_size(text: str) -> int:
    """Bytes on the wire of a server's uncompressed text frame."""
    size = len(text.encode())
    return size + next((head for below, head in HEADERS.items() if size < below), 10)


def start(name: str, setting: Setting, readers: int, stack: ExitStack) -> System:
    """Start a system and open its crowd; `stack` ends both."""
    peer = peers.start(name, setting)
    stack.callback(peer.stop)
    manner = Manner(greeted=peer.greets, deflate=peer.deflates)
    crowd = Crowd(peer.ports, peer.path, manner)
    stack.callback(crowd.stop)
    if readers:
        crowd.open(readers)
    return System(peer, crowd)


@contextmanager
def side_by_side(names: Sequence[str], setting: Setting, readers: int) -> Iterator[list[System]]:
    """All systems of a batch at once, each with as many readers."""
    with ExitStack() as stack:
        yield [start(name, setting, readers, stack) for name in names]


def in_turn(systems: Sequence[System], round_number: int) -> list[System]:
    """The order of a round: each system comes first as often as any other."""
    first = round_number % len(systems)
    return [*systems[first:], *systems[:first]]
