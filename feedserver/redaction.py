"""Which records a redact erases, and what words it leaves. Pure: the newsroom asks, `rules` decide.

A redact names one revision. It erases what is sealed of that record, and of each superseded record
that repeats something of it which the item or the feed no longer says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from feedserver.errors import FieldError, Invalid, Killed, WrongState
from feedserver.model import (
    Act,
    Content,
    Feed,
    FeedSettings,
    Item,
    Redaction,
    Revision,
    Status,
    Verb,
)

ITEM_TEXTS = ("headline", "body", "source", "url", "byline")
MEDIA_TEXTS = ("url", "alt", "credit", "caption")
FEED_TEXTS = ("title", "description", "summary")


def redaction_of(
    version: int, note: str | None, item: Item, revisions: Iterable[Revision]
) -> tuple[Redaction, Content | None]:
    """Return what a redact of `version` erases, and the item's content where that changes.

    `revisions` are all of the item. `note` is the public text that a correction gets instead.
    Raises Invalid, Killed, WrongState.
    """
    known = {one.version: one for one in revisions}
    target = known.get(version)
    if item.status is Status.KILLED:
        if target is None or (target.act is not Verb.KILL and version != item.words_at):
            raise Killed(f"item {item.id} was withdrawn: only its note can be redacted", item)
        return Redaction(version, (item.words_at,)), None
    if target is None:
        raise Invalid([FieldError("/version", f"{version} is no version of item {item.id}")])
    if target.act is Verb.CORRECT:
        number = _number_of(target, item, known.values())
        if number is not None:
            return _corrected_anew(target, number, note, item, known.values())
    if target.erased_at is not None:
        raise WrongState(f"the words of version {version} are erased already")
    if version == item.words_at:
        raise WrongState(
            f"readers are shown the words of version {version} now: change them first, "
            "then redact it"
        )
    erases = _repeating(target, item, known.values())
    return Redaction(version, tuple(sorted(erases | {version}))), None


def feed_redaction_of(version: int, feed: Feed, revisions: Iterable[Revision]) -> Redaction:
    """Return what a redact of a feed's earlier words erases. Raises Invalid, WrongState.

    A record of a feed's own repeats all that an editor did not change: what counts is what this one
    changed, wherever it is repeated.
    """
    known = {one.version: one for one in revisions if one.act is Act.FEED}
    target = known.get(version)
    if target is None:
        raise Invalid([FieldError("/version", f"{version} is no version of the feed {feed.slug}")])
    if target.settings is None and not target.unreadable:
        raise WrongState(f"the words of version {version} are erased already")
    said, now = _texts_of_feed(target.settings), _texts_of_feed(feed.settings)
    if version == feed.words_at or any(name == "summary" for name, _ in said & now):
        raise WrongState(
            f"the key points of version {version} are shown now: change them first, then redact it"
        )
    former = max((one for one in known if one < version), default=None)
    changed = said - (_texts_of_feed(known[former].settings) if former is not None else set())
    erases = {
        one.version
        for one in known.values()
        if one.version != feed.words_at and _texts_of_feed(one.settings) & (changed - now)
    }
    return Redaction(version, tuple(sorted(erases | {version})))


def _number_of(target: Revision, item: Item, revisions: Iterable[Revision]) -> int | None:
    """Return which of an item's corrections a correct made; None where it is not there any more.

    Found by its time, which stays whatever becomes of the words. Corrections of one moment, as
    imports may have, stand in the order of their records.
    """
    at = target.effective_at
    before = sum(
        one.act is Verb.CORRECT and one.effective_at == at and one.version < target.version
        for one in revisions
    )
    of_that_time = [i for i, one in enumerate(item.corrections) if one.at == at]
    return of_that_time[before] if before < len(of_that_time) else None


def _corrected_anew(
    target: Revision, number: int, note: str | None, item: Item, revisions: Iterable[Revision]
) -> tuple[Redaction, Content]:
    """Give a correction another public text, and erase all that holds the old one."""
    old = item.corrections[number]
    corrections = list(item.corrections)
    corrections[number] = replace(old, note=note or "")
    erases = {
        one.version
        for one in revisions
        if _has_words(one) and one.item is not None and old in one.item.corrections
    }
    if target.erased_at is None:
        erases.add(target.version)
    content = replace(item.content, corrections=tuple(corrections))
    return Redaction(target.version, tuple(sorted(erases))), content


def _repeating(target: Revision, item: Item, revisions: Iterable[Revision]) -> set[int]:
    """Return the superseded records that repeat words of a revision which the item lacks now."""
    gone = _texts(target.item) - _texts(item) if _has_words(target) else set()
    return {
        one.version
        for one in revisions
        if _has_words(one) and one.version != item.words_at and _texts(one.item) & gone
    }


def _has_words(revision: Revision) -> bool:
    """Say whether a revision holds words of its own that can still be read."""
    return revision.item is not None and revision.words_at == revision.version


def _texts(item: Item | None) -> set[tuple[str, str]]:
    """Return the texts by which one revision is held against another, each with what it is."""
    if item is None:
        return set()
    found = [(name, getattr(item, name)) for name in ITEM_TEXTS]
    found += [("tag", tag) for tag in item.tags]
    found += [(f"media {name}", getattr(one, name)) for one in item.media for name in MEDIA_TEXTS]
    return {(name, text) for name, text in found if text}


def _texts_of_feed(settings: FeedSettings | None) -> set[tuple[str, str]]:
    """Return the texts of a feed's own record, each with what it is."""
    if settings is None:
        return set()
    return {(name, text) for name in FEED_TEXTS if (text := getattr(settings, name))}
