"""What a record does to the state: one deterministic `decide`, which may refuse.

Pure: the journal looks up what is `Known`, asks, and stores the answer in the same transaction.
The same record at the same sequence gives the same answer on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from feedserver.errors import (
    FeedClosed,
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
    CORRECTIONS_MAX,
    STEP_BACK_MAX,
    Act,
    Correction,
    Feed,
    Item,
    Logged,
    Media,
    Millis,
    Record,
    Status,
    Token,
    Verb,
)

CLOSED_TO = frozenset({Verb.POST, Verb.UPDATE, Verb.PIN})


class Duplicate(Exception):
    """The record's key was used before, by the record at `sequence`."""

    def __init__(self, sequence: int) -> None:
        super().__init__(sequence)
        self.sequence = sequence


@dataclass(frozen=True, slots=True)
class Known:
    """What the state says of everything that a record names."""

    feed: Feed | None = None
    item: Item | None = None
    token: Token | None = None
    used_at: int | None = None  # sequence of the record that used the same key
    origin_item: int | None = None  # the item that an import with this origin made


@dataclass(frozen=True, slots=True)
class Change:
    """An accepted record and the state it leads to."""

    sequence: int
    check: str
    effective_at: Millis
    feed: Feed | None = None
    item: Item | None = None
    token: Token | None = None


def decide(record: Record, sequence: int, known: Known) -> Change:
    """Accept `record` at `sequence`, or raise Refused or Duplicate. Changes nothing itself."""
    if record.act is Act.TOKEN or record.act is Act.REVOKE:
        return _decide_token(record, sequence, known)
    _check_token(record, known)
    if known.used_at is not None:
        raise Duplicate(known.used_at)
    if record.act is Act.FEED:
        return _decide_feed(record, sequence, known)
    return _decide_item(record, record.act, sequence, known)


def evolve(item: Item | None, entry: Logged) -> Item:
    """Fold one accepted record into an item's state."""
    record, at = entry.record, entry.effective_at
    if item is None:
        assert record.feed is not None
        item = Item(entry.sequence, record.feed, 0, "", published_at=at, origin=record.origin)
    if record.act is Verb.KILL:
        return Item(
            item.id,
            item.feed,
            entry.sequence,
            record.check,
            published_at=item.published_at,
            status=Status.KILLED,
            imported=_is_imported(record),
            touched_at=at,
            killed_at=at,
            note=record.note,
        )
    changed: dict[str, Any] = {
        "version": entry.sequence,
        "check": record.check,
        "imported": _is_imported(record),
        "touched_at": at,
    }
    changed |= {
        name: _stored(name, value)
        for name, value in record.fields.items()
        if name != "published_at"  # decided already: it is the post's effective time
    }
    match record.act:
        case Verb.UPDATE:
            changed["updated_at"] = at
        case Verb.CORRECT:
            changed["updated_at"] = at
            changed["corrections"] = (*item.corrections, Correction(at, record.note or ""))
        case Verb.HOLD:
            changed["status"] = Status.HELD
        case Verb.RELEASE:
            changed["status"] = Status.LIVE
        case Verb.PIN | Verb.UNPIN:
            changed["pinned"] = record.act is Verb.PIN
        case _:
            pass
    return replace(item, **changed)


def _is_imported(record: Record) -> bool:
    return record.claimed_at is not None or record.origin is not None


def fold(entries: Iterable[Logged]) -> Item:
    """Rebuild an item from its records, oldest first."""
    item: Item | None = None
    for entry in entries:
        item = evolve(item, entry)
    assert item is not None
    return item


def steady(at: Millis, floor: Millis) -> Millis:
    """Hold a time at `floor` when the clock seems to have stepped back by under ten minutes."""
    return floor if at < floor < at + STEP_BACK_MAX else at


_EMPTY: dict[str, Any] = {"headline": "", "body": "", "tags": (), "breaking": False, "media": ()}


def _stored(name: str, value: Any) -> Any:
    if value is None:
        return _EMPTY.get(name)
    if name == "tags":
        return tuple(value)
    if name == "media":
        return tuple(Media(**medium) for medium in value)
    return value


