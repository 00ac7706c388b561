"""Speaks HTTP with the server: bounded tries, honest about what is known when they end."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from feedserver.errors import BadRequest, TooMany, Unavailable
from feedserver.wire import Json, dumps, loads
from publisher.failures import NotReached, Refused
from publisher.server.deadline import deadline
from publisher.server.retries import TRIES, duration, read_retry_after, tries, wait_before
from publisher.server.schemas import Shape, is_feeds, is_versioned_item
from publisher.server.transport import causes, never_reached, open_http

ANSWER_MAX = 64 * 1024 * 1024  # bytes; a page of 200 of the longest items is under 40 MiB
_NOTHING_STORED = {Unavailable.slug, TooMany.slug}
_TO_RETRY = re.compile(r"; retry\b[^;]*$")  # a server's advice that is followed here already
_SENDING = "send_request_headers.started"  # how httpx calls the moment from which there is doubt


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
        self._http = open_http(url, httpx.Timeout(timeout), headers)
        self._in_doubt = False  # what is being asked may have reached the server

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, shape: Shape, **query: Any) -> Answer:
        """Ask for something of that shape; None leaves a parameter out. Raises Failure."""
        given = {name: value for name, value in query.items() if value is not None}
        # An editor needs the newest version, not one that a cache still holds.
        return self._ask("GET", path, {"cache-control": "no-cache"}, shape, query=given)

    def feeds(self) -> list[str]:
        """Return the slugs of the server's feeds. Raises Failure."""
        return [feed["slug"] for feed in self.get("/v1/feeds", is_feeds).data["feeds"]]

    def post(self, path: str, body: Json, key: str, etag: str | None = None) -> Answer:
        """Submit something once, however often it has to be sent. Raises Failure."""
        headers = {"content-type": "application/json", "idempotency-key": key}
        if etag is not None:
            headers["if-match"] = f'"{etag}"'
        try:
            return self._ask("POST", path, headers, is_versioned_item, content=dumps(body))
        except KeyboardInterrupt:
            if not self._in_doubt:
                raise
            raise NotReached("stopped while waiting for the answer", doubt=True) from None

    def _ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        shape: Shape,
        query: Json | None = None,
        content: bytes | None = None,
    ) -> Answer:
        request = self._http.build_request(
            method,
            self.url + path,
            headers=headers,
            params=query or None,
            content=content,
            extensions={"trace": self._watch},
        )
        doubt = self._in_doubt = False
        for try_number in range(1, TRIES + 1):
            try:
                answer = self._try(request)
            except NotReached as failure:
                failure.doubt |= doubt
                raise
            except _Missed as missed:
                doubt |= missed.doubt
                self._in_doubt = doubt
                wait = wait_before(try_number, missed.retry_after, random.random())  # noqa: S311
                if wait is None:
                    raise NotReached(_gave_up(missed, try_number), doubt=doubt) from None
                self._notice(f"{missed}; trying again in {wait:.1f} s")
                time.sleep(wait)
            else:
                if not shape(answer.data):
                    raise self.stranger("JSON of another shape")
                return answer
        raise AssertionError("the last try returns or raises")

    def _try(self, request: httpx.Request) -> Answer:
        try:
            with deadline(self._timeout):
                response = self._http.send(request, stream=True)
                try:
                    content = b"".join(self._read(response))
                finally:
                    response.close()
        except TimeoutError:
            raise self._late() from None
        except httpx.HTTPError as fault:
            raise self._explain(fault) from None
        return self._judge(response, content)

    def _watch(self, event: str, _: Json) -> None:
        """Note the moment from which the server may know what it is asked."""
        if event.endswith(_SENDING):
            self._in_doubt = True

    def _read(self, response: httpx.Response) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > ANSWER_MAX:
                raise self.stranger(f"an answer of more than {ANSWER_MAX} bytes")
            yield chunk

    def _judge(self, response: httpx.Response, content: bytes) -> Answer:
        status = response.status_code
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        problem: Json = {}
        if status >= 400 and kind == "application/problem+json":
            problem = self._object(content)
        if status == TooMany.status or status >= 500:
            detail = problem.get("detail") or f"{self.url} answers with the status {status}"
            known = status == TooMany.status or str(problem.get("type")) in _NOTHING_STORED
            raise _Missed(
                _TO_RETRY.sub("", str(detail)),
                doubt=not known,
                retry_after=read_retry_after(response.headers.get("retry-after")),
            )
        if 300 <= status < 400:
            target = response.headers.get("location", "elsewhere")
            raise self.stranger(f"a redirect to {target}", doubt=False)
        if status >= 400:
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
            raise self.stranger("JSON that is not an object")
        return data

    def stranger(self, what: str, *, doubt: bool = True) -> NotReached:
        """Say that whoever answered is not a feedserver, by what it sent."""
        failure = NotReached(
            f"{self.url} does not answer as a feedserver does (it sent {what})", doubt=doubt
        )
        failure.add("Check the address. Another one: publisher login URL, or PUBLISHER_URL")
        return failure

    def _explain(self, fault: httpx.HTTPError) -> Exception:
        """Say what a failed exchange means: final, or to be tried again."""
        final = never_reached(self.url, fault)
        if final is not None:
            final.doubt = self._in_doubt
            return final
        if isinstance(fault, httpx.UnsupportedProtocol | httpx.ProxyError):
            return NotReached(f"{self.url} cannot be reached: {fault}")
        if isinstance(fault, httpx.TimeoutException):
            return self._late()
        if isinstance(fault, httpx.ConnectError):
            reasons = [c.strerror for c in causes(fault) if isinstance(c, OSError) and c.strerror]
            said = reasons[0] if reasons else fault
            return _Missed(f"no server answers at {self.url} ({said})", doubt=False)
        return _Missed(f"the connection to {self.url} broke before the answer", doubt=True)

    def _late(self) -> _Missed:
        if not self._in_doubt:
            return _Missed(f"{self.url} does not answer", doubt=False)
        return _Missed(f"{self.url} took longer than {self._timeout:g} s", doubt=True)


def _gave_up(missed: _Missed, made: int) -> str:
    if missed.retry_after is not None and made < TRIES:
        return f"{missed}; it asks to come back in {duration(missed.retry_after)}"
    return f"{missed}; gave up after {tries(made)}"
