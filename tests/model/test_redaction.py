"""Which records a redact erases, and what words it leaves."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.memory import Disk, apply
from support.records import NOON, edit, feed, kill, post, redact

from feedserver.errors import Invalid, Killed, Refused, WrongState
from feedserver.model import (
    Content,
    Correction,
    Feed,
    Item,
    Media,
    Record,
    Redaction,
    Revision,
    Status,
    Verb,
)
from feedserver.redaction import MEDIA_TEXTS, feed_redaction_of, redaction_of
from feedserver.rules import Change

NAME = "Jane Roe was arrested"
ADDRESS = "https://a.example/jane"


class Story:
    """One item of a feed, and all that became of it. Versions count up from 2, the post's."""

    def __init__(self, headline: str = "News", **content: Any) -> None:
        self.disk = Disk()
        self._append(feed())
        self.post = self._append(post(headline, **content))

    @property
    def item(self) -> Item:
        return self.disk.items[2]

    @property
    def revisions(self) -> list[Revision]:
        return [one for one in self.disk.entries.values() if one.version > 1]

    def do(self, verb: Verb, at: int = NOON, **more: Any) -> int:
        """Do a verb; return its version."""
        return self._append(edit(self.item, verb, at, **more))

    def kill(self) -> int:
        return self._append(kill(self.item))

    def erases(self, version: int, note: str = "n") -> tuple[int, ...]:
        redaction, _ = redaction_of(version, note, self.item, self.revisions)
        assert redaction.version == version
        return redaction.erases

    def redact(self, version: int, note: str = "n") -> int:
        """Redact as the newsroom does."""
        redaction, content = redaction_of(version, note, self.item, self.revisions)
        own = {"content": content} if content is not None else {}
        record = redact(self.item, version, *redaction.erases, note=note, **own)
        return self._append(record)

    def _append(self, record: Record) -> int:
        change: Change = apply(self.disk, record, self.disk.head + 1)
        return change.sequence

    def readable(self) -> str:
        """Return all the words that can still be read, of any revision."""
        return repr(
            [(one.note, one.item.content if one.item else None) for one in self.revisions]
            + [self.item]
        )


def test_a_redact_erases_the_revision_that_it_names() -> None:
    story = Story("First")
    story.do(Verb.FIX, headline="Second")
    story.do(Verb.FIX, headline="Third")
    assert story.erases(2) == (2,)
    assert story.erases(3) == (3,)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("headline", NAME, "A man was arrested"),
        ("body", NAME, "A man was arrested"),
        ("source", "Jane Roe", "A neighbour"),
        ("byline", "Jane Roe", None),
        ("url", ADDRESS, None),
        ("tags", ["jane-roe", "court"], ["court"]),
        ("media", [{"url": ADDRESS}], []),
        ("media", [{"url": "https://b.example", "alt": NAME}], [{"url": "https://b.example"}]),
        (
            "media",
            [{"url": "https://b.example", "credit": "J. R."}],
            [{"url": "https://b.example"}],
        ),
    ],
)
def test_what_repeats_words_that_the_item_no_longer_has_is_erased_too(
    name: str, old: Any, new: Any
) -> None:
    """A name in the post, carried along by fixes of other fields, and then taken out."""
    other = "body" if name != "body" else "headline"
    story = Story(
        "News" if name != "headline" else old, **({name: old} if name != "headline" else {})
    )
    story.do(Verb.PIN)
    carried = story.do(Verb.FIX, **{other: "Something else"})
    again = story.do(Verb.UPDATE, breaking=True)
    cleared = story.do(Verb.FIX, **{name: new})
    later = story.do(Verb.UPDATE, **{other: "Later"})
    assert story.erases(2) == (2, carried, again)
    # Whichever of them is named, it says the same.
    assert story.erases(carried)[0] == 2
    assert story.item.version == later
    story.redact(2)
    for word in ("Jane", "jane", "J. R."):
        assert word not in story.readable()
    assert story.erases(cleared) in ((cleared,), (cleared, later))


def test_every_text_of_a_medium_counts() -> None:
    """Of a new field of media it must be decided whether it is words."""
    assert {one.name for one in fields(Media)} == {*MEDIA_TEXTS, "width", "height", "type"}


