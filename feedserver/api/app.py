"""The app: every route, and every error's answer."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Lifespan

from feedserver.api import editing, health, problems, reading
from feedserver.errors import Refused, Unavailable
from feedserver.site import pages
from feedserver.websocket import endpoint as live


def make_app(lifespan: Lifespan[Starlette] | None) -> Starlette:
    """Make the app. Whoever runs it puts a `Context` into its state as `context`."""
    app = Starlette(
        routes=_by_path([*reading.routes, *editing.routes, *live.routes, *health.routes])
        + pages.routes(),
        lifespan=lifespan,
        exception_handlers={
            Refused: _on_fault,
            Unavailable: _on_fault,
            HTTPException: _on_http_exception,
            Exception: _on_surprise,
        },
    )
    app.router.redirect_slashes = False
    return app


async def _on_fault(request: Request, fault: Exception) -> Response:
    if _is_page(request):
        return await pages.on_fault(request, fault)
    return _readable(request, await problems.on_fault(request, fault))


async def _on_http_exception(request: Request, fault: Exception) -> Response:
    if _is_page(request):
        return await pages.on_http_exception(request, fault)
    return _readable(request, await problems.on_http_exception(request, fault))


async def _on_surprise(request: Request, fault: Exception) -> Response:
    if _is_page(request):
        return await pages.on_surprise(request, fault)
    return _readable(request, await problems.on_surprise(request, fault))


def _is_page(request: Request) -> bool:
    # Not request.url, which is made of the Host header too and fails where that is broken.
    path: str = request.scope["path"]
    return not path.startswith(("/v1/", "/healthz", "/readyz"))


def _readable(request: Request, answer: Response) -> Response:
    if request.method in {"GET", "HEAD"}:
        answer.headers.update(reading.CORS)
    return answer


def _by_path(routes: list[Any]) -> list[BaseRoute]:
    """Join routes of one path, so that a wrong method's answer names all the right ones."""
    joined: dict[str, dict[str, Route]] = {}
    others: list[BaseRoute] = []
    for route in routes:
        if isinstance(route, Route):
            for method in route.methods or ():
                joined.setdefault(route.path, {})[method] = route
        else:
            others.append(route)
    return others + [_joined(path, by_method) for path, by_method in joined.items()]


def _joined(path: str, by_method: dict[str, Route]) -> Route:
    async def endpoint(request: Request) -> Response:
        answer: Response = await by_method[request.method].endpoint(request)
        return answer

    return Route(path, endpoint, methods=list(by_method))
