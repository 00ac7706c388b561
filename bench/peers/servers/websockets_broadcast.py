"""The `websockets` library's own way: `broadcast()`. A second argument "deflate" compresses."""

import sys

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from bench.peers.servers.orders import greeting, orders, say


async def main() -> None:
    readers: set[ServerConnection] = set()
    first = greeting()

    async def read(connection: ServerConnection) -> None:
        if first:
            await connection.send(first)
        readers.add(connection)
        try:
            await connection.wait_closed()
        finally:
            readers.discard(connection)

    compression = "deflate" if "deflate" in sys.argv else None
    async with serve(
        read, "127.0.0.1", 0, compression=compression, ping_interval=None, backlog=4096
    ) as server:
        say(f"ready {next(iter(server.sockets)).getsockname()[1]}")
        async for message in orders():
            broadcast(readers, message)
            say(f"sent {len(readers)}")


uvloop.run(main())
