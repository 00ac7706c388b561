"""What is looked at before publishing: pure functions over one item, bounded for any text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from feedserver import markup
from feedserver.folding import fold
from feedserver.lint.contradictions import changed_number, contradiction
from feedserver.lint.findings import Code, Finding
from feedserver.lint.language import Language
from feedserver.lint.languages import language_of
from feedserver.lint.weekdays import weekdays
from feedserver.lint.wording import doubled, entities, raw_markup
from feedserver.model import Content, Millis, Verb

REPEATED_WITHIN: Millis = 600_000  # how long the same headline counts as repeated
_MINUTE: Millis = 60_000
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Recent:
    """A headline that the feed shows, and since when."""

    item: int
    headline: str
    at: Millis


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an item is judged by beside its words.

    `verb` None: the item as it is. `before` is the item as it was, None for a new one; `recent` are
    other items' headlines.
    """

    verb: Verb | None
    now: Millis
    today: date  # in the feed's zone
    language: str | None = None  # the feed's, where the item has none
    before: Content | None = None
    note: str | None = None
    recent: Sequence[Recent] = ()


def lint(content: Content, given: Circumstances) -> list[Finding]:
    """Return what may be wrong with an item, as it would be shown."""
    return list(_findings(content, given))


def _findings(content: Content, given: Circumstances) -> Iterator[Finding]:
    words = _words(content.body)
    language = language_of(content.language or given.language, words)
    if language is not None:
        yield from contradiction(content.headline, words, language)
    yield from _repeated(content.headline, given)
    for pointer, text in _texts(content):
        yield from weekdays(pointer, text, given.today)
        yield from doubled(pointer, text)
        yield from entities(pointer, text)
        yield from raw_markup(pointer, text, is_marked_up=pointer == "/body")
    for index, medium in enumerate(content.media):
        if not medium.alt:
            detail = "without alt it says nothing to those who cannot see it"
            yield Finding(Code.ALT, f"/media/{index}/alt", detail)
    yield from _unexplained(content, given, language)


def _words(body: str) -> str:
    """Return what readers see of a body, without addresses; a line for each paragraph or entry."""
    lines: list[str] = []
    for block in markup.blocks(body):
        match block:
            case markup.Listed(entries):
                lines += map(markup.words_of, entries)
            case markup.Quote(paragraphs):
                lines += map(markup.words_of, paragraphs)
            case _:
                lines.append(markup.words_of(block))
    return _ADDRESS.sub(" ", "\n".join(lines))


def _texts(content: Content) -> Iterator[tuple[str, str]]:
    """Tell the fields that people read as text."""
    for name in ("headline", "body", "byline", "source"):
        if text := getattr(content, name):
            yield f"/{name}", text
    for index, tag in enumerate(content.tags):
        yield f"/tags/{index}", tag
    for index, medium in enumerate(content.media):
        for name in ("alt", "credit"):
            if text := getattr(medium, name):
                yield f"/media/{index}/{name}", text


def _repeated(headline: str, given: Circumstances) -> Iterator[Finding]:
    if given.before is not None and given.before.headline == headline:
        return
    folded = " ".join(fold(headline).split())
    for one in given.recent:
        age = given.now - one.at
        if age <= REPEATED_WITHIN and " ".join(fold(one.headline).split()) == folded:
            minutes = max(0, age) // _MINUTE
            ago = f"{minutes} minute{'s' * (minutes != 1)} ago" if minutes else "just now"
            detail = f"item {one.item} got the same headline {ago}"
            yield Finding(Code.REPEATED, "/headline", detail)
            return


def _unexplained(
    content: Content, given: Circumstances, language: Language | None
) -> Iterator[Finding]:
    """Find a correction that says nothing, and a fix that changes a number without a word."""
    if given.verb is Verb.CORRECT and not any(map(str.isalnum, given.note or "")):
        yield Finding(Code.NOTE, "/note", "the note tells readers nothing: say what was wrong")
    if given.verb is not Verb.FIX or given.note or given.before is None:
        return
    changed = changed_number(given.before.headline, content.headline, language)
    if changed:
        old, new = changed
        detail = (
            f"the fix makes {new} of {old} and tells readers nothing: if it was wrong, use correct "
            "with a note; if it has changed, update"
        )
        yield Finding(Code.NOTE, "/note", detail)
