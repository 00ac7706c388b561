"""The wiring: settings in, a running server out. Knows everybody; nobody knows it but the CLI."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import uvicorn
import uvloop
from starlette.applications import Starlette

from feedserver.api.access import Tokens
from feedserver.api.app import make_app
from feedserver.api.context import Context, Site
from feedserver.errors import SetupError
from feedserver.linux.aio import Aio
from feedserver.linux.batches import KernelQueue
from feedserver.linux.uring import Ring
from feedserver.live.hub import Hub, now_millis
from feedserver.newsroom import Newsroom
from feedserver.settings import Settings, address_of
from feedserver.sqlite.database import CHECKED_MAX, fold_log, open_database, prepare
from feedserver.sqlite.journal import SQLiteJournal, open_journal
from feedserver.sqlite.mirror import SQLiteMirror
from feedserver.websocket.connection import SocketReader
from feedserver.websocket.endpoint import reject
from feedserver.websocket.http1 import Connections
from feedserver.workers.siblings import Box, Siblings, mailboxes
from feedserver.workers.supervisor import supervise

log = logging.getLogger("feedserver")

COLLECT_AFTER = (50_000, 20, 20)  # allocations, then collections, of each generation
BACKLOG = 4096  # handshakes that wait while a round is under way
SEND_BUFFER = 128 * 1024  # bytes the kernel holds for one reader who has stopped reading
# Unacknowledged for so long, the kernel gives a connection up. It counts a reader that takes a few
# KB a second as silent, so this is long; the hub's own look at its sockets is the strict one.
USER_TIMEOUT_MS = 600_000
GOODBYE_SECONDS = 3.0  # for readers to take their goodbye
GRACE_SECONDS = 5  # for requests to end, after that
TICKS = 10  # of uvicorn, in a second
KEEP_ALIVE_SECONDS = 65  # longer than the proxies in front, so that they close first


@dataclass(frozen=True, slots=True)
class Worker:
    """Which of several processes this is; the only one without."""

    number: int
    boxes: list[Box]


@asynccontextmanager
async def open_context(
    settings: Settings,
    url: str,
    on_fault: Callable[[BaseException], None],
    worker: Worker | None = None,
) -> AsyncIterator[Context]:
    """Open the database and run everything that lives on it. Raises SetupError."""
    faults: list[BaseException] = []

    def died(fault: BaseException) -> None:
        faults.append(fault)
        on_fault(fault)

    async with (
        # The parent of workers has looked through the file for all of them.
        open_database(settings.data, checked_max=0 if worker else CHECKED_MAX) as database,
        open_journal(database, on_fault=died) as journal,
        AsyncExitStack() as running,
    ):
        queue = _open_queue(settings)
        if queue is not None:
            running.callback(queue.close)
        mirror = SQLiteMirror(database)
        followed = await journal.head()
        hub = Hub(
            journal,
            mirror,
            page_url=lambda slug: f"{url}/feeds/{slug}",
            heartbeat=settings.heartbeat,
            readers_max=settings.readers,
            reader_rate=settings.reader_rate,
            send_all=queue.send if queue is not None else None,
        )
        siblings = Siblings(worker.number, worker.boxes, hub, journal.nudge) if worker else None
        here = Context(
            journal=journal,
            mirror=mirror,
            newsroom=Newsroom(journal, mirror, now_millis),
            hub=hub,
            crowd=siblings or hub,
            tokens=Tokens(await mirror.tokens()),
            site=Site(url, settings.site_name, settings.site_image, settings.site_links),
            faults=faults,
        )
        works = [_follow(here, journal, followed), hub.run()]
        if siblings is not None:
            journal.on_commit = siblings.announce
            works.append(siblings.run())
        for work in works:
            await running.enter_async_context(_running(work, died))
        yield here


def _open_queue(settings: Settings) -> KernelQueue | None:
    ways: list[tuple[str, type[KernelQueue]]] = []
    if settings.io_uring:
        ways.append(("io_uring", Ring))
    if settings.aio:
        ways.append(("asynchronous I/O", Aio))
    for name, way in ways:
        try:
            queue = way()
        except OSError as fault:
            log.warning("the kernel refuses %s: %s", name, fault.strerror)
        else:
            log.info("each system call sends to many readers, through %s", name)
            return queue
    log.info("each system call sends to one reader")
    return None


def create_app(settings: Settings) -> Starlette:
    """Make the app for another ASGI server; its lifespan opens the database."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_context(settings, settings.public_url, _log_fault) as here:
            app.state.context = here
            yield
            await here.hub.close()

    return make_app(lifespan)


