"""A reader's socket, handed over: after the handshake nothing of the request remains.

The handshake goes through Starlette as any route does. Then the endpoint calls `hand_over`, the
transport gets a `SocketReader` as its protocol, and uvicorn's own task, parser, queue and scope
are free to go. This leans on inner parts of uvicorn, so its version is pinned and
tests/asgi/test_socket.py says loudly when they move.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from feedserver.asgi import frames
from feedserver.asgi.deflate import SharedDeflate
from feedserver.asgi.frames import BadFrame, Opcode, Parser
from feedserver.channel import Channel, Reader

EXTENSION = "feedserver.hand_over"
MARK = 64 * 1024  # bytes unsent above which a reader is behind …
LOW_MARK = 16 * 1024  # … and below which it has drained
FINISH_SECONDS = 5.0  # for a client to answer a close
EARLY_MAX = 4096  # bytes a client may send before the handshake is answered


class SocketReader(Reader, asyncio.Protocol):
    """What remains of a reader: a transport, a place, and a channel to leave."""

    __slots__ = ("_channel", "_connections", "_finishing", "_parser", "_transport")

    def __init__(
        self,
        transport: asyncio.Transport,
        connections: set[Any],
        channel: Channel | None,
        *,
        deflated: bool,
    ) -> None:
        self.place = None
        self.write = transport.write
        self.encode = frames.deflated_frame if deflated else frames.text_frame
        self._transport = transport
        self._connections = connections
        self._channel = channel
        self._parser: Parser | None = None
        self._finishing = False

    def pending(self) -> int:
        """Return the bytes that the kernel has not taken yet."""
        return self._transport.get_write_buffer_size()

    def finish(self, code: int) -> None:
        """Send a close frame and give the client a moment to answer it."""
        if self._finishing:
            return
        self._finishing = True
        self.write(frames.close_frame(code))
        # close() would wait for ever for a client that has stopped reading.
        asyncio.get_running_loop().call_later(FINISH_SECONDS, self._transport.abort)

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def shutdown(self) -> None:
        """Let go, when uvicorn stops. The hub has said goodbye already."""
        if self._finishing:
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
                    self.write(frames.pong_frame(payload))
        except BadFrame as fault:
            self._leave()
            self.finish(fault.code)
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Treat a half-closed socket as closed: nobody reads on the other side for long."""
        return False

    def pause_writing(self) -> None:
        """Stand aside: the buffer is above its mark."""
        if self._channel is not None:
            self._channel.fall_behind(self)

    def resume_writing(self) -> None:
        """Come back: the buffer has drained."""
        if self._channel is not None and not self._finishing:
            self._channel.catch_up(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything."""
        self._leave()
        self._connections.discard(self)

    def _closed_by_client(self, code: int) -> None:
        self._leave()
        if not self._finishing:
            self.write(frames.close_frame(code))
        self._finishing = True
        self._transport.close()

    def _leave(self) -> None:
        if self._channel is not None:
            self._channel.leave(self)
            self._channel = None


class HandOverProtocol(WebSocketsSansIOProtocol):
    """uvicorn's handshake, up to the moment when a `SocketReader` takes over."""

    _early = b""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.available_extensions = [SharedDeflate()]

    def data_received(self, data: bytes) -> None:
        """Pass the request on; keep what a hasty client sends after it for the reader."""
        if not self.handshake_initiated:
            super().data_received(data)
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
        """Put a `SocketReader` in this protocol's place. Only once the handshake is complete."""
        transport = self.transport
        deflated = bool(self.conn.extensions)
        reader = SocketReader(transport, self.connections, channel, deflated=deflated)
        transport.set_protocol(reader)
        transport.set_write_buffer_limits(high=MARK, low=LOW_MARK)
        self.connections.discard(self)
        self.connections.add(reader)  # type: ignore[arg-type]
        # When the endpoint returns, uvicorn closes the transport that it knows.
        self.transport = cast("asyncio.Transport", _Nothing())
        if self._early:
            reader.data_received(self._early)
        return reader


class _Nothing:
    """Stands where a transport was."""

    def close(self) -> None:
        pass

    def is_closing(self) -> bool:
        return True
