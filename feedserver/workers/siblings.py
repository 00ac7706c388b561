"""The packets that workers send each other: there is news, and how many readers took it.

Any packet may be lost: the journal's own poll finds the news 50 ms later, and a count that does not
arrive in time is left out of the sum. The sockets are of type SOCK_SEQPACKET and not datagrams,
because the kernel keeps only some ten datagrams for a worker that has not read them yet.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
from collections.abc import Callable
from typing import Any

import orjson

from feedserver.live.hub import Hub
from feedserver.live.receipts import Receipt

PACKET_MAX = 4096  # bytes
MARGIN = 0.03  # seconds of the asker's timeout that are kept for the answer's way back

Box = tuple[socket.socket, socket.socket]
"""A mailbox: the socket that its owner reads, and the socket that all others write to."""


def mailboxes(count: int) -> list[Box]:
    """Make a mailbox for each worker, before the workers are forked."""
    boxes = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(count)]
    for reading, writing in boxes:
        reading.setblocking(False)
        writing.setblocking(False)
    return boxes


class Siblings:
    """The other workers, as one worker sees them: counts readers and deliveries over them all.

    `wake` is called when another worker says that there is news.
    """

    def __init__(self, own: int, boxes: list[Box], hub: Hub, wake: Callable[[], None]) -> None:
        self._own = own
        self._box = boxes[own][0]
        self._others = [box[1] for number, box in enumerate(boxes) if number != own]
        self._to = [box[1] for box in boxes]
        self._hub = hub
        self._wake = wake
        # Not from 0: a late answer to the worker that this one replaced must match no question.
        self._questions = itertools.count(random.getrandbits(48))
        self._waiting: dict[int, asyncio.Queue[list[int]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Read the mailbox until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._on_message(orjson.loads(await loop.sock_recv(self._box, PACKET_MAX)))

    def announce(self) -> None:
        """Tell the other workers that there is news."""
        for other in self._others:
            _send(other, {"news": True})

    async def delivered(self, slug: str, sequence: int, timeout: float) -> Receipt:
        """Return how many readers of all workers took the change at `sequence`.

        Waits `timeout` seconds at most.
        """
        asked = asyncio.create_task(
            self._ask({"delivered": sequence, "feed": slug, "timeout": timeout}, timeout)
        )
        own = await self._hub.delivered(slug, sequence, timeout)
        answers = await asked
        return Receipt(
            own.took + sum(answer[0] for answer in answers),
            own.readers + sum(answer[1] for answer in answers),
            max([own.ms, *(answer[2] for answer in answers)]),
        )

    async def count(self, slug: str) -> tuple[int, int]:
        """Return how many read a feed by WebSocket and by SSE, at all workers together."""
        sockets, streams = await self._hub.count(slug)
        answers = await self._ask({"count": True, "feed": slug}, 0.25)
        return sockets + sum(a[0] for a in answers), streams + sum(a[1] for a in answers)

    async def applied(self, sequence: int, timeout: float) -> bool:
        """Wait until all workers have taken in the changes up to `sequence`; False: not in time."""
        asked = asyncio.create_task(
            self._ask({"applied": sequence, "feed": "", "timeout": timeout}, timeout)
        )
        own = await self._hub.applied(sequence, timeout)
        answers = await asked
        return own and len(answers) == len(self._others) and all(answer[0] for answer in answers)

    async def _ask(self, question: dict[str, Any], timeout: float) -> list[list[int]]:
        number = next(self._questions)
        queue: asyncio.Queue[list[int]] = asyncio.Queue()
        self._waiting[number] = queue
        asked = sum(
            _send(other, question | {"number": number, "from": self._own}) for other in self._others
        )
        answers: list[list[int]] = []
        try:
            async with asyncio.timeout(timeout):
                while len(answers) < asked:
                    answers.append(await queue.get())
        except TimeoutError:
            pass
        finally:
            del self._waiting[number]
        return answers

    def _on_message(self, message: dict[str, Any]) -> None:
        if "news" in message:
            self._wake()
        elif "answer" in message:
            queue = self._waiting.get(message["number"])
            if queue is not None:
                queue.put_nowait(message["answer"])
        else:
            task = asyncio.create_task(self._reply(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _reply(self, question: dict[str, Any]) -> None:
        slug = question["feed"]
        if "delivered" in question:
            timeout = max(0.0, question["timeout"] - MARGIN)
            receipt = await self._hub.delivered(slug, question["delivered"], timeout)
            answer = [receipt.took, receipt.readers, receipt.ms]
        elif "applied" in question:
            timeout = max(0.0, question["timeout"] - MARGIN)
            answer = [int(await self._hub.applied(question["applied"], timeout))]
        else:
            answer = list(await self._hub.count(slug))
        _send(self._to[question["from"]], {"number": question["number"], "answer": answer})


def _send(box: socket.socket, message: dict[str, Any]) -> bool:
    try:
        box.send(orjson.dumps(message))
    except OSError:
        return False  # the mailbox is full, or its worker is just being replaced
    return True
