"""Which texts count as one: where they are searched, and as tags."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedserver import folding
from feedserver.folding import distinct_tags, fold, fold_tag

TABLE = json.loads((Path(folding.__file__).with_name("folding.json")).read_bytes())


def points(name: str) -> set[int]:
    """All characters of a list of the table."""
    found: set[int] = set()
    for entry in TABLE[name]:
        first, _, last = entry.partition("-")
        found |= set(range(int(first, 16), int(last or first, 16) + 1))
    return found


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("Café", "cafe"), ("Cafe\u0301", "cafe"), ("Ñandú", "nandu"), ("Ångström", "angstrom"),
        ("Straße", "strasse"), ("STRASSE", "straße"), ("İstanbul", "istanbul"), ("ﬁre", "fire"),
        ("ＦＵＬＬ", "full"), ("Αθήνα", "αθηνα"), ("ΟΔΟΣ", "οδος"), ("τῇ", "τη"),
        ("Елка", "Ёлка"), ("за́мок", "замок"), ("ДЕВ’ЯТЬ", "дев'ять"), ("Пʼятеро", "п'ятеро"),
        ("п`ять", "п´ять"), ("O‘Neil", "O'Neil"), ("צ׳ק", "צ'ק"),
        ("مُحَمَّد", "محمد"), ("أحمد", "احمد"), ("إلى", "الى"), ("آب", "اب"), ("كتـــاب", "كتاب"),
        ("שָׁלוֹם", "שלום"), ("co\u00adop\u00ader\u00ada\u00adtion", "cooperation"),
        ("zero\u200bwidth", "zerowidth"), ("می\u200cخواهم", "میخواهم"), ("\ufeffbom", "bom"),
        ("ガス", "ｶﾞｽ"), ("か\u3099", "が"), ("서울", unicodedata.normalize("NFD", "서울")),
        ("Ки\u0306в", "кйв"), ("\u202bعربي\u202c", "عربي"), ("❤\ufe0f", "❤"),
    ],
)  # fmt: skip
def test_what_readers_take_for_one_is_one(written: str, searched: str) -> None:
    assert fold(written) == fold(searched)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("й", "и"), ("ї", "і"), ("Й", "И"), ("Ї", "І"), ("か", "が"), ("ハ", "パ"), ("ハ", "バ"),
        ("मै", "म"), ("कि", "की"), ("กำ", "กา"), ("ไม่", "ไม"), ("က", "ကာ"), ("ក", "កា"),
        ("مؤمن", "مومن"), ("شيء", "شي"), ("ئ", "ي"), ("dont", "don't"), ("ى", "ي"),
    ],
)  # fmt: skip
def test_other_letters_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text())
def test_a_folded_text_does_not_change_when_it_is_folded_again(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold_tag(fold_tag(text)) == fold_tag(text)


@given(st.text())
def test_the_form_and_the_case_of_a_text_do_not_matter(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, text)) == fold(text)
        assert fold_tag(unicodedata.normalize(form, text)) == fold_tag(text)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_plain_text_takes_a_quicker_way_to_the_same(text: str) -> None:
    assert fold(text + "\u00e9") == fold(text) + "e"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Київ", unicodedata.normalize("NFD", "Київ")), ("New York", "New\u00a0York"),
        ("New York", "new  york "), ("п’ять", "п'ять"), ("Kyiv", "KYIV"), ("ﬁre", "FIRE"),
        ("so\u00adft", "soft"), ("Straße", "STRASSE"), ("ΟΔΟΣ", "οδος"), ("a\u2009b", "a b"),
        ("①", "1"),
    ],
)  # fmt: skip
def test_tags_that_look_alike_are_one(one: str, other: str) -> None:
    assert fold_tag(one) == fold_tag(other)


@pytest.mark.parametrize(
    ("one", "other"), [("resume", "résumé"), ("ё", "е"), ("й", "и"), ("NewYork", "New York")]
)
def test_marks_and_blanks_keep_tags_apart(one: str, other: str) -> None:
    assert fold_tag(one) != fold_tag(other)


def test_of_tags_that_are_one_the_first_spelling_stays() -> None:
    twice = unicodedata.normalize("NFD", "Київ")
    assert distinct_tags(["Sumy", "Київ", twice, "sumy", "київ", "sea"]) == ["Sumy", "Київ", "sea"]


def test_the_table_tells_a_browser_what_lower_case_leaves_apart() -> None:
    for point in range(0x110000):
        letter = chr(point)
        is_cherokee = 0x13A0 <= point < 0x1400 or 0xAB70 <= point < 0xABC0  # folds to capitals
        if unicodedata.normalize("NFKD", letter) != letter or is_cherokee:
            continue
        lower = "".join(one.lower() for one in letter)
        assert "".join(TABLE["case"].get(one, one) for one in lower) == letter.casefold(), letter


def test_each_mark_of_a_word_is_either_dropped_or_part_of_it() -> None:
    """Else a word would be cut in two where it stands."""
    kept = points("signs") | points("unspaced")
    dropped = points("marks") | points("invisible")
    symbols = {*range(0x2CEF, 0x2CF2), *range(0x1B6B, 0x1B74), *range(0x1BC9D, 0x1BC9F)}
    symbols |= {*range(0x1CF00, 0x1DB00), *range(0x1E000, 0x1E02B), 0x101FD}  # of music, and so on
    for point in range(0x110000):
        if unicodedata.category(chr(point)) in {"Mn", "Mc", "Me"} and point not in symbols:
            assert (point in kept) != (point in dropped), hex(point)


def test_no_character_is_in_two_kinds() -> None:
    kinds = ["apostrophes", "blanks", "invisible", "marks", "signs", "unspaced"]
    for one in kinds:
        for other in kinds[kinds.index(one) + 1 :]:
            assert not points(one) & points(other), (one, other)
