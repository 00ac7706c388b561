"""Whose a token is, and what it may do: GET /v1/session."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feedserver.api.context import context
from feedserver.api.editing import json_response
from feedserver.model import Token


async def get_session(request: Request) -> Response:
    """Tell an editor who they are here."""
    here = context(request)
    return json_response(_rights(await here.editor(request)))


routes = [Route("/v1/session", get_session, methods=["GET"])]


def _rights(token: Token) -> dict[str, Any]:
    """Return what the token may do; without `feeds` it edits them all."""
    told: dict[str, Any] = {"name": token.name}
    if token.feeds:
        told["feeds"] = list(token.feeds)
    if token.importer:
        told["import"] = True
    return told
