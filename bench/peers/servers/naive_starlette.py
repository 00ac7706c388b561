"""What one writes first with Starlette: a set of sockets and a loop that awaits each send.

A second argument "deflate" leaves uvicorn's default, which compresses for each reader.
"""

import asyncio
import socket
import sys

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bench.peers.servers.orders import greeting, orders, say

readers: set[WebSocket] = set()
first = greeting()


async def live(reader: WebSocket) -> None:
    await reader.accept()
    if first:
        await reader.send_text(first)
    readers.add(reader)
    try:
        while True:
            await reader.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        readers.discard(reader)


async def main() -> None:
    app = Starlette(routes=[WebSocketRoute("/", live)])
    config = uvicorn.Config(
        app,
        log_level="warning",
        ws_ping_interval=None,
        ws_per_message_deflate="deflate" in sys.argv,
    )
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    say(f"ready {listening.getsockname()[1]}")
    async for message in orders():
        for reader in list(readers):
            await reader.send_text(message)
        say(f"sent {len(readers)}")
    server.should_exit = server.force_exit = True
    await serving


uvloop.run(main())
