"""Several scripts, versions and builds of the ticker on one page."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from chromium import COUNTED, OPEN, Site, in_row
from playwright.sync_api import expect
from support.server import ROOT


def test_two_versions_on_a_page_are_one_ticker(site: Site) -> None:
    feed = site.feed()
    feed.post("News")
    page = site.embed(init=COUNTED)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))

    def older(route: Any) -> None:
        script = route.fetch().text().replace("Pause", "Hold").replace("ticker-item", "item")
        route.fulfill(body=script, content_type="text/javascript")

    page.route("**/ticker.js?older", older)
    page.goto(
        site.host.page(
            '<script type="module" src="/ticker.js?older"></script>'
            + site.ticker(feed)
            + site.ticker(feed, "layout=compact")
        )
    )
    expect(in_row(page, "News")).to_have_count(2)
    assert page.evaluate(OPEN) == 1
    assert faults == []


@pytest.mark.parametrize("first", ["new", "old"])
def test_two_builds_on_a_page_do_not_disturb_each_other(
    site: Site, tmp_path: Path, first: str
) -> None:
    # No name inside this one is that of the build which is served.
    other = tmp_path / "ticker.js"
    source = ROOT / "web/src/ticker/main.js"
    bundler = ROOT / "node_modules/.bin/esbuild"
    subprocess.run([bundler, source, "--bundle", "--format=esm", f"--outfile={other}"], check=True)
    feed = site.feed()
    feed.post("News")
    faults: list[str] = []
    page = site.embed(init=COUNTED)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: (
            message.type == "error" and faults.append(f"{message.text} {message.location}")
        ),
    )
    new = f"{site.server.url}/ticker.js"
    page.route("**/ticker-0.0.1.js", lambda route: route.fulfill(path=other))
    scripts = [new, "/ticker-0.0.1.js"]
    if first == "old":
        scripts.reverse()
    tags = [f'<script type="module" src="{src}"></script>' for src in scripts]
    page.goto(
        site.host.page(
            tags[0] + site.ticker(feed) + tags[1] + site.ticker(feed, "layout=compact"),
            script=False,
        )
    )
    expect(in_row(page, "News")).to_have_count(2)
    feed.post("More")
    expect(in_row(page, "More")).to_have_count(2)
    assert page.evaluate(OPEN) == 1
    assert faults == []
