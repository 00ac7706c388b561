"""A signal for all who wait for the next event of a kind."""

from __future__ import annotations

import asyncio


class Signal:
    """Wakes every task that waits; a task that begins to wait after that waits for the next one."""

    def __init__(self) -> None:
        self.count = 0  # how often it was sent
        self._event = asyncio.Event()

    def send(self) -> None:
        """Wake all who wait."""
        self.count += 1
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self) -> None:
        """Wait until it is sent the next time."""
        await self._event.wait()
