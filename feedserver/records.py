"""A record as bytes: what stands in clear, what is sealed, and what is bound to the seal.

The clear part of a record tells a mirror what to do; the sealed part holds whatever a person wrote.
What stands in clear and comes with the record is bound to its sealed part. Not bound are the
sequence, a post's item, and what the rules derive: a replicated journal gives the sequence after
the sealing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import orjson

from feedserver import markup, wire
from feedserver.model import (
    Act,
    Content,
    Correction,
    FeedSettings,
    Media,
    Millis,
    Origin,
    Record,
    Redaction,
    TokenSettings,
    Verb,
)

VERSION = 1
"""The version of a record's format. A program that meets a newer one stops following, and says so:
it never skips."""

_SPLIT = b"\n"  # between the words and the parsed body; JSON as it is written here has no line feed
_CLEAR = frozenset({"breaking", "language", "occurred_at"})  # of an item's content, not sealed
_SEALED = frozenset({"title", "description", "summary"})  # of a feed's settings
_PLAIN = tuple(one.name for one in fields(Content) if one.name not in {"blocks", *_CLEAR})


@dataclass(frozen=True, slots=True)
class Words:
    """What was sealed of a record. `content` has no `breaking`, `language` and `occurred_at`."""

    note: str | None = None
    digest: str | None = None
    origin: Origin | None = None
    content: Content | None = None
    feed: dict[str, str] = field(default_factory=dict)  # title, description, summary


def dump_words(record: Record) -> bytes:
    """Write what is to be sealed of a record; empty where nobody wrote anything."""
    raw: dict[str, Any] = {}
    if record.note is not None:
        raw["note"] = record.note
    if record.retry_key is not None:
        raw["digest"] = record.retry_key.digest
    if record.origin is not None:
        raw["origin"] = [record.origin.uri, record.origin.id]
    if isinstance(record.settings, FeedSettings):
        texts = {name: getattr(record.settings, name) for name in sorted(_SEALED)}
        raw["feed"] = {name: text for name, text in texts.items() if text is not None}
    blocks = b""
    if record.content is not None:
        values = {name: getattr(record.content, name) for name in _PLAIN}
        raw["item"] = {name: value for name, value in values.items() if value}
        blocks = _parsed(record.content)
    return (orjson.dumps(raw) + (_SPLIT + blocks if blocks else b"")) if raw else b""


def load_words(data: bytes) -> Words:
    """Read what `dump_words` wrote."""
    if not data:
        return Words()
    text, _, blocks = data.partition(_SPLIT)
    raw = orjson.loads(text)
    content = None
    if (item := raw.get("item")) is not None:
        item["tags"] = tuple(item.get("tags", ()))
        item["media"] = tuple(Media(**medium) for medium in item.get("media", ()))
        item["corrections"] = tuple(Correction(**one) for one in item.get("corrections", ()))
        body = item.get("body", "")
        plain = orjson.dumps(markup.paragraphs(body)) if body else None
        content = Content(**item, blocks=blocks or plain)
    origin = Origin(*raw["origin"]) if "origin" in raw else None
    return Words(raw.get("note"), raw.get("digest"), origin, content, raw.get("feed", {}))


def load_text(data: bytes) -> tuple[str, str, bytes | None, list[str]]:
    """Read of an item's words what is searched: headline, body, its parsed form, tags.

    Quicker than all of it; the parsed form is left out where it says no more than the body.
    """
    text, _, blocks = data.partition(_SPLIT)
    item = orjson.loads(text).get("item", {}) if text else {}
    return item.get("headline", ""), item.get("body", ""), blocks or None, item.get("tags", [])


def dump_settings(record: Record) -> bytes | None:
    """Write the clear part that few acts have: a feed's or token's settings, a redact's list."""
    raw: dict[str, Any] = {}
    match record.settings:
        case FeedSettings() as feed:
            values = {one.name: getattr(feed, one.name) for one in fields(feed)}
            raw = {name: value for name, value in values.items() if name not in _SEALED and value}
        case TokenSettings() as token:
            values = {one.name: getattr(token, one.name) for one in fields(token)}
            raw = {name: value for name, value in values.items() if value}
        case _:
            pass
    if record.redaction is not None:
        raw = {"version": record.redaction.version, "erases": record.redaction.erases}
    if record.published_at is not None:
        raw["published_at"] = record.published_at
    return orjson.dumps(raw) if raw else None


def load_settings(
    act: Verb | Act, data: bytes | None, words: Words
) -> tuple[FeedSettings | TokenSettings | None, Redaction | None, Millis | None]:
    """Read what `dump_settings` wrote, with a feed's words. Erased ones leave an empty title."""
    raw: dict[str, Any] = orjson.loads(data) if data else {}
    published_at = raw.pop("published_at", None)
    if act is Act.FEED:
        return FeedSettings(**{"title": ""} | raw | words.feed), None, published_at
    if act is Act.TOKEN or act is Act.REVOKE:
        return TokenSettings(**raw | {"feeds": tuple(raw.get("feeds", ()))}), None, published_at
    if act is Verb.REDACT:
        return None, Redaction(raw["version"], tuple(raw["erases"])), published_at
    return None, None, published_at


def bound(record: Record, settings: bytes | None) -> bytes:
    """Return what is bound to a record's sealed part; `settings` as `dump_settings` wrote them."""
    content = record.content
    return orjson.dumps(
        (
            VERSION,
            record.rid,
            record.act,
            record.feed,
            None if record.act is Verb.POST else record.item,
            record.editor,
            record.at,
            record.claimed_at,
            record.base,
            (content.breaking, content.language, content.occurred_at) if content else None,
            record.retry_key.mac.hex() if record.retry_key else None,
            record.origin_mac.hex() if record.origin_mac else None,
            settings.decode() if settings else None,
        )
    )


def _parsed(content: Content) -> bytes:
    """Return the parsed body, as far as it says more than the body's paragraphs."""
    if not content.body:
        return b""
    blocks = content.blocks
    if blocks is None:
        blocks = wire.dumps(wire.blocks_json(content.body))
    return b"" if blocks == orjson.dumps(markup.paragraphs(content.body)) else blocks
