"""A conflict with a colleague's edit: who made it, theirs and yours by words, and the ways out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from publisher.editing import changes
from publisher.editing.call import Call
from publisher.editing.edit import Edit, repeating, reworking
from publisher.editing.looking import compared, label_of, note_shown, seen_item, who_since
from publisher.editing.merging import Meeting
from publisher.failures import Misused, ServerRefusal
from publisher.output import clean_line
from publisher.text.saved import SavedText
from publisher.text.words import TEXTS, words_in

if TYPE_CHECKING:
    from feedserver.wire import Json


def add_conflict(
    call: Call,
    meeting: Meeting,
    saved: SavedText,
    refusal: ServerRefusal,
    current: Json,
    log: Sequence[Json],
) -> None:
    """Add to a refusal what both sides changed, and what can be done."""
    edit = meeting.edit
    assert edit.item is not None
    names = [label_of(name).lower() for name in meeting.clashes]
    refusal.headline = f"item {edit.item} was changed meanwhile; nothing was done"
    if names:
        refusal.headline = (
            f"item {edit.item} was changed meanwhile, and so was what you change: "
            f"{', '.join(names)}; nothing was done"
        )
    refusal.add(conflicts=meeting.clashes)
    if log:
        last = who_since(log[-1:], 0)
        since = who_since(log, _number(edit.etag))
        refusal.add(f"Changed meanwhile: {since or last}", changed_by=last)
    whole = _add_texts(meeting, refusal, words_in(current))
    seen = seen_item(call, edit.item)
    if whole and seen is not None and seen.etag == edit.etag and not call.screen.as_json:
        note_shown(call, current)
    _add_ways_out(call, meeting, saved, refusal, current)


def _add_texts(meeting: Meeting, refusal: ServerRefusal, now: Json) -> bool:
    """Show both sides by words; return whether all that others changed was shown."""
    edit = meeting.edit
    yours = {**edit.fields, **_made(edit, edit.base or now)}
    whole = True
    if "headline" not in meeting.clashes:
        refusal.add(f"  Headline now: {clean_line(now.get('headline') or '')}")
    for name in meeting.clashes:
        label = label_of(name)
        if edit.base is None:
            refusal.add(*compared(name, now.get(name), yours.get(name), label=f"{label}, yours")[0])
            continue
        theirs, is_whole = compared(
            name, edit.base.get(name), now.get(name), label=f"{label}, theirs"
        )
        whole = whole and is_whole
        mine, _ = compared(name, edit.base.get(name), yours.get(name), label=f"{label}, yours")
        refusal.add(*theirs, *mine)
    for name in meeting.others or ():
        if name not in meeting.clashes:
            was = (edit.base or {}).get(name)
            label = f"{label_of(name)}, theirs"
            lines, is_whole = compared(name, was, now.get(name), label=label)
            whole = whole and is_whole
            refusal.add(*lines)
    return whole


def _add_ways_out(
    call: Call, meeting: Meeting, saved: SavedText, refusal: ServerRefusal, current: Json
) -> None:
    """Name the ways out, the one that takes a colleague's words away last."""
    edit = meeting.edit
    # A key that was refused is free, and the outbox knows the edit by it.
    if edit.writes_words:
        in_editor = bool(set(TEXTS) & set(meeting.clashes))
        without = [name for name in meeting.clashes if name not in TEXTS]
        command = reworking(call, edit, saved, without=without, in_editor=in_editor)
        theirs = [label_of(name).lower() for name in without if name != "tags" or edit.base is None]
        keeps = f" (keeps their {', '.join(theirs)})" if theirs else ""
        if command is not None:
            how = "To work yours into theirs" if in_editor else "To send yours beside theirs"
            refusal.add(f"{how}{keeps}:", f"  {command}", retry=command)
    command = repeating(
        call, edit, saved, key=edit.key, etag=current["etag"], overwrite=edit.writes_words
    )
    if edit.writes_words:
        refusal.add("As the last way, to put yours over theirs:", f"  {command}", overwrite=command)
    else:
        refusal.add("To do it to this version:", f"  {command}", retry=command)


def _made(edit: Edit, words: Json) -> Json:
    try:
        return changes.apply(edit.changes, words)
    except Misused:
        return {}


def _number(etag: str | None) -> int:
    text = (etag or "").partition("-")[0]
    return int(text) if text.isdecimal() else 0
