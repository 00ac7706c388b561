"""The fields that editors send: each checker takes a raw JSON value and returns a storable one.

A checker raises ValueError with a sentence, as the end of one that begins with the field's name.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from feedserver import addresses, markup, media_types, wire
from feedserver.faults import NAME_MAX, Check, Faults
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
    Millis,
    Origin,
)

FIRST_YEAR = 1000  # an earlier one is a slip, and some zones could not write the year 1
SIDE_MAX = 20_000  # pixels
BLOCKS_MAX = 512 * 1024  # bytes of JSON: a message of 1 MiB must hold at least one whole item

# XML 1.0 allows these and no others; everything stored can be sent in any feed format.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Controls that XML allows and nobody means: the letters of Windows-1252, read as Latin-1.
_CONTROL = re.compile("[\x80-\x9f]")
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})"
)
_NAKED_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?")
_LEAP = slice(16, 19)  # where a time has its seconds, and a leap second has …
_LEAP_SECOND = ":60"
_BREAKS = re.compile("[ \t\n\u2028\u2029]+")
_MEDIA_TYPE = re.compile(r"(image|video|audio)/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")
# Files beside the zones, which browsers do not know, or which each machine reads its own way.
_MACHINES_ZONES = re.compile(r"(posix|right)/|(localtime|posixrules|Factory)$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)


def line(longest: int) -> Check:
    """Return the checker of a text in one line, of at most so many characters."""
    # A no-break space stays: "10 000" and « guillemets » must not come apart.
    return lambda value: _fitting(_BREAKS.sub(" ", _clean(value)), longest)


def text(longest: int) -> Check:
    """Return the checker of a text of at most so many characters."""
    return lambda value: _fitting(_clean(value), longest)


note: Check = text(NOTE_MAX)


def headline(value: object) -> str:
    """Check a headline, which nothing can do without."""
    found = line(HEADLINE_MAX)(value) if value is not None else None
    if found is None or not _is_seen(found):
        raise ValueError("an item needs a headline")
    return str(found)


def body(value: object) -> str | None:
    """Check an item's body, with its markup."""
    found = _marked_up(value)
    size = len(found.encode())
    if size > BODY_MAX:
        raise ValueError(f"is {size} bytes long; at most {BODY_MAX} fit: split it into items")
    _check_links(found)
    if found and len(wire.dumps(wire.blocks_json(found))) > BLOCKS_MAX:
        raise ValueError("has too much markup for one item: use fewer *, ** and links")
    return found or None


def summary(value: object) -> str | None:
    """Check a feed's key points, with their markup."""
    found = _marked_up(value)
    size = len(found.encode())
    if size > SUMMARY_MAX:
        raise ValueError(f"are {size} bytes long; at most {SUMMARY_MAX} fit")
    _check_links(found)
    return found or None


def past(now: Millis) -> Check:
    """Return the checker of a time that lies in the past, or a little ahead of `now`."""

    def check(value: object) -> Millis:
        at = parse_time(value)
        if at > now + AHEAD_MAX:
            raise ValueError(
                "lies in the future; at most 60 seconds ahead of the server's clock fit"
            )
        return at

    return check


def parse_time(value: object) -> Millis:
    """Read an RFC 3339 time with its zone; a leap second is the next one. Raises ValueError."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        if isinstance(value, str) and _NAKED_TIME.fullmatch(value):
            raise ValueError("add the zone: Z for UTC, or an offset such as +03:00")
        raise ValueError("write a time as 2025-05-17T10:13:00+03:00")
    written = value.upper().replace(",", ".")
    is_leap = written[_LEAP] == _LEAP_SECOND
    if is_leap:
        written = f"{written[: _LEAP.start]}:59{written[_LEAP.stop :]}"
    try:
        # In UTC, so that a zone cannot push the time out of the years that can be written.
        moment = datetime.fromisoformat(written).astimezone(UTC)
        if is_leap:
            if (moment.hour, moment.minute) != (23, 59):
                raise ValueError("a leap second is 23:59:60 in UTC")
            moment += _SECOND
    except (ValueError, OverflowError) as fault:
        raise ValueError(f"no such time: {fault}") from None
    if moment.year < FIRST_YEAR:
        raise ValueError(f"lies before the year {FIRST_YEAR}; write the year in full, e.g. 2025")
    return (moment - _EPOCH) // _MILLISECOND


def url(value: object) -> str | None:
    """Check a web address; what cannot be seen at its ends is taken away."""
    found = addresses.trimmed(_clean(value))
    if not found:
        return None
    if (fault := addresses.fault_of(found)) is not None:
        raise ValueError(fault)
    return found


def flag(value: object) -> bool:
    """Check a yes or no."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def tags(value: object) -> list[str]:
    """Check a list of tags; the same one twice counts once."""
    if not isinstance(value, list):
        raise ValueError('must be a list such as ["ukraine", "sumy"]')
    if len(value) > TAGS_MAX:
        raise ValueError(f"are {len(value)}; at most {TAGS_MAX} fit")
    faults = Faults()
    found = [faults.take(f"/{i}", _tag, tag) for i, tag in enumerate(value)]
    faults.raise_inside()
    return distinct_tags(found)


