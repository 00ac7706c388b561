"""What all systems under measurement have in common."""

import select
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import ClassVar

from bench import process
from bench.errors import BenchError
from bench.machine import server_core
from bench.places import cache
from bench.stories import Story

READY_WAIT = 30.0  # seconds
SEND_WAIT = 10.0  # seconds for one message to all


@dataclass(frozen=True, slots=True)
class Made:
    """A newsroom's folder that was filled before, with the feed `bench`, and its editor's token.

    `is_read_only`: nothing will be posted, so that it need not be copied.
    """

    folder: Path
    token: str
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What a benchmark wants of every system it starts.

    `items`: how many a new reader's snapshot holds; `greeting`: the same as a text, for systems
    that have no items; `workers`: processes that share the readers; `heartbeat`: seconds between
    signs of life, or 0 for the system's own; `made`: the folder that a server of ours begins with.
    """

    items: int = 0
    greeting: str | None = None
    workers: int = 1
    heartbeat: int = 0
    made: Made | None = None

    def greeting_file(self) -> str:
        """Path of a file with the greeting, or ""."""
        if self.greeting is None:
            return ""
        file = cache("run") / "greeting.json"
        file.write_text(self.greeting)
        return str(file)


@dataclass(slots=True)
class Peer(ABC):
    """A running server. Made by `start`; ended by `stop`, which may be called twice."""

    setting: Setting
    ports: list[int] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)
    processes: list[Popen[str]] = field(default_factory=list)

    name: ClassVar[str]
    path: ClassVar[str] = "/"
    deflates: ClassVar[bool] = False  # whether readers offer it compression

    def start(self) -> None:
        """Start it and wait until readers can come."""
        self.errors.unlink(missing_ok=True)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        self.look()

    def look(self) -> None:
        """Find all its processes (again)."""
        self.pids = [pid for child in self.processes for pid in process.tree(child.pid)]

    @property
    def greets(self) -> bool:
        """Whether a new reader gets a message at once."""
        return self.setting.greeting is not None

    @abstractmethod
    def publish(self, story: Story) -> None:
        """Have it sent to all readers; return when the server says that it has been."""

    def stop(self) -> None:
        for child in self.processes:
            process.stop(child)

    @abstractmethod
    def _start(self) -> None: ...

    @property
    def errors(self) -> Path:
        """What it says on stderr goes there."""
        return cache("run") / f"{self.name}.log"

    def _spawn(self, command: list[str], env: dict[str, str] | None = None) -> Popen[str]:
        child = process.start(command, server_core(), env=env, errors=self.errors)
        self.processes.append(child)
        return child

    def _line(self, child: Popen[str], wait: float) -> str:
        """The next line a process prints."""
        assert child.stdout
        ready, _, _ = select.select([child.stdout], [], [], wait)
        line = child.stdout.readline() if ready else ""
        if not line:
            log = self.errors.read_text()[-2000:] if self.errors.exists() else ""
            what = "ended" if ready else f"said nothing for {wait:.0f} s"
            raise BenchError(f"{self.name} {what}.\n{log}")
        return line.strip()


class Told(Peer):
    """A system that is told on stdin what to send, as `peers/servers` describes."""

    def _start(self) -> None:
        for _ in range(self.setting.workers):
            child = self._spawn(self.command())
            word, _, port = self._line(child, READY_WAIT).partition(" ")
            if word != "ready":
                raise BenchError(f"{self.name} did not start: {word} {port}")
            self.ports.append(int(port))

    @abstractmethod
    def command(self) -> list[str]: ...

    def publish(self, story: Story) -> None:
        for child in self.processes:
            assert child.stdin
            child.stdin.write(story.message + "\n")
            child.stdin.flush()
        for child in self.processes:
            self._line(child, SEND_WAIT)
