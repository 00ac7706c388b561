"""Make-believe connections: a kernel that takes so many bytes, and a transport that keeps the rest.

Their client reads when it is told to, and as much as it is told to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from typing import ClassVar

from feedserver.live.channel import Channel
from feedserver.live.messages import Message, Parts, tail
from feedserver.live.readers import Position, Reader
from feedserver.model import Millis
from support.memory import turns
from support.records import NOON


def _plain(message: Message, now: Millis) -> Parts:
    return b"", message.stem, tail(now) + b"\n"


def _indented(message: Message, now: Millis) -> Parts:
    return b" ", message.stem, tail(now) + b"\n"


class Socket(Reader):
    """A reader's socket: `room` bytes in the kernel, the rest waits in the transport."""

    __slots__ = ("_channel", "code", "dead", "kernel", "room", "unsent")

    encodings: ClassVar = [_plain, _indented]

    def __init__(self, channel: Channel, room: int) -> None:
        self.cohort = None
        self.encode = self.encodings[room % 2]
        self.send = self._send
        self.room = room
        self.kernel = b""
        self.unsent = b""
        self.code: int | None = None
        self.dead = False
        self._channel = channel

    def _send(self, data: bytes) -> int:
        assert not self.unsent, "sent past what the transport keeps"
        assert self.code is None, "sent after the close"
        if self.dead:
            raise BrokenPipeError
        taken = min(self.room - len(self.kernel), len(data))
        if taken <= 0:
            raise BlockingIOError
        self.kernel += data[:taken]
        return taken

    def fileno(self) -> int:
        return -1

    def send_parts(self, parts: Sequence[bytes]) -> int:
        return self._send(b"".join(parts))

    def keep(self, rest: list[memoryview]) -> None:
        if not self.dead:
            self.unsent += b"".join(rest)
            self._channel.fall_behind(self)

    def pending(self) -> int:
        return len(self.unsent)

    def finish(self, code: int) -> None:
        if self.code is None:
            self.code = code

    def abort(self) -> None:
        self.dead = True
        self.unsent = b""

    def drain(self, most: int) -> bytes:
        """Let the client read so many bytes."""
        data, self.kernel = self.kernel[:most], self.kernel[most:]
        moved = self.room - len(self.kernel)
        self.kernel, self.unsent = self.kernel + self.unsent[:moved], self.unsent[moved:]
        if not self.unsent and self.code is None and not self.dead:
            self._channel.catch_up(self)
        return data

    def close(self) -> None:
        """Go away, as a client does."""
        self.dead = True
        self._channel.leave(self)


class SocketLine:
    """A connection by WebSocket."""

    def __init__(
        self, channel: Channel, place: Position | None, room: int, *, is_behind: bool = False
    ) -> None:
        self._socket = Socket(channel, room)
        self._text = b""
        if is_behind:  # the cursor is ahead of this process
            channel.send_back(self._socket)
        else:
            channel.join(self._socket, place)

    @property
    def is_over(self) -> bool:
        one = self._socket
        return not one.kernel and (one.dead or (one.code is not None and not one.unsent))

    @property
    def code(self) -> int | None:
        return self._socket.code

    @property
    def waiting(self) -> int:
        """The bytes that are on their way."""
        return len(self._socket.kernel) + len(self._socket.unsent)

    async def read(self, most: int) -> list[bytes]:
        self._text += self._socket.drain(most)
        *whole, self._text = self._text.split(b"\n")
        return whole

    async def close(self) -> None:
        self._socket.close()


class StreamLine:
    """A connection by SSE: the server's task takes the next message when the last one is read."""

    def __init__(self, channel: Channel, place: Position | None) -> None:
        self._seat = ExitStack()
        listener = self._seat.enter_context(channel.listener())
        self._messages = channel.listen(listener, place)
        self._next = self._ask()
        self.is_over = False
        self.code: int | None = None
        self.waiting = 0

    async def read(self, most: int) -> list[bytes]:
        await turns(1)
        if self.is_over or not self._next.done():
            return []
        try:
            message = self._next.result()
        except StopAsyncIteration:
            self.is_over = True
            return []
        self._next = self._ask()
        return [message.json(NOON)]

    async def close(self) -> None:
        self.is_over = True
        self._next.cancel()
        await asyncio.gather(self._next, return_exceptions=True)
        await self._messages.aclose()
        self._seat.close()

    def _ask(self) -> asyncio.Task[Message]:
        async def one() -> Message:
            return await anext(self._messages)

        return asyncio.create_task(one())
