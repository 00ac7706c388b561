"""The ticker alone in a frame: its height, and what its reader reads."""

from __future__ import annotations

import math
from pathlib import Path

import httpx
import pytest
from chromium import Site, ask, wait_until


@pytest.mark.parametrize("width", [320, 700])
def test_a_bar_in_a_frame_of_its_height_does_not_scroll(site: Site, width: int) -> None:
    feed = site.feed()
    feed.post("In a bar")
    page = site.open(
        f"/feeds/{feed.slug}/embed?layout=line&theme=dark", viewport={"width": width, "height": 48}
    )
    page.get_by_role("link", name="In a bar").wait_for()
    page.get_by_role("button", name="Pause").wait_for()
    assert page.evaluate("document.documentElement.scrollHeight") == 48


@pytest.mark.parametrize("sandbox", ["", "sandbox=allow-scripts"], ids=["plain", "sandboxed"])
def test_the_iframe_tells_its_host_how_tall_it_is(site: Site, sandbox: str) -> None:
    feed = site.feed()
    feed.post("In a frame")
    page = site.open("/robots.txt")
    address = f"{site.server.url}/feeds/{feed.slug}/embed?height=auto"
    host = f"""<iframe {sandbox} src="{address}"></iframe>
        <script>addEventListener('message', ({{ data }}) => {{ window.told = data }})</script>"""
    page.route("**/host", lambda route: route.fulfill(body=host, content_type="text/html"))
    page.goto("http://host.test/host")
    frame = page.frame_locator("iframe")
    frame.locator("live-ticker").get_by_role("link", name="In a frame").wait_for()
    page.wait_for_function("() => told?.type === 'newsfeed-height' && told.height > 50")


def test_wordpress_shows_the_frame_as_tall_as_it_is_and_follows_its_links(site: Site) -> None:
    """With its own rules: the frame is in a sandbox, and only messages with its secret count."""
    feed = site.feed()
    item = feed.post("In WordPress", body="Some words.\n\n" * 8)  # taller than WordPress's least
    address = f"{site.server.url}/feeds/{feed.slug}"
    answer = httpx.get(f"{site.server.url}/oembed", params={"url": address}).json()
    frame = answer["html"].replace(
        "<iframe ",
        '<iframe sandbox="allow-scripts" security="restricted" data-secret="Ab3dEf6hIj" ',
    )
    frame = frame.replace('/embed"', '/embed#?secret=Ab3dEf6hIj"')
    host = f"""<script>addEventListener('message', ({{ data, source }}) => {{
            if (!(data.secret && data.message && data.value)) return;
            const frame = document.querySelector(`iframe[data-secret="${{data.secret}}"]`);
            if (source !== frame.contentWindow) return;
            if (data.message === 'height')
                frame.height = Math.min(1000, Math.max(200, parseInt(data.value, 10)));
            if (data.message === 'link' && new URL(data.value).host === new URL(frame.src).host)
                window.followed = data.value;
        }})</script>{frame}"""
    page = site.open("/robots.txt")
    page.route("**/host", lambda route: route.fulfill(body=host, content_type="text/html"))
    page.goto("http://host.test/host")
    link = page.frame_locator("iframe").get_by_role("link", name="In WordPress")
    link.wait_for()
    page.wait_for_function("() => document.querySelector('iframe').height !== '480'")
    told = page.frames[1].evaluate("document.documentElement.getBoundingClientRect().height")
    assert page.locator("iframe").bounding_box()["height"] == math.ceil(told) > 200
    link.click()
    page.wait_for_function("() => window.followed")
    assert page.evaluate("followed") == f"{address}/items/{item['id']}"


def test_a_frame_tells_its_height_only_once_its_items_are_there(site: Site) -> None:
    feed = site.feed()
    for number in range(12):
        feed.post(f"Item {number}", body="Some words.")
    page = site.open("/robots.txt", viewport={"width": 390, "height": 600})
    address = f"{site.server.url}/feeds/{feed.slug}/embed?height=auto&max=3"
    host = f"""<script>window.told = []; addEventListener('message', ({{ data }}) => {{
            told.push(data.height);
            document.querySelector('iframe').style.height = `${{data.height}}px`;
        }})</script>
        <iframe src="{address}" style="width: 100%; height: 10px; border: 0"></iframe>"""
    page.route("**/host", lambda route: route.fulfill(body=host, content_type="text/html"))
    page.goto("http://host.test/host")
    page.frame_locator("iframe").get_by_role("link", name="Item 11").wait_for()
    page.wait_for_function("() => told.length > 0")
    page.wait_for_timeout(1_500)
    assert len(page.evaluate("told")) == 1


