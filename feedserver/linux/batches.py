"""What the ways of giving the kernel many sends at once have in common."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
from abc import ABC, abstractmethod
from array import array
from typing import Any, Final

ENTRIES: Final = 128  # a power of two; longer lists take several calls

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


class KernelQueue(ABC):
    """A queue that the kernel shares. For one thread.

    Everything happens within `send`: the kernel has tried every socket by the time it returns, and
    nothing is ever left in the queue that could meet a descriptor which has been closed and given
    to somebody else since.
    """

    def __init__(self) -> None:
        """Raises OSError where the kernel has no such queue, an old one, or forbids it."""
        self._frame = b""
        try:
            works = self._tells_parts()
        except BaseException:
            self.close()
            raise
        if not works:
            self.close()
            raise fault(errno.ENOSYS)

    def send(self, descriptors: array[int], frame: bytes) -> list[tuple[int, int]]:
        """Send `frame` to each socket without waiting.

        Returns the positions of those that did not take it whole, and the bytes each took.
        """
        if frame is not self._frame:
            self._aim(frame)
            self._frame = frame  # and keep it: the entries hold its address
        short: list[tuple[int, int]] = []
        for start in range(0, len(descriptors), ENTRIES):
            part = descriptors[start : start + ENTRIES]
            short += [(start + at, taken) for at, taken in self._send(part)]
        return short

    @abstractmethod
    def close(self) -> None:
        """Give the queue back. Whatever is sent after that is taken by nobody."""

    @abstractmethod
    def _aim(self, frame: bytes) -> None:
        """Let every entry send this frame."""

    @abstractmethod
    def _send(self, descriptors: array[int]) -> list[tuple[int, int]]:
        """Send the frame to as many sockets as there are entries, at most; answers as `send`."""

    def _tells_parts(self) -> bool:
        """Find out if the kernel says how much a full socket took: some lose count."""
        frame = bytes(1 << 22)
        own, other = socket.socketpair()
        with own, other:
            own.setblocking(False)
            other.setblocking(False)
            [(_, taken)] = self.send(array("i", [own.fileno()]), frame) or [(0, 0)]
            arrived = 0
            with contextlib.suppress(BlockingIOError):
                while part := other.recv(len(frame)):
                    arrived += len(part)
        return 0 < taken == arrived


def address(frame: bytes) -> int:
    """Return where a frame's bytes are, for as long as it is kept."""
    return ctypes.cast(ctypes.c_char_p(frame), ctypes.c_void_p).value or 0


def call(number: int, *arguments: Any) -> int:
    """Make a system call. Raises OSError."""
    result: int = _syscall(number, *arguments)
    if result < 0:
        raise fault(ctypes.get_errno())
    return result


def fault(number: int) -> OSError:
    """Return the error of that number, in words."""
    return OSError(number, os.strerror(number))
