"""A conflict with a colleague's edit: both texts, who made it, and the commands that resolve it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.edit import Edit, repeating, rewriting
from publisher.failures import NotReached, ServerRefusal
from publisher.server.schemas import is_revisions
from publisher.text.items import plain
from publisher.text.saved import SavedText

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Client


def add_conflict(
    call: Call,
    client: Client,
    edit: Edit,
    saved: SavedText,
    refusal: ServerRefusal,
    current: Json,
) -> None:
    """Add to a refusal what the item says now, and what can be done."""
    assert edit.item is not None
    refusal.headline = f"item {edit.item} was changed meanwhile; nothing was done"
    who = _last_change(call, client, edit.item)
    if who:
        refusal.add(f"The last change: {who}", changed_by=who)
    theirs = {
        "headline": current.get("headline") or "",
        "body": current.get("body") or plain(current.get("blocks")),
    }
    for name in ("headline", "body"):
        if name in edit.fields:
            refusal.add(f"{name.capitalize()} now:", *_indented(theirs[name]))
            refusal.add(f"Your {name}:", *_indented(edit.fields[name] or ""))
    if "headline" not in edit.fields:
        refusal.add("Headline now:", *_indented(theirs["headline"]))
    # A key that was refused is free, and the outbox knows the edit by it.
    command = repeating(call, edit, saved, key=edit.key, etag=current["etag"])
    refusal.add("To put yours over theirs:", f"  {command}", retry=command)
    if edit.verb in {Verb.FIX, Verb.UPDATE, Verb.CORRECT}:
        command = rewriting(call, edit, key=edit.key)
        refusal.add("To work yours into theirs:", f"  {command}")


def _last_change(call: Call, client: Client, item: int) -> str:
    try:
        log = client.get(f"{call.items_path(item)}/revisions", is_revisions).data["revisions"]
    except (NotReached, ServerRefusal):
        return ""  # the conflict is reported without it
    return f"{log[-1]['verb']} by {log[-1].get('editor') or 'the operator'}" if log else ""


def _indented(text: str) -> list[str]:
    return [f"  │ {line}" for line in text.split("\n")] if text else ["  │ (none)"]
