"""The pages as they come over the wire: what they say, and how they may be kept."""

from __future__ import annotations

import gc
import gzip
import hashlib
import html
import itertools
import json
import re
import shutil
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.routing import Route
from support.answers import patiently
from support.server import Editor, Server

from feedserver import model
from feedserver.api.context import Site
from feedserver.service import make_app, open_context
from feedserver.settings import read_settings
from feedserver.site import assets
from feedserver.site.preview import DESCRIPTION_MAX, excerpt, locale
from feedserver.site.rendering import (
    Listing,
    article_keys,
    render_embed,
    render_feed,
    render_index,
    render_item,
)
from feedserver.site.wording import direction, languages

SECRET = "Rumour of the day"


class Feed:
    """A feed of one's own on the shared server, and an editor who may set times."""

    def __init__(self, server: Server, editor: Editor, slug: str, **settings: Any) -> None:
        self.slug = slug
        self.editor = editor
        self.reader = server.reading()
        settings = {"title": "World news", "language": "en", "timezone": "Europe/Kyiv"} | settings
        assert editor.configure(slug, **settings).status_code == 201

    def post(self, headline: str = "News", **fields: Any) -> dict[str, Any]:
        return self.editor.item(headline, self.slug, **fields)

    def get(self, path: str = "", **headers: str) -> httpx.Response:
        return patiently(lambda: self.reader.get(f"/feeds/{self.slug}{path}", headers=headers))

    def page(self, path: str = "") -> str:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("pages") / "data") as started:
        yield started


@pytest.fixture(scope="module")
def editor(server: Server) -> Iterator[Editor]:
    with server.editing(server.cli("token", "add", "pages", "--import")) as client:
        yield client


slugs = (f"pages-{number}" for number in itertools.count())


@pytest.fixture
def feed(server: Server, editor: Editor) -> Iterator[Feed]:
    made = Feed(server, editor, next(slugs))
    yield made
    made.reader.close()


def articles(page: str) -> list[str]:
    return re.findall(r"<article.*?</article>", page, re.S)


def ids(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'data-id="(\d+)"', page)]


def words(markup: str) -> str:
    """Return what a reader reads."""
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", markup).split()))


