"""How every verb on an item is done: fetch its version, settle the text, submit."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from feedserver.errors import Killed
from feedserver.model import Status, Verb
from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.edit import WRITES_WORDS, Edit, new_key
from publisher.editing.fields import fields_of
from publisher.editing.flushing import send_earlier
from publisher.editing.keeping import keep_unsent
from publisher.editing.lint_options import add_linting
from publisher.editing.options import (
    add_common,
    add_content,
    add_item,
    add_note,
    add_sending,
    add_words,
    add_yes,
    take_words,
)
from publisher.editing.submitting import say_unchanged, submit
from publisher.failures import Misused, NotReached, ServerRefusal
from publisher.parser import Parser
from publisher.server.schemas import is_versioned_item, tombstone_of
from publisher.text.editor import write_in_editor
from publisher.text.saved import SavedText, saving_text
from publisher.text.typed import Text, read_typed

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client


def revising(
    verb: Verb,
    *examples: str,
    note: str,
    note_needed: bool = False,
    content: bool = False,
    asks: bool = False,
) -> Command:
    """Return the command for a verb on an item; `note` says who will read its note.

    `asks`: at a terminal it shows the item and asks first, as the verb cannot be undone.
    """

    def add_arguments(parser: Parser) -> None:
        add_item(parser)
        if content:
            add_words(parser, headline=False)
        add_note(parser, note, required=note_needed)
        if content:
            add_content(parser, editing=True)
        add_sending(parser, editing=True)
        if content:
            add_linting(parser)
        if asks:
            add_yes(parser)
        add_common(parser)

    run = partial(_revise, verb=verb, content=content, asks=asks)
    usage = "ID [-]" if content else "ID"
    return Command(f"{usage} --note TEXT" if note_needed else usage, add_arguments, run, examples)


def _revise(call: Call, *, verb: Verb, content: bool, asks: bool) -> None:
    args = call.args
    fields = fields_of(args)
    with saving_text() as saved, call.editor() as client:
        text = Text()
        if content:
            take_words(args, headline=False)
            text = read_typed(args, saved)
        edits = content and args.edit
        if "body" in fields and text.body:
            raise Misused("--clear body and a new body cannot be used together")
        if verb in {Verb.FIX, Verb.UPDATE} and not (edits or _changes(fields) or text.fields()):
            raise Misused(
                f"say what the {verb} changes: --headline, --body, --tag, …, or --edit it"
            )
        etag = args.if_match
        headline = None
        any_version = verb not in WRITES_WORDS and etag is None
        try:
            if verb is not Verb.KILL:
                send_earlier(call, client, args.id)
            item = None
            if etag is None or edits or asks:
                item = _fetch(call, client, may_be_killed=args.key is not None and not edits)
        except NotReached as failure:
            if edits:
                raise
            fields = {**text.fields(), **fields}
            key = args.key or new_key()
            edit = Edit(verb, fields, key, args.id, etag, any_version=etag is None)
            keep_unsent(call, edit, saved, failure)
            raise
        if item is not None:
            etag = etag or item["etag"]
            headline = item.get("headline")
            if edits:
                text = _edit(call, verb, item, text, saved)
            elif args.key is None and (why := _is_done(verb, item, {**text.fields(), **fields})):
                say_unchanged(call, item, why)
                return
            elif asks:
                _ask(call, item)
        fields = {**text.fields(), **fields}
        key = args.key or new_key()
        edit = Edit(verb, fields, key, args.id, etag, headline, any_version=any_version)
        submit(call, client, edit, saved)


def _changes(fields: Json) -> bool:
    return bool(fields.keys() - {"note", "at"})


def _is_done(verb: Verb, item: Json, fields: Json) -> str:
    """Return in which way the item is already as the verb would leave it; empty if it is not."""
    status = item.get("status")
    if "at" in fields or status == Status.KILLED:
        return ""
    match verb:
        case Verb.FIX | Verb.UPDATE if _says(item, fields):
            return "says so already"
        case Verb.HOLD if status == Status.HELD:
            return "is held already"
        case Verb.RELEASE if status == Status.LIVE:
            return "is not held"
        case Verb.PIN if item.get("pinned"):
            return "is pinned already"
        case Verb.UNPIN if not item.get("pinned"):
            return "is not pinned"
    return ""


def _says(item: Json, fields: Json) -> bool:
    return all(_stored(n, fields[n]) == _stored(n, item.get(n)) for n in fields if n != "note")


def _stored(name: str, value: Any) -> Any:
    """Return a field in a form that is equal for equal contents, as the server would store it."""
    if name == "occurred_at" and value is not None:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value  # the server says what is wrong with it
    if name == "body":
        value = Text.of(None, value or "").body
    elif name == "headline":
        value = Text.of(value, None).headline
    elif name == "media":  # whose type the server may have told by the address
        value = [
            {name: medium[name] for name in medium if name != "type"} for medium in value or ()
        ]
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
        return client.get(call.items_path(call.args.id), is_versioned_item, patient=True).data
    except ServerRefusal as refusal:
        tombstone = tombstone_of(refusal)
        if refusal.status == Killed.status and may_be_killed and tombstone:
            return tombstone
        raise


def _edit(call: Call, verb: Verb, item: Json, given: Text, saved: SavedText) -> Text:
    now = Text.of(item.get("headline") or "", item.get("body") or "")
    start = Text(
        given.headline if given.headline is not None else now.headline,
        given.body if given.body is not None else now.body,
    )
    about = f"{verb} of item {item['id']} in {call.feed}, version {item['etag']}\n"
    written = write_in_editor(start, about, saved, call.environ)
    if written.headline is None:
        if written.body in {None, now.body}:
            saved.remove()
        raise Misused("the headline is empty; nothing was sent")
    changed = written.changed_from(now)
    if not changed.fields():
        saved.remove()
        raise Misused("nothing was changed; nothing was sent")
    saved.try_to_save(str(changed))
    return changed
