"""What lets pages of other sites read here."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Date, Age, Retry-After",
}
PREFLIGHT = CORS | {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Last-Event-ID, If-None-Match, Cache-Control",
    "Access-Control-Max-Age": "86400",
}


async def preflight(request: Request) -> Response:
    """Answer a browser that asks before it reads."""
    return Response(status_code=204, headers=PREFLIGHT)
