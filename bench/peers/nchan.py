"""Nchan, the pub/sub module of nginx, from Debian's packages unpacked into the cache.

Unpacked, not installed: no root is needed and no service is started.
"""

import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from bench.errors import BenchError
from bench.http import Connection
from bench.peers.peer import READY_WAIT, Peer
from bench.places import cache
from bench.stories import Story

TEMPORARY = Path("/var/lib/nginx")  # built into the module, whose setting for it is broken
PACKAGES = ("nginx", "libnginx-mod-nchan")
DOWNLOAD_WAIT = 120  # seconds

# When a sixteenth of worker_connections is all that is left, nginx drops those who wait.
CONFIG = """
load_module {module};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 22000; use epoll; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  nchan_shared_memory_size 256M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /live {{
      nchan_subscriber websocket;
      nchan_channel_id bench;
      nchan_websocket_ping_interval 0;
      nchan_subscriber_first_message {first};
    }}
    location = /publish {{
      nchan_publisher http;
      nchan_channel_id bench;
      nchan_message_buffer_length 1;
      nchan_message_timeout 1h;
      nchan_deflate_message_for_websocket {deflate};
    }}
  }}
}}
"""


def _unpacked() -> Path:
    """Folder with nginx and its module, fetched once."""
    folder = cache("nginx")
    if (folder / "usr/sbin/nginx").exists():
        return folder
    for package in PACKAGES:
        command = ["apt-get", "download", package]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=DOWNLOAD_WAIT
        )
        if done.returncode:
            raise BenchError(f"apt-get download {package} failed:\n{done.stderr}")
    for file in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(file), str(folder)], check=True, timeout=60)
    return folder


def _make_temporary() -> None:
    """The one folder outside the cache that this module insists on."""
    try:
        TEMPORARY.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        raise BenchError(f"nchan needs {TEMPORARY}; make it once as root.") from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Nchan(Peer):
    name: ClassVar[str] = "nchan"
    path: ClassVar[str] = "/live"
    _publisher: Connection = field(default_factory=lambda: Connection(0))

    def _start(self) -> None:
        if self.setting.workers > 1:
            raise BenchError("nchan shares readers among workers on its own; not measured here.")
        folder, home = cache(f"run/{self.name}"), _unpacked()
        _make_temporary()
        port = _free_port()
        config = folder / "nginx.conf"
        module = home / "usr/lib/nginx/modules/ngx_nchan_module.so"
        first = "oldest" if self.greets else "newest"
        deflate = "on" if self.deflates else "off"
        config.write_text(
            CONFIG.format(module=module, folder=folder, port=port, first=first, deflate=deflate)
        )
        self._spawn([str(home / "usr/sbin/nginx"), "-p", str(folder), "-c", str(config)])
        self.ports = [port]
        self._await(port)
        self._publisher = Connection(port)
        if self.setting.greeting is not None:
            self._post(self.setting.greeting)

    def publish(self, story: Story) -> None:
        self._post(story.message)

    def stop(self) -> None:
        self._publisher.close()
        Peer.stop(self)

    def _post(self, text: str) -> None:
        headers = {"Content-Type": "application/json"}
        answer = self._publisher.post("/publish", text.encode(), headers)
        if answer.status not in (200, 201, 202):
            raise BenchError(f"nchan answered {answer.status} to a message.")

    def _await(self, port: int) -> None:
        deadline = time.monotonic() + READY_WAIT
        while time.monotonic() < deadline:
            try:
                # The master listens before it has a worker: only an answer shows that there is one.
                first = Connection(port)
                first.get("/", {})
                first.close()
                return
            except ConnectionRefusedError:
                if self.processes[0].poll() is not None:
                    break
                time.sleep(0.02)
        raise BenchError(f"nginx did not start: {self.errors.read_text()[-2000:]}")


class NchanDeflate(Nchan):
    """The same, each message deflated once, for readers that offer compression."""

    name: ClassVar[str] = "nchan-deflate"
    deflates: ClassVar[bool] = True
