"""The straight line: `publisher` in a terminal, the row in a real browser, nothing after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from support.server import Server

CHROMIUM = "/usr/bin/chromium"
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WORDS = ("Quicksilver", "barleycorn")  # nowhere but in the item that is killed
PATIENCE = 30_000  # ms


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        opened = browser.new_page()
        opened.set_default_timeout(PATIENCE)
        yield opened
        browser.close()


def publish(server: Server, *words: str) -> int:
    """Run the publisher; return the item's id."""
    environ = {
        "PUBLISHER_URL": server.url,
        "PUBLISHER_TOKEN": server.token,
        "PUBLISHER_FEED": "world",
    }
    done = subprocess.run(
        [sys.executable, "-m", "publisher", *words, "--json"],
        capture_output=True,
        text=True,
        env=os.environ | environ,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    item: int = json.loads(done.stdout)["id"]
    return item


def holds(folder: Path, word: str) -> list[str]:
    return [path.name for path in folder.iterdir() if word.encode() in path.read_bytes()]


def test_an_item_is_posted_updated_corrected_and_killed(server: Server, page: Page) -> None:
    publish(server, "post", "Something else")
    page.goto(f"{server.url}/feeds/world")
    expect(page.locator(".bar.live")).to_be_visible(timeout=PATIENCE)

    item = publish(server, "post", f"{WORDS[0]} found", "--body", f"Some {WORDS[1]} too.")
    row = page.locator(".item", has_text=WORDS[0])
    expect(row).to_be_visible(timeout=PATIENCE)
    expect(row).to_contain_text(WORDS[1])
    assert "Updated" not in row.inner_text()

    publish(server, "update", str(item), "--headline", f"{WORDS[0]} found again")
    expect(row).to_contain_text("found again", timeout=PATIENCE)
    expect(row).to_contain_text("Updated")
    assert page.locator(".item").count() == 2

    publish(server, "correct", str(item), "--body", f"Much {WORDS[1]}.", "--note", "It was much.")
    expect(row).to_contain_text("It was much.", timeout=PATIENCE)

    publish(server, "hold", str(item))
    expect(row).to_contain_text("Being checked", timeout=PATIENCE)
    assert all(holds(server.data, word) for word in WORDS)

    publish(server, "kill", str(item), "--note", "It was not so.")
    expect(page.locator(".item", has_text="It was not so.")).to_be_visible(timeout=PATIENCE)
    with server.reading() as reader:
        answers = [
            reader.get(path).text
            for path in (
                "/feeds/world",
                f"/feeds/world/items/{item}",
                "/v1/feeds/world/items",
                f"/v1/feeds/world/items/{item}",
                f"/v1/feeds/world/items/{item}/history",
                "/v1/feeds/world/changes",
            )
        ]
    for word in WORDS:
        assert word not in page.content()
        assert not [answer for answer in answers if word in answer]
        assert holds(server.data, word) == []
