"""Model to JSON and back, once for everybody: the API, the live messages, the tables, the CLI."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from feedserver import markup
from feedserver.errors import BadRequest
from feedserver.model import (
    Correction,
    Feed,
    Item,
    Key,
    Logged,
    Media,
    Millis,
    Origin,
    Record,
    Status,
    Verb,
)

Json = dict[str, Any]
dumps = orjson.dumps
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def loads(data: bytes | str) -> Any:
    """Parse JSON. Raises BadRequest that says where it breaks, without quoting the text."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as fault:
        place = f"line {fault.lineno}, column {fault.colno}"
        raise BadRequest(f"this is not JSON in UTF-8 ({fault.msg} at {place})") from None


def loads_once(data: bytes) -> Any:
    """Parse JSON from outside, which must not name a member twice: one value would be lost."""
    value = loads(data)
    try:
        json.loads(data, object_pairs_hook=_unique, parse_int=str)
        dumps(value)  # what cannot be written again is of no use, and could not be kept
    except (RecursionError, orjson.JSONEncodeError):
        raise BadRequest("this JSON is nested too deeply") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    members: Json = {}
    for name, value in pairs:
        if name in members:
            raise BadRequest(f"the JSON names the member {name[:80]} more than once")
        members[name] = value
    return members


def time_text(at: Millis) -> str:
    """Write a time as RFC 3339 in UTC with milliseconds."""
    moment = _EPOCH + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def item_json(item: Item, *, body: bool = False) -> Json:
    """Return the public object of an item; with `body`, its source text for editors too."""
    if item.status is Status.KILLED:
        return _present(
            id=item.id,
            feed=item.feed,
            version=item.version,
            etag=item.etag,
            status=item.status,
            published_at=time_text(item.published_at),
            killed_at=_time(item.killed_at),
            note=item.note,
        )
    return _present(
        id=item.id,
        feed=item.feed,
        version=item.version,
        etag=item.etag,
        status=item.status,
        headline=item.headline,
        blocks=blocks_json(item.body),
        body=item.body if body else None,
        published_at=time_text(item.published_at),
        updated_at=_time(item.updated_at),
        occurred_at=_time(item.occurred_at),
        byline=item.byline,
        source=item.source,
        url=item.url,
        tags=list(item.tags),
        breaking=item.breaking,
        pinned=item.pinned,
        language=item.language,
        media=[_present(**asdict(medium)) for medium in item.media],
        corrections=[{"at": time_text(c.at), "note": c.note} for c in item.corrections],
        imported=item.imported,
    )


def blocks_json(body: str) -> list[list[Any]]:
    """Return body text as paragraphs of spans."""
    return [
        [
            span.text
            if not (span.strong or span.em or span.href)
            else _present(text=span.text, strong=span.strong, em=span.em, href=span.href)
            for span in block
        ]
        for block in markup.blocks(body)
    ]


def feed_json(feed: Feed, url: str, cursor: str) -> Json:
    """Return the public object of a feed; `url` is its page."""
    return _present(
        slug=feed.slug,
        title=feed.title,
        language=feed.language,
        timezone=feed.timezone,
        description=feed.description,
        url=url,
        created_at=time_text(feed.created_at),
        closed_at=_time(feed.closed_at),
        cursor=cursor,
    )


def revision_json(entry: Logged) -> Json:
    """Return one line of an item's log, for editors: who did what when."""
    record = entry.record
    fields = {
        name: time_text(value) if name.endswith("_at") and value is not None else value
        for name, value in record.fields.items()
    }
    return _present(
        version=entry.sequence,
        verb=record.act,
        at=time_text(record.at),
        claimed_at=_time(record.claimed_at),
        editor=record.editor,
        note=record.note,
        fields=fields or None,
    )


def shown_json(version: int, verb: Verb, at: Millis, item: Item) -> Json:
    """Return one line of an item's history, for readers: what they were shown."""
    return _present(
        version=version,
        verb=verb,
        at=time_text(at),
        headline=item.headline,
        blocks=blocks_json(item.body),
    )


def dump_item(item: Item) -> bytes:
    """Write an item as it is kept in a table."""
    return orjson.dumps(item)


def load_item(data: bytes | str) -> Item:
    """Read an item as `dump_item` wrote it."""
    raw = orjson.loads(data)
    raw["status"] = Status(raw["status"])
    raw["tags"] = tuple(raw["tags"])
    raw["media"] = tuple(Media(**medium) for medium in raw["media"])
    raw["corrections"] = tuple(Correction(**correction) for correction in raw["corrections"])
    raw["origin"] = Origin(**raw["origin"]) if raw["origin"] else None
    return Item(**raw)


def dump_record(record: Record) -> bytes:
    """Write what a kill would erase of a record, and what only the record itself needs."""
    return orjson.dumps(
        {
            "fields": record.fields,
            "note": record.note,
            "base": record.base,
            "claimed_at": record.claimed_at,
            "origin": record.origin,
            "digest": record.digest,
            "key": record.key,
            "erased": record.erased,
        }
    )


def load_record(data: bytes | str) -> Json:
    """Read what `dump_record` wrote, as keyword arguments of Record."""
    raw: Json = orjson.loads(data)
    raw["base"] = tuple(raw["base"]) if raw["base"] else None
    raw["origin"] = Origin(**raw["origin"]) if raw["origin"] else None
    raw["key"] = Key(**raw["key"]) if raw["key"] else None
    raw.pop("erased")  # for mirrors that are rebuilt; nothing here asks for it again
    return raw


def _time(at: Millis | None) -> str | None:
    return None if at is None else time_text(at)


def _present(**fields: Any) -> Json:
    """Leave out what is null, false or empty; a 0 stays."""
    return {
        name: value
        for name, value in fields.items()
        if value is not None and value is not False and value != "" and value != []
    }
