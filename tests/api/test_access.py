"""Who may come in: tokens, and pages of other sites."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from support.answers import Feed, problem
from support.server import Editor, Server

from feedserver import service
from feedserver.api.access import Tokens, digest
from feedserver.errors import Unavailable
from feedserver.model import Token


def eventually(attempt: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """Try until the answer comes; what another process committed is seen within a moment."""
    end = time.monotonic() + 5
    while (answer := attempt()).status_code != status and time.monotonic() < end:
        pass
    return answer


@pytest.fixture(scope="session")
def limited(house: Server, anna: Editor) -> Iterator[Editor]:
    """An editor of the feed `own` alone."""
    anna.configure("own", title="Own")
    with house.editing(house.cli("token", "add", "limited", "--feed", "own")) as editor:
        yield editor


CALLS = [
    ("POST", "/items", {"headline": "h"}),
    ("POST", "/items/1/revisions", {"verb": "pin"}),
    ("GET", "/items/1/revisions", None),
    ("PUT", "", {"title": "x"}),
    ("GET", "/readers", None),
]


def call(client: httpx.Client, path: str, which: int, *headers: tuple[str, str]) -> httpx.Response:
    method, rest, raw = CALLS[which]
    content = json.dumps(raw) if raw is not None else None
    sent = [("Content-Type", "application/json"), ("If-Match", "*"), *headers]
    return client.request(method, path + rest, content=content, headers=sent)


@pytest.mark.parametrize("which", range(len(CALLS)))
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer  ",
        "Basic YTpi",
        "Bearer nf_unknown",
        "Bearer \x85\xff",
        "Bearer " + "x" * 5000,
    ],
)
def test_every_editing_call_needs_a_good_token(
    feed: Feed, which: int, authorization: str | None
) -> None:
    before = feed.cursor
    headers = (
        []
        if authorization is None
        else [(b"Authorization", authorization.strip().encode("latin-1"))]
    )
    answer = call(feed.reader, feed.path, which, *headers)  # type: ignore[arg-type]
    assert "Bearer" in answer.headers["www-authenticate"]
    body = problem(answer, 401, "unauthorized")
    assert "token" in body["detail"].lower()
    assert feed.cursor == before


def test_a_token_is_not_guessed_from_two(feed: Feed, house: Server) -> None:
    headers = [("Authorization", f"Bearer {house.token}"), ("Authorization", "Bearer x")]
    for sent in (headers, headers[::-1]):
        problem(call(feed.reader, feed.path, 0, *sent), 401, "unauthorized")


def test_a_login_that_is_none_of_ours_does_not_keep_a_reader_out(feed: Feed) -> None:
    """A staging site's proxy asks for one, and passes it on."""
    for rest in ("/items", f"/items/{feed.item()['id']}", "/changes"):
        answer = feed.reader.get(feed.path + rest, headers={"Authorization": "Basic YTpi"})
        assert answer.status_code == 200


def test_the_scheme_is_spelt_as_one_likes(feed: Feed, house: Server) -> None:
    for scheme in ("bearer", "BEARER"):
        answer = call(feed.reader, feed.path, 0, ("Authorization", f"{scheme} {house.token}"))
        assert answer.status_code == 201


def test_a_token_with_feeds_edits_those_alone_and_makes_none(
    feed: Feed, limited: Editor, anna: Editor
) -> None:
    item = limited.item(slug="own")
    limited.revised(item, "pin")
    before = feed.cursor
    other = feed.item()
    problem(limited.submit(slug=feed.slug), 403, "forbidden")
    problem(limited.revise(other, "pin"), 403, "forbidden")
    problem(limited.get(f"{feed.path}/items/{other['id']}/revisions"), 403, "forbidden")
    for slug in ("own", feed.slug, "new"):
        problem(limited.configure(slug, title="x", closed=True), 403, "forbidden")
    assert feed.cursor != before  # anna's own item
    assert anna.get("/v1/feeds/new").status_code == 404


