"""Speaks HTTP with the server: bounded tries, honest about what is known when they end."""

from __future__ import annotations

import random
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from feedserver.errors import BadRequest, TooMany, Unavailable
from feedserver.wire import Json, dumps, loads
from publisher.address import is_loopback
from publisher.failures import NotReached, Refused
from publisher.retries import TRIES, read_retry_after, wait_before

ANSWER_MAX = 64 * 1024 * 1024  # bytes; a page of 200 of the longest items is under 40 MiB
_NOTHING_STORED = {Unavailable.slug, TooMany.slug}
_TO_RETRY = re.compile(r"; retry\b[^;]*$")  # a server's advice that is followed here already


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its JSON object and its headers."""

    data: Json
    headers: httpx.Headers


class _Missed(Exception):
    """One try that failed and may be made again."""

    def __init__(self, detail: str, *, doubt: bool, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.doubt = doubt  # this try may have been stored all the same
        self.retry_after = retry_after


class Client:
    """A connection to one server. `notice` is told of each try that is made again."""

    def __init__(
        self, url: str, token: str | None, timeout: float, notice: Callable[[str], None]
    ) -> None:
        self.url = url
        self.has_token = token is not None
        self._notice = notice
        self._timeout = timeout
        headers = {"accept": "application/json", "user-agent": "publisher"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        # Proxies and certificates come from the environment, but never for this very machine.
        self._http = httpx.Client(headers=headers, timeout=timeout, trust_env=not is_loopback(url))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Answer:
        """Ask for something; None leaves a query's parameter out. Raises Failure."""
        given = {name: value for name, value in query.items() if value is not None}
        # An editor needs the newest version, not one that a cache still holds.
        return self._ask("GET", path, {"cache-control": "no-cache"}, query=given)

    def feeds(self) -> list[str]:
        """Return the slugs of the server's feeds. Raises Failure."""
        return [str(feed["slug"]) for feed in self.get("/v1/feeds").data.get("feeds", ())]

    def post(self, path: str, body: Json, key: str, etag: str | None = None) -> Answer:
        """Submit something once, however often it has to be sent. Raises Failure."""
        headers = {"content-type": "application/json", "idempotency-key": key}
        if etag is not None:
            headers["if-match"] = f'"{etag}"'
        try:
            return self._ask("POST", path, headers, content=dumps(body))
        except KeyboardInterrupt:
            raise NotReached("stopped while waiting for the answer", doubt=True) from None

    def _ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        query: Json | None = None,
        content: bytes | None = None,
    ) -> Answer:
        request = self._http.build_request(
            method, self.url + path, headers=headers, params=query or None, content=content
        )
        doubt = False
        for try_number in range(1, TRIES + 1):
            try:
                return self._try(request)
            except NotReached as failure:
                failure.doubt |= doubt
                raise
            except _Missed as missed:
                doubt |= missed.doubt
                wait = wait_before(try_number, missed.retry_after, random.random())  # noqa: S311
                if wait is None:
                    raise NotReached(_gave_up(missed, try_number), doubt=doubt) from None
                self._notice(f"{missed}; trying again in {wait:.1f} s")
                time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _try(self, request: httpx.Request) -> Answer:
        try:
            response = self._http.send(request, stream=True)
            try:
                content = b"".join(self._read(response))
            finally:
                response.close()
        except httpx.HTTPError as fault:
            raise self._explain(fault) from None
        return self._judge(response, content)

    def _read(self, response: httpx.Response) -> Iterator[bytes]:
        deadline = time.monotonic() + self._timeout
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > ANSWER_MAX:
                raise self.stranger(f"an answer of more than {ANSWER_MAX} bytes")
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer never ended")
            yield chunk

    def _judge(self, response: httpx.Response, content: bytes) -> Answer:
        status = response.status_code
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if status == TooMany.status or status >= 500:
            problem = self._object(content) if kind == "application/problem+json" else {}
            detail = problem.get("detail") or f"{self.url} answers with the status {status}"
            raise _Missed(
                _TO_RETRY.sub("", str(detail)),
                doubt=status != TooMany.status and problem.get("type") not in _NOTHING_STORED,
                retry_after=read_retry_after(response.headers.get("retry-after")),
            )
        if 300 <= status < 400:
            target = response.headers.get("location", "elsewhere")
            raise self.stranger(f"a redirect to {target}", doubt=False)
        if status >= 400:
            problem = self._object(content) if kind == "application/problem+json" else {}
            if not isinstance(problem.get("detail"), str):
                raise self.stranger(f"{kind or 'nothing'}, status {status}", doubt=False)
            raise Refused({**problem, "status": status}, self.url)
        if kind != "application/json":
            raise self.stranger(kind or "nothing")
        return Answer(self._object(content), response.headers)

    def _object(self, content: bytes) -> Json:
        try:
            data = loads(content)
        except BadRequest:
            raise self.stranger("broken JSON") from None
        if not isinstance(data, dict):
            raise self.stranger("JSON that is no object")
        return data

    def stranger(self, what: str, *, doubt: bool = True) -> NotReached:
        """Say that whoever answered is no feedserver, by what it sent."""
        failure = NotReached(
            f"{self.url} does not answer as a feedserver does (it sent {what})", doubt=doubt
        )
        failure.add("Check the address. Another one: publisher login URL, or PUBLISHER_URL")
        return failure

    def _explain(self, fault: httpx.HTTPError) -> Exception:
        """Say what a failed exchange means: final, or to be tried again."""
        causes = list(_causes(fault))
        for cause in causes:
            if isinstance(cause, ssl.SSLError):
                return NotReached(f"no safe connection to {self.url}: {cause.reason or cause}")
            if isinstance(cause, socket.gaierror):
                return NotReached(f"no such host as in {self.url}: {cause.strerror}")
        if isinstance(fault, httpx.UnsupportedProtocol | httpx.ProxyError):
            return NotReached(f"{self.url} cannot be reached: {fault}")
        if isinstance(fault, httpx.ConnectTimeout):
            return _Missed(f"{self.url} does not answer", doubt=False)
        if isinstance(fault, httpx.ConnectError):
            reasons = [str(c.strerror) for c in causes if isinstance(c, OSError) and c.strerror]
            said = reasons[0] if reasons else fault
            return _Missed(f"no server answers at {self.url} ({said})", doubt=False)
        if isinstance(fault, httpx.TimeoutException):
            return _Missed(f"{self.url} took longer than {self._timeout:g} s", doubt=True)
        return _Missed(f"the connection to {self.url} broke before the answer", doubt=True)


def _gave_up(missed: _Missed, tries: int) -> str:
    if missed.retry_after is not None and tries < TRIES:
        return f"{missed}; it asks to come back in {missed.retry_after:.0f} s"
    return f"{missed}; gave up after {tries} tries"


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__
