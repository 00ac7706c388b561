"""Speaks HTTP with the server, within one budget of time for all tries together.

A failure says whether something may have been stored.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import httpx

from feedserver.errors import BadRequest, TooMany, Unavailable
from feedserver.wire import Json, dumps, loads
from publisher.failures import NotReached, ServerRefusal
from publisher.server.retries import (
    TRIES,
    TRY_SECONDS,
    duration,
    read_retry_after,
    tries,
    wait_before,
)
from publisher.server.schemas import Schema, is_feeds, is_versioned_item, is_warnings
from publisher.server.transport import causes, never_reached, open_http, open_loop, reason

ANSWER_MAX = 64 * 1024 * 1024  # bytes; a page of 200 of the longest items is under 40 MiB
_NOTHING_STORED = {Unavailable.slug, TooMany.slug}
_RETRY_ADVICE = re.compile(r"; retry\b[^;]*$")  # of a server, and followed here already
_T = TypeVar("_T")
_SENDING = "send_request_headers.started"  # how httpx calls the moment from which there is doubt


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its JSON object and its headers."""

    data: Json
    headers: httpx.Headers


class _FailedTry(Exception):
    """One try that failed, and can be repeated. `in_doubt`: it may have been stored."""

    def __init__(self, detail: str, *, in_doubt: bool, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.in_doubt = in_doubt
        self.retry_after = retry_after


class Client:
    """A connection to one server, which may be waited for `timeout` seconds in all.

    `notice` is called before each try that is repeated. `count_down` gets the seconds that are left
    each second of a wait, and None at its end.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        timeout: float,
        notice: Callable[[str], None],
        count_down: Callable[[float | None], None] = lambda _: None,
    ) -> None:
        self.url = url
        self.has_token = token is not None
        self._notice = notice
        self._count_down = count_down
        self._left = timeout
        headers = {"accept": "application/json", "user-agent": "publisher"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        self._http = open_http(url, headers)
        self._loop = open_loop()
        self._in_doubt = False  # what is being asked may have reached the server

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        with self._loop:
            self._loop.run(self._http.aclose())

    def get(
        self,
        path: str,
        schema: Schema,
        *,
        patient: bool = False,
        seconds: float | None = None,
        **query: Any,
    ) -> Answer:
        """Ask for JSON of a schema. A parameter that is None is left out. Raises Failure.

        `patient`: for as long as an edit is tried, as it is for one. `seconds`: one try of so many.
        """
        given = {name: value for name, value in query.items() if value is not None}
        # An editor needs the newest version, not one that a cache still holds.
        headers = {"cache-control": "no-cache"}
        most = 1 if seconds is not None else None if patient else TRIES
        limit = seconds or TRY_SECONDS
        return self._ask("GET", path, headers, schema, query=given, most=most, limit=limit)

    def feeds(self) -> list[str]:
        """Return the slugs of the server's feeds. Raises Failure."""
        return [feed["slug"] for feed in self.get("/v1/feeds", is_feeds).data["feeds"]]

    def lint(self, feed: str, body: Json, seconds: float | None = None) -> list[Json]:
        """Have a draft or a verb looked at; one try of so many seconds. Raises Failure."""
        headers = {"content-type": "application/json"}
        answer = self._ask(
            "POST",
            f"/v1/feeds/{feed}/lint",
            headers,
            is_warnings,
            content=dumps(body),
            most=TRIES if seconds is None else 1,
            limit=seconds or TRY_SECONDS,
        )
        return [{"asks": False, **warning} for warning in answer.data["warnings"]]

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
            raise NotReached("stopped while waiting for the answer", in_doubt=True) from None

    def _ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        schema: Schema,
        query: Json | None = None,
        content: bytes | None = None,
        most: int | None = None,
        limit: float = TRY_SECONDS,
    ) -> Answer:
        request = self._http.build_request(
            method,
            self.url + path,
            headers=headers,
            params=query or None,
            content=content,
            extensions={"trace": self._trace},
        )
        in_doubt = self._in_doubt = False
        for try_number in count(1):
            try:
                answer = self._try(request, limit)
            except NotReached as failure:
                failure.in_doubt |= in_doubt
                raise
            except _FailedTry as failed:
                in_doubt |= failed.in_doubt
                self._in_doubt = in_doubt
                wait = wait_before(try_number, failed.retry_after, random.random(), self._left)  # noqa: S311
                if wait is None or try_number == most:
                    too_late = wait is None and failed.retry_after is not None
                    raise NotReached(
                        _gave_up(failed, try_number, too_late=too_late), in_doubt=in_doubt
                    ) from None
                self._notice(f"{failed}; trying again in {wait:.1f} s ({self._left:.0f} s left)")
                self._spend(asyncio.sleep(wait))
            else:
                if not schema(answer.data):
                    raise self._no_feedserver("JSON with other members")
                return answer
        raise AssertionError("the last try returns or raises")

    def _try(self, request: httpx.Request, limit: float) -> Answer:
        limit = min(limit, max(self._left, 0.0))
        try:
            response, content = self._spend(self._exchange(request, limit))
        except TimeoutError:
            raise self._late(limit) from None
        except httpx.HTTPError as fault:
            raise self._explain(fault) from None
        return self._judge(response, content)

    def _spend(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Wait for something, and take the time from what is left."""
        start = time.monotonic()
        left = self._left

        async def counted() -> _T:
            async def count_down() -> None:
                while True:
                    await asyncio.sleep(1)
                    self._count_down(max(0.0, left - (time.monotonic() - start)))

            counting = asyncio.create_task(count_down())
            try:
                return await work
            finally:
                counting.cancel()

        try:
            return self._loop.run(counted())
        finally:
            self._left = left - (time.monotonic() - start)
            self._count_down(None)

    async def _exchange(self, request: httpx.Request, limit: float) -> tuple[httpx.Response, bytes]:
        """Send a request and read its answer, all in the time of one try. Raises TimeoutError."""
        async with asyncio.timeout(limit):
            response = await self._http.send(request, stream=True)
            try:
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > ANSWER_MAX:
                        raise self._no_feedserver(f"an answer of more than {ANSWER_MAX} bytes")
            finally:
                await response.aclose()
        return response, bytes(content)

    async def _trace(self, event: str, _: Json) -> None:
        """Note the moment from which the server may know what it is asked."""
        if event.endswith(_SENDING):
            self._in_doubt = True

    def _judge(self, response: httpx.Response, content: bytes) -> Answer:
        status = response.status_code
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        problem: Json = {}
        if status >= 400 and kind == "application/problem+json":
            problem = self._object(content)
        if status == TooMany.status or status >= 500:
            detail = problem.get("detail") or f"{self.url} answers with the status {status}"
            known = status == TooMany.status or str(problem.get("type")) in _NOTHING_STORED
            raise _FailedTry(
                _RETRY_ADVICE.sub("", str(detail)),
                in_doubt=not known,
                retry_after=read_retry_after(response.headers.get("retry-after")),
            )
        if 300 <= status < 400:
            target = response.headers.get("location", "elsewhere")
            raise self._no_feedserver(f"a redirect to {target}", in_doubt=False)
        if status >= 400:
            if not isinstance(problem.get("detail"), str):
                raise self._no_feedserver(f"{kind or 'nothing'}, status {status}", in_doubt=False)
            raise ServerRefusal({**problem, "status": status}, self.url)
        if kind != "application/json":
            raise self._no_feedserver(kind or "nothing")
        return Answer(self._object(content), response.headers)

    def _object(self, content: bytes) -> Json:
        try:
            data = loads(content)
        except BadRequest:
            raise self._no_feedserver("broken JSON") from None
        if not isinstance(data, dict):
            raise self._no_feedserver("JSON that is not an object")
        return data

    def _no_feedserver(self, sent: str, *, in_doubt: bool = True) -> NotReached:
        """Return the failure for an answer that no feedserver gives."""
        failure = NotReached(
            f"{self.url} does not answer as a feedserver does (it sent {sent})", in_doubt=in_doubt
        )
        failure.add("Check the address. Another one: publisher login URL, or PUBLISHER_URL")
        return failure

    def _explain(self, fault: httpx.HTTPError) -> Exception:
        """Return what a failed exchange means: a failure, or a try to repeat."""
        final = never_reached(self.url, fault)
        if final is not None:
            final.in_doubt = self._in_doubt
            return final
        if isinstance(fault, httpx.UnsupportedProtocol | httpx.ProxyError):
            return NotReached(f"{self.url} cannot be reached: {fault}")
        if isinstance(fault, httpx.ConnectError):
            reasons = [reason(cause) for cause in causes(fault) if isinstance(cause, OSError)]
            # The innermost one is the system's own; those around it say that connecting failed.
            why = reasons[-1] if reasons else fault
            return _FailedTry(f"no server answers at {self.url} ({why})", in_doubt=False)
        return _FailedTry(f"the connection to {self.url} broke before the answer", in_doubt=True)

    def _late(self, limit: float) -> _FailedTry:
        if not self._in_doubt:
            return _FailedTry(f"{self.url} does not answer", in_doubt=False)
        return _FailedTry(f"{self.url} took longer than {limit:.2g} s", in_doubt=True)


def _gave_up(failed: _FailedTry, made: int, *, too_late: bool) -> str:
    if failed.retry_after is not None and too_late:
        return f"{failed}; it asks to come back in {duration(failed.retry_after)}"
    return f"{failed}; gave up after {tries(made)}"
