"""The seed story, told by the real publisher."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from typing import Any

from bench.errors import BenchError
from bench.peers.feedserver import Feedserver, executable
from bench.places import ROOT

FILE = ROOT / "feedserver" / "newsfeed.jsonl"
IMPORTED = "economy"  # the item that comes at its own time; the rest is live
OPTIONS = ("headline", "body", "source", "language", "occurred_at", "note")
WAIT = 30  # seconds for one verb

Line = dict[str, Any]


def story() -> list[Line]:
    """Its verbs, in order."""
    return [json.loads(line) for line in FILE.read_text().splitlines() if line.strip()]


@dataclass(slots=True)
class Teller:
    """Runs `publisher` for one line after the other on a server of ours."""

    server: Feedserver
    _importer: str = ""
    _ids: dict[str, int] = field(default_factory=dict)

    def tell(self, line: Line) -> None:
        """Do what the line says; an error unless the server accepts it."""
        imported = line["ref"] == IMPORTED and line["verb"] == "post"
        known = self._ids.get(line["ref"])
        command = [executable("publisher"), line["verb"]]
        command += [str(known)] if known is not None else []
        for name in OPTIONS:
            if name in line:
                command += [f"--{name.replace('_', '-')}", line[name]]
        for tag in line.get("tags", ()):
            command += ["--tag", tag]
        command += ["--breaking"] if line.get("breaking") else []
        command += ["--at", line["at"]] if imported else []
        token = self._import_token() if imported else self.server.token
        answer = self._run([*command, "--json"], token)
        self._ids.setdefault(line["ref"], json.loads(answer)["id"])

    def _import_token(self) -> str:
        if not self._importer:
            self._importer = self.server.command("token", "add", "importer", "--import").strip()
        return self._importer

    def _run(self, command: list[str], token: str) -> str:
        settings = {
            "PUBLISHER_URL": f"http://127.0.0.1:{self.server.ports[0]}",
            "PUBLISHER_TOKEN": token,
            "PUBLISHER_FEED": "bench",
        }
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=WAIT, env={**os.environ, **settings}
        )
        if done.returncode:
            raise BenchError(f"publisher {command[1]}: {done.stderr or done.stdout}")
        return done.stdout
