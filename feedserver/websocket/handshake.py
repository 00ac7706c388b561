"""A reader's handshake: checked by the websockets library, routed by Starlette, then handed over.

The endpoint calls `hand_over`, the transport gets a `SocketReader` as its protocol, and task,
parser and scope are freed. uvicorn's own protocols would read every request a second time, and keep
what they read.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.utils import ClientDisconnected
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from feedserver.api.problems import InternalError
from feedserver.errors import BadRequest, Forbidden, Refused, Unavailable, UpgradeNeeded
from feedserver.live.channel import Channel
from feedserver.websocket.connection import OpenSockets, SocketReader
from feedserver.websocket.deflate import SharedDeflate
from feedserver.websocket.head import header_lines, last_answer

log = logging.getLogger("feedserver.handshake")

EXTENSION = "feedserver.hand_over"
EARLY_MAX = 4096  # bytes a client may send before the handshake is answered
TOGETHER = 16  # handshakes that begin before others get a turn: about 3 ms

_FAILED = "Failed to open a WebSocket connection: "
_CHECKED = {
    b"connection",
    b"upgrade",
    b"sec-websocket-key",
    b"sec-websocket-version",
    b"sec-websocket-extensions",
    b"sec-websocket-protocol",
}
Reject = Callable[[str, list[str]], bytes | None]
"""From a path and the subprotocols offered to the bytes that reject a handshake, None to accept it.

They follow the first lines of the 101: the last headers, and the frames.
"""

_checker = ServerProtocol(extensions=[SharedDeflate()], logger=logging.getLogger("feedserver.ws"))


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A request to become a WebSocket, and the parts of its connection that the handshake uses."""

    method: str
    target: bytes  # as the request's first line has it
    version: str  # of HTTP
    headers: list[tuple[bytes, bytes]]
    scope: dict[str, Any]  # as uvicorn made it for HTTP
    scheme: str
    app: Any
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    connections: set[Any]  # that uvicorn closes at its end
    open_sockets: OpenSockets
    tasks: set[asyncio.Task[None]]  # that uvicorn waits for at its end
    default_headers: list[tuple[bytes, bytes]]


