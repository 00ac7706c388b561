"""What AIO and io_uring have in common: a batch of sends in one system call."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
from abc import ABC, abstractmethod
from array import array
from typing import Any, Final

ENTRIES: Final = 128  # sends in a batch, a power of two; longer lists take several calls

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


class KernelQueue(ABC):
    """A queue of sends that is shared with the kernel. For one thread.

    The kernel has tried every socket by the time `send` returns. Nothing is left in the queue that
    could reach a descriptor after it was closed and opened anew for somebody else.
    """

    def __init__(self) -> None:
        """Open the queue. Raises OSError where the kernel lacks it, forbids it, or is too old."""
        self._frame = b""
        try:
            works = self._counts_partial_sends()
        except BaseException:
            self.close()
            raise
        if not works:
            self.close()
            raise fault(errno.ENOSYS)

    def send(self, descriptors: array[int], frame: bytes) -> list[tuple[int, int]]:
        """Send `frame` to each socket without waiting.

        Returns the index of each socket that did not take the whole frame, and the bytes it took.
        Raises OSError when the queue can no longer be used; it is closed then, and which sockets
        of the last batch took the frame is not known.
        """
        if frame is not self._frame:
            self._set_frame(frame)
            self._frame = frame  # kept, as the entries hold its address
        short: list[tuple[int, int]] = []
        for start in range(0, len(descriptors), ENTRIES):
            part = descriptors[start : start + ENTRIES]
            short += [(start + at, taken) for at, taken in self._send(part)]
        return short

    @abstractmethod
    def close(self) -> None:
        """Close the queue. A send after that reports that no socket took anything."""

    @abstractmethod
    def _set_frame(self, frame: bytes) -> None:
        """Make every entry send this frame."""

    @abstractmethod
    def _send(self, descriptors: array[int]) -> list[tuple[int, int]]:
        """Send the frame to `ENTRIES` sockets at most; return what `send` returns."""

    def _counts_partial_sends(self) -> bool:
        """Try whether the kernel reports how much a full socket took: some kernels do not."""
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
    """Return the address of a frame's bytes, valid for as long as the frame is kept."""
    return ctypes.cast(ctypes.c_char_p(frame), ctypes.c_void_p).value or 0


def call(number: int, *arguments: Any) -> int:
    """Make a system call. Raises OSError."""
    result: int = _syscall(number, *arguments)
    if result < 0:
        raise fault(ctypes.get_errno())
    return result


def fault(number: int) -> OSError:
    """Make the OSError of an error number."""
    return OSError(number, os.strerror(number))
