"""What an editor sends, checked field by field: raw JSON values in, storable ones out.

Every fault is collected, so that an editor on deadline reads all of them at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from feedserver import markup, wire
from feedserver.errors import FieldError, Invalid
from feedserver.folding import distinct_tags
from feedserver.model import (
    AHEAD_MAX,
    ALT_MAX,
    BODY_MAX,
    HEADLINE_MAX,
    MEDIA_MAX,
    NOTE_MAX,
    SUMMARY_MAX,
    TAG_MAX,
    TAGS_MAX,
    TEXT_MAX,
    URL_MAX,
    Content,
    Media,
    Millis,
    Origin,
    Verb,
)

# XML 1.0 allows these and no others; everything stored can be sent in any feed format.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})"
)
_NAKED_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?")
_BREAKS = re.compile("[ \t\n\x85\u2028\u2029]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols without ink
# Files beside the zones, which browsers do not know, or which each machine reads its own way.
_MACHINES_ZONES = re.compile(r"(posix|right)/|(localtime|posixrules|Factory)$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
FIRST_YEAR = 1000  # an earlier one is a slip, and some zones could not write the year 1
SIDE_MAX = 20_000  # pixels
BLOCKS_MAX = 512 * 1024  # bytes of JSON: a message of 1 MiB must hold at least one whole item

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
    errors: list[FieldError] = []
    given = _object(raw, errors)
    allowed = {"note", "at"}
    if verb in _EDITS or verb is Verb.POST:
        allowed |= set(SENT)
    if verb is Verb.REDACT:
        allowed = {"note", "version"}
    if verb is Verb.POST:
        allowed |= {"published_at", "origin"}
        if "headline" not in given:
            errors.append(FieldError("/headline", "an item needs a headline"))
    else:
        allowed |= {"verb"}
    for name in sorted(given.keys() - allowed):
        errors.append(FieldError(f"/{_escape(name)}", _unknown(name, verb)))
    checks: dict[str, Callable[[Any], Any]] = {
        "headline": _headline,
        "body": _body,
        "occurred_at": lambda v: _past(v, now),
        "published_at": lambda v: _past(v, now),
        "byline": lambda v: _line(v, TEXT_MAX),
        "source": lambda v: _line(v, TEXT_MAX),
        "url": _url,
        "tags": _tags,
        "breaking": _flag,
        "language": _language,
        "media": _media,
    }
    fields = {
        name: _checked(f"/{name}", check, given[name], errors)
        for name, check in checks.items()
        if name in given and name in allowed
    }
    published_at = fields.pop("published_at", None)
    note = _checked("/note", _note, given.get("note"), errors)
    if note is None and verb in _NOTE_NEEDED and not any(e.pointer == "/note" for e in errors):
        errors.append(FieldError("/note", _NOTE_NEEDED[verb]))
    at = _checked("/at", lambda v: _past(v, now), given.get("at"), errors)
    if at is not None and published_at is not None:
        errors.append(FieldError("/published_at", "send either at or published_at"))
    origin = _checked("/origin", _origin, given.get("origin"), errors)
    if verb in {Verb.FIX, Verb.UPDATE} and not fields and not errors:
        errors.append(FieldError("", f"say what the {verb} changes, e.g. headline or body"))
    version = None
    if verb is Verb.REDACT:
        version = redacted_version(given, errors)
    if errors:
        raise Invalid(errors)
    claimed_at = min(at, now) if at is not None else None
    return Draft(fields, note, claimed_at, origin, published_at, version)


def redacted_version(given: dict[str, Any], errors: list[FieldError]) -> int | None:
    """Return the version that a redact names; notes what is wrong with it."""
    version = given.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > 0:
        return version
    errors.append(FieldError("/version", "say which version's words to erase, as its number"))
    return None


def feed_redaction(raw: object) -> tuple[int, str]:
    """Check a redact of a feed's earlier key points: its version and note. Raises Invalid."""
    errors: list[FieldError] = []
    given = _object(raw, errors)
    for name in sorted(given.keys() - {"verb", "version", "note"}):
        errors.append(FieldError(f"/{_escape(name)}", "unknown field; send verb, version and note"))
    if given.get("verb") != Verb.REDACT:
        errors.append(FieldError("/verb", "must be redact"))
    version = redacted_version(given, errors)
    note = _checked("/note", _note, given.get("note"), errors)
    if note is None and not any(e.pointer == "/note" for e in errors):
        errors.append(FieldError("/note", "say why: the note is for colleagues"))
    if errors or version is None or note is None:
        raise Invalid(errors)
    return version, note


