"""The live door by WebSocket: a reader is brought up to date, and then the hub has its socket."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import aclosing, suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from feedserver.api.context import Context, context
from feedserver.api.cors import CORS, preflight
from feedserver.api.problems import problem
from feedserver.errors import Behind, Unavailable, UpgradeNeeded
from feedserver.live.channel import STALL_SECONDS, Channel
from feedserver.live.goodbyes import CLOSE_ENDED, CLOSE_FULL, CLOSE_NO_FEED, CLOSE_RESTART
from feedserver.live.hub import Hub
from feedserver.live.listeners import Listener
from feedserver.live.readers import Position
from feedserver.websocket import frames
from feedserver.websocket.handshake import EXTENSION

SUBPROTOCOL = "newsfeed.v1"
_LIVE = re.compile(r"/v1/feeds/([^/?]+)/live(?![^?])")


def reject(hub: Hub, path: str, subprotocols: list[str]) -> bytes | None:
    """Return the bytes that reject a handshake while there is no room, or None to accept it.

    They follow the first lines of the answer: the last header, and the frames.
    """
    found = _LIVE.match(path)
    if found is None or (goodbye := hub.rejection(found[1])) is None:
        return None
    # A browser reads nothing unless the subprotocol that it asked for is chosen.
    chosen = f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n" if SUBPROTOCOL in subprotocols else ""
    parts = frames.text_frame(goodbye, hub.now())
    return b"".join((chosen.encode(), b"\r\n", *parts, frames.close_frame(CLOSE_FULL)))


async def serve_live(websocket: WebSocket) -> None:
    """Accept a reader's socket, bring it up to date, and let the hub have it."""
    here = context(websocket)
    slug = websocket.path_params["feed"]
    offered = websocket.scope["subprotocols"]
    chosen = SUBPROTOCOL if SUBPROTOCOL in offered else None
    behind = False
    try:
        here.check_place()
        found = await here.hub.arrive(slug, websocket.query_params.get("since"))
        if found is None and not await here.journal.level():
            raise Unavailable("the feed may exist")
    except Unavailable as fault:
        channel = here.hub.loaded(slug) if isinstance(fault, Behind) else None
        if channel is None:  # as an HTTP status a page could not tell it from a broken network
            await websocket.accept(chosen)
            await websocket.close(CLOSE_FULL)
            return
        found, behind = (channel, None), True
    channel, position = found or (None, None)
    admitted = channel is not None and not behind and here.hub.admit()
    hand_over = websocket.scope.get("extensions", {}).get(EXTENSION)
    if hand_over is None:
        await _serve_slowly(websocket, chosen, channel, position, here, admitted=admitted)
        return
    # Our own handshake waits for nothing here, so the channel is still the hub's.
    await websocket.accept(chosen)
    reader = hand_over(channel)
    try:
        if channel is None:
            reader.finish(CLOSE_NO_FEED)
        elif behind:
            channel.send_back(reader)
        elif not admitted:
            channel.reject(reader)
        else:
            channel.join(reader, position)
    except BaseException:
        reader.abort()  # uvicorn no longer knows this transport
        raise


async def _serve_slowly(
    websocket: WebSocket,
    chosen: str | None,
    channel: Channel | None,
    position: Position | None,
    here: Context,
    *,
    admitted: bool,
) -> None:
    """Serve a reader where there is no hand-over: under any other ASGI server."""
    if channel is None:
        await websocket.accept(chosen)
        await websocket.close(CLOSE_NO_FEED)
    elif not admitted:
        await websocket.accept(chosen)
        with suppress(WebSocketDisconnect):
            await websocket.send_text(channel.goodbyes.rejection().json(here.hub.now()).decode())
            await websocket.close(CLOSE_FULL)
    else:
        with channel.listener(is_socket=True) as listener:
            await websocket.accept(chosen)
            async with asyncio.TaskGroup() as both:  # the first to end ends the other
                sending = both.create_task(_send_all(websocket, channel, listener, position, here))
                receiving = both.create_task(_receive_all(websocket))
                sending.add_done_callback(lambda _: receiving.cancel())
                receiving.add_done_callback(lambda _: sending.cancel())
        codes = [task.result() for task in (receiving, sending) if not task.cancelled()]
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


async def _receive_all(websocket: WebSocket) -> int | None:
    """Ignore what a client sends, while it is little; return the code for one that sends more."""
    budget = frames.Budget()
    try:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            payload = message.get("text") or message.get("bytes") or ""
            budget.spend_bytes(len(payload), time.monotonic())
            budget.spend_frame()
    except frames.BadFrame as fault:
        return fault.code
    return None


async def refuse_plain(request: Request) -> Response:
    """Say that this is a WebSocket's address, to a request whose upgrade a proxy may have taken."""
    answer = problem(
        UpgradeNeeded(
            "this is the address of a WebSocket; if you asked for one, a proxy on the way took the "
            f"Upgrade header: read /v1/feeds/{request.path_params['feed'][:80]}/stream instead"
        )
    )
    answer.headers.update({**CORS, "Upgrade": "websocket", "Connection": "Upgrade"})
    return answer


routes = [
    WebSocketRoute("/v1/feeds/{feed}/live", serve_live),
    Route("/v1/feeds/{feed}/live", refuse_plain, methods=["GET"]),
    Route("/v1/feeds/{feed}/live", preflight, methods=["OPTIONS"]),
]
