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
from publisher.editing.flushing import send_earlier
from publisher.editing.keeping import keep_unsent, note_refused
from publisher.editing.looking import label_of
from publisher.editing.outcome import finish
from publisher.editing.submitting import add_reasons, fetch, submit
from publisher.failures import Misused, NotReached, ServerRefusal
from publisher.output import clean_line
from publisher.text.items import revision_line
from publisher.text.saved import SavedText
from publisher.text.typed import check_text
from publisher.text.words import as_text, words_in

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client

LONGEST = 500  # characters of one field that are shown of a version
_PUBLIC = frozenset({Verb.CORRECT, Verb.KILL})  # whose note readers see


def redact_item(call: Call) -> None:
    """Erase the words of an earlier version of an item. Raises Failure."""
    args = call.args
    fields = {"version": args.version, "note": args.note}
    check_text(fields)
    edit = Edit(
        Verb.REDACT, fields, args.key or new_key(), args.id, args.if_match,
        any_version=args.if_match is None,
    )  # fmt: skip
    with call.editor() as client:
        try:
            send_earlier(call, client, args.id)
            item = fetch(call, client, args.id, may_be_killed=True)
            if edit.any_version:
                edit = replace(edit, etag=item["etag"])
            edit = replace(edit, headline=item.get("headline"))
            _ask(call, client, edit)
        except NotReached as failure:
            failure.in_doubt = False  # to look stores nothing
            keep_unsent(call, edit, SavedText(), failure)
            raise
        finish(call, client, submit(call, client, edit, SavedText()))


def lines_of(log: Sequence[Json], versions: Sequence[int]) -> list[str]:
    """Return these versions with the words that are told of them, a line each."""
    lines = []
    for line in log:
        if line["version"] in versions:
            lines.append(f"  {revision_line(line)}")
            lines += _words_of(line)
    return lines


def _ask(call: Call, client: Client, edit: Edit) -> None:
    """Show what would be erased, and ask. Scripts, and a retry of what was done, are not asked."""
    args, item, version = call.args, edit.item or 0, edit.fields["version"]
    if args.yes or not call.screen.can_ask:
        return
    log = told_revisions(call, client, item)
    named = next((line for line in log if line["version"] == version), {})
    if args.key and named.get("redacted_at"):
        return
    try:
        erases = client.erases(call.feed, item, version)
    except ServerRefusal as refusal:
        if named.get("redacted_at"):
            return  # it is told when it is sent
        note_refused(call, edit, SavedText(), None, refusal, add_reasons(edit, refusal))
        raise
    title = f"Item {item}" + (f", “{edit.headline}”" if edit.headline else "")
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


def _words_of(line: Json) -> list[str]:
    words = words_in(line.get("fields") or {})
    lines = []
    for name, value in words.items():
        text = as_text(name, value)
        more = len(text) - LONGEST
        if more > 0:
            text = f"{text[:LONGEST]}… ({more:,} characters more)"
        first, *rest = text.split("\n")
        lines.append(f"    {label_of(name)}: {clean_line(first)}")
        lines += [f"    │ {clean_line(one)}" for one in rest]
    return lines
