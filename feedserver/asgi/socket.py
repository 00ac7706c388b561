"""A reader's socket, handed over: after the handshake nothing of the request remains.

The handshake goes through Starlette as any route does. Then the endpoint calls `hand_over`, the
transport gets a `SocketReader` as its protocol, and uvicorn's own task, parser, queue and scope
are free to go. This leans on inner parts of uvicorn, so its version is pinned and
tests/asgi/test_socket.py says loudly when they move.
"""

from __future__ import annotations

import asyncio
import fcntl
import random
import socket
import sys
import termios
import time
from contextlib import suppress
from typing import Any, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from feedserver.asgi import frames
from feedserver.asgi.deflate import SharedDeflate
from feedserver.asgi.frames import BadFrame, Opcode, Parser
from feedserver.channel import Channel
from feedserver.reader import Reader

EXTENSION = "feedserver.hand_over"
LOOK_SECONDS = 0.01  # between looks at a transport that neither drained nor paused
FINISH_SECONDS = 5.0  # for a client to answer a close
EARLY_MAX = 4096  # bytes a client may send before the handshake is answered


class SocketReader(Reader, asyncio.Protocol):
    """What remains of a reader: a transport, a place, and a channel to leave."""

    __slots__ = (
        "_channel",
        "_connections",
        "_finishing",
        "_parser",
        "_paused",
        "_socket",
        "_transport",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        connections: set[Any],
        channel: Channel | None,
        *,
        deflated: bool,
    ) -> None:
        self.block = None
        self.encode = frames.deflated_frame if deflated else frames.text_frame
        self._transport = transport
        self._connections = connections
        self._channel = channel
        self._parser: Parser | None = None
        self._finishing = False
        self._paused = False
        self._socket: socket.SocketType | None = None
        if transport.get_extra_info("sslcontext") is None and not self._unwritten():
            # The kernel's own send, past the transport, which would cost a fifth more. The
            # descriptor stays the transport's: it closes it after connection_lost, where this
            # object lets go of it, so a descriptor that was reused is never written to.
            own = transport.get_extra_info("socket")
            self._socket = socket.SocketType(own.family, own.type, own.proto, own.fileno())
            self.send = self._socket.send
        else:
            self.send = self._send_through

    def fileno(self) -> int:
        """Return the descriptor of the kernel's own socket; -1 without one."""
        return self._socket.fileno() if self._socket is not None else -1

    def keep(self, data: memoryview) -> None:
        """Leave the rest to the transport, and fall behind until it has drained."""
        self._transport.write(data)
        # After the write: how much is pending now is what progress is measured from.
        if self._channel is not None:
            self._channel.fall_behind(self)
        # A transport that gets rid of it at once never pauses, and so would never resume.
        asyncio.get_running_loop().call_soon(self._look_again)

    def pending(self) -> int:
        """Return the bytes that the client's side has not taken yet."""
        # With the kernel's own: it asks for more only once a third of its buffer is free, which a
        # slow phone that is making progress may take minutes for.
        return self._unwritten() + self._in_kernel()

    def finish(self, code: int) -> None:
        """Send a close frame and give the client a moment to answer it."""
        if self._finishing:
            return
        self._finishing = True
        self._transport.write(frames.close_frame(code))
        self._abort_later()

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def shutdown(self) -> None:
        """Let go, when uvicorn stops. The hub has said goodbye already."""
        if self._finishing:
            if not self._transport.is_reading():  # it said too much, and is no longer heard
                self.abort()
            return
        self._leave()
        self.finish(1012)

    def data_received(self, data: bytes) -> None:
        """Heed a close or a ping; count the rest against a small budget."""
        parser = self._parser or Parser(compressed=self.encode is frames.deflated_frame)
        self._parser = parser
        try:
            for opcode, payload in parser.feed(data, time.monotonic()):
                if opcode is Opcode.CLOSE:
                    self._closed_by_client(frames.close_code(payload))
                    return
                if opcode is Opcode.PING and not self._finishing:
                    self._answer(frames.pong_frame(payload))
        except BadFrame as fault:
            self._leave()
            self.finish(fault.code)
            if fault.code == frames.TOO_MUCH:
                self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Treat a half-closed socket as closed: nobody reads on the other side for long."""
        self._leave()
        self._abort_later()
        return False

    def pause_writing(self) -> None:
        """Stand aside: something is unsent."""
        self._paused = True
        if self._channel is not None:
            self._channel.fall_behind(self)

    def resume_writing(self) -> None:
        """Come back: all is sent."""
        self._paused = False
        if self._channel is not None and not self._finishing:
            self._channel.catch_up(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything, the descriptor first."""
        self._leave()
        self._connections.discard(self)
        if self._socket is not None:
            self._socket.detach()

    def _unwritten(self) -> int:
        return self._transport.get_write_buffer_size()

    def _in_kernel(self) -> int:
        return in_kernel(self._socket.fileno()) if self._socket is not None else 0

    def _send_through(self, data: bytes) -> int:
        self._transport.write(data)
        return len(data)

    def _answer(self, data: bytes) -> None:
        if self.block is not None:
            self.push(data)
        else:
            self._transport.write(data)

    def _look_again(self) -> None:
        if not self._paused:
            if self._unwritten():
                asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_again)
            else:
                self.resume_writing()

    def _closed_by_client(self, code: int) -> None:
        self._leave()
        if not self._finishing:
            self._transport.write(frames.close_frame(code))
            self._abort_later()
        self._finishing = True
        self._transport.close()

    def _abort_later(self) -> None:
        # close() waits for ever for a client that has stopped reading.
        patience = FINISH_SECONDS * random.uniform(1, 1.5)  # noqa: S311 - not all at once
        asyncio.get_running_loop().call_later(patience, self._transport.abort)

    def _leave(self) -> None:
        if self._channel is not None:
            self._channel.leave(self)
            self._channel = None


