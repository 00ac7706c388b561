"""Which of a server's processes has a connection, as the kernel knows it."""

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from socket import socket

from bench.errors import BenchError

LOOKS, LOOK = 50, 0.01  # the kernel's table follows the handshake at once; /proc may take a look


def owner(connection: socket, pids: Sequence[int]) -> int:
    """The process that accepted the other end of a connection over 127.0.0.1."""
    local, remote = connection.getsockname()[1], connection.getpeername()[1]
    for _ in range(LOOKS):
        inode = _inode(remote, local)
        for pid in pids if inode else ():
            if f"socket:[{inode}]" in _files(pid):
                return pid
        time.sleep(LOOK)
    raise BenchError(f"None of the processes {pids} has the connection from port {local}.")


def _inode(port: int, peer: int) -> str:
    """Of the socket on `port` that is connected to `peer`; "" or "0" while there is none."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *rest = line.split()
        if _port(local) == port and _port(remote) == peer:
            return "" if rest[6] == "0" else rest[6]
    return ""


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _files(pid: int) -> Iterable[str]:
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.add(os.readlink(file))
    return found
