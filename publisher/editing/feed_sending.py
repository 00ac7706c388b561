"""Sends what changes a feed itself: its key points, against the version of them that was seen."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from feedserver.errors import Stale, WrongState
from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.edit import Edit, repeating, reworking
from publisher.editing.erasing import Erased, forget_erased, told_revisions
from publisher.editing.feed_looking import (
    feed_path,
    feed_revisions,
    feed_words,
    fetch_feed,
    note_feed_shown,
    seen_feed,
    summary_at,
    summary_changes,
    summary_in,
)
from publisher.editing.feed_showing import feed_lines
from publisher.editing.keeping import keep
from publisher.editing.looking import compared, who_since
from publisher.editing.settling import settling
from publisher.editing.unchanged import why_erased
from publisher.failures import Misused, ServerRefusal
from publisher.output import clean_line
from publisher.text.outbox import Kept
from publisher.text.saved import SavedText
from publisher.text.seen import Seen
from publisher.text.words import alike

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Answer, Client

RACES = 3  # times that a colleague may be faster while it is taken to a newer version


@dataclass(frozen=True, slots=True)
class FeedSent:
    """A change of a feed that was stored, as it was sent last.

    `fulfilled`: why there was nothing to do; then `feed` is as it is without it. `seen`: the
    version of its key points that was last shown before. `erased`: what a redact erased.
    """

    edit: Edit
    feed: Json
    answer: Answer | None = None
    fulfilled: str = ""
    seen: Seen | None = None
    erased: Erased | None = None


def submit_feed(call: Call, client: Client, edit: Edit, saved: SavedText) -> FeedSent:
    """Send a change of a feed, once however often that takes. Raises Failure."""
    sent = send_kept_feed(call, client, edit, saved, keep(call, edit, saved))
    saved.remove()
    return sent


def send_kept_feed(
    call: Call, client: Client, edit: Edit, saved: SavedText, kept: Kept | None
) -> FeedSent:
    """Send a change that was kept, and note in the outbox what became of it. Raises Failure."""
    log: list[Json] = []
    with settling(call, edit, saved, kept):
        if edit.verb is Verb.REDACT:
            log = told_revisions(call, client, None)
        sent = _send(call, client, edit, saved)
        if edit.verb is Verb.REDACT and sent.answer is not None:
            # Before it leaves the outbox: where this ends here, a retry does the rest.
            erased = forget_erased(call, client, None, sent.feed, sent.answer, log)
            sent = replace(sent, erased=erased, seen=seen_feed(call))
    return sent


def ask_unseen_feed(call: Call, edit: Edit, feed: Json) -> Edit:
    """Return a change of key points that were never shown, against those that there are.

    At a terminal they are shown, and it is asked about. Raises Misused.
    """
    words = feed_words(feed)
    present = replace(edit, etag=feed["etag"], base=words, merges=True)
    if not words:
        return present  # nothing that could be lost
    if not call.screen.can_ask:
        return replace(present, unseen=True)
    call.screen.show(feed_lines(call, feed, sys.stderr))
    note_feed_shown(call, feed)
    question = "you were not shown these key points before; change them as they stand there?"
    if not call.screen.ask(question):
        raise Misused("nothing was sent", see_help=False)
    return present


def _send(call: Call, client: Client, edit: Edit, saved: SavedText) -> FeedSent:
    """Send a change. Where it need not be against its version, take a newer one."""
    path = feed_path(call) + "/revisions" * (edit.verb is Verb.REDACT)
    for races_left in range(RACES, -1, -1):
        edit = _with_version(call, client, edit)
        try:
            answer = client.change_feed(path, edit.body, edit.key, edit.etag)
            return FeedSent(edit, answer.data, answer, seen=seen_feed(call))
        except ServerRefusal as refusal:
            if refusal.status == WrongState.status and (done := _fulfilled(call, client, edit)):
                return done
            if refusal.status != Stale.status:
                raise
            edit = _newer(call, client, edit, saved, refusal, is_last=not races_left)
    raise AssertionError("the last race returns or raises")


def _with_version(call: Call, client: Client, edit: Edit) -> Edit:
    """Return a change with the version that it is sent against."""
    if edit.etag is not None:
        return edit
    feed = fetch_feed(call, client)
    if edit.any_version:
        return replace(edit, etag=feed["etag"], base=feed_words(feed))
    return ask_unseen_feed(call, edit, feed)


def _newer(
    call: Call,
    client: Client,
    edit: Edit,
    saved: SavedText,
    refusal: ServerRefusal,
    *,
    is_last: bool,
) -> Edit:
    """Return a change that goes to the version that the feed has now. Raises the refusal."""
    feed = fetch_feed(call, client)
    newer = replace(edit, etag=feed["etag"], base=feed_words(feed))
    if edit.any_version and not is_last:
        return newer
    log = feed_revisions(call, client)
    base = _base(call, edit, log)
    now = summary_in(feed_words(feed))
    if edit.merges and not is_last:
        others_left_it = base is not None and alike("summary", base, now)
        if others_left_it or alike("summary", now, edit.fields.get("summary")):
            return newer
    _add_conflict(call, edit, saved, refusal, feed, log, base)
    raise refusal


def _base(call: Call, edit: Edit, log: list[Json]) -> str | None:
    """Return the key points that a change was written against; None where they are not known."""
    if edit.base is not None and "summary" in edit.base:
        return summary_in(edit.base)
    return summary_at(log, edit.etag)


def _add_conflict(
    call: Call,
    edit: Edit,
    saved: SavedText,
    refusal: ServerRefusal,
    feed: Json,
    log: list[Json],
    base: str | None,
) -> None:
    """Add to a refusal what both sides changed, and what can be done."""
    refusal.headline = f"the key points of {call.feed} were changed meanwhile; nothing was done"
    changes = summary_changes(log)
    version = (edit.etag or "").partition("-")[0]
    who = who_since(changes, int(version) if version.isdecimal() else 0)
    if who:
        refusal.add(f"Changed meanwhile: {clean_line(who)}", changed_by=who_since(changes[-1:], 0))
    if not edit.writes_words:
        command = repeating(call, edit, saved, key=edit.key, etag=feed["etag"])
        refusal.add("To do it to this version:", f"  {command}", retry=command)
        return
    now, mine = summary_in(feed_words(feed)), edit.fields.get("summary")
    refusal.add(conflicts=["summary"])
    whole = False
    if base is not None:
        theirs, whole = compared("summary", base, now, label="Key points, theirs")
        refusal.add(*theirs)
    refusal.add(*compared("summary", now if base is None else base, mine, label="Yours")[0])
    seen = seen_feed(call)
    if whole and seen is not None and seen.etag == edit.etag and not call.screen.as_json:
        note_feed_shown(call, feed)
    into = reworking(call, edit, saved, without=(), in_editor=True)
    refusal.add("To work yours into theirs:", f"  {into}", retry=into)
    over = repeating(call, edit, saved, key=edit.key, etag=feed["etag"], overwrite=True)
    refusal.add("As the last way, to put yours over theirs:", f"  {over}", overwrite=over)


def _fulfilled(call: Call, client: Client, edit: Edit) -> FeedSent | None:
    """Return the feed where the words are erased already."""
    if edit.verb is not Verb.REDACT:
        return None
    why = why_erased(feed_revisions(call, client), edit.fields["version"])
    return FeedSent(edit, fetch_feed(call, client), fulfilled=why) if why else None
