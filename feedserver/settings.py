"""Settings: one table, read once. Every option of `serve` also has its FEEDSERVER_… variable."""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from feedserver.addresses import fault_of
from feedserver.errors import BadSetting

PREFIX = "FEEDSERVER_"
_ADDRESS = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\\\"<>\[\]]+)(:[0-9]{1,5})?/?")
_LINK = re.compile(r"([^=,]{1,50})=((?:https?://|/)[^\s\\\"<>,]*)")
_PICTURE = re.compile(r"https?://[^\s/?#\\\"<>]+/[^\s\\\"<>]+")
NAME_MAX = 100  # characters of a site's name
RESERVED_FILES = 500  # descriptors kept for publishers, pages, the database


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table. `read` turns its text into its value, or raises ValueError."""

    name: str
    default: str
    read: Callable[[str], Any]
    help: str

    @property
    def variable(self) -> str:
        """The name of its environment variable."""
        return PREFIX + self.name.upper()


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def _address(text: str) -> str:
    if text and not _ADDRESS.fullmatch(text):
        raise ValueError("must be an address without a path, such as https://news.example")
    return text.rstrip("/")


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not (name.isprintable() and 0 < len(name) <= NAME_MAX):
        raise ValueError(f"must be a name of at most {NAME_MAX} characters")
    return name


def _page(text: str) -> str:
    if text and fault_of(text) is not None:
        raise ValueError("must be a whole address, such as https://hub.example/")
    return text


def _picture(text: str) -> str:
    if text and not _PICTURE.fullmatch(text):
        raise ValueError("must be a picture's whole address, such as https://news.example/card.png")
    return text


def _links(text: str) -> tuple[tuple[str, str], ...]:
    found = [_LINK.fullmatch(link.strip()) for link in text.split(",") if link.strip()]
    if not all(match and match[1].strip() and match[1].isprintable() for match in found):
        raise ValueError(
            "must be names and addresses, such as Imprint=https://news.example/imprint"
        )
    return tuple((match[1].strip(), match[2]) for match in found if match)


def _folder(text: str) -> Path:
    if not text.strip():
        raise ValueError("must be a folder's name")
    return Path(text)


def _host(text: str) -> str:
    if not text.strip():
        raise ValueError("must be an address or a host's name of this machine, such as 127.0.0.1")
    return text


def _level(text: str) -> str:
    if text not in {"debug", "info", "warning", "error"}:
        raise ValueError("must be debug, info, warning or error")
    return text


def _switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ValueError("must be on or off")
    return text == "on"


def _readers(text: str) -> int:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return _whole(1, 1_000_000)(text) if text else max(1, most - RESERVED_FILES)


TABLE = (
    Setting("data", "feed-data", _folder, "the folder that holds the database"),
    Setting("host", "127.0.0.1", _host, "the address to listen on"),
    Setting("port", "8000", _whole(0, 65535), "the port to listen on; 0 takes a free one"),
    Setting(
        "url",
        "",
        _address,
        "the address that readers see, such as https://news.example; default: host and port",
    ),
    Setting("site_name", "Live news", _name, "your site's name, as its pages give it"),
    Setting(
        "site_image",
        "",
        _picture,
        "the address of your picture for link previews, 1200 x 630; default: one without words",
    ),
    Setting(
        "site_links",
        "",
        _links,
        "links at the foot of all pages, such as Imprint=https://news.example/imprint",
    ),
    Setting(
        "websub_hub",
        "",
        _page,
        "a WebSub hub's address, which is told when a feed's documents change; default: none",
    ),
    Setting("workers", "1", _whole(1, 64), "processes that share the readers; one for each core"),
    Setting("heartbeat", "25", _whole(1, 300), "seconds between heartbeats to a reader"),
    Setting(
        "readers",
        "",
        _readers,
        "the most readers at a time, for each process; default: the limit on open files less"
        f" {RESERVED_FILES}",
    ),
    Setting(
        "reader_rate",
        "2000",
        _whole(1, 100_000),
        "the most new readers a second, for each process; editors have the rest of its time",
    ),
    Setting(
        "cache_mib",
        "64",
        _whole(16, 65_536),
        "mebibytes of encoded answers to keep in memory, each process",
    ),
    Setting(
        "aio",
        "on",
        _switch,
        "on: send to many readers with one system call (Linux AIO), where the kernel allows it",
    ),
    Setting("io_uring", "off", _switch, "on: the same with io_uring, where the kernel allows it"),
    Setting("log_level", "warning", _level, "debug, info, warning or error"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of the table."""

    data: Path
    host: str
    port: int
    url: str
    site_name: str
    site_image: str
    site_links: tuple[tuple[str, str], ...]
    websub_hub: str
    workers: int
    heartbeat: int
    readers: int
    reader_rate: int
    cache_mib: int
    aio: bool
    io_uring: bool
    log_level: str

    @property
    def public_url(self) -> str:
        """The address that readers see, as far as it is known before the server listens."""
        return self.url or address_of(self.host, self.port)


def address_of(host: str, port: int) -> str:
    """Write the address of a server by its host and port."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def read_settings(
    given: Mapping[str, str | None], environment: Mapping[str, str] = os.environ
) -> Settings:
    """Read every setting: as given, else from its variable, else its default. Raises BadSetting."""
    values = {}
    for setting in TABLE:
        option = given.get(setting.name)
        text = option if option is not None else environment.get(setting.variable, setting.default)
        source = f"--{setting.name.replace('_', '-')}" if option is not None else setting.variable
        try:
            values[setting.name] = setting.read(text)
        except ValueError as fault:
            raise BadSetting(f"{source} {fault}, not {text!r}") from None
    return Settings(**values)


assert [setting.name for setting in TABLE] == [field.name for field in fields(Settings)]