def described(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    assert found
    described: dict[str, Any] = json.loads(found[1])
    return described


def test_the_front_page_lists_the_feeds(server: Server, feed: Feed) -> None:
    feed.editor.configure(feed.slug, title="Only <here>", closed=True)
    with server.reading() as reader:
        page = ""
        while "Only" not in page:  # the list is kept for a moment
            page = reader.get("/").text
    assert f'<a href="/feeds/{feed.slug}">Only &lt;here&gt;</a>' in page
    assert "Coverage ended" in page


def test_a_front_page_without_feeds_says_how_to_add_one_whatever_the_folder() -> None:
    page = words(render_index(Site("https://news.example", "Live news"), [], set()))
    assert "feedserver feed add world" in page
    assert "--data FOLDER" in page


def test_the_front_page_puts_the_latest_news_first_and_no_ticker_on_what_is_closed(
    tmp_path: Path,
) -> None:
    with Server(tmp_path / "data") as own, own.editing() as editor, own.reading() as reader:
        for slug in ("world", "yard"):
            editor.configure(slug, title=slug, language="en")
        editor.item("News", "yard")

        def wait_for(*order: tuple[str, str]) -> str:
            end = time.monotonic() + 30
            while time.monotonic() < end:  # the list is kept for a moment
                page = reader.get("/")
                found = re.findall(
                    r'<live-ticker src="/feeds/(\w+)"[^>]*?( class="\w+")?>', page.text
                )
                if found == list(order):
                    return page.headers["ETag"]
            raise AssertionError(found)

        before = wait_for(("yard", ""), ("world", ' class="without"'))
        editor.item("News", "world")
        assert wait_for(("world", ""), ("yard", "")) != before
        editor.item("Newer", "yard")
        wait_for(("yard", ""), ("world", ""))
        editor.configure("yard", closed=True)
        wait_for(("world", ""))


def test_a_page_says_when_what_and_what_was_wrong(feed: Feed) -> None:
    old = feed.post("The day before", at="2025-05-16T10:00:00Z")
    strike = feed.post(
        "Drone strike kills 9, injures 4",
        body="Nine **people** died.\n\nSee [the statement](https://example.org/a?b=1&c=2).",
        at="2025-05-17T07:13:00Z",
        breaking=True,
        byline="Ann",
        source="Rosstat",
        url="https://example.org/source",
        tags=["ukraine", "a/b & c"],
        occurred_at="2025-05-17T03:17:00Z",
        media=[{"url": "https://example.org/i.jpg", "alt": "A road", "credit": "Photo: B"}],
    )
    held = feed.post("Not confirmed", at="2025-05-17T08:00:00Z")
    wrong = feed.post(SECRET, body=f"{SECRET} indeed", at="2025-05-17T09:00:00Z")
    feed.editor.revised(strike, "update", headline="Drone strike kills 9, injures 7")
    feed.editor.revised(old, "correct", note="It was the day before.", at="2025-05-17T07:55:00Z")
    feed.editor.revised(held, "hold")
    feed.editor.revised(wrong, "kill", note="Another town. We apologise.")
    pinned = feed.post("What we know", at="2025-05-15T07:00:00Z")
    feed.editor.revised(pinned, "pin")

    page = feed.page()

    assert ids(page) == [pinned["id"], wrong["id"], held["id"], strike["id"], old["id"]]
    days = [words(found) for found in re.findall(r"<h2.*?</h2>", page, re.S)]
    assert days == ["Pinned", "Saturday, 17 May 2025 UTC+3", "Friday, 16 May 2025 UTC+3"]
    top, gone, doubted, story, first = articles(page)
    assert "15 May 2025, 10:00 UTC+3 What we know" in words(top)
    assert words(gone) == "12:00 Withdrawn Another town. We apologise."
    assert words(doubted) == "11:00 Being checked Not confirmed"
    assert words(first).startswith("13:00 Updated 17 May 2025, 10:55 UTC+3 The day before")
    assert words(first).endswith("Correction 17 May 2025, 10:55 UTC+3 It was the day before.")
    assert words(story).startswith("10:13 Breaking Updated ")
    assert "Drone strike kills 9, injures 7 Nine people died. See the statement ." in words(story)
    assert words(story).endswith(
        "Photo: B Ann Source: Rosstat Happened 17 May 2025, 06:17 UTC+3 ukraine a/b & c"
    )
    assert '<time datetime="2025-05-17T07:13:00.000Z" title="17 May 2025, 10:13 UTC+3">' in story
    assert '<a href="https://example.org/a?b=1&amp;c=2">the statement</a>' in story
    assert f'href="/feeds/{feed.slug}?tag=a%2Fb%20%26%20c"' in story
    assert f'href="/feeds/{feed.slug}/items/{strike["id"]}"' in story
    assert 'src="https://example.org/i.jpg" alt="A road"' in story
    assert SECRET not in page


def test_nothing_is_said_to_be_updated_that_was_not(feed: Feed) -> None:
    item = feed.post("As it was")
    feed.editor.revised(item, "fix", body="A comma more.")
    page = feed.page() + feed.page(f"/items/{item['id']}")
    assert "Updated" not in re.sub(r'<script type="application/json".*?</script>', "", page)
    assert all("<time datetime=" in article for article in articles(page))


def test_words_stay_words(feed: Feed) -> None:
    bad = '</script><script>alert(1)</script>"><img src=x onerror=alert(1)>{{ 7*7 }}'
    item = feed.post(bad, body=bad, tags=[bad[:50]])
    feed.editor.configure(feed.slug, title=bad, description=bad)
    for path in ("", f"/items/{item['id']}", "/embed", "?q=alert"):
        page = feed.page(path)
        assert "<script>" not in page
        assert "<img src=x" not in page
        assert "49" not in words(page[: page.index("<body")])
    assert described(feed.page())["liveBlogUpdate"][0]["headline"] == bad


def test_the_top_picture_loads_at_once_and_the_others_once_they_are_scrolled_to(feed: Feed) -> None:
    pictures = [{"url": f"https://example.org/{name}.jpg"} for name in "ab"]
    for number in range(3):
        last = feed.post(f"News {number}", media=pictures)
    feed.post("Without")
    for path, most in (("", 6), (f"/items/{last['id']}", 2)):
        loading = re.findall(r'loading="(\w+)"', feed.page(path))
        assert loading == ["eager"] + ["lazy"] * (most - 1)
    for number in range(2):
        feed.post(f"On top {number}")
    assert 'loading="eager"' not in feed.page()  # it is below what is seen first


def test_more_news_leads_through_all_items_once(feed: Feed) -> None:
    made = [feed.post(f"Item {n}", at=f"2025-05-17T07:{n // 2:02}:00Z")["id"] for n in range(110)]
    seen: list[int] = []
    path = ""
    while True:
        page = feed.page(path)
        seen += ids(page)
        assert (path != "") == bool(re.search(">(Newest|All) news</a>", page))
        older = re.search(r'rel="next" href="/feeds/[^"?]*([^"]*)">More news', page)
        if not older:
            break
        path = html.unescape(older[1])
    assert seen == list(reversed(made))


def test_a_tag_and_a_search_have_pages_of_their_own(feed: Feed) -> None:
    wanted = feed.post("About the harbour", tags=["a/b & c"], body="A crane fell.")
    feed.post("About the weather", tags=["rain"])
    tagged = feed.page("?tag=a%2Fb%20%26%20c")
    assert ids(tagged) == [wanted["id"]]
    assert "Tagged “a/b &amp; c”" in tagged
    found = feed.page("?q=crane")
    assert ids(found) == [wanted["id"]]
    assert '<meta name="robots" content="noindex, follow">' in found


def test_a_search_without_a_hit_says_so_and_not_that_there_is_no_news(feed: Feed) -> None:
    feed.post("About the harbour")
    for asked, term in (("?q=giraffe%26", "giraffe&amp;"), ("?tag=giraffe", "giraffe")):
        page = feed.page(asked)
        body = page[page.index("<body") : page.index('id="words"')]
        assert body.index(f'<p class="empty">Nothing found for “{term}”') < body.index("All news")
        assert "No news yet" not in body


def test_an_item_has_a_page_that_shows_what_readers_were_shown(feed: Feed) -> None:
    item = feed.post("First words", body="Four injured.", at="2025-05-17T07:13:00Z")
    item = feed.editor.revised(item, "update", body="Seven injured.", at="2025-05-17T07:40:00Z")
    feed.editor.revised(item, "fix", headline="Better words", at="2025-05-17T07:41:00Z")
    page = feed.page(f"/items/{item['id']}")
    assert "<h1" in page
    assert "Better words" in page
    shown = page[page.index('id="shown"') :]
    assert words(shown).index("Updated 17 May 2025, 10:40") < words(shown).index("Posted 17 May")
    assert "Four injured." in shown
    assert f'<link rel="canonical" href="{feed.reader.base_url}/feeds/{feed.slug}/items/' in page
    assert '<meta property="og:title" content="Better words">' in page
    assert '<meta property="og:description" content="Seven injured.">' in page
    assert described(page)["headline"] == "Better words"
    assert described(page)["dateModified"] == "2025-05-17T07:40:00.000Z"
    assert described(page)["publisher"]["name"] == "Live news"


def test_a_link_is_no_source_unless_one_is_named(feed: Feed) -> None:
    feed.post("Named", source="Rosstat", url="https://example.org/a")
    assert "Source: Rosstat" in words(feed.page())
    feed.post("Not named", url="https://News.example/whole-story")
    assert "More at news.example" in words(feed.page())


def test_a_page_of_another_heartbeat_is_asked_for_again(tmp_path: Path) -> None:
    tags = []
    for heartbeat in ("5", "60"):
        options = ("--heartbeat", heartbeat)
        with (
            Server(tmp_path / "data", *options, new=heartbeat == "5") as started,
            started.reading() as reader,
        ):
            tags.append(reader.get("/feeds/world").headers["ETag"])
    assert tags[0] != tags[1]


def test_search_engines_are_told_of_every_change_and_what_is_under_doubt(feed: Feed) -> None:
    pinned = feed.post("Kept on top", at="2025-05-10T00:00:00Z")
    wrong = feed.post("Quite wrong", at="2025-05-17T07:00:00Z")
    for number in range(50):
        feed.post(f"News {number}", at=f"2025-05-17T08:{number:02}:00Z")
    pinned = feed.editor.revised(pinned, "pin")
    modified = [str(described(feed.page())["dateModified"])]
    pinned = feed.editor.revised(pinned, "update", body="More.")
    steps = [
        lambda: feed.editor.revised(pinned, "unpin"),  # so that it leaves the page
        lambda: feed.editor.revised(wrong, "kill", note="Not so."),
    ]
    modified.append(str(described(feed.page())["dateModified"]))
    for step in steps:
        step()
        modified.append(str(described(feed.page())["dateModified"]))
    assert modified == sorted(modified)
    assert modified[0] < modified[1] == modified[2] == pinned["updated_at"] < modified[3]
    held = feed.editor.revised(feed.post("Is it so?"), "hold")
    for page in (feed.page(), feed.page(f"/items/{held['id']}")):
        told = described(page)
        told = told["liveBlogUpdate"][0] if "liveBlogUpdate" in told else told
        assert told["creativeWorkStatus"] == "Being checked"
    feed.editor.revised(held, "release")
    assert "creativeWorkStatus" not in feed.page()


def test_a_link_preview_says_what_its_picture_stands_for(feed: Feed) -> None:
    alone = feed.post("News")
    pictured = feed.post("More", media=[{"url": "https://example.org/x.png", "alt": "A road"}])
    named = '<meta property="og:image:alt" content="{}">'
    for path in ("", "?tag=rain", f"/items/{alone['id']}"):
        assert named.format("Live news: World news") in feed.page(path)
    assert named.format("A road") in feed.page(f"/items/{pictured['id']}")
    assert named.format("Live news") in feed.reader.get("/").text


def test_a_link_preview_begins_with_the_words_of_lists_and_quotes(feed: Feed) -> None:
    item = feed.post(body="Known:\n- nine died\n- four hurt\n\n> We heard **it**.\n> — Ann")
    page = feed.page(f"/items/{item['id']}")
    said = "Known: - nine died - four hurt We heard it. — Ann"
    assert f'<meta property="og:description" content="{said}">' in page
    text = "Known:\n\n- nine died\n- four hurt\n\n> We heard it.\n— Ann"
    assert described(page)["articleBody"] == text


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("word " * 50, "word word…"),
        (f"{'x' * 188} {'y' * 50}", "xx…"),
        (f"{'x' * 150} {'y' * 90}", "yyy…"),
        ("NATO " + "首脳会議" * 60, "会議首脳…"),
        ("e\u0301" * 150, "e\u0301e\u0301…"),
        ("👩\u200d👧\u200d👦" * 60, "👦👩\u200d👧\u200d👦…"),
        ("🇺🇦" * 150, "🇺🇦🇺🇦…"),
        ("กำ" * 150, "กำกำ…"),
    ],
)
def test_an_excerpt_ends_with_a_word_where_little_is_lost_else_with_a_character(
    text: str, end: str
) -> None:
    found = excerpt(text)
    assert found.endswith(end)
    assert DESCRIPTION_MAX - 40 < len(found) <= DESCRIPTION_MAX


