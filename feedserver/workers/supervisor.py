"""Fork workers, replace those that die, and end them all in order.

The parent holds every listening socket and mailbox, so that what waits in the queue of a worker
that died is found by the one that takes its place.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

log = logging.getLogger("feedserver.supervisor")

SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
STEADY_SECONDS = 5.0  # a worker that lived so long is replaced at once …
BACK_OFF_SECONDS = (0.1, 0.5, 2.0, 5.0)  # … one that did not, after these waits
STOP_SECONDS = 15.0  # then what still runs is killed

Work = Callable[[int, Callable[[], None], int], int]
"""A worker: its number, what to call when it is ready, and a descriptor that ends with the parent.
Returns its exit code."""


@dataclass(slots=True)
class _Worker:
    number: int
    pid: int = 0
    started: float = 0.0
    deaths: int = 0
    due: float = field(default=0.0)  # when to start it


def supervise(count: int, work: Work, ready: Callable[[], None]) -> int:
    """Run `count` workers until a signal ends them. Returns the exit code.

    Calls `ready` once all were ready. If one fails before that, all end: the set-up is wrong.
    """
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK)
    ready_read, ready_write = os.pipe2(os.O_NONBLOCK)
    life_read, life_write = os.pipe()
    kept = {number: signal.signal(number, _heed) for number in SIGNALS}
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)

    def start(worker: _Worker) -> None:
        worker.started = time.monotonic()
        worker.pid = os.fork()
        if worker.pid:
            return
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            os.close(life_write)
            code = work(worker.number, lambda: _tell(ready_write), life_read)
        except KeyboardInterrupt:
            code = 0
        finally:
            os._exit(code)

    try:
        return _run(
            [_Worker(number) for number in range(count)], start, wake_read, ready_read, ready
        )
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in kept.items():
            signal.signal(number, handler)
        for descriptor in (wake_read, wake_write, ready_read, ready_write, life_read, life_write):
            os.close(descriptor)


def _run(
    workers: list[_Worker],
    start: Callable[[_Worker], None],
    wake_read: int,
    ready_read: int,
    ready: Callable[[], None],
) -> int:
    waiting_for, stopping, code = len(workers), 0.0, 0
    while True:
        now = time.monotonic()
        for worker in workers:
            if not worker.pid and not stopping and worker.due <= now:
                start(worker)
        if stopping and not any(worker.pid for worker in workers):
            return code
        if stopping and now > stopping + STOP_SECONDS:
            _send(workers, signal.SIGKILL)
        found, _, _ = select.select([wake_read, ready_read], [], [], 0.5)
        if ready_read in found and waiting_for > 0:
            waiting_for -= len(os.read(ready_read, 64))
            if waiting_for <= 0:
                ready()
        if wake_read not in found:
            continue
        asked = {signal.SIGTERM, signal.SIGINT} & set(os.read(wake_read, 64))
        for worker, failed in _reap(workers):
            if stopping:
                continue
            if waiting_for > 0 and failed:
                asked, code = {signal.SIGTERM}, 1
                continue
            log.error("worker %d died and is replaced", worker.number)
        if asked and not stopping:
            stopping = now
            _send(workers, signal.SIGTERM)


def _reap(workers: list[_Worker]) -> list[tuple[_Worker, bool]]:
    dead = []
    for worker in workers:
        if not worker.pid:
            continue
        pid, status = os.waitpid(worker.pid, os.WNOHANG)
        if pid:
            lived = time.monotonic() - worker.started
            worker.deaths = 0 if lived > STEADY_SECONDS else worker.deaths + 1
            wait = BACK_OFF_SECONDS[min(worker.deaths, len(BACK_OFF_SECONDS)) - 1]
            worker.due = time.monotonic() + (wait if worker.deaths else 0.0)
            worker.pid = 0
            dead.append((worker, status != 0))
    return dead


def _send(workers: list[_Worker], number: signal.Signals) -> None:
    for worker in workers:
        if worker.pid:
            os.kill(worker.pid, number)


def _tell(descriptor: int) -> None:
    os.write(descriptor, b".")


def _heed(number: int, frame: object) -> None:
    """Leave it to the loop: Python has written the signal's number to the wake-up pipe."""
