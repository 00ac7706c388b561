"""Who edits what where: a saved profile, which the environment overrides.

`publisher login` saves it as profile.json in the folder publisher/ of XDG_CONFIG_HOME.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from publisher.failures import Misused
from publisher.server.address import is_address, may_carry_token, same_server, split_feed
from publisher.text.files import own_folder, write_private


@dataclass(frozen=True, slots=True)
class Profile:
    """A server's address, the editor's token for it, and the feed to use by default."""

    url: str | None = None
    token: str | None = None
    feed: str | None = None

    def __repr__(self) -> str:
        return f"Profile(url={self.url!r}, feed={self.feed!r})"  # a token is never printed


def profile_path(environ: Mapping[str, str]) -> Path:
    """Return the path of the saved profile."""
    return own_folder(environ, "XDG_CONFIG_HOME", ".config") / "profile.json"


def load(environ: Mapping[str, str]) -> Profile:
    """Read the saved profile, or return an empty one if nothing was saved. Raises Misused."""
    path = profile_path(environ)
    try:
        raw = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Profile()
    except OSError as fault:
        raise _unreadable(path, str(fault.strerror)) from None
    except ValueError:
        raise _unreadable(path, "it is not JSON") from None
    members = [raw.get(name) for name in ("url", "token", "feed")] if isinstance(raw, dict) else [0]
    if not all(member is None or isinstance(member, str) for member in members):
        raise _unreadable(path, "it does not hold a url, a token and a feed")
    saved = Profile(*members)
    if saved.url and not is_address(saved.url):
        raise _unreadable(path, "its url is not the address of a server")
    return saved


def save(profile: Profile, environ: Mapping[str, str]) -> Path:
    """Save the profile for its owner alone and return its path. Raises Misused."""
    path = profile_path(environ)
    try:
        write_private(path, json.dumps(asdict(profile), indent=1).encode() + b"\n")
    except OSError as fault:
        raise Misused(f"the profile {path} cannot be written: {fault.strerror}") from None
    return path


def resolve(environ: Mapping[str, str], feed: str | None) -> Profile:
    """Return the profile to use: from the option, else the environment, else what was saved.

    A saved token goes to the server that it was saved for and to no other.
    """
    given = environ.get("PUBLISHER_URL")
    url, feed_of_page = split_feed(given) if given else (None, None)
    token = environ.get("PUBLISHER_TOKEN")
    feed = feed or environ.get("PUBLISHER_FEED") or feed_of_page
    saved = Profile() if url and token and feed else load(environ)
    if url is None:
        if not saved.url:
            raise Misused("which server? log in first (publisher login URL), or set PUBLISHER_URL")
        url, feed_of_page = split_feed(saved.url)
    if not token and saved.url and same_server(saved.url, url):
        token = saved.token
    return Profile(url, token or None, feed or saved.feed or feed_of_page)


def check_token_may_travel(url: str, *, insecure: bool) -> None:
    """Refuse to send a token where others could read it on the way. Raises Misused."""
    if not insecure and not may_carry_token(url):
        raise Misused(
            f"a token would travel to {url} unencrypted; use https://, or say --insecure "
            "(PUBLISHER_INSECURE=1) if the network between is yours"
        )


def _unreadable(path: Path, why: str) -> Misused:
    return Misused(
        f"the profile {path} cannot be read: {why}; log in again: publisher login URL",
        see_help=False,
    )
