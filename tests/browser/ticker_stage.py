"""The stage of the ticker's tests: a real feedserver, other people's pages, a failing network."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOST = '<!doctype html><html lang="en"><meta charset="utf-8"><title>A host page</title>'


class Feedserver:
    """A feedserver process over one data folder, which it can leave and start again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self._words("serve", "--port", str(self.port)),
            cwd=ROOT,
            env=os.environ | {"FEEDSERVER_HEARTBEAT": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        said = self.process.stdout.readline()
        found = re.search(r"http://[\w.]+:(\d+)", said)
        assert found, f"feedserver said {said!r}"
        self.port = int(found[1])

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(10)
            assert self.process.stdout
            self.process.stdout.close()
            self.process = None

    def command(self, *words: str) -> str:
        done = subprocess.run(
            self._words(*words),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        return done.stdout.strip()

    def _words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "feedserver", *words, "--data", str(self.data)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Editor:
    """An editor of one feed, over HTTP."""

    def __init__(self, server: Feedserver, feed: str) -> None:
        self.feed = feed
        self.server = server
        token = server.command("token", "add", f"editor-{feed}", "--import")
        self.http = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self.put()

    def put(self, **fields: Any) -> None:
        fields = {"title": "World news", "language": "en", "timezone": "Europe/Kyiv", **fields}
        self.http.put(f"{self.url}", json=fields).raise_for_status()

    @property
    def url(self) -> str:
        return f"{self.server.url}/v1/feeds/{self.feed}"

    def post(self, headline: str, **fields: Any) -> dict[str, Any]:
        answer = self.http.post(f"{self.url}/items", json={"headline": headline, **fields})
        return self._item(answer)

    def revise(self, item: dict[str, Any], verb: str, **fields: Any) -> dict[str, Any]:
        answer = self.http.post(
            f"{self.url}/items/{item['id']}/revisions",
            json={"verb": verb, **fields},
            headers={"If-Match": f'"{item["etag"]}"'},
        )
        return self._item(answer)

    @staticmethod
    def _item(answer: httpx.Response) -> dict[str, Any]:
        assert answer.is_success, answer.text
        item: dict[str, Any] = answer.json()
        return item


@dataclass
class Host:
    """Somebody else's site: pages by path, with their headers, and our script beside them."""

    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    url: str = ""

    def page(self, body: str, path: str = "/", script: bool = True, **headers: str) -> str:
        tag = '<script type="module" src="/ticker.js"></script>' if script else ""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = (f"{HOST}{tag}{body}", named)
        return self.url + path


@contextlib.contextmanager
def host_site() -> Iterator[Host]:
    host = Host()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/web/") or path == "/ticker.js":
                name = "web/dist/ticker.js" if path == "/ticker.js" else path[1:]
                body, kind, headers = (ROOT / name).read_bytes(), "text/javascript", {}
            elif path in host.pages:
                text, headers = host.pages[path]
                body, kind = text.encode(), "text/html; charset=utf-8"
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


class Wire:
    """A TCP proxy before the server that can reset, swallow or refuse what goes through it."""

    def __init__(self, server: Feedserver) -> None:
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.swallow = False
        self.refuse = False
        self.no_sockets = False  # answers a WebSocket's handshake with a reset
        self.requests: list[str] = []
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self) -> None:
        """Cut every connection that is open."""
        for pair in self.pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self.pairs.clear()

    def close(self) -> None:
        self.refuse = True
        self.listener.close()
        self.reset()

    def asked(self, part: str) -> int:
        return sum(part in request for request in self.requests)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.refuse:
                    client.close()
                else:
                    threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            head = client.recv(65536)
            self.requests.append(head.split(b"\r\n", 1)[0].decode("latin-1"))
            if self.no_sockets and b"upgrade: websocket" in head.lower():
                return client.close()
            server = socket.create_connection(("127.0.0.1", self.server.port))
            self.pairs.append((client, server))
            server.sendall(head)
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=ends, daemon=True).start()
        return None

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source.getpeername()[1] != self.server.port and b"HTTP/1.1\r\n" in data:
                    self.requests.append(data.split(b"\r\n", 1)[0].decode("latin-1"))
                if not self.swallow:
                    sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Stage:
    """A server, a feed for each test, pages of other sites, and a browser to look at them with."""

    def __init__(self, server: Feedserver, host: Host, wire: Wire, browser: Browser) -> None:
        self.server = server
        self.host = host
        self.wire = wire
        self.browser = browser
        self.editors: list[Editor] = []
        self.contexts: list[BrowserContext] = []

    def editor(self) -> Editor:
        """Open a new feed and return its editor."""
        self.editors.append(Editor(self.server, f"feed-{len(self.editors)}"))
        return self.editors[-1]

    def ticker(
        self, editor: Editor, attributes: str = "", inside: str = "", wire: bool = False
    ) -> str:
        """Return the tag that shows an editor's feed, over the proxy if asked."""
        url = self.wire.url if wire else self.server.url
        return f'<live-ticker src="{url}/feeds/{editor.feed}" {attributes}>{inside}</live-ticker>'

    def page(self, body: str = "", *, init: str = "", headers: Any = None, **options: Any) -> Page:
        """Open a host page with this body in a new browser context, and close the former ones."""
        self.close()
        context = self.browser.new_context(**options)
        self.contexts.append(context)
        if init:
            context.add_init_script(init)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(self.host.page(body, **(headers or {})))
        return page

    def close(self) -> None:
        while self.contexts:
            self.contexts.pop().close()


@contextlib.contextmanager
def stage(data: Path) -> Iterator[Stage]:
    """Set the stage: everything real, in one process each."""
    server = Feedserver(data)
    server.start()
    wire = Wire(server)
    try:
        with host_site() as host, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS
            )
            here = Stage(server, host, wire, browser)
            yield here
            here.close()
            for editor in here.editors:
                editor.http.close()
            browser.close()
    finally:
        wire.close()
        server.stop()


def wait_until(true: Any, seconds: float = 10) -> None:
    """Wait for a callable to be true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)


def rows(page: Any, selector: str = "live-ticker") -> list[str]:
    """Return the headlines (or the notes of withdrawn items) that a ticker shows, top first."""
    found: list[str] = page.eval_on_selector(
        selector,
        """ticker => [...ticker.shadowRoot.querySelectorAll('[part~=item]')].map(
            row => row.querySelector('[part=headline], [part=note]').textContent)""",
    )
    return found