class HandshakeQueue:
    """Handshakes that wait, so that a storm of readers does not hold the loop for long."""

    def __init__(self) -> None:
        self._waiting: deque[Handshake] = deque()

    def add(self, handshake: Handshake) -> None:
        """Begin a handshake when those before it have begun."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._begin)
        self._waiting.append(handshake)

    def _begin(self) -> None:
        now = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._begin)
        for handshake in now:
            try:
                handshake.begin()
            except Exception:  # whatever one of them came with, the others are not to wait for ever
                log.exception("a handshake failed")
                handshake.transport.abort()


class Handshake(asyncio.Protocol):
    """One upgrade, until it is refused or handed over."""

    def __init__(self, upgrade: Upgrade, reject: Reject) -> None:
        self._upgrade = upgrade
        self._reject = reject
        self.transport = upgrade.transport
        self.connections = upgrade.connections
        self._early = b""
        self._answer = b""  # the head of a 101, as far as it is known
        self._deflated = False
        self._accepted = False  # by the app; the answer goes out with what follows it
        self._done = False  # handed over, refused, or gone
        self._asked = False
        self._gone = asyncio.Event()
        self.scope: dict[str, Any] = {}
        self.transport.set_protocol(self)
        self.connections.add(self)

    def begin(self) -> None:
        """Check the request, and let the app see it if it is a good one."""
        if self.transport.is_closing():
            return
        try:
            request = self._request()
        except httptools.HttpParserInvalidURLError:
            self._refuse(BadRequest("the address of the handshake cannot be read"))
            return
        response = _checker.accept(request)
        fault: BaseException | None = _checker.handshake_exc
        _checker.handshake_exc = None
        while fault is not None:  # whose frames hold it, and this handshake
            fault.__traceback__, fault = None, fault.__context__
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._refuse(_fault(response))
            return
        self._deflated = "Sec-WebSocket-Extensions" in response.headers
        self._answer = self._first_lines(response)
        lines = request.headers.get_all("Sec-WebSocket-Protocol")
        offered = [each.strip() for line in lines for each in line.split(",")]
        if (rejection := self._reject(request.path, offered)) is not None:
            self._done = True
            self.transport.write(self._answer + rejection)
            self.transport.close()  # without waiting for an answer: others wait for the descriptor
            return
        self._run(request, offered)

    def data_received(self, data: bytes) -> None:
        """Keep what the client sends before the answer, for the reader."""
        self._early += data
        if len(self._early) > EARLY_MAX:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the endpoint."""
        self.connections.discard(self)
        self._done = True
        self._gone.set()
        self._break_cycle()

    def shutdown(self) -> None:
        """Refuse, when uvicorn stops."""
        if not self._done:
            self._refuse(Unavailable("the server is about to stop; connect again in a moment"))

    def hand_over(self, channel: Channel | None) -> SocketReader:
        """Put a `SocketReader` in this protocol's place, once the handshake is complete.

        Raises ClientDisconnected where it never will be.
        """
        if not self._accepted or self._done or self.transport.is_closing():
            raise ClientDisconnected
        self._done = True
        transport = self.transport
        open_sockets = self._upgrade.open_sockets
        reader = SocketReader(transport, open_sockets, channel, deflated=self._deflated)
        transport.set_protocol(reader)
        # A reader is caught up while nothing at all is unsent; its buffer is the kernel's.
        transport.set_write_buffer_limits(high=0)
        self.connections.discard(self)
        open_sockets.add(reader)
        reader.send_answer(self._answer)
        if self._early:
            reader.receive_early(self._early)
        self._break_cycle()
        return reader

    def _request(self) -> Request:
        named = [
            (name.decode("ascii"), value.decode("latin-1"))
            for name, value in self._upgrade.headers
            if name in _CHECKED
        ]
        url = httptools.parse_url(self._upgrade.target)
        target = url.path or b"/"  # a whole address may end with its host
        if url.query:
            target += b"?" + url.query
        path = target.decode("ascii", "replace")
        version = f"HTTP/{self._upgrade.version}"
        return Request(path, Headers(named), self._upgrade.method, version)

    def _first_lines(self, response: Response) -> bytes:
        del response.headers["Date"]  # uvicorn makes one a second, not one each
        own = [(name.encode(), value.encode()) for name, value in response.headers.raw_items()]
        all_lines = header_lines([*self._upgrade.default_headers, *own])
        return b"HTTP/1.1 101 Switching Protocols\r\n" + all_lines

    def _run(self, request: Request, offered: list[str]) -> None:
        upgrade = self._upgrade
        path, _, query = request.path.partition("?")
        self.scope = upgrade.scope | {
            "type": "websocket",
            "asgi": upgrade.scope["asgi"] | {"spec_version": "2.4"},
            "scheme": "wss" if upgrade.scheme == "https" else "ws",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "subprotocols": offered,
            "extensions": {EXTENSION: self.hand_over},
        }
        del self.scope["method"]
        task = upgrade.loop.create_task(self._serve(upgrade.app))
        upgrade.tasks.add(task)
        task.add_done_callback(upgrade.tasks.discard)

    async def _serve(self, app: Any) -> None:
        try:
            await app(self.scope, self._receive, self._send)
        except ClientDisconnected:
            pass
        except Exception:
            log.exception("the endpoint of a handshake failed")
        if not self._done:
            self._refuse(InternalError("the server made a mistake; it is logged. Retry later"))

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "websocket.connect"}
        await self._gone.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if self._done:
            raise ClientDisconnected
        if kind == "websocket.accept" and not self._accepted:
            self._accept(message)
        elif kind == "websocket.close" and self._accepted:
            self.hand_over(None).finish(message.get("code", 1000))
        elif kind == "websocket.close":
            self._refuse(Forbidden("nobody listens here: connect to /v1/feeds/{feed}/live"))
        else:
            raise RuntimeError(f"{kind} has no place here: a reader is sent to after hand_over")

    def _accept(self, message: dict[str, Any]) -> None:
        headers = list(message.get("headers", ()))
        if chosen := message.get("subprotocol"):
            headers.append((b"Sec-WebSocket-Protocol", chosen.encode()))
        self._answer += header_lines(headers) + b"\r\n"
        self._accepted = True

    def _refuse(self, fault: Refused | Unavailable) -> None:
        self._done = True
        headers = self._upgrade.default_headers
        if fault.status == HTTPStatus.BAD_REQUEST:
            headers = [*headers, (b"sec-websocket-version", b"13")]
        elif fault.status == HTTPStatus.UPGRADE_REQUIRED:
            headers = [*headers, (b"upgrade", b"websocket")]
        self.transport.write(last_answer(fault, headers))
        self.transport.close()
        self._break_cycle()

    def _break_cycle(self) -> None:
        # The extension and this object hold one another, and the collector runs seldom.
        self.scope.get("extensions", {}).clear()


def _fault(response: Response) -> Refused:
    """Return what the library found wrong with a handshake."""
    reason = bytes(response.body or b"").decode().strip().removeprefix(_FAILED)
    if response.status_code == HTTPStatus.UPGRADE_REQUIRED:
        return UpgradeNeeded(f"this is no WebSocket handshake: {reason}")
    return BadRequest(f"this is no WebSocket handshake that can be answered: {reason}")
