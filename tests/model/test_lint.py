"""What is told before publishing, and what is not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from steps import count as steps_of

from feedserver.lint import Circumstances, Recent, lint
from feedserver.lint.findings import Finding
from feedserver.model import BODY_MAX, Content, Media, Verb

NOW = 1_746_100_000_000


def findings(headline: str = "News", body: str = "", **given: Any) -> list[Finding]:
    content = Content(headline, body, **given.pop("content", {}))
    known = {"verb": Verb.POST, "now": NOW, "today": date(2025, 5, 1), "language": "en"} | given
    return lint(content, Circumstances(**known))


def codes(headline: str = "News", body: str = "", **given: Any) -> list[str]:
    return [finding.code for finding in findings(headline, body, **given)]


@pytest.mark.parametrize(
    ("language", "headline", "body"),
    [
        ("en", "Four killed in crash", "Seven people died when a bus left the road."),
        ("en", "Price passes $90", "A barrel costs $86.40, the most since May."),
        ("uk", "Загинули четверо", "Внаслідок удару загинули семеро людей, двоє поранені."),
        ("uk", "Збито 37 дронів", "Збито 27 із 33 дронів."),
        ("de", "Vier Tote bei Unfall", "Sieben Menschen kamen ums Leben."),
        ("de", "3,5 Millionen ohne Strom", "5,3 Millionen Haushalte waren ohne Strom."),
        (None, "Four killed in the crash", "It was said that seven people died on the road."),
    ],
)
def test_a_number_that_the_text_contradicts_is_told(
    language: str | None, headline: str, body: str
) -> None:
    assert codes(headline, body, language=language) == ["number-contradicted"]


@pytest.mark.parametrize(
    ("language", "headline", "body"),
    [
        ("en", "Four killed in crash", "A driver and three passengers were killed."),
        ("en", "Four killed in crash", "The bus left the road in fog."),
        ("en", "Nearly 5 million without power", "4.96 million homes have no power."),
        ("en", "Half of Britons agree", "Of those asked 51 percent agree."),
        ("en", "Trains stop at 6pm", "No train runs after 18:00."),
        ("en", "Four killed in crash", "See https://news.example/7-people-killed for more."),
        ("uk", "Загинули п'ятеро", "Загинули водій і четверо пасажирів."),
        ("de", "Ein Viertel fehlt", "25 Prozent der Lehrer fehlen."),
        ("fr", "Quatre morts", "Sept personnes sont mortes."),
        (None, "Четверо погибли", "Семь человек погибли, 7 ранены."),
        (None, "4", "7"),
    ],
)
def test_a_number_that_the_text_leaves_room_for_is_not(
    language: str | None, headline: str, body: str
) -> None:
    assert codes(headline, body, language=language) == []


def test_the_suggestion_is_the_headline_with_the_texts_number() -> None:
    (found,) = findings("Explosion injures 7 in Lyon", "The blast injured 4 people, police said.")
    assert found.suggestion == "Explosion injures 4 in Lyon"
    assert found.detail == "the headline says “7”, the text “The blast injured 4 people”"
    assert found.asks


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("on Monday, 1 May 2025", "on Thursday, 1 May 2025"),
        ("on Monday, May 1st", "on Thursday, May 1st"),
        ("am Montag, den 1. Mai", "am Donnerstag, den 1. Mai"),
        ("am Montag, 24. Dezember", "am Dienstag, 24. Dezember"),
        ("у п’ятницю, 3 травня", "у суботу, 3 травня"),
        ("у понеділок, 1 травня 2025 року", "у четвер, 1 травня 2025 року"),
    ],
)
def test_a_weekday_that_does_not_go_with_its_date_is_told(text: str, mended: str) -> None:
    (found,) = findings(f"It opens {text}")
    assert (found.code, found.suggestion) == ("weekday", f"It opens {mended}")
    assert codes(f"It opens {mended}") == []


def test_a_date_that_does_not_exist_or_has_no_weekday_is_left_alone() -> None:
    assert codes("Monday, 31 February; Sunday 1 paper; 1 May") == []


@pytest.mark.parametrize(
    ("text", "mended"),
    [("in the the rain", "in the rain"), ("This this is", "This is"), ("у у Києві", "у у Києві")],
)
def test_a_doubled_word_is_told(text: str, mended: str) -> None:
    assert [found.suggestion for found in findings(text)] == ([mended] if mended != text else [])


def test_words_that_people_double_are_left_alone() -> None:
    assert codes("Duran Duran had had very very much, in in-house terms, ha ha", "a a\n\na") == []


def test_entities_that_readers_would_see_are_told() -> None:
    (found,) = findings(body="R&amp;D &#8211; 5&nbsp;km")
    assert (found.code, found.pointer) == ("entity", "/body")
    assert found.suggestion == "R&D – 5\u00a0km"
    assert codes("AT&T; fish & chips; &nonsense;") == []


def test_markup_that_stays_raw_is_told_and_mended_where_the_field_has_its_like() -> None:
    body = "<p>It <b>rains</b>.</p><p>Still.<br/>More <a href='https://a.example'>here</a></p>"
    (found,) = findings(body=body)
    assert (found.code, found.suggestion) == ("raw-markup", "It **rains**.\nStill.\nMore here")
    (found,) = findings("**Rain** over [Sumy](https://a.example)")
    assert (found.pointer, found.suggestion) == ("/headline", "Rain over Sumy")
    assert codes(body="# Rain\n\nStill.") == ["raw-markup"]
    assert codes("1 < 2 and 3 > 2", "**Rain** in [Sumy](https://a.example), 2 < 3 <3") == []


def test_a_picture_without_alt_and_every_field_of_words_is_looked_at() -> None:
    media = (Media("https://a.example/1.jpg"), Media("https://a.example/2.jpg", alt="A &lt;b"))
    content = {"media": media, "tags": ("R&amp;D",), "byline": "Ann &amp; Bob", "source": "the the"}
    assert [(found.code, found.pointer) for found in findings(content=content)] == [
        ("entity", "/byline"),
        ("doubled-word", "/source"),
        ("entity", "/tags/0"),
        ("entity", "/media/1/alt"),
        ("no-alt", "/media/0/alt"),
    ]


def test_a_headline_of_minutes_ago_is_told_and_an_older_one_is_not() -> None:
    recent = [Recent(7, "Міст  через П'сел відкрито", NOW - 180_000)]
    (found,) = findings("МІСТ через П’сел відкрито", recent=recent)
    assert (found.code, found.asks) == ("repeated-headline", True)
    assert found.detail == "item 7 got the same headline 3 minutes ago"
    assert codes("Міст через П'сел закрито", recent=recent) == []
    assert codes("News", recent=[Recent(7, "News", NOW - 600_001)]) == []
    assert codes("News", recent=[Recent(7, "News", NOW)], before=Content("News")) == []


def test_a_fix_of_a_number_without_a_note_is_told() -> None:
    before = Content("Four hurt in fire")
    assert codes("Five hurt in fire", verb=Verb.FIX, before=before) == ["no-note"]
    assert codes("Five hurt in fire", verb=Verb.FIX, before=before, note="typed wrong") == []
    assert codes("Five hurt in fire", verb=Verb.UPDATE, before=before) == []
    assert codes("Four hurt in the fire", verb=Verb.FIX, before=before) == []
    assert codes("Five hurt", verb=Verb.CORRECT, before=before, note="…") == ["no-note"]


HOSTILE = [
    "1 ", "9", "one hundred and ", "1 je 1 ", "a ", "1:1:", "the the ", "<a ", "[a](",
    "Monday, 1 May ", "einundzwanzig", "двадцять два ", "seven people were killed and 12 hurt, ",
]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de", "uk"])
def test_the_check_takes_a_time_in_proportion_to_the_text(
    monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    headline = ("8 killed, 12 hurt, 8pm, 3-1, 5 million, 14 May, " * 7)[:300]
    for piece in HOSTILE:

        def steps(size: int, piece: str = piece) -> int:
            body = piece * (size // len(piece))
            return steps_of(monkeypatch, lambda: findings(headline, body, language=language))

        short, long = steps(BODY_MAX // 512), steps(BODY_MAX // 128)
        # Four times the text in square time takes 16 times as many steps.
        assert long < 8 * short, piece
