"""An item's headline and text in the editor, with what both sides changed in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.edit import Edit
from publisher.editing.looking import label_of, note_shown, revisions, seen_item, words_at
from publisher.failures import Misused, NotReached
from publisher.output import clean_line
from publisher.text.difference import BETWEEN, THEIRS, YOURS, has_marks, merge
from publisher.text.editor import write_in_editor
from publisher.text.saved import SavedText
from publisher.text.seen import Seen
from publisher.text.typed import Text
from publisher.text.words import TEXTS, WORDS, as_text, words_in

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client

_BOTH = f"Both changed the words between {THEIRS} and {YOURS}: theirs, {BETWEEN}, yours.\n"


def edit_item(
    call: Call, client: Client, edit: Edit, item: Json, typed: Text, saved: SavedText
) -> Text:
    """Open an item in the editor, with what was typed in it; return what was changed.

    Where the item has changed since the typed words were written, both are merged. Raises Misused.
    """
    now = _text_of(item)
    start, clashes = _start(call, client, item, typed, now)
    about = _about(call, edit.verb, item["etag"], words_in(item))
    written = _written(call, start, about + _BOTH * bool(clashes), now, saved)
    note_shown(call, item)
    return written


def edit_unreached(
    call: Call, verb: Verb, typed: Text, seen: Seen | None, saved: SavedText, failure: NotReached
) -> Text:
    """Open the version that was seen last, as the server is away. Raises the failure, Misused."""
    if seen is None:
        raise failure
    now = _text_of(seen.words)
    call.screen.notice(f"{failure.headline}; this is the version that you saw last, {seen.etag}")
    about = _about(call, verb, seen.etag, seen.words)
    return _written(call, _over(typed, now), about, now, saved)


def _about(call: Call, verb: str, etag: str, words: Json) -> str:
    """Return what stands below the text: which version it is of, and all its other words.

    Whoever was shown an item in the editor may write over each of them from then on.
    """
    lines = [f"{verb} of item {call.args.id} in {call.feed}, version {etag}"]
    for name in WORDS:
        if name not in TEXTS and words.get(name):
            told = f"{label_of(name)}: {as_text(name, words[name])}"
            # No line of a text looks like that: one that did would end the text.
            lines += [f"  · {clean_line(line)}" for line in told.split("\n")]
    return "\n".join(lines) + "\n"


def _start(call: Call, client: Client, item: Json, typed: Text, now: Text) -> tuple[Text, int]:
    """Return what the editor begins with, and how many passages stand there twice."""
    seen = seen_item(call, item["id"])
    etag = call.args.seen or (seen.etag if seen is not None else None)
    is_older = etag not in (None, item["etag"])
    if typed == Text() or not is_older or call.args.if_match or call.args.overwrite:
        return _over(typed, now), 0
    if seen is not None and seen.etag == etag:
        words: Json | None = seen.words
    else:
        words = words_at(revisions(call, client, item["id"]), etag)
    base = None if words is None else _text_of(words)
    clashes = 0
    merged = {}
    for name in TEXTS:
        mine, theirs = getattr(typed, name), getattr(now, name) or ""
        if mine is None:
            merged[name] = theirs
            continue
        was = None if base is None else getattr(base, name) or ""
        both = merge(was, theirs, mine)
        merged[name] = both.text
        clashes += both.clashes
    return replace(now, **merged), clashes


def _written(call: Call, start: Text, about: str, now: Text, saved: SavedText) -> Text:
    written = write_in_editor(start, about, saved, call.environ)
    if written.headline is None:
        if written.body in {None, now.body}:
            saved.remove()
        raise Misused("the headline is empty; nothing was sent")
    changed = written.changed_from(now)
    if not changed.fields():
        saved.remove()
        raise Misused("nothing was changed; nothing was sent")
    if has_marks(str(changed)) and not has_marks(str(now)):
        raise Misused(
            f"both versions still stand between {THEIRS} and {YOURS}; keep one of them. "
            "Nothing was sent",
            see_help=False,
        )
    saved.try_to_save(str(changed))
    return changed


def _text_of(words: Json) -> Text:
    return Text.of(words.get("headline") or "", words.get("body") or "")


def _over(typed: Text, now: Text) -> Text:
    return Text(
        typed.headline if typed.headline is not None else now.headline,
        typed.body if typed.body is not None else now.body,
    )