def test_search_engines_are_told_the_key_points(feed: Feed) -> None:
    feed.editor.configure(feed.slug, summary="Known:\n- **nine** died\n- four hurt")
    assert described(feed.page())["abstract"] == "Known:\n\n- nine died\n- four hurt"
    assert "abstract" not in described(feed.page(f"/items/{feed.post()['id']}"))


def test_a_link_preview_names_the_site_and_the_language(feed: Feed) -> None:
    page = feed.page()
    assert '<meta property="og:site_name" content="Live news">' in page
    assert '<meta property="og:locale" content="en_GB">' in page
    assert described(page)["publisher"]["url"] == f"{str(feed.reader.base_url).rstrip('/')}/"


def test_a_site_has_its_own_name_and_picture_and_its_pages_are_asked_for_again(
    tmp_path: Path,
) -> None:
    named = {
        "FEEDSERVER_SITE_NAME": "Зоря & «Co»",
        "FEEDSERVER_SITE_IMAGE": "https://cdn.example/card.png",
        "FEEDSERVER_SITE_LINKS": "Impressum=https://zorya.example/?a=1&b, Про нас=/about",
    }
    seen = {}
    with Server(tmp_path / "data") as started, started.editing() as editor:
        item = editor.item("News")
        paths = ["/", "/feeds/world", f"/feeds/world/items/{item['id']}", "/feeds/world/embed"]
        with started.reading() as reader:
            seen = {path: reader.get(path) for path in paths}
    with (
        Server(tmp_path / "data", environ=named, new=False) as again,
        again.reading() as reader,
    ):
        for path, before in seen.items():
            answer = reader.get(path, headers={"If-None-Match": before.headers["ETag"]})
            assert answer.status_code == 200, f"{path} would go on under the former name"
            if not path.endswith("/embed"):
                assert '<meta property="og:site_name" content="Зоря &amp; «Co»">' in answer.text
                assert '"og:image" content="https://cdn.example/card.png"' in answer.text
                assert "og:image:width" not in answer.text  # it is not known
                assert "Live news" not in answer.text
            if "feeds" in path and not path.endswith("/embed"):
                assert described(answer.text)["publisher"]["name"] == "Зоря & «Co»"
            if path != "/":
                assert "Зоря &amp; «Co»</a></nav>" in answer.text or path.endswith("/embed")
        assert "<h1>Зоря &amp; «Co»</h1>" in reader.get("/").text
        lost = reader.get("/feeds/nowhere").text
        assert "Зоря &amp; «Co»</a></nav>" in lost
        links = ['href="https://zorya.example/?a=1&amp;b" dir="auto">Impressum</a>', ">Про нас</a>"]
        for page in (lost, *(reader.get(path).text for path in paths[:3])):
            assert all(link in page for link in links)


