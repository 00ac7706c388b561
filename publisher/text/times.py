"""Times as people write them: `10:13`, `yesterday 18:00`, `2 h ago`, `17 May 18:00`.

Pure. A time without a zone is one of the zone that is given.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HOW = "write 10:13, yesterday 18:00, 2 h ago, 17 May 18:00 or 2025-05-17T06:17+03:00"
# One that the server reads by itself; whatever is wrong with it, the server says.
_WHOLE = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?\s?([Zz]|[+-]\d\d:?\d\d)", re.ASCII
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_UNITS = {
    "seconds": r"s|secs?|seconds?",
    "minutes": r"m|mins?|minutes?",
    "hours": r"h|hrs?|hours?",
    "days": r"d|days?",
    "weeks": r"w|weeks?",
}
_UNIT = "|".join(f"(?P<{name}>{pattern})" for name, pattern in _UNITS.items())
_AGO = re.compile(rf"(?P<count>an?|\d{{1,5}})\s*(?:{_UNIT})\s+ago")
_ZONE = re.compile(r"(?P<time>.*\S)\s*(?P<zone>z|utc|[+-]\d\d:?\d\d|(?<=\s)[a-z_]+/[a-z_/+-]+)")
_CLOCK = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?\s*(?P<half>am|pm)?")
_HOUR = re.compile(r"(?P<hour>\d{1,2})\s*(?P<half>am|pm)")
_NAMED_HOURS = {"noon": (12, 0, 0), "midnight": (0, 0, 0)}
_ISO_DAY = re.compile(r"(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)")
_DOT_DAY = re.compile(r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})?")
_DAY = r"(?P<day>\d\d?)(?:st|nd|rd|th)?"
_MONTH = r"(?P<name>[a-z]{3,9})"
_YEAR = r"(?:\s+(?P<year>\d{4}))?"
_DAY_MONTH = re.compile(rf"{_DAY}\s+{_MONTH}{_YEAR}")
_MONTH_DAY = re.compile(rf"{_MONTH}\s+{_DAY}{_YEAR}")

_Clock = tuple[int, int, int]


def is_whole(text: str) -> bool:
    """Say whether a time has its date and zone, so that nothing has to be known to read it."""
    return _WHOLE.fullmatch(text.strip()) is not None


def read_time(text: str, now: datetime, zone: tzinfo, *, past: bool = False) -> datetime:
    """Return the moment that a text names, in `zone`, or in that which the text names.

    `now` has a zone. `past`: a clock's time that is still to come today is yesterday's; otherwise
    it is refused, as it may be meant either way. Raises ValueError with a sentence.
    """
    words = " ".join(re.sub(r",|\bat\b", " ", text.strip().lower()).split())
    if is_whole(text):
        return _whole(text)
    if found := _AGO.fullmatch(words):
        return _ago(found, now).astimezone(zone)
    if words in {"now", "just now"}:
        return now.astimezone(zone)
    if (named := _ZONE.fullmatch(words)) and (other := _zone(named["zone"], text)):
        words, zone = named["time"], other
    today = now.astimezone(zone)
    day, clock = _parts(re.sub(r"(?<=\d)t(?=\d)", " ", words), today)
    if day is None and clock is None:
        raise ValueError(f"is not a time; {HOW}")
    if day is None:
        moment = _local(today, clock, zone)
        if moment <= now:
            return moment
        if not past:
            raise ValueError(
                f"is still to come today, {told_time(moment)}; say yesterday or today before it"
            )
        return _local(today - timedelta(days=1), clock, zone)
    return _local(day, clock, zone)


def read_zone(name: str | None) -> tzinfo | None:
    """Return the zone of a feed, UTC for one that names none; None where it is not known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_name(zone: tzinfo) -> str:
    """Return what people call a zone."""
    return str(getattr(zone, "key", None) or datetime.now(zone).tzname() or zone)


def told_time(moment: datetime) -> str:
    """Return a moment with its date and the name of its zone."""
    zone = moment.tzinfo
    assert zone is not None
    seconds = "" if not moment.second else f":{moment:%S}"
    return f"{moment:%Y-%m-%d %H:%M}{seconds} {zone_name(zone)}"


def _whole(text: str) -> datetime:
    try:
        return datetime.fromisoformat(re.sub(r"\s+(?=[Zz+-])", "", text.strip()).upper())
    except ValueError:
        raise ValueError("is no day and time that there is") from None


