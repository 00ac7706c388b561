"""A round's sends through Linux's asynchronous I/O, io_submit(2), by ctypes.

A write to a socket that does not block has happened when io_submit returns, so this is no more
than many writes in one call. It is older than io_uring, and containers allow it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import platform
import struct
import sys
from array import array

from feedserver.linux.batches import ENTRIES, KernelQueue, address, call, fault

log = logging.getLogger("feedserver.aio")

# io_setup, io_destroy, io_getevents, io_submit; the later architectures share their numbers.
_LATER = (0, 1, 4, 2)
_NUMBERS = {
    "x86_64": (206, 207, 208, 209),
    "aarch64": _LATER,
    "riscv64": _LATER,
    "loongarch64": _LATER,
}
# From linux/aio_abi.h, in words of 8 bytes: tag, flags, operation and descriptor, address, length.
_ENTRY, _TAG, _ADDRESS, _LENGTH = 8, 0, 3, 4
_OPERATION = struct.Struct("=HhI")  # its code, a priority, the descriptor
_WRITE = 1
_DESCRIPTOR = 5  # of an entry in words of 4 bytes
_EVENT, _RESULT = 4, 2  # tag, entry, result, a second result
_PATIENCE = 1  # seconds; what is right needs none


class Aio(KernelQueue):
    """Entries that are written once, but for the descriptors and the frame."""

    def __init__(self) -> None:
        numbers = _NUMBERS.get(platform.machine())
        if numbers is None or sys.byteorder != "little" or struct.calcsize("P") != 8:
            raise fault(errno.ENOSYS)
        setup, self._destroy, self._get_events, self._submit = numbers
        self._context = ctypes.c_ulong()
        call(setup, ENTRIES, ctypes.byref(self._context))
        [operation] = struct.unpack("=Q", _OPERATION.pack(_WRITE, 0, 0))
        self._entries = array("Q", [0, 0, operation, 0, 0, 0, 0, 0] * ENTRIES)
        self._entries[_TAG::_ENTRY] = array("Q", range(ENTRIES))
        start, _ = self._entries.buffer_info()
        places = range(start, start + 8 * _ENTRY * ENTRIES, 8 * _ENTRY)
        self._places = array("Q", places)
        words = memoryview(self._entries).cast("B").cast("i")
        self._targets = words[_DESCRIPTOR :: 2 * _ENTRY]
        # What the kernel answers when every socket took the frame whole.
        self._whole = array("q", [0] * (_EVENT * ENTRIES))
        self._whole[0::_EVENT] = array("q", range(ENTRIES))
        self._whole[1::_EVENT] = array("q", places)
        self._events = array("q", bytes(8 * _EVENT * ENTRIES))
        self._first_event = ctypes.c_void_p(self._events.buffer_info()[0])
        self._patience = (ctypes.c_long * 2)(_PATIENCE, 0)
        super().__init__()

    def close(self) -> None:
        """Give the queue back. Whatever is sent after that is taken by nobody."""
        with contextlib.suppress(OSError):
            call(self._destroy, self._context)

    def _aim(self, frame: bytes) -> None:
        self._entries[_ADDRESS::_ENTRY] = array("Q", [address(frame)]) * ENTRIES
        self._entries[_LENGTH::_ENTRY] = array("Q", [len(frame)]) * ENTRIES
        self._whole[_RESULT::_EVENT] = array("q", [len(frame)]) * ENTRIES

    def _send(self, descriptors: array[int]) -> list[tuple[int, int]]:
        count = len(descriptors)
        self._targets[:count] = descriptors
        refused = self._take_up(count)
        done = count - len(refused)
        if done and self._take_events(done) != done:
            self.close()  # which waits for them
            log.error("the kernel keeps writes that should not wait; all go one by one from now on")
            raise fault(errno.ETIMEDOUT)
        if not refused and self._events[: _EVENT * count] == self._whole[: _EVENT * count]:
            return []
        tags, results = self._events[0 : _EVENT * done : _EVENT], self._events[_RESULT::_EVENT]
        size = len(self._frame)
        taken = {tag: max(result, 0) for tag, result in zip(tags, results, strict=False)}
        taken |= dict.fromkeys(refused, 0)
        return [(at, taken[at]) for at in range(count) if taken[at] != size]

    def _take_events(self, count: int) -> int:
        patience = ctypes.byref(self._patience)
        return call(self._get_events, self._context, count, count, self._first_event, patience)

    def _take_up(self, count: int) -> list[int]:
        """Give the kernel the first entries; return those that it does not take up."""
        refused: list[int] = []
        at = 0
        while at < count:
            try:
                # It stops before the first that is no open file.
                first = ctypes.c_void_p(self._places.buffer_info()[0] + 8 * at)
                at += call(self._submit, self._context, ctypes.c_long(count - at), first)
            except OSError:
                refused.append(at)
                at += 1
        return refused