@pytest.mark.parametrize(
    ("language", "preview"),
    [("en", "en_GB"), ("en-US", "en_US"), ("uk", "uk_UA"), ("zh-Hant-TW", "zh_TW"), ("pl", "pl")],
)
def test_link_previews_are_told_a_language_with_its_country(language: str, preview: str) -> None:
    assert locale(language) == preview


def test_what_readers_were_shown_within_a_minute_is_told_apart(feed: Feed) -> None:
    item = feed.post("First words", at="2025-05-17T07:13:00Z")
    for at in ("07:40:05Z", "07:40:50Z"):
        item = feed.editor.revised(item, "update", headline=at, at=f"2025-05-17T{at}")
    page = feed.page(f"/items/{item['id']}")
    labels = re.findall(r"<summary>(.*?)</summary>", page, re.DOTALL)
    assert [words(label) for label in labels] == [
        "Updated 17 May 2025, 10:40:50 UTC+3",
        "Updated 17 May 2025, 10:40:05 UTC+3",
        "Posted 17 May 2025, 10:13 UTC+3",
    ]


def test_a_killed_item_is_gone_from_every_page_at_once(feed: Feed) -> None:
    item = feed.post(SECRET, body=SECRET, tags=["t"])
    feed.post("Something else", tags=["t"])
    paths = ("", "?tag=t", "?q=rumour", "/embed", f"/items/{item['id']}")
    kept = {path: feed.get(path) for path in paths}
    assert all(SECRET in answer.text for answer in kept.values())
    feed.editor.revised(item, "kill", note="We were wrong.")
    for path in paths:
        answer = feed.get(path, **{"If-None-Match": kept[path].headers["ETag"]})
        assert answer.status_code == (410 if "items" in path else 200)
        assert SECRET not in answer.text
    gone = feed.get(f"/items/{item['id']}")
    assert "We were wrong." in gone.text
    assert gone.headers["Cache-Tag"] == f"feed-{feed.slug},item-{item['id']}"
    assert gone.headers["Surrogate-Key"] == f"feed-{feed.slug} item-{item['id']}"


