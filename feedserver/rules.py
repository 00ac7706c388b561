"""What a record does to the state: one deterministic `decide`, which may refuse.

Pure: the journal looks up what is `Known`, asks, and stores the answer in the same transaction.
The same record at the same sequence gives the same answer on every machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from feedserver.errors import (
    FeedClosed,
    FeedStale,
    FieldError,
    Forbidden,
    Invalid,
    Killed,
    NotFound,
    Stale,
    Unauthorized,
    WrongState,
)
from feedserver.model import (
    CONTENT,
    CORRECTIONS_MAX,
    STEP_BACK_MAX,
    Act,
    Content,
    Feed,
    FeedSettings,
    Item,
    Millis,
    Record,
    Status,
    Token,
    TokenSettings,
    Verb,
)

CLOSED_TO = frozenset({Verb.POST, Verb.UPDATE, Verb.PIN})
WRITES_WORDS = frozenset({Verb.POST, Verb.FIX, Verb.UPDATE, Verb.CORRECT})
SHOWN = WRITES_WORDS - {Verb.FIX}  # what readers are told of as an item's history


class Duplicate(Exception):
    """The record's retry key was used before, by the record at `sequence`."""

    def __init__(self, sequence: int) -> None:
        super().__init__(sequence)
        self.sequence = sequence


@dataclass(frozen=True, slots=True)
class Known:
    """What the state says of everything that a record names."""

    feed: Feed | None = None
    item: Item | None = None
    token: Token | None = None
    used_at: int | None = None  # sequence of the record that used the same retry key
    origin_item: int | None = None  # the item that an import with this origin made
    redacted: Verb | Act | None = None  # the act of the revision that a redact names


@dataclass(frozen=True, slots=True)
class Change:
    """An accepted record and the state it leads to.

    `effective_at` is the time that readers are shown, `at` the true time of the append.
    """

    sequence: int
    check: str
    effective_at: Millis
    act: Verb | Act = Act.FEED
    feed: Feed | None = None
    item: Item | None = None
    token: Token | None = None
    at: Millis = 0

    @property
    def moved_feed(self) -> Feed | None:
        """The feed with this change as its head: `feed`, if read back, may be newer than that."""
        if self.feed is None:
            return None
        return replace(self.feed, head=self.sequence, check=self.check, head_at=self.at)


def decide(record: Record, sequence: int, known: Known) -> Change:
    """Accept `record` at `sequence`, or raise Refused or Duplicate. Changes nothing itself."""
    if record.act is Act.TOKEN or record.act is Act.REVOKE:
        return _decide_token(record, sequence, known)
    _check_token(record, known)
    if known.used_at is not None:
        raise Duplicate(known.used_at)
    if record.act is Act.FEED:
        return _decide_feed(record, sequence, known)
    if record.item is None and record.act is Verb.REDACT:
        return _redact_feed(record, sequence, known)
    if record.act is Act.RESTAMP:
        return _restamp(record, sequence, known)
    return _decide_item(record, record.act, sequence, known)


def time_of(at: Millis, claimed_at: Millis | None, item: Item) -> Millis:
    """Return the time that readers are shown for a change to `item`, made `at`."""
    return claimed_at if claimed_at is not None else steady(at, item.touched_at)


def steady(at: Millis, floor: Millis) -> Millis:
    """Hold a time at `floor` when the clock seems to have stepped back by under ten minutes."""
    return floor if at < floor < at + STEP_BACK_MAX else at


def shows(item: Item, content: Content) -> Item:
    """Return the item with other content."""
    return replace(item, **{name: getattr(content, name) for name in CONTENT})


def evolve(item: Item, record: Record, sequence: int, at: Millis) -> Item:
    """Return the state that an accepted record leads to; `at` is the time that readers are shown.

    Before its post an item is all empty but for its id, feed, rid and `published_at`.
    """
    if record.act is Verb.KILL:
        return Item(
            item.id,
            item.feed,
            sequence,
            record.check,
            published_at=item.published_at,
            rid=item.rid,
            status=Status.KILLED,
            imported=record.is_imported,
            words_at=sequence,
            touched_at=at,
            killed_at=at,
            note=record.note,
        )
    changed: dict[str, Any] = {"version": sequence, "check": record.check, "touched_at": at}
    writes = record.content if record.act in WRITES_WORDS or record.act is Verb.REDACT else None
    if writes is not None:
        changed |= {name: getattr(writes, name) for name in CONTENT} | {"words_at": sequence}
    match record.act:
        case Verb.REDACT:  # readers get the same state, but for a note's new text
            if item.status is Status.KILLED:
                changed |= {"note": record.note, "words_at": sequence}
            return replace(item, **changed)
        case Act.RESTAMP:
            times = ("published_at", "updated_at", "killed_at")
            changed |= {name: min(time, at) for name in times if (time := getattr(item, name))}
            return replace(item, **changed)
        case Verb.UPDATE | Verb.CORRECT:
            changed["updated_at"] = max(at, item.published_at)
        case Verb.HOLD | Verb.RELEASE:
            changed["status"] = Status.HELD if record.act is Verb.HOLD else Status.LIVE
        case Verb.PIN | Verb.UNPIN:
            changed["pinned"] = record.act is Verb.PIN
        case _:
            pass
    return replace(item, **changed, imported=record.is_imported)


