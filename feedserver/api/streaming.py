"""Server-sent events: the live messages over plain HTTP."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from feedserver.api.context import Context, context
from feedserver.api.cors import CORS, preflight
from feedserver.api.lookups import arrive, find_feed
from feedserver.api.queries import cursor_text, is_cursor_text
from feedserver.errors import Unavailable
from feedserver.live.channel import Channel
from feedserver.live.listeners import Listener
from feedserver.live.messages import Message, tail
from feedserver.live.readers import Position
from feedserver.model import Millis

PIECE = 8 * 1024  # bytes of a long event that are sent at a time
RETRY_SECONDS = (2, 10)  # spread of Retry-After for those who find no room
HEADERS = CORS | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def stream(request: Request) -> Response:
    """Send the live messages as server-sent events."""
    here = context(request)
    feed = await find_feed(here, request)
    text = request.headers.get("last-event-id") or cursor_text(request)
    is_closed = feed.closed_at is not None and feed.version <= feed.head
    if is_closed and text == here.cursor(feed):
        # Tells an EventSource not to come back; kept, it would say so of a feed that was reopened.
        return Response(status_code=204, headers=CORS | {"Cache-Control": "no-store"})
    if request.method == "HEAD":
        return Response(headers=HEADERS, media_type="text/event-stream")
    channel, position = await arrive(here, request, text if text and is_cursor_text(text) else None)
    # No await from here to the listener, which counts as a reader.
    if not here.hub.admit():
        raise Unavailable(
            "all places are taken; come back in a moment",
            random.randint(*RETRY_SECONDS),  # noqa: S311
        )
    return _Stream(channel, position, here)


class _Stream(StreamingResponse):
    """Messages as events, to a listener that counts from the first moment to the last."""

    def __init__(self, channel: Channel, position: Position | None, here: Context) -> None:
        super().__init__((), headers=HEADERS, media_type="text/event-stream")
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


routes = [
    Route("/v1/feeds/{feed}/stream", stream, methods=["GET"]),
    Route("/v1/feeds/{feed}/stream", preflight, methods=["OPTIONS"]),
]