def _ago(found: re.Match[str], now: datetime) -> datetime:
    count = 1 if found["count"].startswith("a") else int(found["count"])
    unit = next(name for name in _UNITS if found[name])
    return now - timedelta(**{unit: count})


def _zone(name: str, text: str) -> tzinfo | None:
    """Return the zone that a text names; None for what is none. Raises ValueError."""
    if name in {"z", "utc"}:
        return ZoneInfo("UTC")
    if found := re.fullmatch(r"([+-])(\d\d):?(\d\d)", name):
        minutes = int(found[2]) * 60 + int(found[3])
        if minutes >= 24 * 60:
            raise ValueError("has an offset of a day or more")
        return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
    written = text.split()[-1]  # zones are spelt with capitals
    try:
        return ZoneInfo(written)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"names no zone that is known here: {written}") from None


def _parts(words: str, today: datetime) -> tuple[datetime | None, _Clock | None]:
    """Return the day and the clock's time in a text, in either order; None, None for neither."""
    parts = words.split()
    for cut in range(len(parts), -1, -1):
        for one, other in ((parts[:cut], parts[cut:]), (parts[cut:], parts[:cut])):
            day = _day(" ".join(one), today) if one else None
            clock = _clock(" ".join(other)) if other else None
            if (day is not None or not one) and (clock is not None or not other):
                return day, clock
    return None, None


def _clock(words: str) -> _Clock | None:
    if words in _NAMED_HOURS:
        return _NAMED_HOURS[words]
    found = _CLOCK.fullmatch(words) or _HOUR.fullmatch(words)
    if not found:
        return None
    given = found.groupdict()
    hour, minute, second = (int(given.get(name) or 0) for name in ("hour", "minute", "second"))
    if given["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"names no hour: {words}")
        hour = hour % 12 + (12 if given["half"] == "pm" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"names no time of a day: {words}")
    return hour, minute, second


def _day(words: str, today: datetime) -> datetime | None:
    if words in {"today", "yesterday"}:
        return today - timedelta(days=words == "yesterday")
    weekday = [number for number, name in enumerate(_DAYS) if _is_short(words, name)]
    if weekday:
        return today - timedelta(days=(today.weekday() - weekday[0]) % 7 or 7)
    found = _ISO_DAY.fullmatch(words) or _DOT_DAY.fullmatch(words)
    if found:
        return _date(found, int(found["month"]), today)
    found = _DAY_MONTH.fullmatch(words) or _MONTH_DAY.fullmatch(words)
    month = [i for i, name in enumerate(_MONTHS, 1) if found and _is_short(found["name"], name)]
    return _date(found, month[0], today) if found and month else None


def _is_short(word: str, name: str) -> bool:
    """Say whether it is a name of a day or month, whole or cut to three letters or more."""
    return len(word) >= 3 and name.startswith(word)


def _date(found: re.Match[str], month: int, today: datetime) -> datetime:
    """Return a day; without a year the last such day that is not after today."""
    years = [int(found["year"])] if found["year"] else [today.year, today.year - 1]
    for year in years:
        try:
            day = today.replace(year=year, month=month, day=int(found["day"]))
        except ValueError:
            if len(years) > 1 and (month, int(found["day"])) == (2, 29):
                continue
            raise ValueError(f"names no day of the calendar: {found[0]}") from None
        if day <= today or found["year"]:
            return day
    raise ValueError(f"needs its year: {found[0]}")


def _local(day: datetime, clock: _Clock | None, zone: tzinfo) -> datetime:
    """Return a clock's time on a day; without one, the beginning of that day. Raises ValueError."""
    hour, minute, second = clock or (0, 0, 0)
    moment = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)
    later = moment.replace(fold=1)
    if moment.utcoffset() == later.utcoffset():
        return moment
    there = moment.astimezone(UTC).astimezone(zone)
    if there.replace(tzinfo=None) == moment.replace(tzinfo=None):
        if clock is None:
            return moment
        raise ValueError(
            f"was there twice that day in {zone_name(zone)}, as clocks went back; add the offset, "
            f"such as {moment:%H:%M%z}"
        )
    if clock is None:
        return there  # clocks went forward at midnight
    raise ValueError(
        f"was never there that day in {zone_name(zone)}, as clocks went forward to {there:%H:%M}"
    )
