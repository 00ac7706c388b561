"""Durable posts per second, and how long from a POST to the last reader."""

import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from bench import cpu
from bench.errors import BenchError
from bench.figures import percentile
from bench.options import Options
from bench.peers.feedserver import Feedserver
from bench.peers.peer import Setting
from bench.places import cache
from bench.press import Posted, Press
from bench.report import Report, Table
from bench.stories import REAL, Story, item
from bench.systems import System, start
from bench.urgent import urgent
from bench.witness import Witness

CONNECTIONS = (1, 8, 64)
BURST_CONNECTIONS = 64
QUIET = 700  # ms without a message: longer than any wait between frames
DRAIN_WAIT = 60_000  # ms
GAP = 0.02  # seconds between lone posts
WARM_UP = 200  # posts

METHOD = f"""\
Items of {REAL} characters of text, each with its own Idempotency-Key, over keep-alive connections
that have one request under way each; the server on one core, the load on the other, the journal
on the disk that holds the checkout. SQLite's own row is one thread of Python that inserts as many
bytes per transaction, WAL and synchronous=FULL, on the same disk. In a burst an
error is raised unless what a witness is sent in changes comes in order, once and without a gap,
up to the last post; each reader must get a last lone item. Who is more than 200 changed items
behind gets a snapshot of the newest instead of changes: "snapshots" is how many the witness got.
"Items per frame" is posts over the frames that a reader got, snapshots among them. Lone posts
follow one another with a gap; the last reader's time is exact to the load client's 1 ms timer."""


def sqlite_alone(count: int) -> Posted:
    """The disk's own limit: single inserts, each durable before the next."""
    body = str(item(REAL))
    took = []
    with tempfile.TemporaryDirectory(prefix="sqlite-", dir=cache("run")) as folder:
        database = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE record (sequence INTEGER PRIMARY KEY, body TEXT)")
        first = time.monotonic()
        for _ in range(count):
            began = time.monotonic()
            database.execute("INSERT INTO record (body) VALUES (?)", (body,))
            took.append(time.monotonic() - began)
        last = time.monotonic()
        database.close()
    p50, p99 = percentile(took, 50), percentile(took, 99)
    return Posted(count, first, last, p50, p99, max(took))


def _times(posted: Posted) -> list[str]:
    return [f"{posted.rate:,.0f}", f"{posted.p50 * 1e3:.2f}", f"{posted.p99 * 1e3:.2f}"]


def alone(server: Feedserver, count: int, figures: dict[str, object]) -> Table:
    """Without readers."""
    columns = ["without readers", "posts/s", "p50, ms", "p99, ms", "ms CPU per post"]
    floor = sqlite_alone(count)
    rows = [["SQLite alone, single inserts", *_times(floor), "-"]]
    figures["sqlite"] = floor.rate
    Press(server, item(REAL), BURST_CONNECTIONS, WARM_UP).run()
    for connections in CONNECTIONS:
        before = cpu.settled(server.pids)
        posted = Press(server, item(REAL), connections, count).run()
        spent = cpu.settled(server.pids) - before
        each = spent.total / count / 1e6
        label = f"{connections} connection{'s' * (connections > 1)}"
        rows.append([label, *_times(posted), f"{each:.3f}"])
        figures[f"connections-{connections}"] = {
            "rate": posted.rate,
            "p50_ms": posted.p50 * 1e3,
            "p99_ms": posted.p99 * 1e3,
            "cpu_ms": each,
        }
    return Table("Durable posts over HTTP", columns, rows)


def burst(system: System, count: int, figures: dict[str, object]) -> Table:
    """Many posts at once beside a crowd."""
    server = system.peer
    assert isinstance(server, Feedserver)
    columns = ["burst", "posts/s", "p50, ms", "p99, ms", "frames per reader"]
    columns += [
        "items per frame",
        "snapshots",
        "last reader after the last answer, ms",
        "µs CPU per item and reader",
    ]
    rows = []
    for respond_async in (False, True):
        witness = Witness(server.ports[0], server.path)
        newest = max(state["version"] for state in witness.message("snapshot")[1]["items"])
        press = Press(server, item(REAL), BURST_CONNECTIONS, count, respond_async)
        before = cpu.settled(server.pids)
        system.crowd.await_quiet(QUIET, DRAIN_WAIT)
        with ThreadPoolExecutor(1) as beside:
            seen = beside.submit(_see_all, witness, newest, count)
            posted = press.run()
            drained = system.crowd.drained()
            spent = cpu.settled(server.pids) - before
            snapshots = seen.result()
        # One more, alone: whoever fell behind and was forgotten does not get it.
        system.deliver(Story(item(REAL), ""), same_size=False)
        frames = drained.messages / system.crowd.size
        answered = "respond-async" if respond_async else "Delivered awaited"
        label = f"{BURST_CONNECTIONS} connections, {answered}"
        late = drained.last / 1e9 - posted.last
        each = spent.total / count / system.crowd.size / 1e3
        rows.append([label, *_times(posted), f"{frames:.1f}", f"{count / frames:.1f}"])
        rows[-1] += [str(snapshots), f"{late * 1e3:.0f}", f"{each:.2f}"]
        figures["async" if respond_async else "awaited"] = {
            "rate": posted.rate,
            "frames": frames,
            "items_per_frame": count / frames,
            "snapshots": snapshots,
            "late_ms": late * 1e3,
            "us_per_item_and_reader": each,
        }
    return Table(f"{count:,} posts beside {system.crowd.size:,} readers", columns, rows)


def _see_all(witness: Witness, last: int, count: int) -> int:
    """Read on until the last of `count` posts was seen; return how many snapshots came instead of
    changes. What changes bring must be without a gap, in order and once."""
    snapshots, started = 0, last
    with urgent():
        while last < started + count:
            message = witness.frame().parsed
            if message["type"] == "snapshot":
                snapshots += 1
                last = max(state["version"] for state in message["items"])
            elif message["type"] == "changes":
                versions = [state["version"] for state in message["items"]]
                if versions != list(range(last + 1, last + 1 + len(versions))):
                    raise BenchError(f"The witness saw {versions} after {last}.")
                last = versions[-1]
    witness.close()
    return snapshots


def lone(system: System, count: int, figures: dict[str, object]) -> Table:
    """One post after the other, with pauses."""
    story = Story(item(REAL), "")
    done = []
    for _ in range(count):
        done.append(system.deliver(story, same_size=False))
        time.sleep(GAP)
    columns = ["lone posts", "p50, ms", "p99, ms", "slowest, ms"]
    rows = []
    for label, times in {
        "POST to half of the readers": [one.half for one in done],
        "POST to the last reader": [one.last for one in done],
        "POST to its answer, Delivered awaited": [one.answered for one in done],
    }.items():
        points = [1e3 * percentile(times, percent) for percent in (50, 99, 100)]
        rows.append([label, *(f"{point:.1f}" for point in points)])
        figures[label] = points
    return Table(f"{count} lone posts, {system.crowd.size:,} readers", columns, rows)


def run(options: Options) -> Report:
    readers = options.number(options.readers, 5000, 2000)
    count = options.number(options.messages, 5000, 1000)
    figures: dict[str, object] = {"readers": readers}
    tables = []
    with ExitStack() as stack:
        system = start("feedserver", Setting(workers=options.workers or 1), 0, stack)
        assert isinstance(system.peer, Feedserver)
        tables.append(alone(system.peer, count, figures))
        system.crowd.open(readers)
        system.peer.look()
        tables.append(burst(system, count, figures))
        tables.append(lone(system, 60 if options.short else 300, figures))
    return Report("publish", METHOD, tables, figures)
