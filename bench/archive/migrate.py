"""What it takes to migrate a folder of the reference's format: time, memory, bytes.

The reference's own server fills it, over its API, every time anew.
"""

import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import memory, peers, process, prose
from bench.archive import Part, Sizes
from bench.errors import BenchError
from bench.machine import server_core
from bench.peers.feedserver import Feedserver, executable
from bench.peers.peer import Peer, Setting
from bench.peers.reference import COMMIT, Reference
from bench.places import cache
from bench.press import Press
from bench.report import Table

CONNECTIONS = 64
TOGETHER = 20_000  # posts of one press, which has its limit of time
LOOK = 0.02  # seconds between two looks at the memory
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Migrated:
    """One migration. `peak` is the most memory of its own (PSS) that was seen, in bytes."""

    items: int
    seconds: float
    peak: int
    before: int  # bytes in all files
    after: int


def measure(sizes: Sizes) -> Part:
    done = [_migrated(count) for count in (sizes.few, sizes.items)]
    small, large = done
    columns = ["items", "seconds", "µs an item", "peak, MiB", "bytes before", "bytes after"]
    rows = [
        [
            f"{one.items:,}",
            f"{one.seconds:.2f}",
            f"{1e6 * one.seconds / one.items:,.0f}",
            f"{one.peak / MIB:.1f}",
            f"{one.before:,}",
            f"{one.after:,}",
        ]
        for one in done
    ]
    figures: dict[str, object] = {f"{one.items}": asdict(one) for one in done}
    figures["grown"] = large.peak - small.peak
    title = f"`feedserver migrate` of folders that commit {COMMIT} has filled"
    return Part([Table(title, columns, rows)], figures)


def _migrated(items: int) -> Migrated:
    """Have the reference fill a folder, end it, and migrate the folder."""
    server = peers.start(Reference.name, Setting())
    assert isinstance(server, Feedserver)
    try:
        for start in range(0, items, TOGETHER):
            count = min(TOGETHER, items - start)
            Press(server, prose.item(1), CONNECTIONS, count, respond_async=True).run()
        Peer.stop(server)  # its folder stays until the end
        before = _bytes(server.data)
        seconds, peak = _run([executable(), "migrate", "--data", str(server.data)])
        return Migrated(items, seconds, peak, before, _bytes(server.data))
    finally:
        server.stop()


def _run(command: list[str]) -> tuple[float, int]:
    """Run a command to its end; return its seconds and its peak of memory, in bytes."""
    errors, peak = cache("run") / "migrate.log", 0
    errors.unlink(missing_ok=True)
    began = time.monotonic()
    child = process.start(command, server_core(), errors=errors)
    try:
        while child.poll() is None:
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended just now
                peak = max(peak, memory.pss([child.pid]))
            time.sleep(LOOK)
        took = time.monotonic() - began
    finally:
        process.stop(child)
    if child.returncode:
        raise BenchError(f"{' '.join(command)}: {errors.read_text()[-2000:]}")
    return took, peak


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