def _check_token(record: Record, known: Known) -> None:
    if record.editor is None:
        return  # the operator, at the server's own command line
    token = known.token
    is_same = record.digest is None or (token is not None and token.digest == record.digest)
    if token is None or token.revoked_at is not None or not is_same:
        raise Unauthorized("this token was revoked; ask for a new one")
    if record.feed is not None and not token.may_edit(record.feed):
        raise Forbidden(f"this token does not edit the feed {record.feed}")
    if record.act is Act.FEED and not token.may_administer():
        raise Forbidden("only a token without --feed creates, changes, closes and reopens feeds")
    if (record.claimed_at is not None or record.origin) and not token.importer:
        raise Forbidden("only a token made with --import sends at and origin")


def _decide_token(record: Record, sequence: int, known: Known) -> Change:
    assert record.editor is None
    name = record.fields["name"]
    if record.act is Act.TOKEN:
        if known.token is not None and known.token.revoked_at is None:
            raise WrongState(
                f"there is a token {name} already; revoke it first, which ends {name}'s login"
            )
        token = Token(
            name,
            record.fields["digest"],
            tuple(record.fields["feeds"]),
            record.fields["importer"],
            record.at,
        )
    else:
        if known.token is None:
            raise NotFound(f"there is no token {name}")
        if known.token.revoked_at is not None:
            raise WrongState(f"the token {name} is revoked already")
        token = replace(known.token, revoked_at=record.at)
    return Change(sequence, record.check, record.at, token=token)


def _decide_feed(record: Record, sequence: int, known: Known) -> Change:
    assert record.feed is not None
    settings = dict(record.fields)
    closing = settings.pop("closed", None)
    feed = known.feed
    if feed is None:
        if not settings.get("title"):
            raise Invalid([FieldError("/title", "a feed needs a title")])
        feed = Feed(record.feed, settings["title"], record.at, sequence, sequence, record.check)
    if closing is True and feed.closed_at is None:
        settings["closed_at"] = record.at
    elif closing is False:
        settings["closed_at"] = None
    feed = replace(feed, **settings, version=sequence, head=sequence, check=record.check)
    return Change(sequence, record.check, record.at, feed=feed)


def _decide_item(record: Record, verb: Verb, sequence: int, known: Known) -> Change:
    feed, item = known.feed, known.item
    if feed is None:
        raise NotFound(f"there is no feed “{record.feed}”")
    if verb is not Verb.POST:
        if item is None or item.feed != feed.slug:
            raise NotFound(f"there is no item {record.item} in the feed {feed.slug}")
        if item.status is Status.KILLED:
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
            asked = record.fields.get("published_at")
        if asked is None or asked > record.at:  # a little ahead: it becomes now
            at = steady(record.at, feed.stamped_at)
            stamped_at = max(at, stamped_at)
        else:
            at = asked
    else:
        assert item is not None
        _check_state(verb, item)
        if record.claimed_at is not None and record.claimed_at < item.touched_at:
            raise Invalid([FieldError("/at", "lies before the item's previous change")])
        claimed = record.claimed_at
        at = claimed if claimed is not None else steady(record.at, item.touched_at)
    item = evolve(item, Logged(sequence, record, at))
    feed = replace(feed, head=sequence, check=record.check, stamped_at=stamped_at)
    return Change(sequence, record.check, at, feed=feed, item=item)


def _check_state(verb: Verb, item: Item) -> None:
    refusal = {
        Verb.CORRECT: len(item.corrections) >= CORRECTIONS_MAX
        and f"has {CORRECTIONS_MAX} corrections: post a new item that says how it is",
        Verb.HOLD: item.status is Status.HELD and "is held already",
        Verb.RELEASE: item.status is not Status.HELD and "is not held",
        Verb.PIN: item.pinned and "is pinned already",
        Verb.UNPIN: not item.pinned and "is not pinned",
    }.get(verb)
    if refusal:
        raise WrongState(f"item {item.id} {refusal}")
