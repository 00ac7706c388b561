"""The wiring: settings in, a running server out. Only the commands import it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvloop
from starlette.applications import Starlette
from starlette.types import Lifespan

from feedserver.api import app, editing, health, linting, reading, session, streaming
from feedserver.api.access import Tokens
from feedserver.api.context import Context, Site
from feedserver.api.waiting import Waiting
from feedserver.clock import Clock
from feedserver.errors import SetupError, Unavailable
from feedserver.linux.aio import Aio
from feedserver.linux.allocator import return_long_texts
from feedserver.linux.batches import KernelQueue
from feedserver.linux.timekeeping import boot_millis, is_synchronised, wall_millis
from feedserver.linux.uring import Ring
from feedserver.live.encoded import EncodedCache
from feedserver.live.hub import Hub
from feedserver.newsroom import Newsroom
from feedserver.settings import Settings
from feedserver.site import canonical, errors, pages
from feedserver.sqlite.folder import NoNewsroom, Restoring
from feedserver.sqlite.journal import SQLiteJournal
from feedserver.sqlite.opening import CHECKED_MAX, fold_log, prepare
from feedserver.sqlite.storage import open_storage
from feedserver.syndication import oembed
from feedserver.syndication import routes as syndication
from feedserver.websocket import endpoint
from feedserver.websocket.http1 import Connections
from feedserver.websocket.listening import listen, listen_together, url_of
from feedserver.websocket.server import Server
from feedserver.workers.siblings import Box, Siblings, mailboxes
from feedserver.workers.supervisor import supervise

if TYPE_CHECKING:
    from feedserver.outgoing import websub
    from feedserver.outgoing.cursors import Cursors

log = logging.getLogger("feedserver")

NEWSROOM_POLL_SECONDS = 0.5  # between looks for a newsroom where there is none yet
RENEWAL_SECONDS = 0.5  # between tries to read the tokens of another journal
SWITCH_SECONDS = 0.0005  # how long a thread computes while another one wants to
COLLECT_AFTER = (50_000, 20, 20)  # allocations, then collections, of each generation


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
        open_storage(
            settings.data, checked_max=0 if worker else CHECKED_MAX, on_fault=died
        ) as storage,
        AsyncExitStack() as running,
    ):
        queue = _open_queue(settings)
        if queue is not None:
            running.callback(queue.close)
        journal, mirror = storage.journal, storage.mirror
        clock = Clock(wall_millis, boot_millis, is_synchronised, await journal.newest_at())
        followed = await journal.head()
        cursors = _open_cursors(settings)
        if cursors is not None:
            running.callback(cursors.close)
        hub = Hub(
            journal,
            mirror,
            page_url=lambda slug: f"{url}/feeds/{slug}",
            heartbeat=settings.heartbeat,
            readers_max=settings.readers,
            reader_rate=settings.reader_rate,
            clock=clock.now,
            send_all=queue.send if queue is not None else None,
            cache=EncodedCache(settings.cache_mib * 1024 * 1024),
        )
        siblings = Siblings(worker.number, worker.boxes, hub, journal.nudge) if worker else None
        here = Context(
            journal=journal,
            mirror=mirror,
            newsroom=Newsroom(journal, mirror, clock.now),
            clock=clock,
            folder=storage,
            hub=hub,
            crowd=siblings or hub,
            tokens=Tokens(await mirror.tokens(), followed),
            site=Site(
                url,
                settings.site_name,
                settings.site_image,
                settings.site_links,
                settings.websub_hub,
            ),
            targets=cursors,
            faults=faults,
        )
        pinger = _pinger(here, cursors) if cursors is not None else None
        hub.applied_to = followed
        restarting: set[asyncio.Task[None]] = set()

        def renewed(task: asyncio.Task[None]) -> None:
            restarting.discard(task)
            if not task.cancelled() and (fault := task.exception()) is not None:
                died(fault)

        def restart() -> None:
            hub.restart()
            task = asyncio.create_task(_renew_tokens(here))
            restarting.add(task)
            task.add_done_callback(renewed)

        running.callback(lambda: [task.cancel() for task in restarting])
        journal.on_new_epoch = restart
        journal.on_clock_accepted = clock.accept
        works = [_follow(here, journal, followed, pinger), hub.run()]
        if pinger is not None:
            works.append(pinger.run())
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


def make_app(lifespan: Lifespan[Starlette] | None) -> Starlette:
    """Make the app of all doors. Whoever runs it puts a `Context` into its state as `context`."""
    routes = [
        *endpoint.routes,
        *reading.routes,
        *editing.routes,
        *linting.routes,
        *session.routes,
        *streaming.routes,
        *health.routes,
        *syndication.routes(),
        *oembed.routes(),
        *pages.routes(),
    ]
    redirect = canonical.redirecting(form.suffix for form in syndication.FORMATS)
    return app.make_app(lifespan, routes, errors.answer_error, syndication.PATHS, redirect)


def create_app(settings: Settings) -> Starlette:
    """Make the app for another ASGI server; its lifespan opens the database."""

    @asynccontextmanager
    async def lifespan(starlette: Starlette) -> AsyncIterator[None]:
        async with open_context(settings, settings.public_url, _log_fault) as here:
            starlette.state.context = here
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
    return_long_texts()
    if settings.workers == 1:
        with listen(settings.host, settings.port) as listener:
            return _run(settings, listener, lambda: ready(url_of(listener)))
    listeners = listen_together(settings.host, settings.port, settings.workers)
    with suppress(NoNewsroom):  # each worker waits for one
        prepare(settings.data, CHECKED_MAX)
    boxes = mailboxes(settings.workers)

    def work(number: int, is_ready: Callable[[], None], life: int) -> int:
        for other in listeners[:number] + listeners[number + 1 :]:
            other.close()
        return _run(settings, listeners[number], is_ready, Worker(number, boxes), life)

    def stopping() -> None:
        for listener in listeners:  # or the kernel would go on taking connections for nobody
            listener.close()

    code = supervise(settings.workers, work, lambda: ready(url_of(listeners[0])), stopping)
    fold_log(settings.data)
    return code


def _raise_open_files() -> None:
    # A reader is an open file. The soft limit is for programs that cannot count above 1024.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


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
    url = settings.url or url_of(listener)
    stop: list[Callable[[], None]] = []

    def died(fault: BaseException) -> None:
        faults.append(fault)
        on_fault(fault)

    def on_fault(fault: BaseException) -> None:
        for stopper in stop:
            stopper()

    # Young collections look at every reader in the list of a round: let them be rare.
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    # Threads that search and index give way to the loop at once, and not after 5 ms.
    sys.setswitchinterval(SWITCH_SECONDS)
    starlette = make_app(None)
    faults: list[BaseException] = []
    async with AsyncExitStack() as opened:

        async def take_up() -> Context:
            here = await opened.enter_async_context(open_context(settings, url, on_fault, worker))
            starlette.state.context = here
            here.hub.open_sockets = lambda: connections.sockets
            if here.faults:
                server.stop()
            return here

        def reject(path: str, offered: list[str]) -> bytes | None:
            here: Context | None = getattr(starlette.state, "context", None)
            return endpoint.reject(here.hub, path, offered) if here is not None else None

        connections = Connections(reject)
        server = Server(Waiting(starlette), connections, ready)
        stop.append(server.stop)
        try:
            server.hub = (await take_up()).hub
        except NoNewsroom as absent:
            log.warning("%s; it is taken up as soon as there is one", absent.detail)
            await opened.enter_async_context(_running(_wait_for_newsroom(server, take_up), died))
        if life is not None:  # it ends when the parent does, however that comes about
            _when_readable(life, server.stop)
        await server.serve([listener])
        here: Context | None = getattr(starlette.state, "context", None)
        if here is not None:
            faults += here.faults
    if faults and isinstance(faults[0], SetupError):
        raise faults[0]
    return 1 if faults else 0


async def _wait_for_newsroom(
    server: Server, take_up: Callable[[], Coroutine[Any, Any, Context]]
) -> None:
    while True:
        await asyncio.sleep(NEWSROOM_POLL_SECONDS)
        try:
            server.hub = (await take_up()).hub
        except (NoNewsroom, Restoring):  # a restore is what it may be waiting for
            continue
        log.warning("the newsroom is there, and taken up")
        return


def _when_readable(descriptor: int, act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def once() -> None:
        loop.remove_reader(descriptor)
        act()

    loop.add_reader(descriptor, once)


def _open_cursors(settings: Settings) -> Cursors | None:
    if not settings.websub_hub:
        return None
    from feedserver.outgoing.cursors import Cursors

    return Cursors(settings.data)


def _pinger(here: Context, cursors: Cursors) -> websub.Pinger:
    from feedserver.outgoing import websub  # and httpx with it: megabytes that few need

    subscribed = sorted(syndication.SUBSCRIBED)
    return websub.Pinger(
        here.site.hub,
        lambda slug: [here.page_url(slug) + suffix for suffix in subscribed],
        here.hub.feeds,
        lambda: here.hub.epoch,
        cursors,
        here.hub.now,
    )


async def _follow(
    here: Context, journal: SQLiteJournal, after: int, pinger: websub.Pinger | None = None
) -> None:
    async for changes in journal.follow(after):
        here.tokens.apply(changes)
        here.hub.apply(changes)
        if pinger is not None:
            pinger.note(changes)
        if here.clock is not None:
            here.clock.note(max(change.effective_at for change in changes))


async def _renew_tokens(here: Context) -> None:
    """Take the tokens of another journal, however long they cannot be read."""
    while True:
        try:
            here.tokens.renew(await here.mirror.tokens(), await here.journal.head())
        except Unavailable as fault:
            log.warning("cannot read who may edit, will retry: %s", fault.detail)
            await asyncio.sleep(RENEWAL_SECONDS)
        else:
            return


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