def language(value: object) -> str | None:
    """Check a language tag."""
    found = text(TAG_MAX)(value)
    if found is not None and not _LANGUAGE.fullmatch(found):
        raise ValueError("must be a language tag such as en, uk or pt-BR")
    return found and str(found)


def timezone(value: object) -> str | None:
    """Check the name of a time zone."""
    found = text(TAG_MAX)(value)
    if found is None:
        return None
    try:
        ZoneInfo(found)
        known = not _MACHINES_ZONES.match(found)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        raise ValueError("must be a zone's name such as Europe/Kyiv or UTC")
    return str(found)


def media(value: object) -> list[dict[str, Any]]:
    """Check a list of pictures and clips."""
    if not isinstance(value, list):
        raise ValueError("must be a list of objects with url and alt")
    if len(value) > MEDIA_MAX:
        raise ValueError(f"are {len(value)}; at most {MEDIA_MAX} fit")
    faults = Faults()
    found = [faults.take(f"/{i}", _medium, medium) for i, medium in enumerate(value)]
    faults.raise_inside()
    return found


def origin(value: object) -> Origin:
    """Check where an imported item comes from."""
    if not isinstance(value, dict) or set(value) != {"uri", "id"}:
        raise ValueError('must be an object {"uri": …, "id": …}')
    faults = Faults()
    parts = faults.take_each({"uri": text(URL_MAX), "id": text(URL_MAX)}, value)
    if not faults:
        for name, part in parts.items():
            if not part:
                faults.add(f"/{name}", "cannot be empty")
    faults.raise_inside()
    return Origin(parts["uri"], parts["id"])


def _clean(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    if found := _FORBIDDEN.search(value):
        raise ValueError(
            f"holds a character that no feed can carry (U+{ord(found[0]):04X} at "
            f"position {found.start() + 1}); remove it"
        )
    if found := _CONTROL.search(value):
        meant = found[0].encode("latin-1").decode("cp1252", "ignore")
        put = f"put {meant} there, which was meant" if meant else "remove it"
        raise ValueError(
            f"holds a control character (U+{ord(found[0]):04X} at position {found.start() + 1}), "
            f"which nobody can read; {put}"
        )
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _fitting(value: str, longest: int) -> str | None:
    found = value.strip()
    if len(found) > longest:
        raise ValueError(f"is {len(found)} characters long; at most {longest} fit")
    return found or None


def _is_seen(value: str) -> bool:
    """Say whether anything of a text can be seen: letters, digits, signs or symbols."""
    return any(unicodedata.category(c)[0] in "LNPS" and c not in addresses.BLANKS for c in value)


def _marked_up(value: object) -> str:
    return _clean(value).strip("\n").rstrip()


def _check_links(value: str) -> None:
    if bad := markup.bad_links(value):
        target = bad[0][:NAME_MAX]
        if not target:
            found = "has a link without an address"
        elif (fault := addresses.fault_of(bad[0])) is None:
            found = f"has a link to {target} without words, or whose brackets do not match"
        else:
            found = f"has a link to {target}, which {fault}"
        raise ValueError(rf"{found}; write \[ where a bracket is meant")


def _tag(value: object) -> str:
    found = line(TAG_MAX)(value)
    parts = unicodedata.normalize("NFKC", found or "").split(",")
    without = " ".join(" ".join(parts).split())
    if not _is_seen(without):
        raise ValueError("a tag cannot be empty")
    if len(parts) > 1:  # a comma stands between tags, wherever several are asked for
        raise ValueError(f"a tag holds no comma: write “{without}”, or a tag for each part")
    return str(found)


def _medium(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be an object with url and alt")
    faults = Faults()
    checks: dict[str, Check] = {
        "url": url,
        "type": _media_type,
        "alt": text(ALT_MAX),
        "caption": text(ALT_MAX),
        "width": _side,
        "height": _side,
        "credit": line(TEXT_MAX),
    }
    faults.add_unknown(value.keys() - checks.keys(), f"unknown; use {', '.join(checks)}")
    found = faults.take_each(checks, value)
    if found.get("url") is None and not faults.has("/url"):
        faults.add("/url", "a medium needs a url")
    suffix = media_types.other_suffix(found.get("url") or "")
    if suffix and not found.get("type") and not faults.has("/type"):
        faults.add(
            "/url",
            f"leads to a file of the kind .{suffix}, which no page shows as a picture, video or "
            "sound: link to it in the body, or send its type, such as image/jpeg, if it is one",
        )
    faults.raise_inside()
    return {name: part for name, part in found.items() if part is not None}


def _media_type(value: object) -> str | None:
    found = (line(TEXT_MAX)(value) or "").partition(";")[0].strip().lower()
    if found and not _MEDIA_TYPE.fullmatch(found):
        raise ValueError(
            "must be the type of a picture, video or sound, such as image/jpeg, video/mp4 or "
            "audio/mpeg; link to anything else in the body"
        )
    return found or None


def _side(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= SIDE_MAX:
        raise ValueError(f"must be a whole number of pixels from 1 to {SIDE_MAX}")
    return value
