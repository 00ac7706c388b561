"""A newsroom that dies (-9) before the first step of its search, the second, and so on.

Each try is a process of its own over a folder of its own; another one then finishes the work and
looks at what is left. Run as a program, it prints how many steps there are, and a line of JSON for
each try: of all steps under the profile `more`, else of a few.
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
from functools import partial
from pathlib import Path
from typing import Any

from sqlite.search_room import found, level, newsroom, shrink
from support.cut_short import some
from support.forensics import in_plain, terms_in
from support.records import item_of, kill, made, post

from feedserver.model import Status
from feedserver.sqlite import search_batch, search_file
from feedserver.sqlite.keys import KeyFile

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


def arm(dies_before: int | None) -> Callable[[], int]:
    """Die before that step of the search. Returns what counts them."""
    done = 0

    def step() -> None:
        nonlocal done
        if done == dies_before:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1

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
    return lambda: done


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

    def working(folder: Path, dies_before: int | None) -> dict[str, Any]:
        count = arm(dies_before)
        asyncio.run(work(folder))
        return {"steps": count()}

    def finishing(folder: Path) -> dict[str, Any]:
        return asyncio.run(finish(folder))

    _, told = child(lambda: working(scratch / "whole", None))
    print(told, flush=True)
    for number in some(json.loads(told)["steps"]):
        folder = scratch / str(number)
        status, _ = child(partial(working, folder, number))
        # Threads take turns, so that one run may have a step or two fewer than another.
        assert os.WIFSIGNALED(status) or status == 0, f"it failed before step {number}"
        print(child(partial(finishing, folder))[1], flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
