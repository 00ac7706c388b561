"""How a redact of an item is done: what it would erase is shown, and asked about, first."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.edit import Edit, new_key
from publisher.editing.erasing import told_revisions
from publisher.editing.feed_looking import fetch_feed
from publisher.editing.feed_outcome import finish_feed
from publisher.editing.feed_sending import submit_feed
from publisher.editing.flushing import send_earlier
from publisher.editing.keeping import keep_unsent, note_refused
from publisher.editing.outcome import finish
from publisher.editing.settling import add_reasons
from publisher.editing.submitting import fetch, submit
from publisher.editing.versions import lines_of
from publisher.failures import Misused, NotReached, ServerRefusal
from publisher.output import clean_line
from publisher.text.saved import SavedText
from publisher.text.typed import check_text

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client

_PUBLIC = frozenset({Verb.CORRECT, Verb.KILL})  # whose note readers see


def redact_item(call: Call) -> None:
    """Erase the words of an earlier version of an item. Raises Failure."""
    args = call.args
    edit = _edit(call, args.id)
    with call.editor() as client:
        try:
            send_earlier(call, client, args.id)
            item = fetch(call, client, args.id, may_be_killed=True)
            if edit.any_version:
                edit = replace(edit, etag=item["etag"])
            edit = replace(edit, headline=item.get("headline"))
            title = f"Item {args.id}" + (f", “{edit.headline}”" if edit.headline else "")
            _ask(call, client, edit, title)
        except NotReached as failure:
            keep_unsent(call, edit, SavedText(), failure)
            raise
        finish(call, client, submit(call, client, edit, SavedText()))


def redact_summary(call: Call) -> None:
    """Erase a feed's earlier key points. Raises Failure."""
    edit = _edit(call, None)
    with call.editor() as client:
        try:
            send_earlier(call, client, None)
            feed = fetch_feed(call, client)
            if edit.any_version:
                edit = replace(edit, etag=feed["etag"])
            _ask(call, client, edit, f"The feed {call.feed}")
        except NotReached as failure:
            keep_unsent(call, edit, SavedText(), failure)
            raise
        finish_feed(call, submit_feed(call, client, edit, SavedText()))


def _edit(call: Call, item: int | None) -> Edit:
    args = call.args
    fields = {"version": args.version, "note": args.note}
    check_text(fields)
    return Edit(
        Verb.REDACT, fields, args.key or new_key(), item, args.if_match,
        any_version=args.if_match is None,
    )  # fmt: skip


def _ask(call: Call, client: Client, edit: Edit, title: str) -> None:
    """Show what would be erased, and ask. Scripts, and a retry of what was done, are not asked."""
    args, version = call.args, edit.fields["version"]
    if args.yes or not call.screen.can_ask:
        return
    log = told_revisions(call, client, edit.item)
    named: Json = next((line for line in log if line["version"] == version), {})
    if args.key and named.get("redacted_at"):
        return
    try:
        erases = client.erases(call.feed, edit.item, version)
    except ServerRefusal as refusal:
        if named.get("redacted_at"):
            return  # it is told when it is sent
        note_refused(call, edit, SavedText(), None, refusal, add_reasons(edit, refusal))
        raise
    shown = [call.screen.paint(clean_line(title), "bold", stream=sys.stderr)]
    shown += ["To be erased:", *lines_of(log, erases)]
    if named.get("verb") in _PUBLIC:
        shown.append(clean_line(f"Readers see this note instead: {edit.fields['note']}"))
    call.screen.show(shown)
    if not call.screen.ask(f"erase {_these(erases)} for good?"):
        raise Misused("nothing was sent", see_help=False)


def _these(versions: Sequence[int]) -> str:
    if len(versions) == 1:
        return f"the words of version {versions[0]}"
    return f"the words of these {len(versions)} versions"
