"""The way a Python peer is told what to send."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

LONGEST = 1 << 20  # bytes of one message


async def orders() -> AsyncIterator[str]:
    """Lines of stdin, until it closes."""
    reader = asyncio.StreamReader(LONGEST)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().rstrip("\n")


def greeting() -> str | None:
    """What each new reader is sent first, if anything."""
    return Path(sys.argv[1]).read_text() if len(sys.argv) > 1 and sys.argv[1] else None


def say(line: str) -> None:
    print(line, flush=True)
