"""What each verb does in each format: the table of docs/interchange.md, line by line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from desk import Desk
from facts import FORMATS, Facts, Item, dates_of
from support.answers import Feed
from support.server import ROOT, Editor

from feedserver.model import Verb

PAGE = ROOT / "docs" / "interchange.md"
HEADLINE = "Bus Secret hit"
STORY: dict[str, Any] = {
    "body": "Seven **Secret** hurt.",
    "byline": "Olena Secret",
    "source": "Agency Secret",
    "url": "https://secret.example/story",
    "tags": ["Secret"],
    "media": [{"url": "https://secret.example/bus.png", "alt": "Secret", "credit": "Secret"}],
    "breaking": True,
}
WORDS = {"headline": "Bus Secret hurt", "body": "Four Secret."}
# Of each verb: what was done before, what is sent.
PLAYS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "fix": ((), WORDS),
    "update": ((), WORDS),
    "correct": ((), WORDS | {"note": "It was four."}),
    "hold": ((), {}),
    "release": (("hold",), {}),
    "kill": ((), {"note": "A hoax."}),
    "pin": ((), {}),
    "unpin": (("pin",), {}),
    "redact": (("fix",), {"note": "a name"}),
}
MOVING = {"update": "updated_at", "correct": "updated_at", "kill": "killed_at"}
DATES = {"updated", "published", "pubDate", "atom:updated", "date_published", "date_modified"} | {
    "firstCreated", "versionCreated", "datePublished", "dateModified", "lastmod",
    "news:publication_date",
}  # fmt: skip


def table() -> dict[str, dict[str, str]]:
    """Return the cells of the page's table, by verb and format."""
    lines = PAGE.read_text().partition("| verb |")[2].splitlines()
    formats = [cell.strip() for cell in lines[0].strip("|").split("|")]
    rows = {}
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        verb, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        rows[verb.strip("`")] = dict(zip(formats, cells, strict=True))
    return rows


TABLE = table()


@pytest.fixture
def desk(feed: Feed, anna: Editor) -> Desk:
    settings = {"title": "World", "language": "en", "timezone": "Europe/Kyiv"}
    assert anna.configure(feed.slug, **settings).status_code == 200
    return Desk(feed.slug, anna, feed.reader)


def test_the_table_has_every_verb_and_every_format() -> None:
    assert list(TABLE) == list(Verb)
    assert {tuple(cells) for cells in TABLE.values()} == {tuple(FORMATS)}
    assert list(PLAYS) == list(Verb)[1:]


def posted(desk: Desk) -> Item:
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="milliseconds")
    return desk.post(HEADLINE, published_at=hour_ago, **STORY)


def told(desk: Desk, item: Item) -> dict[str, Facts]:
    return {name: facts(desk, item) for name, facts in FORMATS.items()}


def test_a_post_is_new_in_every_format(desk: Desk) -> None:
    item = posted(desk)
    for name, facts in told(desk, item).items():
        assert facts, name
        assert TABLE["post"][name] == "new"


@pytest.mark.parametrize("verb", PLAYS)
def test_a_verb_changes_what_the_table_says_and_nothing_else(desk: Desk, verb: str) -> None:
    first = item = posted(desk)
    done_before, sent = PLAYS[verb]
    for earlier in done_before:
        item = desk.editor.revised(item, earlier, **PLAYS[earlier][1])
    before, dates_before = told(desk, item), dates_of(desk)
    if verb == "redact":
        sent = sent | {"version": first["version"]}
    after_item = desk.editor.revised(item, verb, **sent)
    after, dates = told(desk, item), dates_of(desk)
    moved_to = after_item[MOVING[verb]] if verb in MOVING else None
    for name, cell in TABLE[verb].items():
        if cell == "gone":
            assert before[name], name
            assert not after[name], name
            continue
        if cell == "back":
            assert not before[name], name
            assert after[name], name
            continue
        assert after[name], f"it is still in {name}"
        every = before[name].keys() | after[name].keys()
        changed = {one for one in every if before[name].get(one) != after[name].get(one)}
        assert changed == set(re.findall(r"`([^`]+)`", cell)), name
        assert moved_to or not changed & DATES, f"{verb} moves no date in {name}"
        for date in changed & DATES:
            assert moved_to in str(after[name][date]), f"{date} in {name}"
    assert all(date == (moved_to or dates_before[name]) for name, date in dates.items())
    if verb == "kill":
        leave_no_word(desk, item)


def leave_no_word(desk: Desk, item: Item) -> None:
    """Look for the words of a killed item wherever they could stand."""
    suffixes = (".atom", ".rss", ".json", ".ninjs", ".jsonld", ".md")
    own = (f"/items/{item['id']}", f"/items/{item['id']}.ninjs")
    for rest in ["", "/embed", *own, *suffixes]:
        for query in ["", "?before=99999999999999.9"]:
            text = desk.reader.get(f"/feeds/{desk.slug}{rest}{query}").text
            assert "secret" not in text.lower(), rest + query
    address = desk.url(f"/items/{item['id']}")
    assert address not in desk.reader.get("/sitemap-news.xml").text
    answer = desk.reader.get("/oembed", params={"url": address})
    assert answer.status_code == 410
    assert "Secret" not in answer.text


def test_the_test_sees_what_a_wrong_table_says(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = TABLE["hold"] | {"Atom": TABLE["hold"]["Atom"] + " `updated`"}
    monkeypatch.setitem(TABLE, "hold", wrong)
    with pytest.raises(AssertionError):
        test_a_verb_changes_what_the_table_says_and_nothing_else(desk, "hold")
