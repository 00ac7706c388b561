"""Somebody else's site, which embeds the ticker."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.server import ROOT

TOP = '<!doctype html><html lang="en"><meta charset="utf-8"><title>A host page</title>'


@dataclass
class Host:
    """Pages by path, with their headers, and our script beside them."""

    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    url: str = ""

    def page(self, body: str, path: str = "/", script: bool = True, **headers: str) -> str:
        tag = '<script type="module" src="/ticker.js"></script>' if script else ""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = (f"{TOP}{tag}{body}", named)
        return self.url + path


@contextlib.contextmanager
def host_site() -> Iterator[Host]:
    """Serve a site, and the files of web/ as they are."""
    host = Host()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/web/") or path == "/ticker.js":
                file = ROOT / ("web/dist/ticker.js" if path == "/ticker.js" else path[1:])
                body, kind, headers = file.read_bytes(), KINDS[file.suffix], {}
            elif path == "/favicon.ico":
                # A browser may ask for it beside any page, and tells the page's console of a 404.
                body, kind, headers = b"", KINDS[".ico"], {}
            elif path in host.pages:
                text, headers = host.pages[path]
                body, kind = text.encode(), KINDS[".html"]
            else:
                return self.send_error(404)
            self.send_response(200)
            for header, value in {"Content-Type": kind, **headers}.items():
                self.send_header(header, value)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return None

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    host.url = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


KINDS = {
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
}
