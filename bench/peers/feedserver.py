"""Our server, driven through its public contract only."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import ClassVar

from bench.crowd import PER_PROCESS
from bench.errors import BenchError
from bench.http import Answer, Connection
from bench.peers.peer import READY_WAIT, Peer
from bench.places import cache
from bench.stories import REAL, Story, item

COMMAND_WAIT = 30  # seconds for a command to finish


def executable(name: str = "feedserver") -> str:
    """A command of ours: beside this Python, or on the path, or as FEEDSERVER or PUBLISHER says."""
    beside = Path(sys.executable).with_name(name)
    found = os.environ.get(name.upper()) or (str(beside) if beside.exists() else shutil.which(name))
    if not found:
        raise BenchError(f"{name} is not installed here; --systems can leave it out.")
    return found


@dataclass(slots=True)
class Feedserver(Peer):
    """One journal in a folder of its own on the checkout's disk, one feed, one token."""

    name: ClassVar[str] = "feedserver"
    path: ClassVar[str] = "/v1/feeds/bench/live"
    posts: ClassVar[str] = "/v1/feeds/bench/items"
    data: Path = field(default_factory=Path)
    ready_after: float = 0.0  # seconds from its start to a good /readyz
    options: ClassVar[tuple[str, ...]] = ()
    token: str = ""
    _newsroom: Connection = field(default_factory=lambda: Connection(0))

    @property
    def greets(self) -> bool:
        return True

    def _start(self) -> None:
        self._prepare()
        command = [*self.program(), "serve", "--data", str(self.data), "--port", "0", *self.options]
        if self.setting.workers > 1:
            command += ["--workers", str(self.setting.workers)]
        if self.setting.heartbeat:
            command += ["--heartbeat", str(self.setting.heartbeat)]
        # Both limits are each process's; crowds come at once here, as fast as they can.
        limits = {"FEEDSERVER_READERS": str(PER_PROCESS), "FEEDSERVER_READER_RATE": "100000"}
        environment = {name: os.environ.get(name, limits[name]) for name in limits}
        began = time.monotonic()
        child = self._spawn(command, environment | self.environment())
        line = self._line(child, READY_WAIT)
        found = re.search(r"http://[^\s:/]+:(\d+)", line)
        if not found:
            raise BenchError(f"feedserver printed no address: {line!r}")
        threading.Thread(target=_discard, args=(child,), daemon=True).start()
        self.ports = [int(found[1])]
        self._newsroom = Connection(self.ports[0])
        while self._newsroom.get("/readyz", {}).status != 200:
            time.sleep(0.01)
        self.ready_after = time.monotonic() - began
        for _ in range(self.setting.items):
            self.post(item(REAL))

    def program(self) -> list[str]:
        """How its command begins."""
        return [executable()]

    def environment(self) -> dict[str, str]:
        """What its processes are told besides."""
        return {}

    def _prepare(self) -> None:
        made = self.setting.made
        if made is not None and made.is_read_only:
            self.data, self.token = made.folder, made.token
            return
        self.data = Path(tempfile.mkdtemp(prefix="data-", dir=cache("run")))
        if made is not None:
            copy = ["cp", "--archive", "--reflink=auto", f"{made.folder}/.", str(self.data)]
            subprocess.run(copy, check=True)
            os.sync()  # else the copy is still being written while the server is measured
            self.token = made.token
        else:
            self.command("feed", "add", "bench", "--title", "Bench")
            self.token = self.command("token", "add", "bench").strip()

    def publish(self, story: Story) -> None:
        self.post(story.item)

    def headers(self, *, respond_async: bool = False) -> dict[str, str]:
        """What a post is sent with; `respond_async`: answered before readers have it."""
        said = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return said | ({"Prefer": "respond-async"} if respond_async else {})

    def post(self, posted: dict[str, str], *, respond_async: bool = False) -> Answer:
        """Post one item; an error unless it is accepted."""
        headers = self.headers(respond_async=respond_async)
        answer = self._newsroom.post(self.posts, json.dumps(posted).encode(), headers)
        return accepted(answer)

    def stop(self) -> None:
        self._newsroom.close()
        Peer.stop(self)
        if self.data.name.startswith("data-"):
            shutil.rmtree(self.data, ignore_errors=True)

    def command(self, *arguments: str) -> str:
        """Run another command on the same folder; return what it prints."""
        command = [*self.program(), *arguments, "--data", str(self.data)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=COMMAND_WAIT,
            env=os.environ | self.environment(),
        )
        if done.returncode:
            raise BenchError(f"{' '.join(arguments)}: {done.stderr or done.stdout}")
        return done.stdout


def accepted(answer: Answer) -> Answer:
    """The answer to a post or a verb; an error unless it was done."""
    if answer.status != 201:
        raise BenchError(f"feedserver answered {answer.status}: {answer.body[:500]!r}")
    return answer


def _discard(child: Popen[str]) -> None:
    """Read on what it prints: a full pipe would stop it."""
    try:
        for _ in child.stdout or ():
            pass
    except ValueError:  # closed by `stop` meanwhile
        pass


class FeedserverDeflate(Feedserver):
    """The same, with readers that offer compression."""

    name: ClassVar[str] = "feedserver-deflate"
    deflates: ClassVar[bool] = True


class FeedserverSingle(Feedserver):
    """The same, each send a system call of its own."""

    name: ClassVar[str] = "feedserver-single"
    options: ClassVar[tuple[str, ...]] = ("--aio", "off")


class FeedserverUring(Feedserver):
    """The same, its rounds sent through io_uring."""

    name: ClassVar[str] = "feedserver-uring"
    options: ClassVar[tuple[str, ...]] = ("--io-uring", "on")
