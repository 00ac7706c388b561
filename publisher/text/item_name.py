"""How an editor names an item: by its number, by its address, or as the last one of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from feedserver.model import SLUG

_NUMBER = re.compile(r"#?0*([1-9][0-9]{0,14})")
_LAST = re.compile(r"last(?::0*([1-9][0-9]{0,2}))?")
_PATH = re.compile(
    rf"(?P<base>(?:/.*?)?)/feeds/(?P<feed>{SLUG})"
    r"(?:/items/0*(?P<item>[1-9][0-9]{0,14})(?:/[a-z]+|\.ninjs)?)?/?"
)
_ROW = re.compile(r"item-0*([1-9][0-9]{0,14})")  # the fragment that leads to an item on a page


@dataclass(frozen=True, slots=True)
class ItemName:
    """An item as it was typed: by its `id`, or as the `last` but so many, counted from 1.

    An address has the `server` and the `feed` too.
    """

    text: str
    id: int | None = None
    last: int | None = None
    server: str | None = None
    feed: str | None = None


def read_item_name(text: str) -> ItemName | None:
    """Read the name of an item; None for what names none."""
    if number := _NUMBER.fullmatch(text):
        return ItemName(text, id=int(number[1]))
    if last := _LAST.fullmatch(text):
        return ItemName(text, last=int(last[1] or 1))
    return _read_address(text)


def _read_address(text: str) -> ItemName | None:
    """Read the address of an item's page, of its row on a page, or of the item itself."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port  # which says by itself if it is wrong
    except ValueError:
        return None
    path = _PATH.fullmatch(parts.path)
    whole = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    if not whole or not path or port == 0:
        return None
    row = _ROW.fullmatch(parts.fragment)
    at = _NUMBER.fullmatch(parse_qs(parts.query).get("at", [""])[0])
    found = path["item"] or (row and row[1]) or (at and at[1])
    if not found:
        return None
    server = f"{parts.scheme}://{parts.netloc}{path['base'].removesuffix('/v1')}"
    return ItemName(text, id=int(found), server=server, feed=path["feed"])