def test_a_closed_feed_says_so(feed: Feed) -> None:
    feed.post("The last")
    feed.editor.configure(feed.slug, closed=True)
    assert "Coverage ended" in words(feed.page())
    assert "coverageEndTime" in described(feed.page())


@pytest.mark.parametrize(
    ("language", "way"),
    [("ar", "rtl"), ("he", "rtl"), ("fa-IR", "rtl"), ("ur", "rtl"), ("uk", "ltr")],
)
def test_a_page_is_written_the_way_of_its_language(feed: Feed, language: str, way: str) -> None:
    feed.editor.configure(feed.slug, language=language)
    assert f'dir="{way}"' in feed.page().split("<head>")[0]
    assert direction("az-Arab") == "rtl"
    assert direction("ar-Latn") == "ltr"


def test_an_item_in_another_language_says_so(feed: Feed) -> None:
    feed.post("Новини", language="uk")
    assert re.search(r'<h3[^>]* lang="uk"', feed.page())


def test_every_language_says_everything() -> None:
    english = languages()["en"]
    for words_of in languages().values():
        assert words_of.keys() == english.keys()
        assert "{t}" in words_of["nothing"]
        assert len(words_of["months"]) == 12
        assert len(words_of["weekdays"]) == 7
        for name, text in english.items():
            if isinstance(text, str):
                marks = set(re.findall(r"{\w+}", text))
                assert set(re.findall(r"{\w+}", words_of[name])) == marks


