"""How every verb on an item is done: settle the text and the version it is against, submit."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from feedserver.model import Status, Verb
from publisher.command_line import Command
from publisher.editing.call import Call
from publisher.editing.changes import apply, bind, changes_of
from publisher.editing.edit import Edit, new_key
from publisher.editing.fields import fields_of
from publisher.editing.flushing import send_earlier
from publisher.editing.keeping import keep_unsent
from publisher.editing.lint_options import add_linting
from publisher.editing.looking import change_lines, note_shown, seen_item
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
from publisher.editing.outcome import finish
from publisher.editing.rewriting import edit_item, edit_unreached
from publisher.editing.submitting import ask_unseen, fetch, submit
from publisher.editing.unchanged import say_unchanged, why_done
from publisher.failures import Misused, NotReached
from publisher.output import clean_line
from publisher.parser import Parser
from publisher.text.saved import SavedText, saving_text
from publisher.text.seen import Seen
from publisher.text.typed import Text, read_typed
from publisher.text.words import differing, words_in

if TYPE_CHECKING:
    from feedserver.wire import Json


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
        add_sending(parser, editing=True, writing=content)
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
    changes = changes_of(args, fields) if content else {}
    with saving_text() as saved, call.editor() as client:
        text = _read(call, verb, fields, changes, saved) if content else Text()
        edits = content and args.edit
        seen = _seen(call) if content else None
        edit = Edit(verb, fields, args.key or new_key(), args.id, changes=changes)
        try:
            if verb is not Verb.KILL:
                send_earlier(call, client, args.id)
                seen = _seen(call) if content else None
            item = None
            if edits or asks or not _named(args) or (args.key is None and args.if_match is None):
                item = fetch(
                    call, client, args.id, may_be_killed=args.key is not None and not edits
                )
        except NotReached as failure:
            if edits:
                text = edit_unreached(call, verb, text, seen, saved, failure)
            edit = _against(call, replace(edit, fields={**text.fields(), **fields}), seen, None)
            keep_unsent(call, edit, saved, failure)
            raise
        if item is not None:
            edit = replace(edit, headline=item.get("headline"), base=words_in(item))
            if edits:
                text = edit_item(call, client, edit, item, text, saved)
            elif args.key is None and (why := _why_done(edit, item, text)):
                say_unchanged(call, item, why, args.note)
                return
            elif asks:
                _ask(call, item, seen_item(call, args.id))
        edit = replace(edit, fields={**text.fields(), **fields})
        edit = _against(call, edit, seen, item)
        finish(call, client, submit(call, client, edit, saved))


def _read(call: Call, verb: Verb, fields: Json, changes: Json, saved: SavedText) -> Text:
    """Return the text that was typed. Raises Misused where nothing would change."""
    args = call.args
    take_words(args, headline=False)
    text = read_typed(args, saved)
    if "body" in fields and text.body:
        raise Misused("--clear body and a new body cannot be used together")
    named = [name for name in ("if_match", "seen") if getattr(args, name)]
    if len(named) > 1 or (args.seen and args.overwrite):
        other = "--if-match" if len(named) > 1 else "--overwrite"
        raise Misused(f"--seen and {other} cannot be used together")
    typed = args.edit or changes or fields.keys() - {"note", "at"} or text.fields()
    if verb is not Verb.CORRECT and not typed:
        raise Misused(f"say what the {verb} changes: --headline, --body, --tag, …, or --edit it")
    return text


def _named(args: Namespace) -> bool:
    return bool(args.if_match or getattr(args, "seen", None))


def _seen(call: Call) -> Seen | None:
    """Return the version that the words were written from; None where none was shown."""
    seen = seen_item(call, call.args.id)
    if not call.args.seen or (seen is not None and seen.etag == call.args.seen):
        return seen
    return None


def _against(call: Call, edit: Edit, seen: Seen | None, item: Json | None) -> Edit:
    """Return an edit with the version that it names, by the rules of docs/publishing.md."""
    args = call.args
    if args.if_match:
        base = edit.base if item is not None and item["etag"] == args.if_match else None
        return replace(edit, etag=args.if_match, base=base)
    if not edit.writes_words or args.overwrite:
        etag = item["etag"] if item is not None else None
        return replace(edit, etag=etag, any_version=True)
    if args.edit and item is not None:
        return replace(edit, etag=item["etag"], merges=True)
    if args.seen:
        base = seen.words if seen is not None else None
        return _bound(replace(edit, etag=args.seen, base=base, merges=True))
    if seen is not None:
        return _bound(replace(edit, etag=seen.etag, base=seen.words, merges=True))
    return edit if item is None else _bound(ask_unseen(call, edit, item))


def _bound(edit: Edit) -> Edit:
    """Return an edit that names pictures by their addresses, where they are known."""
    return replace(edit, changes=bind(edit.changes, edit.base))


def _why_done(edit: Edit, item: Json, text: Text) -> str:
    try:
        made = apply(edit.changes, words_in(item))
    except Misused:
        return ""  # the picture that was meant may have been moved; that is told later
    return why_done(edit.verb, item, {**text.fields(), **edit.fields, **made})


def _ask(call: Call, item: Json, seen: Seen | None) -> None:
    """Show what will be withdrawn and ask. Scripts, and a retry of what was done, are not asked."""
    if call.args.yes or item.get("status") == Status.KILLED:
        return
    headline = item.get("headline") or "without a headline"
    names = differing(seen.words, words_in(item)) if seen is not None else []
    if call.agreed_headline == headline and not names:
        return  # it was asked about as `last`
    if seen is not None and names:
        lines, whole = change_lines(seen.words, words_in(item), names)
        if call.screen.can_ask:
            call.screen.show(["Changed since you looked:", *map(clean_line, lines)])
            if whole:
                note_shown(call, item)
    if call.screen.ask(f"withdraw {item['id']}, “{headline}”, and erase its text?") is False:
        raise Misused("nothing was sent", see_help=False)
