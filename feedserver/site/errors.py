"""Errors as pages; as problems for a client that asks for JSON."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from feedserver.api import problems
from feedserver.api.caching import CACHED, cache_tags
from feedserver.api.context import context
from feedserver.api.cors import CORS
from feedserver.errors import Killed, NotFound, Refused, Unavailable, WrongMethod
from feedserver.site import rendering
from feedserver.site.responses import SAFE, Sheet, encoded_response

VARIED = SAFE | {"Vary": "Accept, Accept-Encoding"}


async def answer_error(request: Request, fault: Exception) -> Response:
    """Answer an error, whoever raised it."""
    match fault:
        case Refused() | Unavailable():
            return await _answer_fault(request, fault)
        case HTTPException(status_code=405):
            return await _answer_wrong_method(request, fault)
        case HTTPException():
            path = request.scope["path"]
            return await _answer_fault(request, NotFound(f"there is nothing at {path[:200]}"))
        case _:
            return _answer_unexpected(request, fault)


async def _answer_fault(request: Request, fault: Refused | Unavailable) -> Response:
    answer = problems.problem(fault)
    if not _wants_html(request):
        answer.headers.update(CORS)
        return answer
    here = context(request)
    html = rendering.render_error(here.site, fault.status, fault.title, fault.detail)
    if isinstance(fault, Killed):
        item = fault.tombstone
        feed = await here.hub.feeds.find(item.feed)
        if feed is not None:
            html = rendering.render_gone(here.site, feed, item)
            answer.headers.update({"Cache-Control": CACHED, **cache_tags(item.feed, item.id)})
    kept = {
        name: value
        for name, value in answer.headers.items()
        if name not in {"content-type", "content-length"}
    }
    return encoded_response(request, Sheet.of(html), VARIED | kept, fault.status)


async def _answer_wrong_method(request: Request, fault: HTTPException) -> Response:
    allowed = (fault.headers or {}).get("Allow", "")
    refusal = WrongMethod(f"{request.method} does nothing here; use {allowed}")
    answer = await _answer_fault(request, refusal)
    answer.headers["Allow"] = allowed
    return answer


def _answer_unexpected(request: Request, fault: Exception) -> Response:
    answer = problems.answer_error(request, fault)
    if not _wants_html(request):
        return answer
    html = rendering.render_error(
        context(request).site,
        500,
        "Something went wrong",
        "the server made a mistake; it is logged. Try again later",
    )
    return encoded_response(request, Sheet.of(html), SAFE | {"Cache-Control": "no-store"}, 500)


def _wants_html(request: Request) -> bool:
    accepted = request.headers.get("accept", "*/*").lower()
    return "json" not in accepted or "text/html" in accepted
