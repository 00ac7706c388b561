"""What search engines are told: news sitemap, robots.txt, JSON-LD, links to every format."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from desk import Desk
from lxml import etree
from reading_back import parse

from feedserver.syndication.routes import FORMATS
from feedserver.syndication.sitemap import AGE_MAX, ITEMS_MAX, Piece, sitemap

SCHEMA = Path(__file__).with_name("news-sitemap.xsd")
LATER = "2025-05-17T07:20:30.000Z"
STORY: dict[str, Any] = {
    "body": "Seven **hurt**.",
    "source": "Agency Secret",
    "url": "https://secret.example/story",
    "published_at": "2025-05-17T07:13:00.000Z",
    "occurred_at": "2025-05-17T07:00:00.000Z",
}


def listed(desk: Desk) -> dict[str, dict[str, str]]:
    """Return what the sitemap says of the test's own feed, by address."""
    answer = desk.reader.get("/sitemap-news.xml")
    assert answer.status_code == 200
    found = parse(answer.content)
    schema().assertValid(found)
    told = {}
    for url in found:
        address = url.findtext("{*}loc")
        if address.startswith(desk.url("/")):
            told[address] = {
                etree.QName(one).localname: one.text for one in url.iter() if not len(one)
            }
    return told


def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMA)))


def test_the_sitemap_lists_the_live_news_of_two_days(desk: Desk) -> None:
    now = datetime.now(UTC)
    desk.post("Old", published_at=(now - timedelta(days=3)).isoformat())
    item = desk.post("New <&> ]]>", language="zh-Hant")
    other = desk.post("Newer")
    told = listed(desk)
    assert list(told) == [desk.url(f"/items/{one['id']}") for one in (other, item)]
    assert told[desk.url(f"/items/{item['id']}")] == {
        "loc": desk.url(f"/items/{item['id']}"),
        "lastmod": item["published_at"],
        "name": "Live news",
        "language": "zh-tw",
        "publication_date": item["published_at"],
        "title": "New <&> ]]>",
    }


def test_the_sitemap_follows_each_verb_at_once(desk: Desk) -> None:
    item = desk.post("Secret")
    address = desk.url(f"/items/{item['id']}")
    before = listed(desk)[address]
    item = desk.editor.revised(item, "fix", headline="Fixed")
    assert listed(desk)[address] == before | {"title": "Fixed"}
    item = desk.editor.revised(item, "update", body="More.")
    assert listed(desk)[address]["lastmod"] == item["updated_at"]
    item = desk.editor.revised(item, "hold")
    assert address not in listed(desk)
    item = desk.editor.revised(item, "release")
    assert listed(desk)[address]["lastmod"] == item["updated_at"]
    desk.editor.revised(item, "kill", note="A hoax.")
    assert address not in listed(desk)
    assert "Fixed" not in desk.reader.get("/sitemap-news.xml").text


def test_a_sitemap_has_only_so_many_and_none_that_is_too_old() -> None:
    pieces = [Piece(number, number, b"<url>%d</url>" % number) for number in range(ITEMS_MAX + 5)]
    written = sitemap(pieces, 0).decode()
    assert written.count("<url>") == ITEMS_MAX
    assert "<url>4</url>" not in written
    assert written.index("<url>1004</url>") < written.index("<url>5</url>")
    assert sitemap(pieces, AGE_MAX + 1_000).decode().count("<url>") == 4


def test_a_sitemap_is_kept_and_is_a_problem_where_it_cannot_be_asked_for(desk: Desk) -> None:
    desk.post()
    answer = desk.reader.get("/sitemap-news.xml")
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=2"
    assert answer.headers["Cache-Tag"] == "feeds"
    sent = {"If-None-Match": answer.headers["ETag"]}
    assert desk.reader.get("/sitemap-news.xml", headers=sent).status_code == 304
    desk.post()
    assert desk.reader.get("/sitemap-news.xml", headers=sent).status_code == 200
    wrong = desk.reader.post("/sitemap-news.xml", headers={"Accept": "text/html"})
    assert wrong.headers["Content-Type"] == "application/problem+json"


def test_the_schema_refuses_what_is_wrong() -> None:
    piece = Piece(1, 1, b"<url><loc>https://news.example/</loc></url>")
    assert not schema().validate(parse(sitemap([piece], 0)))
    assert schema().validate(parse(sitemap([], 0)))


def test_robots_are_told_where_the_sitemap_is(desk: Desk) -> None:
    answer = desk.reader.get("/robots.txt")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    address = str(desk.reader.base_url).rstrip("/") + "/sitemap-news.xml"
    lines = answer.text.splitlines()
    assert f"Sitemap: {address}" in lines
    assert "Disallow: /*?q=" in lines
    assert desk.reader.get(address).status_code == 200


def test_pages_name_the_feed_in_every_format(desk: Desk) -> None:
    item = desk.post()
    for page in ("", f"/items/{item['id']}"):
        links = re.findall(
            r'<link rel="alternate" type="([^"]+)" title="([^"]+)" href="([^"]+)">',
            desk.get(page).text,
        )
        found = {href: kind for kind, _, href in links}
        for form in FORMATS:
            path = f"/feeds/{desk.slug}{form.suffix}"
            assert found[path] == form.media_type.partition(";")[0]
            assert desk.reader.get(path).status_code == 200
        assert ("World &lt;news&gt; &amp; more (Atom)") in {title for _, title, _ in links}
    assert f"/feeds/{desk.slug}/items/{item['id']}.ninjs" in found


