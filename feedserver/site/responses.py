"""Pages as they leave: the headers that keep them safe, compression, and how long to keep them."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from feedserver.api.caching import CACHED, is_known

HTML = "text/html; charset=utf-8"
GZIP_LEVEL = 6

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
SAFE = {
    "Content-Security-Policy": _POLICY.format(ancestors="'self'"),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
FRAMED = SAFE | {"Content-Security-Policy": _POLICY.format(ancestors="*")}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as it is kept."""

    gzipped: bytes
    etag: str
    cache_tag: str


def sheet_response(request: Request, sheet: Sheet, headers: dict[str, str]) -> Response:
    """Answer with a page, or with 304 if the client has it."""
    headers = headers | {
        "Cache-Control": CACHED,
        "Cache-Tag": sheet.cache_tag,
        "ETag": sheet.etag,
    }
    if is_known(sheet.etag, request):
        return Response(status_code=304, headers=headers)
    return html_response(request, sheet.gzipped, headers)


def html_response(
    request: Request, gzipped: bytes, headers: dict[str, str], status: int = 200
) -> Response:
    """Answer with HTML, decompressed for a client that does not take gzip."""
    if accepts_gzip(request):
        headers = headers | {"Content-Encoding": "gzip"}
        return Response(gzipped, status_code=status, headers=headers, media_type=HTML)
    return Response(gzip.decompress(gzipped), status_code=status, headers=headers, media_type=HTML)


def compress(html: str) -> bytes:
    """Return HTML as it is kept and sent."""
    return gzip.compress(html.encode(), GZIP_LEVEL, mtime=0)


def accepts_gzip(request: Request) -> bool:
    """Say whether the client takes a gzipped body."""
    for part in ",".join(request.headers.getlist("accept-encoding")).split(","):
        coding, _, weight = part.replace(" ", "").lower().partition(";")
        if coding in {"gzip", "*"} and not re.fullmatch(r"q=0(\.0*)?", weight):
            return True
    return False
