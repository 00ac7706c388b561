"""A newsroom with its search, for tests that look inside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.records import feed, made

from feedserver.journal import Page
from feedserver.sqlite import (
    keys,
    search_batch,
    search_file,
    search_index,
    search_query,
    search_remake,
    slots,
)
from feedserver.sqlite.storage import Storage, open_storage

MODULES = (keys, search_batch, search_file, search_index, search_query, search_remake, slots)


@asynccontextmanager
async def newsroom(folder: Path) -> AsyncIterator[Storage]:
    """Open it, with the feed world."""
    async with open_storage(folder, begins=True) as storage:
        if await storage.mirror.feed("world") is None:
            await made(storage.journal, feed())
        yield storage


async def page(storage: Storage, limit: int = 50, slug: str = "world", **question: Any) -> Page:
    found = await storage.mirror.page(slug, limit, **question)
    assert found is not None
    return found


async def found(storage: Storage, **question: Any) -> list[int]:
    return [item.id for item in (await page(storage, **question)).items]


async def level(storage: Storage) -> None:
    """Wait until the index has everything."""
    head = await storage.journal.head()
    async with asyncio.timeout(20):
        while storage.search.position < head:
            storage.search.worker.hurry()
            await asyncio.sleep(0.01)


def shrink(patch: pytest.MonkeyPatch | None = None, **sizes: int) -> None:
    """Make partitions, blocks and the like so small that a few items fill several."""
    for name, size in sizes.items():
        for module in MODULES:
            if hasattr(module, name):
                if patch is None:
                    setattr(module, name, size)
                else:
                    patch.setattr(module, name, size)