def told(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(desk.get(".jsonld").content)
    assert found["@context"] == "https://schema.org"
    assert found["@type"] == "LiveBlogPosting"
    return found


def test_json_ld_tells_each_verb_and_its_date_never_goes_back(desk: Desk) -> None:
    item = desk.post("News", **STORY)
    other = desk.post("Other", published_at="2025-05-17T07:14:00.000Z")
    dates = [told(desk)["dateModified"]]

    def posting() -> dict[str, Any]:
        found = told(desk)
        dates.append(found["dateModified"])
        by_uid = {one["identifier"]: one for one in found["liveBlogUpdate"]}
        return dict(by_uid[item["uid"]])

    first = posting()
    assert first["articleBody"] == "Seven hurt."
    assert first["sourceOrganization"] == {"@type": "Organization", "name": "Agency Secret"}
    assert first["contentReferenceTime"] == STORY["occurred_at"]
    assert first["dateModified"] == first["datePublished"] == STORY["published_at"]
    item = desk.editor.revised(item, "hold")
    held = posting()
    assert held["creativeWorkStatus"] == "Being checked"
    assert held["articleBody"] == "Being checked\n\nSeven hurt."
    assert held["dateModified"] == first["dateModified"]
    item = desk.editor.revised(item, "release")
    assert posting() == first | {"version": str(item["version"])}
    item = desk.editor.revised(item, "correct", note="Four.")
    corrected = posting()
    assert corrected["dateModified"] == item["updated_at"] > first["dateModified"]
    assert corrected["correction"] == [
        {"@type": "CorrectionComment", "text": "Four.", "datePublished": item["updated_at"]}
    ]
    killed = desk.editor.revised(item, "kill", note="A hoax.")
    after = told(desk)
    dates.append(after["dateModified"])
    assert [one["identifier"] for one in after["liveBlogUpdate"]] == [other["uid"]]
    assert after["dateModified"] >= killed["killed_at"]
    assert "Secret" not in desk.get(".jsonld").text
    assert dates == sorted(dates)
    assert "coverageEndTime" not in after
    desk.editor.configure(desk.slug, title="World", closed=True, summary="Key **point**")
    closed = told(desk)
    assert closed["coverageEndTime"]
    assert closed["abstract"] == "Key point"
    assert closed["dateModified"] == after["dateModified"]


def test_json_ld_tells_pictures_from_clips_and_previews_show_a_picture(desk: Desk) -> None:
    clip = {"url": "https://a.example/bus.mp4", "alt": "A bus", "width": 640, "height": 480}
    sound = {"url": "https://a.example/siren.mp3"}
    picture = {"url": "https://a.example/bus.png", "credit": "Ann"}
    item = desk.post("Bus", media=[clip, sound, picture], published_at=STORY["published_at"])
    (posting,) = told(desk)["liveBlogUpdate"]
    at = STORY["published_at"]
    assert posting["image"] == [picture["url"]]
    assert posting["video"] == [
        {
            "@type": "VideoObject",
            "contentUrl": clip["url"],
            "encodingFormat": "video/mp4",
            "name": "A bus",
            "uploadDate": at,
            "width": 640,
            "height": 480,
        }
    ]
    assert posting["audio"] == [
        {
            "@type": "AudioObject",
            "contentUrl": sound["url"],
            "encodingFormat": "audio/mpeg",
            "name": "Bus",
            "uploadDate": at,
        }
    ]
    page = desk.get(f"/items/{item['id']}").text
    assert f'<meta property="og:image" content="{picture["url"]}">' in page


@pytest.mark.parametrize("query", ["", "?before=99999999999999.9"])
def test_markdown_says_all_in_words(desk: Desk, query: str) -> None:
    body = "# No *heading* <b>\n1. one\n\n[link](https://a.example/x_(y)) `code` &amp;"
    story = STORY | {"body": body, "byline": "Ann _B_", "breaking": True}
    item = desk.post("Bus *hit*", **story)
    item = desk.editor.revised(item, "correct", note="It was <four>.", at=LATER)
    desk.editor.revised(item, "hold")
    gone = desk.post("Hoax", published_at="2025-05-17T07:00:00.000Z")
    desk.editor.revised(gone, "kill", note="A hoax.", at=LATER)
    text = desk.get(f".md{query}").text
    assert text.startswith("# World \\<news\\> \\& more\n\n<http")
    own_url = desk.url(f"/items/{item['id']}")
    at = text.index("## Being checked: Bus")
    assert text[at:].rstrip("\n") == "\n\n".join(
        [
            "## Being checked: Bus \\*hit\\*",
            "*17 May 2025, 10:13 UTC+3 · Updated 17 May 2025, 10:20 UTC+3 · Breaking*",
            "Ann \\_B\\_",
            "**Being checked**",
            "**Correction, 17 May 2025, 10:20 UTC+3:** It was \\<four\\>.",
            "\\# No *heading* \\<b\\>\\\n1\\. one",
            "[link](<https://a.example/x_(y)>) \\`code\\` \\&amp;",
            "Source: [Agency Secret](<https://secret.example/story>)",
            f"<{own_url}>",
            "## Withdrawn",
            "*17 May 2025, 10:00 UTC+3*",
            "**Withdrawn, 17 May 2025, 10:20 UTC+3:** A hoax.",
        ]
    )
    assert "Hoax" not in text
