"""Times as people write them are read in the feed's zone, or refused with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from publisher.text.times import HOW, is_whole, read_time, read_zone, told_time, zone_name
from publisher.text.zones import keep_zones, known_zone

KYIV = ZoneInfo("Europe/Kyiv")
NOW = datetime(2025, 5, 17, 7, 13, 20, tzinfo=UTC)  # a Saturday, 10:13:20 in Kyiv


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("10:13", "2025-05-17T10:13:00+03:00"),
        ("9:05:30", "2025-05-17T09:05:30+03:00"),
        ("6am", "2025-05-17T06:00:00+03:00"),
        ("12:30 am", "2025-05-17T00:30:00+03:00"),
        ("today 18:00", "2025-05-17T18:00:00+03:00"),
        ("yesterday 18:00", "2025-05-16T18:00:00+03:00"),
        ("Yesterday at 6:15 pm", "2025-05-16T18:15:00+03:00"),
        ("18:00 yesterday", "2025-05-16T18:00:00+03:00"),
        ("yesterday", "2025-05-16T00:00:00+03:00"),
        ("yesterday noon", "2025-05-16T12:00:00+03:00"),
        ("midnight", "2025-05-17T00:00:00+03:00"),
        ("friday 18:00", "2025-05-16T18:00:00+03:00"),
        ("sat 18:00", "2025-05-10T18:00:00+03:00"),
        ("now", "2025-05-17T10:13:20+03:00"),
        ("2 h ago", "2025-05-17T08:13:20+03:00"),
        ("2h ago", "2025-05-17T08:13:20+03:00"),
        ("an hour ago", "2025-05-17T09:13:20+03:00"),
        ("90 min ago", "2025-05-17T08:43:20+03:00"),
        ("30 seconds ago", "2025-05-17T10:12:50+03:00"),
        ("3 days ago", "2025-05-14T10:13:20+03:00"),
        ("1 week ago", "2025-05-10T10:13:20+03:00"),
        ("17 May 9:00", "2025-05-17T09:00:00+03:00"),
        ("18 May 9:00", "2024-05-18T09:00:00+03:00"),
        ("May 1st, 9:00", "2025-05-01T09:00:00+03:00"),
        ("1 January 2025", "2025-01-01T00:00:00+02:00"),
        ("16.5. 9:00", "2025-05-16T09:00:00+03:00"),
        ("16.05.2024 9:00", "2024-05-16T09:00:00+03:00"),
        ("2025-05-16", "2025-05-16T00:00:00+03:00"),
        ("2025-05-16 09:00", "2025-05-16T09:00:00+03:00"),
        ("2025-05-16T09:00", "2025-05-16T09:00:00+03:00"),
        ("29 February 9:00", "2024-02-29T09:00:00+02:00"),
        ("2025-05-16T09:00Z", "2025-05-16T09:00:00+00:00"),
        ("2025-05-16 09:00:01.5 +0300", "2025-05-16T09:00:01.500000+03:00"),
        ("7:00Z", "2025-05-17T07:00:00+00:00"),
        ("7:00 UTC", "2025-05-17T07:00:00+00:00"),
        ("yesterday 9:00 Europe/Berlin", "2025-05-16T09:00:00+02:00"),
        ("9:00+03:00", "2025-05-17T09:00:00+03:00"),
        ("2:00-0500", "2025-05-17T02:00:00-05:00"),
    ],
)
def test_a_time_is_read(text, moment):
    assert read_time(text, NOW, KYIV).isoformat() == moment


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("soon", f"is not a time; {HOW}"),
        ("", f"is not a time; {HOW}"),
        ("10.13", f"is not a time; {HOW}"),
        ("10:13 10:14", f"is not a time; {HOW}"),
        ("5/17 10:13", f"is not a time; {HOW}"),
        ("tomorrow 10:13", f"is not a time; {HOW}"),
        ("24:00", "names no time of a day: 24:00"),
        ("13 pm", "names no hour: 13 pm"),
        ("31 June 9:00", "names no day of the calendar: 31 june"),
        ("2025-02-29", "names no day of the calendar: 2025-02-29"),
        ("2025-13-01T00:00Z", "is no day and time that there is"),
        ("9:00 Europe/Nowhere", "names no zone that is known here: Europe/Nowhere"),
        ("9:00+99:00", "has an offset of a day or more"),
        ("10:14", "is still to come today, 2025-05-17 10:14 Europe/Kyiv; say yesterday or today"),
        ("2025-03-30 03:30", "was never there that day in Europe/Kyiv, as clocks went"),
        ("2024-10-27 03:30", "was there twice that day in Europe/Kyiv, as clocks went"),
    ],
)  # fmt: skip
def test_what_names_no_time_or_two_is_refused_in_a_sentence(text, said):
    with pytest.raises(ValueError, match=r"\w") as refused:
        read_time(text, NOW, KYIV)
    assert str(refused.value).startswith(said)


def test_looking_back_a_time_that_is_still_to_come_is_yesterdays():
    assert read_time("10:14", NOW, KYIV, past=True).isoformat() == "2025-05-16T10:14:00+03:00"
    assert read_time("10:12", NOW, KYIV, past=True).isoformat() == "2025-05-17T10:12:00+03:00"


def test_a_day_that_begins_later_than_midnight_begins_then():
    beirut = ZoneInfo("Asia/Beirut")  # where clocks go forward at midnight
    assert read_time("2025-03-30", NOW, beirut).isoformat() == "2025-03-30T01:00:00+03:00"
    havana = ZoneInfo("America/Havana")  # where midnight comes twice when they go back
    assert read_time("2024-11-03", NOW, havana).isoformat() == "2024-11-03T00:00:00-04:00"


def test_a_moment_is_told_with_its_zones_name():
    assert told_time(read_time("10:13", NOW, KYIV)) == "2025-05-17 10:13 Europe/Kyiv"
    assert told_time(read_time("now", NOW, KYIV)) == "2025-05-17 10:13:20 Europe/Kyiv"
    assert told_time(read_time("7:00+03:00", NOW, KYIV)) == "2025-05-17 07:00 UTC+03:00"
    assert zone_name(read_zone(None)) == "UTC"
    assert read_zone("Not/Known") is read_zone("../etc") is None


def test_only_a_time_with_date_and_zone_is_whole():
    whole = ["2025-05-17T06:17+03:00", " 2025-05-17 06:17:08.25Z", "2025-05-17t06:17z"]
    assert all(map(is_whole, whole))
    assert not any(map(is_whole, ["2025-05-17T06:17", "06:17Z", "2025-05-17", "١٢٣٤-05-17T06:17Z"]))


def test_zones_are_remembered_for_each_server(tmp_path, monkeypatch):
    monkeypatch.setattr("publisher.text.zones.state_folder", lambda: tmp_path)
    keep_zones("http://a", {"world": "Europe/Kyiv", "sport": None})
    keep_zones("http://b", {"world": "Asia/Tokyo"})
    assert known_zone("http://a", "world") == KYIV
    assert zone_name(known_zone("http://a", "sport")) == "UTC"
    assert known_zone("http://a", "absent") is None
    keep_zones("http://a", {"world": "Europe/Berlin"})
    assert known_zone("http://a", "world") == ZoneInfo("Europe/Berlin")
    assert known_zone("http://a", "sport") is not None
    for path in (tmp_path / "zones").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        path.write_text('{"world": 5}')
    assert known_zone("http://a", "world") is None
