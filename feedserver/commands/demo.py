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
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from itertools import chain, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten
from typing import Any, NoReturn

from feedserver.commands.folder import settings_of
from feedserver.errors import SetupError
from feedserver.settings import PREFIX
from feedserver.sqlite.folder import LOCK, OURS, SEARCH
from feedserver.websocket.listening import listen
from publisher.command_line import Command
from publisher.failures import Misused
from publisher.output import Screen
from publisher.parser import Parser

FEED = "world"
TITLE = "World news"
ZONE = "Europe/Kyiv"
MARK = ".feedserver-demo"  # says that a folder is the demo's own, and is locked by the one there
# What a demo leaves in its folder, and the next one begins without.
OWN = {MARK, "token", "import-token", *OURS, LOCK, SEARCH, f"{SEARCH}-wal", f"{SEARCH}-shm"}
IMPORTED = "economy"  # the older item: it comes at its own time; the rest of the story is live
STOP_SECONDS = 15.0
PAUSE_MAX = 3600.0  # seconds
# Pauses before each of the story's first lines; one before each of the others. The older item is
# there when the page is opened, and the first live one comes while its reader still looks around.
FIRST_PAUSES = (0.0, 0.5)

Line = dict[str, Any]


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("--port", help="default 8000; 0 takes a free one (FEEDSERVER_PORT)")
    # Begun anew each time, so FEEDSERVER_DATA must not name it.
    parser.add_argument(
        "--data",
        metavar="DIR",
        default="demo-data",
        help="the folder for all that it writes (demo-data)",
    )
    parser.add_argument(
        "--pause",
        metavar="SECONDS",
        type=_pause,
        default=6.0,
        help="seconds between the story's news (6)",
    )


def _pause(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= PAUSE_MAX:
        raise Misused(f"--pause must be seconds from 0 to {PAUSE_MAX:.0f}, not {text!r}")
    return seconds


def _run(args: Namespace, screen: Screen) -> int:
    """Serve until Ctrl-C; tell the story meanwhile. Raises SetupError."""
    settings = settings_of(args)
    port, data = settings.port, settings.data
    try:
        listen("127.0.0.1", port).close()  # a demo that runs there already keeps its folder
    except SetupError as fault:
        raise SetupError(f"{fault.detail} (make demo PORT=8001)") from None
    with _begun(data):
        return _play(screen, port, data, args.pause)


def _play(screen: Screen, port: int, data: Path, pause: float) -> int:
    _feedserver(data, "feed", "add", FEED, "--title", TITLE, "--language", "en", "--timezone", ZONE)
    tokens = {
        "token": _feedserver(data, "token", "add", "Demo editor"),
        "import-token": _feedserver(data, "token", "add", "Demo importer", "--import"),
    }
    for name, token in tokens.items():
        (data / name).touch(mode=0o600)
        (data / name).write_text(token + "\n")
    # Also where a shell has made it ignore Ctrl-C, as shells do in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        with _server(port, data) as (server, address):
            _greet(screen, address, data)
            _tell(screen, server, address, tokens, pause)
            return server.wait()
    except _Stopped:
        screen.say(f"\nStopped. What it left is in {data}{os.sep}")
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
    """Return the environment without the settings of other servers."""
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


def _greet(screen: Screen, address: str, data: Path) -> None:
    publisher = shlex.quote(str(Path(sys.executable).parent / "publisher"))
    screen.give({"url": address, "feed": FEED, "data": str(data), "token": str(data / "token")})
    screen.say(
        f"""
A live news feed is at  {address}/feeds/{FEED}
Open it now: the story begins in a few seconds. Ctrl-C ends it.

To post an item yourself, in another terminal in this folder:

  export PUBLISHER_URL={address} PUBLISHER_FEED={FEED}
  export PUBLISHER_TOKEN=$(cat {shlex.quote(str(data / "token"))})
  {publisher} post "Bridge over the Psel reopens" --body "Traffic flows again since *noon*."

Everything that it keeps is in {data}{os.sep}
"""
    )


def _tell(
    screen: Screen,
    server: subprocess.Popen[str],
    address: str,
    tokens: dict[str, str],
    pause: float,
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
        number = known.setdefault(line["ref"], item["id"])
        screen.give(item)
        excerpt = shorten(
            line.get("headline") or line.get("note") or line["body"], 90, placeholder="…"
        )
        screen.say(f"  {line['verb']:8} item {number}: {excerpt}")
    screen.say("\nThe story is told. The feed goes on until Ctrl-C.")


def _publish(line: Line, item: int | None, address: str, token: str, *, imported: bool) -> Line:
    """Do a line of the story with the publisher; return the item as it then is."""
    command = [sys.executable, "-m", "publisher", line["verb"]]
    command += [str(item)] if item is not None else []
    for name in ("headline", "body", "source", "language", "occurred_at", "note"):
        if name in line:
            command += [f"--{name.replace('_', '-')}", line[name]]
    for tag in line.get("tags", ()):
        command += ["--tag", tag]
    command += ["--breaking"] if line.get("breaking") else []
    command += ["--at", line["at"]] if imported else []
    with TemporaryDirectory() as state:  # nothing of the story stays in the editor's own outbox
        own = {
            "PUBLISHER_URL": address,
            "PUBLISHER_TOKEN": token,
            "PUBLISHER_FEED": FEED,
            "XDG_STATE_HOME": state,
        }
        done = subprocess.run(  # noqa: S603
            [*command, "--json"],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | own,
        )
    if done.returncode:
        raise SetupError(f"the publisher could not {line['verb']}: {done.stderr or done.stdout}")
    published: Line = json.loads(done.stdout)
    return published


def _story() -> list[Line]:
    text = (files("feedserver") / "newsfeed.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


COMMAND = Command("", _add_arguments, _run, ("feedserver demo --port 8001",))