def feed_settings(raw: object, *, creating: bool) -> dict[str, Any]:
    """Check a feed's settings; `creating` asks for a title. Raises Invalid."""
    errors: list[FieldError] = []
    given = _object(raw, errors)
    checks: dict[str, Callable[[Any], Any]] = {
        "title": lambda v: _line(v, TEXT_MAX),
        "language": _language,
        "timezone": _timezone,
        "description": lambda v: _text(v, ALT_MAX),
        "summary": _summary,
        "closed": _flag,
        "typo": _flag,
    }
    for name in sorted(given.keys() - checks.keys()):
        known = ", ".join(checks)
        errors.append(FieldError(f"/{_escape(name)}", f"unknown field; a feed has {known}"))
    settings = {
        name: _checked(f"/{name}", check, given[name], errors)
        for name, check in checks.items()
        if name in given
    }
    if "closed" in settings:
        settings["closed"] = bool(settings["closed"])  # cleared is open
    if settings.pop("typo", None):
        settings["is_typo"] = True
    if settings.get("title") is None and (creating or "title" in settings) and not errors:
        errors.append(FieldError("/title", "a feed needs a title"))
    if errors:
        raise Invalid(errors)
    return settings


def parse_time(text: object) -> Millis:
    """Read an RFC 3339 time with its zone. Raises ValueError with a sentence."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        if isinstance(text, str) and _NAKED_TIME.fullmatch(text):
            raise ValueError("add the zone: Z for UTC, or an offset such as +03:00")
        raise ValueError("write a time as 2025-05-17T10:13:00+03:00")
    try:
        # In UTC, so that a zone cannot push the time out of the years that can be written.
        moment = datetime.fromisoformat(text.upper().replace(",", ".")).astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise ValueError(f"no such time: {fault}") from None
    if moment.year < FIRST_YEAR:
        raise ValueError(f"lies before the year {FIRST_YEAR}; write the year in full, e.g. 2025")
    return (moment - _EPOCH) // _MILLISECOND


def _object(raw: object, errors: list[FieldError]) -> dict[str, Any]:
    if isinstance(raw, dict):
        return raw
    errors.append(FieldError("", "send a JSON object"))
    return {}


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unknown(name: str, verb: Verb) -> str:
    if name in _OWN_VERBS:
        return f"cannot be set by {verb}; {_OWN_VERBS[name]}"
    if name in SENT:
        return f"the verb {verb} changes no text; use fix, update or correct for that"
    if name in {"published_at", "origin"}:
        return "is set when the item is posted and does not change"
    return f"unknown field; an item has {', '.join(SENT)}"


def _checked(
    pointer: str, check: Callable[[Any], Any], value: Any, errors: list[FieldError]
) -> Any:
    if value is None and pointer != "/headline":
        return None
    try:
        return check(value)
    except _Nested as nested:
        errors += [FieldError(pointer + e.pointer, e.detail) for e in nested.errors]
    except ValueError as fault:
        errors.append(FieldError(pointer, str(fault)))
    return None


class _Nested(ValueError):
    def __init__(self, errors: list[FieldError]) -> None:
        self.errors = errors


def _clean(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    found = _FORBIDDEN.search(value)
    if found:
        raise ValueError(
            f"holds a character that no feed can carry (U+{ord(found[0]):04X} at "
            f"position {found.start() + 1}); remove it"
        )
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _text(value: object, longest: int) -> str | None:
    text = _clean(value).strip()
    if len(text) > longest:
        raise ValueError(f"is {len(text)} characters long; at most {longest} fit")
    return text or None


def _line(value: object, longest: int) -> str | None:
    # A no-break space stays: "10 000" and « guillemets » must not come apart.
    return _text(_BREAKS.sub(" ", _clean(value)), longest)


def _headline(value: object) -> str:
    text = None if value is None else _line(value, HEADLINE_MAX)
    if text is None or not _is_seen(text):
        raise ValueError("an item needs a headline")
    return text


def _is_seen(text: str) -> bool:
    """Say whether anything of a text can be seen: letters, digits, signs or symbols."""
    return any(unicodedata.category(c)[0] in "LNPS" and c not in _BLANKS for c in text)


def _body(value: object) -> str | None:
    text = _clean(value).strip("\n").rstrip()
    size = len(text.encode())
    if size > BODY_MAX:
        raise ValueError(f"is {size} bytes long; at most {BODY_MAX} fit: split it into items")
    _check_links(text)
    if text and len(wire.dumps(wire.blocks_json(text))) > BLOCKS_MAX:
        raise ValueError("has too much markup for one item: use fewer *, ** and links")
    return text or None


def _summary(value: object) -> str | None:
    text = _clean(value).strip("\n").rstrip()
    size = len(text.encode())
    if size > SUMMARY_MAX:
        raise ValueError(f"are {size} bytes long; at most {SUMMARY_MAX} fit")
    _check_links(text)
    return text or None


def _check_links(text: str) -> None:
    bad = markup.bad_links(text)
    if bad:
        raise ValueError(
            f"the link to {bad[0][:80]} must be a whole address that starts with https:// or "
            r"http://; write \[ where a bracket is meant"
        )


def _note(value: object) -> str | None:
    return _text(value, NOTE_MAX)


def _past(value: object, now: Millis) -> Millis:
    at = parse_time(value)
    if at > now + AHEAD_MAX:
        raise ValueError("lies in the future; at most 60 seconds ahead of the server's clock fit")
    return at


def _url(value: object) -> str | None:
    text = _text(value, URL_MAX)
    if text is None:
        return None
    if not markup.is_link(text):
        raise ValueError("must be a whole address that starts with https:// or http://")
    return text


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _tags(value: object) -> list[str]:
    if not isinstance(value, list):
        raise ValueError('must be a list such as ["ukraine", "sumy"]')
    if len(value) > TAGS_MAX:
        raise ValueError(f"are {len(value)}; at most {TAGS_MAX} fit")
    errors: list[FieldError] = []
    tags = [
        _checked(f"/{i}", lambda v: _line(v, TAG_MAX), tag, errors) for i, tag in enumerate(value)
    ]
    for i, tag in enumerate(tags):
        if not _is_seen(tag or "") and not any(e.pointer == f"/{i}" for e in errors):
            errors.append(FieldError(f"/{i}", "a tag cannot be empty"))
    if errors:
        raise _Nested(errors)
    return distinct_tags(tags)


def _language(value: object) -> str | None:
    text = _text(value, TAG_MAX)
    if text is not None and not _LANGUAGE.fullmatch(text):
        raise ValueError("must be a language tag such as en, uk or pt-BR")
    return text


def _timezone(value: object) -> str | None:
    text = _text(value, TAG_MAX)
    if text is None:
        return None
    try:
        ZoneInfo(text)
        known = not _MACHINES_ZONES.match(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        raise ValueError("must be a zone's name such as Europe/Kyiv or UTC")
    return text


def _media(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise ValueError("must be a list of objects with url and alt")
    if len(value) > MEDIA_MAX:
        raise ValueError(f"are {len(value)}; at most {MEDIA_MAX} fit")
    errors: list[FieldError] = []
    out = []
    checks: dict[str, Callable[[Any], Any]] = {
        "url": _url,
        "alt": lambda v: _text(v, ALT_MAX),
        "width": _side,
        "height": _side,
        "credit": lambda v: _line(v, TEXT_MAX),
    }
    for i, entry in enumerate(value):
        if not isinstance(entry, dict):
            errors.append(FieldError(f"/{i}", "must be an object with url and alt"))
            continue
        for name in sorted(entry.keys() - checks.keys()):
            errors.append(FieldError(f"/{i}/{_escape(name)}", f"unknown; use {', '.join(checks)}"))
        medium = {
            name: _checked(f"/{i}/{name}", check, entry.get(name), errors)
            for name, check in checks.items()
        }
        if medium["url"] is None and not any(e.pointer == f"/{i}/url" for e in errors):
            errors.append(FieldError(f"/{i}/url", "a medium needs a url"))
        out.append({name: part for name, part in medium.items() if part is not None})
    if errors:
        raise _Nested(errors)
    return out


def _side(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= SIDE_MAX:
        raise ValueError(f"must be a whole number of pixels from 1 to {SIDE_MAX}")
    return value


def _origin(value: object) -> Origin:
    if not isinstance(value, dict) or set(value) != {"uri", "id"}:
        raise ValueError('must be an object {"uri": …, "id": …}')
    errors: list[FieldError] = []
    parts = {
        name: _checked(f"/{name}", lambda v: _text(v, URL_MAX), value[name], errors)
        for name in ("uri", "id")
    }
    errors += [
        FieldError(f"/{name}", "cannot be empty")
        for name, part in parts.items()
        if not part and not errors
    ]
    if errors:
        raise _Nested(errors)
    return Origin(parts["uri"], parts["id"])
