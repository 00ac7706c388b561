"""Fork workers, replace those that die, and end them all in order.

The parent holds every listening socket and mailbox. So a worker that replaces a dead one finds what
waits in its queues.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from feedserver.errors import SetupError

log = logging.getLogger("feedserver.supervisor")

SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
STEADY_SECONDS = 5.0  # a worker that lived so long is replaced at once …
BACK_OFF_SECONDS = (0.1, 0.5, 2.0, 5.0)  # … and one that died sooner after these waits
STOP_SECONDS = 15.0  # after which workers that still run are killed
REPORT_MAX = 512  # bytes; the pipe has room for one such report from each worker

Work = Callable[[int, Callable[[], None], int], int]
"""Runs a worker. Takes its number, a function to call when it is ready, and a descriptor that
becomes readable when the parent ends. Returns the worker's exit code. Raises SetupError."""


@dataclass(slots=True)
class _Worker:
    number: int
    pid: int = 0
    started: float = 0.0
    deaths: int = 0
    due: float = 0.0  # the time to start it at


def supervise(
    count: int, work: Work, ready: Callable[[], None], stopping: Callable[[], None]
) -> int:
    """Run `count` workers until a signal ends them. Returns the exit code.

    Calls `ready` once all workers are ready, and `stopping` when the shutdown begins. If a worker
    fails before it is ready, all are ended, because the set-up is wrong. Raises SetupError with the
    reason that the first of them reported.
    """
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK)
    report_read, report_write = os.pipe2(os.O_NONBLOCK)
    life_read, life_write = os.pipe()
    child_handler, *_ = [signal.signal(number, _handle_signal) for number in SIGNALS]
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)

    def start(worker: _Worker) -> None:
        worker.started = time.monotonic()
        # A signal to a child that still has the parent's handlers would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        worker.pid = os.fork()
        if not worker.pid:
            os._exit(run(worker))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def run(worker: _Worker) -> int:
        try:
            signal.set_wakeup_fd(-1)
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            os.close(life_write)
            return work(worker.number, lambda: _report(report_write), life_read)
        except SetupError as fault:
            _report(report_write, fault.detail)
        except BaseException:
            log.critical("worker %d failed", worker.number, exc_info=True)
        return 1

    try:
        return _run(
            [_Worker(number) for number in range(count)],
            start,
            wake_read,
            report_read,
            ready,
            stopping,
        )
    finally:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, child_handler)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # a late signal must not change the exit code
        for descriptor in (wake_read, wake_write, report_read, report_write, life_read, life_write):
            os.close(descriptor)


def _run(
    workers: list[_Worker],
    start: Callable[[_Worker], None],
    wake: int,
    reports: int,
    ready: Callable[[], None],
    before_end: Callable[[], None],
) -> int:
    waiting_for, stopping, reason, fault = len(workers), 0.0, "", ""
    while True:
        now = time.monotonic()
        for worker in workers:
            if not worker.pid and not stopping and worker.due <= now:
                start(worker)
        if stopping and not any(worker.pid for worker in workers):
            if fault:
                raise SetupError(fault)
            return 0
        if stopping and now > stopping + STOP_SECONDS:
            _send(workers, signal.SIGKILL)
        select.select([wake, reports], [], [], 0.5)
        asked = bool({signal.SIGTERM, signal.SIGINT} & set(_take(wake)))
        dead = _reap(workers)
        # Read after the deaths, so that no report of a dead worker is missed.
        lines = _take(reports).decode(errors="replace").splitlines()
        if waiting_for > 0:
            waiting_for -= lines.count("")
            if waiting_for <= 0 and not (stopping or asked):
                ready()
        reason = next(filter(None, lines), reason)  # a report may arrive before the death is seen
        for worker, code in dead if not (stopping or asked) else ():
            if waiting_for > 0 and code:
                fault = fault or reason or f"worker {worker.number} died before it was ready"
                asked = True
            else:
                why = reason or (f"signal {-code}" if code < 0 else f"exit code {code}")
                log.error("worker %d died and is replaced: %s", worker.number, why)
                reason = ""
        if asked and not stopping:
            stopping = now
            before_end()
            _send(workers, signal.SIGTERM)


def _reap(workers: list[_Worker]) -> list[tuple[_Worker, int]]:
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
            dead.append((worker, os.waitstatus_to_exitcode(status)))
    return dead


def _send(workers: list[_Worker], number: signal.Signals) -> None:
    for worker in workers:
        if worker.pid:
            os.kill(worker.pid, number)


def _report(descriptor: int, fault: str = "") -> None:
    """Write one line to the parent: empty for a worker that is ready, else its fault."""
    line = " ".join(fault.split()).encode()[:REPORT_MAX]
    os.write(descriptor, line + b"\n")


def _take(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except BlockingIOError:
        return b""


def _handle_signal(number: int, frame: object) -> None:
    """Do nothing: Python has already written the signal's number to the wake-up pipe."""
