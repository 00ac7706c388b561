"""The schemas of a feedserver's JSON. Whatever answers with other JSON is no feedserver.

Only what this program reads is checked: members that it does not know may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from feedserver.model import is_slug
from publisher.failures import ServerRefusal

Schema = Callable[[Any], bool]

_ETAG = re.compile(r"[\x21\x23-\x7e]{1,128}")  # it travels back in If-Match, within quotes


def is_warnings(value: Any) -> bool:
    """Say whether it is what the check before publishing answers."""
    return isinstance(value, dict) and _list(
        _object({"code": is_text, "pointer": is_text, "detail": is_text}, {"suggestion": is_text})
    )(value.get("warnings"))


def is_text(value: Any) -> bool:
    """Say whether it is a string."""
    return isinstance(value, str)


def is_number(value: Any) -> bool:
    """Say whether it is a number, whole or not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    """Say whether it is a whole number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_etag(value: Any) -> bool:
    """Say whether it is an item's version as If-Match names it."""
    return isinstance(value, str) and _ETAG.fullmatch(value) is not None


def _object(needed: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object; absent means null, too, where a member is optional."""

    def fits(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and all(name in value and schema(value[name]) for name, schema in needed.items())
            and all(
                value.get(name) is None or schema(value[name])
                for name, schema in (optional or {}).items()
            )
        )

    return fits


def _list(schema: Schema) -> Schema:
    return lambda value: isinstance(value, list) and all(map(schema, value))


def _is_slug(value: Any) -> bool:
    return is_text(value) and is_slug(value)


def _texts(*names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, is_text)


_is_linked = _object({"text": is_text}, {"href": is_text})


def _is_span(value: Any) -> bool:
    return is_text(value) or _is_linked(value)


def _is_block(value: Any) -> bool:
    # An object is a list, a quote, or of a kind that came after this program.
    return isinstance(value, dict) or _list(_is_span)(value)


_BLOCKS = _list(_is_block)
_ITEM: dict[str, Schema] = {
    "version": is_whole,
    "etag": is_etag,
    "blocks": _BLOCKS,
    "tags": _list(is_text),
    "media": _list(_object({"url": is_text}, _texts("alt", "caption", "credit", "type"))),
    "corrections": _list(_object({}, _texts("at", "note"))),
    **_texts(
        "status", "headline", "body", "note", "byline", "source", "url", "language",
        "published_at", "updated_at", "occurred_at", "killed_at",
    ),
}  # fmt: skip

is_item = _object({"id": is_whole}, _ITEM)
is_versioned_item = _object({"id": is_whole, "etag": is_etag}, _ITEM)
is_named_feed = _object({"slug": _is_slug}, _texts("url", "timezone"))
is_page = _object({"items": _list(is_item)}, {"next": is_text, "feed": is_named_feed})
is_feeds = _object(
    {"feeds": _list(_object({"slug": _is_slug}, _texts("title", "url", "closed_at", "timezone")))},
    {"next": _is_slug},
)
is_session = _object(
    {"name": is_text},
    {"feeds": _list(_is_slug), "verbs": _list(is_text), **_texts("expires")},
)
is_readers = _object({"readers": is_whole})
is_revisions = _object(
    {
        "revisions": _list(
            _object(
                {"version": is_whole, "verb": is_text},
                {"fields": lambda value: isinstance(value, dict), **_texts("at", "editor", "note")},
            )
        )
    }
)
is_history = _object(
    {"history": _list(_object({"verb": is_text}, {"blocks": _BLOCKS, **_texts("at", "headline")}))}
)

_LIVE_ITEMS = _list(_object({"id": is_whole, "version": is_whole}, _ITEM))
_POSITION = _texts("epoch", "cursor")
_MESSAGES: dict[str, Schema] = {
    "snapshot": _object(
        {"items": _LIVE_ITEMS, **_POSITION},
        {"heartbeat": is_number, "feed": is_named_feed, **_texts("now")},
    ),
    "changes": _object({"items": _LIVE_ITEMS, **_texts("since"), **_POSITION}, _texts("now")),
    "heartbeat": _object({}, _texts("cursor")),
    "goodbye": _object({}, {"retry_ms": is_number}),
}


def is_snapshot(value: Any) -> bool:
    """Say whether it is the live message that tells a feed's state as a whole."""
    return isinstance(value, dict) and value.get("type") == "snapshot" and is_message(value)


def is_message(value: Any) -> bool:
    """Say whether it is a live message. One of an unknown kind is."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return False
    schema = _MESSAGES.get(value["type"])
    return schema is None or schema(value)


def tombstone_of(refusal: ServerRefusal) -> dict[str, Any]:
    """Return what a 410 still tells of the item; empty where it tells nothing."""
    found = refusal.problem.get("tombstone")
    return found if isinstance(found, dict) and is_versioned_item(found) else {}