def test_a_redact_never_erases_because_of_flags_language_or_times() -> None:
    told: dict[str, Any] = {"breaking": True, "language": "en", "occurred_at": NOON}
    story = Story("First", **told)
    story.do(Verb.FIX, headline="Second")
    story.do(Verb.FIX, headline="Third", breaking=False, language="uk", occurred_at=NOON + 1)
    assert story.erases(2) == (2,)
    assert story.erases(3) == (3,)


def test_words_that_the_item_still_has_erase_nothing_else() -> None:
    story = Story("First", body="The same body", tags=["court"], source="AFP")
    story.do(Verb.FIX, headline="Second")
    story.do(Verb.FIX, headline="Third")
    assert story.erases(2) == (2,)
    assert story.item.body == "The same body"


def test_one_tag_of_several_is_enough_and_equal_words_in_another_field_are_not() -> None:
    story = Story("First", tags=["jane-roe", "court"], byline="Ann")
    tagged = story.do(Verb.FIX, tags=["jane-roe", "police"], headline="Second", byline=None)
    story.do(Verb.FIX, source="Ann", headline="Third", tags=[])
    story.do(Verb.FIX, source=None, tags=["police"], headline="Fourth")
    assert story.erases(2) == (2, tagged)


def test_a_medium_whose_address_is_the_items_own_link_is_another_thing() -> None:
    story = Story("First", url=ADDRESS)
    story.do(Verb.FIX, url=None, media=[{"url": ADDRESS}], headline="Second")
    story.do(Verb.FIX, media=[], headline="Third")
    assert story.erases(2) == (2,)


def test_a_verb_without_words_of_its_own_loses_its_note_alone() -> None:
    story = Story("First")
    held = story.do(Verb.HOLD, note="Jane Roe denies it")
    story.do(Verb.RELEASE)
    assert story.erases(held) == (held,)  # though it shows the words of the post, as now
    story.redact(held)
    assert "Jane" not in story.readable()
    assert story.item.headline == "First"
    redacted = story.redact(story.do(Verb.PIN, note="x"), note="Jane Roe asked for it")
    story.redact(redacted)  # a redact's own note too
    assert "Jane" not in story.readable()


@pytest.mark.parametrize("then", [(), (Verb.PIN,), (Verb.HOLD, Verb.RELEASE)])
def test_words_that_are_shown_cannot_be_redacted(then: tuple[Verb, ...]) -> None:
    story = Story("First")
    shown = story.do(Verb.FIX, headline="Second")
    for verb in then:
        story.do(verb)
    with pytest.raises(WrongState, match=f"the words of version {shown} now"):
        story.erases(shown)


def test_what_is_erased_already_is_not_erased_again() -> None:
    story = Story(NAME)
    carried = story.do(Verb.FIX, body="b")
    story.do(Verb.FIX, headline="A man was arrested")
    story.redact(2)
    for version in (2, carried):
        with pytest.raises(WrongState, match="erased already"):
            story.erases(version)


@pytest.mark.parametrize("version", [1, 4, 99])
def test_a_version_that_the_item_never_had_is_refused(version: int) -> None:
    story = Story("First")
    story.do(Verb.FIX, headline="Second")
    with pytest.raises(Invalid, match=f"{version} is no version of item 2"):
        story.erases(version)


# Corrections


def corrected(times: int = 2, at: int = NOON + 5000) -> Story:
    """Correct an item so often, and write over the words of the last time."""
    story = Story("First")
    for number in range(times):
        story.do(Verb.CORRECT, at + number, note=f"Note {number}", headline=f"Headline {number}")
    return story


def notes(story: Story) -> list[str]:
    return [one.note for one in story.item.corrections]


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_correction_gets_its_new_note_and_keeps_its_time(is_shown: bool) -> None:
    story = corrected()
    if not is_shown:
        story.do(Verb.FIX, headline="Fixed")
    before = story.item
    redaction, content = redaction_of(3, "Anew", before, story.revisions)
    holding = {4} if is_shown else {4, 5}  # each record since has all the notes
    assert redaction == Redaction(3, (3, *sorted(holding)))
    assert content is not None
    assert content.corrections == (Correction(NOON + 5000, "Anew"), before.corrections[1])
    redacted = story.redact(3, "Anew")
    assert "Note 0" not in story.readable()
    assert (story.item.words_at, story.item.updated_at) == (redacted, before.updated_at)
    assert (story.item.headline, story.item.blocks) == (before.headline, before.blocks)


