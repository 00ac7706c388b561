"""Node's `ws`, installed into the cache."""

import shutil
import subprocess
from typing import ClassVar

from bench.errors import BenchError
from bench.peers.peer import Told
from bench.places import BENCH, cache

INSTALL_WAIT = 180  # seconds


def _installed() -> str:
    """Path of the server's script beside an installed `ws`."""
    folder = cache("node")
    wanted = (BENCH / "peers" / "package.json").read_text()
    kept = folder / "package.json"
    if not (folder / "node_modules" / "ws").exists() or kept.read_text() != wanted:
        kept.write_text(wanted)
        command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_WAIT
        )
        if done.returncode:
            raise BenchError(f"npm could not install ws:\n{done.stderr}")
    shutil.copy(BENCH / "peers" / "servers" / "ws.mjs", folder)
    return str(folder / "ws.mjs")


class NodeWs(Told):
    name: ClassVar[str] = "ws"

    def command(self) -> list[str]:
        return ["node", _installed(), self.setting.greeting_file()]
