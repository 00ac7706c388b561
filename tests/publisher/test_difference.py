"""What changed is shown by words and never at length; two changes of one text lose no word."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.text.difference import LONGEST, changes, compare, has_marks, merge

texts = st.lists(st.sampled_from(["nine", "ten", "Sumy", "bus,", "\n\n", "A.", "日本"])).map(
    " ".join
)


@given(texts, texts)
def test_both_texts_are_there_piece_by_piece(old, new):
    pieces = compare(old, new)
    assert "".join(piece.old for piece in pieces) == old
    assert "".join(piece.new for piece in pieces) == new
    kept = [piece.is_kept for piece in pieces]
    assert all(one != other for one, other in itertools.pairwise(kept))


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("Drone kills 9", "Drone kills 10", ["Drone kills [-9-]{+10+}"]),
        (
            "Hit at 6. Nine died.",
            "Hit at 7. Ten died.",
            ["Hit at [-6.-]{+7.+} [-Nine-]{+Ten+} died."],
        ),
        ("Old text, nine died.", "Mine, nine died.", ["[-Old text,-]{+Mine,+} nine died."]),
        ("Bus hit", "Bus hit again", ["Bus hit{+ again+}"]),
        ("nine men died", "ten women died", ["[-nine men-]{+ten women+} died"]),
        ("", "new", ["{+new+}"]),
        ("gone", "", ["[-gone-]"]),
        ("日本語", "日中語", ["日[-本-]{+中+}語"]),
        ("One.\n\nTwo.", "One.\n\nTwo.\n\nThree.", ["Two.{+ ¶ Three.+}"]),
        ("same", "same", []),
    ],
)
def test_a_change_is_shown_with_the_words_around_it(old, new, shown):
    assert changes(old, new).passages == shown
    assert changes(old, new).whole


def test_what_is_shown_of_a_long_text_is_a_screenful():
    chance = random.Random(7)
    words = [f"w{chance.randrange(3000)}" for _ in range(8000)]
    one_line = " ".join(words)
    one_word = changes(one_line, one_line.replace(words[4000], "seven", 1))
    assert one_word.whole
    assert "{+seven+}" in one_word.passages[0]
    assert len("".join(one_word.passages)) < 150
    everywhere = " ".join(word if chance.random() < 0.9 else "other" for word in words)
    for new in (everywhere, one_line[::-1], "", one_line * 2):
        shown = changes(one_line, new)
        assert sum(map(len, shown.passages)) < 20 * LONGEST
        assert shown.whole is (new == "")


@given(texts, texts, texts)
def test_a_merge_holds_every_word_that_either_side_put_in(base, theirs, yours):
    merged = merge(base, theirs, yours)
    before = set(base.split())
    for side in (theirs, yours):
        assert set(side.split()) - before <= set(merged.text.split())
    assert has_marks(merged.text) is (merged.clashes > 0)
    assert merge(base, base, yours).text == yours
    assert merge(base, theirs, base).text == theirs
    assert merge(base, yours, yours).text == yours
    unknown = merge(None, theirs, yours)
    assert all(word in unknown.text for word in [*theirs.split(), *yours.split()])
    assert (unknown.clashes > 0) is (theirs != yours)


@pytest.mark.parametrize(
    ("theirs", "yours", "text"),
    [
        ("Drone kills 10 in Sumy", "Drone kills 9 in Sumy Oblast", "Drone kills 10 in Sumy Oblast"),
        (
            "Drone kills 10 in Sumy",
            "Drone kills 8 in Sumy",
            "Drone kills <<<<<<< 10 ======= 8 >>>>>>> in Sumy",
        ),
        ("Drone kills 9 in Kyiv", "Drone kills 9 near Sumy", None),
    ],
)
def test_changes_of_other_words_go_together_and_of_the_same_ones_stand_beside_each_other(
    theirs, yours, text
):
    merged = merge("Drone kills 9 in Sumy", theirs, yours)
    assert text is None or merged.text == text
    assert merged.clashes == (0 if text and "<" not in text else 1)
