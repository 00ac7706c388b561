"""picows, a WebSocket transport in Cython: one `send` to each reader."""

import importlib
from typing import Any

import uvloop

from bench.peers.servers.orders import greeting, orders, say

picows: Any = importlib.import_module("picows")  # only in the peers' environment
first = greeting()
readers: set[Any] = set()


class Reader(picows.WSListener):  # type: ignore[misc]  # the module is untyped here
    def on_ws_connected(self, transport: Any) -> None:
        if first:
            transport.send(picows.WSMsgType.TEXT, first.encode())
        readers.add(transport)

    def on_ws_disconnected(self, transport: Any) -> None:
        readers.discard(transport)

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        if frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


async def main() -> None:
    server = await picows.ws_create_server(lambda _: Reader(), "127.0.0.1", 0, backlog=4096)
    say(f"ready {server.sockets[0].getsockname()[1]}")
    async for message in orders():
        payload = message.encode()
        for transport in readers:
            transport.send(picows.WSMsgType.TEXT, payload)
        say(f"sent {len(readers)}")


uvloop.run(main())
