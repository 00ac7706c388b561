"""Posts by the thousand: the driver of `c/poster.c`."""

import itertools
import json
import subprocess
from dataclasses import dataclass
from subprocess import Popen

from bench import process
from bench.build import program
from bench.errors import BenchError
from bench.machine import load_core
from bench.peers.feedserver import Feedserver

_runs = itertools.count(1)
POSTING_WAIT = 150  # seconds; poster.c gives up before


@dataclass(frozen=True, slots=True)
class Posted:
    """Times in seconds; `first` and `last` on the monotonic clock."""

    count: int
    first: float
    last: float
    p50: float
    p99: float
    most: float

    @property
    def rate(self) -> float:
        """Posts per second."""
        return self.count / (self.last - self.first)


@dataclass(slots=True)
class Press:
    """Posts one item many times, over connections that each have one request under way."""

    server: Feedserver
    item: dict[str, str]
    connections: int
    count: int
    respond_async: bool = False

    def begin(self) -> Popen[str]:
        """Start posting; end with `finish`."""
        flags = ["--port", str(self.server.ports[0]), "--path", self.server.posts]
        flags += ["--token", self.server.token, "--keys", f"bench-{next(_runs)}"]
        flags += ["--connections", str(self.connections), "--count", str(self.count)]
        flags += ["--async"] if self.respond_async else []
        child = process.start([str(program("poster")), *flags], load_core())
        assert child.stdin
        child.stdin.write(json.dumps(self.item))
        child.stdin.close()
        return child

    def finish(self, child: Popen[str]) -> Posted:
        """An error unless every post was answered 201."""
        assert child.stdout
        try:
            words = child.stdout.readline().split()
            child.wait(POSTING_WAIT)
        except subprocess.TimeoutExpired as error:
            raise BenchError("The load client did not end.") from error
        finally:
            process.stop(child)
        said = {name: int(value) for name, _, value in (word.partition("=") for word in words[1:])}
        if not said or said["failed"] or said["ok"] != self.count:
            raise BenchError(f"Not all {self.count} posts were accepted: {' '.join(words)}")
        seconds = {name: value / 1e9 for name, value in said.items()}
        return Posted(
            said["ok"],
            seconds["first"],
            seconds["last"],
            seconds["p50"],
            seconds["p99"],
            seconds["most"],
        )

    def run(self) -> Posted:
        return self.finish(self.begin())