def test_a_page_may_be_kept_for_two_seconds_and_is_sent_once(feed: Feed) -> None:
    feed.post()
    first = feed.get()
    assert first.headers["Cache-Control"] == "public, max-age=2, stale-while-revalidate=10"
    assert first.headers["Cache-Tag"] == first.headers["Surrogate-Key"] == f"feed-{feed.slug}"
    assert first.headers["Vary"] == "Accept-Encoding"
    again = feed.get(**{"If-None-Match": f'"other", {first.headers["ETag"]}'})
    assert again.status_code == 304
    assert again.content == b""
    feed.post("News")
    later = feed.get(**{"If-None-Match": first.headers["ETag"]})
    assert later.status_code == 200
    assert later.headers["ETag"] != first.headers["ETag"]
    head = feed.reader.head(f"/feeds/{feed.slug}")
    assert head.headers["ETag"] == later.headers["ETag"]
    assert head.content == b""


def test_a_page_is_compressed_for_who_wants_that(feed: Feed) -> None:
    feed.post()
    zipped = feed.get()
    assert zipped.headers["Content-Encoding"] == "gzip"
    for refused in ("gzip;q=0, br", "gzip;q=0, *", "*, gzip; q=0.000", "*;q=0", "br", ""):
        plain = feed.get(**{"Accept-Encoding": refused})
        assert "Content-Encoding" not in plain.headers, refused
        assert plain.text == zipped.text
        assert int(plain.headers["Content-Length"]) == len(plain.content)
    for taken in ("*", "br, gzip;q=0.1", "GZIP", "gzip;q=1.0, *;q=0"):
        assert feed.get(**{"Accept-Encoding": taken}).headers["Content-Encoding"] == "gzip", taken


