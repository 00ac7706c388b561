"""Send one frame to all sockets of a cohort: the innermost step of the fan-out."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable

from feedserver.live.readers import Cohort, Reader

log = logging.getLogger("feedserver.live.sending")

SendAll = Callable[["array[int]", bytes], list[tuple[int, int]]]
"""Sends a frame to many descriptors with one system call. Returns the index of each that did not
take the whole frame, and the bytes it took. Raises OSError when it can no longer be used."""


class Sender:
    """Sends to cohorts, with one system call for many sockets for as long as `send_all` works.

    All channels share one sender: once `send_all` has failed, none of them uses it any more.
    """

    def __init__(self, send_all: SendAll | None = None) -> None:
        self._send_all = send_all

    def send(self, cohort: Cohort, frame: bytes) -> None:
        """Send a frame to all readers of a cohort; what a socket does not take, its reader keeps.

        Raises OSError when `send_all` fails: which readers took the frame is not known then.
        """
        size = len(frame)
        readers = cohort.readers.copy()  # a reader whose socket is full leaves the cohort
        slow: list[tuple[Reader, int]] = []
        if self._send_all is None:
            for reader in readers:
                send = reader.send  # not reader.send(…): Python finds a slot faster than a method
                try:
                    taken = send(frame)
                except OSError:
                    taken = 0
                if taken != size:
                    slow.append((reader, taken))
        else:
            try:
                short = self._send_all(cohort.descriptors, frame)
            except OSError as fault:
                self._send_all = None
                log.error("from now on a system call sends to one reader: %s", fault.strerror)
                raise
            slow = [(readers[at], taken) for at, taken in short]
        for reader, taken in slow:
            reader.keep([memoryview(frame)[taken:]])  # shared, not copied
