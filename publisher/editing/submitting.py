"""Sends an edit, and prints its outcome."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from feedserver.errors import Stale
from feedserver.model import Verb
from publisher.editing.call import Call
from publisher.editing.conflict import add_conflict
from publisher.editing.edit import DONE, Edit
from publisher.editing.fields import option_for
from publisher.editing.keeping import forget_item, keep, note_not_reached, note_refused
from publisher.editing.linting import add_warnings, look_first, say_warnings
from publisher.failures import Broken, NotReached, ServerRefusal
from publisher.output import clean_line
from publisher.server.schemas import is_versioned_item
from publisher.text.outbox import Kept
from publisher.text.saved import SavedText

if TYPE_CHECKING:
    from feedserver.wire import Json
    from publisher.server.client import Answer, Client

RACES = 3  # times that a colleague may be faster with an edit that writes over nobody's words
_DELIVERED = re.compile(r"(\d{1,9})\s*;\s*of=(\d{1,9})\s*;\s*ms=(\d{1,9})(?:\.\d+)?\s*$")


def submit(call: Call, client: Client, edit: Edit, saved: SavedText) -> None:
    """Send an edit, once however often that takes, and print what happened. Raises Failure."""
    kept = keep(call, edit, saved)
    try:
        look_first(call, client, edit)
    except BaseException:  # nothing was sent
        if kept is not None:
            (kept.take_back if kept.is_new else kept.release)()
        raise
    answer = send_kept(call, client, edit, saved, kept)
    saved.remove()
    data = data_of(call, edit, answer)
    warnings = add_warnings(edit, data)
    try:
        call.screen.give(data)
        say_done(call, edit, data)
        say_warnings(call, data, warnings)
    except Broken as failure:
        failure.add(
            f"Item {answer.data['id']} is stored all the same: {call.page(answer.data['id'])}",
            stored="yes",
            id=answer.data["id"],
            key=edit.key,
        )
        raise


def send_kept(
    call: Call, client: Client, edit: Edit, saved: SavedText, kept: Kept | None
) -> Answer:
    """Send an edit that was kept, and note in the outbox what became of it. Raises Failure."""
    try:
        answer = _send(call, client, edit)
    except NotReached as failure:
        note_not_reached(call, edit, saved, kept, failure)
        raise
    except ServerRefusal as refusal:
        why = _add_reasons(call, client, edit, saved, refusal)
        note_refused(call, edit, saved, kept, refusal, why)
        raise
    except KeyboardInterrupt:  # before anything was sent
        if kept is not None:
            (kept.take_back if kept.is_new else kept.release)()
        raise
    if kept is not None:
        kept.remove()
    if edit.verb is Verb.KILL:
        forget_item(call, edit.item, edit.headline)
    return answer


def _send(call: Call, client: Client, edit: Edit) -> Answer:
    """Send an edit; where any version will do, with the present one."""
    path = call.items_path(edit.item)
    if edit.item is None:
        return client.post(path, edit.body, edit.key)
    etag = edit.etag
    for races_left in range(RACES, -1, -1):
        if etag is None:
            etag = _version_now(client, path)
        try:
            return client.post(f"{path}/revisions", edit.body, edit.key, etag)
        except ServerRefusal as refusal:
            if refusal.status != Stale.status or not edit.any_version or not races_left:
                raise
            etag = None
    raise AssertionError("the last race returns or raises")


def _version_now(client: Client, path: str) -> str:
    try:
        return str(client.get(path, is_versioned_item, patient=True).data["etag"])
    except NotReached as failure:
        failure.in_doubt = False  # to read stores nothing
        raise


def say_unchanged(call: Call, item: Json, why: str) -> None:
    """Print that an item needs no change, so that nothing was sent."""
    link = call.page(item["id"])
    call.screen.give({**item, "link": link, "unchanged": True})
    note = ", and the note was not stored" if call.args.note else ""
    call.screen.say(f"Item {item['id']} {why}; nothing changed, no revision was made{note}")
    call.screen.say(link)


def data_of(call: Call, edit: Edit, answer: Answer) -> Json:
    """Return the result of an edit for programs."""
    item = answer.data
    data: Json = {**item, "link": call.page(item["id"]), "key": edit.key}
    if delivered := _DELIVERED.match(answer.headers.get("delivered", "")):
        readers, of, ms = map(int, delivered.groups())
        data["delivered"] = {"readers": readers, "of": of, "ms": ms}
    if answer.headers.get("idempotent-replayed") == "true":
        data["replayed"] = True
    if answer.headers.get("purge", "").strip().lower() == "pending":
        data["purge"] = "pending"
    return data


def say_done(call: Call, edit: Edit, data: Json) -> None:
    """Print the result of an edit for people."""
    headline = clean_line(data.get("headline") or edit.headline or "")
    done = call.screen.paint(DONE[edit.verb], "green", "bold")
    call.screen.say(f"{done} {data['id']}" + (f": {headline}" if headline else ""))
    parts = [data["link"]]
    if edit.verb is Verb.HOLD:
        parts.append("marked “Being checked”")
    if delivered := data.get("delivered"):
        of = delivered["of"]
        parts.append(
            f"delivered to {delivered['readers']} of {of} reader{'s' if of != 1 else ''} "
            f"in {delivered['ms']} ms"
            if of
            else "no reader is connected right now"
        )
    if data.get("replayed"):
        parts.append("done already by an earlier try")
    call.screen.say(" · ".join(parts))
    if data.get("purge"):
        call.screen.say(
            "Readers no longer see it. Its words are still being erased from the server's files; "
            "the server keeps trying until they are gone."
        )


def _add_reasons(
    call: Call, client: Client, edit: Edit, saved: SavedText, refusal: ServerRefusal
) -> str:
    """Add to a refusal what it is about, and return it in one sentence."""
    why = str(refusal.problem["detail"])
    refusal.add(key=edit.key)
    listed = refusal.problem.get("errors")
    errors = (
        [error for error in listed if isinstance(error, dict)] if isinstance(listed, list) else []
    )
    if errors:
        refusal.headline = f"not {DONE[edit.verb].lower()}:"
        lines = []
        for error in errors:
            error["option"] = option_for(str(error.get("pointer", "")))
            option = f"{error['option']}: " if error["option"] else ""
            lines.append(f"{option}{error.get('detail', '')}")
        refusal.add(*(f"  {line}" for line in lines))
        why = "; ".join(lines)
    elif refusal.status == Stale.status:
        current = refusal.problem.get("current")
        if isinstance(current, dict) and is_versioned_item(current):
            add_conflict(call, client, edit, saved, refusal, current)
            why = refusal.headline
    return why
