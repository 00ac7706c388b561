"""Model to JSON and back, once for everybody: the API, the live messages, the tables, the CLI."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from feedserver import markup
from feedserver.errors import BadRequest
from feedserver.markup import Block, Listed, Quote
from feedserver.media_types import known_type
from feedserver.model import Act, Content, Feed, Item, Media, Millis, Revision, Status, Verb
from feedserver.spans import Paragraph

Json = dict[str, Any]
dumps = orjson.dumps
SHOWN_BYTES = 100  # of a line of an item's history, beside its texts
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
    """Return the public object of an item, for orjson; with `body`, its source text for editors."""
    if item.status is Status.KILLED:
        return _present(
            id=item.id,
            uid=item.uid,
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
        uid=item.uid,
        feed=item.feed,
        version=item.version,
        etag=item.etag,
        status=item.status,
        headline=item.headline,
        blocks=_blocks(item),
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
        media=[_media_json(medium) for medium in item.media],
        corrections=[{"at": time_text(c.at), "note": c.note} for c in item.corrections],
        imported=item.imported,
    )


def blocks_json(body: str) -> list[Any]:
    """Return body text as paragraphs (lists of spans), lists and quotes."""
    return list(map(_block_json, markup.blocks(body)))


def feed_json(feed: Feed, url: str, cursor: str) -> Json:
    """Return the public object of a feed; `url` is its page."""
    return _present(
        slug=feed.slug,
        uid=feed.uid,
        title=feed.title,
        language=feed.language,
        timezone=feed.timezone,
        description=feed.description,
        summary=blocks_json(feed.summary) if feed.summary else None,
        summary_at=_time(feed.summary_at),
        url=url,
        created_at=time_text(feed.created_at),
        closed_at=_time(feed.closed_at),
        version=feed.version,
        etag=feed.etag,
        cursor=cursor,
    )


def revisions_json(revisions: Iterable[Revision]) -> list[Json]:
    """Return an item's revisions, oldest first, for editors: who did what when."""
    told = []
    before: Content | None = Content()
    for revision in revisions:
        changed: Json = {}
        if _has_words(revision):
            after = revision.item.content if revision.item is not None else None
            changed = _changed(before, after)
            before = after
        published_at = revision.effective_at
        if revision.act is Verb.POST and published_at not in (revision.at, revision.claimed_at):
            changed["published_at"] = time_text(published_at)
        is_told = revision.erased_at is None and not revision.unreadable
        told.append(_told(revision, changed) if is_told else _wordless(revision))
    return told


def feed_revisions_json(revisions: Iterable[Revision]) -> list[Json]:
    """Return the revisions of a feed's own settings, oldest first."""
    told = []
    before: Json | None = {}
    for revision in revisions:
        if revision.act is not Act.FEED:
            told.append(_told(revision, {}))
            continue
        if revision.settings is None:
            told.append(_wordless(revision))
            before = None
            continue
        after = asdict(revision.settings)
        del after["is_typo"]
        changed = {
            name: value
            for name, value in after.items()
            if before is not None and before.get(name) != value and (before or value)
        }
        told.append(_told(revision, changed))
        before = after
    return told


def shown_json(revision: Revision) -> Json:
    """Return one line of an item's history, for readers: what they were shown."""
    item = revision.item
    return _present(
        version=revision.version,
        verb=revision.act,
        at=time_text(revision.effective_at),
        headline=item.headline if item else None,
        blocks=_blocks(item) if item else None,
        redacted=item is None and not revision.unreadable,
        unreadable=revision.unreadable,
    )


def shown_bytes(revision: Revision) -> int:
    """Return about how many bytes a line of an item's history takes."""
    item = revision.item
    if item is None:
        return SHOWN_BYTES
    text = item.body.encode() if item.blocks is None else item.blocks
    return SHOWN_BYTES + len(item.headline.encode()) + len(text)


def _media_json(medium: Media) -> Json:
    return _present(**asdict(medium) | {"type": medium.type or known_type(medium.url)})


def _block_json(block: Block) -> Any:
    match block:
        case Listed(entries, ordered):
            return _present(list=list(map(_spans_json, entries)), ordered=ordered)
        case Quote(paragraphs, cite):
            return _present(quote=list(map(_spans_json, paragraphs)), cite=cite)
        case _:
            return _spans_json(block)


def _spans_json(paragraph: Paragraph) -> list[Any]:
    return [
        span.text
        if not (span.strong or span.em or span.href)
        else _present(text=span.text, strong=span.strong, em=span.em, href=span.href)
        for span in paragraph
    ]


def _has_words(revision: Revision) -> bool:
    return revision.words_at == revision.version and revision.act is not Verb.KILL


def _changed(before: Content | None, after: Content | None) -> Json:
    """Return the fields that differ, as an editor sends them; none if one side has no words."""
    if before is None or after is None:
        return {}
    old, new = asdict(before), asdict(after)
    changed = {}
    for name, value in new.items():
        if name in {"blocks", "corrections"} or value == old[name]:
            continue
        if name == "occurred_at" and value is not None:
            value = time_text(value)
        elif name == "media":
            value = [_present(**medium) for medium in value]
        elif name == "tags":
            value = list(value)
        changed[name] = value or None
    return changed


def _told(revision: Revision, changed: Json) -> Json:
    return _present(
        version=revision.version,
        verb=revision.act,
        at=time_text(revision.at),
        claimed_at=_time(revision.claimed_at),
        editor=revision.editor,
        note=revision.note,
        fields=changed or None,
    )


def _wordless(revision: Revision) -> Json:
    return _present(
        version=revision.version,
        verb=revision.act,
        at=time_text(revision.at),
        editor=revision.editor,
        redacted_at=_time(revision.erased_at),
        unreadable=revision.unreadable,
    )


def _blocks(item: Item) -> Any:
    """Return an item's parsed body: as it is kept, or parsed now where nobody has yet."""
    if not item.body:
        return None
    return blocks_json(item.body) if item.blocks is None else orjson.Fragment(item.blocks)


def _time(at: Millis | None) -> str | None:
    return None if at is None else time_text(at)


def _present(**fields: Any) -> Json:
    """Leave out what is null, false or empty; a 0 stays."""
    return {
        name: value
        for name, value in fields.items()
        if value is not None and value is not False and value != "" and value != []
    }
