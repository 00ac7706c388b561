"""permessage-deflate: one compressed frame for all, the same JSON, and no compressor a reader."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright
from support.browser import CHROMIUM_ARGS, QUICK
from support.client import Json
from support.server import Editor, Server
from websockets.client import ClientProtocol
from websockets.exceptions import NegotiationError
from websockets.extensions.base import ClientExtensionFactory
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    PerMessageDeflate,
)
from websockets.frames import Frame, Opcode
from websockets.typing import ExtensionName, ExtensionParameter
from worker_stage import Reader

CROWD = 500
PER_READER = 2_000  # bytes more for a compressed one; a compressor of its own takes 13,000 and up


@dataclass(frozen=True)
class Seen:
    """A text frame as it came: whether it was compressed, its size, and its size as text."""

    deflated: bool
    size: int
    text: int


@dataclass
class Deflate(ClientPerMessageDeflateFactory):
    """The default offer of websockets, which keeps account of what comes."""

    seen: list[Seen] = field(default_factory=list)
    agreed: bool = False

    def __post_init__(self) -> None:
        super().__init__(client_max_window_bits=True)

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Any]
    ) -> PerMessageDeflate:
        extension = super().process_response_params(params, accepted_extensions)
        inflate = extension.decode
        self.agreed = True

        def decode(frame: Frame, *, max_size: int | None = None) -> Frame:
            inflated = inflate(frame, max_size=max_size)
            if frame.opcode is Opcode.TEXT:
                self.seen.append(Seen(frame.rsv1, len(frame.data), len(inflated.data)))
            return inflated

        extension.decode = decode  # type: ignore[method-assign]
        return extension


class Offer(ClientExtensionFactory):
    """An offer of anything."""

    name = ExtensionName("permessage-deflate")

    def __init__(self, *params: ExtensionParameter) -> None:
        self._params = params

    def get_request_params(self) -> list[ExtensionParameter]:
        return list(self._params)

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Any]
    ) -> PerMessageDeflate:
        raise NegotiationError("this offer was not the one that was accepted")


def noise(size: int) -> str:
    """Return text that hardly compresses."""
    return "".join(random.choices(string.ascii_letters + string.digits, k=size))


def told(reader: Reader) -> list[Json]:
    """Return what a reader was told, but for the time, which differs between two moments."""
    return [message | {"now": ""} for message in reader.messages if message["type"] != "heartbeat"]


def both(server: Server, slug: str, since: str | None = None) -> tuple[Reader, Reader, Deflate]:
    deflate = Deflate()
    plain = Reader(server, slug, since)
    packed = Reader(server, slug, since, extensions=[deflate])
    for reader in (plain, packed):
        reader.client.cursor = since or ""
        reader.join()
    assert deflate.agreed
    assert "Sec-WebSocket-Extensions" not in plain.headers
    return plain, packed, deflate


@pytest.fixture
def anna(trio: Server) -> Any:
    with trio.editing() as editor:
        yield editor


@pytest.mark.parametrize(
    "body",
    ["", "short", "again and " * 500, noise(300), noise(20_000), noise(60_000), "ї" * 30_000],
    ids=["none", "short", "repeating", "noise", "20 KB of noise", "60 KB of noise", "Ukrainian"],
)
def test_a_compressed_reader_is_told_exactly_what_a_plain_one_is(
    trio: Server, slug: str, anna: Editor, body: str
) -> None:
    anna.item("There before", slug, body=body)
    plain, packed, deflate = both(trio, slug)
    is_plain = len(body) > 1_000 and len(set(body)) < 20
    with plain, packed:
        item = anna.item("Live", slug, body=body)
        anna.revised(item, "update", headline="Live, and changed")
        cursor = anna.get(f"/v1/feeds/{slug}").json()["cursor"]
        for reader in (plain, packed):
            reader.until(lambda reader=reader: reader.client.cursor == cursor)
        if len(told(plain)) == len(told(packed)):  # else one of them got two changes as one
            assert told(packed) == told(plain)
        assert packed.client == plain.client
        assert len(deflate.seen) == len(packed.messages)
        for frame in deflate.seen:
            assert frame.deflated is (frame.text >= 300)
            if frame.deflated:
                assert frame.size < frame.text * (0.25 if is_plain else 0.95)


def test_a_chain_of_messages_is_compressed_one_by_one(
    trio: Server, slug: str, anna: Editor
) -> None:
    cursor = anna.get(f"/v1/feeds/{slug}").json()["cursor"]
    for number in range(40):  # 2.4 MB, and a message has 1 MiB at most
        anna.item(f"News {number}", slug, body=noise(60_000))
    plain, packed, deflate = both(trio, slug, cursor)
    with plain, packed:
        newest = anna.get(f"/v1/feeds/{slug}").json()["cursor"]
        for reader in (plain, packed):
            reader.until(lambda reader=reader: reader.client.cursor == newest)
        assert len(packed.messages) > 2
        assert told(packed) == told(plain)
        assert all(frame.deflated for frame in deflate.seen)


def test_small_messages_are_not_compressed(trio: Server, slug: str) -> None:
    deflate = Deflate()
    trio_cursor = Reader(trio, slug).join()
    with trio_cursor, Reader(trio, slug, trio_cursor.client.cursor, extensions=[deflate]) as reader:
        reader.client.cursor = trio_cursor.client.cursor
        reader.join()
        assert reader.messages[0]["items"] == []
        assert [frame.deflated for frame in deflate.seen] == [False]


def test_no_context_is_kept_on_either_side(trio: Server, slug: str) -> None:
    with Reader(trio, slug, extensions=[Deflate()]).join() as reader:
        answer = reader.headers["Sec-WebSocket-Extensions"]
    name, *params = [part.strip() for part in answer.split(";")]
    assert name == "permessage-deflate"
    assert sorted(params) == ["client_no_context_takeover", "server_no_context_takeover"]


@pytest.mark.parametrize(
    "params",
    [
        [("server_max_window_bits", "15")],
        [("server_max_window_bits", "9"), ("client_max_window_bits", None)],
        [("unknown", None)],
        [("client_max_window_bits", None), ("unknown", "1")],
        [("client_max_window_bits", None), ("client_max_window_bits", None)],
        [("server_no_context_takeover", "1")],
        [("client_no_context_takeover", "yes")],
        [("client_max_window_bits", "7")],
        [("client_max_window_bits", "16")],
        [("client_max_window_bits", "ten")],
    ],
    ids=str,
)
def test_an_offer_that_shared_frames_cannot_meet_is_declined(
    trio: Server, slug: str, anna: Editor, params: list[ExtensionParameter]
) -> None:
    anna.item(slug=slug, body="again and " * 100)
    with Reader(trio, slug, extensions=[Offer(*params)]).join() as reader:
        assert "Sec-WebSocket-Extensions" not in reader.headers
        assert reader.messages[0]["items"]


def test_after_an_offer_that_is_declined_the_next_one_is_taken(trio: Server, slug: str) -> None:
    deflate = Deflate()
    offers = [Offer(("server_max_window_bits", "10")), deflate]
    with Reader(trio, slug, extensions=offers).join():
        assert deflate.agreed


def test_what_a_client_compresses_is_accepted_and_ignored(
    trio: Server, slug: str, anna: Editor
) -> None:
    with Reader(trio, slug, extensions=[Deflate()]).join() as reader:
        sent: ClientProtocol = reader._protocol
        for text in ("hello", "again and " * 100, ""):
            reader.send(text)
        assert sent.extensions
        item = anna.item("After all that", slug)
        reader.until(lambda: item["id"] in reader.client.rows)


def test_a_compressed_reader_takes_no_more_memory_than_a_plain_one(tmp_path: Path) -> None:
    grown = {}
    for name, factories in (("plain", []), ("compressed", [Deflate])):
        with ExitStack() as stack:
            server = stack.enter_context(Server(tmp_path / name / "data"))
            editor = stack.enter_context(server.editing())
            for _ in range(10):
                editor.item(body="again and " * 50)
            for _ in range(20):  # so that what is made once is there
                Reader(server, extensions=[make() for make in factories]).join().close()
            before = server.memory()
            for _ in range(CROWD):
                extensions = [make() for make in factories]
                stack.enter_context(Reader(server, extensions=extensions).join())
            for _ in range(3):
                editor.item("To all of them")
            grown[name] = server.memory() - before
    assert grown["compressed"] < grown["plain"] + CROWD * PER_READER, grown


def test_chromium_is_told_the_same_in_compressed_frames(
    trio: Server, slug: str, anna: Editor
) -> None:
    anna.item("There before", slug, body="again and " * 300)
    with Reader(trio, slug).join() as plain, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=QUICK, args=CHROMIUM_ARGS)
        page = browser.new_page()
        session = page.context.new_cdp_session(page)
        answers: list[dict[str, str]] = []
        frames: list[Json] = []
        session.on(
            "Network.webSocketHandshakeResponseReceived",
            lambda event: answers.append(event["response"]["headers"]),
        )
        session.on(
            "Network.webSocketFrameReceived",
            lambda event: frames.append(json.loads(event["response"]["payloadData"])),
        )
        session.send("Network.enable")
        page.goto(f"{trio.url}/feeds/{slug}")
        page.wait_for_selector(".bar.live")
        for number in range(3):
            item = anna.item(f"Live {number}", slug, body=noise(2_000) + " and again" * 2_000)
            page.wait_for_selector(f"#item-{item['id']}")
            plain.until(lambda item=item: item["id"] in plain.client.rows)
        [answer] = answers
        extensions = {name.lower(): value for name, value in answer.items()}
        assert extensions["sec-websocket-extensions"].startswith("permessage-deflate")
        changes = [
            item for frame in frames if frame["type"] == "changes" for item in frame["items"]
        ]
        assert changes == [
            item for message in plain.messages[1:] for item in message.get("items", ())
        ]
        browser.close()