def in_kernel(descriptor: int) -> int:
    """Return the bytes sent that the kernel still keeps for the other side."""
    size = bytearray(4)
    with suppress(OSError):
        fcntl.ioctl(descriptor, termios.TIOCOUTQ, size)
    return int.from_bytes(size, sys.byteorder)


class HandOverProtocol(WebSocketsSansIOProtocol):
    """uvicorn's handshake, up to the moment when a `SocketReader` takes over."""

    _early = b""
    _before: Any = None  # the HTTP protocol that read the request

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.available_extensions = [SharedDeflate()]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over from uvicorn's HTTP protocol."""
        self._before = cast("asyncio.Transport", transport).get_protocol()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass the request on; keep what a hasty client sends after it for the reader."""
        if not self.handshake_initiated:
            super().data_received(data)
            if not self.handshake_initiated:
                # websockets refused it, for its headers' size; uvicorn would leave it unanswered.
                self.transport.write(b"".join(self.conn.data_to_send()))
                self.transport.close()
            return
        self._early += data
        if len(self._early) > EARLY_MAX:
            self.transport.abort()

    def handle_connect(self, event: Any) -> None:
        """Offer the hand-over to the endpoint, in the scope's extensions."""
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:
            cast("dict[str, Any]", scope["extensions"])[EXTENSION] = self.hand_over

    def hand_over(self, channel: Channel | None) -> SocketReader:
        """Put a `SocketReader` in this protocol's place, once the handshake is complete.

        Raises ClientDisconnected where it never will be.
        """
        if not self.handshake_complete:  # the client has gone; uvicorn's accept does not say so
            raise ClientDisconnected
        transport = self.transport
        deflated = bool(self.conn.extensions)
        reader = SocketReader(transport, self.connections, channel, deflated=deflated)
        transport.set_protocol(reader)
        # A reader is caught up while nothing at all is unsent; its buffer is the kernel's.
        transport.set_write_buffer_limits(high=0)
        self.connections.discard(self)
        self.connections.add(reader)  # type: ignore[arg-type]
        # When the endpoint returns, uvicorn closes the transport that it knows.
        self.transport = cast("asyncio.Transport", _Nothing())
        if self._early:
            # Not now: a close among it has to find a reader that has joined.
            asyncio.get_running_loop().call_soon(reader.data_received, self._early)
        self._fall_apart()
        return reader

    def _fall_apart(self) -> None:
        # Parsers and protocols hold one another. The collector comes seldom, and would find 15 KB
        # a handshake.
        if self._before is not None:
            self._before.parser = None
        self.conn.parser.close()
        vars(self.conn).clear()
        cast("dict[str, Any]", self.scope["extensions"]).clear()


class _Nothing:
    """Stands where a transport was."""

    def close(self) -> None:
        pass

    def is_closing(self) -> bool:
        return True
