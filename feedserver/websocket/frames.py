"""WebSocket frames: the few that a one-way feed sends, and all that a client may send."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from feedserver.live.messages import Message, Parts, tail
from feedserver.model import Millis

TEXT = 0x81  # FIN and the opcode of text
CLOSE = 0x88
PONG = 0x8A
DEFLATED = 0x40  # the bit RSV1
DEFLATE_MIN = 256  # bytes; deflating less saves too little

CONTROL_MAX = 125  # bytes of a control frame's payload
BUDGET = 4096  # bytes and …
FRAMES = 64  # … frames that a client may send in each period
PERIOD = 10.0  # seconds

TOO_MUCH = 1008
PROTOCOL_ERROR = 1002


class Opcode(IntEnum):
    """The kinds of frame."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class BadFrame(Exception):
    """The client broke the protocol, or sent too much; `code` is the close code it gets."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def text_frame(message: Message, now: Millis) -> Parts:
    """Wrap a message for a client."""
    end = tail(now)
    return _header(TEXT, len(message.stem) + len(end)), message.stem, end


def deflated_frame(message: Message, now: Millis) -> Parts:
    """Wrap a message for a client that takes permessage-deflate.

    The stem is deflated once for all; its end, the time, follows as a stored block, which RFC 7692
    allows as any other. So one more reader costs neither a copy nor a compressor.
    """
    if len(message.stem) < DEFLATE_MIN:
        return text_frame(message, now)
    if message.packed is None:
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        message.packed = deflater.compress(message.stem) + deflater.flush(zlib.Z_SYNC_FLUSH)
    end = tail(now)
    # A stored block's header, its text, and the first byte of the empty block whose other four
    # bytes every receiver appends.
    stored = struct.pack("<BHH", 0, len(end), len(end) ^ 0xFFFF) + end + b"\0"
    packed = message.packed
    return _header(TEXT | DEFLATED, len(packed) + len(stored)), packed, stored


def _header(first: int, size: int) -> bytes:
    if size < 126:
        return struct.pack("!BB", first, size)
    if size < 65536:
        return struct.pack("!BBH", first, 126, size)
    return struct.pack("!BBQ", first, 127, size)


def close_frame(code: int) -> bytes:
    """Make a close frame without a reason: a message before it has told the reason."""
    return struct.pack("!BBH", CLOSE, 2, code)


def pong_frame(payload: bytes) -> bytes:
    """Answer a ping."""
    return struct.pack("!BB", PONG, len(payload)) + payload


@dataclass(slots=True)
class Budget:
    """How much a client may still send in this period."""

    period: float = 0.0
    bytes_left: int = BUDGET
    frames_left: int = FRAMES

    def spend_bytes(self, count: int, now: float) -> None:
        """Count bytes, of a new period if that has come. Raises BadFrame."""
        if now - self.period > PERIOD:
            self.period, self.bytes_left, self.frames_left = now, BUDGET, FRAMES
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise BadFrame(TOO_MUCH)

    def spend_frame(self) -> None:
        """Count a frame. Raises BadFrame."""
        self.frames_left -= 1
        if self.frames_left < 0:
            raise BadFrame(TOO_MUCH)


@dataclass(slots=True)
class FrameParser:
    """Splits what a client sends into frames. Made only for a client that sends something."""

    buffer: bytes = b""
    in_message: bool = False
    compressed: bool = False
    budget: Budget = field(default_factory=Budget)

    def feed(self, data: bytes, now: float) -> Iterator[tuple[Opcode, bytes]]:
        """Yield the frames that `data` completes. Raises BadFrame."""
        self.budget.spend_bytes(len(data), now)
        self.buffer += data
        while (frame := self._next()) is not None:
            self.budget.spend_frame()
            yield frame

    def _next(self) -> tuple[Opcode, bytes] | None:
        data = self.buffer
        if len(data) < 2:
            return None
        first, second = data[0], data[1]
        opcode = self._checked(first, second)
        size, start = second & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(data) < start:
                return None
            size = int.from_bytes(data[2:start], "big")
        if size > BUDGET:
            raise BadFrame(TOO_MUCH)
        end = start + 4 + size
        if len(data) < end:
            return None
        mask, payload = data[start : start + 4], data[start + 4 : end]
        self.buffer = data[end:]
        if opcode < Opcode.CLOSE:
            self.in_message = not first & 0x80
            return opcode, b""  # what clients send is ignored
        return opcode, bytes(b ^ mask[i & 3] for i, b in enumerate(payload))

    def _checked(self, first: int, second: int) -> Opcode:
        try:
            opcode = Opcode(first & 0x0F)
        except ValueError:
            raise BadFrame(PROTOCOL_ERROR) from None
        reserved = first & 0x70
        starts_compressed = self.compressed and opcode in {Opcode.TEXT, Opcode.BINARY}
        is_control = opcode >= Opcode.CLOSE
        good = (
            second & 0x80  # clients mask
            and (not reserved or (reserved == 0x40 and starts_compressed))
            and (not is_control or (first & 0x80 and second & 0x7F <= CONTROL_MAX))
            and (is_control or (opcode is Opcode.CONTINUATION) == self.in_message)
        )
        if not good:
            raise BadFrame(PROTOCOL_ERROR)
        return opcode


def close_code(payload: bytes) -> int:
    """Return the code to answer a client's close with. Raises BadFrame."""
    if not payload:
        return 1000
    code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 0
    if not (1000 <= code <= 1014 or 3000 <= code <= 4999) or code in {1004, 1005, 1006}:
        raise BadFrame(PROTOCOL_ERROR)
    return code
