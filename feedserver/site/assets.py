"""The web files: read once, compressed once, served from memory.

`/ticker.js` is the newest ticker, `/ticker-<version>.js` one released version, for ever the same:
`npm run release` keeps a copy of each, and all of them ship. Until then the version under way is
its newest build, and kept for minutes only.
The others carry a hash of themselves in the addresses that pages use (`/feed.css?v=…`), so they
may be kept for ever under that address and are looked for again under any other.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from feedserver.api.caching import is_known
from feedserver.api.cors import CORS
from feedserver.errors import NotFound, SetupError
from feedserver.site.responses import accepts_gzip

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT = "public, max-age=300, stale-while-revalidate=3600"
SHARED = CORS | {"Cross-Origin-Resource-Policy": "cross-origin"}
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
PACKED = frozenset({".ico", ".png"})  # compressed by nature
OWN = (
    "dist/page.js",
    "dist/embed.js",
    "dist/configure.js",
    "pages/feed.css",
    "pages/embed.css",
    "pages/configure.css",
    "pages/icon.svg",
    "pages/icon-180.png",
    "pages/card.png",
    "pages/favicon.ico",
)
# For other sites, and for programs.
OTHERS = (
    "dist/ticker.js",
    "dist/ticker.d.ts",
    "dist/frame.js",
    "pages/openapi.json",
    "pages/asyncapi.json",
)
_RELEASE = re.compile(r"ticker-([0-9][0-9A-Za-z.+-]{0,63})\.js")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent. `hash` is a piece of its SHA-256."""

    body: bytes
    gzipped: bytes | None
    media_type: str
    hash: str


@cache
def web_folder() -> Path:
    """Return the folder of the web files: in the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "web", package.parent / "web"):
        if (folder / "pages").is_dir():
            return folder
    raise SetupError("the web files are missing; install feedserver again")


@cache
def ticker_version() -> str:
    """Return the version of `/ticker.js`."""
    manifest = orjson.loads((web_folder() / "dist/manifest.json").read_bytes())
    return str(manifest["version"])


def released_sri() -> str | None:
    """Return the integrity hash of `/ticker-<version>.js`; None until its version is released."""
    path = _released().get(ticker_version())
    return (
        f"sha384-{b64encode(hashlib.sha384(_file(path).body).digest()).decode()}" if path else None
    )


def versioned(name: str) -> str:
    """Return the address of one of our own files under which it may be kept for ever."""
    return f"/{name}?v={_own()[name].hash}"


@cache
def build_hash() -> str:
    """Return a hash of all that pages are made of, for their entity tags."""
    digest = hashlib.sha256()
    for path in sorted((web_folder() / "pages").rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    for name in sorted(_own()):
        digest.update(_own()[name].hash.encode())
    return digest.hexdigest()[:8]


def routes() -> list[BaseRoute]:
    """Return the routes of the files."""
    return [
        *map(_other, OTHERS),
        Route("/ticker-{version}.js", _get_release),
        Route("/ticker-strings/{language}.json", _get_strings),
        *(Route(f"/{name}", _get_own) for name in _own()),
    ]


async def _get_own(request: Request) -> Response:
    asset = _own()[request.url.path.removeprefix("/")]
    is_exact = request.query_params.get("v") == asset.hash
    return _answer(request, asset, {"Cache-Control": IMMUTABLE if is_exact else SHORT})


def _other(path: str) -> Route:
    async def get(request: Request) -> Response:
        return _answer(request, _file(path), SHARED | {"Cache-Control": SHORT})

    return Route(f"/{Path(path).name}", get)


async def _get_release(request: Request) -> Response:
    version = request.path_params["version"]
    caching = {"Cache-Control": IMMUTABLE if version in _released() else SHORT}
    return _answer(request, _release(version), SHARED | caching)


async def _get_strings(request: Request) -> Response:
    language = request.path_params["language"]
    if language not in _languages():
        raise NotFound(f"the ticker does not speak {language[:20]}; a page can bring its own words")
    asset = _file(f"dist/strings/{language}.json")
    return _answer(request, asset, SHARED | {"Cache-Control": SHORT})


def _answer(request: Request, asset: Asset, headers: dict[str, str]) -> Response:
    headers = headers | {
        "ETag": f'W/"{asset.hash}"',
        "Vary": "Accept-Encoding",
    }
    if is_known(headers["ETag"], request):
        return Response(status_code=304, headers=headers)
    if asset.gzipped is not None and accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.gzipped, headers=headers, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)


@cache
def _file(path: str) -> Asset:
    body = (web_folder() / path).read_bytes()
    suffix = Path(path).suffix
    gzipped = None if suffix in PACKED else gzip.compress(body, 9, mtime=0)
    return Asset(body, gzipped, TYPES[suffix], hashlib.sha256(body).hexdigest()[:12])


@cache
def _own() -> dict[str, Asset]:
    return {path.rpartition("/")[2]: _file(path) for path in OWN}


@cache
def _released() -> dict[str, str]:
    names = [path.name for path in (web_folder() / "dist").glob("ticker-*.js")]
    return {m[1]: f"dist/{m[0]}" for name in names if (m := _RELEASE.fullmatch(name))}


@cache
def _languages() -> frozenset[str]:
    names = (path.stem for path in (web_folder() / "dist/strings").glob("*.json"))
    return frozenset(name for name in names if _LANGUAGE.fullmatch(name))


def _release(version: str) -> Asset:
    path = _released().get(version)
    if path is None and version == ticker_version():
        path = "dist/ticker.js"
    if path is None:
        raise NotFound(f"there is no ticker of the version {version[:40]}; see /ticker.js")
    return _file(path)
