"""The live door: WebSocket and SSE, the same messages on both."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, suppress

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from feedserver.api.context import Context, context
from feedserver.api.reading import (
    CORS,
    channel_of,
    cursor_text,
    is_cursor_text,
    preflight,
)
from feedserver.errors import Unavailable
from feedserver.live.channel import STALL_SECONDS, Channel
from feedserver.live.goodbyes import CLOSE_ENDED, CLOSE_FULL, CLOSE_NO_FEED, CLOSE_RESTART
from feedserver.live.hub import Hub
from feedserver.live.listeners import Listener
from feedserver.live.messages import Message, tail
from feedserver.live.readers import Position
from feedserver.model import Millis
from feedserver.websocket import frames
from feedserver.websocket.handshake import EXTENSION

SUBPROTOCOL = "newsfeed.v1"
_LIVE = re.compile(r"/v1/feeds/([^/?]+)/live(?![^?])")
PIECE = 8 * 1024  # bytes of a long event that are sent at a time
RETRY_SECONDS = (2, 10)  # spread of Retry-After for those who find no room


def reject(hub: Hub, path: str, offered: list[str]) -> bytes | None:
    """Return the bytes that reject a handshake while there is no room; None to accept it."""
    found = _LIVE.match(path)
    if found is None or (goodbye := hub.rejection(found[1])) is None:
        return None
    # A browser reads nothing unless the subprotocol that it asked for is chosen.
    chosen = f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n" if SUBPROTOCOL in offered else ""
    parts = frames.text_frame(goodbye, hub.now())
    return b"".join((chosen.encode(), b"\r\n", *parts, frames.close_frame(CLOSE_FULL)))


async def live(websocket: WebSocket) -> None:
    """Take a reader's socket, bring it up to date, and let the hub have it."""
    here = context(websocket)
    slug = websocket.path_params["feed"]
    offered = websocket.scope["subprotocols"]
    chosen = SUBPROTOCOL if SUBPROTOCOL in offered else None
    position = None
    try:
        channel = await here.hub.channel(slug)
        if channel is not None:
            position = await here.hub.position_of(channel, websocket.query_params.get("since"))
    except Unavailable:  # as an HTTP status a page could not tell it from a broken network
        await websocket.accept(chosen)
        await websocket.close(CLOSE_FULL)
        return
    admitted = channel is not None and here.hub.admit()
    # No await between the handshake and the hand-over: nothing may come in between.
    await websocket.accept(chosen)
    hand_over = websocket.scope.get("extensions", {}).get(EXTENSION)
    if hand_over is None:
        await _serve(websocket, channel, position, here, admitted=admitted)
        return
    reader = hand_over(channel)
    try:
        if channel is None:
            reader.finish(CLOSE_NO_FEED)
        elif not admitted:
            channel.reject(reader)
        else:
            channel.join(reader, position)
    except BaseException:
        reader.abort()  # uvicorn no longer knows this transport
        raise


async def stream(request: Request) -> Response:
    """Send the same messages as server-sent events."""
    here = context(request)
    channel = await channel_of(here, request)
    text = request.headers.get("last-event-id") or cursor_text(request)
    position = await here.hub.position_of(channel, text if text and is_cursor_text(text) else None)
    if channel.window.ended and position == channel.position:
        # Tells an EventSource not to come back; kept, it would say so of a feed that was reopened.
        return Response(status_code=204, headers=CORS | {"Cache-Control": "no-store"})
    headers = CORS | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if request.method == "HEAD":
        return Response(headers=headers, media_type="text/event-stream")
    # No await from here to the listener, which counts as a reader.
    if not here.hub.admit():
        raise Unavailable(
            "all places are taken; come back in a moment",
            random.randint(*RETRY_SECONDS),  # noqa: S311
        )
    return _Stream(channel, position, here, headers)


class _Stream(StreamingResponse):
    """Messages as events, to a listener that counts from the first moment to the last."""

    def __init__(
        self, channel: Channel, position: Position | None, here: Context, headers: dict[str, str]
    ) -> None:
        super().__init__((), headers=headers, media_type="text/event-stream")
        self._channel = channel
        self._position = position
        self._here = here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._channel.listener() as listener:
            self.body_iterator = self._events(listener)
            await super().__call__(scope, receive, send)

    async def _events(self, listener: Listener) -> AsyncIterator[bytes]:
        async with aclosing(self._channel.listen(listener, self._position)) as messages:
            async for message in messages:
                for piece in _event(message, self._here.hub.now()):
                    yield piece


def _event(message: Message, now: Millis) -> Iterator[bytes]:
    """Make an event of a message, in pieces: a stream that nobody reads holds one of them."""
    fields = b"id: %b\n" % message.cursor.encode() if message.moves else b""
    if message.retry_ms is not None:  # an EventSource reads no `retry_ms`
        fields += b"retry: %d\n" % message.retry_ms
    stem, size = message.stem, len(message.stem)
    for start in range(0, size, PIECE):
        head = fields + b"data: " if start == 0 else b""
        end = tail(now) + b"\n\n" if start + PIECE >= size else b""
        yield b"%b%b%b" % (head, stem[start : start + PIECE], end)


async def _serve(
    websocket: WebSocket,
    channel: Channel | None,
    position: Position | None,
    here: Context,
    *,
    admitted: bool,
) -> None:
    """Serve a reader where there is no hand-over: any other ASGI server."""
    if channel is None:
        await websocket.close(CLOSE_NO_FEED)
    elif not admitted:
        with suppress(WebSocketDisconnect):
            await websocket.send_text(channel.goodbyes.rejection().json(here.hub.now()).decode())
            await websocket.close(CLOSE_FULL)
    else:
        with channel.listener(is_socket=True) as listener:
            async with asyncio.TaskGroup() as both:  # the first to end ends the other
                sending = both.create_task(_send_all(websocket, channel, listener, position, here))
                reading = both.create_task(_discard_incoming(websocket))
                sending.add_done_callback(lambda _: reading.cancel())
                reading.add_done_callback(lambda _: sending.cancel())
        codes = [task.result() for task in (reading, sending) if not task.cancelled()]
        if codes and codes[0] is not None:
            with suppress(WebSocketDisconnect):
                await websocket.close(codes[0])


async def _send_all(
    websocket: WebSocket,
    channel: Channel,
    listener: Listener,
    position: Position | None,
    here: Context,
) -> int | None:
    """Send to the end; return the code to close with, None for one who is gone or stalled."""
    with suppress(WebSocketDisconnect, TimeoutError):
        async with aclosing(channel.listen(listener, position)) as messages:
            async for message in messages:
                async with asyncio.timeout(STALL_SECONDS):
                    await websocket.send_text(message.json(here.hub.now()).decode())
        return CLOSE_ENDED if channel.window.ended else CLOSE_RESTART
    return None


async def _discard_incoming(websocket: WebSocket) -> int | None:
    """Read and discard what a client sends; return the close code once it sends too much."""
    budget = frames.Budget()
    try:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            said = message.get("text") or message.get("bytes") or ""
            budget.spend_bytes(len(said), time.monotonic())
            budget.spend_frame()
    except frames.BadFrame as fault:
        return fault.code
    return None


routes = [
    WebSocketRoute("/v1/feeds/{feed}/live", live),
    Route("/v1/feeds/{feed}/stream", stream, methods=["GET"]),
    Route("/v1/feeds/{feed}/stream", preflight, methods=["OPTIONS"]),
]
