"""Errors as RFC 9457 problems: a stable type, and a sentence that a person can act on."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from feedserver import wire
from feedserver.errors import (
    FeedStale,
    Invalid,
    Killed,
    NotFound,
    Refused,
    Stale,
    TooLarge,
    Unauthorized,
    Unavailable,
    WrongMethod,
)

log = logging.getLogger("feedserver.http")

MEDIA_TYPE = "application/problem+json"


def problem(fault: Refused | Unavailable) -> Response:
    """Answer with what is wrong and what to do."""
    body: dict[str, Any] = {
        "type": fault.slug,
        "title": fault.title,
        "status": fault.status,
        "detail": fault.detail,
    }
    headers = {"Cache-Control": "no-store"}
    match fault:
        case Invalid():
            body["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in fault.errors]
        case Killed():
            body["tombstone"] = wire.item_json(fault.tombstone)
        case Stale():
            body["current"] = wire.item_json(fault.current, body=True)
        case FeedStale() if fault.current is not None:
            body["current"] = {"version": fault.current.version, "etag": fault.current.etag}
        case Unauthorized():
            headers["WWW-Authenticate"] = 'Bearer realm="feedserver"'
        case Unavailable():
            headers["Retry-After"] = str(fault.retry_after)
        case TooLarge():
            headers["Connection"] = "close"  # the rest of the request is not worth reading
        case _:
            pass
    return Response(
        orjson.dumps(body), status_code=fault.status, headers=headers, media_type=MEDIA_TYPE
    )


async def on_fault(request: Request, fault: Exception) -> Response:
    """Turn an error that this program raised on purpose into its answer."""
    assert isinstance(fault, Refused | Unavailable)
    return problem(fault)


async def on_http_exception(request: Request, fault: Exception) -> Response:
    """Turn Starlette's own refusals into problems."""
    assert isinstance(fault, HTTPException)
    if fault.status_code == 405:
        allowed = (fault.headers or {}).get("Allow", "")
        answer = problem(WrongMethod(f"{request.method} does nothing here; use {allowed}"))
        answer.headers["Allow"] = allowed
        return answer
    return problem(NotFound(f"there is nothing at {request.scope['path'][:80]}"))


async def on_surprise(request: Request, fault: Exception) -> Response:
    """Answer for what nobody foresaw; the log has the details, the client none."""
    log.error("fault in %s %s", request.method, request.scope["path"], exc_info=fault)
    answer = problem(_Surprise("the server made a mistake; it is logged. Retry later"))
    answer.headers["Connection"] = "close"  # as uvicorn does after a fault, without saying so
    return answer


class _Surprise(Unavailable):
    slug = "internal-error"
    status = 500
    title = "Internal error"
