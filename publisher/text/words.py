"""The words of an item, field by field: which there are, and whether two are alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from publisher.text.items import local_time
from publisher.text.typed import Text

if TYPE_CHECKING:
    from feedserver.wire import Json

WORDS = (
    "headline", "body", "byline", "source", "url", "tags", "breaking", "language", "occurred_at",
    "media",
)  # fmt: skip
TEXTS = ("headline", "body")  # which --edit opens
NAMES = {
    "url": "URL",
    "occurred_at": "Happened",
    "media": "Pictures",
    "summary": "Key points",
}
_LONG = ("body", "summary")
_OF_MEDIUM = ("alt", "caption", "credit")


def words_in(item: Mapping[str, Any]) -> Json:
    """Return the words of an item, without the fields that it lacks."""
    return {name: item[name] for name in WORDS if item.get(name)}


def texts_in(fields: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return each text of some words or of a request, with its field; long ones by their lines."""
    found = [(name, fields.get(name)) for name in ("headline", "byline", "source", "url", "note")]
    for name in _LONG:
        found += [(name, line.strip()) for line in (fields.get(name) or "").splitlines()]
    found += [
        ("tags", tag) for tag in (*(fields.get("tags") or ()), *(fields.get("add_tags") or ()))
    ]
    media = (*(fields.get("media") or ()), *(fields.get("pictures") or ()))
    found += [(f"media {name}", one.get(name)) for one in media for name in ("url", *_OF_MEDIUM)]
    return {(name, text) for name, text in found if text}


def alike(name: str, one: Any, other: Any) -> bool:
    """Say whether two values of a field say the same."""
    return bool(_stored(name, one) == _stored(name, other))


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the fields that differ between two states of an item's words."""
    return [name for name in WORDS if not alike(name, before.get(name), after.get(name))]


def as_text(name: str, value: Any) -> str:
    """Return what a field says as a text that can be compared by words."""
    match name, value:
        case _, None | False:
            return ""
        case "breaking", _:
            return "yes"
        case "tags", _:
            return ", ".join(value)
        case "media", _:
            return "\n".join(
                f"{number}: {medium_text(medium)}" for number, medium in enumerate(value, 1)
            )
        case "occurred_at", _:
            return local_time(value)
        case (("body" | "summary"), _):
            return Text.of(None, value).body or ""
    return str(value)


def medium_text(medium: Mapping[str, Any]) -> str:
    """Return what is said about a picture, in a line."""
    parts = [medium["url"], *(medium.get(name) for name in _OF_MEDIUM)]
    if medium.get("width"):
        parts.append(f"{medium['width']}x{medium.get('height')}")
    return " · ".join(filter(None, parts))


def _stored(name: str, value: Any) -> Any:
    """Return a field in a form that is equal for equal contents, as the server would store it."""
    if name == "occurred_at" and value is not None:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value  # the server says what is wrong with it
    if name in _LONG:
        value = Text.of(None, value or "").body
    elif name == "headline":
        value = Text.of(value, None).headline
    elif name == "media":  # whose type the server may have told by the address
        value = [
            {key: part for key, part in medium.items() if key != "type" and part not in (None, "")}
            for medium in value or ()
        ]
    return value or None
