"""The way that every verb on an item takes: fetch its version, settle the text, submit."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from functools import partial
from typing import Any

from feedserver.errors import Killed
from feedserver.model import Status, Verb
from feedserver.wire import Json
from publisher.editing.call import Call, Command
from publisher.editing.options import (
    add_content,
    add_item,
    add_note,
    add_sending,
    add_words,
    add_yes,
    fields_of,
    take_words,
)
from publisher.editing.submitting import Submission, new_key, say_unchanged, submit, tombstone_of
from publisher.failures import Misused, Refused
from publisher.server.client import Client
from publisher.server.schemas import is_versioned_item
from publisher.text.typed import Kept, Text, keeping, read_typed, write_in_editor


def command(
    verb: Verb,
    summary: str,
    *examples: str,
    note: str,
    note_needed: bool = False,
    content: bool = False,
    asks: bool = False,
) -> Command:
    """Return the command for a verb on an item; `note` says who will read its note.

    `asks`: at a terminal it shows the item and asks first, as the verb cannot be undone.
    """

    def add_arguments(parser: ArgumentParser) -> None:
        add_item(parser)
        if content:
            add_words(parser, headline=False)
        add_note(parser, note, required=note_needed)
        if content:
            add_content(parser, editing=True)
        add_sending(parser, editing=True)
        if asks:
            add_yes(parser)

    run = partial(_revise, verb=verb, content=content, asks=asks)
    return Command(verb.value, "ID [-]" if content else "ID", summary, examples, add_arguments, run)


def _revise(call: Call, *, verb: Verb, content: bool, asks: bool) -> None:
    args = call.args
    fields = fields_of(args)
    with keeping() as kept, call.editor() as client:
        text = Text()
        if content:
            take_words(args, headline=False)
            text = read_typed(args, kept, call.environ)
        edits = content and args.edit
        if "body" in fields and text.body:
            raise Misused("--clear body and a new body do not go together")
        if verb in {Verb.FIX, Verb.UPDATE} and not (edits or _changes(fields) or text.fields()):
            raise Misused(
                f"say what the {verb} changes: --headline, --body, --tag, …, or --edit it"
            )
        etag = args.if_match
        headline = None
        if etag is None or edits or asks:
            item = _fetch(call, client, may_be_killed=args.key is not None and not edits)
            etag = etag or item["etag"]
            headline = item.get("headline")
            if edits:
                text = _edit(call, verb, item, text, kept)
            elif args.key is None and _says_already(verb, item, {**text.fields(), **fields}):
                say_unchanged(call, item)
                return
            elif asks:
                _ask(call, item)
        fields = {**text.fields(), **fields}
        made = Submission(verb, fields, args.key or new_key(), args.id, etag, headline)
        submit(call, client, made, kept)


def _changes(fields: Json) -> bool:
    return bool(fields.keys() - {"note", "at"})


def _says_already(verb: Verb, item: Json, fields: Json) -> bool:
    """Say whether these fields would leave the item as it is, but for a mark on it."""
    if verb not in {Verb.FIX, Verb.UPDATE} or "at" in fields:
        return False
    return all(_as_kept(n, fields[n]) == _as_kept(n, item.get(n)) for n in fields if n != "note")


def _as_kept(name: str, value: Any) -> Any:
    """Return a field in the form in which what means the same is equal."""
    if name == "occurred_at" and value is not None:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value  # the server says what is wrong with it
    if name == "body":
        value = Text.of(None, value or "").body
    elif name == "headline":
        value = Text.of(value, None).headline
    return value or None


def _ask(call: Call, item: Json) -> None:
    """Show what will be withdrawn and ask. Scripts, and a retry of what was done, are not asked."""
    if call.args.yes or item.get("status") == Status.KILLED:
        return
    headline = item.get("headline") or "without a headline"
    if call.screen.ask(f"withdraw {item['id']}, “{headline}”, and erase its text?") is False:
        raise Misused("nothing was sent", see_help=False)


def _fetch(call: Call, client: Client, *, may_be_killed: bool) -> Json:
    """Return the item as it is now. A retry may have to name the version of a tombstone."""
    try:
        return client.get(call.items_path(call.args.id), is_versioned_item).data
    except Refused as refusal:
        tombstone = tombstone_of(refusal)
        if refusal.status == Killed.status and may_be_killed and tombstone:
            return tombstone
        raise


def _edit(call: Call, verb: Verb, item: Json, given: Text, kept: Kept) -> Text:
    now = Text.of(item.get("headline") or "", item.get("body") or "")
    start = Text(
        given.headline if given.headline is not None else now.headline,
        given.body if given.body is not None else now.body,
    )
    about = f"{verb} of item {item['id']} in {call.feed}, version {item['etag']}\n"
    made = write_in_editor(start, about, kept, call.environ)
    if made.headline is None:
        if made.body in {None, now.body}:
            kept.forget()
        raise Misused("the headline is empty; nothing was sent")
    changed = made.changed_from(now)
    if not changed.fields():
        kept.forget()
        raise Misused("nothing was changed; nothing was sent")
    kept.keep(str(changed), call.environ)
    return changed
