"""A newsroom that dies (-9) before the first step of its search, the second, and so on.

Each try is a process of its own over a folder of its own; another one then finishes the work and
looks at what is left. Run as a program, it prints a line of JSON for each try.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite.search_room import found, level, newsroom, shrink
from support.forensics import in_plain, terms_in
from support.records import item_of, kill, made, post

from feedserver.model import Status
from feedserver.sqlite import search_batch, search_file
from feedserver.sqlite.keys import KeyFile

TRIES_MAX = 200
SECRET = ["grivnatrakt", "zolotnikovy"]


async def work(folder: Path) -> None:
    """Post, kill, post, and wait for the end of it."""
    async with newsroom(folder) as storage:
        texts = [*(f"News {n}" for n in range(20)), f"News {SECRET[0]}", *["News"] * 20]
        changes = await made(
            storage.journal, *(post(text, body=SECRET[1]) for text in texts[20:21])
        )
        changes += await made(storage.journal, *map(post, texts[:20] + texts[21:]))
        await level(storage)
        await storage.journal.append(kill(item_of(changes[0])))
        await made(storage.journal, *map(post, ["News"] * 5))
        assert await storage.journal.purged(20)
        await level(storage)


async def finish(folder: Path) -> dict[str, Any]:
    """Finish what is left, withdraw the item if that was not done yet, and look at the files."""
    async with newsroom(folder) as storage:
        await level(storage)
        assert await storage.journal.purged(20)
        there = await storage.mirror.page("world", 200)
        assert there is not None
        live = [item for item in there.items if item.status is not Status.KILLED]
        assert await found(storage, words="news", limit=200) == [item.id for item in live]
        killed = len(live) < len(there.items)
        for item in live:
            if SECRET[0] in item.headline:
                await storage.journal.append(kill(item))
                assert await storage.journal.purged(20)
                live.remove(item)
        assert await found(storage, words="news", limit=200) == [item.id for item in live]
        assert terms_in(folder, "world", SECRET) == []
        assert in_plain(folder, SECRET) == []
        return {"killed": killed}


def arm(left: int) -> None:
    """Die before so many steps of the search."""

    def step() -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def stepping(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            step()
            answer = real(*given, **more)
            step()
            return answer

        return call

    locked = search_file.locked

    @contextmanager
    def stepping_locked(*given: Any, **more: Any) -> Iterator[None]:
        with locked(*given, **more):
            yield
            step()
        step()

    search_file.locked = stepping_locked
    for name in ("begin_partition", "end_partitions"):
        setattr(KeyFile, name, stepping(getattr(KeyFile, name)))


def child(job: Callable[[], Any]) -> tuple[int, str]:
    """Do a job in a process of its own; return its status and what it told."""
    here, there = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(here)
        try:
            told = {"fault": None} | (job() or {})
        except BaseException:
            told = {"fault": traceback.format_exc()}
        os.write(there, json.dumps(told).encode())
        os._exit(0)
    os.close(there)
    with open(here) as pipe:
        answer = pipe.read()
    return os.waitpid(pid, 0)[1], answer


def main(scratch: Path) -> None:
    shrink(PARTITION=16, BLOCK=4)
    search_batch.BATCH_BYTES = 1500
    for number in range(TRIES_MAX):
        folder = scratch / str(number)

        def dying(folder: Path = folder, number: int = number) -> None:
            arm(number)
            asyncio.run(work(folder))

        status, _ = child(dying)
        _, told = child(lambda folder=folder: asyncio.run(finish(folder)))  # type: ignore[misc]
        print(told, flush=True)
        if not os.WIFSIGNALED(status):
            return
    raise AssertionError("it never came to its end")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
