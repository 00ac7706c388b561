"""The fields that editors send, each by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedserver import fields, wire
from feedserver.fields import parse_time
from feedserver.markup import bad_links, blocks
from feedserver.media_types import media_kind
from feedserver.model import Media
from feedserver.spans import Span

ADDRESS = "https://a.example/news"
UNSEEN = [
    "\u200b",
    "\u00ad",
    "\u2060",
    "\ufeff",
    "\u200e",
    "\u202e",
    "\u00a0",
    "\u2028",
    "\u3164",
    "\u034f",
]


def fault(check: fields.Check, value: Any) -> str:
    with pytest.raises(ValueError, match=r"\w+ \w+") as refusal:
        check(value)
    return str(refusal.value)


# Addresses


@pytest.mark.parametrize("unseen", [*UNSEEN, "\n \u200b\u00a0", "\u2800"])
def test_what_cannot_be_seen_at_the_ends_of_an_address_is_taken_away(unseen: str) -> None:
    for pasted in (ADDRESS + unseen, unseen + ADDRESS, f"{unseen} {ADDRESS}{unseen}"):
        assert fields.url(pasted) == ADDRESS
    assert fields.url(unseen) is None


@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\u2060", "\ufeff"])
def test_a_link_in_a_body_leads_to_the_address_that_can_be_seen(unseen: str) -> None:
    text = f"[here]({unseen}{ADDRESS}{unseen})"
    assert fields.body(text) == text
    assert blocks(text) == ((Span("here", href=ADDRESS),),)


@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\u2060", "\u2067", "\u034f", "\u3164"])
def test_a_bare_address_ends_before_what_cannot_be_seen(unseen: str) -> None:
    [[link, rest]] = blocks(f"{ADDRESS}{unseen} and more")
    assert (link, rest) == (Span(ADDRESS, href=ADDRESS), Span(f"{unseen} and more"))


def test_an_address_of_dots_names_no_host() -> None:
    assert "names no host" in fault(fields.url, "https://.../")


@pytest.mark.parametrize(
    ("unseen", "name", "encoded"),
    [
        ("\u200b", "U+200B ZERO WIDTH SPACE", "%E2%80%8B"),
        ("\u00ad", "U+00AD SOFT HYPHEN", "%C2%AD"),
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE", "%E2%80%AE"),
        ("\u00a0", "U+00A0 NO-BREAK SPACE", "%C2%A0"),
        ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE", "%EF%BB%BF"),
    ],
)
def test_what_cannot_be_seen_within_an_address_is_refused_with_its_name_and_place(
    unseen: str, name: str, encoded: str
) -> None:
    address = f"https://a.ex{unseen}ample/"
    detail = fault(fields.url, address)
    assert f"{name} at position 13" in detail
    assert encoded in detail
    if not unseen.isspace():  # which ends an address in a body
        assert name in fault(fields.body, f"[here]({address})")
        assert bad_links(f"[here]({address})") == [address]
    assert fields.url(address.replace(unseen, "")) == "https://a.example/"
    path = f"https://a.example/{encoded}"
    assert fields.url(path) == path


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("a.example", "starts with https://"),
        ("javascript:alert(1)", "starts with https://"),
        ("https://a.example/two words", "a space at position 22: write %20"),
        ('https://a.example/"x"', 'holds " at position 19: write %22'),
        ("https://a.example/<b>", "holds < at position 19: write %3C"),
        ("https://a.example/a|b", "%7C"),
        ("https://anna@a.example", "before @"),
        ("https://", "no host"),
        ("https://:80", "no host"),
        ("https://[::1", "host or port"),
        ("https://a.example:70000/", "host or port"),
        ("https://a.example/" + "x" * 2048, "at most 2048"),
    ],
)
def test_an_address_is_refused_with_the_reason_that_is_true(address: str, reason: str) -> None:
    assert reason in fault(fields.url, address)


@pytest.mark.parametrize(
    "address", ["https://en.wikipedia.org/wiki/Xi'an", "https://b.example/?q='a'"]
)
def test_an_apostrophe_is_a_part_of_addresses_as_rfc_3986_has_it(address: str) -> None:
    assert fields.url(address) == address
    assert blocks(f"[here]({address})") == ((Span("here", href=address),),)


# Text


@pytest.mark.parametrize(
    ("character", "meant"),
    [
        ("\x93", "“"),
        ("\x94", "”"),
        ("\x91", "‘"),
        ("\x92", "’"),
        ("\x96", "–"),
        ("\x80", "€"),
        ("\x85", "…"),
    ],
)
def test_windows_quotes_are_refused_with_their_place_and_what_was_meant(
    character: str, meant: str
) -> None:
    for check in (fields.headline, fields.body, fields.note, fields.summary, fields.line(99)):
        detail = fault(check, f"He said {character}no")
        assert f"U+{ord(character):04X} at position 9" in detail
        assert f"put {meant} there" in detail
    assert fields.headline(f"He said {meant}no") == f"He said {meant}no"


@pytest.mark.parametrize("character", ["\x81", "\x8d", "\x9d"])
def test_a_control_character_that_means_nothing_is_to_be_removed(character: str) -> None:
    assert "remove it" in fault(fields.body, f"a{character}")


@pytest.mark.parametrize(
    ("tag", "without"),
    [
        ("Washington, D.C.", "Washington D.C."),
        ("a,b", "a b"),
        ("東京，大阪", "東京 大阪"),
        ("x,", "x"),
    ],
)
def test_a_comma_in_a_tag_is_refused_with_the_way_out(tag: str, without: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        fields.tags(["ok", tag])
    [error] = refusal.value.faults.told  # type: ignore[attr-defined]
    assert error.pointer == "/1"
    assert f"“{without}”" in error.detail
    assert "a tag for each part" in error.detail
    with pytest.raises(ValueError):  # noqa: PT011
        fields.tags([", ,"])
    assert fields.tags([without, "東京、大阪", "a;b"]) == [without, "東京、大阪", "a;b"]


# Times


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t02:00:00.001+02:00", 1),
        ("1970-01-01 00:00Z", 0),
        ("1970-01-01T00:00:00,5z", 500),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("1970-01-01T03:00:00+0300", 0),
        ("1000-01-01T00:00:00Z", -30_610_224_000_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2017-01-01T02:59:60+03:00", 1_483_228_800_000),
        ("2016-12-31 18:29:60.25-0530", 1_483_228_800_250),
    ],
)
def test_a_time_with_its_zone_is_read(text: str, at: int) -> None:
    assert parse_time(text) == at


@pytest.mark.parametrize("text", ["2025-05-17T10:13:00", "2025-05-17", "2025-05-17 10:13"])
def test_a_time_without_a_zone_says_that_the_zone_is_missing(text: str) -> None:
    with pytest.raises(ValueError, match="add the zone"):
        parse_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "",
        1_747_466_000,
        None,
        "2025-02-30T00:00:00Z",
        "2025-13-01T00:00:00Z",
        "2025-05-17T24:00:00Z",
        "2025-05-17T23:60:00Z",
        "2025-05-17T23:59:61Z",
        "2025-05-17T10:13:60Z",
        "2025-05-17T23:59:60+03:00",
        "9999-12-31T23:59:60Z",
        "2025-05-17T10:13:00+25:00",
        "2025-05-17T10:13:00 Europe/Kyiv",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "0202-05-17T10:13:00Z",
        "1000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "٢٠٢٥-٠٥-١٧T١٠:١٣:٠٠Z",
        "2025-05-17T10:13:00Z\n",
        "12025-05-17T10:13:00Z",
        "-2025-05-17T10:13:00Z",
    ],
)
def test_what_is_no_time_is_refused_in_a_sentence(text: object) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        parse_time(text)


@given(st.integers(-30_610_224_000_000, 253_402_300_799_999))
def test_a_time_as_it_is_written_is_read_back(at: int) -> None:
    assert parse_time(wire.time_text(at)) == at


@given(st.text("0123456789T:-+Zz. ,", max_size=30) | st.text(max_size=30))
def test_whatever_time_is_accepted_can_be_written_again(text: str) -> None:
    try:
        at = parse_time(text)
    except ValueError:
        return
    assert parse_time(wire.time_text(at)) == at


# Media


def test_a_medium_is_a_picture_video_or_sound_by_its_type_or_else_by_its_address() -> None:
    for sent, kind in (
        ({"url": f"{ADDRESS}/a.mp4?x=1"}, "video"),
        ({"url": f"{ADDRESS}/a.MP3"}, "audio"),
        ({"url": f"{ADDRESS}/a.webp"}, "image"),
        ({"url": f"{ADDRESS}/a"}, "image"),
        ({"url": f"{ADDRESS}.pdf/a.b.unknown#c.mp4"}, "image"),
        ({"url": f"{ADDRESS}/a", "type": " Video/MP4; codecs=avc1 "}, "video"),
        ({"url": f"{ADDRESS}/photo.html", "type": "image/jpeg"}, "image"),
    ):
        [found] = fields.media([sent])
        assert media_kind(Media(**found)) == kind, sent


@pytest.mark.parametrize(
    ("sent", "pointer", "said"),
    [
        ({"url": f"{ADDRESS}/report.PDF?x=y"}, "/0/url", "kind .pdf"),
        ({"url": f"{ADDRESS}/a.m3u8"}, "/0/url", "link to it in the body"),
        ({"url": f"{ADDRESS}/index.html"}, "/0/url", "send its type"),
        ({"url": f"{ADDRESS}/a.pdf", "type": "application/pdf"}, "/0/type", "video/mp4"),
        ({"url": f"{ADDRESS}/a.jpg", "type": "image"}, "/0/type", "such as image/jpeg"),
        ({"url": f"{ADDRESS}/a.jpg", "type": 'image/x"><b>'}, "/0/type", "such as image/jpeg"),
    ],
)
def test_what_no_page_can_show_or_play_is_refused_with_the_way_out(
    sent: dict[str, Any], pointer: str, said: str
) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        fields.media([sent])
    [error] = refusal.value.faults.told  # type: ignore[attr-defined]
    assert error.pointer == pointer
    assert said in error.detail
