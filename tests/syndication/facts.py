"""What each format says of one item, by name: so that what a verb changes can be told by names.

A format that does not have the item says nothing of it.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import orjson
from desk import Desk
from lxml import etree
from reading_back import ATOM, STATES, TOMBSTONE, parse

Item = dict[str, Any]
Facts = dict[str, Any]
PREFIXES = {
    "http://www.w3.org/2005/Atom": "atom:",
    "http://purl.org/rss/1.0/modules/content/": "content:",
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://search.yahoo.com/mrss/": "media:",
    "http://www.google.com/schemas/sitemap-news/0.9": "news:",
    "http://www.sitemaps.org/schemas/sitemap/0.9": "",
}
LD = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)


def atom(desk: Desk, item: Item) -> Facts:
    feed = parse(desk.get(".atom").content)
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    for entry in feed.iter(f"{ATOM}entry"):
        if entry.findtext(f"{ATOM}id") == item["uid"]:
            for child in entry:
                found[_name(child).removeprefix("atom:")].append(etree.tostring(child))
    for tombstone in feed.iter(TOMBSTONE):
        if tombstone.get("ref") == item["uid"]:
            found["at:deleted-entry"].append(etree.tostring(tombstone))
    return dict(found)


def rss(desk: Desk, item: Item) -> Facts:
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    for entry in parse(desk.get(".rss").content).iter("item"):
        if entry.findtext("guid") == item["uid"]:
            for child in entry:
                found[_name(child)].append(etree.tostring(child))
    return dict(found)


def json_feed(desk: Desk, item: Item) -> Facts:
    for told in orjson.loads(desk.get(".json").content)["items"]:
        if told["id"] == item["uid"]:
            own = told.pop("_newsfeed")
            return dict(told) | {f"_newsfeed.{name}": value for name, value in own.items()}
    return {}


def ninjs(desk: Desk, item: Item) -> Facts:
    (told,) = [
        one
        for one in orjson.loads(desk.get(".ninjs").content)["associations"]
        if one["uri"] == item["uid"]
    ]
    alone = desk.reader.get(f"/feeds/{desk.slug}/items/{item['id']}.ninjs")
    assert alone.status_code == (410 if told["pubStatus"] == "canceled" else 200)
    ours = {name: value for name, value in told.items() if name not in {"name", "rel"}}
    assert alone.json() == ours | {"standard": alone.json()["standard"]}
    return ours


def json_ld(desk: Desk, item: Item) -> Facts:
    blog = orjson.loads(desk.get(".jsonld").content)
    on_page = LD.search(desk.get("").text)
    assert on_page
    shown = {"liveBlogUpdate": []} | orjson.loads(html.unescape(on_page[1]))
    assert shown == blog, "the page says the same"
    for told in blog["liveBlogUpdate"]:
        if told["identifier"] == item["uid"]:
            return dict(told)
    return {}


def markdown(desk: Desk, item: Item) -> Facts:
    for section in desk.get(".md").text.split("\n## ")[1:]:
        heading, marks, *rest = section.strip().split("\n\n")
        link = f"<{desk.url('/items/' + str(item['id']))}>"
        if link in rest or heading == "Withdrawn":
            return {
                "heading": heading,
                "marks": marks,
                "text": [one for one in rest if one != link],
            }
    return {}


def sitemap(desk: Desk, item: Item) -> Facts:
    address = desk.url(f"/items/{item['id']}")
    for url in parse(desk.reader.get("/sitemap-news.xml").content):
        if url.findtext("{*}loc") == address:
            return {_name(one): one.text for one in url.iter() if not len(one)}
    return {}


def oembed(desk: Desk, item: Item) -> Facts:
    asked = {"url": desk.url(f"/items/{item['id']}")}
    answer = desk.reader.get("/oembed", params=asked)
    if answer.status_code != 200:
        return {}
    told: Facts = answer.json()
    return told


FORMATS: dict[str, Callable[[Desk, Item], Facts]] = {
    "Atom": atom,
    "RSS": rss,
    "JSON Feed": json_feed,
    "ninjs": ninjs,
    "JSON-LD": json_ld,
    "Markdown": markdown,
    "sitemap": sitemap,
    "oEmbed": oembed,
}


def dates_of(desk: Desk) -> dict[str, str]:
    """Return when the feed changed last, as each format that tells so to the millisecond does."""
    return {
        "Atom": str(parse(desk.get(".atom").content).findtext(f"{ATOM}updated")),
        "ninjs": orjson.loads(desk.get(".ninjs").content)["versionCreated"],
        "JSON-LD": orjson.loads(desk.get(".jsonld").content)["dateModified"],
    }


def _name(element: Any) -> str:
    name = etree.QName(element)
    if name.localname == "category" and STATES in element.attrib.values():
        return "state"
    if name.localname == "link" and element.get("rel"):
        return f"link {element.get('rel')}"
    return PREFIXES.get(name.namespace or "", "") + name.localname
