"""A reader's socket: all that remains in memory of a connection after its handshake."""

from __future__ import annotations

import asyncio
import fcntl
import random
import socket
import sys
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from feedserver.live.channel import Channel
from feedserver.live.readers import Reader
from feedserver.websocket import frames
from feedserver.websocket.frames import BadFrame, FrameParser, Opcode

POLL_SECONDS = 0.01  # between checks of a transport that neither drained nor paused
FINISH_SECONDS = 5.0  # for a client to answer a close


class OpenSockets:
    """Counts a process's readers' sockets until they close, those too that have left their feed."""

    def __init__(self, connections: set[Any]) -> None:
        self.count = 0
        self._connections = connections  # that uvicorn closes at its end

    def add(self, reader: SocketReader) -> None:
        """Count a socket."""
        self._connections.add(reader)
        self.count += 1

    def discard(self, reader: SocketReader) -> None:
        """Forget a socket that is gone."""
        self._connections.discard(reader)
        self.count -= 1


class SocketReader(Reader, asyncio.Protocol):
    """What remains of a reader: a transport, a position, and a channel to leave."""

    __slots__ = (
        "_channel",
        "_finishing",
        "_open_sockets",
        "_parser",
        "_paused",
        "_socket",
        "_transport",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        open_sockets: OpenSockets,
        channel: Channel | None,
        *,
        deflated: bool,
    ) -> None:
        self.cohort = None
        self.encode = frames.deflated_frame if deflated else frames.text_frame
        self._transport = transport
        self._open_sockets = open_sockets
        self._channel = channel
        self._parser: FrameParser | None = None
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

    def send_answer(self, answer: bytes) -> None:
        """Send the handshake's answer, in one segment with what must follow at once."""
        taken = 0
        if self._socket is not None:
            with suppress(OSError):
                taken = self._socket.send(answer, socket.MSG_MORE)
        if taken < len(answer):
            self._detach()
            self.send = self._send_through  # after what the transport now holds
            self._transport.write(answer[taken:])

    def receive_early(self, data: bytes) -> None:
        """Read what came with the handshake, before all that comes later."""
        self._parser = FrameParser(buffer=data, compressed=self.encode is frames.deflated_frame)
        # Not now: a close among it has to find a reader that has joined.
        asyncio.get_running_loop().call_soon(self.data_received, b"")

    def fileno(self) -> int:
        """Return the descriptor of the kernel's own socket; -1 without one."""
        return self._socket.fileno() if self._socket is not None else -1

    def send_parts(self, parts: Sequence[bytes]) -> int:
        """Send several parts with one system call; return the bytes taken. Raises OSError."""
        if self._socket is not None:
            return self._socket.sendmsg(parts)
        self._transport.writelines(parts)
        return sum(map(len, parts))

    def keep(self, rest: list[memoryview]) -> None:
        """Leave the rest to the transport, and fall behind until it has drained."""
        self._transport.writelines(rest)  # uvloop's holds them and copies nothing
        # After the write: how much is pending now is what progress is measured from.
        if self._channel is not None:
            self._channel.fall_behind(self)
        # A transport that gets rid of it at once never pauses, and so would never resume.
        asyncio.get_running_loop().call_soon(self._poll_drained)

    def pending(self) -> int:
        """Return the bytes that the client's side has not taken yet."""
        # With what the kernel holds: it takes more only once a third of its buffer is free, which
        # may take a slow phone minutes, though it makes progress.
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
        """Drop the connection when uvicorn stops: the hub has sent its goodbye, and waited."""
        self.abort()

    def data_received(self, data: bytes) -> None:
        """Answer a close or a ping; count the rest against a small budget."""
        parser = self._parser or FrameParser(compressed=self.encode is frames.deflated_frame)
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
        """Fall behind: something is unsent."""
        self._paused = True
        if self._channel is not None:
            self._channel.fall_behind(self)

    def resume_writing(self) -> None:
        """Catch up: all is sent."""
        self._paused = False
        if self._channel is not None and not self._finishing:
            self._channel.catch_up(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything, the descriptor first."""
        self._leave()
        self._open_sockets.discard(self)
        self._detach()

    def _detach(self) -> None:
        if self._socket is not None:
            self._socket.detach()
            self._socket = None

    def _unwritten(self) -> int:
        return self._transport.get_write_buffer_size()

    def _in_kernel(self) -> int:
        return in_kernel(self._socket.fileno()) if self._socket is not None else 0

    def _send_through(self, data: bytes) -> int:
        self._transport.write(data)
        return len(data)

    def _answer(self, data: bytes) -> None:
        if self.cohort is not None:
            self.push(data)
        else:
            self._transport.write(data)

    def _poll_drained(self) -> None:
        if not self._paused:
            if self._unwritten():
                asyncio.get_running_loop().call_later(POLL_SECONDS, self._poll_drained)
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
        delay = FINISH_SECONDS * random.uniform(1, 1.5)  # noqa: S311 - not all at once
        asyncio.get_running_loop().call_later(delay, self._transport.abort)

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