def test_a_token_counts_from_the_moment_it_is_made_to_the_moment_it_is_revoked(
    house: Server, feed: Feed
) -> None:
    token = house.cli("token", "add", "brief")
    with house.editing(token) as brief:
        assert eventually(lambda: brief.submit(slug=feed.slug), 201).status_code == 201
        house.cli("token", "revoke", "brief")
        answer = eventually(lambda: brief.submit(slug=feed.slug), 401)
        assert "revoked" in problem(answer, 401, "unauthorized")["detail"]
        problem(brief.get(f"{feed.path}/items"), 401, "unauthorized")
        # The name may be used again; the old token stays dead.
        again = house.cli("token", "add", "brief")
        with house.editing(again) as renewed:
            assert eventually(lambda: renewed.submit(slug=feed.slug), 201).status_code == 201
        problem(brief.submit(slug=feed.slug), 401, "unauthorized")


def test_a_bad_token_does_not_read_as_nobody(feed: Feed, house: Server) -> None:
    item = feed.item()
    with house.editing("nf_wrong") as wrong:
        problem(wrong.get(f"{feed.path}/items"), 401, "unauthorized")
        problem(wrong.get(f"{feed.path}/items/{item['id']}"), 401, "unauthorized")


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "http://127.0.0.1:1", "http://127.0.0.1", "", "http://[", "x",
     "http://127.0.0.1:{port}.evil.example", "http://x@127.0.0.1:{port}"],
)  # fmt: skip
@pytest.mark.parametrize("which", range(len(CALLS)))
def test_pages_of_other_sites_read_and_do_not_edit(
    feed: Feed, house: Server, which: int, origin: str
) -> None:
    before = feed.cursor
    origin = origin.format(port=house.port)
    answer = call(feed.editor, feed.path, which, ("Origin", origin))
    problem(answer, 403, "forbidden")
    assert feed.cursor == before
    assert feed.reader.get(f"{feed.path}/items", headers={"Origin": origin}).status_code == 200


def test_pages_of_this_site_edit(feed: Feed, house: Server) -> None:
    for origin in (house.url, house.url.upper().replace("HTTP", "http")):
        answer = call(feed.editor, feed.path, 0, ("Origin", origin))
        assert answer.status_code == 201


def test_of_two_origins_the_foreign_one_counts(feed: Feed, house: Server) -> None:
    headers = [("Origin", house.url), ("Origin", "https://evil.example")]
    problem(call(feed.editor, feed.path, 0, *headers), 403, "forbidden")


def test_only_a_hash_of_a_token_is_kept(house: Server, anna: Editor) -> None:
    anna.submit(slug="own")
    words = house.token.removeprefix("nf_").encode()
    for path in house.data.iterdir():
        assert words not in path.read_bytes(), path.name


def test_pages_at_the_public_address_may_edit_whatever_host_a_proxy_sends(tmp_path: Path) -> None:
    public = {"FEEDSERVER_URL": "https://news.example"}
    with Server(tmp_path / "data", environ=public) as server, server.editing() as editor:
        item = {"headline": "h"}
        for origin, status in (("https://news.example", 201), ("https://evil.example", 403)):
            answer = httpx.Client.post(
                editor, "/v1/feeds/world/items", json=item, headers={"Origin": origin}
            )
            assert answer.status_code == status


@pytest.mark.anyio
async def test_the_tokens_of_a_restored_journal_are_read_until_that_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "RENEWAL_SECONDS", 0)
    tries: list[int] = []

    class Failing:
        async def tokens(self) -> tuple[Token, ...]:
            tries.append(1)
            if len(tries) < 4:
                raise Unavailable("the news cannot be read at the moment")
            return (Token("ida", digest("good"), (), False, 0),)

        async def head(self) -> int:
            return 7

    tokens = Tokens((Token("anna", digest("old"), (), False, 0),))
    here: Any = SimpleNamespace(tokens=tokens, mirror=Failing(), journal=Failing())
    await service._renew_tokens(here)
    assert tokens.find("old") is None
    assert tokens.find("good") is not None