def test_the_last_correction_is_redacted_though_its_words_are_shown() -> None:
    story = corrected()
    assert story.item.words_at == 4
    assert story.erases(4) == (4,)
    story.redact(4, "Anew")
    assert notes(story) == ["Note 0", "Anew"]
    assert story.item.headline == "Headline 1"


def test_a_correction_is_redacted_a_second_time_by_the_version_of_its_correct() -> None:
    """Though the words of that are erased already."""
    story = corrected()
    first = story.redact(3, "Anew")
    fixed = story.do(Verb.FIX, body="b")
    assert story.erases(3) == (first, fixed)
    second = story.redact(3, "And again")
    assert notes(story) == ["And again", "Note 1"]
    assert story.erases(3) == (second,)
    for gone in ("Note 0", "'Anew'"):
        assert gone not in story.readable()
    assert story.item.body == "b"


def test_each_correction_is_found_again_whatever_became_of_the_others() -> None:
    story = corrected(4)
    for number, version in enumerate((5, 3, 6, 4)):
        story.redact(version, f"Anew {number}")
    assert notes(story) == ["Anew 1", "Anew 3", "Anew 0", "Anew 2"]
    assert "Note" not in story.readable()


def test_corrections_of_one_moment_are_told_apart_by_their_order() -> None:
    """As an import has them, or a clock that stepped back."""
    story = Story("First")
    for note in ("one", "two", "three"):
        story.do(Verb.CORRECT, NOON - 1000, note=note)
    assert len({one.at for one in story.item.corrections}) == 1
    story.redact(4, "2")
    story.redact(4, "Two")
    story.redact(5, "Three")
    assert notes(story) == ["one", "Two", "Three"]


def test_a_redact_of_another_revision_leaves_the_corrections() -> None:
    story = corrected()
    story.do(Verb.FIX, headline="Fixed")
    redaction, content = redaction_of(2, "n", story.item, story.revisions)
    assert (redaction.erases, content) == ((2,), None)


def test_the_words_that_a_redact_of_a_correction_holds_can_be_redacted_once_superseded() -> None:
    story = corrected(1)
    anew = story.redact(3, "Anew")
    with pytest.raises(WrongState, match="now"):
        story.erases(anew)
    story.do(Verb.FIX, headline="Fixed")
    assert story.erases(anew) == (anew,)


# Kills


def test_a_redact_of_a_kill_erases_the_record_that_holds_its_note() -> None:
    story = Story("First")
    killed = story.kill()
    assert redaction_of(killed, "Anew", story.item, story.revisions) == (
        Redaction(killed, (killed,)),
        None,
    )
    first = story.redact(killed, "Anew")
    assert (story.item.note, story.item.status) == ("Anew", Status.KILLED)
    for version in (killed, first):  # by the kill's version, or by that of who holds the note
        assert story.erases(version) == (first,)
    story.redact(killed, "And again")
    assert story.item.note == "And again"
    assert "withdrawn" not in story.readable()
    assert "'Anew'" not in story.readable()


@pytest.mark.parametrize("version", [2, 3, 99])
def test_of_a_killed_item_nothing_but_its_note_is_redacted(version: int) -> None:
    story = Story("First")
    story.do(Verb.FIX, headline="Second")
    story.kill()
    with pytest.raises(Killed) as refusal:
        story.erases(version)
    assert refusal.value.tombstone == story.item


# Key points


class Feeds:
    """A feed, and all that became of its own settings. Versions count up from 1."""

    def __init__(self, **settings: Any) -> None:
        self.disk = Disk()
        apply(self.disk, feed(**settings), 1)

    @property
    def feed(self) -> Feed:
        return self.disk.feeds["world"]

    def change(self, **settings: Any) -> int:
        return apply(self.disk, feed(before=self.feed, **settings), self.disk.head + 1).sequence

    def redaction(self, version: int) -> Redaction:
        return feed_redaction_of(version, self.feed, self.disk.entries.values())

    def redact(self, version: int) -> None:
        base = self.feed.version, self.feed.version_check
        record = Record(
            "r" * 16, Verb.REDACT, NOON, feed="world", base=base, redaction=self.redaction(version)
        )
        apply(self.disk, record, self.disk.head + 1)


