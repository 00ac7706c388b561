"""How HTTP leaves this machine: proxies, certificates, and what it means when that fails.

Both come from the environment, but a server on this very machine is never asked through a proxy.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import httpx

from publisher.failures import Misused, NotReached
from publisher.server.address import is_loopback

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}
_T = TypeVar("_T")


class _Lookups(ThreadPoolExecutor):
    """Threads that look up host names. The program does not wait for them when it ends."""

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Call a function on a thread that does not outlive the program."""
        result: Future[_T] = Future()
        result.set_running_or_notify_cancel()  # from here on a caller can only give it up

        def work() -> None:
            try:
                result.set_result(fn(*args, **kwargs))
            except BaseException as fault:
                result.set_exception(fault)

        threading.Thread(target=work, daemon=True).start()
        return result


def open_loop() -> asyncio.Runner:
    """Return a runner whose time limits hold for look-ups of host names, too."""

    def new_loop() -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        loop.set_default_executor(_Lookups())
        return loop

    return asyncio.Runner(loop_factory=new_loop)


def open_http(url: str, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """Return a client for that server, whose callers set the time limits.

    Raises Misused for an environment that it cannot use.
    """
    trusted = certificates(url)
    try:
        return httpx.AsyncClient(
            headers=headers,
            timeout=None,  # noqa: S113  # callers limit the time of an exchange as a whole
            verify=trusted,
            trust_env=not is_loopback(url),
        )
    except (ImportError, ValueError, httpx.InvalidURL):
        set_here = [name for name in os.environ if name.upper() in _PROXIES and os.environ[name]]
        proxies = " or ".join(sorted(set_here))
        raise Misused(
            f"the proxy in {proxies} cannot be used; write it as http://host:port",
            see_help=False,
        ) from None


def certificates(url: str) -> ssl.SSLContext:
    """Return the certificates that a server's identity is checked against. Raises Misused."""
    if not url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # not used: this address is plain http
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
        if isinstance(fault, BaseExceptionGroup):  # one for each address of a host
            for one in fault.exceptions:
                yield from causes(one)
        fault = fault.__cause__ or fault.__context__


def reason(fault: OSError) -> str:
    """Return the system's own words for a fault."""
    if fault.errno:
        return os.strerror(fault.errno)
    # For a host with several addresses asyncio writes down what failed at each of them.
    number = re.search(r"\[Errno (\d+)\]", str(fault))
    return os.strerror(int(number[1])) if number else str(fault)
