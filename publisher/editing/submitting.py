"""Sends an edit, and prints its outcome."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from feedserver.errors import Stale
from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.conflict import add_conflict
from publisher.editing.edit import DONE, Edit, repeating
from publisher.editing.fields import option_for
from publisher.failures import Broken, NotReached, ServerRefusal
from publisher.output import clean_line
from publisher.server.schemas import is_versioned_item
from publisher.text.saved import SavedText

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Answer, Client

_DELIVERED = re.compile(r"(\d{1,9})\s*;\s*of=(\d{1,9})\s*;\s*ms=(\d{1,9})(?:\.\d+)?\s*$")


def submit(call: Call, client: Client, edit: Edit, saved: SavedText) -> None:
    """Send an edit, once however often that takes, and print what happened. Raises Failure."""
    path = call.items_path(edit.item)
    if edit.item is not None:
        path += "/revisions"
    try:
        answer = client.post(path, edit.body, edit.key, edit.etag)
    except NotReached as failure:
        _add_retry(call, edit, saved, failure)
        raise
    except ServerRefusal as refusal:
        _add_reasons(call, client, edit, saved, refusal)
        raise
    saved.remove()
    try:
        _report(call, edit, answer)
    except Broken as failure:
        failure.add(
            f"Item {answer.data['id']} is stored all the same: {call.page(answer.data['id'])}",
            stored="yes",
            id=answer.data["id"],
            key=edit.key,
        )
        raise


def say_unchanged(call: Call, item: Json, why: str) -> None:
    """Print that an item needs no change, so that nothing was sent."""
    link = call.page(item["id"])
    call.screen.give({**item, "link": link, "unchanged": True})
    note = ", and the note was not stored" if call.args.note else ""
    call.screen.say(f"Item {item['id']} {why}; nothing changed, no revision was made{note}")
    call.screen.say(link)


def _report(call: Call, edit: Edit, answer: Answer) -> None:
    item = answer.data
    delivered = _DELIVERED.match(answer.headers.get("delivered", ""))
    replayed = answer.headers.get("idempotent-replayed") == "true"
    pending = answer.headers.get("purge", "").strip().lower() == "pending"
    link = call.page(item["id"])
    extra: Json = {"link": link, "key": edit.key}
    if delivered:
        readers, of, ms = map(int, delivered.groups())
        extra["delivered"] = {"readers": readers, "of": of, "ms": ms}
    if replayed:
        extra["replayed"] = True
    if pending:
        extra["purge"] = "pending"
    call.screen.give({**item, **extra})

    headline = clean_line(item.get("headline") or edit.headline or "")
    done = call.screen.paint(DONE[edit.verb], "green", "bold")
    call.screen.say(f"{done} {item['id']}" + (f": {headline}" if headline else ""))
    parts = [link]
    if edit.verb is Verb.HOLD:
        parts.append("marked “Being checked”")
    if delivered:
        parts.append(
            f"delivered to {readers} of {of} reader{'s' if of != 1 else ''} in {ms} ms"
            if of
            else "no reader is connected right now"
        )
    if replayed:
        parts.append("done already by an earlier try")
    call.screen.say(" · ".join(parts))
    if pending:
        call.screen.say(
            "Readers no longer see it. Its words are still being erased from the server's files; "
            "the server keeps trying until they are gone."
        )


def _add_retry(call: Call, edit: Edit, saved: SavedText, failure: NotReached) -> None:
    # The key is looked up before the version, so a retry may name the version it was made from.
    command = repeating(call, edit, saved, key=edit.key, etag=edit.etag)
    failure.add(
        "It is not known whether it was stored. Sent again with the same key, it is done once:"
        if failure.in_doubt
        else "Nothing was stored. When the server is back:",
        f"  {command}",
        stored="unknown" if failure.in_doubt else "no",
        key=edit.key,
        retry=command,
    )


def _add_reasons(
    call: Call, client: Client, edit: Edit, saved: SavedText, refusal: ServerRefusal
) -> None:
    refusal.add(key=edit.key)
    listed = refusal.problem.get("errors")
    errors = (
        [error for error in listed if isinstance(error, dict)] if isinstance(listed, list) else []
    )
    if errors:
        refusal.headline = f"not {DONE[edit.verb].lower()}:"
        for error in errors:
            error["option"] = option_for(str(error.get("pointer", "")))
            option = f"{error['option']}: " if error["option"] else ""
            refusal.add(f"  {option}{error.get('detail', '')}")
    elif refusal.status == Stale.status:
        current = refusal.problem.get("current")
        if isinstance(current, dict) and is_versioned_item(current):
            add_conflict(call, client, edit, saved, refusal, current)
