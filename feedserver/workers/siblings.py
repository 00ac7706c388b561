"""What workers tell each other, in packets: there is news, and how far it got.

All of it may be lost: the journal's own poll finds the news 50 ms later, and a count that does not
arrive in time is left out of the sum. Packets in order, as the kernel keeps only some ten datagrams
for one who has not read them yet.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
from collections.abc import Callable
from typing import Any

import orjson

from feedserver.live.channel import Receipt
from feedserver.live.hub import Hub

PACKET_MAX = 4096  # bytes
MARGIN = 0.03  # seconds of an asker's patience kept for the answer's way back

Box = tuple[socket.socket, socket.socket]
"""A mailbox: the end its owner reads, the end everybody writes to."""


def mailboxes(count: int) -> list[Box]:
    """Make one mailbox a worker, before they are forked."""
    boxes = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(count)]
    for reading, writing in boxes:
        reading.setblocking(False)
        writing.setblocking(False)
    return boxes


class Siblings:
    """One worker's view of all of them: it counts readers and deliveries over every process."""

    def __init__(self, own: int, boxes: list[Box], hub: Hub, nudge: Callable[[], None]) -> None:
        self._own = own
        self._box = boxes[own][0]
        self._others = [box[1] for number, box in enumerate(boxes) if number != own]
        self._to = [box[1] for box in boxes]
        self._hub = hub
        self._nudge = nudge
        # Not from 0: an answer to the worker that was here before must fit no question of this one.
        self._questions = itertools.count(random.getrandbits(48))
        self._waiting: dict[int, asyncio.Queue[list[int]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Read the mailbox until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._hear(orjson.loads(await loop.sock_recv(self._box, PACKET_MAX)))

    def announce(self) -> None:
        """Tell the others that there is news."""
        for other in self._others:
            _send(other, {"news": True})

    async def delivered(self, slug: str, sequence: int, patience: float) -> Receipt:
        """Say how many readers of all workers took the change at `sequence`."""
        asked = asyncio.create_task(
            self._ask({"delivered": sequence, "feed": slug, "patience": patience}, patience)
        )
        own = await self._hub.delivered(slug, sequence, patience)
        answers = await asked
        return Receipt(
            own.took + sum(answer[0] for answer in answers),
            own.readers + sum(answer[1] for answer in answers),
            max([own.ms, *(answer[2] for answer in answers)]),
        )

    async def count(self, slug: str) -> tuple[int, int]:
        """Return how many read a feed by WebSocket and by SSE, at all workers."""
        sockets, streams = await self._hub.count(slug)
        answers = await self._ask({"count": True, "feed": slug}, 0.25)
        return sockets + sum(a[0] for a in answers), streams + sum(a[1] for a in answers)

    async def _ask(self, question: dict[str, Any], patience: float) -> list[list[int]]:
        number = next(self._questions)
        queue: asyncio.Queue[list[int]] = asyncio.Queue()
        self._waiting[number] = queue
        asked = sum(
            _send(other, question | {"number": number, "from": self._own}) for other in self._others
        )
        answers: list[list[int]] = []
        try:
            async with asyncio.timeout(patience):
                while len(answers) < asked:
                    answers.append(await queue.get())
        except TimeoutError:
            pass
        finally:
            del self._waiting[number]
        return answers

    def _hear(self, said: dict[str, Any]) -> None:
        if "news" in said:
            self._nudge()
        elif "answer" in said:
            queue = self._waiting.get(said["number"])
            if queue is not None:
                queue.put_nowait(said["answer"])
        else:
            task = asyncio.create_task(self._reply(said))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _reply(self, question: dict[str, Any]) -> None:
        slug = question["feed"]
        if "delivered" in question:
            patience = max(0.0, question["patience"] - MARGIN)
            receipt = await self._hub.delivered(slug, question["delivered"], patience)
            answer = [receipt.took, receipt.readers, receipt.ms]
        else:
            answer = list(await self._hub.count(slug))
        _send(self._to[question["from"]], {"number": question["number"], "answer": answer})


def _send(box: socket.socket, message: dict[str, Any]) -> bool:
    try:
        box.send(orjson.dumps(message))
    except OSError:
        return False  # its box is full, or it is just being replaced
    return True
