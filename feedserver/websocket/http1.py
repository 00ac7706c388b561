"""HTTP connections: uvicorn's protocol, with a timeout for every wait.

uvicorn waits for ever for a request that was begun and for a client that no longer reads, and puts
no bound on a head. Here both waits are noted as they begin, and one `sweep` a second ends those
that are too long; no connection has a timer. This uses inner parts of uvicorn, so pyproject.toml
allows a range of its versions, `make test-ends` tests both ends of it, and
tests/websocket/test_connection.py fails when those parts move.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from feedserver.errors import BadRequest, HeadTooLarge, Refused, TooSlow
from feedserver.live.channel import STALL_SECONDS
from feedserver.websocket.connection import OpenSockets, in_kernel
from feedserver.websocket.handshake import (
    Handshake,
    HandshakeQueue,
    Reject,
    Upgrade,
)
from feedserver.websocket.head import (
    HEAD_MAX,
    HEAD_RULE,
    asks_for,
    check_head,
    last_answer,
    without_upgrade,
)

# From a request's first byte to its last, and from a connection to a request.
REQUEST_SECONDS = 30.0
# Bytes unsent that make a client one that does not read. An answer's head alone is less, so that it
# still leaves in one call with what follows.
UNSENT_MAX = 1024
# Bytes of answers that may be held for such clients in all; beyond that the client that has taken
# nothing for longest is dropped. A page may take 2 MB, and each client may have asked for another.
ANSWERS_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class _Stall:
    pending: int
    since: float
    held: int  # bytes of the answer that are not taken


class Connections:
    """The connections that owe a request, the oldest first, and those that do not read.

    `reject(path, subprotocols)` returns the bytes that reject a handshake, or None to accept it.
    """

    def __init__(self, reject: Reject = lambda path, subprotocols: None) -> None:
        self.reject = reject
        self.handshakes = HandshakeQueue()
        self.open_sockets: OpenSockets | None = None  # once there was one
        self.due: dict[HttpProtocol, float] = {}
        self.stalled: dict[HttpProtocol, _Stall] = {}  # who took something last comes last
        self.held = 0  # bytes for all of them

    def protocol(self, **given: Any) -> HttpProtocol:
        """Make the protocol of a new connection; what uvicorn takes for its class."""
        return HttpProtocol(self, **given)

    @property
    def sockets(self) -> int:
        """How many readers' sockets are open, whether they have left their feed or not."""
        return self.open_sockets.count if self.open_sockets is not None else 0

    def forget(self, connection: HttpProtocol) -> None:
        """Expect nothing more of it."""
        self.due.pop(connection, None)
        self.resume(connection)

    def stall(self, connection: HttpProtocol) -> None:
        """Note that a client does not take all at once; drop others where too much is held."""
        self.resume(connection)
        stall = _Stall(connection.pending(), time.monotonic(), connection.held())
        self.stalled[connection] = stall
        self.held += stall.held
        while self.held > ANSWERS_BYTES and len(self.stalled) > 1:
            longest = next(iter(self.stalled))
            self.resume(longest)
            longest.transport.abort()

    def resume(self, connection: HttpProtocol) -> None:
        """Note that it took what there was."""
        stall = self.stalled.pop(connection, None)
        if stall is not None:
            self.held -= stall.held

    def sweep(self) -> None:
        """End those whose time is up."""
        now = time.monotonic()
        for connection, since in list(self.due.items()):
            if now - since < REQUEST_SECONDS:
                break  # all others came later
            del self.due[connection]
            connection.on_late()
        for connection, stall in list(self.stalled.items()):
            if connection not in self.stalled:
                continue  # it was dropped for another's sake
            pending = connection.pending()
            if pending < stall.pending:
                self.stall(connection)
            elif now - stall.since > STALL_SECONDS:
                connection.transport.abort()

    def give_up(self, since: float) -> None:
        """End those that have taken nothing since the sweep at `since` (monotonic seconds)."""
        for connection, stall in list(self.stalled.items()):
            if stall.since <= since and connection.pending() >= stall.pending:
                connection.transport.abort()


