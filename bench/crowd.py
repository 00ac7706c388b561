"""Readers by the thousand: the driver of `c/readers.c`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from subprocess import Popen

from bench import process
from bench.build import program
from bench.errors import BenchError
from bench.machine import load_core

PER_PROCESS = 19_900  # readers; the limit of open files is 20,000
SOURCES = 2  # addresses of each process: one has some 28,000 ephemeral ports
COUNTS = ('"type":"changes"', '"type":"snapshot"')  # one is in a counted message's first 96 bytes


@dataclass(frozen=True, slots=True)
class Opened:
    ok: int
    deflated: int
    bytes: int
    took: float  # seconds


@dataclass(frozen=True, slots=True)
class Got:
    """One message at all readers. `half` and `last`: CLOCK_MONOTONIC, ns, within 1 ms."""

    readers: int
    bytes: int
    others: int
    half: int
    last: int


@dataclass(frozen=True, slots=True)
class Drained:
    """What came until it was quiet. `least` and `most` are messages per reader."""

    messages: int
    least: int
    most: int
    bytes: int
    last: int


@dataclass(frozen=True, slots=True)
class Manner:
    """How readers behave. `drip` is (bytes, milliseconds); `receive` their SO_RCVBUF and
    `segment` their largest TCP segment, in bytes: loopback's of 64 KB would let the kernel hold
    megabytes for a reader that has stopped."""

    greeted: bool = False
    deflate: bool = False
    stall: bool = False
    drip: tuple[int, int] | None = None
    receive: int = 0
    segment: int = 0
    match: tuple[str, ...] = COUNTS

    def flags(self) -> list[str]:
        flags = [flag for text in self.match for flag in ("--match", text)]
        flags += ["--greeted"] * self.greeted + ["--deflate"] * self.deflate
        flags += ["--stall"] * self.stall
        if self.drip:
            flags += ["--drip", f"{self.drip[0]}:{self.drip[1]}"]
        if self.receive:
            flags += ["--rcvbuf", str(self.receive)]
        if self.segment:
            flags += ["--mss", str(self.segment)]
        return flags


@dataclass(slots=True)
class Crowd:
    """Readers of one server, in as many processes as they need. Close it by `stop`."""

    ports: Sequence[int]
    path: str
    manner: Manner = field(default_factory=Manner)
    size: int = 0
    _processes: list[Popen[str]] = field(default_factory=list)
    _sizes: list[int] = field(default_factory=list)

    def open(self, more: int) -> Opened:
        """Open so many readers more; an error unless each is greeted or shaken hands with."""
        answers = []
        for i, share in self._shares(more):
            if i == len(self._processes):
                self._processes.append(self._start(i))
                self._sizes.append(0)
            answers.append(self._ask(i, f"open {share}"))
            self._sizes[i] += share
        ok = sum(a["ok"] for a in answers)
        if ok != more:
            raise BenchError(
                f"Only {ok} of {more} readers could be opened on {self.ports}{self.path}, "
                f"{sum(a['failed'] for a in answers)} failed."
            )
        self.size += more
        took = sum(a["last"] - a["first"] for a in answers) / 1e9
        deflated = sum(a["deflated"] for a in answers)
        if self.manner.deflate and deflated != more:
            raise BenchError(f"{more - deflated} of {more} readers were refused compression.")
        return Opened(ok, deflated, sum(a["bytes"] for a in answers), took)

    def await_messages(self, number: int, most_ms: int) -> None:
        """Begin to count, before the message is published; end with `got`."""
        for i in range(len(self._processes)):
            self._tell(i, f"expect {number} {most_ms}")

    def got(self) -> Got:
        """An error unless every reader got exactly the number of messages awaited."""
        answers = [self._answer(i) for i in range(len(self._processes))]
        complete = sum(a["complete"] for a in answers)
        over, lost = sum(a["over"] for a in answers), sum(a["lost"] for a in answers)
        if complete != self.size or over or lost:
            raise BenchError(
                f"{complete} of {self.size} readers got the message, {over} got too many, "
                f"{lost} were disconnected: no figure comes of this batch."
            )
        return Got(
            complete,
            sum(a["bytes"] for a in answers),
            sum(a["others"] for a in answers),
            max(a["half"] for a in answers),
            max(a["last"] for a in answers),
        )

    def await_quiet(self, quiet_ms: int, most_ms: int) -> None:
        for i in range(len(self._processes)):
            self._tell(i, f"drain {quiet_ms} {most_ms}")

    def drained(self) -> Drained:
        answers = [self._answer(i) for i in range(len(self._processes))]
        if lost := sum(a["lost"] for a in answers):
            raise BenchError(f"{lost} of {self.size} readers were disconnected.")
        return Drained(
            sum(a["messages"] for a in answers),
            min(a["least"] for a in answers),
            max(a["most"] for a in answers),
            sum(a["bytes"] for a in answers),
            max(a["last"] for a in answers),
        )

    def close(self) -> None:
        """Say goodbye from every reader; the processes stay for the next `open`."""
        for i in range(len(self._processes)):
            self._ask(i, "close")
        self._sizes = [0] * len(self._sizes)
        self.size = 0

    def stop(self) -> None:
        for child in self._processes:
            process.stop(child)
        self._processes.clear()

    def _shares(self, more: int) -> list[tuple[int, int]]:
        """How many readers each process takes: filled one after the other, or, with several
        ports, evenly."""
        shares: list[tuple[int, int]] = []
        if len(self.ports) > 1:
            each, rest = divmod(more, len(self.ports))
            return [(i, each + (i < rest)) for i in range(len(self.ports))]
        i = 0
        while more > 0:
            room = PER_PROCESS - (self._sizes[i] if i < len(self._sizes) else 0)
            if take := min(room, more):
                shares.append((i, take))
            more -= take
            i += 1
        return shares

    def _start(self, i: int) -> Popen[str]:
        port = self.ports[i % len(self.ports)]
        flags = ["--port", str(port), "--path", self.path]
        flags += ["--first", str(1 + SOURCES * i), "--sources", str(SOURCES)]
        return process.start([str(program("readers")), *flags, *self.manner.flags()], load_core())

    def _tell(self, i: int, order: str) -> None:
        stdin = self._processes[i].stdin
        assert stdin
        stdin.write(order + "\n")
        stdin.flush()

    def _answer(self, i: int) -> dict[str, int]:
        stdout = self._processes[i].stdout
        assert stdout
        words = stdout.readline().split()
        if not words or words[0] == "error":
            raise BenchError("The load client ended early; its complaint is above.")
        return {name: int(value) for name, _, value in (word.partition("=") for word in words[1:])}

    def _ask(self, i: int, order: str) -> dict[str, int]:
        self._tell(i, order)
        return self._answer(i)