def serve(settings: Settings, *, ready: Callable[[str], None]) -> int:
    """Run a server until a signal ends it; tells `ready` its address. Raises SetupError.

    Returns the exit code: 1 if a part of it died.
    """
    # Where systemd's journal listens, it writes the time itself.
    when = "" if "JOURNAL_STREAM" in os.environ else "%(asctime)s "
    logging.basicConfig(
        level=settings.log_level.upper(), format=f"{when}%(levelname)s %(name)s: %(message)s"
    )
    _raise_open_files()
    if settings.workers == 1:
        with listen(settings.host, settings.port) as listener:
            return _run(settings, listener, lambda: ready(_address(listener)))
    listeners = listen_together(settings.host, settings.port, settings.workers)
    prepare(settings.data, CHECKED_MAX)
    boxes = mailboxes(settings.workers)

    def work(number: int, is_ready: Callable[[], None], life: int) -> int:
        for other in listeners[:number] + listeners[number + 1 :]:
            other.close()
        return _run(settings, listeners[number], is_ready, Worker(number, boxes), life)

    def stopping() -> None:
        for listener in listeners:  # or the kernel would go on taking connections for nobody
            listener.close()

    code = supervise(settings.workers, work, lambda: ready(_address(listeners[0])), stopping)
    fold_log(settings.data)
    return code


def _raise_open_files() -> None:
    # A reader is an open file. The soft limit is for programs that cannot count above 1024.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def listen_together(host: str, port: int, count: int) -> list[socket.socket]:
    """Open one listening socket a worker, on one port; the kernel spreads connections evenly."""
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


def _run(
    settings: Settings,
    listener: socket.socket,
    ready: Callable[[], None],
    worker: Worker | None = None,
    life: int | None = None,
) -> int:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, listener, ready, worker, life))


async def _serve(
    settings: Settings,
    listener: socket.socket,
    ready: Callable[[], None],
    worker: Worker | None,
    life: int | None,
) -> int:
    url = settings.url or _address(listener)
    stop: list[Callable[[], None]] = []

    def on_fault(fault: BaseException) -> None:
        for stopper in stop:
            stopper()

    # Young collections look at every reader in the list of a round: let them be rare.
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    async with open_context(settings, url, on_fault, worker) as here:
        app = make_app(None)
        app.state.context = here
        connections = Connections(partial(reject, here.hub))
        config = uvicorn.Config(
            app,
            http=cast("Any", connections.protocol),
            ws="none",  # `Connections` shakes hands
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # nothing here depends on the client's address
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = _Server(config, here.hub, connections, ready)
        stop.append(server.stop)
        if here.faults:
            server.stop()
        if life is not None:  # it ends when the parent does, however that comes about
            _when_readable(life, server.stop)
        await server.serve([listener])
    return 1 if here.faults else 0


def _when_readable(descriptor: int, act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def once() -> None:
        loop.remove_reader(descriptor)
        act()

    loop.add_reader(descriptor, once)


class _Server(uvicorn.Server):
    """uvicorn, but every wait has a timeout, and readers get a goodbye before it closes them."""

    def __init__(
        self,
        config: uvicorn.Config,
        hub: Hub,
        connections: Connections,
        ready: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._hub = hub
        self._connections = connections
        self._ready = ready

    def stop(self) -> None:
        """End the server, as a signal would."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so, unless the end has come already."""
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Once a second, end the connections whose time is up."""
        if counter % TICKS == 0:
            self._connections.sweep()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let readers go in order; only then let uvicorn close what is left."""
        for server in self.servers:
            server.close()
        await self._hub.close()
        self._connections.sweep()
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                while self._has_readers() and not self.force_exit:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self._connections.give_up()
        await super().shutdown(sockets)

    def _has_readers(self) -> bool:
        connections = self.server_state.connections
        return self._hub.readers > 0 or any(isinstance(one, SocketReader) for one in connections)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals as a wish to stop, and none once it has ended. uvicorn's own would raise
        them again before the database is closed. Not the loop's handlers: to remove one of those
        puts the default back for a moment, and a parent's SIGTERM after Ctrl-C would meet it."""
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number in signals:
                signal.signal(number, signal.SIG_IGN)


async def _follow(here: Context, journal: SQLiteJournal, after: int) -> None:
    async for changes in journal.follow(after):
        here.tokens.apply(changes)
        here.hub.apply(changes)


@asynccontextmanager
async def _running(
    work: Coroutine[Any, Any, None], on_fault: Callable[[BaseException], None]
) -> AsyncIterator[None]:
    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.critical("a part of the server died", exc_info=fault)
            on_fault(fault)

    task = asyncio.create_task(work)
    task.add_done_callback(ended)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _log_fault(fault: BaseException) -> None:
    log.critical("the server can no longer do its work and should be restarted: %s", fault)


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return address_of(host, port)
