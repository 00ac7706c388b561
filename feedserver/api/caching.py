"""How long an answer may be kept, by which tags it is purged, and whether a client has it."""

from __future__ import annotations

import re

from starlette.requests import Request

CACHED = "public, max-age=2, stale-while-revalidate=10"
VARY = {"Vary": "Authorization"}  # an editor's answer has more in it
PRIVATE = VARY | {"Cache-Control": "private, no-store"}

# What servers that compress append to an entity tag: Apache, Jetty, nginx modules, and others.
_SUFFIX = re.compile(r"(?:--?|;)(?:gzip|br|zstd|deflate)(?=\"?$)")


def is_known(etag: str, request: Request) -> bool:
    """Say whether the client has this version already."""
    # Compared weakly, as RFC 9110 asks: what lies between may have made a tag weak or strong.
    sent = ",".join(request.headers.getlist("if-none-match")).split(",")
    tags = {tag.strip().removeprefix("W/") for tag in sent}
    return "*" in tags or bool({etag.removeprefix("W/")} & (tags | set(map(strip_suffix, tags))))


def strip_suffix(tag: str) -> str:
    """Return an entity tag without what a compressing server on the way appended to it.

    With or without quotes. An item's own tag may end so by chance: try the tag as it came first.
    """
    return _SUFFIX.sub("", tag)


def cache_tags(slug: str, item: int | None = None) -> dict[str, str]:
    """Return the headers by which caches purge an answer: of one item, or of a feed's list or page.

    Cloudflare, AWS and Akamai read commas in Cache-Tag, Fastly blanks in Surrogate-Key.
    """
    tags = [f"feed-{slug}"] if item is None else [f"feed-{slug}", f"item-{item}"]
    return {"Cache-Tag": ",".join(tags), "Surrogate-Key": " ".join(tags)}


LIST_TAGS = {"Cache-Tag": "feeds", "Surrogate-Key": "feeds"}  # of the lists of all feeds
