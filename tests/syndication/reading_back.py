"""Documents as programs of others read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import feedparser
import orjson
from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
TOMBSTONE = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"
STATES = "urn:newsfeed:state"


@dataclass(frozen=True)
class Told:
    """What a reader makes of one entry. Times are ISO texts, to the second."""

    urn: str
    title: str
    html: str
    url: str
    published: str
    updated: str | None
    author: str | None
    tags: frozenset[str]
    states: frozenset[str]
    enclosures: tuple[str, ...]

    @property
    def words(self) -> str:
        """The entry's text, a blank line between paragraphs."""
        return words_of(self.html)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "li"}:
            self.found.append("\n\n")

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "br":
            self.found.append("\n")


def words_of(html: str) -> str:
    parser = _Words()
    parser.feed(html)
    parser.close()
    return "".join(parser.found).strip()


def read(suffix: str, body: bytes) -> dict[str, Told]:
    """Read a document's entries, by id, in their order."""
    told = _read_json(body) if suffix == ".json" else _read_xml(body)
    found = {one.urn: one for one in told}
    assert len(found) == len(told), "an id stands there twice"
    return found


def parse(body: bytes) -> Any:
    """Parse XML as strictly as lxml does."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    return etree.fromstring(body, parser)


def tombstones(body: bytes) -> dict[str, tuple[str, str]]:
    """Return `when` and comment of each tombstone of an Atom document."""
    return {
        found.get("ref"): (found.get("when"), "".join(found.itertext()))
        for found in parse(body).iter(TOMBSTONE)
    }


def next_of(suffix: str, body: bytes) -> str | None:
    """Return the address of what follows a document."""
    if suffix == ".json":
        found: str | None = orjson.loads(body).get("next_url")
        return found
    links = feedparser.parse(body).feed.links
    return next((link.href for link in links if link.rel == "next"), None)


def _read_xml(body: bytes) -> list[Told]:
    parse(body)
    parsed = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
    assert not parsed.bozo, parsed.bozo_exception
    return [_entry(entry) for entry in parsed.entries]


def _entry(entry: Any) -> Told:
    terms = entry.get("tags", [])
    return Told(
        urn=entry.id,
        title=entry.title,
        html=entry.content[0].value if entry.get("content") else "",
        url=entry.link,
        published=_iso(entry.published_parsed),
        updated=_iso(entry.updated_parsed) if "updated" in entry else None,
        author=entry.get("author"),
        tags=frozenset(one.term for one in terms if one.scheme != STATES),
        states=frozenset(one.term for one in terms if one.scheme == STATES),
        enclosures=tuple(link.href for link in entry.get("enclosures", ())),
    )


def _iso(moment: Any) -> str:
    return datetime(*moment[:6], tzinfo=UTC).isoformat()


def _read_json(body: bytes) -> list[Told]:
    told = []
    for item in orjson.loads(body)["items"]:
        own = item["_newsfeed"]
        states = {
            "breaking": own.get("breaking"),
            "pinned": own.get("pinned"),
            "held": own["status"] == "held",
            "killed": own["status"] == "killed",
            "corrected": bool(own.get("corrections")),
        }
        told.append(
            Told(
                urn=item["id"],
                title=item["title"],
                html=item["content_html"],
                url=item["url"],
                published=_to_the_second(item["date_published"]),
                updated=_to_the_second(item["date_modified"]) if "date_modified" in item else None,
                author=item["authors"][0]["name"] if "authors" in item else None,
                tags=frozenset(item.get("tags", ())),
                states=frozenset(name for name, is_so in states.items() if is_so),
                enclosures=tuple(one["url"] for one in item.get("attachments", ())),
            )
        )
    return told


def _to_the_second(text: str) -> str:
    return datetime.fromisoformat(text).replace(microsecond=0).isoformat()
