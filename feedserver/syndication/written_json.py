"""JSON documents, written in pieces that are joined, as the size of a document is theirs."""

from __future__ import annotations

from typing import Any

import orjson

from feedserver.syndication.elements import clean


def dumps(value: Any) -> bytes:
    """Write JSON, whatever characters are in it."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # half a character: no text in UTF-8 can have it
        return orjson.dumps(_cleaned(value))


def with_list(head: dict[str, Any], name: str, pieces: list[bytes]) -> bytes:
    """Write an object whose last member is a list of these pieces."""
    return b'%b,"%b":[%b]}' % (dumps(head)[:-1], name.encode(), b",".join(pieces))


def present(**members: Any) -> dict[str, Any]:
    """Leave out what is null, false or empty."""
    return {name: value for name, value in members.items() if value not in (None, False, "", [])}


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case dict():
            return {name: _cleaned(member) for name, member in value.items()}
        case list():
            return [_cleaned(member) for member in value]
        case _:
            return value
