"""Addresses that were nearly written right: with other letter case, or a slash behind them."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from feedserver.api.cors import CORS
from feedserver.site.assets import SHORT

LOCATION_MAX = 2048  # characters: as long as any address that is taken
SLASHES_MAX = 8  # behind a path; more are no slip

# The paths of a feed's pages and documents. No other one is ever named as a target, and each
# begins with a single slash, so that it cannot be read as another host.
_PATHS = re.compile(
    r"/feeds/[a-z0-9][a-z0-9-]{0,62}"
    r"(?:\.(?:atom|rss|json|ninjs|jsonld|md)|/embed|/items/[0-9]{1,15}(?:\.ninjs)?)?"
)


def redirect(request: Request) -> Response | None:
    """Return the way to the address that was meant; None if nothing of ours was."""
    found = canonical_path(request.scope["path"])
    if found is None or request.method not in {"GET", "HEAD"}:
        return None
    query: str = request.scope["query_string"].decode("latin-1")
    location = f"{found}?{query}" if query else found
    if len(location) > LOCATION_MAX or not (location.isascii() and location.isprintable()):
        return None
    headers = {**CORS, "Cache-Control": SHORT, "Location": location}
    return Response(status_code=308, headers=headers)


def canonical_path(path: str) -> str | None:
    """Return the path of a page or document that `path` nearly is; None: of none, or it is it."""
    bare = path.rstrip("/")
    if len(path) - len(bare) > SLASHES_MAX or not bare.isascii():
        return None
    found = bare.lower()
    return found if found != path and _PATHS.fullmatch(found) else None
