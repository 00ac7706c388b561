"""The app: its routes, and the answer to every error."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Lifespan

from feedserver.api import problems
from feedserver.api.context import context
from feedserver.api.cors import CORS
from feedserver.api.problems import NOSNIFF
from feedserver.errors import NotFound, Refused, Unavailable

AnswerError = Callable[[Request, Exception], Awaitable[Response]]
"""Turns an error into an answer."""

Redirect = Callable[[Request], Response | None]
"""Answers an address that leads nowhere with the one that was meant, if it knows it."""

API_PATHS = ("/v1/", "/healthz", "/readyz")  # whose errors are problems, never pages

NEWS_PATHS = (
    "/v1/",
    "/feeds/",
    "/sitemap-news.xml",
    "/oembed",
)  # of which nothing is answered while a file is away


def make_app(
    lifespan: Lifespan[Starlette] | None,
    routes: Sequence[BaseRoute],
    answer_as_page: AnswerError,
    documents: re.Pattern[str],
    redirect: Redirect,
) -> Starlette:
    """Make the app. Whoever runs it puts a `Context` into its state as `context`.

    `answer_as_page` answers errors outside `API_PATHS` and the `documents`; `redirect` is asked
    before a 404 outside `API_PATHS`.
    """

    async def answer_error(request: Request, fault: Exception) -> Response:
        # Not request.url, which is made of the Host header too and fails where that is broken.
        path: str = request.scope["path"]
        is_api = path.startswith(API_PATHS)
        if not is_api and _is_not_found(fault) and (moved := redirect(request)) is not None:
            answer = moved
        elif is_api or documents.fullmatch(path):
            answer = problems.answer_error(request, fault)
            if request.method in {"GET", "HEAD"}:
                answer.headers.update(CORS)
        else:
            answer = await answer_as_page(request, fault)
        answer.headers.update(NOSNIFF)
        return answer

    app = Starlette(
        routes=_by_path(routes),
        lifespan=lifespan,
        exception_handlers=dict.fromkeys(
            (Refused, Unavailable, HTTPException, Exception), answer_error
        ),
    )
    app.router.redirect_slashes = False
    return app


def _is_not_found(fault: Exception) -> bool:
    return isinstance(fault, NotFound) or (
        isinstance(fault, HTTPException) and fault.status_code == 404
    )


def _by_path(routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """Join routes of one path, so that a wrong method's answer names all the right ones."""
    joined: dict[str, dict[str, Route]] = {}
    sockets: list[BaseRoute] = []
    for route in routes:
        if isinstance(route, Route):
            for method in route.methods or ():
                joined.setdefault(route.path, {})[method] = route
        else:
            sockets.append(route)
    return sockets + [_joined(path, by_method) for path, by_method in joined.items()]


def _joined(path: str, by_method: dict[str, Route]) -> Route:
    needs_news = path == "/" or path.startswith(NEWS_PATHS)

    async def endpoint(request: Request) -> Response:
        if needs_news and request.method != "OPTIONS":
            context(request).check_place()
        answer: Response = await by_method[request.method].endpoint(request)
        answer.headers.update(NOSNIFF)
        return answer

    return Route(path, endpoint, methods=list(by_method))
