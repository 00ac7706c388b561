"""Sends an edit: against the version that was seen, merged with what others changed meanwhile."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from feedserver.errors import Killed, Stale, WrongState
from feedserver.model import Status, Verb
from publisher.editing import changes
from publisher.editing.call import Call
from publisher.editing.conflict import add_conflict
from publisher.editing.edit import Edit
from publisher.editing.erasing import Erased, forget_erased, told_revisions
from publisher.editing.keeping import forget_item, keep
from publisher.editing.linting import look_first
from publisher.editing.looking import note_changed, note_shown, revisions, seen_item, words_at
from publisher.editing.merging import Meeting, meet
from publisher.editing.settling import settling
from publisher.editing.showing import item_lines
from publisher.editing.unchanged import why_done, why_erased
from publisher.failures import Misused, NotReached, ServerRefusal
from publisher.server.schemas import is_versioned_item, tombstone_of
from publisher.text.outbox import Kept
from publisher.text.saved import SavedText
from publisher.text.seen import Seen
from publisher.text.words import words_in

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Answer, Client

RACES = 3  # times that a colleague may be faster while an edit is taken to a newer version


@dataclass(frozen=True, slots=True)
class Sent:
    """An edit that was stored, as it was sent last. `base` are the words that it was done to.

    `fulfilled`: why there was nothing to do; then `item` is as it is without it. `written_from`:
    the words that it was written against, where it was merged with what others changed. `seen`:
    the version that was last shown before. `erased`: what a redact erased.
    """

    edit: Edit
    item: Json
    answer: Answer | None = None
    fulfilled: str = ""
    written_from: Json | None = None
    seen: Seen | None = None
    erased: Erased | None = None


def send_kept(call: Call, client: Client, edit: Edit, saved: SavedText, kept: Kept | None) -> Sent:
    """Send an edit that was kept, and note in the outbox what became of it. Raises Failure."""
    if kept is not None and kept.entry.sent is not None:
        edit = replace(edit, sent=kept.entry.sent)
    log: list[Json] = []
    with settling(call, edit, saved, kept):
        if edit.verb is Verb.REDACT:
            log = told_revisions(call, client, edit.item)
        sent = _Sending(call, client, saved, kept).send(edit)
        if edit.verb is Verb.REDACT and sent.answer is not None:
            # Before it leaves the outbox: where this ends here, a retry does the rest.
            erased = forget_erased(call, client, edit.item, sent.item, sent.answer, log)
            sent = replace(sent, erased=erased, seen=seen_item(call, sent.item["id"]))
    if not sent.fulfilled:
        note_changed(call, sent.item)
    if edit.verb is Verb.KILL:
        forget_item(call, edit.item, edit.headline)
    return sent


def fetch(call: Call, client: Client, item: int, *, may_be_killed: bool = False) -> Json:
    """Return an item as it is now. A retry may have to name the version of a tombstone."""
    try:
        return client.get(call.items_path(item), is_versioned_item, patient=True).data
    except ServerRefusal as refusal:
        tombstone = tombstone_of(refusal)
        if refusal.status == Killed.status:
            forget_item(call, item, None)
            if may_be_killed and tombstone:
                return tombstone
        raise
    except NotReached as failure:
        failure.in_doubt = False  # to read stores nothing
        raise


def ask_unseen(call: Call, edit: Edit, item: Json) -> Edit:
    """Return an edit of an item that was never shown, against the version that there is.

    At a terminal the item is shown, and it is asked about. Raises Misused.
    """
    present = replace(edit, etag=item["etag"], base=words_in(item), merges=True)
    if item.get("status") == Status.KILLED:
        return present
    if not call.screen.can_ask:
        return replace(present, unseen=True)
    call.screen.show(item_lines(call, item, sys.stderr))
    note_shown(call, item)
    question = f"you were not shown {item['id']} before; {edit.verb} it as it stands there?"
    if not call.screen.ask(question):
        raise Misused("nothing was sent", see_help=False)
    return present


class _Sending:
    """One edit on its way: the tries that it takes until it is stored or refused."""

    def __init__(self, call: Call, client: Client, saved: SavedText, kept: Kept | None) -> None:
        self._call = call
        self._client = client
        self._saved = saved
        self._kept = kept
        self._written_from: Json | None = None

    def send(self, edit: Edit) -> Sent:
        """Send an edit. Where it need not be against its version, take a newer one."""
        path = self._call.items_path(edit.item)
        if edit.item is None:
            answer = self._client.post(path, edit.body, edit.key)
            return Sent(edit, answer.data, answer)
        for races_left in range(RACES, -1, -1):
            edit = self._with_fields(self._with_version(edit))
            try:
                answer = self._client.post(f"{path}/revisions", edit.body, edit.key, edit.etag)
                seen = seen_item(self._call, edit.item or 0)
                written_from = self._written_from
                return Sent(edit, answer.data, answer, written_from=written_from, seen=seen)
            except ServerRefusal as refusal:
                if refusal.status == WrongState.status and (done := self._fulfilled(edit)):
                    return done
                if refusal.status != Stale.status:
                    raise
                edit = self._newer(edit, refusal, is_last=not races_left)
        raise AssertionError("the last race returns or raises")

    def _with_version(self, edit: Edit) -> Edit:
        """Return an edit with the version that it is sent against."""
        assert edit.item is not None
        if edit.etag is not None:
            return edit
        item = fetch(self._call, self._client, edit.item, may_be_killed=True)
        if edit.any_version:
            return replace(edit, etag=item["etag"], base=words_in(item))
        return ask_unseen(self._call, edit, item)

    def _with_fields(self, edit: Edit) -> Edit:
        """Return an edit whose changes within fields are those fields. Raises Misused."""
        if not edit.changes or edit.sent is not None:
            return edit
        if edit.base is None:
            edit = replace(edit, base=self._base(edit, self._log(edit)))
        if edit.base is None:  # then its version is an old one, and it will be refused
            item = fetch(self._call, self._client, edit.item or 0)
            edit = replace(edit, sent={**edit.fields, **changes.apply(edit.changes, item)})
        else:
            made = changes.apply(changes.bind(edit.changes, edit.base), edit.base)
            edit = replace(edit, sent={**edit.fields, **made})
        self._keep_sent(edit)
        return edit

    def _newer(self, edit: Edit, refusal: ServerRefusal, *, is_last: bool) -> Edit:
        """Return an edit that goes to the version that the item has now. Raises the refusal."""
        current = refusal.problem.get("current")
        if not isinstance(current, dict) or not is_versioned_item(current):
            if edit.any_version and not is_last:
                return replace(edit, etag=None, base=None)
            raise refusal
        if edit.any_version and not is_last:
            return replace(edit, etag=current["etag"], base=words_in(current), sent=None)
        log = self._log(edit)
        edit = replace(edit, base=self._base(edit, log))
        edit = replace(edit, changes=changes.bind(edit.changes, edit.base))
        found = meet(edit, current)
        if found.clashes or not edit.merges or is_last:
            against = Meeting(edit, found.clashes, found.others)
            add_conflict(self._call, against, self._saved, refusal, current, log)
            raise refusal
        self._written_from = self._written_from or edit.base
        self._keep_sent(found.edit)
        return found.edit

    def _log(self, edit: Edit) -> list[Json]:
        return revisions(self._call, self._client, edit.item or 0)

    def _base(self, edit: Edit, log: list[Json]) -> Json | None:
        """Return the words of the version that an edit was written against."""
        if edit.base is not None:
            return edit.base
        seen = seen_item(self._call, edit.item or 0)
        if seen is not None and seen.etag == edit.etag:
            return seen.words
        return words_at(log, edit.etag)

    def _keep_sent(self, edit: Edit) -> None:
        """Note what is sent: a later try must ask for the very same under its key."""
        if self._kept is not None and edit.sent != self._kept.entry.sent:
            self._kept.change(sent=edit.sent)

    def _fulfilled(self, edit: Edit) -> Sent | None:
        """Return the item where it is already as the verb would leave it."""
        item = fetch(self._call, self._client, edit.item or 0)
        if edit.verb is Verb.REDACT:
            why = why_erased(self._log(edit), edit.fields["version"])
        else:
            why = why_done(edit.verb, item, {}) if not edit.writes_words else ""
        return Sent(edit, item, fulfilled=why) if why else None


def submit(call: Call, client: Client, edit: Edit, saved: SavedText) -> Sent:
    """Send an edit, once however often that takes. Raises Failure."""
    kept = keep(call, edit, saved)
    try:
        look_first(call, client, edit)
    except BaseException:  # nothing was sent
        if kept is not None:
            kept.give_back()
        raise
    sent = send_kept(call, client, edit, saved, kept)
    saved.remove()
    return sent
