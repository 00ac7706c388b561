"""Firefox ESR without a window, spoken to in WebDriver BiDi, which it serves itself."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

PROGRAM = "firefox-esr"
PATIENCE = 60.0  # seconds to start, and for each answer; a cold start under load takes ten
SIZE = {"width": 1000, "height": 800}

# Its own errands: updates, experiments, telemetry, portals. None may leave the machine.
PREFS: dict[str, bool | int | str] = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "captivedetect.canonicalURL": "",
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "",
}


class Firefox:
    """One Firefox with one tab."""

    def __init__(self, folder: Path, **prefs: bool | int | str) -> None:
        profile = folder / "profile"
        profile.mkdir(parents=True)
        lines = (
            f'user_pref("{name}", {json.dumps(value)});\n'
            for name, value in (PREFS | prefs).items()
        )
        (profile / "user.js").write_text("".join(lines))
        self._numbers = itertools.count(1)
        with contextlib.ExitStack() as until:
            until.enter_context(_running(profile, folder))
            self._socket = until.enter_context(
                connect(f"{_address(profile)}/session", max_size=None, proxy=None)
            )
            self._do("session.new", capabilities={})
            self._tab = self._do("browsingContext.getTree")["contexts"][0]["context"]
            self._do("browsingContext.setViewport", context=self._tab, viewport=SIZE)
            self._end = until.pop_all()

    def open(self, url: str) -> None:
        """Go to an address and wait until it has loaded."""
        self._do("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def ask(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function in the page and return what it returns, both as JSON."""
        done = self._do(
            "script.callFunction",
            functionDeclaration=f"(given) => JSON.stringify(({function})(...JSON.parse(given)))",
            arguments=[{"type": "string", "value": json.dumps(arguments)}],
            target={"context": self._tab},
            awaitPromise=False,
        )
        assert done["type"] == "success", done["exceptionDetails"]["text"]
        return json.loads(done["result"].get("value", "null"))

    def picture(self) -> bytes:
        """Return what the tab shows, as PNG."""
        taken = self._do("browsingContext.captureScreenshot", context=self._tab)
        return base64.b64decode(taken["data"])

    def close(self) -> None:
        self._end.close()

    def _do(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message.get("id") == number:
                assert message["type"] == "success", f"{method}: {message['message']}"
                result: dict[str, Any] = message["result"]
                return result


@contextlib.contextmanager
def _running(profile: Path, home: Path) -> Iterator[None]:
    with (home / "heard").open("wb") as log:
        process = subprocess.Popen(
            [
                PROGRAM,
                "--headless",
                "--no-remote",
                "--remote-debugging-port=0",
                "--profile",
                profile,
            ],
            stdout=log,
            stderr=log,
            # As root it refuses another person's home.
            env=os.environ | {"HOME": str(home)},
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _address(profile: Path) -> str:
    """Wait until it has written down where it listens."""
    told = profile / "WebDriverBiDiServer.json"
    end = time.monotonic() + PATIENCE
    while not told.exists():
        assert time.monotonic() < end, f"{PROGRAM} does not start"
        time.sleep(0.05)
    address = json.loads(told.read_text())
    return f"ws://{address['ws_host']}:{address['ws_port']}"
