"""What a server answers that has no newsroom yet: come back, and never that there is none.

A folder without our files may be a volume that is not mounted. Its readers must not be told that
their feed does not exist, which is final: every open page would give up for ever.
"""

from __future__ import annotations

import orjson
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from feedserver.errors import Unavailable

CLOSE_LATER = 1013
SUBPROTOCOL = "newsfeed.v1"
RETRY_SECONDS = 2
NO_NEWSROOM = "there is no newsroom in the data folder yet; it is taken up as soon as there is one"


class Waiting:
    """The app, which is asked only once its state holds a context."""

    def __init__(self, app: Starlette) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or handshake."""
        if scope["type"] == "lifespan" or getattr(self.app.state, "context", None) is not None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            offered = scope.get("subprotocols", [])
            chosen = SUBPROTOCOL if SUBPROTOCOL in offered else None  # or a browser hears nothing
            await send({"type": "websocket.accept", "subprotocol": chosen})
            await send({"type": "websocket.close", "code": CLOSE_LATER})
        elif scope["path"] == "/healthz":
            await _answer(send, 200, {"status": "ok"})
        elif scope["path"] == "/readyz":
            await _answer(send, 503, {"status": "no database", "detail": NO_NEWSROOM})
        else:
            problem = {"type": Unavailable.slug, "title": Unavailable.title, "status": 503}
            await _answer(send, 503, problem | {"detail": NO_NEWSROOM}, "application/problem+json")


async def _answer(
    send: Send, status: int, body: dict[str, object], media_type: str = "application/json"
) -> None:
    headers = [
        (b"content-type", media_type.encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"access-control-allow-origin", b"*"),
    ]
    if status == Unavailable.status:
        headers.append((b"retry-after", str(RETRY_SECONDS).encode()))
    start: Message = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": orjson.dumps(body)})