def test_pages_are_locked_down(feed: Feed) -> None:
    item = feed.post()
    for path in ("", f"/items/{item['id']}", "/nothing/here", "?before=x"):
        headers = feed.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
        assert "frame-ancestors 'self'" in policy
        assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert "camera=()" in headers["Permissions-Policy"]
    assert "frame-ancestors" not in feed.get("/embed").headers["Content-Security-Policy"]


def test_a_wrong_address_gets_a_page_and_a_program_gets_a_problem(feed: Feed) -> None:
    for path in ("/items/999999", "/items/x", "/nothing"):
        answer = feed.get(path)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "<h1>Not found</h1>" in answer.text
    missing = feed.reader.get("/feeds/nowhere")
    assert "There is no feed “nowhere”." in words(missing.text)
    assert feed.get("?before=yesterday").status_code == 400
    for_programs = feed.get("/items/999999", Accept="application/json")
    assert for_programs.headers["Content-Type"] == "application/problem+json"
    assert for_programs.json()["type"] == "not-found"
    refused = feed.reader.post(f"/feeds/{feed.slug}")
    assert refused.status_code == 405
    assert set(refused.headers["Allow"].split(", ")) == {"GET", "HEAD"}


def test_what_pages_load_may_be_kept_for_ever(feed: Feed) -> None:
    page = feed.page()
    loaded = re.findall(r'(?:href|src)="(/[\w.-]+\?v=[0-9a-f]+)"', page)
    assert {path.partition("?")[0] for path in loaded} >= {"/feed.css", "/page.js", "/icon.svg"}
    for path in loaded:
        answer = feed.reader.get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        bare = feed.reader.get(path.partition("?")[0], headers={"Accept-Encoding": "identity"})
        assert bare.content == answer.content
        assert "immutable" not in bare.headers["Cache-Control"]
        again = feed.reader.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    assert feed.reader.get("/favicon.ico").headers["Content-Type"] == "image/x-icon"
    assert feed.reader.get("/robots.txt").text.startswith("User-agent: *")


def test_the_ticker_is_for_every_site(feed: Feed) -> None:
    version = assets.ticker_version()
    latest = feed.reader.get("/ticker.js")
    assert latest.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert latest.headers["Content-Encoding"] == "gzip"
    assert latest.headers["Cache-Control"].startswith("public, max-age=300")
    assert latest.headers["Access-Control-Allow-Origin"] == "*"
    assert latest.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    types = feed.reader.get("/ticker.d.ts")
    assert types.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert types.headers["Access-Control-Allow-Origin"] == "*"
    assert "interface LiveTicker" in types.text
    assert "newsfeed-height" in feed.reader.get("/frame.js").text
    assert feed.reader.get(f"/ticker-{version}.js").status_code == 200
    assert feed.reader.get("/ticker-0.0.0.js").status_code == 404
    assert feed.reader.get("/ticker-../manifest.json").status_code == 404
    assert feed.reader.get("/ticker-strings/uk.json").json()["killed"] == "Відкликано"
    assert feed.reader.get("/ticker-strings/xx.json").status_code == 404