def test_a_frame_of_automatic_height_does_not_move_what_its_reader_reads(site: Site) -> None:
    feed = site.feed()
    for number in range(20):
        feed.post(f"Item {number}", body="Some words.")
    page = site.open("/robots.txt", viewport={"width": 800, "height": 600})
    address = f"{site.server.url}/feeds/{feed.slug}/embed?height=auto"
    host = f"""<iframe src="{address}" style="width: 100%; border: 0"></iframe>
        <script>addEventListener('message', ({{ data }}) => {{
            document.querySelector('iframe').style.height = `${{window.told = data.height}}px`;
        }})</script>"""
    page.route("**/host", lambda route: route.fulfill(body=host, content_type="text/html"))
    page.goto("http://host.test/host")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Item 19").wait_for()
    page.wait_for_function("() => window.told > 1000")
    feed.post("At the top")
    frame.get_by_role("link", name="At the top").wait_for()
    page.evaluate("scrollTo(0, 700)")
    frame.locator("live-ticker[mode=notify]").wait_for()
    row = frame.get_by_role("link", name="Item 9")
    page.wait_for_timeout(600)
    before = row.bounding_box()
    feed.post("Not yet")
    frame.get_by_role("button", name="1 new update").wait_for()
    assert row.bounding_box() == before


def test_a_frame_is_light_unless_its_address_says_otherwise(site: Site) -> None:
    feed = site.feed()
    feed.post("In a frame")
    colors = {}
    for query, scheme in (("", "dark"), ("?theme=auto", "dark"), ("?theme=dark", "light")):
        page = site.open(f"/feeds/{feed.slug}/embed{query}", color_scheme=scheme)
        page.get_by_role("button", name="Pause").wait_for()
        colors[query] = ask(page, "getComputedStyle(root.querySelector('[part=headline]')).color")
    light, auto, dark = colors.values()
    assert light == "rgb(0, 0, 0)"
    assert auto == dark == "rgb(255, 255, 255)"


def test_a_page_in_a_file_may_frame_it(site: Site, tmp_path: Path) -> None:
    feed = site.feed()
    feed.post("In a file")
    (tmp_path / "app.html").write_text(
        f'<iframe src="{site.server.url}/feeds/{feed.slug}/embed"></iframe>'
    )
    page = site.open("/robots.txt")
    page.goto((tmp_path / "app.html").as_uri())
    frame = page.frame_locator("iframe").locator("live-ticker")
    frame.get_by_role("link", name="In a file").wait_for()


HEIGHTS = (
    "() => [...document.querySelectorAll('iframe')].map(({ style }) => parseInt(style.height) || 0)"
)


def test_one_script_sizes_the_frames_of_its_site_and_no_others(site: Site) -> None:
    """It comes late, under a strict policy, and among frames that lie."""
    feed = site.feed()
    feed.post("In a frame")
    own = f"{site.server.url}/feeds/{feed.slug}/embed?height=auto"
    lie = "parent.postMessage({ type: 'newsfeed-height', height: 999 }, '*')"
    host = f"""<!doctype html><iframe src="{own}"></iframe>
        <iframe src="{own}" sandbox="allow-scripts"></iframe>
        <iframe src="http://liar.test/"></iframe>
        <iframe src="{site.server.url}/robots.txt" sandbox="allow-scripts"></iframe>"""
    policy = f"default-src 'none'; script-src {site.server.url}; frame-src *"
    page = site.open("/robots.txt")
    html = {"content_type": "text/html"}
    page.route(
        "http://host.test/",
        lambda route: route.fulfill(body=host, headers={"Content-Security-Policy": policy}, **html),
    )
    page.route(
        "http://liar.test/", lambda route: route.fulfill(body=f"<script>{lie}</script>", **html)
    )
    page.goto("http://host.test/")
    for number in (0, 1):
        ticker = page.frame_locator("iframe").nth(number).locator("live-ticker")
        ticker.get_by_role("link", name="In a frame").wait_for()
        ticker.get_by_text("Live", exact=True).wait_for()
    page.add_script_tag(url=f"{site.server.url}/frame.js")
    wait_until(lambda: all(height > 50 for height in page.evaluate(HEIGHTS)[:2]))
    before = page.evaluate(HEIGHTS)
    feed.post("And another")
    wait_until(
        lambda: page.evaluate(HEIGHTS)[0] > before[0] and page.evaluate(HEIGHTS)[1] > before[1]
    )

    liar, honest = page.frames[3], page.frames[1]
    liar.evaluate(lie)
    page.evaluate("postMessage({ type: 'newsfeed-height', height: 999 }, '*')")
    honest.evaluate("parent.postMessage({ type: 'newsfeed-height', height: 'tall' }, '*')")
    honest.evaluate("parent.postMessage({ type: 'newsfeed-height', height: 1e6 }, '*')")
    wait_until(lambda: page.evaluate(HEIGHTS)[0] == 5000)
    assert page.evaluate(HEIGHTS)[2:] == [0, 0]
    assert page.evaluate(HEIGHTS)[1] < 999
