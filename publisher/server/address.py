"""Where the server is: the rules about addresses, and which of them a token may travel to."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from publisher.failures import Misused

LABEL_MAX = 63  # bytes between two dots of a host's name, from DNS


def server_address(text: str) -> str:
    """Return the address of a server without a slash at its end. Raises Misused."""
    parts = _split(text)
    if parts is None:
        raise Misused(
            f"{text!r} is not the address of a server; write it whole: https://news.example"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def split_feed(text: str) -> tuple[str, str | None]:
    """Split the address of a feed's page into the server's address and the feed's slug."""
    address = server_address(text)
    server, found, slug = address.partition("/feeds/")
    return (server, slug.split("/")[0]) if found else (address, None)


def is_address(text: str) -> bool:
    """Say whether it is the address of a server, whole, with a host that can be looked up."""
    return _split(text) is not None


def same_server(a: str, b: str) -> bool:
    """Say whether a token made for `a` may travel to `b`: same scheme, host and port."""
    return _origin(a) == _origin(b)


def is_loopback(address: str) -> bool:
    """Say whether the address is this very machine."""
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def may_carry_token(address: str) -> bool:
    """Say whether a token is safe on the way: encrypted, or never leaving this machine."""
    return urlsplit(address).scheme == "https" or is_loopback(address)


def socket_address(address: str) -> str:
    """Return the same address for a WebSocket."""
    return "ws" + address.removeprefix("http")


def _split(text: str) -> SplitResult | None:
    import httpx  # only now: what reads no address starts faster without it

    try:
        parts = urlsplit(text.strip())
        url = httpx.URL(text.strip())
        _ = parts.port, url.host  # each says by itself what is wrong with it
    except (ValueError, httpx.InvalidURL):  # a name without an ASCII form, too
        return None
    whole = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    if not whole or set(text.strip()) & set(" \t\n\\"):
        return None
    labels = url.raw_host.removesuffix(b".").split(b".")
    return parts if all(0 < len(label) <= LABEL_MAX for label in labels) else None


def _origin(address: str) -> tuple[str, str | None, int]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
