"""oEmbed: what other sites show for the address of one of our pages."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from desk import Desk
from reading_back import parse
from support.answers import problem

MEMBERS = {
    "type", "version", "title", "provider_name", "provider_url", "width", "height", "cache_age",
    "html",
}  # fmt: skip


def ask(desk: Desk, url: str, **query: Any) -> httpx.Response:
    return desk.reader.get("/oembed", params={"url": url, **query})


def tell(desk: Desk, url: str, **query: Any) -> dict[str, Any]:
    answer = ask(desk, url, **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


class Elements(HTMLParser):
    """All that stands in a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.rest = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.rest += data


def test_a_feeds_page_is_answered_with_one_frame_alone(desk: Desk) -> None:
    told = tell(desk, desk.url(""))
    assert set(told) == MEMBERS
    assert (told["type"], told["version"], told["cache_age"]) == ("rich", "1.0", 300)
    assert told["title"] == "World <news> & more"
    root = str(desk.reader.base_url).rstrip("/") + "/"
    assert (told["provider_name"], told["provider_url"]) == ("Live news", root)
    elements = Elements(told["html"])
    assert elements.rest == ""
    frame = {
        "src": desk.url("/embed"),
        "width": "600",
        "height": "480",
        "frameborder": "0",
        "title": "World <news> & more",
    }
    assert elements.found == [("iframe", frame)]
    assert told["html"].endswith("></iframe>")
    assert desk.reader.get(frame["src"]).status_code == 200


def test_xml_says_the_same(desk: Desk) -> None:
    answer = ask(desk, desk.url(""), format="xml", maxwidth=333)
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    found = parse(answer.content)
    assert found.tag == "oembed"
    as_json = {n: str(v) for n, v in tell(desk, desk.url(""), maxwidth=333).items()}
    assert {one.tag: one.text for one in found} == as_json


@pytest.mark.parametrize(
    ("asked", "width", "height"),
    [
        ({}, 600, 480),
        ({"maxwidth": 320}, 320, 480),
        ({"maxwidth": 1, "maxheight": 1}, 1, 1),
        ({"maxwidth": 999_999, "maxheight": 200}, 600, 200),
    ],
)
def test_the_frame_is_never_larger_than_it_may_be(
    desk: Desk, asked: dict[str, int], width: int, height: int
) -> None:
    told = tell(desk, desk.url(""), **asked)
    assert (told["width"], told["height"]) == (width, height)
    assert f'width="{width}" height="{height}"' in told["html"]


def test_an_items_page_bears_its_headline_and_its_mark_until_it_is_withdrawn(desk: Desk) -> None:
    item = desk.post("Secret & bus")
    url = desk.url(f"/items/{item['id']}")
    assert tell(desk, url)["title"] == "Secret & bus"
    assert desk.url("/embed") in tell(desk, url)["html"]
    item = desk.editor.revised(item, "hold")
    assert tell(desk, url)["title"] == "Being checked: Secret & bus"
    etag = ask(desk, url).headers["ETag"]
    sent = {"If-None-Match": etag}
    assert desk.reader.get("/oembed", params={"url": url}, headers=sent).status_code == 304
    desk.editor.revised(item, "kill", note="A hoax.")
    answer = desk.reader.get("/oembed", params={"url": url}, headers=sent)
    problem(answer, 410, "withdrawn")
    assert "Secret" not in answer.text


def test_only_addresses_of_ours_are_known(desk: Desk) -> None:
    item = desk.post()
    root = str(desk.reader.base_url).rstrip("/")
    for url in (
        "https://elsewhere.example/feeds/world",
        desk.url("").replace("http://", "ftp://"),
        desk.url("").replace("://", "://me@"),
        f"{root}/feeds/no-such-feed",
        f"{root}/feeds/{desk.slug}.atom",
        f"{root}/feeds/{desk.slug}/items/999999999",
        f"{root}/feeds/{desk.slug}/items/{item['id']}.ninjs",
        f"{root}/",
        "http://[broken",
        "javascript:alert(1)",
        f"/feeds/{desk.slug}",
    ):
        problem(ask(desk, url), 404, "not-found")
    assert tell(desk, desk.url("?tag=a#news"))["title"]
    problem(ask(desk, desk.url(""), format="yaml"), 501, "unknown-format")
    problem(desk.reader.get("/oembed"), 400, "bad-request")
    for wrong in ("0", "-1", "x", "", "1.5"):
        problem(ask(desk, desk.url(""), maxwidth=wrong), 400, "bad-request")


def test_an_answer_may_be_read_and_kept_as_documents_are(desk: Desk) -> None:
    headers = ask(desk, desk.url("")).headers
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Cache-Control"] == "public, max-age=2"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cache-Tag"] == f"feed-{desk.slug}"
    assert desk.reader.options("/oembed").status_code == 204


def test_pages_say_where_their_frame_is(desk: Desk) -> None:
    item = desk.post()
    for page in ("", f"/items/{item['id']}"):
        links = re.findall(
            r'<link rel="alternate" type="([^"]+)" title="[^"]+" href="([^"]+)">',
            desk.get(page).text,
        )
        found = {kind: html.unescape(href) for kind, href in links if "oembed" in kind}
        as_json = desk.reader.get(found["application/json+oembed"])
        assert as_json.json() == tell(desk, desk.url(page))
        as_xml = desk.reader.get(found["text/xml+oembed"])
        assert as_xml.headers["Content-Type"].startswith("text/xml")
