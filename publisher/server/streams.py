"""Two ways to live messages: a WebSocket, and server-sent events where a proxy blocks that.

Both yield messages until the connection ends, and raise `ConnectionLost` when it ends without a
goodbye.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import quote

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidProxy, InvalidURI

from feedserver.errors import BadRequest, NotFound
from feedserver.wire import Json, loads
from publisher.failures import NotReached, ServerRefusal
from publisher.server.address import is_loopback, socket_address
from publisher.server.reader_state import LATE, ConnectionLost, ReaderState
from publisher.server.schemas import is_message, is_text
from publisher.server.transport import certificates, never_reached, open_http, reason

MESSAGE_MAX = 1024 * 1024  # bytes of one message, from the contract
NO_SUCH_FEED = 4404
ENDED = 4410
FINAL = range(4400, 4500)  # close codes after which coming back is pointless


async def websocket_messages(
    url: str, feed: str, state: ReaderState, timeout: float
) -> AsyncGenerator[Json]:
    """Yield messages of a WebSocket, opened within so many seconds.

    Raises ConnectionLost, Failure.
    """
    socket = await _open_socket(url, f"/v1/feeds/{feed}/live{_since(state)}", timeout)
    async with socket:
        try:
            while True:
                async with asyncio.timeout(LATE * state.heartbeat):
                    data = await socket.recv()
                yield _message(url, data)
        except ConnectionClosed as closed:
            _on_close(closed, url, feed)
        except TimeoutError:
            raise ConnectionLost(f"{url} fell silent") from None


async def event_messages(
    url: str, feed: str, state: ReaderState, timeout: float
) -> AsyncGenerator[Json]:
    """Yield messages of an event stream, opened within so many seconds.

    Raises ConnectionLost, Failure.
    """
    headers = {"accept": "text/event-stream", "cache-control": "no-cache"}
    async with open_http(url, headers) as client:
        try:
            response = await _open_events(
                client, url, f"/v1/feeds/{feed}/stream{_since(state)}", timeout
            )
            async with aclosing(response):
                if response.status_code == 204:
                    yield {"type": "ended"}
                    return
                lines = response.aiter_lines()
                data: list[str] = []
                while True:
                    async with asyncio.timeout(LATE * state.heartbeat):
                        line = await anext(lines, None)
                    if line is None:
                        break
                    if line.startswith("data:"):
                        data.append(line[5:].removeprefix(" "))
                    elif not line and data:
                        yield _message(url, "\n".join(data))
                        data.clear()
        except httpx.HTTPError as fault:
            raise _lost(url, fault, f"the connection to {url} broke ({fault})") from None
        except TimeoutError:
            raise ConnectionLost(f"{url} fell silent") from None
        raise ConnectionLost(f"{url} ended the stream")


class _Connect(connect):
    """Opens a WebSocket where it was asked for: redirects are not followed."""

    def process_redirect(self, exc: Exception) -> Exception:
        """Return the answer as the fault that it is."""
        return exc


async def _open_socket(url: str, path: str, timeout: float) -> ClientConnection:
    try:
        return await _Connect(
            socket_address(url) + path,
            ssl=certificates(url) if url.startswith("https:") else None,
            subprotocols=["newsfeed.v1"],  # type: ignore[list-item]
            compression=None,
            max_size=MESSAGE_MAX,
            open_timeout=timeout,
            ping_interval=None,  # the server's heartbeats show that it lives
            close_timeout=1,
            proxy=None if is_loopback(url) else True,
        )
    except (InvalidHandshake, InvalidURI, InvalidProxy, ImportError) as fault:
        raise ConnectionLost(f"{url} opens no WebSocket ({fault})", blocked=True) from None
    except TimeoutError:
        raise ConnectionLost(f"{url} does not answer") from None
    except OSError as fault:
        raise _lost(url, fault, f"no server answers at {url} ({reason(fault)})") from None


async def _open_events(
    client: httpx.AsyncClient, url: str, path: str, timeout: float
) -> httpx.Response:
    """Return an answer that is a stream, or 204.

    Raises ConnectionLost, Failure, httpx.HTTPError.
    """
    try:
        async with asyncio.timeout(timeout):
            response = await client.send(client.build_request("GET", url + path), stream=True)
            status, kind = response.status_code, response.headers.get("content-type", "")
            if status == 204 or (status == 200 and kind.startswith("text/event-stream")):
                return response
            async with aclosing(response):
                problem = _object(await response.aread()) if "problem+json" in kind else {}
    except TimeoutError:
        raise ConnectionLost(f"{url} does not answer") from None
    if status == NotFound.status and is_text(problem.get("detail")):
        raise ServerRefusal({**problem, "status": status}, url)
    if status >= 500:
        raise ConnectionLost(f"{url} answers with the status {status}")
    detail = (
        f"{url} does not answer as a feedserver does (it sent {kind or 'nothing'}, status {status})"
    )
    raise ConnectionLost(detail, final=NotReached(detail))


def _lost(url: str, fault: Exception, detail: str) -> ConnectionLost:
    final = never_reached(url, fault)
    return ConnectionLost(final.headline if final else detail, final=final)


def _since(state: ReaderState) -> str:
    return f"?since={quote(state.cursor)}" if state.cursor else ""


def _on_close(closed: ConnectionClosed, url: str, feed: str) -> None:
    """Return where the feed has ended; else raise what the close code means."""
    code = closed.rcvd.code if closed.rcvd else None
    if code == ENDED:
        return
    if code in FINAL:
        detail = f"there is no feed {feed}" if code == NO_SUCH_FEED else f"refused, code {code}"
        problem = {"type": NotFound.slug, "title": NotFound.title, "detail": detail}
        raise ServerRefusal({**problem, "status": NotFound.status}, url) from None
    if code is None:
        raise ConnectionLost(f"the connection to {url} broke") from None
    raise ConnectionLost(f"the server closed the connection (code {code})") from None


def _message(url: str, data: str | bytes) -> Json:
    message = _object(data)
    if not is_message(message):
        raise ConnectionLost(f"{url} sent something else than a live message")
    return message


def _object(data: str | bytes) -> Json:
    """Return the JSON object in a message, or an empty one if there is none."""
    try:
        found = loads(data)
    except BadRequest:
        return {}
    return found if isinstance(found, dict) else {}
