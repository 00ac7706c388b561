"""Send to many sockets with one system call: Linux io_uring, by ctypes.

Each entry has MSG_DONTWAIT, so every send has been tried when the call returns.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import mmap
import os
import socket
import struct
from array import array

from feedserver.linux.batches import ENTRIES, KernelQueue, address, call, fault

log = logging.getLogger("feedserver.uring")

# From linux/io_uring.h; the numbers of the calls are the same on every architecture.
_SETUP, _ENTER = 425, 426
_SETUP_SUBMIT_ALL = 1 << 7  # an entry that fails does not stop those after it; Linux 5.18
_FEATURE_SINGLE_MMAP = 1 << 0
_OP_SEND = 26
_ENTRY_SKIP_SUCCESS = 1 << 6  # sockets that took the whole frame are not reported; Linux 5.17
# With MSG_WAITALL a socket that took a part of the frame counts as failed, and is reported.
_MESSAGE_FLAGS = socket.MSG_DONTWAIT | socket.MSG_WAITALL | socket.MSG_NOSIGNAL
_OFFSET_ENTRIES = 0x10000000
_PARAMS = struct.Struct("=10I10I10I")  # parameters, then the offsets of each ring
_ENTRY = struct.Struct("=BBHiQQIIQ24x")  # opcode … descriptor, offset, address, length, flags, tag
_COMPLETION = struct.Struct("=QiI")  # tag, result, flags
_WRAP = 1 << 32


class Ring(KernelQueue):
    """A submission and a completion queue."""

    def __init__(self) -> None:
        params = ctypes.create_string_buffer(
            _PARAMS.pack(0, 0, _SETUP_SUBMIT_ALL, *[0] * 27), _PARAMS.size
        )
        self._descriptor = call(_SETUP, ENTRIES, params)
        try:
            said = _PARAMS.unpack(params.raw)
            if not said[5] & _FEATURE_SINGLE_MMAP:
                raise fault(errno.ENOSYS)
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
        # Maps slots of the queue to entries, so that the entries of a call begin with the first.
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
        super().__init__()

    def close(self) -> None:
        """Close the rings. A send after that reports that no socket took anything."""
        os.close(self._descriptor)
        self._descriptor = -1

    def _send(self, descriptors: array[int]) -> list[tuple[int, int]]:
        count = len(descriptors)
        self._targets[:count] = descriptors
        tail = self._submitted[0]
        turn = -tail % ENTRIES
        if self._order[0] != turn:
            self._order[:] = self._orders[turn : turn + ENTRIES]
        self._submitted[0] = (tail + count) % _WRAP
        submitted = 0
        try:
            submitted = call(_ENTER, self._descriptor, count, 0, 0, None, 0)
        except OSError as refusal:
            log.warning("io_uring refused %d sends: %s", count, refusal.strerror)
        self._submitted[0] = (tail + submitted) % _WRAP  # so that the rest is not sent later
        return self._reap() + [(at, 0) for at in range(submitted, count)]

    def _set_frame(self, frame: bytes) -> None:
        entry = _ENTRY.pack(
            _OP_SEND, _ENTRY_SKIP_SUCCESS, 0, -1, 0, address(frame), len(frame), _MESSAGE_FLAGS, 0
        )
        self._entries[:] = entry * ENTRIES
        self._entry_tags[:] = array("Q", range(ENTRIES))

    def _reap(self) -> list[tuple[int, int]]:
        head, completed = self._reaped[0], self._completed[0]
        if head == completed:
            return []
        turns = [(head + at) % self._done for at in range((completed - head) % _WRAP)]
        short = [(self._done_tags[turn], max(self._results[turn], 0)) for turn in turns]
        self._reaped[0] = completed
        return short
