"""Documents over HTTP: how long they may be kept, what they cost, and how they fail."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from desk import Desk
from starlette.applications import Starlette
from support.answers import problem
from support.server import Server

from feedserver.api.context import Context
from feedserver.service import make_app, open_context
from feedserver.settings import read_settings
from feedserver.syndication import routes
from feedserver.syndication.routes import FORMATS
from feedserver.syndication.rss import rfc822

TYPES = {
    ".atom": "application/atom+xml; charset=utf-8",
    ".jsonld": "application/ld+json; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".json": "application/feed+json; charset=utf-8",
    ".ninjs": "application/json; charset=utf-8",
    ".rss": "application/rss+xml; charset=utf-8",
}
SUFFIXES = sorted(TYPES)


def test_every_format_is_tested_here() -> None:
    assert {form.suffix: form.media_type for form in FORMATS} == TYPES


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_document_says_what_it_is_and_may_be_kept_for_two_seconds(
    desk: Desk, suffix: str
) -> None:
    desk.post()
    answer = desk.get(suffix)
    headers = answer.headers
    assert headers["Content-Type"] == TYPES[suffix]
    assert headers["Cache-Control"] == "public, max-age=2"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cache-Tag"] == headers["Surrogate-Key"] == f"feed-{desk.slug}"
    assert headers["Vary"] == "Accept-Encoding"
    assert not answer.content.startswith(b"\xef\xbb\xbf")
    is_subscribed = suffix in {".atom", ".rss", ".json"}
    assert headers.get("Link") == (f'<{desk.url(suffix)}>; rel="self"' if is_subscribed else None)
    older = desk.get(f"{suffix}?before=9.9")
    assert not is_subscribed or older.headers["Link"] == (
        f'<{desk.url(suffix)}?before=9.9>; rel="self"'
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("appended", ["", "-gzip", ";gzip", "--gzip", "-br"])
def test_who_has_it_is_told_so_until_anything_changes(
    desk: Desk, suffix: str, appended: str
) -> None:
    item = desk.post()
    etag = desk.get(suffix).headers["ETag"]
    assert etag.startswith('W/"')
    sent = {"If-None-Match": etag[:-1] + appended + '"'}
    answer = desk.get(suffix, 304, **sent)
    assert answer.content == b""
    assert answer.headers["ETag"] == etag
    assert answer.headers["Cache-Control"] == "public, max-age=2"
    desk.editor.revised(item, "kill", note="A hoax.")
    assert desk.get(suffix, 200, **sent).headers["ETag"] != etag


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_document_is_compressed_for_who_wants_that_and_head_says_the_same(
    desk: Desk, suffix: str
) -> None:
    desk.post(body="news " * 500)
    plain = desk.get(suffix, **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    with desk.reader.stream("GET", desk.url(suffix), headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content
    head = desk.reader.head(desk.url(suffix), headers={"Accept-Encoding": "identity"})
    assert head.content == b""
    names = ("Content-Type", "Content-Length", "ETag", "Cache-Control", "Link")
    assert [head.headers.get(name) for name in names] == [plain.headers.get(name) for name in names]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_wrong_is_a_problem_whoever_asks(desk: Desk, suffix: str) -> None:
    browser = {"Accept": "text/html"}
    answer = desk.reader.get(f"/feeds/no-such-feed{suffix}", headers=browser)
    problem(answer, 404, "not-found")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    for wrong in ("x", "", "1", "1.x"):
        answer = desk.reader.get(f"/feeds/{desk.slug}{suffix}?before={wrong}", headers=browser)
        problem(answer, 400, "bad-request")
    answer = desk.reader.post(f"/feeds/{desk.slug}{suffix}")
    problem(answer, 405, "wrong-method")
    assert desk.reader.options(f"/feeds/{desk.slug}{suffix}").status_code == 204


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_feed_without_news_has_a_document_all_the_same(desk: Desk, suffix: str) -> None:
    assert "World" in desk.get(suffix).text
    if suffix == ".md":
        assert "No news yet" in desk.get(suffix).text


@dataclass
class House:
    """A server in this process."""

    app: Starlette
    here: Context
    client: httpx.AsyncClient
    token: dict[str, str]

    async def post(self, **fields: Any) -> dict[str, Any]:
        answer = await self.client.post(
            "/v1/feeds/world/items", json={"headline": "News"} | fields, headers=self.token
        )
        assert answer.status_code == 201, answer.text
        item: dict[str, Any] = answer.json()
        return item

    async def kill(self, item: dict[str, Any]) -> None:
        answer = await self.client.post(
            f"/v1/feeds/world/items/{item['id']}/revisions",
            json={"verb": "kill", "note": "A hoax."},
            headers=self.token | {"If-Match": "*"},
        )
        assert answer.status_code == 201, answer.text


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[House]:
    started = Server(folder / "data")
    faults: list[BaseException] = []
    settings = read_settings({"data": str(started.data)}, {})
    async with open_context(settings, "http://test", faults.append) as here:
        app = make_app(None)
        app.state.context = here
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield House(app, here, client, {"Authorization": f"Bearer {started.token}"})
    assert not faults


class NoDatabase:
    """A mirror that nobody may ask."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a poll cost a read of {name}")


