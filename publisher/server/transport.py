"""How HTTP leaves this machine: proxies, certificates, and what it means when that fails.

Both come from the environment, but a server on this very machine is never asked through a proxy.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator, Mapping

import httpx

from publisher.failures import Misused, NotReached
from publisher.server.address import is_loopback

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


def open_http(url: str, timeout: httpx.Timeout, headers: Mapping[str, str]) -> httpx.Client:
    """Return a client for that server. Raises Misused for an environment that it cannot use."""
    trusted = certificates(url)
    try:
        return httpx.Client(
            headers=headers, timeout=timeout, verify=trusted, trust_env=not is_loopback(url)
        )
    except (ImportError, ValueError, httpx.InvalidURL):
        set_here = [name for name in os.environ if name.upper() in _PROXIES and os.environ[name]]
        proxies = " or ".join(sorted(set_here))
        raise Misused(
            f"the proxy in {proxies} cannot be used; write it as http://host:port",
            see_help=False,
        ) from None


def certificates(url: str) -> ssl.SSLContext:
    """Return whose word is taken for a server's identity. Raises Misused."""
    if not url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is not asked
    try:
        return httpx.create_ssl_context()
    except OSError as fault:
        named = next((name for name in _CERTIFICATES if os.environ.get(name)), _CERTIFICATES[0])
        why = "" if isinstance(fault, ssl.SSLError) else f": {fault.strerror}"
        raise Misused(
            f"{named} names no certificates that can be read{why}", see_help=False
        ) from None


def never_reached(url: str, fault: BaseException) -> NotReached | None:
    """Say why another try cannot reach the server either; None where it may."""
    for cause in causes(fault):
        if isinstance(cause, ssl.SSLCertVerificationError):
            failure = NotReached(
                f"no safe connection to {url}: its certificate cannot be verified "
                f"({cause.verify_message})"
            )
            failure.add(
                "Is that its address? If the certificate is your own: SSL_CERT_FILE=FILE names "
                "the certificates to trust"
            )
            return failure
        if isinstance(cause, ssl.SSLError):
            if cause.reason in _NOT_TLS:
                plain = url.replace("https:", "http:", 1)
                failure = NotReached(
                    f"no safe connection to {url}: this port speaks plain http; use {plain}"
                )
                failure.add("Another address: publisher login URL, or PUBLISHER_URL")
                return failure
            return NotReached(f"no safe connection to {url}: {cause.reason or cause}")
        if isinstance(cause, socket.gaierror):
            return NotReached(f"no such host as in {url}: {cause.strerror}")
    return None


def causes(fault: BaseException | None) -> Iterator[BaseException]:
    """Yield a fault and what led to it, the innermost last."""
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__
