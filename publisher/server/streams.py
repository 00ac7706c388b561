"""Two ways to live messages: a WebSocket, and server-sent events where that is not let through.

Both yield messages until the connection ends, and raise `Lost` when it ends without a word.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from urllib.parse import quote

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidProxy, InvalidURI
from websockets.sync.client import ClientConnection, connect

from feedserver.errors import BadRequest, NotFound
from feedserver.wire import Json, loads
from publisher.failures import NotReached, Refused
from publisher.server.address import is_loopback, socket_address
from publisher.server.deadline import deadline
from publisher.server.follower import LATE, View
from publisher.server.schemas import is_message, is_text
from publisher.server.transport import certificates, never_reached, open_http

MESSAGE_MAX = 1024 * 1024  # bytes of one message, from the contract
NO_SUCH_FEED = 4404
ENDED = 4410
FINAL = range(4400, 4500)  # close codes after which coming back is pointless


class Lost(Exception):
    """The connection is gone or never was.

    `blocked`: something on the way opens no WebSocket. `final`: what to fail with unless this
    server was reached before, as another try would end alike.
    """

    def __init__(
        self, detail: str, *, blocked: bool = False, final: NotReached | None = None
    ) -> None:
        super().__init__(detail)
        self.blocked = blocked
        self.final = final


def through_socket(url: str, feed: str, view: View, timeout: float) -> Generator[Json]:
    """Yield messages of a WebSocket, opened within so many seconds. Raises Lost, Failure."""
    with _open_socket(url, f"/v1/feeds/{feed}/live{_since(view)}", timeout) as socket:
        try:
            while True:
                yield _message(url, socket.recv(timeout=LATE * view.heartbeat))
        except ConnectionClosed as closed:
            _close(closed, url, feed)
        except TimeoutError:
            raise Lost(f"{url} fell silent") from None


def through_events(url: str, feed: str, view: View, timeout: float) -> Generator[Json]:
    """Yield messages of an event stream, opened within so many seconds. Raises Lost, Failure."""
    headers = {"accept": "text/event-stream", "cache-control": "no-cache"}
    silence = httpx.Timeout(timeout, read=LATE * view.heartbeat)
    with open_http(url, silence, headers) as client:
        try:
            response = _open_events(client, url, f"/v1/feeds/{feed}/stream{_since(view)}", timeout)
            with closing(response):
                if response.status_code == 204:
                    yield {"type": "ended"}
                    return
                data: list[str] = []
                for line in response.iter_lines():
                    if line.startswith("data:"):
                        data.append(line[5:].removeprefix(" "))
                    elif not line and data:
                        yield _message(url, "\n".join(data))
                        data.clear()
        except httpx.HTTPError as fault:
            raise _lost(url, fault, f"the connection to {url} broke ({fault})") from None
        raise Lost(f"{url} ended the stream")


def _open_socket(url: str, path: str, timeout: float) -> ClientConnection:
    secured = certificates(url) if url.startswith("https:") else None
    try:
        return connect(
            socket_address(url) + path,
            ssl=secured,
            subprotocols=["newsfeed.v1"],  # type: ignore[list-item]
            compression=None,
            max_size=MESSAGE_MAX,
            open_timeout=timeout,
            ping_interval=None,  # the server's heartbeats tell that it lives
            close_timeout=1,
            proxy=None if is_loopback(url) else True,
        )
    except (InvalidHandshake, InvalidURI, InvalidProxy, ImportError) as fault:
        raise Lost(f"{url} opens no WebSocket ({fault})", blocked=True) from None
    except TimeoutError:
        raise Lost(f"{url} does not answer") from None
    except OSError as fault:
        said = f"no server answers at {url} ({fault.strerror or fault})"
        raise _lost(url, fault, said) from None


def _open_events(client: httpx.Client, url: str, path: str, timeout: float) -> httpx.Response:
    """Return an answer that is a stream, or 204. Raises Lost, Refused, httpx.HTTPError."""
    try:
        with deadline(timeout):
            response = client.send(client.build_request("GET", url + path), stream=True)
            status, kind = response.status_code, response.headers.get("content-type", "")
            if status == 204 or (status == 200 and kind.startswith("text/event-stream")):
                return response
            with closing(response):
                problem = _object(response.read()) if "problem+json" in kind else {}
    except TimeoutError:
        raise Lost(f"{url} does not answer") from None
    if status == NotFound.status and is_text(problem.get("detail")):
        raise Refused({**problem, "status": status}, url)
    if status >= 500:
        raise Lost(f"{url} answers with the status {status}")
    said = (
        f"{url} does not answer as a feedserver does (it sent {kind or 'nothing'}, status {status})"
    )
    raise Lost(said, final=NotReached(said))


def _lost(url: str, fault: Exception, said: str) -> Lost:
    final = never_reached(url, fault)
    return Lost(final.headline if final else said, final=final)


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
    if code is None:
        raise Lost(f"the connection to {url} broke") from None
    raise Lost(f"the server closed the connection (code {code})") from None


def _message(url: str, data: str | bytes) -> Json:
    message = _object(data)
    if not is_message(message):
        raise Lost(f"{url} sent something else than a live message")
    return message


def _object(data: str | bytes) -> Json:
    """Return a JSON object; an empty one where it is none."""
    try:
        found = loads(data)
    except BadRequest:
        return {}
    return found if isinstance(found, dict) else {}
