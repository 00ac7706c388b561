"""Answers as they are kept and sent: in chunks that all who ask share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from feedserver.api.caching import CACHED, VARY, is_known
from feedserver.api.context import Context
from feedserver.api.cors import CORS
from feedserver.live.encoded import encode_item, item_key
from feedserver.model import Item

CHUNK_BYTES = 64 * 1024  # small pieces are joined up to this, …
LARGE_BYTES = 16 * 1024  # … and one above this is not copied
LONG_TEXT = 32 * 1024  # characters of items that are encoded beside the loop


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as the cache keeps it."""

    etag: str
    chunks: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """The bytes of all chunks."""
        return sum(map(len, self.chunks))


class ChunkedResponse(Response):
    """A body of `size` bytes, sent in chunks as the client takes it, never copied as a whole."""

    def __init__(
        self,
        chunks: Iterable[bytes],
        size: int,
        headers: Mapping[str, str],
        media_type: str = "application/json",
        status: int = 200,
    ) -> None:
        headers = {**headers, "Content-Length": str(size)}
        super().__init__(None, status, headers, media_type)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, by the rules of ASGI."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        if scope["method"] != "HEAD":
            for chunk in self._chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})


def chunked(*chunks: bytes, headers: Mapping[str, str]) -> ChunkedResponse:
    """Answer with JSON that is there already."""
    return ChunkedResponse(chunks, sum(map(len, chunks)), headers)


def in_chunks(pieces: Iterable[bytes]) -> tuple[bytes, ...]:
    """Join neighbouring pieces that are small, and share those that are large."""
    chunks: list[bytes] = []
    small: list[bytes] = []
    room = CHUNK_BYTES
    for piece in pieces:
        if len(piece) > min(room, LARGE_BYTES) and small:
            chunks.append(b"".join(small))
            small, room = [], CHUNK_BYTES
        if len(piece) > LARGE_BYTES:
            chunks.append(piece)
        else:
            small.append(piece)
            room -= len(piece)
    return (*chunks, b"".join(small))


def read_answer(
    request: Request, kept: Kept, tags: Mapping[str, str], *, now: bytes = b""
) -> Response:
    """Answer a reader, with 304 if the client has this version. `now` is the end of the body."""
    if is_known(kept.etag, request):
        return unchanged(kept.etag, tags)
    return chunked(*kept.chunks, now, headers=reader_headers(kept.etag, tags))


def unchanged(etag: str, tags: Mapping[str, str]) -> Response:
    """Answer a reader who has this version."""
    return Response(status_code=304, headers=reader_headers(etag, tags))


def reader_headers(etag: str, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an answer to readers."""
    return {**CORS, **VARY, "Cache-Control": CACHED, "ETag": etag, **tags}


async def encode(items: Iterable[Item], make: Callable[[], Any]) -> bytes:
    """Return the JSON of what `make` makes of items, made beside the loop if they are long."""
    if sum(len(item.body) for item in items) > LONG_TEXT:
        return await asyncio.to_thread(lambda: orjson.dumps(make()))
    return orjson.dumps(make())


async def encode_items(here: Context, items: Sequence[Item], since: int) -> list[bytes]:
    """Return the JSON of items for readers: what is kept of them, and the rest encoded now.

    `since` is the cache's moment before the items were read.
    """
    cache = here.hub.cache
    pieces = {item.id: cache.get(item_key(item), since) for item in items}
    missing = [item for item in items if pieces[item.id] is None]
    if sum(len(item.body) for item in missing) > LONG_TEXT:
        encoded = await asyncio.to_thread(lambda: [encode_item(item) for item in missing])
    else:
        encoded = [encode_item(item) for item in missing]
    for item, piece in zip(missing, encoded, strict=True):
        cache.put(item_key(item), piece, len(piece), items=(item.id,), since=since)
        pieces[item.id] = piece
    return [pieces[item.id] for item in items]