class HttpProtocol(HttpToolsProtocol):
    """One connection, until it closes or becomes a reader's socket."""

    def __init__(self, all_: Connections, **given: Any) -> None:
        super().__init__(**given)
        self._all = all_
        self._in_request = False
        self._head = 0  # bytes of the request that were no body
        self._asks_for_socket = False
        self._ignores_upgrade = False  # as another protocol than WebSocket is asked for

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=UNSENT_MAX)
        self._all.due[self] = time.monotonic()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it, and what of it was not begun."""
        self._all.forget(self)
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on. As uvicorn's own, which drops what comes right behind an upgrade."""
        self._unset_keepalive_if_required()
        self._all.due.setdefault(self, time.monotonic())
        self._head += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as fault:
            refusal = fault.__context__
            if not isinstance(refusal, Refused):
                refusal = BadRequest("this is no HTTP/1.1 request")
            self._refuse(refusal)
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
            if self._should_upgrade():
                self._become_socket(rest)
            elif self._ignores_upgrade:
                self._read_without_upgrade(rest)
        else:
            if self._head > HEAD_MAX:
                self._refuse(HeadTooLarge(HEAD_RULE))

    def on_message_begin(self) -> None:
        """Note that a request has begun, perhaps right behind another."""
        super().on_message_begin()
        self._in_request = True
        self._all.due.setdefault(self, time.monotonic())

    def on_headers_complete(self) -> None:
        """Let the request begin, if its head is a good one."""
        # Whatever is raised here stops the parser, and comes out in data_received.
        check_head(self.url, self.parser.get_http_version(), self.headers)
        # Of a CONNECT the parser says so too, whatever its headers are.
        asks = self.parser.should_upgrade()
        self._asks_for_socket = asks and asks_for(b"websocket", self.headers)
        self._ignores_upgrade = (
            asks and not self._asks_for_socket and self.parser.get_method() != b"CONNECT"
        )
        if not self._ignores_upgrade:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, which has a limit of its own."""
        self._head -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        if self._ignores_upgrade:
            return  # it is read once more, and begins then
        super().on_message_complete()
        self._in_request = False
        self._head = 0
        self._all.due.pop(self, None)

    def pause_writing(self) -> None:
        """Note that the client does not take all at once."""
        super().pause_writing()
        self._all.stall(self)

    def resume_writing(self) -> None:
        """Note that it took it."""
        super().resume_writing()
        self._all.resume(self)

    def held(self) -> int:
        """Return the bytes of the answer under way that are in memory for this client alone."""
        rest = 0 if self.cycle is None else self.cycle.expected_content_length
        return self.transport.get_write_buffer_size() + rest

    def pending(self) -> int:
        """Return the bytes that the client's side has not taken yet."""
        descriptor = self.transport.get_extra_info("socket").fileno()
        return self.transport.get_write_buffer_size() + in_kernel(descriptor)

    def on_late(self) -> None:
        """End the wait for a request that is not whole yet."""
        if self.flow.read_paused or self._answers_earlier():
            self._all.due[self] = time.monotonic()
        elif self._in_request:
            self._refuse(TooSlow(f"the request was not whole after {REQUEST_SECONDS:.0f} s"))
        elif not self._answers():
            # Nothing came but the connection: an answer might be taken for that to a request that
            # is just on its way.
            self.transport.close()

    def _should_upgrade(self) -> bool:
        # By a protocol of ours, which uvicorn does not know. Its own looks at one header of a name,
        # and is asked four times a request.
        return self._asks_for_socket

    def _read_without_upgrade(self, rest: bytes) -> None:
        """Read the request once more, as one without the wish for another protocol.

        The parser takes whatever follows such a head for that protocol, the request's body too.
        """
        version = self.parser.get_http_version()
        head = without_upgrade(self.parser.get_method(), self.url, version, self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        self._head -= len(head) + len(rest)  # they are counted again
        self.data_received(head + rest)

    def _become_socket(self, rest: bytes) -> None:
        self._all.forget(self)
        if self._answers() or self.transport.get_write_buffer_size():
            # Two languages on one line, or a reader whose buffer is full from the start.
            self.transport.abort()
            return
        self.connections.discard(self)
        self.parser = None  # type: ignore[assignment]  # they hold one another
        handshake = Handshake(self._upgrade(), self._all.reject)
        self._all.handshakes.add(handshake)
        if rest:
            handshake.data_received(rest)

    def _upgrade(self) -> Upgrade:
        assert self.scheme is not None
        connections = cast("set[Any]", self.connections)
        self._all.open_sockets = self._all.open_sockets or OpenSockets(connections)
        return Upgrade(
            self.scope["method"],
            self.url,
            self.scope["http_version"],
            self.headers,
            cast("dict[str, Any]", self.scope),
            self.scheme,
            self.app,
            self.loop,
            self.transport,
            connections,
            self._all.open_sockets,
            self.tasks,
            self.server_state.default_headers,
        )

    def _refuse(self, fault: Refused) -> None:
        if self.transport.is_closing():
            return
        if self._answers_earlier() or (self._answers() and not self._in_request):
            # What was whole has its answer, a post above all; then the connection ends.
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if not self._answers() or not self.cycle.response_started:
            self.transport.write(last_answer(fault, self.server_state.default_headers))
        self.transport.close()

    def _answers(self) -> bool:
        """Whether a request is being answered, or waits for that."""
        return self.cycle is not None and not self.cycle.response_complete

    def _answers_earlier(self) -> bool:
        """Whether that is another than the one that is being read."""
        return self._answers() and self.cycle.scope is not self.scope
