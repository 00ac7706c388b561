"""uvicorn's server, with timeouts, and with a goodbye to readers before it closes them."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import uvicorn

from feedserver.live.hub import Hub
from feedserver.websocket.connection import SocketReader
from feedserver.websocket.http1 import Connections
from feedserver.websocket.listening import BACKLOG

GOODBYE_SECONDS = 3.0  # for readers to take their goodbye
GRACE_SECONDS = 5  # for requests to end, after that
TICKS = 10  # of uvicorn, in a second
KEEP_ALIVE_SECONDS = 65  # longer than the proxies in front, so that they close first


class Server(uvicorn.Server):
    """Serves an app until a signal, or `stop`, ends it."""

    def __init__(self, app: Any, connections: Connections, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=cast("Any", connections.protocol),
                ws="none",  # `Connections` does the handshakes
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,  # nothing here depends on the client's address
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self.hub: Hub | None = None  # once there is one
        self._connections = connections
        self._ready = ready

    def stop(self) -> None:
        """End the server, as a signal would."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and call `ready`, unless the server is to stop already."""
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Once a second, end the connections whose time is up."""
        if counter % TICKS == 0:
            self._connections.sweep()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Send readers away in order; only then let uvicorn close what is left."""
        for server in self.servers:
            server.close()
        if self.hub is not None:
            await self.hub.close()
        self._connections.sweep()
        swept = time.monotonic()
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                while self._has_readers() and not self.force_exit:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self._connections.give_up(swept)
        await super().shutdown(sockets)

    def _has_readers(self) -> bool:
        connections = self.server_state.connections
        return (self.hub is not None and self.hub.readers > 0) or any(
            isinstance(one, SocketReader) for one in connections
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal, and ignore those that come after the end.

        uvicorn's own would raise them again before the database is closed. The loop's handlers
        would not do: removing one puts the default back for a moment, and a parent's SIGTERM after
        Ctrl-C would meet it.
        """
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number in signals:
                signal.signal(number, signal.SIG_IGN)