@pytest.mark.anyio
async def test_polls_cost_no_database_read_and_one_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as house:
        writings = 0
        really = routes.write

        def counted(*given: Any) -> bytes:
            nonlocal writings
            writings += 1
            return really(*given)

        monkeypatch.setattr(routes, "write", counted)
        item = await house.post(body="Secret")
        await house.client.get("/feeds/world.atom")
        house.app.state.context = replace(house.here, mirror=NoDatabase())  # type: ignore[arg-type]
        monkeypatch.setattr(house.here.hub.feeds, "_mirror", NoDatabase())
        monkeypatch.setattr(house.here.hub, "_mirror", NoDatabase())
        for suffix in SUFFIXES:
            writings, etag = 0, ""
            for poll in range(200):
                sent = {"If-None-Match": etag} if poll % 2 else {}
                answer = await house.client.get(f"/feeds/world{suffix}", headers=sent)
                assert answer.status_code == (304 if poll % 2 else 200)
                etag = answer.headers["ETag"]
            assert writings == (0 if suffix == ".atom" else 1)
        house.app.state.context = house.here
        await house.kill(item)
        house.app.state.context = replace(house.here, mirror=NoDatabase())  # type: ignore[arg-type]
        for suffix in SUFFIXES:
            assert b"Secret" not in (await house.client.get(f"/feeds/world{suffix}")).content


@pytest.mark.anyio
async def test_a_killed_items_words_are_in_nothing_that_is_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        item = await house.post(headline="Secret", body="Secret")
        for suffix in SUFFIXES:
            for query in ("", "?before=99999999999999.9"):
                answer = await house.client.get(f"/feeds/world{suffix}{query}")
                assert b"Secret" in answer.content, suffix
        kept = house.here.hub.cache
        assert [key for key in kept._entries if "document" in str(key)]
        await house.kill(item)
        assert not [key for key in kept._entries if "document" in str(key)]


@pytest.mark.anyio
async def test_who_has_a_date_alone_is_told_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as house:
        true_time = house.here.hub.now
        before = true_time()

        def look_at(moment: int) -> None:
            monkeypatch.setattr(house.here.hub, "now", lambda: moment)

        async def get(suffix: str = ".rss", **sent: str) -> httpx.Response:
            headers = {name.replace("_", "-"): value for name, value in sent.items()}
            return await house.client.get(f"/feeds/world{suffix}", headers=headers)

        item = await house.post(published_at="2020-01-01T00:00:00Z")
        feed = await house.here.hub.feeds.find("world")
        assert feed is not None
        at = feed.head_at
        assert before <= at <= true_time(), "the true time, whenever it was published"
        date = rfc822(at)
        look_at(at + 1_999)
        assert "Last-Modified" not in (await get()).headers, "its second may get another record"
        assert (await get(If_Modified_Since=date)).status_code == 200
        look_at(at + 2_000)
        answer = await get()
        assert answer.headers["Last-Modified"] == date
        for suffix in SUFFIXES:
            assert (await get(suffix, If_Modified_Since=date)).status_code == 304
        for other in (rfc822(at - 1_000), rfc822(at + 1_000), "", "yesterday"):
            assert (await get(If_Modified_Since=other)).status_code == 200, "only an equal date"
        assert (await get(If_Modified_Since=date, If_None_Match='"x"')).status_code == 200
        etag = answer.headers["ETag"]
        assert (await get(If_Modified_Since="x", If_None_Match=etag)).status_code == 304
        look_at(at - 5_000)
        answer = await get(If_Modified_Since=date)
        assert (answer.status_code, answer.headers.get("Last-Modified")) == (200, None)
        await house.kill(item)
        feed = await house.here.hub.feeds.find("world")
        assert feed is not None
        look_at(feed.head_at)
        assert (await get(If_Modified_Since=date)).status_code == 200


@pytest.mark.anyio
async def test_another_build_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as house:
        before = await house.client.get("/feeds/world.rss")
        monkeypatch.setattr(routes, "__version__", "another")
        routes._build.cache_clear()
        house.here.hub.cache.clear()
        again = await house.client.get(
            "/feeds/world.rss", headers={"If-None-Match": before.headers["ETag"]}
        )
        assert again.status_code == 200
    routes._build.cache_clear()
