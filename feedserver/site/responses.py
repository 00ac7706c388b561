"""Pages as they are kept and sent: compressed, with the headers that keep them safe."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from feedserver.api.answers import CHUNK_BYTES, ChunkedResponse
from feedserver.api.caching import CACHED, is_known

HTML = "text/html; charset=utf-8"
GZIP_LEVEL = 6

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http: data:; "
    "media-src 'self' https: http:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
SAFE = {
    "Content-Security-Policy": f"{_POLICY}; frame-ancestors 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Vary": "Accept-Encoding",
}
# Any page may frame it; `frame-ancestors *` would leave out the pages of apps and files.
FRAMED = SAFE | {"Content-Security-Policy": _POLICY}
# It shows a frame of ours.
PREVIEWING = SAFE | {
    "Content-Security-Policy": f"{_POLICY}; frame-src 'self'; frame-ancestors 'self'"
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page or document as it is kept: compressed, and how long it is when it is not."""

    gzipped: bytes
    length: int
    etag: str

    @classmethod
    def of(cls, html: str, etag: str = "") -> Sheet:
        """Compress a page."""
        return cls.of_bytes(html.encode(), etag)

    @classmethod
    def of_bytes(cls, body: bytes, etag: str = "") -> Sheet:
        """Compress a page or document that is encoded already."""
        return cls(gzip.compress(body, GZIP_LEVEL, mtime=0), len(body), etag)


def sheet_response(
    request: Request, sheet: Sheet, tags: dict[str, str], headers: dict[str, str] = SAFE
) -> Response:
    """Answer with a page, or with 304 if the client has it."""
    headers = {**headers, **tags, "Cache-Control": CACHED, "ETag": sheet.etag}
    if is_known(sheet.etag, request):
        return Response(status_code=304, headers=headers)
    return encoded_response(request, sheet, headers)


def encoded_response(
    request: Request,
    sheet: Sheet,
    headers: dict[str, str],
    status: int = 200,
    media_type: str = HTML,
) -> Response:
    """Answer with a page or document, decompressed for a client that does not take gzip."""
    if accepts_gzip(request):
        headers = headers | {"Content-Encoding": "gzip"}
        return Response(sheet.gzipped, status_code=status, headers=headers, media_type=media_type)
    return ChunkedResponse(_decompress(sheet.gzipped), sheet.length, headers, media_type, status)


def _decompress(gzipped: bytes) -> Iterator[bytes]:
    """Decompress as the client takes it, so that the page is never in memory as a whole."""
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | 16)  # of the gzip format
    while gzipped:
        yield decompressor.decompress(gzipped, CHUNK_BYTES)
        gzipped = decompressor.unconsumed_tail


def accepts_gzip(request: Request) -> bool:
    """Say whether the client takes a gzipped body."""
    weights: dict[str, bool] = {}
    for part in ",".join(request.headers.getlist("accept-encoding")).split(","):
        coding, _, weight = part.replace(" ", "").lower().partition(";")
        weights[coding] = not re.fullmatch(r"q=0(\.0*)?", weight)
    return weights.get("gzip", weights.get("*", False))
