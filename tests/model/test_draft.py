"""What an editor sends, checked field by field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedserver import records, wire
from feedserver.draft import SENT, Draft, draft, feed_redaction, feed_settings
from feedserver.errors import Invalid
from feedserver.fields import parse_time
from feedserver.model import (
    Content,
    Correction,
    Feed,
    Item,
    Media,
    Origin,
    Record,
    Token,
    Verb,
)
from feedserver.rules import WRITES_WORDS, Known, decide

NOW = 1_747_466_000_000  # 2025-05-17T07:13:20Z
FIRST = parse_time("1000-01-01T00:00:00Z")
EDITS = [Verb.FIX, Verb.UPDATE, Verb.CORRECT]
MARKS = [Verb.HOLD, Verb.RELEASE, Verb.KILL, Verb.PIN, Verb.UNPIN]
NOTE = {"note": "n"}


def post(**fields: Any) -> Draft:
    return draft({"headline": "h"} | fields, Verb.POST, NOW)


def faults(fields: object, verb: Verb = Verb.POST) -> dict[str, str]:
    """Return what is refused, by pointer."""
    with pytest.raises(Invalid) as refusal:
        draft(fields, verb, NOW)
    found = {error.pointer: error.detail for error in refusal.value.errors}
    assert len(found) == len(refusal.value.errors), "a fault is named twice"
    assert all(detail for detail in found.values())
    return found


def fault(**fields: Any) -> dict[str, str]:
    return faults({"headline": "h"} | fields)


def test_a_headline_is_needed_and_300_characters_fit_exactly() -> None:
    assert post(headline="ї" * 300).fields["headline"] == "ї" * 300
    assert "301 characters" in fault(headline="a" * 301)["/headline"]
    assert faults({}).keys() == {"/headline"}


@pytest.mark.parametrize(
    "empty",
    [
        None,
        "",
        " ",
        "\n\t",
        "\u00a0",
        "\u200b",
        "\u2060 \u00ad",
        "\u2800",
        "\u3164\u115f",
        "\u0301",
    ],
)
def test_a_headline_that_nobody_can_see_is_no_headline(empty: str | None) -> None:
    assert fault(headline=empty) == {"/headline": "an item needs a headline"}
    assert faults({"headline": empty}, Verb.UPDATE).keys() == {"/headline"}


def test_a_headline_is_one_line_and_keeps_its_no_break_spaces() -> None:
    assert post(headline=" a\r\n b\t c\u2028d ").fields["headline"] == "a b c d"
    assert (
        post(headline="«\u00a010\u202f000\u00a0»").fields["headline"] == "«\u00a010\u202f000\u00a0»"
    )


def test_64_kib_of_body_fit_exactly_counted_in_utf_8() -> None:
    assert post(body="ї" * 32768).fields["body"] == "ї" * 32768
    assert "65537 bytes" in fault(body="ї" * 32768 + "a")["/body"]


def test_a_body_keeps_its_lines_and_loses_only_the_blank_ones_around_it() -> None:
    assert post(body="\n\n  a\r\nb\rc\n\nd \n").fields["body"] == "  a\nb\nc\n\nd"
    assert post(body=" \n ").fields["body"] is None


def test_a_body_whose_markup_would_burst_a_message_is_refused() -> None:
    toggling = "**" + ",*,*" * 16_000 + ",**"
    address = "https://a.example/" + "x" * 2000
    assert fault(body=toggling).keys() == {"/body"}
    assert "markup" in fault(body=f"[{',*' * 31_000}]({address})")["/body"]


@pytest.mark.parametrize(
    "character",
    [*"\x00\x01\x0b\x0c\x1b\x1f\ufffe\uffff", chr(0xD800), chr(0xDFFF)],
)
@pytest.mark.parametrize("name", ["headline", "body", "byline", "source", "url", "note"])
def test_what_xml_forbids_is_refused_and_named(character: str, name: str) -> None:
    detail = fault(**{name: f"ab{character}c"})[f"/{name}"]
    assert f"U+{ord(character):04X} at position 3" in detail


def test_what_xml_forbids_is_refused_deep_inside_too() -> None:
    found = fault(
        tags=["ok", "\x00"],
        media=[{"url": "https://a.example", "alt": "\ufffe"}],
        origin={"uri": "\x01", "id": "x"},
    )
    assert found.keys() == {"/tags/1", "/media/0/alt", "/origin/uri"}


@pytest.mark.parametrize(
    "text", ["\t", "\x7f", "\xa0", "\u200d", "\ud7ff", "\ue000", "\ufffd", "😀", "\U0010ffff"]
)
def test_what_xml_allows_is_kept(text: str) -> None:
    assert post(body=f"a{text}b").fields["body"] == f"a{text}b"


def test_unknown_fields_are_named_and_escaped_as_json_pointer_asks() -> None:
    found = fault(headlin="x", **{"a/b~c": 1, "": 2})
    assert found.keys() == {"/headlin", "/a~1b~0c", "/"}
    assert "headline" in found["/headlin"]


def test_every_fault_is_told_at_once() -> None:
    found = faults(
        {
            "headline": "",
            "body": 5,
            "url": "javascript:x",
            "tags": ["a", "", "b" * 51, 7],
            "breaking": "yes",
            "language": "english!",
            "occurred_at": "yesterday",
            "media": [{"url": "https://a.example"}, "x", {"alt": "a"}],
            "pinned": True,
        }
    )
    assert found.keys() == {
        "/headline", "/body", "/url", "/tags/1", "/tags/2", "/tags/3", "/breaking", "/language",
        "/occurred_at", "/media/1", "/media/2/url", "/pinned",
    }  # fmt: skip


def test_twenty_faults_are_told_and_the_last_one_says_how_many_more_there_are() -> None:
    with pytest.raises(Invalid) as refusal:
        draft({f"x{number:02}": 1 for number in range(20)} | {"headline": "h"}, Verb.POST, NOW)
    assert len(refusal.value.errors) == 20
    assert "more" not in refusal.value.errors[-1].detail
    for count, says in ((21, "1 more fault,"), (50_000, "49980 more faults,")):
        raw = {f"x{number:05}": 1 for number in range(count)} | {"headline": "h"}
        with pytest.raises(Invalid) as refusal:
            draft(raw, Verb.POST, NOW)
        errors = refusal.value.errors
        assert [error.pointer for error in errors] == [f"/x{number:05}" for number in range(20)]
        assert [says in error.detail for error in errors] == [False] * 19 + [True]
        assert len(refusal.value.detail) < 5_000


def test_faults_inside_of_lists_are_counted_among_the_twenty() -> None:
    media = [{"url": 1, "alt": 1, "width": 0, "height": 0, "credit": 1}] * 10
    with pytest.raises(Invalid) as refusal:
        post(media=media, tags=[""] * 20, body=7)
    assert len(refusal.value.errors) == 20
    assert "51 more faults" in refusal.value.errors[-1].detail


@pytest.mark.parametrize("count", [80, 81, 100_000])
def test_the_names_of_unknown_fields_are_cut_at_80_characters(count: int) -> None:
    name = "ї" * count
    shown = name if count == 80 else "ї" * 79 + "…"
    assert fault(**{name: 1}).keys() == {f"/{shown}"}
    assert fault(media=[{"url": "https://a.example", name: 1}]).keys() == {f"/media/0/{shown}"}
    assert settings_faults({"title": "T", name: 1}) == {f"/{shown}"}


@pytest.mark.parametrize("raw", [None, [], "x", 5, True])
def test_a_submission_is_an_object(raw: object) -> None:
    assert faults(raw)[""] == "send a JSON object"


@pytest.mark.parametrize("name", ["pinned", "status", "updated_at", "corrections", "blocks"])
def test_what_only_a_verb_sets_says_which_verb(name: str) -> None:
    assert fault(**{name: "x"}).keys() == {f"/{name}"}


@pytest.mark.parametrize("verb", EDITS)
def test_what_a_post_sets_for_good_cannot_be_edited(verb: Verb) -> None:
    fields = {"published_at": "2025-05-17T07:00:00Z", "origin": {"uri": "u", "id": "i"}}
    found = faults(fields | {"note": "n", "headline": "h"}, verb)
    assert found.keys() == {"/published_at", "/origin"}


@pytest.mark.parametrize("verb", MARKS)
def test_a_verb_that_changes_no_text_takes_none(verb: Verb) -> None:
    assert faults({"headline": "h", "note": "n"}, verb).keys() == {"/headline"}
    assert draft({"verb": str(verb), "note": "n"}, verb, NOW) == Draft(note="n")


@pytest.mark.parametrize("verb", [Verb.FIX, Verb.UPDATE])
def test_an_edit_changes_something(verb: Verb) -> None:
    assert faults({"note": "n"}, verb).keys() == {""}


def test_a_correction_may_be_its_note_alone() -> None:
    assert draft({"note": "It was 4."}, Verb.CORRECT, NOW).note == "It was 4."


@pytest.mark.parametrize("verb", [Verb.CORRECT, Verb.KILL])
@pytest.mark.parametrize("note", [{}, {"note": None}, {"note": ""}, {"note": " \n"}])
def test_a_correction_and_a_kill_need_a_public_note(verb: Verb, note: dict[str, Any]) -> None:
    assert "shown to readers" in faults(note, verb)["/note"]


def test_a_note_has_a_limit() -> None:
    assert draft({"note": "n" * 1000}, Verb.KILL, NOW).note == "n" * 1000
    assert faults({"note": "n" * 1001}, Verb.KILL).keys() == {"/note"}


def test_an_absent_field_is_kept_and_null_clears() -> None:
    fields = draft({"body": None, "tags": None, "breaking": None}, Verb.UPDATE, NOW).fields
    assert fields == {"body": None, "tags": None, "breaking": None}
    before = Content(
        "h",
        "b",
        b'[["b"]]',
        "Ann",
        "AFP",
        "https://a.example",
        ("a",),
        (Media("https://b.example"),),
        (Correction(1, "c"),),
        breaking=True,
        language="en",
        occurred_at=0,
    )
    assert draft({"note": "n"}, Verb.CORRECT, NOW).applied_to(before) == before
    cleared = {name: None for name in SENT if name != "headline"}
    after = draft(cleared, Verb.FIX, NOW).applied_to(before)
    assert after == Content("h", corrections=before.corrections)


def test_what_is_sent_takes_the_place_of_what_was_there() -> None:
    before = Content("h", tags=("a", "b"), media=(Media("https://b.example"),), breaking=True)
    media = [{"url": "https://a.example", "alt": "a"}, {"url": "https://c.example", "width": 9}]
    raw = {"tags": ["c"], "media": media, "body": "*b*", "breaking": False}
    assert draft(raw, Verb.UPDATE, NOW).applied_to(before) == Content(
        "h",
        "*b*",
        b'[[{"text":"b","em":true}]]',
        tags=("c",),
        media=(Media("https://a.example", "a"), Media("https://c.example", width=9)),
    )


def test_the_body_is_parsed_once_when_it_is_written() -> None:
    before = post(body="**b**").applied_to(Content())
    assert before.blocks == b'[[{"text":"b","strong":true}]]'
    assert draft({"headline": "i"}, Verb.FIX, NOW).applied_to(before).blocks is before.blocks
    assert draft({"body": None}, Verb.FIX, NOW).applied_to(before).blocks is None


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example",
        "http://a.example:8080/b?c=d#e",
        "https://суми.укр/новини",
        "HTTPS://a.b",
        "https://en.wikipedia.org/wiki/Xi'an",
        "https://a.example/!$&'()*+,;=:@-._~/?q='a'#'b'",
    ],
)
def test_a_web_address_is_good(address: str) -> None:
    assert post(url=address).fields["url"] == address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/a",
        "a.example",
        "ftp://a.example",
        "mailto:a@b.example",
        "https://",
        "https:///a",
        "https://:80",
        "https://user@a.example",
        "https://user:secret@a.example",
        "https://a b.example",
        "https://a.example/\u00a0",
        "https://a.example/\n",
        "https://a.example/<b>",
        'https://a.example/"',
        "https://[::1",
        "https://a.example:http/",
        "https://a.example:70000/",
        "https://a.example/" + "x" * 2048,
        7,
        ["https://a.example"],
    ],
)
def test_any_other_address_is_refused_as_url_and_as_media(address: object) -> None:
    if address == "https://a.example/\n":
        address = "https://a.example/\nb"  # around it, white space is only trimmed
    if address == "https://a.example/\u00a0":
        address = "https://a.example/\u00a0b"
    assert fault(url=address).keys() == {"/url"}
    assert fault(media=[{"url": address}]).keys() == {"/media/0/url"}


@pytest.mark.parametrize("url", [None, "", " ", "\n"])
def test_a_medium_needs_a_url(url: object) -> None:
    assert fault(media=[{"url": url, "alt": "a"}]) == {"/media/0/url": "a medium needs a url"}


def test_a_link_in_the_body_is_held_to_the_same_rule() -> None:
    detail = fault(body="see [this](javascript:alert(1)) and [that](https://a.example)")["/body"]
    assert "javascript:alert(1)" in detail
    assert post(body=r"see \[this](javascript:x)").fields["body"] == r"see \[this](javascript:x)"


def test_tags_have_limits_and_no_doubles() -> None:
    assert post(tags=["a"] * 2 + ["b"]).fields["tags"] == ["a", "b"]
    assert len(post(tags=[str(i) for i in range(20)]).fields["tags"]) == 20
    assert fault(tags=[str(i) for i in range(21)]).keys() == {"/tags"}
    assert post(tags=["x" * 50]).fields["tags"] == ["x" * 50]
    assert fault(tags=["x" * 51, None, " ", {}]).keys() == {
        "/tags/0",
        "/tags/1",
        "/tags/2",
        "/tags/3",
    }
    assert fault(tags="a,b").keys() == {"/tags"}


def test_media_have_limits() -> None:
    one = {"url": "https://a.example"}
    assert len(post(media=[one] * 10).fields["media"]) == 10
    assert fault(media=[one] * 11).keys() == {"/media"}
    found = fault(
        media=[
            one | {"width": 0, "height": 20_001, "credit": "c" * 201, "alt": "a" * 1001},
            one | {"width": 1.5, "height": True, "x/y": 1},
        ]
    )
    assert found.keys() == {
        "/media/0/width", "/media/0/height", "/media/0/credit", "/media/0/alt",
        "/media/1/width", "/media/1/height", "/media/1/x~1y",
    }  # fmt: skip


@pytest.mark.parametrize("language", ["en", "uk", "pt-BR", "zh-Hant-TW", "sr-Latn-RS"])
def test_a_language_tag_is_good(language: str) -> None:
    assert post(language=language).fields["language"] == language


@pytest.mark.parametrize("language", ["e", "english", "en_GB", "en-", "-en", "україна", 5])
def test_what_is_no_language_tag_is_refused(language: object) -> None:
    assert fault(language=language).keys() == {"/language"}


@pytest.mark.parametrize("value", [1, 0, "true", [], "false"])
def test_breaking_is_true_or_false(value: object) -> None:
    assert fault(breaking=value).keys() == {"/breaking"}


def test_an_origin_has_a_uri_and_an_id() -> None:
    assert post(origin={"uri": "u", "id": "i"}).origin == Origin("u", "i")
    for bad in ("x", {}, {"uri": "u"}, {"uri": "u", "id": "i", "x": 1}):
        assert fault(origin=bad).keys() == {"/origin"}
    assert fault(origin={"uri": "", "id": 5}).keys() == {"/origin/id"}
    assert fault(origin={"uri": "", "id": " "}).keys() == {"/origin/uri", "/origin/id"}


# Times


@pytest.mark.parametrize("name", ["published_at", "occurred_at", "at"])
def test_a_time_may_be_60_seconds_ahead_and_no_more(name: str) -> None:
    post(**{name: wire.time_text(NOW + 60_000)})
    found = fault(**{name: wire.time_text(NOW + 60_001)})
    assert "future" in found[f"/{name}"]


def test_at_and_published_at_are_two_words_for_one_thing() -> None:
    both = {"at": "2025-05-17T07:00:00Z", "published_at": "2025-05-17T07:00:00Z"}
    assert fault(**both).keys() == {"/published_at"}


def test_a_claimed_time_that_is_ahead_becomes_now() -> None:
    assert post(at=wire.time_text(NOW + 30_000)).claimed_at == NOW


# Redacts


def test_a_redact_names_a_version_and_says_why() -> None:
    redact = draft({"verb": "redact", "version": 7, "note": " a name "}, Verb.REDACT, NOW)
    assert redact == Draft(note="a name", version=7)
    assert faults({"version": 7}, Verb.REDACT).keys() == {"/note"}
    assert faults({}, Verb.REDACT).keys() == {"/note", "/version"}


@pytest.mark.parametrize("version", [None, 0, -1, True, "7", 7.0, [7]])
def test_a_version_is_a_whole_number(version: object) -> None:
    assert faults({"version": version, "note": "n"}, Verb.REDACT).keys() == {"/version"}
    with pytest.raises(Invalid, match="/version"):
        feed_redaction({"verb": "redact", "version": version, "note": "n"})


@pytest.mark.parametrize("name", ["headline", "body", "at", "origin", "x"])
def test_a_redact_changes_no_field_and_has_no_other_time(name: str) -> None:
    found = faults({"version": 7, "note": "n", name: "x"}, Verb.REDACT)
    assert found.keys() == {f"/{name}"}


def test_only_a_redact_names_a_version() -> None:
    for verb in (*EDITS, *MARKS):
        raw = NOTE | ({"headline": "h"} if verb in EDITS else {})
        assert faults(raw | {"version": 7}, verb).keys() == {"/version"}


def test_a_redact_of_earlier_key_points_names_their_version_and_says_why() -> None:
    raw = {"verb": "redact", "version": 7, "note": "a name"}
    assert feed_redaction(raw) == (7, "a name")
    for broken, pointers in (
        ({"verb": "post"}, {"/verb"}),
        ({"note": " "}, {"/note"}),
        ({"note": 5}, {"/note"}),
        ({"summary": "x"}, {"/summary"}),
    ):
        with pytest.raises(Invalid) as refusal:
            feed_redaction(raw | broken)
        assert {error.pointer for error in refusal.value.errors} == pointers
    with pytest.raises(Invalid):
        feed_redaction([])


# Feeds


def settings_faults(raw: object, *, creating: bool = True) -> set[str]:
    with pytest.raises(Invalid) as refusal:
        feed_settings(raw, creating=creating)
    return {error.pointer for error in refusal.value.errors}


def test_a_feed_needs_a_title_to_be_made_and_keeps_it() -> None:
    assert feed_settings({"title": " World\n"}, creating=True) == {"title": "World"}
    assert feed_settings({}, creating=False) == {}
    assert settings_faults({}) == {"/title"}
    for empty in (None, "", " "):
        assert settings_faults({"title": empty}, creating=False) == {"/title"}


def test_what_is_null_is_cleared_and_a_cleared_closed_is_open() -> None:
    raw = {"language": None, "timezone": None, "description": None, "closed": None}
    assert feed_settings(raw, creating=False) == raw | {"closed": False}


def test_key_points_are_held_to_the_bodys_markup_and_4_kib() -> None:
    def summary(text: object) -> Any:
        return feed_settings({"summary": text}, creating=False)["summary"]

    assert summary("\n\n- *One*\r\n- two \n") == "- *One*\n- two"
    assert summary("ї" * 2048) == "ї" * 2048
    assert summary(None) is None
    assert summary(" \n") is None
    for bad in ("ї" * 2048 + "a", "[a](javascript:x)", 5, "\x00"):
        assert settings_faults({"summary": bad}, creating=False) == {"/summary"}


def test_a_typo_in_key_points_is_said_as_such() -> None:
    raw = {"summary": "One.", "typo": True}
    assert feed_settings(raw, creating=False) == {"summary": "One.", "is_typo": True}
    for no in (False, None):
        assert feed_settings({"summary": "One.", "typo": no}, creating=False) == {"summary": "One."}
    assert settings_faults({"summary": "One.", "typo": "yes"}, creating=False) == {"/typo"}


@pytest.mark.parametrize("zone", ["Europe/Kyiv", "UTC", "America/Argentina/Buenos_Aires"])
def test_a_zone_has_a_name(zone: str) -> None:
    assert feed_settings({"timezone": zone}, creating=False) == {"timezone": zone}


@pytest.mark.parametrize(
    "zone",
    [
        "Kyiv",
        "+03:00",
        "Europe",
        "right/UTC",
        "posix/UTC",
        "localtime",
        "Factory",
        "posixrules",
        "../etc/passwd",
        "/etc/localtime",
        "Mars/Base",
        "a\x00b",
        3,
        "Ы",
    ],
)
def test_what_is_no_zone_is_refused(zone: object) -> None:
    assert settings_faults({"timezone": zone}, creating=False) == {"/timezone"}


def test_a_feed_refuses_what_it_does_not_know_or_cannot_use() -> None:
    raw = {"title": 5, "closed": "yes", "language": "english", "description": "d" * 1001, "slug": 1}
    assert settings_faults(raw) == {"/title", "/closed", "/language", "/description", "/slug"}
    assert settings_faults([]) == {"", "/title"} or settings_faults([]) == {""}


# Whatever is accepted can be stored, kept and shown


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 30_000) | st.text(max_size=12)
    | st.sampled_from(["https://a.example", " ", "2025-05-17T07:00:00Z", "en", "[a](https://b.c)"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["url", "alt", "width", "uri", "id"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
names = st.sampled_from(
    ["headline", "body", "occurred_at", "published_at", "byline", "source", "url", "tags",
     "breaking", "language", "media", "note", "at", "origin", "verb"]
)  # fmt: skip


@given(st.dictionaries(names, json_values, max_size=6), st.sampled_from([Verb.POST, *EDITS]))
def test_whatever_is_accepted_can_be_decided_stored_and_shown(
    raw: dict[str, Any], verb: Verb
) -> None:
    try:
        accepted = draft({"headline": "h"} | raw, verb, NOW)
    except Invalid:
        return
    record = Record(
        "r" * 16,
        verb,
        NOW,
        feed="world",
        item=None if verb is Verb.POST else 1,
        editor="anna",
        content=accepted.applied_to(Content("h")),
        note=accepted.note,
        published_at=accepted.published_at,
        claimed_at=accepted.claimed_at,
        origin=accepted.origin,
        origin_mac=b"origin" if accepted.origin else None,
    )
    known = Known(
        feed=Feed("world", "World", 0, 1, 2, "abcd"),
        item=Item(1, "world", 2, "abcd", FIRST, headline="h", touched_at=FIRST),
        token=Token("anna", "d", importer=True),
    )
    assert record.act in WRITES_WORDS
    item = decide(record, 3, known).item
    assert item is not None
    assert item.content == record.content
    assert wire.dumps(wire.item_json(item, body=True))
    assert wire.item_json(item, body=True)["headline"] == item.headline
    words = records.load_words(records.dump_words(record))
    assert words.note == record.note
    assert words.origin == record.origin
    records.bound(record, records.dump_settings(record))
