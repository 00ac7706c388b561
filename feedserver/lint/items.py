"""An item as clients have it, for the check."""

from __future__ import annotations

from typing import Any

from feedserver.model import Content, Media


def content_of(item: dict[str, Any]) -> Content:
    """Return what the check looks at of an item in JSON, as an answer to a token has it."""
    return Content(
        headline=_text(item.get("headline")),
        body=_text(item.get("body")),
        byline=_text(item.get("byline")) or None,
        source=_text(item.get("source")) or None,
        tags=tuple(tag for tag in item.get("tags") or () if isinstance(tag, str)),
        media=tuple(
            Media(
                _text(one.get("url")),
                _text(one.get("alt")) or None,
                credit=_text(one.get("credit")) or None,
            )
            for one in item.get("media") or ()
            if isinstance(one, dict)
        ),
        language=_text(item.get("language")) or None,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
