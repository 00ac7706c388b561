"""A real feedserver in a process of its own."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0  # seconds; nothing here should ever need them
LISTENING = "0A"  # the state of a socket in /proc/net/tcp
_home = tempfile.TemporaryDirectory(prefix="feedserver-")  # of what is copied for each server
WITH_TESTS = {"PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)])}  # for a process


class Server:
    """`feedserver serve` over a folder, and the other commands beside it.

    `first` is Python that runs in the server's process before it serves.
    """

    def __init__(
        self,
        data: Path,
        *options: str,
        environ: dict[str, str] | None = None,
        new: bool = True,
        first: str = "",
    ) -> None:
        self.data = data
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._options = options
        self._environ = os.environ | {"PYTHONPATH": str(ROOT)} | (environ or {})
        self._first = first
        self._token_file = data.parent / "token"
        if new:
            self._begin()

    @property
    def token(self) -> str:
        return self._token_file.read_text()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def cli(self, *words: str, code: int = 0) -> str:
        """Run another command over the same folder; return what it prints."""
        done = self.run(*words)
        assert done.returncode == code, done.stderr
        return done.stdout.strip()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "feedserver", *words, "--data", str(self.data)],
            capture_output=True,
            text=True,
            env=self._environ,
            timeout=PATIENCE,
            check=False,
        )

    def start(self, port: int = 0) -> Server:
        program = ["-m", "feedserver"]
        if self._first:
            program = [
                "-c",
                f"{self._first}\nfrom feedserver.commands.program import main\nexit(main())",
            ]
        command = [sys.executable, *program, "serve", "--data", str(self.data)]
        self.process = subprocess.Popen(
            [*command, "--port", str(port), *self._options],
            stdout=subprocess.PIPE,
            env=self._environ,
        )
        line = self._first_line()
        found = re.search(r"http://\S+", line)
        assert found, f"the server said: {line!r}"
        self.url = found[0]
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it as an operator would; return its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; return its exit code."""
        assert self.process is not None
        assert self.process.stdout is not None
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process.stdout.close()
            self.process = None
        return code

    def kill9(self) -> None:
        """End it as a power cut would."""
        self.stop(signal.SIGKILL)

    def restart(self, *, kill9: bool = False) -> None:
        """End it and start it again at the same address."""
        port = self.port
        self.stop(signal.SIGKILL if kill9 else signal.SIGTERM)
        self.start(port)

    def sockets(self) -> int:
        """Count the process's open sockets."""
        here, found = Path(f"/proc/{self.pid}/fd"), 0
        for name in os.listdir(here):
            with suppress(FileNotFoundError):  # it was closed meanwhile
                found += os.readlink(here / name).startswith("socket:")
        return found

    def memory(self) -> int:
        """Return the bytes that the process holds."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024

    def clients(self) -> set[int]:
        """Return the ports of the clients whose connections the process holds."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        # Of a closed one, and of one that is not accepted yet, the kernel names no inode.
        return {
            int(there.rpartition(":")[2], 16)
            for _, here, there, state, *_, inode in (row[:10] for row in rows)
            if here.endswith(f":{self.port:04X}") and state != LISTENING and inode != "0"
        }

    def reading(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=PATIENCE)

    def editing(self, token: str | None = None) -> Editor:
        return Editor(self.url, token or self.token)

    def live(self, slug: str = "world", since: str | None = None) -> str:
        """Return the address of a feed's WebSocket."""
        return live_url(self.url, slug, since)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _begin(self) -> None:
        """Have one feed and one editor."""
        # A program of former days makes its own.
        if self.data.exists() or self._environ["PYTHONPATH"] != str(ROOT):
            self.cli("feed", "add", "world", "--title", "World")
            token = self.cli("token", "add", "anna")
        else:
            folder, token = _new_folder()
            shutil.copytree(folder, self.data)
        self._token_file.write_text(token)

    def _first_line(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            assert selector.select(PATIENCE), "the server does not start"
        return self.process.stdout.readline().decode()


@cache
def _new_folder() -> tuple[Path, str]:
    """Make a folder with one feed and one editor, to be copied; return it and the token."""
    home = Path(_home.name)
    made = Server(home / "data", new=False)
    made.cli("feed", "add", "world", "--title", "World")
    return made.data, made.cli("token", "add", "anna")


class Editor(httpx.Client):
    """An editor's HTTP client with a word for each verb."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        super().__init__(base_url=url, headers=headers, timeout=PATIENCE)

    def submit(
        self, headline: str = "News", slug: str = "world", key: str | None = None, **fields: Any
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key is not None else {}
        return super().post(
            f"/v1/feeds/{slug}/items", json={"headline": headline} | fields, headers=headers
        )

    def item(self, headline: str = "News", slug: str = "world", **fields: Any) -> dict[str, Any]:
        """Post an item and return it."""
        answer = self.submit(headline, slug, **fields)
        assert answer.status_code == 201, answer.text
        item: dict[str, Any] = answer.json()
        return item

    def revise(
        self, item: dict[str, Any], verb: str, key: str | None = None, **fields: Any
    ) -> httpx.Response:
        headers = {"If-Match": f'"{item["etag"]}"'}
        if key is not None:
            headers["Idempotency-Key"] = key
        return super().post(
            f"/v1/feeds/{item['feed']}/items/{item['id']}/revisions",
            json={"verb": verb} | fields,
            headers=headers,
        )

    def revised(self, item: dict[str, Any], verb: str, **fields: Any) -> dict[str, Any]:
        """Do a verb and return the item as it then is."""
        answer = self.revise(item, verb, **fields)
        assert answer.status_code == 201, answer.text
        revised: dict[str, Any] = answer.json()
        return revised

    def configure(self, slug: str = "world", **settings: Any) -> httpx.Response:
        return super().put(f"/v1/feeds/{slug}", json=settings)


def live_url(url: str, slug: str = "world", since: str | None = None) -> str:
    query = f"?since={since}" if since else ""
    return f"{url.replace('http', 'ws', 1)}/v1/feeds/{slug}/live{query}"