def is_future(item: Item, now: Millis) -> bool:
    """Say whether an item bears a time that has not come yet."""
    return max(item.published_at, item.updated_at or 0, item.killed_at or 0) > now


def _check_token(record: Record, known: Known) -> None:
    if record.editor is None:
        return  # the operator, at the server's own command line
    token = known.token
    is_same = record.token_digest is None or (
        token is not None and token.digest == record.token_digest
    )
    if token is None or token.revoked_at is not None or not is_same:
        raise Unauthorized("this token was revoked; ask for a new one")
    if record.feed is not None and not token.may_edit(record.feed):
        raise Forbidden(f"this token does not edit the feed {record.feed}")
    if isinstance(record.settings, FeedSettings) and not token.may_administer():
        feed = known.feed
        asked = replace(record.settings, is_typo=False)
        # A token that lists the feed may change its key points, and nothing else of it.
        if feed is None or replace(feed.settings, summary=asked.summary) != asked:
            raise Forbidden(
                "only a token without --feed creates, changes, closes and reopens feeds"
            )
    if record.is_imported and not token.importer:
        raise Forbidden("only a token made with --import sends at and origin")


def _decide_token(record: Record, sequence: int, known: Known) -> Change:
    assert record.editor is None
    asked = record.settings
    assert isinstance(asked, TokenSettings)
    name = asked.name
    if record.act is Act.TOKEN:
        if known.token is not None and known.token.revoked_at is None:
            raise WrongState(
                f"there is a token {name} already; revoke it first, which ends {name}'s login"
            )
        token = Token(**asdict(asked), created_at=record.at)
    else:
        if known.token is None:
            raise NotFound(f"there is no token {name}")
        if known.token.revoked_at is not None:
            raise WrongState(f"the token {name} is revoked already")
        token = replace(known.token, revoked_at=record.at)
    return Change(sequence, record.check, record.at, record.act, token=token, at=record.at)


def _decide_feed(record: Record, sequence: int, known: Known) -> Change:
    assert record.feed is not None
    asked, feed, at = record.settings, known.feed, record.at
    assert isinstance(asked, FeedSettings)
    if (None if feed is None else (feed.version, feed.version_check)) != record.base:
        raise FeedStale(f"the feed {record.feed} was changed meanwhile", feed)
    if not asked.title:
        raise Invalid([FieldError("/title", "a feed needs a title")])
    if feed is None:
        feed = Feed(record.feed, asked.title, at, sequence, sequence, record.check, rid=record.rid)
    closed_at = (at if feed.closed_at is None else feed.closed_at) if asked.closed else None
    summary_at = feed.summary_at
    if asked.summary is None:
        summary_at = None
    elif asked.summary != feed.summary and not (asked.is_typo and summary_at is not None):
        summary_at = at
    feed = replace(
        feed,
        title=asked.title,
        language=asked.language,
        timezone=asked.timezone,
        description=asked.description,
        summary=asked.summary,
        summary_at=summary_at,
        closed_at=closed_at,
        version=sequence,
        version_check=record.check,
        words_at=sequence,
        head=sequence,
        check=record.check,
    )
    return Change(sequence, record.check, at, record.act, feed=feed, at=record.at)


def _redact_feed(record: Record, sequence: int, known: Known) -> Change:
    feed = known.feed
    if feed is None:
        raise NotFound(f"there is no feed “{record.feed}”")
    if record.base is not None and record.base != (feed.version, feed.version_check):
        raise FeedStale(f"the feed {record.feed} was changed meanwhile", feed)
    assert record.redaction is not None
    if known.redacted is not Act.FEED:
        raise _no_version(record.redaction.version, f"the feed {feed.slug}")
    if feed.words_at in {record.redaction.version, *record.redaction.erases}:
        raise WrongState("these key points are shown now: change them first, then redact this one")
    feed = replace(
        feed, version=sequence, version_check=record.check, head=sequence, check=record.check
    )
    return Change(sequence, record.check, record.at, record.act, feed=feed, at=record.at)


