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
NOSNIFF = {"X-Content-Type-Options": "nosniff"}  # a body is what its type says


def problem(fault: Refused | Unavailable) -> Response:
    """Answer with what is wrong and what to do."""
    body: dict[str, Any] = {
        "type": fault.slug,
        "title": fault.title,
        "status": fault.status,
        "detail": fault.detail,
    }
    headers = {"Cache-Control": "no-store", **NOSNIFF}
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


def answer_error(request: Request, fault: Exception) -> Response:
    """Answer an error, whoever raised it."""
    match fault:
        case Refused() | Unavailable():
            return problem(fault)
        case HTTPException(status_code=405):
            return _wrong_method(request, fault)
        case HTTPException():
            return problem(NotFound(f"there is nothing at {request.scope['path'][:80]}"))
        case _:
            return _unexpected(request, fault)


def _wrong_method(request: Request, fault: HTTPException) -> Response:
    allowed = (fault.headers or {}).get("Allow", "")
    answer = problem(WrongMethod(f"{request.method} does nothing here; use {allowed}"))
    answer.headers["Allow"] = allowed
    return answer


def _unexpected(request: Request, fault: Exception) -> Response:
    """Answer for what nobody foresaw; the log has the details, the client none."""
    log.error("fault in %s %s", request.method, request.scope["path"], exc_info=fault)
    answer = problem(InternalError("the server made a mistake; it is logged. Retry later"))
    answer.headers["Connection"] = "close"  # as uvicorn does after a fault, without saying so
    return answer


class InternalError(Unavailable):
    """A fault of the server."""

    slug = "internal-error"
    status = 500
    title = "Internal error"
