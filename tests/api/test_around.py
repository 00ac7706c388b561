"""The page around an item, by the doors of programs and people."""

from __future__ import annotations

import re

import pytest
from support.answers import Feed, problem


def test_the_page_around_an_item_leads_both_ways_and_is_refused_beside_other_questions(
    feed: Feed, slug: str
) -> None:
    ids = [feed.item(f"News {n}")["id"] for n in range(7)][::-1]
    killed = feed.get(f"/items/{ids[3]}")
    assert feed.editor.revised(killed, "kill", note="No.")["status"] == "killed"

    page = feed.get("/items", at=ids[3], limit=3)
    assert [item["id"] for item in page["items"]] == ids[2:5]
    assert page["items"][1]["note"] == "No."
    assert list(page)[-1] == "now"
    above = feed.get("/items", after=page["previous"], limit=3)
    assert [item["id"] for item in above["items"]] == ids[:2]
    assert "previous" not in above
    below = feed.get("/items", before=page["next"], limit=3)
    assert [item["id"] for item in below["items"]] == ids[5:]
    assert "previous" not in below
    for query in ("at=1&before=1.1", "at=1&after=1.1", "before=1.1&after=1.1", "at=1&tag=a",
                  "at=1&q=a", "after=1.1&tag=a", "at=x", "at=", "at=1.1", "after=1"):  # fmt: skip
        problem(feed.reader.get(f"{feed.path}/items?{query}"), 400, "bad-request")
    problem(feed.reader.get(f"{feed.path}/items?at=999999"), 404, "not-found")


@pytest.mark.parametrize("door", ["/v1/feeds/{}/items", "/feeds/{}"])
def test_an_item_of_another_feed_is_not_found_around(feed: Feed, door: str) -> None:
    feed.editor.configure(f"{feed.slug}-other", title="Other")
    other = feed.editor.item("Elsewhere", f"{feed.slug}-other")["id"]
    answer = feed.reader.get(f"{door.format(feed.slug)}?at={other}")
    assert answer.status_code == 404


def test_the_page_for_people_is_the_items_own_to_machines_and_leads_on(feed: Feed) -> None:
    ids = [feed.item(f"News {n}", body=f"Words {n}.")["id"] for n in range(60)][::-1]
    address = f"/feeds/{feed.slug}"
    page = feed.reader.get(f"{address}?at={ids[40]}").text
    shown = [int(found) for found in re.findall(r'data-id="(\d+)"', page)]
    assert shown == ids[16:]
    assert f"<title>{feed.get(f'/items/{ids[40]}')['headline']}</title>" in page
    assert 'name="description" content="Words 19."' in page
    assert re.search(rf'rel="canonical" href="[^"]*{address}/items/{ids[40]}"', page)
    up = re.search(r'class="page" rel="prev" href="([^"]*)"', page)
    assert up
    above = feed.reader.get(up[1]).text
    assert [int(found) for found in re.findall(r'data-id="(\d+)"', above)] == ids[:16]

    own = feed.reader.get(f"{address}/items/{ids[40]}").text
    main = own[own.index("<main") :]
    first = re.search(r'<a href="([^"]*)">', main)
    assert first
    assert first[1] == f"{address}?at={ids[40]}#item-{ids[40]}"
    assert f'rel="prev" href="{address}/items/{ids[41]}"' in main
    assert f'rel="next" href="{address}/items/{ids[39]}"' in main
    newest = feed.reader.get(f"{address}/items/{ids[0]}").text
    assert 'rel="next"' not in newest[newest.index("<main") :]
