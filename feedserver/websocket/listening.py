"""Listening sockets, and what every connection inherits from them."""

from __future__ import annotations

import errno
import socket

from feedserver.errors import SetupError
from feedserver.settings import address_of

BACKLOG = 4096  # handshakes that wait while a round is under way
SEND_BUFFER = 128 * 1024  # bytes the kernel holds for one reader who has stopped reading
# Unacknowledged for so long, the kernel gives a connection up. It counts a reader that takes a few
# KB a second as silent, so this is long; the hub's own look at its sockets is the strict one.
USER_TIMEOUT_MS = 600_000


def listen_together(host: str, port: int, count: int) -> list[socket.socket]:
    """Open one listening socket for each worker, on one port; the kernel spreads connections.

    Raises SetupError.
    """
    with listen(host, port) as probe:  # another server's port must not be shared with it
        port = probe.getsockname()[1]
    return [listen(host, port, together=True) for _ in range(count)]


def listen(host: str, port: int, *, together: bool = False) -> socket.socket:
    """Open a listening socket. Raises SetupError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "that is no host's name"
        raise SetupError(f"cannot listen on {host}: {reason}; choose another with --host") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Every connection inherits these. Without them a reader who has stopped reading keeps
        # megabytes in the kernel, for as long as the kernel likes.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        if together:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as fault:
        listener.close()
        reason = "it is in use" if fault.errno == errno.EADDRINUSE else fault.strerror
        option = "--host" if fault.errno == errno.EADDRNOTAVAIL else "--port"
        raise SetupError(
            f"cannot listen on {host} port {port}: {reason}; choose another with {option}"
        ) from None
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address at which a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return address_of(host, port)
