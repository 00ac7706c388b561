"""What this machine knows of feeds and items, for the words that a shell offers.

One file for each server holds its feeds, and of each the items that were listed or answered last:
`{"server": …, "feeds": {feed: {id: headline}}}`, the newest mention first. A Tab waits for this
module, so that it loads next to nothing.
"""

import json
import os
import sys
from collections.abc import Mapping

Feeds = dict[str, dict[str, str]]
_NAME_MAX = 100  # characters of a file's name


def state_folder(environ: Mapping[str, str] = os.environ) -> str:
    """Return the folder of what is kept between commands, as platformdirs names it."""
    if sys.platform in {"win32", "darwin", "cygwin"} or "ANDROID_DATA" in environ:
        from platformdirs import user_state_path  # which takes as long as all of this

        return str(user_state_path("publisher"))
    base = environ.get("XDG_STATE_HOME", "")
    return os.path.join(base if base.strip() else os.path.expanduser("~/.local/state"), "publisher")


def completion_folder() -> str:
    """Return the folder of what completion keeps. Raises OSError where no home is known."""
    folder = os.path.join(state_folder(), "completion")
    if not os.path.isabs(folder):
        raise OSError("no home folder is known")
    return folder


def known_file(server: str) -> str:
    """Return the path of what is known of a server. Raises OSError."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "_" for c in server)
    return os.path.join(completion_folder(), f"{plain[:_NAME_MAX]}.known.json")


def read_known(server: str) -> Feeds:
    """Return the feeds of a server and the items in them; nothing where nothing can be read."""
    try:
        with open(known_file(server), encoding="utf-8") as file:
            raw = json.load(file)
        if raw["server"] != server:
            return {}
        return {str(feed): dict(items) for feed, items in raw["feeds"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def selected(
    environ: Mapping[str, str], feed: str | None, profile: str | None = None
) -> tuple[str | None, str | None]:
    """Return the server and the feed that a command would use, as publisher/server/profile.py."""
    saved = _profile(environ, profile or environ.get("PUBLISHER_PROFILE") or "default")
    if profile is not None:
        environ = {}
    address = environ.get("PUBLISHER_URL") or saved.get("url") or ""
    server, _, rest = _bare(address).partition("/feeds/")
    of_page = rest.split("/")[0]
    if environ.get("PUBLISHER_URL"):
        feed = feed or environ.get("PUBLISHER_FEED") or of_page or saved.get("feed")
    else:
        feed = feed or environ.get("PUBLISHER_FEED") or saved.get("feed") or of_page
    return server or None, feed or None


def _bare(address: str) -> str:
    return address.strip().partition("#")[0].partition("?")[0].rstrip("/")


def _profile(environ: Mapping[str, str], name: str) -> dict[str, str]:
    file_name = "profile.json" if name == "default" else f"profiles/{os.path.basename(name)}.json"
    base = environ.get("XDG_CONFIG_HOME", "")
    base = base if base.startswith("/") else os.path.expanduser("~/.config")
    try:
        with open(os.path.join(base, "publisher", file_name), encoding="utf-8") as file:
            raw = json.load(file)
    except (OSError, ValueError):
        return {}
    members = raw.items() if isinstance(raw, dict) else ()
    return {name: value for name, value in members if isinstance(value, str)}
