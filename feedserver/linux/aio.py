"""Send to many sockets with one system call: Linux AIO, io_submit(2), by ctypes.

A write to a non-blocking socket has happened by the time io_submit returns, so one call is the same
as many writes. AIO is older than io_uring, and containers allow it.
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
_OPERATION = struct.Struct("=HhI")  # operation code, priority, descriptor
_WRITE = 1
_DESCRIPTOR = 5  # its index in an entry, in words of 4 bytes
_EVENT, _RESULT = 4, 2  # an event is: tag, entry, result, second result
_TIMEOUT = 1  # seconds to wait for completions, which should be there at once


class Aio(KernelQueue):
    """An AIO context and its entries, of which each call changes only the descriptors."""

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
        addresses = range(start, start + 8 * _ENTRY * ENTRIES, 8 * _ENTRY)
        self._addresses = array("Q", addresses)
        words = memoryview(self._entries).cast("B").cast("i")
        self._targets = words[_DESCRIPTOR :: 2 * _ENTRY]
        # The events that the kernel reports when every socket took the whole frame.
        self._whole = array("q", [0] * (_EVENT * ENTRIES))
        self._whole[0::_EVENT] = array("q", range(ENTRIES))
        self._whole[1::_EVENT] = array("q", addresses)
        self._events = array("q", bytes(8 * _EVENT * ENTRIES))
        self._first_event = ctypes.c_void_p(self._events.buffer_info()[0])
        self._timeout = (ctypes.c_long * 2)(_TIMEOUT, 0)
        super().__init__()

    def close(self) -> None:
        """Close the queue. A send after that reports that no socket took anything."""
        with contextlib.suppress(OSError):
            call(self._destroy, self._context)

    def _set_frame(self, frame: bytes) -> None:
        self._entries[_ADDRESS::_ENTRY] = array("Q", [address(frame)]) * ENTRIES
        self._entries[_LENGTH::_ENTRY] = array("Q", [len(frame)]) * ENTRIES
        self._whole[_RESULT::_EVENT] = array("q", [len(frame)]) * ENTRIES

    def _send(self, descriptors: array[int]) -> list[tuple[int, int]]:
        count = len(descriptors)
        self._targets[:count] = descriptors
        refused = self._submit_entries(count)
        done = count - len(refused)
        if done and self._take_events(done) != done:
            self.close()  # which waits for them
            log.error("the kernel has not completed writes that should not wait: AIO is given up")
            raise fault(errno.ETIMEDOUT)
        if not refused and self._events[: _EVENT * count] == self._whole[: _EVENT * count]:
            return []
        tags, results = self._events[0 : _EVENT * done : _EVENT], self._events[_RESULT::_EVENT]
        size = len(self._frame)
        taken = {tag: max(result, 0) for tag, result in zip(tags, results, strict=False)}
        taken |= dict.fromkeys(refused, 0)
        return [(at, taken[at]) for at in range(count) if taken[at] != size]

    def _take_events(self, count: int) -> int:
        timeout = ctypes.byref(self._timeout)
        return call(self._get_events, self._context, count, count, self._first_event, timeout)

    def _submit_entries(self, count: int) -> list[int]:
        """Submit the first `count` entries; return the indices of those that the kernel refuses."""
        refused: list[int] = []
        at = 0
        while at < count:
            try:
                # The kernel stops before the first entry whose descriptor is no open file.
                first = ctypes.c_void_p(self._addresses.buffer_info()[0] + 8 * at)
                at += call(self._submit, self._context, ctypes.c_long(count - at), first)
            except OSError:
                refused.append(at)
                at += 1
        return refused