def test_earlier_key_points_are_erased_in_every_record_that_repeats_them() -> None:
    feeds = Feeds(title="World")
    feeds.change(summary=NAME)
    feeds.change(title="Welt")
    feeds.change(summary="A man was arrested")
    feeds.change(summary=NAME, description="d")
    feeds.change(summary=None)
    feeds.change(title="World")
    assert feeds.redaction(2) == Redaction(2, (2, 3, 5))
    feeds.redact(2)
    assert feeds.disk.entries[6].settings.title == "Welt"  # it was another's, and stays
    assert NAME not in repr([*feeds.disk.entries.values(), feeds.feed])
    # Whoever erased what stood before it has all that it says taken for its own.
    assert feeds.redaction(4) == Redaction(4, (4, 6))
    for version in (2, 3, 5):
        with pytest.raises(WrongState, match="erased already"):
            feeds.redaction(version)


def test_a_title_and_a_description_are_erased_by_the_record_that_brought_them() -> None:
    feeds = Feeds(title=f"The {NAME} case", description=f"About {NAME}")
    feeds.change(summary="One")
    feeds.change(title="The case", summary="Two")
    feeds.change(description="About it")
    feeds.change(summary="Three")
    assert feeds.redaction(1) == Redaction(1, (1, 2, 3))
    feeds.redact(1)
    assert NAME not in repr([*feeds.disk.entries.values(), feeds.feed])
    assert feeds.redaction(4) == Redaction(4, (4,))


def test_a_feeds_record_without_key_points_is_erased_alone() -> None:
    feeds = Feeds(title="World", description=NAME)
    feeds.change(description="d")
    feeds.change(summary="s")
    assert feeds.redaction(1) == Redaction(1, (1,))


def test_key_points_that_are_shown_cannot_be_redacted_by_any_version_that_has_them() -> None:
    feeds = Feeds(title="World", summary=NAME)
    feeds.change(title="Welt")
    for version in (1, 2):
        with pytest.raises(WrongState, match="shown now"):
            feeds.redaction(version)


@pytest.mark.parametrize("version", [2, 4, 99])
def test_only_a_version_of_the_feeds_own_can_be_named(version: int) -> None:
    feeds = Feeds(title="World", summary="One")
    apply(feeds.disk, post(), 2)
    feeds.change(summary="Two")
    feeds.redact(1)  # which is version 4, and has no key points
    with pytest.raises(Invalid, match=f"{version} is no version of the feed world"):
        feeds.redaction(version)


# Whatever is done


texts = st.sampled_from(["A", "B", "C"])
steps = st.lists(
    st.tuples(
        st.sampled_from([*(verb for verb in Verb if verb not in {Verb.POST, Verb.KILL}), Verb.FIX]),
        st.fixed_dictionaries(
            {},
            optional={
                "headline": texts,
                "body": texts,
                "byline": texts,
                "tags": st.lists(texts, max_size=2, unique=True),
            },
        ),
        st.integers(2, 12),
    ),
    max_size=12,
)


@given(steps)
def test_a_redact_leaves_nothing_of_what_only_the_redacted_said(
    told: list[tuple[Verb, dict[str, Any], int]],
) -> None:
    story = Story("A", body="A")
    for number, (verb, content, version) in enumerate(told):
        try:
            if verb is not Verb.REDACT:
                content = content if verb in {Verb.FIX, Verb.UPDATE, Verb.CORRECT} else {}
                story.do(verb, note=f"note {number}", **content)
                continue
            before, item = story.revisions, story.item
            story.redact(version, f"note {number}")
        except Refused:
            continue
        shown = story.item
        assert shown.content == Content(
            **{
                name: getattr(item.content, name)
                for name in ("headline", "body", "blocks", "byline", "tags")
            },
            corrections=shown.corrections,
        )
        assert [one.at for one in shown.corrections] == [one.at for one in item.corrections]
        [target] = [one for one in before if one.version == version]
        [now] = [one for one in story.revisions if one.version == version]
        assert now.erased_at is not None
        assert now.note is None
        if target.act is Verb.CORRECT or target.words_at != version:
            continue
        assert target.item is not None
        for name in ("headline", "body", "byline"):
            if (text := getattr(target.item, name)) and getattr(shown, name) != text:
                readable = [one.item for one in story.revisions if one.item]
                assert not any(getattr(one, name) == text for one in readable)
