"""The pages for people, complete without JavaScript."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from feedserver.asgi import problems


def routes() -> list[BaseRoute]:
    """Return the routes of the pages."""
    return []


async def on_fault(request: Request, fault: Exception) -> Response:
    """Show an error as a page."""
    return await problems.on_fault(request, fault)


async def on_http_exception(request: Request, fault: Exception) -> Response:
    """Show a wrong address as a page."""
    return await problems.on_http_exception(request, fault)
