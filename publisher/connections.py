"""Two ways to live messages: a WebSocket, and server-sent events where that is not let through.

Both yield messages until the connection ends, and raise `Lost` when it ends without a word.
"""

from __future__ import annotations

from collections.abc import Generator
from urllib.parse import quote

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.sync.client import connect

from feedserver.errors import BadRequest, NotFound
from feedserver.wire import Json, loads
from publisher.address import is_loopback, socket_address
from publisher.failures import Refused
from publisher.live import LATE, View

MESSAGE_MAX = 1024 * 1024  # bytes of one message, from the contract
NO_SUCH_FEED = 4404
ENDED = 4410
FINAL = range(4400, 4500)  # close codes after which coming back is pointless
OPEN_MAX = 10.0  # seconds to open a connection


class Lost(Exception):
    """The connection is gone or never was.

    `blocked`: something on the way opens no WebSocket. `stranger`: it is no feedserver either.
    """

    def __init__(self, detail: str, *, blocked: bool = False, stranger: bool = False) -> None:
        super().__init__(detail)
        self.blocked = blocked
        self.stranger = stranger


def through_socket(url: str, feed: str, view: View) -> Generator[Json]:
    """Yield messages of a WebSocket. Raises Lost, Refused."""
    address = f"{socket_address(url)}/v1/feeds/{feed}/live{_since(view)}"
    try:
        with connect(
            address,
            subprotocols=["newsfeed.v1"],  # type: ignore[list-item]
            compression=None,
            max_size=MESSAGE_MAX,
            open_timeout=OPEN_MAX,
            ping_interval=None,  # the server's heartbeats tell that it lives
            close_timeout=1,
            proxy=None if is_loopback(url) else True,
        ) as socket:
            while True:
                yield _message(socket.recv(timeout=LATE * view.heartbeat))
    except ConnectionClosed as closed:
        _close(closed, url, feed)
    except (InvalidHandshake, InvalidURI) as fault:
        raise Lost(f"{url} opens no WebSocket ({fault})", blocked=True) from None
    except TimeoutError:
        raise Lost(f"{url} fell silent") from None
    except OSError as fault:
        raise Lost(f"no server answers at {url} ({fault.strerror or fault})") from None


def through_events(url: str, feed: str, view: View) -> Generator[Json]:
    """Yield messages of an event stream. Raises Lost, Refused."""
    address = f"{url}/v1/feeds/{feed}/stream{_since(view)}"
    silence = httpx.Timeout(OPEN_MAX, read=LATE * view.heartbeat)
    headers = {"accept": "text/event-stream", "cache-control": "no-cache"}
    try:
        with httpx.stream(
            "GET", address, headers=headers, timeout=silence, trust_env=not is_loopback(url)
        ) as response:
            if response.status_code == 204:
                yield {"type": "ended"}
                return
            kind = response.headers.get("content-type", "")
            if response.status_code == NotFound.status and "problem+json" in kind:
                raise Refused({**_message(response.read()), "status": NotFound.status}, url)
            if response.status_code != 200 or not kind.startswith("text/event-stream"):
                stranger = response.status_code < 500
                raise Lost(f"{url} does not answer as a feedserver does", stranger=stranger)
            data: list[str] = []
            for line in response.iter_lines():
                if line.startswith("data:"):
                    data.append(line[5:].removeprefix(" "))
                elif not line and data:
                    yield _message("\n".join(data))
                    data.clear()
            raise Lost(f"{url} ended the stream")
    except httpx.HTTPError as fault:
        raise Lost(f"the connection to {url} broke ({fault})") from None


def _since(view: View) -> str:
    return f"?since={quote(view.cursor)}" if view.cursor else ""


def _close(closed: ConnectionClosed, url: str, feed: str) -> None:
    """Return after an end that is one; else raise what the close code means."""
    code = closed.rcvd.code if closed.rcvd else None
    if code == ENDED:
        return
    if code in FINAL:
        detail = f"there is no feed {feed}" if code == NO_SUCH_FEED else f"refused, code {code}"
        problem = {"type": NotFound.slug, "title": NotFound.title, "detail": detail}
        raise Refused({**problem, "status": NotFound.status}, url) from None
    raise Lost(f"the server closed the connection (code {code})") from None


def _message(data: str | bytes) -> Json:
    try:
        message = loads(data)
    except BadRequest:
        message = None
    if not isinstance(message, dict):
        raise Lost("a message came that is no message")
    return message
