"""An item is handed on by the device's own way, else its address is copied, and that is said."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import Site
from playwright.sync_api import expect

BY_DEVICE = "window.given = []; navigator.share = async (data) => { given.push(data); }"
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"
READ = "navigator.clipboard.readText()"


@pytest.mark.parametrize("init", ["", NO_CLIPBOARD, BY_DEVICE])
def test_sharing_gives_the_address_of_the_items_own_page(site: Site, init: str) -> None:
    feed = site.feed()
    item = feed.post("Bridge <b>closed</b>")
    gone = feed.do(feed.post("Wrong"), "kill", note="No.")
    address = f"/feeds/{feed.slug}/items/{item['id']}"
    options: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}
    page = site.open(f"/feeds/{feed.slug}", init=init, **options)
    page.wait_for_selector(".bar.live")
    assert page.locator(f"#item-{gone['id']} .share").count() == 0
    button = page.get_by_role("button", name="Share")
    expect(button).to_have_accessible_description("Bridge <b>closed</b>")
    button.press("Enter")
    if init == BY_DEVICE:
        page.wait_for_function("() => given.length")
        assert page.evaluate("given") == [
            {"title": "Bridge <b>closed</b>", "url": site.server.url + address}
        ]
        assert page.locator(".said").count() == 0
        return
    expect(page.get_by_role("status")).to_have_text("The address was copied")
    expect(page.locator(".said")).to_be_visible()
    expect(button).to_be_focused()
    if init == NO_CLIPBOARD:
        page.locator("#find > summary").press("Enter")
        box = page.get_by_role("searchbox")
        expect(box).to_be_focused()
        box.press("Control+V")
        assert box.input_value() == site.server.url + address
    else:
        assert page.evaluate(READ) == site.server.url + address
