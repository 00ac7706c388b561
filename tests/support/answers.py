"""A feed to test on, and what every refusal must look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from support.lines import eventually
from support.server import Editor


@dataclass(frozen=True)
class Feed:
    """A feed of the test's own, with those who work on it."""

    slug: str
    editor: Editor
    reader: httpx.Client

    @property
    def path(self) -> str:
        return f"/v1/feeds/{self.slug}"

    @property
    def cursor(self) -> str:
        return str(self.get()["cursor"])

    def ask(self, rest: str = "", **query: Any) -> httpx.Response:
        return patiently(lambda: self.reader.get(self.path + rest, params=query))

    def get(self, rest: str = "", **query: Any) -> Any:
        answer = self.ask(rest, **query)
        assert answer.status_code == 200, answer.text[:300]
        return answer.json()

    def item(self, headline: str = "News", **fields: Any) -> dict[str, Any]:
        return self.editor.item(headline, self.slug, **fields)


def patiently(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask as a good client does: again after a 503, as while the search is not level yet."""
    answers: list[httpx.Response] = []

    def is_answered() -> bool:
        answers.append(ask())
        return answers[-1].status_code != 503

    eventually(is_answered)
    return answers[-1]


def problem(answer: httpx.Response, status: int, slug: str, *pointers: str) -> dict[str, Any]:
    """Hold a refusal to RFC 9457 and to the contract; return it."""
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert body["type"] == slug
    assert body["status"] == status
    assert body["title"]
    assert " " in body["detail"], "not a sentence"
    if slug == "invalid-fields":
        assert {error["pointer"] for error in body["errors"]} == set(pointers)
        assert all(error["detail"] for error in body["errors"])
    else:
        assert not pointers
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    if status in {429, 503}:
        assert int(answer.headers["retry-after"]) > 0
    return body
