"""The page that makes the lines to embed a feed: what is chosen is previewed and copied."""

from __future__ import annotations

from chromium import Site, axe
from playwright.sync_api import expect


def test_what_is_chosen_is_previewed_and_copied(site: Site) -> None:
    feed = site.feed()
    feed.put(title='Sport & "more"')
    for number in range(5):
        feed.post(f"Item {number}", body="Some words.")
    address = f"{site.server.url}/feeds/{feed.slug}"
    permissions = ["clipboard-read", "clipboard-write"]
    page = site.open(f"/feeds/{feed.slug}/embed/new", permissions=permissions)
    preview = page.frame_locator("iframe").locator("live-ticker")
    expect(preview.locator("[part~=item]")).to_have_count(5)
    element, frame = page.get_by_label("For your page"), page.get_by_label("Or a frame")
    title = "Sport &amp; &quot;more&quot;"
    plain = f'<live-ticker src="{address}"><a href="{address}">{title}</a></live-ticker>'
    expect(element).to_have_value(
        f'<script type="module" src="{site.server.url}/ticker.js"></script>\n{plain}'
    )
    assert axe(page) == []

    page.get_by_label("Layout").select_option("compact")
    page.get_by_label("Rows at most").fill("3")
    page.get_by_label("Title").fill('"Now" & here')
    page.get_by_label("Language").fill("no language")  # and so left out
    page.get_by_label("Key points on top").check()
    expect(preview.locator("[part~=item]")).to_have_count(3)
    expect(preview.get_by_role("heading", name='"Now" & here')).to_be_visible()
    assert page.frame_locator("iframe").locator("[part=body]").count() == 0
    attributes = 'layout="compact" max="3" heading="&quot;Now&quot; &amp; here" summary'
    expect(element).to_have_value(
        f'<script type="module" src="{site.server.url}/ticker.js"></script>\n'
        + plain.replace("><a", f" {attributes}><a")
    )
    query = "layout=compact&amp;max=3&amp;heading=%22Now%22+%26+here&amp;summary="
    expect(frame).to_have_value(f'<iframe src="{address}/embed?{query}" title="{title}"></iframe>')

    for box in element, frame:
        box.locator("xpath=..").get_by_role("button", name="Copy").click()
        expect(page.get_by_role("status")).to_have_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()") == box.input_value()


def test_without_javascript_the_lines_for_a_plain_ticker_are_there(site: Site) -> None:
    feed = site.feed()
    feed.put(title='Sport & "more"')
    page = site.open(f"/feeds/{feed.slug}/embed/new", java_script_enabled=False)
    address = f"{site.server.url}/feeds/{feed.slug}"
    link = f'<a href="{address}">Sport &amp; &quot;more&quot;</a>'
    assert link in page.get_by_label("For your page").input_value().replace("&#34;", "&quot;")
