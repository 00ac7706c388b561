"""The Python peers, run in an environment of their own with pinned versions."""

import subprocess
import sys
from functools import cache as once
from typing import ClassVar

from bench.errors import BenchError
from bench.peers.peer import Told
from bench.places import BENCH, cache

INSTALL_WAIT = 300  # seconds


@once
def interpreter() -> str:
    """Python with `requirements.txt` installed; made at the first use, or when that changes."""
    folder = cache("python")
    wanted = (BENCH / "peers" / "requirements.txt").read_text()
    kept = folder / "installed.txt"
    python = folder / "bin" / "python"
    if not kept.exists() or kept.read_text() != wanted:
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        listed = str(BENCH / "peers" / "requirements.txt")
        _run([str(python), "-m", "pip", "install", "--quiet", "-r", listed])
        kept.write_text(wanted)
    return str(python)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_WAIT)
    if done.returncode:
        raise BenchError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


class PythonPeer(Told):
    module: ClassVar[str]

    def command(self) -> list[str]:
        module = f"bench.peers.servers.{self.module}"
        deflate = ["deflate"] if self.deflates else []
        return [interpreter(), "-m", module, self.setting.greeting_file(), *deflate]


class Websockets(PythonPeer):
    name: ClassVar[str] = "websockets"
    module: ClassVar[str] = "websockets_broadcast"


class WebsocketsDeflate(Websockets):
    name: ClassVar[str] = "websockets-deflate"
    deflates: ClassVar[bool] = True


class Starlette(PythonPeer):
    name: ClassVar[str] = "starlette"
    module: ClassVar[str] = "naive_starlette"


class StarletteDeflate(Starlette):
    name: ClassVar[str] = "starlette-deflate"
    deflates: ClassVar[bool] = True


class Picows(PythonPeer):
    name: ClassVar[str] = "picows"
    module: ClassVar[str] = "picows_send"
