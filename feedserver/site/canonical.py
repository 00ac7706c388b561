"""Addresses that were nearly written right: with other letter case, or a slash behind them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response

from feedserver.api.cors import CORS
from feedserver.api.queries import ID_DIGITS
from feedserver.model import SLUG
from feedserver.site.assets import SHORT

LOCATION_MAX = 2048  # characters: as long as any address that is taken
SLASHES_MAX = 8  # behind a path; more are no slip


def redirecting(suffixes: Iterable[str]) -> Callable[[Request], Response | None]:
    """Return what leads to a feed's pages and documents; `suffixes` are those of the documents."""
    documents = "|".join(map(re.escape, suffixes))
    # No other path is ever named as a target, and each begins with a single slash, so that it
    # cannot be read as another host.
    paths = re.compile(
        rf"/feeds/{SLUG}(?:{documents}|/embed|/items/[0-9]{{1,{ID_DIGITS}}}(?:\.ninjs)?)?"
    )

    def redirect(request: Request) -> Response | None:
        """Return the way to the address that was meant; None if nothing of ours was."""
        found = _canonical_path(request.scope["path"], paths)
        if found is None or request.method not in {"GET", "HEAD"}:
            return None
        query: str = request.scope["query_string"].decode("latin-1")
        location = f"{found}?{query}" if query else found
        if len(location) > LOCATION_MAX or not (location.isascii() and location.isprintable()):
            return None
        headers = {**CORS, "Cache-Control": SHORT, "Location": location}
        return Response(status_code=308, headers=headers)

    return redirect


def _canonical_path(path: str, paths: re.Pattern[str]) -> str | None:
    """Return which of `paths` a path nearly is; None: none of them, or it is one."""
    bare = path.rstrip("/")
    if len(path) - len(bare) > SLASHES_MAX or not bare.isascii():
        return None
    found = bare.lower()
    return found if found != path and paths.fullmatch(found) else None
