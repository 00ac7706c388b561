"""One frame to many sockets in one system call: Linux's io_uring, through ctypes.

Everything happens within `Ring.send`. Each entry says "do not wait", so the kernel has tried every
socket by the time the call returns; nothing is ever left in the ring that could meet a descriptor
which has been closed and given to somebody else since.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import mmap
import os
import socket
import struct
from array import array
from typing import Final

log = logging.getLogger("feedserver.uring")

ENTRIES: Final = 128  # a power of two; longer lists take several calls
# From linux/io_uring.h; the numbers of the calls are the same on every architecture.
_SETUP, _ENTER = 425, 426
_SETUP_SUBMIT_ALL = 1 << 7  # one entry's fault does not stop those after it; Linux 5.18
_FEATURE_SINGLE_MMAP = 1 << 0
_OP_SEND = 26
_ENTRY_SKIP_SUCCESS = 1 << 6  # whoever took all is not reported; Linux 5.17
# With "wait for all" a socket that took a part counts as failed, and is reported.
_MESSAGE_FLAGS = socket.MSG_DONTWAIT | socket.MSG_WAITALL | socket.MSG_NOSIGNAL
_OFFSET_ENTRIES = 0x10000000
_PARAMS = struct.Struct("=10I10I10I")  # of which the rings' offsets, each with two words of address
_ENTRY = struct.Struct("=BBHiQQIIQ24x")  # opcode … descriptor, offset, address, length, flags, tag
_COMPLETION = struct.Struct("=QiI")  # tag, result, flags
_WRAP = 1 << 32

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


class Ring:
    """A submission and a completion queue, shared with the kernel. For one thread."""

    def __init__(self) -> None:
        """Raises OSError where the kernel has no io_uring, an old one, or forbids it."""
        params = ctypes.create_string_buffer(
            _PARAMS.pack(0, 0, _SETUP_SUBMIT_ALL, *[0] * 27), _PARAMS.size
        )
        self._descriptor = _call(_SETUP, ENTRIES, params)
        try:
            said = _PARAMS.unpack(params.raw)
            if not said[5] & _FEATURE_SINGLE_MMAP:
                raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
            submissions, completions, sq, cq = said[0], said[1], said[10:20], said[20:30]
            size = max(sq[6] + 4 * submissions, cq[5] + _COMPLETION.size * completions)
            rings = memoryview(mmap.mmap(self._descriptor, size))
            entries = mmap.mmap(self._descriptor, _ENTRY.size * submissions, offset=_OFFSET_ENTRIES)
        except BaseException:
            os.close(self._descriptor)
            raise

        def word(offset: int) -> memoryview:
            return rings[offset : offset + 4].cast("I")

        self._submitted, self._reaped, self._completed = word(sq[1]), word(cq[0]), word(cq[1])
        # Which entry stands at which turn of the queue: those of a call begin with the first.
        self._order = rings[sq[6] : sq[6] + 4 * submissions].cast("I")
        self._orders = memoryview(array("I", [*range(submissions)] * 2))
        self._order[:] = self._orders[:submissions]
        done = rings[cq[5] : cq[5] + _COMPLETION.size * completions]
        self._done = completions
        self._done_tags = done.cast("Q")[0 :: _COMPLETION.size // 8]
        self._results = done.cast("i")[2 :: _COMPLETION.size // 4]
        self._entries = memoryview(entries)
        self._targets = self._entries.cast("i")[1 :: _ENTRY.size // 4]
        self._entry_tags = self._entries.cast("Q")[4 :: _ENTRY.size // 8]
        self._count = submissions
        self._frame = b""
        if not self._tells_parts():
            self.close()
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    def send(self, descriptors: array[int], frame: bytes) -> list[tuple[int, int]]:
        """Send `frame` to each socket without waiting.

        Returns the positions of those that did not take it whole, and the bytes each took.
        """
        short: list[tuple[int, int]] = []
        for start in range(0, len(descriptors), self._count):
            part = descriptors[start : start + self._count]
            short += [(start + at, taken) for at, taken in self._send(part, frame)]
        return short

    def close(self) -> None:
        """Give the rings back. Whatever is sent after that is taken by nobody."""
        os.close(self._descriptor)
        self._descriptor = -1

    def _tells_parts(self) -> bool:
        """Find out if the kernel says how much a full socket took: some lose count."""
        frame = bytes(1 << 22)
        own, other = socket.socketpair()
        with own, other:
            other.setblocking(False)
            [(_, taken)] = self.send(array("i", [own.fileno()]), frame) or [(0, 0)]
            arrived = 0
            with contextlib.suppress(BlockingIOError):
                while part := other.recv(len(frame)):
                    arrived += len(part)
        return 0 < taken == arrived

    def _send(self, descriptors: array[int], frame: bytes) -> list[tuple[int, int]]:
        count = len(descriptors)
        if frame is not self._frame:
            self._aim(frame)
        self._targets[:count] = descriptors
        tail = self._submitted[0]
        turn = -tail % self._count
        if self._order[0] != turn:
            self._order[:] = self._orders[turn : turn + self._count]
        self._submitted[0] = (tail + count) % _WRAP
        submitted = 0
        try:
            submitted = _call(_ENTER, self._descriptor, count, 0, 0, None, 0)
        except OSError as fault:
            log.warning("io_uring refused %d sends: %s", count, fault.strerror)
        self._submitted[0] = (tail + submitted) % _WRAP  # the kernel must not find the rest later
        return self._reap() + [(at, 0) for at in range(submitted, count)]

    def _aim(self, frame: bytes) -> None:
        address = ctypes.cast(ctypes.c_char_p(frame), ctypes.c_void_p).value
        entry = _ENTRY.pack(
            _OP_SEND, _ENTRY_SKIP_SUCCESS, 0, -1, 0, address, len(frame), _MESSAGE_FLAGS, 0
        )
        self._entries[:] = entry * self._count
        self._entry_tags[:] = array("Q", range(self._count))
        self._frame = frame  # and keep it: the entries hold its address

    def _reap(self) -> list[tuple[int, int]]:
        head, completed = self._reaped[0], self._completed[0]
        if head == completed:
            return []
        turns = [(head + at) % self._done for at in range((completed - head) % _WRAP)]
        short = [(self._done_tags[turn], max(self._results[turn], 0)) for turn in turns]
        self._reaped[0] = completed
        return short


def _call(number: int, *arguments: object) -> int:
    result: int = _syscall(number, *arguments)
    if result < 0:
        fault = ctypes.get_errno()
        raise OSError(fault, os.strerror(fault))
    return result
