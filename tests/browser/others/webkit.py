"""WebKitGTK's own small browser on a display of its own, spoken to through WebKitWebDriver."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import selectors
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

PROGRAM = "WebKitWebDriver"
PATIENCE = 60.0  # seconds to start, and for each answer
# There is neither a graphics card nor a session bus.
PLAIN = {"WEBKIT_DISABLE_DMABUF_RENDERER": "1", "LIBGL_ALWAYS_SOFTWARE": "1", "NO_AT_BRIDGE": "1"}


class WebKit:
    """One MiniBrowser with one tab."""

    def __init__(self, folder: Path, **environ: str) -> None:
        folder.mkdir(parents=True)
        with contextlib.ExitStack() as until:
            display = until.enter_context(_display())
            here = {"DISPLAY": display, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
            url = until.enter_context(_driver(os.environ | PLAIN | here | environ))
            self._http = until.enter_context(
                httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False)
            )
            made = self._do("", capabilities={})
            self._http.base_url = f"{url}/{made['sessionId']}"
            until.callback(self._http.delete, "")
            self._end = until.pop_all()

    def open(self, url: str) -> None:
        """Go to an address and wait until it has loaded."""
        self._do("/url", url=url)

    def ask(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function in the page and return what it returns, both as JSON."""
        script = f"return JSON.stringify(({function})(...JSON.parse(arguments[0])))"
        told = self._do("/execute/sync", script=script, args=[json.dumps(arguments)])
        return json.loads(told or "null")

    def picture(self) -> bytes:
        """Return what the tab shows, as PNG."""
        return base64.b64decode(self._told(self._http.get("/screenshot")))

    def close(self) -> None:
        self._end.close()

    def _do(self, command: str, **words: Any) -> Any:
        return self._told(self._http.post(command, json=words))

    @staticmethod
    def _told(answer: httpx.Response) -> Any:
        value = answer.json()["value"]
        assert answer.is_success, value["message"]
        return value


@contextlib.contextmanager
def _display() -> Iterator[str]:
    """Run an X server without a screen on a free display."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1200x1000x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with open(reading, "rb") as told, selectors.DefaultSelector() as selector:
            selector.register(told, selectors.EVENT_READ)
            assert selector.select(PATIENCE), "Xvfb does not start"
            number = told.readline().decode().strip()
        assert number, "Xvfb found no free display"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(PATIENCE)


@contextlib.contextmanager
def _driver(environ: dict[str, str]) -> Iterator[str]:
    """Run the driver, which starts the browser; yield the address of its sessions."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nowhere = subprocess.DEVNULL
    driver = subprocess.Popen(
        [PROGRAM, f"--port={port}"], stdout=nowhere, stderr=nowhere, env=environ
    )
    try:
        end = time.monotonic() + PATIENCE
        while not _answers(port):
            assert time.monotonic() < end, f"{PROGRAM} does not start"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/session"
    finally:
        driver.terminate()
        driver.wait(PATIENCE)


def _answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
