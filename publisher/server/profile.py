"""Who edits what where: saved profiles, which options and the environment override.

`publisher login` saves one as profile.json in the folder publisher/ of XDG_CONFIG_HOME; one with a
name of its own is profiles/NAME.json there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from feedserver.model import is_slug
from publisher.failures import Misused
from publisher.server.address import is_address, may_carry_token, same_server, split_feed
from publisher.text.files import own_folder, write_private

DEFAULT = "default"  # the profile without a name of its own
ENVIRONMENT = "environment"  # in place of a name, where the token is that of PUBLISHER_TOKEN


@dataclass(frozen=True, slots=True)
class Profile:
    """A server's address, the editor's token for it, and the feed to use by default.

    `name`: under which it is saved.
    """

    url: str | None = None
    token: str | None = None
    feed: str | None = None
    name: str = DEFAULT

    def __repr__(self) -> str:
        return f"Profile({self.name!r}, url={self.url!r}, feed={self.feed!r})"  # never the token


def profile_path(environ: Mapping[str, str], name: str) -> Path:
    """Return the path of a saved profile. Raises Misused."""
    folder = own_folder(environ, "XDG_CONFIG_HOME", ".config")
    return folder / ("profile.json" if name == DEFAULT else f"profiles/{name}.json")


def profile_names(environ: Mapping[str, str]) -> list[str]:
    """Return the names of all saved profiles. Raises Misused."""
    folder = own_folder(environ, "XDG_CONFIG_HOME", ".config")
    try:
        named = sorted(path.stem for path in (folder / "profiles").glob("*.json"))
    except OSError:
        named = []
    first = [DEFAULT] if profile_path(environ, DEFAULT).exists() else []
    return [*first, *filter(is_slug, named)]


def load(environ: Mapping[str, str], name: str) -> Profile:
    """Read a saved profile, or return an empty one if nothing was saved. Raises Misused."""
    path = profile_path(environ, name)
    try:
        raw = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Profile(name=name)
    except OSError as fault:
        raise _unreadable(path, str(fault.strerror)) from None
    except ValueError:
        raise _unreadable(path, "it is not JSON") from None
    members = [raw.get(part) for part in ("url", "token", "feed")] if isinstance(raw, dict) else [0]
    if not all(isinstance(member, str | None) for member in members):
        raise _unreadable(path, "it does not hold a url, a token and a feed")
    saved = Profile(raw.get("url"), raw.get("token"), raw.get("feed"), name)
    if saved.url and not is_address(saved.url):
        raise _unreadable(path, "its url is not the address of a server")
    return saved


def save(profile: Profile, environ: Mapping[str, str]) -> Path:
    """Save the profile for its owner alone and return its path. Raises Misused."""
    path = profile_path(environ, profile.name)
    members = {name: value for name, value in asdict(profile).items() if name != "name"}
    try:
        write_private(path, json.dumps(members, indent=1).encode() + b"\n")
    except OSError as fault:
        raise Misused(f"the profile {path} cannot be written: {fault.strerror}") from None
    return path


def remove(environ: Mapping[str, str], name: str) -> bool:
    """Remove a saved profile with its token; return whether there was one. Raises Misused."""
    path = profile_path(environ, name)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as fault:
        raise Misused(
            f"the profile {path} cannot be removed: {fault.strerror}", see_help=False
        ) from None
    return True


def chosen_name(environ: Mapping[str, str], option: str | None) -> str:
    """Return the name of the profile that the option or the environment chooses. Raises Misused."""
    name = environ.get("PUBLISHER_PROFILE") or DEFAULT if option is None else option
    if not is_slug(name) or name == ENVIRONMENT:
        source = "PUBLISHER_PROFILE" if option is None else "--as"
        raise Misused(f"{source} must be a profile's name, of a-z, 0-9 and -, not {name!r}")
    return name


def resolve(environ: Mapping[str, str], feed: str | None, option: str | None = None) -> Profile:
    """Return the profile to use. Raises Misused.

    One that the `option` names is used as it was saved, whatever the environment holds. Otherwise
    each of its members is that of the environment, else what was saved. A saved token goes to the
    server that it was saved for and to no other.
    """
    name = chosen_name(environ, option)
    variables = environ if option is None else {}
    given = variables.get("PUBLISHER_URL")
    url, feed_of_page = split_feed(given) if given else (None, None)
    token = variables.get("PUBLISHER_TOKEN")
    feed = feed or variables.get("PUBLISHER_FEED") or feed_of_page
    saved = Profile(name=name) if url and token and feed else load(environ, name)
    if url is None:
        if not saved.url:
            raise _not_logged_in(environ, name)
        url, feed_of_page = split_feed(saved.url)
    used = ENVIRONMENT if token else name
    if not token and saved.url and same_server(saved.url, url):
        token = saved.token
    return Profile(url, token or None, feed or saved.feed or feed_of_page, used)


def check_token_may_travel(url: str, *, insecure: bool) -> None:
    """Refuse to send a token where others could read it on the way. Raises Misused."""
    if not insecure and not may_carry_token(url):
        raise Misused(
            f"a token would travel to {url} unencrypted; use https://, or say --insecure "
            "(PUBLISHER_INSECURE=1) if the network between is yours"
        )


def _not_logged_in(environ: Mapping[str, str], name: str) -> Misused:
    if name == DEFAULT:
        return Misused("which server? log in first (publisher login URL), or set PUBLISHER_URL")
    known = ", ".join(profile_names(environ)) or "none yet"
    return Misused(
        f"there is no profile {name}; the profiles: {known}. "
        f"To make it: publisher login URL --as {name}",
        see_help=False,
    )


def _unreadable(path: Path, why: str) -> Misused:
    return Misused(
        f"the profile {path} cannot be read: {why}; log in again: publisher login URL",
        see_help=False,
    )
