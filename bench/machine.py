"""The machine: which core does what, and what to say of it beside the figures."""

import gzip
import json
import os
import platform
import re
import resource
import subprocess
from pathlib import Path

from bench.errors import BenchError
from bench.places import CACHE

LOAD = "load average at the start"
MOST_FILES = 20_000  # per process; readers.c and the servers count on it
_CORES = frozenset(os.sched_getaffinity(0))  # as it was before `pin_here`


def server_core() -> int:
    return min(_CORES)


def load_core() -> int:
    return max(_CORES)


def prepare() -> None:
    """Pin the bench beside its load, raise the limit of open files, and refuse what won't do."""
    if server_core() == load_core():
        raise BenchError("Two cores are needed: one for the server, one for its load.")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, MOST_FILES), hard))


def pin_here() -> None:
    """Keep this process off the server's core. Children are placed one by one."""
    os.sched_setaffinity(0, {load_core()})


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else "unknown"


def _said(*command: str) -> str:
    """The first line a command prints, or "absent"."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except OSError:
        return "absent"
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def _softirq_in_account() -> str:
    """Whether a loopback receiver's kernel work counts for the sender (it should)."""
    config = Path("/proc/config.gz")
    if not config.exists():
        return "unknown"
    apart = b"CONFIG_IRQ_TIME_ACCOUNTING=y" in gzip.decompress(config.read_bytes())
    return "no" if apart else "yes"


def describe() -> dict[str, str]:
    """Facts for the table "machine", in order."""
    memory = int(_first(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())) / 2**20
    return {
        "processor": _first(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text()),
        "cores": f"{len(_CORES)}: {server_core()} server, {load_core()} load",
        "memory": f"{memory:.0f} GiB",
        "open files per process": str(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        "kernel": platform.release(),
        "softirq work in the sender's account": _softirq_in_account(),
        "system": _first(r'^PRETTY_NAME="(.+)"', Path("/etc/os-release").read_text()),
        "gcc": _said("gcc", "--version"),
        "node": _said("node", "--version"),
        "python": platform.python_version(),
        LOAD: f"{os.getloadavg()[0]:.2f}",
    }


def packaged() -> dict[str, str]:
    """Versions of the peers that are not Python packages, as far as they are fetched."""
    nginx = sorted(CACHE.glob("nginx/*.deb"))
    found = {file.name.split("_")[0]: file.name.split("_")[1] for file in nginx}
    ws = CACHE / "node" / "node_modules" / "ws" / "package.json"
    if ws.exists():
        found["ws"] = json.loads(ws.read_text())["version"]
    return {name: version.replace("%3a", ":") for name, version in found.items()}
