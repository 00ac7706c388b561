"""What an editor sends, checked field by field: raw JSON values in, storable ones out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from feedserver import fields, wire
from feedserver.faults import Check, Faults, members
from feedserver.model import (
    ALT_MAX,
    TEXT_MAX,
    Content,
    Media,
    Millis,
    Origin,
    Verb,
)

SENT = (
    "headline",
    "body",
    "occurred_at",
    "byline",
    "source",
    "url",
    "tags",
    "breaking",
    "language",
    "media",
)
_EDITS = frozenset({Verb.FIX, Verb.UPDATE, Verb.CORRECT})
_NOTE_NEEDED = {
    Verb.CORRECT: "say what was wrong: the note is shown to readers with the correction",
    Verb.KILL: "say why the item is withdrawn: the note is shown to readers in its place",
    Verb.REDACT: "say why: the note is for colleagues, or a kill's or correction's new public text",
}
_VERSION_NEEDED = "say which version's words to erase, as its number"
_CONTENT: dict[str, Check] = {
    "headline": fields.headline,
    "body": fields.body,
    "byline": fields.line(TEXT_MAX),
    "source": fields.line(TEXT_MAX),
    "url": fields.url,
    "tags": fields.tags,
    "breaking": fields.flag,
    "language": fields.language,
    "media": fields.media,
}
_SETTINGS: dict[str, Check] = {
    "title": fields.line(TEXT_MAX),
    "language": fields.language,
    "timezone": fields.timezone,
    "description": fields.text(ALT_MAX),
    "summary": fields.summary,
    "closed": fields.flag,
    "typo": fields.flag,
}
_OWN_VERBS = {
    "pinned": "use the verbs pin and unpin",
    "status": "use the verbs hold, release and kill",
    "updated_at": "the verb update sets it",
    "corrections": "use the verb correct with a note",
    "blocks": "send body: plain text with **bold**, *italic* and [link](https://…)",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked submission. `fields` holds only what was sent; None clears."""

    fields: dict[str, Any] = field(default_factory=dict)
    note: str | None = None
    claimed_at: Millis | None = None
    origin: Origin | None = None
    published_at: Millis | None = None
    version: int | None = None  # that a redact names

    def applied_to(self, content: Content) -> Content:
        """Return the content with what was sent changed in it."""
        changed: dict[str, Any] = dict(self.fields)
        cleared = Content()
        for name, value in self.fields.items():
            if value is None:
                changed[name] = getattr(cleared, name)
            elif name == "tags":
                changed[name] = tuple(value)
            elif name == "media":
                changed[name] = tuple(Media(**medium) for medium in value)
        if "body" in changed:
            body = changed["body"]
            changed["blocks"] = wire.dumps(wire.blocks_json(body)) if body else None
        return replace(content, **changed)


def draft(raw: object, verb: Verb, now: Millis) -> Draft:
    """Check the fields of `verb`. Raises Invalid with every fault found."""
    faults = Faults()
    given = members(raw, faults)
    checks = _checks(verb, now)
    known = checks.keys() | (() if verb is Verb.POST else {"verb"})
    faults.add_unknown(given.keys() - known, lambda name: _unknown(name, verb))
    if given.get("headline", ...) is None or (verb is Verb.POST and "headline" not in given):
        faults.add("/headline", "an item needs a headline")
    sent = faults.take_each(checks, given)
    note = sent.pop("note", None)
    at, published_at = sent.pop("at", None), sent.pop("published_at", None)
    origin, version = sent.pop("origin", None), sent.pop("version", None)
    if note is None and verb in _NOTE_NEEDED and not faults.has("/note"):
        faults.add("/note", _NOTE_NEEDED[verb])
    if at is not None and published_at is not None:
        faults.add("/published_at", "send either at or published_at")
    if verb in {Verb.FIX, Verb.UPDATE} and not sent and not faults:
        faults.add("", f"say what the {verb} changes, e.g. headline or body")
    if verb is Verb.REDACT and version is None and not faults.has("/version"):
        faults.add("/version", _VERSION_NEEDED)
    faults.raise_all()
    claimed_at = min(at, now) if at is not None else None
    return Draft(sent, note, claimed_at, origin, published_at, version)


def feed_redaction(raw: object) -> tuple[int, str]:
    """Check a redact of a feed's earlier key points: its version and note. Raises Invalid."""
    faults = Faults()
    given = members(raw, faults)
    checks = _checks(Verb.REDACT, 0)
    faults.add_unknown(
        given.keys() - checks.keys() - {"verb"}, "unknown field; send verb, version and note"
    )
    if given.get("verb") != Verb.REDACT:
        faults.add("/verb", "must be redact")
    sent = faults.take_each(checks, given)
    if sent.get("version") is None and not faults.has("/version"):
        faults.add("/version", _VERSION_NEEDED)
    if sent.get("note") is None and not faults.has("/note"):
        faults.add("/note", "say why: the note is for colleagues")
    faults.raise_all()
    return sent["version"], sent["note"]


def feed_settings(raw: object, *, creating: bool) -> dict[str, Any]:
    """Check a feed's settings; `creating` asks for a title. Raises Invalid."""
    faults = Faults()
    given = members(raw, faults)
    faults.add_unknown(
        given.keys() - _SETTINGS.keys(), f"unknown field; a feed has {', '.join(_SETTINGS)}"
    )
    settings = faults.take_each(_SETTINGS, given)
    if "closed" in settings:
        settings["closed"] = bool(settings["closed"])  # cleared is open
    if settings.pop("typo", None):
        settings["is_typo"] = True
    if settings.get("title") is None and (creating or "title" in settings) and not faults:
        faults.add("/title", "a feed needs a title")
    faults.raise_all()
    return settings


def _checks(verb: Verb, now: Millis) -> dict[str, Check]:
    """Return the checkers of the fields that a verb takes."""
    past = fields.past(now)
    if verb is Verb.REDACT:
        return {"note": fields.note, "version": _version}
    checks: dict[str, Check] = {"note": fields.note, "at": past}
    if verb in _EDITS or verb is Verb.POST:
        checks |= _CONTENT | {"occurred_at": past}
    if verb is Verb.POST:
        checks |= {"published_at": past, "origin": fields.origin}
    return checks


def _version(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise ValueError(_VERSION_NEEDED)


def _unknown(name: str, verb: Verb) -> str:
    if name in _OWN_VERBS:
        return f"cannot be set by {verb}; {_OWN_VERBS[name]}"
    if name in SENT:
        return f"the verb {verb} changes no text; use fix, update or correct for that"
    if name in {"published_at", "origin"}:
        return "is set when the item is posted and does not change"
    if verb is Verb.REDACT:
        return "unknown field; a redact has version and note"
    return f"unknown field; an item has {', '.join(SENT)}"
