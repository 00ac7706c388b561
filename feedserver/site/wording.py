"""What a page says in one language, and how it writes times in one zone.

Everything is absolute, so that it stays true in a cache: a day, a clock, a zone. The page's script
writes times by the same tables (web/src/page/wording.js), so that nothing flickers when it starts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from feedserver import wire
from feedserver.model import Feed, Millis
from feedserver.site.assets import web_folder

FALLBACK = "en"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RTL_LANGUAGES = re.compile(r"ar|arc|ckb|dv|fa|he|iw|ks|ps|sd|syr|ug|ur|yi")
_RTL_SCRIPTS = re.compile(r"adlm|arab|hebr|mand|nkoo|rohg|samr|syrc|thaa")


@dataclass(frozen=True, slots=True)
class Wording:
    """Words and dates for one page. `language` is that of the words, `direction` the page's."""

    words: dict[str, Any]
    zone: ZoneInfo
    language: str
    direction: str

    def clock(self, at: Millis) -> str:
        """Return the time of day."""
        return self._local(at).strftime("%H:%M")

    def day(self, at: Millis) -> str:
        """Return the day in full."""
        weekday = self.words["weekdays"][self._local(at).weekday()]
        return str(self.words["weekday"].format(weekday=weekday, date=self._date(at)))

    def offset(self, at: Millis) -> str:
        """Return the zone as its distance from UTC, which everybody can read."""
        minutes = round((self._local(at).utcoffset() or timedelta()).total_seconds() / 60)
        if not minutes:
            return "UTC"
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'−' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"

    def dated(self, at: Millis) -> str:
        """Return date, time and zone."""
        return self._dated(at)

    def apart(self, times: Sequence[Millis]) -> list[str]:
        """Return date, time and zone of each, with seconds for those of the same minute."""
        of_minute = Counter(at // 60_000 for at in times)
        return [self._dated(at, exact=of_minute[at // 60_000] > 1) for at in times]

    def beside(self, at: Millis, other: Millis) -> str:
        """Return the time of day alone where `other`, of the same day and zone, stands by it."""
        is_near = self.day_and_zone(at) == self.day_and_zone(other)
        return self.clock(at) if is_near else self.dated(at)

    def day_and_zone(self, at: Millis) -> Hashable:
        """Return what two times share that can stand under one heading."""
        local = self._local(at)
        return local.date(), local.utcoffset()

    def iso(self, at: Millis) -> str:
        """Return a time for machines."""
        return wire.time_text(at)

    def _dated(self, at: Millis, *, exact: bool = False) -> str:
        dated: str = self.words["dated"]
        clock = f"{self._local(at):%H:%M:%S}" if exact else self.clock(at)
        return dated.format(date=self._date(at), clock=clock, zone=self.offset(at))

    def _date(self, at: Millis) -> str:
        local = self._local(at)
        month = self.words["months"][local.month - 1]
        return str(self.words["date"].format(day=local.day, month=month, year=local.year))

    def _local(self, at: Millis) -> datetime:
        return (_EPOCH + timedelta(milliseconds=at)).astimezone(self.zone)


def wording_for(feed: Feed | None = None) -> Wording:
    """Return the wording of a feed's pages, or of those that belong to none."""
    language, zone = (feed.language, feed.timezone) if feed else (None, None)
    return _wording(language or FALLBACK, zone or "UTC")


def direction(language: str) -> str:
    """Return the way a language is written: `rtl` or `ltr`."""
    first, *rest = language.lower().split("-")
    scripts = [part for part in rest if len(part) == 4 and part.isalpha()]
    found = _RTL_SCRIPTS.fullmatch(scripts[0]) if scripts else _RTL_LANGUAGES.fullmatch(first)
    return "rtl" if found else "ltr"


@cache
def languages() -> dict[str, dict[str, Any]]:
    """Return the words of every language that pages speak."""
    paths = sorted((web_folder() / "pages/words").glob("*.json"))
    return {path.stem: orjson.loads(path.read_bytes()) for path in paths}


@lru_cache(256)
def _wording(language: str, zone: str) -> Wording:
    known = languages()
    short = language.partition("-")[0].lower()
    return Wording(
        known.get(short, known[FALLBACK]),
        _zone(zone),
        language if short in known else FALLBACK,
        direction(language),
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")  # this machine's zones are older than the feed's
