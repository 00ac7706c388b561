"""How long an answer may be kept, by which tags it is purged, and whether a client has it."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request

from feedserver.api.cors import CORS
from feedserver.model import Item

CACHED = "public, max-age=2, stale-while-revalidate=10"
VARY = {"Vary": "Authorization"}  # an editor's answer has more in it
PRIVATE = CORS | VARY | {"Cache-Control": "private, no-store"}


def is_known(etag: str, request: Request) -> bool:
    """Say whether the client has this version already."""
    # Compared weakly, as RFC 9110 asks: what lies between may have made a tag weak or strong.
    tags = ",".join(request.headers.getlist("if-none-match")).split(",")
    known = {tag.strip().removeprefix("W/") for tag in tags}
    return "*" in known or etag.removeprefix("W/") in known


def tags_of(slug: str, items: Iterable[Item]) -> str:
    """Return the Cache-Tag of an answer that holds these items."""
    return " ".join([f"feed-{slug}", *(f"item-{item.id}" for item in items)])
