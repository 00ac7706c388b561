"""`feedserver demo`: a real server, and the real publisher playing the seed story on it."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from itertools import chain, repeat
from pathlib import Path
from textwrap import shorten
from typing import Any, NoReturn

from feedserver.errors import SetupError
from feedserver.settings import PREFIX
from feedserver.sqlite.folder import LOCK, OURS, SEARCH
from feedserver.websocket.listening import listen

FEED = "world"
TITLE = "World news"
ZONE = "Europe/Kyiv"
MARK = ".feedserver-demo"  # says that a folder is the demo's own, and is locked by the one there
# What a demo leaves in its folder, and the next one begins without.
OWN = {MARK, "token", "import-token", *OURS, LOCK, SEARCH, f"{SEARCH}-wal", f"{SEARCH}-shm"}
IMPORTED = "economy"  # the older item: it comes at its own time; the rest of the story is live
STOP_SECONDS = 15.0
# Pauses before each of the story's first lines; one before each of the others. The older item is
# there when the page is opened, and the first live one comes while its reader still looks around.
FIRST_PAUSES = (0.0, 0.5)

Line = dict[str, Any]


def run(port: int, data: Path, pause: float) -> int:
    """Serve until Ctrl-C; tell the story meanwhile, `pause` seconds apart. Raises SetupError."""
    try:
        listen("127.0.0.1", port).close()  # a demo that runs there already keeps its folder
    except SetupError as fault:
        raise SetupError(f"{fault.detail} (make demo PORT=8001)") from None
    with _begun(data):
        return _play(port, data, pause)


def _play(port: int, data: Path, pause: float) -> int:
    _feedserver(data, "feed", "add", FEED, "--title", TITLE, "--language", "en", "--timezone", ZONE)
    tokens = {
        "token": _feedserver(data, "token", "add", "Demo editor"),
        "import-token": _feedserver(data, "token", "add", "Demo importer", "--import"),
    }
    for name, token in tokens.items():
        (data / name).touch(mode=0o600)
        (data / name).write_text(token + "\n")
    # Also where a shell has told it to ignore Ctrl-C, as it does in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        with _server(port, data) as (server, address):
            _greet(address, data)
            _tell(server, address, tokens, pause)
            return server.wait()
    except _Stopped:
        print(f"\nStopped. What it left is in {data}{os.sep}")
        return 0


class _Stopped(BaseException):
    """A signal came. Not KeyboardInterrupt, after which subprocess does not wait for its child."""


def _stop(number: int, frame: object) -> NoReturn:
    raise _Stopped


@contextmanager
def _begun(data: Path) -> Iterator[None]:
    """Empty the demo's folder of an earlier demo, and keep other demos out of it meanwhile."""
    with ExitStack() as held:
        try:
            data.mkdir(parents=True, exist_ok=True)
            found = {path.name for path in data.iterdir()}
            if found and (MARK not in found or found - OWN):
                raise SetupError(
                    f"{data} holds something else than a demo: choose a folder with --data"
                )
            mark = held.enter_context((data / MARK).open("w"))
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for name in found - {MARK}:
                (data / name).unlink()
        except BlockingIOError:
            raise SetupError(
                f"another demo runs in {data}: end it, or choose another folder with --data "
                "(make demo PORT=8001 DATA=demo-data-2)"
            ) from None
        except OSError as fault:
            raise SetupError(f"cannot write to {data}: {fault.strerror}; use --data") from None
        yield


def _feedserver(data: Path, *words: str) -> str:
    command = [sys.executable, "-m", "feedserver", *words, "--data", str(data)]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, env=_environ()
    )
    if done.returncode:
        raise SetupError(done.stderr.strip())
    return done.stdout.strip()


def _environ() -> dict[str, str]:
    """Return the environment without the settings of a server that is none of the demo."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


@contextmanager
def _server(port: int, data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "feedserver", "serve"]
    command += ["--data", str(data), "--port", str(port)]
    server = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, text=True, env=_environ()
    )
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        if not line:
            raise SetupError("the server did not start; its reason stands above")
        yield server, line.split()[-1]
    finally:
        # Ctrl-C reaches the whole foreground group: the server may be stopping already.
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        server.stdout.close()


def _greet(address: str, data: Path) -> None:
    publisher = shlex.quote(str(Path(sys.executable).parent / "publisher"))
    print(
        f"""
A live news feed is at  {address}/feeds/{FEED}
Open it now: the story begins in a few seconds. Ctrl-C ends it.

To post an item yourself, in another terminal in this folder:

  export PUBLISHER_URL={address} PUBLISHER_FEED={FEED}
  export PUBLISHER_TOKEN=$(cat {shlex.quote(str(data / "token"))})
  {publisher} post "Bridge over the Psel reopens" --body "Traffic flows again since *noon*."

Everything that it keeps is in {data}{os.sep}
""",
        flush=True,
    )


def _tell(
    server: subprocess.Popen[str], address: str, tokens: dict[str, str], pause: float
) -> None:
    known: dict[str, int] = {}
    pauses = chain(FIRST_PAUSES, repeat(1.0))
    for line, pauses_before in zip(_story(), pauses, strict=False):
        time.sleep(pause * pauses_before)
        if server.poll() is not None:
            raise SetupError("the server ended in the middle of the story")
        imported = line["ref"] == IMPORTED and line["verb"] == "post"
        token = tokens["import-token" if imported else "token"]
        item = _publish(line, known.get(line["ref"]), address, token, imported=imported)
        known.setdefault(line["ref"], item)
        said = shorten(
            line.get("headline") or line.get("note") or line["body"], 90, placeholder="…"
        )
        print(f"  {line['verb']:8} item {item}: {said}", flush=True)
    print("\nThe story is told. The feed goes on until Ctrl-C.", flush=True)


def _publish(line: Line, item: int | None, address: str, token: str, *, imported: bool) -> int:
    command = [sys.executable, "-m", "publisher", line["verb"]]
    command += [str(item)] if item is not None else []
    for name in ("headline", "body", "source", "language", "occurred_at", "note"):
        if name in line:
            command += [f"--{name.replace('_', '-')}", line[name]]
    for tag in line.get("tags", ()):
        command += ["--tag", tag]
    command += ["--breaking"] if line.get("breaking") else []
    command += ["--at", line["at"]] if imported else []
    done = subprocess.run(  # noqa: S603
        [*command, "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ
        | {"PUBLISHER_URL": address, "PUBLISHER_TOKEN": token, "PUBLISHER_FEED": FEED},
    )
    if done.returncode:
        raise SetupError(f"the publisher could not {line['verb']}: {done.stderr or done.stdout}")
    return int(json.loads(done.stdout)["id"])


def _story() -> list[Line]:
    text = (files("feedserver") / "newsfeed.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]
