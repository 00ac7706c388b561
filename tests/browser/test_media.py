"""Pictures, videos and sounds on the pages: shown and played, or words where they fail."""

from __future__ import annotations

import io
import struct
import wave
import zlib
from typing import Any

from chromium import MEASURES, Feed, Site, axe
from playwright.sync_api import Page, Route, expect

PICTURES = "https://pictures.example/"


def png(width: int, height: int) -> bytes:
    """Write a grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def sound() -> bytes:
    """Write a second of silence."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((1, 1, 8000, 8000, "NONE", "not compressed"))
        file.writeframes(b"\x80" * 8000)
    return written.getvalue()


FILES = {"tall.png": png(600, 2400), "sound.wav": sound(), "clip.mp4": sound()}


def open_page(site: Site, path: str, **options: Any) -> tuple[Page, list[str]]:
    """Open a page beside a site that has some files; return it with the names it asks for."""
    page = site.open("/robots.txt", **options)
    asked: list[str] = []

    def give(route: Route) -> None:
        asked.append(route.request.url.removeprefix(PICTURES))
        body = FILES.get(asked[-1])
        route.fulfill(status=200 if body else 404, body=body or b"")

    page.route(f"{PICTURES}**", give)
    page.goto(f"{site.server.url}{path}")
    return page, asked


def picture(feed: Feed, name: str, headline: str, **fields: Any) -> dict[str, Any]:
    return feed.post(headline, media=[{"url": PICTURES + name, **fields}])


def test_video_and_sound_are_played_where_a_reader_asks_and_loaded_no_earlier(site: Site) -> None:
    feed = site.feed()
    told = [
        {"url": f"{PICTURES}clip.mp4", "alt": "Rescuers", "caption": "At work", "credit": "DSNS"},
        {"url": f"{PICTURES}sound", "type": "audio/wav", "caption": "A witness"},
    ]
    feed.post("By the server", media=[told[0], told[1] | {"url": f"{PICTURES}sound.wav"}])
    page, asked = open_page(site, f"/feeds/{feed.slug}")
    page.wait_for_selector(".bar.live")
    feed.post("By the script", media=[told[0], told[1] | {"url": f"{PICTURES}sound.wav"}])
    expect(page.locator("figure video")).to_have_count(2)
    expect(page.locator("figure audio")).to_have_count(2)
    assert page.locator("figcaption").all_inner_texts() == ["At work DSNS", "A witness"] * 2
    assert page.get_by_label("Rescuers").count() == 2
    assert asked == []
    assert axe(page) == []
    for player in ("figure video", "figure audio"):
        for number in range(2):
            found = page.locator(player).nth(number)
            found.evaluate("player => { player.muted = true; return player.play(); }")
    played = (
        "() => [...document.querySelectorAll('video, audio')].every((each) => each.duration > 0)"
    )
    page.wait_for_function(played)


def test_a_tall_picture_fits_the_screen_and_is_shown_whole_until_it_is_withdrawn(
    site: Site,
) -> None:
    feed = site.feed()
    item = picture(feed, "tall.png", "Strikes", alt="A chart", width=600, height=2400)
    page, _ = open_page(site, f"/feeds/{feed.slug}", viewport={"width": 1440, "height": 900})
    page.wait_for_selector(".bar.live")
    image = page.get_by_role("img", name="A chart")
    box = image.bounding_box()
    assert box
    assert box["height"] == 640
    link = page.get_by_role("link", name="A chart")
    link.press("Enter")
    dialog = page.get_by_role("dialog", name="Show the whole picture")
    expect(dialog.get_by_role("img", name="A chart")).to_have_js_property("naturalHeight", 2400)
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(link).to_be_focused()
    link.press("Enter")
    expect(dialog).to_have_count(1)
    feed.do(item, "kill", note="No.")
    expect(dialog).to_have_count(0)
    page.wait_for_selector(".item.killed")
    assert "tall.png" not in page.content()


def test_a_picture_that_fails_is_its_words_and_nothing_jumps(site: Site) -> None:
    feed = site.feed()
    for number in range(3):
        feed.post(f"Before {number}", body="Some words. " * 20)
    size = {"width": 1200, "height": 800}
    picture(feed, "gone.jpg", "By the server", alt="A <burnt> bus", credit="AFP", **size)
    page, _ = open_page(site, f"/feeds/{feed.slug}", init=MEASURES)
    page.wait_for_selector(".bar.live")
    picture(feed, "gone.jpg", "By the script", alt="A <burnt> bus", credit="AFP")
    picture(feed, "gone.jpg", "Without words")
    page.get_by_role("link", name="Without words").wait_for()
    expect(page.locator("figure img")).to_have_count(0)
    assert page.locator("figure").all_inner_texts() == ["A <burnt> bus\n\nAFP"] * 2
    page.wait_for_function("() => document.getAnimations().every((each) => each.animationName)")
    assert page.evaluate("shifts") == 0
    site.errors.clear()  # a browser reports each request that fails
