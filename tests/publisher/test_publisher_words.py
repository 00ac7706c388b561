"""What an editor types survives files, commands and encodings unchanged."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedserver.model import BODY_MAX
from publisher.commands.program import PROGRAM
from publisher.editing.changes import changes_of, words_of_changes
from publisher.editing.fields import fields_of, words_of
from publisher.failures import Misused
from publisher.output import clean, clean_line, fit
from publisher.server.address import is_loopback, may_carry_token, same_server, split_feed
from publisher.server.retries import WAIT_MAX, read_retry_after, wait_before
from publisher.server.schemas import is_versioned_item
from publisher.text.items import local_time, plain
from publisher.text.typed import SCISSORS, Text

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=30)
some = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


@given(words, st.lists(words).map("\n".join))
def test_a_text_reads_back_from_its_file_as_it_was(headline, body):
    text = Text.of(headline, body)
    assert SCISSORS not in str(text)
    assert Text.parse(str(text)) == Text(text.headline or None, text.body or None)
    assert len(str(text).encode()) < BODY_MAX


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "byline": some | st.none(),
            "source": some,
            "note": some,
            "at": some,
            "tags": st.lists(some, min_size=1, max_size=3) | st.none(),
            "breaking": st.booleans(),
            "media": st.none()
            | st.lists(
                st.fixed_dictionaries(
                    {"url": some},
                    optional={"alt": some, "caption": some, "credit": some},
                )
                | st.fixed_dictionaries(
                    {"url": some, "width": st.integers(1, 9), "height": st.integers(1, 9)}
                ),
                min_size=1,
                max_size=3,
            ),
        },
    )
)
def test_the_command_that_is_told_after_a_failure_means_the_same_fields(fields):
    entry = PROGRAM.find(["update"])
    parser = PROGRAM.parser(entry, entry.load())
    args: Namespace = parser.parse_intermixed_args(["131", *words_of(fields)])
    assert fields_of(args) == fields


def test_the_command_that_is_told_means_the_same_changes_within_fields():
    changes = {
        "add_tags": ["-x", "two words"],
        "remove_tags": ["--y"],
        "pictures": [
            {"number": 2, "alt": "", "caption": "c", "credit": "it's AP"},
            {"number": 1, "width": 12, "height": 10},
        ],
    }
    entry = PROGRAM.find(["fix"])
    parser = PROGRAM.parser(entry, entry.load())
    args = parser.parse_intermixed_args(["131", *words_of_changes(changes)])
    assert (changes_of(args, fields_of(args)), fields_of(args)) == (changes, {})


@given(st.text())
def test_nothing_printed_commands_the_terminal(text):
    assert all(character >= " " or character in "\n\t" for character in clean(text))
    assert len(clean_line(text).splitlines()) <= 1
    assert not set(clean(text)) & {chr(code) for code in range(0x7F, 0xA0)}


def test_a_line_is_cut_to_the_terminal_by_width():
    assert fit("short", 5) == "short"
    assert fit("longer", 5) == "long…"
    assert fit("日本語", 5) == "日本…"
    assert fit("日本語", 6) == "日本語"


def test_times_carry_zone_and_all_but_todays_their_date():
    today = datetime(2025, 5, 17, 12, tzinfo=UTC).astimezone()
    assert local_time("2025-05-17T12:13:00.000Z", today=today).count("-") == 0
    assert "2025-05-1" in local_time("2025-05-14T12:13:00.000Z", today=today)
    assert local_time("no time") == "no time"
    assert local_time(None) == ""


def test_blocks_read_as_plain_words():
    blocks = [["A ", {"text": "bold"}, {"text": "link", "href": "https://e"}], ["B"]]
    assert plain(blocks) == "A boldlink (https://e)\n\nB"


def test_blocks_of_every_kind_read_as_words():
    link = {"text": "link", "href": "https://e"}
    for block, words in (
        ({"list": [["First ", link], ["second"]]}, "- First link (https://e)\n- second"),
        ({"list": [["First"], ["second"]], "ordered": True}, "1. First\n2. second"),
        ({"quote": [["We ", "know."], ["All."]], "cite": "Ann"}, "> We know.\n> All.\n> — Ann"),
        ({"poll": {"question": ["Yes", link], "votes": 5}, "end": None}, "Yeslink (https://e)"),
        ({}, ""),
    ):
        assert is_versioned_item({"id": 1, "etag": "1-abcd", "blocks": [block]})
        assert plain([block]) == words
    assert plain([["A"], {}, ["B"]]) == "A\n\nB"


def test_a_token_travels_encrypted_or_not_at_all():
    assert is_loopback("http://localhost:8000")
    assert is_loopback("http://127.8.8.8")
    assert is_loopback("http://[::1]:8000")
    assert not is_loopback("http://localhost.example")
    assert not may_carry_token("http://10.0.0.1")
    assert may_carry_token("https://news.example")
    assert same_server("https://news.example", "https://news.example:443/feed")
    assert not same_server("https://news.example", "http://news.example")
    assert not same_server("https://news.example", "https://news.example.evil")


@pytest.mark.parametrize(
    "text", ["news.example", "ftp://x", "https://", "https://a@b", "https://x:y", "http://a b", ""]
)
def test_half_an_address_is_refused(text):
    with pytest.raises(Misused):
        split_feed(text)


def test_an_address_may_name_a_feed():
    assert split_feed("https://n.example/feeds/world/items/1") == ("https://n.example", "world")
    assert split_feed("https://n.example/news/") == ("https://n.example/news", None)


def test_tries_are_bounded_by_the_time_that_is_left_and_follow_what_the_server_asks():
    assert wait_before(1, None, 0.5, 0.0) is None
    assert wait_before(1, 2.0, 0.0, 30.0) >= 2.0
    assert wait_before(1, 30.0, 0.0, 30.0) is None
    assert wait_before(1, None, 0.0, 30.0) < wait_before(4, None, 0.0, 30.0) <= WAIT_MAX
    assert wait_before(5000, None, 1.0, 30.0) == WAIT_MAX
    assert read_retry_after("7") == 7
    assert read_retry_after("soon") is None
    now = datetime(2025, 5, 17, 7, 13, tzinfo=UTC)
    assert read_retry_after("Sat, 17 May 2025 07:13:09 GMT", now) == 9
    assert read_retry_after("Sat, 17 May 2025 07:00:00 GMT", now) == 0
