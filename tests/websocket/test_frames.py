"""The few WebSocket frames that are written, and all that may come in."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.raw import frame

from feedserver.live.messages import Message, tail
from feedserver.websocket.frames import (
    BUDGET,
    FRAMES,
    PERIOD,
    BadFrame,
    FrameParser,
    Opcode,
    close_code,
    close_frame,
    pong_frame,
    text_frame,
)


def read(*parts: bytes, parser: FrameParser | None = None) -> list[tuple[Opcode, bytes]]:
    parser = parser or FrameParser()
    return [found for part in parts for found in parser.feed(part, 1000.0)]


def refused(*parts: bytes) -> int:
    with pytest.raises(BadFrame) as fault:
        read(*parts)
    return fault.value.code


CONVERSATION = b"".join(
    [
        frame(1, b"hel", head=0),
        frame(9, b"ping"),
        frame(0, b"lo"),
        frame(2, b"b" * 200),
        frame(10, b"pong"),
        frame(9, b""),
        frame(8, b"\x03\xe8bye"),
    ]
)
HEARD = [
    (Opcode.TEXT, b""),
    (Opcode.PING, b"ping"),
    (Opcode.CONTINUATION, b""),
    (Opcode.BINARY, b""),
    (Opcode.PONG, b"pong"),
    (Opcode.PING, b""),
    (Opcode.CLOSE, b"\x03\xe8bye"),
]


def test_frames_that_come_in_one_piece_are_all_read() -> None:
    assert read(CONVERSATION) == HEARD


@pytest.mark.parametrize("at", range(1, len(CONVERSATION), 7))
def test_frames_split_anywhere_are_read_the_same(at: int) -> None:
    assert read(CONVERSATION[:at], CONVERSATION[at:]) == HEARD


def test_frames_that_come_byte_by_byte_are_read_the_same() -> None:
    assert read(*(bytes([byte]) for byte in CONVERSATION)) == HEARD


@given(st.lists(st.integers(1, 60), max_size=40))
def test_frames_cut_into_any_pieces_are_read_the_same(sizes: list[int]) -> None:
    parts, rest = [], CONVERSATION
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    assert read(*parts, rest) == HEARD


@given(st.binary(max_size=125), st.binary(min_size=4, max_size=4))
def test_a_ping_is_unmasked_whatever_the_mask(payload: bytes, mask: bytes) -> None:
    assert read(frame(9, payload, mask=mask)) == [(Opcode.PING, payload)]


@pytest.mark.parametrize(
    "bad",
    {
        "unmasked": b"\x81\x01a",
        "reserved bit 1": frame(1, head=0xC0),
        "reserved bit 2": frame(1, head=0xA0),
        "reserved bit 3": frame(1, head=0x90),
        "reserved bit of a ping": frame(9, head=0xC0),
        "unknown data opcode": frame(3),
        "unknown control opcode": frame(11),
        "fragmented ping": frame(9, head=0),
        "fragmented close": frame(8, head=0),
        "long ping": frame(9, b"x" * 126),
        "long close": frame(8, b"\x03\xe8" + b"x" * 124),
        "continuation of nothing": frame(0, b"x"),
        "second beginning": frame(1, head=0) + frame(1),
        "binary amid text": frame(1, head=0) + frame(2),
        "continuation after the end": frame(1, head=0) + frame(0) + frame(0),
    }.items(),
    ids=lambda case: case[0].replace(" ", "-"),
)
def test_what_breaks_the_protocol_is_1002(bad: tuple[str, bytes]) -> None:
    assert refused(bad[1]) == 1002
    # The first two bytes tell already: nobody waits for the rest.
    assert refused(*(bytes([byte]) for byte in bad[1])) == 1002


@pytest.mark.parametrize("size", [BUDGET + 1, 65_536, 2**63, 2**64 - 1])
def test_a_frame_larger_than_the_budget_is_1008_as_soon_as_it_says_so(size: int) -> None:
    assert refused(b"\x81\xff" + struct.pack("!Q", size)) == 1008


def test_more_bytes_than_the_budget_are_1008() -> None:
    assert len(read(*[frame(1, b"x" * 994)] * 4)) == 4  # 4008 bytes
    assert refused(*[frame(1, b"x" * 994)] * 5) == 1008


def test_more_frames_than_the_budget_are_1008() -> None:
    assert len(read(*[frame(10)] * FRAMES)) == FRAMES
    assert refused(*[frame(10)] * (FRAMES + 1)) == 1008


def test_the_budget_is_given_anew_each_period() -> None:
    parser = FrameParser()
    for period in range(5):
        now = 1000 + period * (PERIOD + 1)
        assert len(list(parser.feed(frame(9) * FRAMES, now))) == FRAMES


def test_a_frame_may_span_two_periods() -> None:
    parser, ping = FrameParser(), frame(9, b"slow")
    assert list(parser.feed(ping[:3], 1000.0)) == []
    assert list(parser.feed(ping[3:], 1000.0 + 2 * PERIOD)) == [(Opcode.PING, b"slow")]


def test_nothing_is_kept_of_what_was_read() -> None:
    parser = FrameParser()
    read(CONVERSATION, parser=parser)
    assert parser.buffer == b""


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_whatever_comes_in_is_read_or_refused_with_a_close_code(parts: list[bytes]) -> None:
    code = None
    try:
        read(*parts)
    except BadFrame as fault:
        code = fault.code
    assert code in {None, 1002, 1008}


@pytest.mark.parametrize("size", [40, 125, 126, 65_535, 65_536, 1 << 20])
def test_a_text_frame_has_the_shortest_head_that_fits_and_no_mask(size: int) -> None:
    stem = b"x" * (size - len(tail(0)))
    payload = stem + tail(0)
    made = b"".join(text_frame(Message(stem, "cursor"), 0))
    head = 2 if size < 126 else 4 if size < 65536 else 10
    assert made[head:] == payload
    assert made[0] == 0x81
    assert made[1] == (size if head == 2 else 126 if head == 4 else 127)
    assert head == 2 or int.from_bytes(made[2:head], "big") == size


def test_a_pong_carries_the_payload_and_a_close_its_code() -> None:
    assert pong_frame(b"abc") == b"\x8a\x03abc"
    assert close_frame(4410) == b"\x88\x02\x11\x3a"


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4000, 4410, 4999])
def test_a_close_is_answered_with_its_own_code(code: int) -> None:
    assert close_code(struct.pack("!H", code) + "bye ї".encode()) == code


def test_a_close_without_a_code_is_1000() -> None:
    assert close_code(b"") == 1000


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535])
def test_a_close_code_that_nobody_may_send_is_1002(code: int) -> None:
    with pytest.raises(BadFrame) as fault:
        close_code(struct.pack("!H", code))
    assert fault.value.code == 1002


def test_half_a_close_code_is_1002() -> None:
    with pytest.raises(BadFrame) as fault:
        close_code(b"\x03")
    assert fault.value.code == 1002
