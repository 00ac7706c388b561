"""An address in other letter case, or with a slash behind it, leads to the one that was meant."""

from __future__ import annotations

from support.answers import Feed

from feedserver.syndication.routes import FORMATS


def test_a_slash_behind_an_address_and_other_letter_case_lead_to_the_page_and_keep_the_query(
    feed: Feed,
) -> None:
    item, meant = feed.item()["id"], f"/feeds/{feed.slug}"
    paths = [meant, f"{meant}/embed", f"{meant}/items/{item}", f"{meant}/items/{item}.ninjs"]
    paths += [meant + form.suffix for form in FORMATS]
    for path in paths:
        for typed in (f"{path}/", path.replace(feed.slug, feed.slug.title()), f"{path.upper()}//"):
            for method in ("GET", "HEAD"):
                answer = feed.reader.request(method, f"{typed}?b=%2F%2Fx&c=1")
                assert answer.status_code == 308, typed
                assert answer.headers["location"] == f"{path}?b=%2F%2Fx&c=1"
        answer = feed.reader.get(f"{path}/", follow_redirects=True)
        assert (answer.status_code, answer.url.path) == (200, path)
        assert answer.headers.get("access-control-allow-origin") == ("*" if "." in path else None)


def test_only_pages_of_ours_are_led_to_in_one_step_and_within_bounds(feed: Feed) -> None:
    page = f"/feeds/{feed.slug}"
    for path in (
        "//evil.example/feeds/world/",
        f"/{page}/",
        f"{page}/../..//evil.example/",
        f"{page}/%2e%2e/",
        "/feeds/\\evil.example/",
        f"{page}/%0d%0aSet-Cookie:%20a=b/",
        f"{page}/items/",
        f"{page}/items/{'1' * 16}/",
        f"{page}/nothing/",
        f"/feeds/{'a' * 64}/",
        page + "/" * 9,
        f"{page}/?{'a' * 2048}",
        f"/v1{page}/",
        "/feeds/world-that-is-not",
    ):
        answer = feed.reader.get(str(feed.reader.base_url).rstrip("/") + path)
        assert (answer.status_code, answer.headers.get("location")) == (404, None), path
    assert feed.reader.post(f"{page}/").status_code == 404
    # What is led to is the right address already, though nothing is there.
    assert feed.reader.get("/feeds/Nobody/").headers["location"] == "/feeds/nobody"
    assert feed.reader.get("/feeds/nobody").status_code == 404