def _decide_item(record: Record, verb: Verb, sequence: int, known: Known) -> Change:
    feed, item = known.feed, known.item
    if feed is None:
        raise NotFound(f"there is no feed “{record.feed}”")
    if verb is not Verb.POST:
        if item is None or item.feed != feed.slug:
            raise NotFound(f"there is no item {record.item} in the feed {feed.slug}")
        if item.status is Status.KILLED and not _renames_a_kill(record, known):
            raise Killed(f"item {item.id} was withdrawn and takes no further verb", item)
        if record.base is not None and record.base != (item.version, item.check):
            raise Stale(f"item {item.id} was changed meanwhile; look at current, then retry", item)
    if feed.closed_at is not None and verb in CLOSED_TO:
        raise FeedClosed(f"the feed {feed.slug} is closed and takes no {verb}; reopen it first")
    stamped_at = feed.stamped_at
    if verb is Verb.POST:
        if known.origin_item is not None:
            raise WrongState(f"this origin was imported before, as item {known.origin_item}")
        asked = record.claimed_at
        if asked is None:  # and not 0, which is a time too
            asked = record.published_at
        if asked is None or asked > record.at:  # a little ahead: it becomes now
            at = steady(record.at, feed.stamped_at)
            stamped_at = max(at, stamped_at)
        else:
            at = asked
        item = Item(sequence, feed.slug, 0, "", published_at=at, rid=record.rid)
    else:
        assert item is not None
        _check_state(record, item, known)
        if record.claimed_at is not None and record.claimed_at < item.touched_at:
            raise Invalid([FieldError("/at", "lies before the item's previous change")])
        at = time_of(record.at, record.claimed_at, item)
    item = evolve(item, record, sequence, at)
    feed = replace(feed, head=sequence, check=record.check, stamped_at=stamped_at)
    return Change(sequence, record.check, at, verb, feed=feed, item=item, at=record.at)


def _restamp(record: Record, sequence: int, known: Known) -> Change:
    """Give an item of the future the record's own time, withdrawn or not, in a closed feed too."""
    feed, item, at = known.feed, known.item, record.at
    if feed is None or item is None or item.feed != feed.slug:
        raise NotFound(f"there is no item {record.item} in the feed {record.feed}")
    if not is_future(item, at):
        raise WrongState(f"no time of item {item.id} lies in the future")
    item = evolve(item, record, sequence, at)
    feed = replace(feed, head=sequence, check=record.check, stamped_at=min(feed.stamped_at, at))
    return Change(sequence, record.check, at, record.act, feed=feed, item=item, at=at)


def _renames_a_kill(record: Record, known: Known) -> bool:
    """Say whether a record gives a withdrawn item's public note another text."""
    item, redaction = known.item, record.redaction
    return (
        record.act is Verb.REDACT
        and item is not None
        and redaction is not None
        and (known.redacted is Verb.KILL or redaction.version == item.words_at)
    )


def _no_version(version: int, of: str) -> Invalid:
    return Invalid([FieldError("/version", f"{version} is no version of {of}")])


def _check_state(record: Record, item: Item, known: Known) -> None:
    verb = record.act
    if verb is Verb.REDACT and item.status is not Status.KILLED:
        assert record.redaction is not None
        if not isinstance(known.redacted, Verb):
            raise _no_version(record.redaction.version, f"item {item.id}")
        if record.content is None and item.words_at in {
            record.redaction.version,
            *record.redaction.erases,
        }:
            raise WrongState(
                f"readers are shown the words of version {item.words_at} now: "
                "change them first, then redact it"
            )
    refusal = {
        Verb.CORRECT: len(item.corrections) >= CORRECTIONS_MAX
        and f"has {CORRECTIONS_MAX} corrections: post a new item that says how it is",
        Verb.HOLD: item.status is Status.HELD and "is held already",
        Verb.RELEASE: item.status is not Status.HELD and "is not held",
        Verb.PIN: item.pinned and "is pinned already",
        Verb.UNPIN: not item.pinned and "is not pinned",
    }.get(Verb(verb))
    if refusal:
        raise WrongState(f"item {item.id} {refusal}")