@pytest.mark.anyio
async def test_a_released_ticker_never_changes_and_outlives_upgrades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = assets.ticker_version()
    shutil.copytree(assets.web_folder(), tmp_path, dirs_exist_ok=True)
    (tmp_path / "dist/ticker-0.0.9.js").write_text("// as it was\n")
    (tmp_path / f"dist/ticker-{version}.js").unlink(missing_ok=True)
    monkeypatch.setattr(assets, "web_folder", lambda: tmp_path)
    assets._released.cache_clear()
    try:
        door = httpx.ASGITransport(Starlette(routes=assets.routes()))
        async with httpx.AsyncClient(transport=door, base_url="http://test") as reader:
            old = await reader.get("/ticker-0.0.9.js")
            under_way = await reader.get(f"/ticker-{version}.js")
            unpinned = assets.released_sri()
            (tmp_path / f"dist/ticker-{version}.js").write_text("// released\n")
            assets._released.cache_clear()
            pinned = await reader.get(f"/ticker-{version}.js")
            integrity = assets.released_sri()
    finally:
        assets._released.cache_clear()
    assert old.text == "// as it was\n"
    assert old.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    # What is not released yet changes with every build.
    assert under_way.headers["Cache-Control"].startswith("public, max-age=300")
    assert unpinned is None
    assert pinned.text == "// released\n"
    assert integrity == f"sha384-{b64encode(hashlib.sha384(pinned.content).digest()).decode()}"


def test_the_ticker_is_compressed_well_under_its_limit() -> None:
    body = (assets.web_folder() / "dist/ticker.js").read_bytes()
    assert len(gzip.compress(body, 9)) <= 10_240


def test_the_openapi_document_names_every_route_and_no_other(feed: Feed) -> None:
    document = feed.reader.get("/openapi.json").json()
    told = {
        (path, method.upper())
        for path, operations in document["paths"].items()
        for method in operations
        if method in {"get", "put", "post", "delete", "patch"}
    }
    served = {
        (route.path, method)
        for route in make_app(None).routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert told == served
    references = set(re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(document)))
    named = {(kind, name) for kind, all_of in document["components"].items() for name in all_of}
    assert references == named - {("securitySchemes", "token")}


def test_a_page_leaves_no_long_text_in_memory_until_the_collector_runs() -> None:
    """Which is seldom: a page of fifty long items has 3 MB of them."""
    site = Site("https://news.example", "Live news")
    news = model.Feed("world", "World", 0, 1, 9, "abcd")
    item = model.Item(3, "world", 9, "abcd", 0, body="b")
    text = Markup("x" * 100_000)
    listing = Listing(news, [item], "cursor", 25)
    gc.collect()
    gc.disable()
    try:
        before = sys.getrefcount(text), sys.getrefcount(item)
        known = {key: text for key in article_keys(listing)}
        assert text in render_feed(site, listing, known, {})
        shown = model.Revision(9, "abcd", model.Verb.POST, 0, 0, item=item)
        assert "b</p>" in render_item(site, news, item, [shown, shown], "cursor", 25)
        del shown
        render_embed(site, news, [item])
        del known
        assert sys.getrefcount(text) == before[0]
        assert sys.getrefcount(item) <= before[1] + 1, "all but the item that a page is about"
    finally:
        gc.enable()


class NoDatabase:
    """A mirror that nobody may ask."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a reader of a page cost a read of {name}")


@pytest.mark.anyio
async def test_readers_of_a_page_cost_no_database_reads(tmp_path: Path) -> None:
    started = Server(tmp_path / "data")
    settings = read_settings({"data": str(started.data)}, {})
    faults: list[BaseException] = []
    async with open_context(settings, "http://test", faults.append) as here:
        app = make_app(None)
        app.state.context = here
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": f"Bearer {started.token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            posted = await client.post(
                "/v1/feeds/world/items", json={"headline": "News"}, headers=headers
            )
            paths = [f"/feeds/world/items/{posted.json()['id']}", "/feeds/world?tag=a"]
            for path in paths:
                await client.get(path)
            app.state.context = replace(here, mirror=NoDatabase())  # type: ignore[arg-type]
            for path in ["/feeds/world", "/feeds/world/embed", *paths]:
                assert (await client.get(path)).status_code == 200
    assert not faults
